"""How open one side is for one peer and one port, and whether a change of policy opened or closed it."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from handlers.model.decision import Redirect, Verdict
from handlers.model.party import MissingFact
from handlers.model.rule import Authentication, DnsRule, HttpRule, Origin
from handlers.policy.decide import Outcome

Request = HttpRule | DnsRule

_COMPARABLE = (None, Redirect.HTTP, Redirect.DNS)
_DEMANDS = (Authentication.REQUIRED, Authentication.ALWAYS_FAIL)


class Level(IntEnum):
    """What gets through."""

    CLOSED = 0
    LIMITED = 1
    """The connection passes to a proxy, which lets some requests through."""
    OPEN = 2
    UNKNOWN = 3
    """It depends on a fact that was not read."""
    BROKEN = 4
    """Rules contradict each other: the endpoint keeps the policy it had before."""


@dataclass(frozen=True, slots=True)
class Access:
    """What gets through one side.

    ``requests`` are what the proxy passes when it is ``LIMITED``; ``opaque`` are the rules behind a proxy whose
    settings cannot be compared (TLS, listeners, other parsers).
    """

    level: Level
    requests: frozenset[Request] = frozenset()
    proxy: Redirect | None = None
    demands_authentication: bool = False
    opaque: tuple[Origin, ...] = ()
    missing: tuple[MissingFact, ...] = ()


UNPOLICED = Access(Level.OPEN)
CLOSED = Access(Level.CLOSED)


def access_of(outcome: Outcome, missing: tuple[MissingFact, ...]) -> Access:
    """Read an outcome for traffic without a named request."""
    match outcome.verdict:
        case Verdict.DENIED:
            return CLOSED
        case Verdict.NOT_APPLICABLE:
            return UNPOLICED
        case Verdict.ERROR:
            return Access(Level.BROKEN)
        case Verdict.UNKNOWN:
            return Access(Level.UNKNOWN, missing=missing)
    demands = outcome.authentication in _DEMANDS
    if outcome.redirect not in _COMPARABLE:
        origins = tuple(sorted({one.origin for one in outcome.contributions}))
        return Access(Level.LIMITED, proxy=outcome.redirect, demands_authentication=demands, opaque=origins)
    if outcome.redirect is None or outcome.l7_open:
        return Access(Level.OPEN, proxy=outcome.redirect, demands_authentication=demands)
    requests: frozenset[Request] = frozenset((*outcome.http_rules, *outcome.dns_rules))
    return Access(Level.LIMITED, requests, outcome.redirect, demands)


class Change(StrEnum):
    """What became of an access."""

    SAME = "same"
    OPENED = "opened"
    CLOSED = "closed"
    """Something that passed may not pass any more; also said where that cannot be excluded."""
    UNKNOWABLE = "unknowable"
    """It rests on a fact that was not read, before and after."""


def change_of(before: Access, after: Access) -> Change:
    """Compare two states of one side."""
    if Level.BROKEN in (before.level, after.level):
        return Change.SAME if before.level is after.level else Change.CLOSED
    if Level.UNKNOWN in (before.level, after.level):
        was_open = before.level in (Level.OPEN, Level.LIMITED)
        return Change.CLOSED if was_open else Change.UNKNOWABLE
    if before == after:
        return Change.SAME
    if before.level is Level.CLOSED:
        return Change.OPENED
    if after.level < before.level or before.demands_authentication != after.demands_authentication:
        return Change.CLOSED
    if before.level is Level.OPEN:
        # Only the DNS proxy lets everything through that is no request of its kind: traffic to port 53 is DNS.
        harmless = after.proxy in (None, Redirect.DNS) or before.proxy is after.proxy
        return Change.SAME if harmless else Change.CLOSED
    if before.opaque:
        return Change.CLOSED
    if after.level is Level.OPEN:
        return Change.OPENED
    grown = before.proxy is after.proxy and before.requests < after.requests
    return Change.OPENED if grown else Change.CLOSED
