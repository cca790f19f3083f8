"""A button that is pressed twice in a hurry counts once."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.intake import Intake
from bot.where import Where

_DOUBLE_CLICK = timedelta(seconds=3)


def is_pressed_once(intake: Intake, where: Where, body: Mapping[str, Any], action: Mapping[str, Any]) -> bool:
    """Say whether this is the first press of a person within a moment. Without Redis the asker is told."""
    message = body.get("container", {}).get("message_ts") or body.get("trigger_id")
    press = f"press:{where.channel}:{message}:{action.get('action_id')}:{where.user}"
    return intake.is_first(where, press, within=_DOUBLE_CLICK)
