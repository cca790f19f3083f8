"""App Home, drawn when it is opened (https://docs.slack.dev/surfaces/app-home)."""

from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt import Ack, App

from bot.home import Homes
from bot.listeners.form import SHORTCUT
from bot.listeners.place import installation_of
from bot.orders import ORDERS
from bot.publish import Publisher, PublishError
from bot.render.home import home_view
from handlers.catalogue import CATALOGUE

log = structlog.get_logger(__name__)


def listen(app: App, publisher: Publisher, homes: Homes) -> None:
    """Register the listener."""

    def acknowledge(ack: Ack) -> None:
        ack()

    def opened(body: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        if event.get("tab") != "home":
            return
        user = str(event.get("user") or "")
        home = homes.of(str(body.get("team_id") or ""), user, installed=installation_of(body))
        try:
            publisher.home(user, home_view(home, CATALOGUE.commands, ORDERS, SHORTCUT))
        except PublishError as error:
            log.warning("home not shown", error=type(error).__name__, reason=str(error))

    app.event("app_home_opened")(ack=acknowledge, lazy=[opened])
