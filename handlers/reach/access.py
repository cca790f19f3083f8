"""How open one side is for one peer and one port, and whether a change of policy opened or closed it."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from handlers.model.decision import Redirect, Verdict
from handlers.model.party import MissingFact, Party
from handlers.model.rule import Authentication, Direction, DnsRule, HttpRule, Origin
from handlers.model.traffic import Traffic
from handlers.policy.decide import Outcome
from handlers.policy.policy_set import PolicySet

Request = HttpRule | DnsRule

_COMPARABLE = (None, Redirect.HTTP, Redirect.DNS)
DEMANDS = (Authentication.REQUIRED, Authentication.ALWAYS_FAIL)


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


def access(policies: PolicySet, direction: Direction, subject: Party, peer: Party, traffic: Traffic) -> Access:
    """Give what one side lets through: that of the subject."""
    return access_of(*policies.outcome(direction, subject, peer, traffic))


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
    demands = outcome.authentication in DEMANDS
    if outcome.redirect not in _COMPARABLE:
        origins = tuple(sorted({one.origin for one in outcome.contributions}))
        return Access(Level.LIMITED, proxy=outcome.redirect, demands_authentication=demands, opaque=origins)
    if outcome.redirect is None or outcome.l7_open:
        return Access(Level.OPEN, proxy=outcome.redirect, demands_authentication=demands)
    requests: frozenset[Request] = frozenset((*outcome.http_rules, *outcome.dns_rules))
    return Access(Level.LIMITED, requests, outcome.redirect, demands)


class Widening(StrEnum):
    """What became of an access."""

    SAME = "same"
    OPENED = "opened"
    CLOSED = "closed"
    """Something that passed may not pass any more; also said where that cannot be excluded."""
    UNKNOWABLE = "unknowable"
    """It rests on a fact that was not read, before and after."""


def widening_of(before: Access, after: Access) -> Widening:
    """Compare two states of one side."""
    if Level.BROKEN in (before.level, after.level):
        return Widening.SAME if before.level is after.level else Widening.CLOSED
    if Level.UNKNOWN in (before.level, after.level):
        was_open = before.level in (Level.OPEN, Level.LIMITED)
        return Widening.CLOSED if was_open else Widening.UNKNOWABLE
    if before == after:
        return Widening.SAME
    if before.level is Level.CLOSED:
        return Widening.OPENED
    if after.level < before.level or before.demands_authentication != after.demands_authentication:
        return Widening.CLOSED
    if before.level is Level.OPEN:
        # Only the DNS proxy lets everything through that is no request of its kind: traffic to port 53 is DNS.
        harmless = after.proxy in (None, Redirect.DNS) or before.proxy is after.proxy
        return Widening.SAME if harmless else Widening.CLOSED
    if before.opaque:
        return Widening.CLOSED
    if after.level is Level.OPEN:
        return Widening.OPENED
    grown = before.proxy is after.proxy and before.requests < after.requests
    return Widening.OPENED if grown else Widening.CLOSED
