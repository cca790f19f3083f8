"""What holds in a channel, and the words that say it: the same for people, for Redis and for the environment."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

from handlers.names.wall_clock import TIME, time_of_day, zone_named

LONGEST_WORDS = 500
"""Characters of one setting."""
MOST_CONDITIONS = 20


class RuleError(ValueError):
    """The words set nothing; the message says what to write instead."""


class Verbosity(StrEnum):
    """How much is told in a channel without being asked."""

    VERBOSE = "verbose"
    NORMAL = "normal"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From when to when, by the clock on the wall of a zone, nothing is told that can wait."""

    start: time
    end: time
    zone: str

    def __str__(self) -> str:
        """Return the words that ``parse`` reads."""
        return f"{self.start:%H:%M}-{self.end:%H:%M} {self.zone}"

    @classmethod
    def parse(cls, words: str) -> "QuietHours":
        """Read ``22:00-07:00 Europe/Berlin``; without a zone they are UTC.

        Raises:
            RuleError: if they are no two different times, or nobody knows the zone.
        """
        found = _HOURS.fullmatch(words.strip())
        if found is None:
            raise RuleError("Quiet hours are two times and a zone: 22:00-07:00 Europe/Berlin")
        start, end = (_time(found[name]) for name in ("start", "end"))
        if start == end:
            raise RuleError("Quiet hours begin and end at different times; quiet is quiet all day.")
        said = found["zone"] or "UTC"
        if (zone := zone_named(said)) is None:
            raise RuleError(f"{said[:60]} is no time zone; they are named as Europe/Berlin is.")
        return cls(start, end, zone)

    def until(self, moment: datetime) -> datetime | None:
        """Return when the quiet hours end in which a moment lies, in the channel's zone; None where it lies in none."""
        zone = ZoneInfo(self.zone)
        here = moment.astimezone(zone)
        ends_today = here.replace(hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0, fold=0)
        clock = here.time()
        if self.start < self.end:
            return ends_today if self.start <= clock < self.end else None
        if clock < self.end:
            return ends_today
        return ends_today + timedelta(days=1) if clock >= self.start else None


