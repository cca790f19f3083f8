"""What stands on the App Home of one person, gathered from what the web process keeps; each part may be unread."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

from bot.channels import Channels
from bot.digests.due import next_due
from bot.digests.kept import Subscriptions
from bot.doctor.kept import KeptSetups
from bot.guard import Guard
from bot.publish import Publisher
from bot.render.channel import settings_lines
from bot.render.home import MOST_ANSWERS, Home, Part, Recent
from bot.render.setup import setup_lines
from bot.render.subscriptions import line
from bot.reports import Given, Reports
from bot.where import Via, Where
from handlers.commands.command import Role

T = TypeVar("T")

HEALTH = "health"
"""The question whose newest answer is the health at a glance: anybody's, else the reader's own."""

log = structlog.get_logger(__name__)

Lines = Callable[[Where], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page that others fill: ``lines`` are in Slack's markup, and may raise RedisError."""

    title: str
    none: str
    lines: Lines
    role: Role = Role.VIEWER
    """Who sees it."""


@dataclass(frozen=True, slots=True)
class Homes:
    """Gathers the page. ``sections`` stand below the answers, in their order."""

    guard: Guard
    reports: Reports
    publisher: Publisher
    sections: Sequence[Section] = ()
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def of(self, team: str, user: str, *, installed: str = "") -> Home:
        """Return the page of a person of a workspace, for what the bot is installed in. Raises nothing."""
        where = Where(team, user, user, Via.DIRECT, installed=installed)
        if objection := self.guard.bars(where, Role.VIEWER, "questions"):
            return Home((), objection=f"{objection.happened} {objection.remedy}".strip())
        home, reports = where.home, self.reports
        answers = _tried(lambda: [self._recent(given) for given in reports.latest_of(home, user, MOST_ANSWERS)])
        health = _tried(lambda: [self._recent(given) for given in reports.latest_health(home)])
        health = health or [one for one in answers or () if one.report.question == HEALTH][:1] or health
        parts = [part for one in self.sections if (part := self._part(one, where)) is not None]
        return Home(answers, health, parts, drawn_at=self.now())

    def _recent(self, given: Given) -> Recent:
        at = datetime.fromtimestamp(float(given.ts), UTC)
        link = self.publisher.address_of(given.channel, given.ts)
        return Recent(given.report, given.report_id, given.channel, at, link)

    def _part(self, section: Section, where: Where) -> Part | None:
        if self.guard.bars(where, section.role, section.title) is not None:
            return None
        lines = _tried(lambda: section.lines(where))
        return Part(section.title, lines or (), section.none, is_unread=lines is None)


def of_channels(channels: Channels) -> Section:
    """Return the part with what is set of channels; operators see it, since it names private ones too."""
    return Section(
        "Channels",
        "Nothing is set of any channel.",
        lambda _where: settings_lines(channels.everything()),
        Role.OPERATOR,
    )


def of_digests(subscriptions: Subscriptions, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Section:
    """Return the part with the digests of all channels; operators see it, since it names private ones too."""
    return Section(
        "Digests",
        "No channel is told what differs; say digest in one.",
        lambda _where: [
            f"<#{one.channel}> {line(one, next_due(one.timetable, max(now(), one.told)))}"
            for one in subscriptions.listed()
        ],
        Role.OPERATOR,
    )


def of_setup(kept: KeptSetups) -> Section:
    """Return the part with what is not as it should be in the setup; operators see it, since they can mend it."""
    return Section("Setup", "Nothing is wrong with my setup.", lambda _where: setup_lines(kept.all()), Role.OPERATOR)


def _tried(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except RedisError as error:
        log.warning("part of home not read", error=type(error).__name__)
        return None
