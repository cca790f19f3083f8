"""When a digest is told: words or five fields of cron, and a time zone, before what it is of.

``every weekday 08:00 Europe/Berlin health,drops,lint of shop`` · ``0 8 * * mon-fri UTC health`` ·
``every monday 9am quiet when unchanged``
"""

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from handlers.commands.command import NotUnderstoodError

USAGE = "digest every DAY HH:MM [ZONE] [SCOPE] [quiet when unchanged]"
EXAMPLE = "digest every weekday 08:00 Europe/Berlin health,drops,lint of shop"
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMED = {
    **{day: day for day in _DAYS},
    "weekday": "mon-fri",
    "workday": "mon-fri",
    "working day": "mon-fri",
    "day": "*",
    "daily": "*",
    "weekend": "sat,sun",
    "week": "mon",
    "weekly": "mon",
    "sunday": "sun",
    "monday": "mon",
    "tuesday": "tue",
    "wednesday": "wed",
    "thursday": "thu",
    "friday": "fri",
    "saturday": "sat",
    "tues": "tue",
    "wednes": "wed",
    "thurs": "thu",
}
_EVERY = re.compile(
    r"^(?:(?:every|each|on)\s+)?(?P<days>(?:working day|[a-z]+)(?:(?:\s*,\s*|\s+and\s+|\s*-\s*)[a-z]+)*)"
    r"(?:\s+at)?\s+(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d\d))?\s*(?P<half>am|pm|o'clock|h)?(?=\s|$)",
    re.IGNORECASE,
)
_HOURLY = re.compile(r"^(?:(?:every|each)\s+hour|hourly)(?=\s|$)", re.IGNORECASE)
_FIELD = r"(?:[\d*][\w*/,\-]*|[a-z]{3}(?:[,\-][a-z]{3})*)"
_CRON = re.compile(
    rf"^[`'\"]?(?P<cron>[\d*][\d*/,\-]*\s+[\d*][\d*/,\-]*(?:\s+{_FIELD}){{3}})[`'\"]?(?=\s|$)", re.IGNORECASE
)
_QUIET = re.compile(
    r"[\s,]*\b(?:(?:be|stay)\s+)?(?:quiet|silent)(?:\s+(?:when|if|while)\s+(?:nothing\s+changed|unchanged))?\s*$",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"^(?:utc|gmt|z)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Timetable:
    """When: ``cron`` has five fields, minute first, read by the wall clock of ``zone``. ``scope`` is what remains.

    ``is_quiet``: nothing is posted while nothing differs, but once a week.
    """

    cron: str
    zone: str = "UTC"
    scope: str = ""
    is_quiet: bool = False

    def __str__(self) -> str:
        """Write it as cron has it."""
        return f"{self.cron} {self.zone}"


def timetable_of(words: str) -> Timetable:
    """Read when, in which time zone, and of what.

    The fields of a cron expression are not judged here: whoever reckons with them does.

    Raises:
        NotUnderstoodError: if the words say no time, or name a time zone that does not exist.
    """
    text = re.sub(r"\s+", " ", words.strip())
    rest, is_quiet = (_QUIET.sub("", text), True) if _QUIET.search(text) else (text, False)
    if found := _CRON.match(rest):
        cron = found["cron"].lower()
    elif found := _HOURLY.match(rest):
        cron = "0 * * * *"
    elif found := _EVERY.match(rest):
        cron = f"{_time(found)} * * {_days(found['days'])}"
    else:
        raise NotUnderstoodError(
            "Say when: every weekday 08:00, every monday 9:30, or five fields of cron.", USAGE, (EXAMPLE,)
        )
    zone, scope = _zone(rest[found.end() :].strip(" ,"))
    return Timetable(cron, zone, scope, is_quiet)


def _time(found: re.Match[str]) -> str:
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), (found["half"] or "").lower()
    if half in ("am", "pm"):
        if not 1 <= hour <= 12:
            raise NotUnderstoodError(f"{hour} {half} is no time of day.", USAGE, (EXAMPLE,))
        hour = hour % 12 + 12 * (half == "pm")
    if hour > 23 or minute > 59:
        raise NotUnderstoodError(f"{hour}:{minute:02} is no time of day.", USAGE, (EXAMPLE,))
    return f"{minute} {hour}"


def _days(words: str) -> str:
    found = []
    for part in re.split(r"\s*,\s*|\s+and\s+", words.lower()):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        named = [_NAMED.get(name) or _NAMED.get(name.removesuffix("s")) for name in (first, last) if name]
        if None in named or (dash and len(named) != 2):
            raise NotUnderstoodError(f"I know no day “{part[:40]}”.", USAGE, (EXAMPLE,))
        found.append("-".join(filter(None, named)))
    return "*" if "*" in found else ",".join(found)


def _zone(rest: str) -> tuple[str, str]:
    """Return the time zone in front of the scope, UTC where none is named, and the scope."""
    first, _, others = rest.partition(" ")
    if first.lower() == "in" and others:
        first, _, others = others.partition(" ")
        if not _looks_like_zone(first):
            return "UTC", rest
    if _OFFSET.match(first):
        return "UTC", others
    if not _looks_like_zone(first):
        return "UTC", rest
    return checked_zone(first), others


def _looks_like_zone(word: str) -> bool:
    """Whether a word is the name of a zone: ``Europe/Berlin``, ``CET``; names of the cluster have no capitals."""
    return bool(word[:1].isupper() and re.fullmatch(r"[A-Za-z]+(?:[/_+\-][A-Za-z0-9]+)*", word)) or bool(
        re.fullmatch(
            r"(?:europe|america|asia|africa|australia|atlantic|pacific|indian|etc|us)/[a-z_/+\-0-9]+",
            word,
            re.IGNORECASE,
        )
    )


def checked_zone(name: str) -> str:
    """Return a name of the time zone database as it is written there.

    Raises:
        NotUnderstoodError: if there is no such zone.
    """
    titled = "/".join("_".join(part.capitalize() for part in piece.split("_")) for piece in name.split("/"))
    for spelling in (name, titled, name.upper()):
        try:
            return ZoneInfo(spelling).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    raise NotUnderstoodError(
        f"I know no time zone {name[:40]}; name one such as Europe/Berlin or UTC.", USAGE, (EXAMPLE,)
    )