@dataclass(frozen=True, slots=True)
class Audience:
    """The Kubernetes user and the groups that everybody in a channel counts as."""

    user: str = ""
    groups: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the words that ``parse`` reads."""
        named = [f"user={self.user}"] if self.user else []
        return " ".join([*named, *(f"group={group}" for group in self.groups)]) or "nobody"

    @classmethod
    def parse(cls, words: str) -> "Audience":
        """Read ``user=oncall group=sre group=dev``, or ``nobody``.

        Raises:
            RuleError: if a word says neither.
        """
        if words.strip().casefold() == "nobody":
            return NOBODY
        said = [word.partition("=") for word in words.split()]
        users = [value for name, _, value in said if name == "user"]
        groups = tuple(dict.fromkeys(value for name, _, value in said if name == "group"))
        is_said = all(name in ("user", "group") and value for name, _, value in said)
        if not said or not is_said or len(users) > 1:
            raise RuleError("An audience is a Kubernetes user and groups: user=oncall group=sre, or nobody.")
        return cls(users[0] if users else "", groups)


NOBODY = Audience()
"""An audience that may see nothing: what holds where an audience could not be read."""


@dataclass(frozen=True, slots=True)
class Route:
    """Which alerts go to a channel that came to none: all conditions hold, each for one of its values."""

    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    takes_all: bool = False

    def __str__(self) -> str:
        """Return the words that ``parse`` reads."""
        said = " ".join(f"{name}={','.join(values)}" for name, values in self.conditions)
        return said or ("all" if self.takes_all else "none")

    @classmethod
    def parse(cls, words: str) -> "Route":
        """Read ``severity=critical,warning namespace=shop-*``, ``all`` or ``none``.

        Raises:
            RuleError: if a word is no label with its value.
        """
        if words.strip().casefold() in ("all", "none"):
            return cls(takes_all=words.strip().casefold() == "all")
        conditions = []
        for word in words.split():
            name, equals, value = word.partition("=")
            values = tuple(filter(None, value.split(",")))
            if not (name and equals and values):
                raise RuleError("Alerts are named by labels: severity=critical namespace=shop-*, or all, or none.")
            conditions.append((name, values))
        if not conditions or len(conditions) > MOST_CONDITIONS:
            raise RuleError(f"One to {MOST_CONDITIONS} labels say which alerts come here; all and none do, too.")
        return cls(tuple(conditions))

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Say whether an alert with these labels goes there."""
        if not self.conditions:
            return self.takes_all
        return all(
            any(fnmatchcase(labels.get(name, ""), value) for value in values) for name, values in self.conditions
        )


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """What holds in one channel.

    ``audience`` is None where nobody set one. ``unread`` says what could not be read, in words; then every field that
    this could have changed is as closed as it can be: no incident channel, an audience that may see nothing.
    """

    is_incident: bool = False
    verbosity: Verbosity = Verbosity.NORMAL
    quiet_hours: QuietHours | None = None
    cluster: str = ""
    audience: Audience | None = None
    alerts: Route = field(default_factory=Route)
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One setting of a channel or a pattern: its words, who said them and when; nobody where the environment does.

    Words that are empty could not be read.
    """

    target: str
    setting: str
    words: str
    by: str = ""
    at: str = ""


def said_in(channels: Mapping[str, Mapping[str, str]]) -> tuple[Said, ...]:
    """Return what an environment says of channels: settings and their words by targets.

    Raises:
        RuleError: if a target or a setting is none, or its words say nothing.
    """
    said = []
    for target, settings in sorted(channels.items()):
        checked_target(target)
        for setting, words in settings.items():
            checked(setting, words)
            said.append(Said(target, setting, words))
    return tuple(said)


def _time(text: str) -> time:
    if (said := time_of_day(text)) is None:
        raise RuleError(f"{text} is no time of day.")
    return said


def _is_on(words: str) -> bool:
    said = words.strip().casefold()
    if said not in ("on", "off"):
        raise RuleError("An incident channel is on or off.")
    return said == "on"


def _verbosity(words: str) -> Verbosity:
    try:
        return Verbosity(words.strip().casefold())
    except ValueError:
        raise RuleError(f"A channel is {', '.join(Verbosity)}.") from None


def _quiet_hours(words: str) -> QuietHours | None:
    return None if words.strip().casefold() in ("none", "off") else QuietHours.parse(words)


def _cluster(words: str) -> str:
    name = words.strip()
    if name.casefold() == "any":
        return ""
    if not _CLUSTER.fullmatch(name):
        raise RuleError("A cluster is named in one word, as its worker is told; any is none.")
    return name


_HOURS = re.compile(
    rf"(?:(?:from|between)\s+)?(?P<start>{TIME})\s*(?:[-–]|to|until|and)\s*(?P<end>{TIME})"
    r"(?:\s+(?:in\s+)?(?P<zone>[\w+/ -]{1,60}))?",
    re.IGNORECASE,
)
_ID = re.compile(r"[CG][A-Z0-9]{5,20}")
_PATTERN = re.compile(r"[\w*?.-]{1,80}")
_CLUSTER = re.compile(r"[A-Za-z0-9][\w.:@/-]{0,252}")

INCIDENT, VERBOSITY, QUIET, CLUSTER, AUDIENCE, ALERTS = (
    "incident",
    "verbosity",
    "quiet hours",
    "cluster",
    "audience",
    "alerts",
)
READERS: Mapping[str, Callable[[str], Any]] = {
    INCIDENT: _is_on,
    VERBOSITY: _verbosity,
    QUIET: _quiet_hours,
    CLUSTER: _cluster,
    AUDIENCE: Audience.parse,
    ALERTS: Route.parse,
}
"""What can be set, and what reads its words; each raises RuleError."""

DEFAULTS: Mapping[str, str] = {
    INCIDENT: "off",
    VERBOSITY: str(Verbosity.NORMAL),
    QUIET: "none",
    CLUSTER: "any",
    AUDIENCE: "not set",
    ALERTS: "none",
}
"""What holds where nobody said anything, in words."""

_FIELDS = {
    INCIDENT: "is_incident",
    VERBOSITY: "verbosity",
    QUIET: "quiet_hours",
    CLUSTER: "cluster",
    AUDIENCE: "audience",
    ALERTS: "alerts",
}


def checked(setting: str, words: str) -> str:
    """Return the words of a setting as they are kept: of quiet hours the zone, too, where none was said.

    Raises:
        RuleError: if there is no such setting, or the words are none of its.
    """
    if setting not in READERS:
        raise RuleError(f"{setting[:60]} cannot be set; what can be is {', '.join(READERS)}.")
    if len(words) > LONGEST_WORDS:
        raise RuleError(f"{setting} takes at most {LONGEST_WORDS} characters.")
    read = READERS[setting](words)
    if setting == QUIET:
        return "none" if read is None else str(read)
    return " ".join(words.split())


def checked_target(target: str) -> str:
    """Return the id of a channel, or a name or pattern of names without its ``#``.

    Raises:
        RuleError: if it is neither.
    """
    name = target.removeprefix("#")
    if not (is_id(name) or _PATTERN.fullmatch(name)):
        raise RuleError(f"{target[:80]} is neither the id of a channel nor a name such as inc-*.")
    return name


def is_id(target: str) -> bool:
    """Say whether a target is one channel, and not a pattern of names."""
    return bool(_ID.fullmatch(target))


def rules_of(said: Mapping[str, str], unread: str = "") -> ChannelRules:
    """Return what words come to, setting by setting.

    Raises:
        RuleError: if some are none of the setting's.
    """
    return ChannelRules(**{_FIELDS[name]: READERS[name](words) for name, words in said.items()}, unread=unread)
