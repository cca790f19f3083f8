"""App Home: what can be asked, with an example to press for each (https://docs.slack.dev/surfaces/app-home)."""

from collections.abc import Mapping
from typing import Any

import structlog
from slack_bolt import Ack, App

from bot.orders import ORDERS
from bot.publish import Publisher, PublishError
from bot.render.help import home_view
from handlers.catalogue import CATALOGUE

log = structlog.get_logger(__name__)


def listen(app: App, publisher: Publisher) -> None:
    """Register the listener."""

    def acknowledge(ack: Ack) -> None:
        ack()

    def opened(event: Mapping[str, Any]) -> None:
        if event.get("tab") != "home":
            return
        try:
            publisher.home(str(event.get("user") or ""), home_view(CATALOGUE.commands, ORDERS))
        except PublishError as error:
            log.warning("home not shown", error=type(error).__name__, reason=str(error))

    app.event("app_home_opened")(ack=acknowledge, lazy=[opened])
