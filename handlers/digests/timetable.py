"""When a digest is told: words or five fields of cron, and a time zone, before what it is of.

``every weekday 08:00 Europe/Berlin health,drops,lint of shop`` · ``0 8 * * mon-fri UTC health`` ·
``every monday 9am quiet when unchanged``
"""

import re
from dataclasses import dataclass

from handlers.catalogue import CATALOGUE
from handlers.commands.command import NotUnderstoodError
from handlers.names.wall_clock import TIME, time_of_day, zone_named

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
_SAID_DAYS = (
    r"(?:(?:every|each|on)\s+)?(?P<days>(?:working day|(?!at\b)[a-z]+)(?:(?:\s*,\s*|\s+and\s+|\s*-\s*)[a-z]+)*)"
)
_EVERY = tuple(
    re.compile(order, re.IGNORECASE)
    for order in (
        rf"^{_SAID_DAYS}(?:\s+at)?\s+(?P<time>{TIME})(?=\s|$)",
        rf"^(?:at\s+)?(?P<time>{TIME})\s+(?:on\s+)?{_SAID_DAYS}(?=\s|$)",
    )
)
_AGAIN = re.compile(r"^every\s+(?P<number>\d{1,3})\s*(?P<unit>m|h)(?:in|our|inute|r)?s?(?=\s|$)", re.IGNORECASE)
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
    elif found := _AGAIN.match(rest):
        cron = _again(int(found["number"]), found["unit"].lower())
    elif found := next((said for said in (order.match(rest) for order in _EVERY) if said), None):
        cron = f"{_time(found['time'])} * * {_days(found['days'])}"
    else:
        raise NotUnderstoodError(
            "Say when: every weekday 08:00, every monday 9:30, or five fields of cron.", USAGE, (EXAMPLE,)
        )
    zone, scope = _zone(rest[found.end() :].strip(" ,"))
    return Timetable(cron, zone, scope, is_quiet)


def _time(words: str) -> str:
    said = time_of_day(words)
    if said is None:
        raise NotUnderstoodError(f"{words} is no time of day.", USAGE, (EXAMPLE,))
    return f"{said.minute} {said.hour}"


def _again(number: int, unit: str) -> str:
    """Return the cron of what comes again and again: cron counts from the hour or the day, so it has to divide it."""
    whole = 60 if unit == "m" else 24
    if not number or whole % number:
        raise NotUnderstoodError(
            "What comes again and again comes every 15, 20 or 30 minutes, or every 1, 2, 3, 4, 6, 8 or 12 hours.",
            USAGE,
            (EXAMPLE,),
        )
    step = "*" if number == 1 else "0" if number == whole else f"*/{number}"
    return f"{step} * * * *" if unit == "m" else f"0 {step} * * *"


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
    words = rest.split(" ")
    lead = words[0].lower() == "in" and len(words) > 1
    said = words[1:] if lead else words
    for size in (2, 1):
        name, others = " ".join(said[:size]), " ".join(said[size:])
        if len(said) >= size and not _is_of_the_scope(said[0]) and (zone := zone_named(name)):
            return zone, others
    first = said[0]
    if _OFFSET.match(first):
        return "UTC", " ".join(said[1:])
    return (checked_zone(first), " ".join(said[1:])) if _looks_like_zone(first) else ("UTC", rest)


def _is_of_the_scope(word: str) -> bool:
    """Whether a word begins what the digest is of: a list, somebody's name, a question."""
    return not re.fullmatch(r"[A-Za-z][\w+\-]*(?:/[\w+\-]+)*", word) or word.partition("/")[0] in CATALOGUE.commands


def _looks_like_zone(word: str) -> bool:
    """Whether a word is meant as the name of a zone: names of the cluster have no capitals."""
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
    if zone := zone_named(name):
        return zone
    raise NotUnderstoodError(
        f"I know no time zone {name[:40]}; name one such as Europe/Berlin or UTC.", USAGE, (EXAMPLE,)
    )
