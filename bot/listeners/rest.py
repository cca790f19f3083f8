"""Everything else that Slack delivers: acknowledged, or Slack would deliver it again."""

import re

from slack_bolt import Ack, App

_ANYTHING = re.compile("")


def listen(app: App) -> None:
    """Register the listeners; they must come last."""

    def acknowledge(ack: Ack) -> None:
        ack()

    def no_suggestion(ack: Ack) -> None:
        ack(options=[])

    app.event(_ANYTHING)(acknowledge)
    app.action(_ANYTHING)(acknowledge)
    app.shortcut(_ANYTHING)(acknowledge)
    app.options(_ANYTHING)(no_suggestion)
