"""Times of day in a question, as how long ago they were: "since the deploy at 14:05" is "since 35m"."""

import re
from datetime import UTC, datetime, timedelta

_EVENT = r"(?:(?:the|this|our|my|last|dem|le|el|la)\s+)?(?:(?!since)\w+\s+){0,2}?"
_CLOCK = r"(?P<hour>[01]?\d|2[0-3])(?::|h)(?P<minute>[0-5]\d)(?:\s*(?P<half>[ap]m))?(?:\s*(?P<zone>utc|z|uhr))?"
_SINCE_CLOCK = re.compile(
    rf"(?<!\S)(?:(?:since|seit|depuis|desde|from|after|nach)\s+{_EVENT}(?:(?:at|around|about|um|à|a|las|gegen|ca\.?)\s+)*"
    rf"|(?:(?:at|around|about|um|gegen|à)\s+)+){_CLOCK}(?=[\s,;.?!)]|$)",
    re.IGNORECASE,
)


def with_spans(text: str, now: datetime) -> str:
    """Return a text whose times of day are how long ago they last were, seen from ``now``, in the zone of ``now``.

    In whole minutes, rounded up; at least one. "UTC" behind the time counts in UTC.
    """
    return _SINCE_CLOCK.sub(lambda found: f"since {_minutes_ago(found, now)}m", text)


def _minutes_ago(found: re.Match[str], now: datetime) -> int:
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half:
        hour = hour % 12 + 12 * (half == "pm")
    local = now.astimezone(UTC) if (found["zone"] or "").lower() in ("utc", "z") else now
    then = local.replace(hour=hour, minute=int(found["minute"]), second=0, microsecond=0)
    if then > local:
        then -= timedelta(days=1)
    return max(1, -(-int((local - then).total_seconds()) // 60))
