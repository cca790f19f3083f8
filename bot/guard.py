"""Who may ask what, and how often. Every no is said in words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from redis import Redis

from bot.render.failure import Failure, not_allowed, rate_limited
from bot.where import Where
from handlers.commands.command import Role

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Who has a role: these people, the members of these user groups, anybody in these channels."""

    users: frozenset[str] = frozenset()
    usergroups: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Say whether anybody is listed."""
        return bool(self.users or self.usergroups or self.channels)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say. Without a list of viewers everybody of the teams is one."""

    teams: frozenset[str]
    viewers: Allowed = Allowed()
    operators: Allowed = Allowed()
    questions_per_minute: int = 60


class Guard:
    """Checks askers against the rules. ``members_of`` returns the people in a user group."""

    def __init__(
        self,
        rules: Rules,
        redis: Redis,
        members_of: Callable[[str], frozenset[str]],
        *,
        prefix: str = "cilium-triage",
    ) -> None:
        self._rules = rules
        self._redis = redis
        self._members_of = members_of
        self._prefix = prefix

    def objection(self, where: Where, role: Role, command: str) -> Failure | None:
        """Return why this asker gets no answer, or None. A question that passes is counted."""
        return self.bars(where, role, command) or self._too_many(where)

    def bars(self, where: Where, role: Role, command: str) -> Failure | None:
        """Return why somebody may not ask this there, or None, and count nothing."""
        if self._rules.teams and where.team not in self._rules.teams:
            return not_allowed("people of other workspaces", "Ask somebody of the workspace that I am installed in.")
        if self._has(where, self._rules.operators):
            return None
        if role is Role.OPERATOR:
            return not_allowed(f"{command}: it is for operators", "Whoever runs this bot can make you one.")
        if self._rules.viewers and not self._has(where, self._rules.viewers):
            return not_allowed("you here", "Whoever runs this bot decides who may ask, and in which channels.")
        return None

    def _has(self, where: Where, allowed: Allowed) -> bool:
        if where.user in allowed.users or where.channel in allowed.channels:
            return True
        return any(where.user in self._members_of(group) for group in sorted(allowed.usergroups))

    def _too_many(self, where: Where) -> Failure | None:
        # A counter that starts with the first question and ends a minute later: https://redis.io/docs/latest/commands/incr
        counter = f"{self._prefix}:asked:{where.team}:{where.user}"
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.incr(counter)
            pipe.expire(counter, MINUTE, nx=True)
            pipe.ttl(counter)
            count, _, seconds_left = pipe.execute()
        if count <= self._rules.questions_per_minute:
            return None
        return rate_limited(self._rules.questions_per_minute, timedelta(seconds=max(1, seconds_left)))
