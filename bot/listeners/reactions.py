"""A reaction on a card says who looks after it: 👀 or ✅ (https://docs.slack.dev/reference/events/reaction_added)."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from slack_bolt import Ack, App

from bot.cards.cards import Cards, NotKeptError
from bot.cards.place import Place
from bot.listeners.place import installation_of
from handlers.alerts.life import KeptCard, acknowledged, unacknowledged

SAYS_SEEN = frozenset({"eyes", "white_check_mark", "heavy_check_mark"})
"""Names of the reactions that acknowledge."""

log = structlog.get_logger(__name__)


def listen(app: App, cards: Cards) -> None:
    """Register the listeners."""

    def noter(step: Callable[[KeptCard, str], KeptCard]) -> Callable[..., None]:
        def note(body: Mapping[str, Any], event: Mapping[str, Any]) -> None:
            item, user = event.get("item"), str(event.get("user") or "")
            name = str(event.get("reaction") or "").partition("::")[0]
            if name not in SAYS_SEEN or not isinstance(item, Mapping) or not user:
                return
            place = Place(installation_of(body), str(item.get("channel") or ""))
            try:
                cards.change_at(place, str(item.get("ts") or ""), lambda card: step(card, user))
            except NotKeptError as error:
                log.warning("a reaction is not noted", reason=str(error))

        return note

    def acknowledge(ack: Ack) -> None:
        ack()

    app.event("reaction_added")(ack=acknowledge, lazy=[noter(acknowledged)])
    app.event("reaction_removed")(ack=acknowledge, lazy=[noter(unacknowledged)])
