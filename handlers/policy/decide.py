"""One direction of one flow: the ladder.

What the agent does in three steps (rules to filters, filters to a policy map, a look-up in the map) is decided here
in one, for one peer and one port. The rungs, in order; the first that applies decides:

1. The subject is under nobody's policy here: not applicable (pkg/policy/rule.go:421-438; host firewall off:
   pkg/policy/repository.go:363).
2. Enforcement mode ``never``, or no rule selects the subject in this direction: allowed (repository.go:371, 394-448).
   With mode ``always``, or for an endpoint that has no labels yet, policy is enforced in both directions all the same
   (repository.go:394-400).
3. Two of the rules contradict each other: error, in both directions (repository.go:320-345,
   pkg/policy/rule.go:116-343).
4. A deny entry covers the flow, for the peer or for everybody: denied. Allows do not matter, nor does which is more
   specific (pkg/policy/mapstate.go:657-738; bpf/lib/policy.h:184-252).
5. Of the allow entries, one with a lower proxy priority disappears under an equal or wider one with a higher
   priority, of the same peer or of everybody (mapstate.go:712-735).
6. Between the entry for the peer and the one for everybody: higher proxy priority, then longer protocol and port
   prefix, then the peer's own (mapstate.go:343-381; bpf/lib/policy.h, "Policy match precedence").
7. The node itself reaches its pods, unless allow-localhost is ``policy`` (mapstate.go:870-875): an allow entry like
   others.
8. No entry: denied by default, or allowed when only rules without default deny select the subject
   (repository.go:435-445).
9. An entry that redirects to the HTTP proxy: the request, when one was named, must match there
   (handlers/policy/proxy.py).

A fact that was not read is tried both ways; only when the outcome differs is it unknown.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from handlers.model.decision import Conflict, NamedPortFault, Reason, Redirect, Verdict
from handlers.model.labels import LabelSet
from handlers.model.rule import (
    Authentication,
    Direction,
    DnsRule,
    HttpRule,
    L4Protocol,
    LabelSelector,
    Origin,
    PolicyRef,
    Rule,
)
from handlers.model.traffic import Traffic
from handlers.policy.config import PolicyConfig
from handlers.policy.filters import Cell, Contribution, Filter, FilterKey, RuleConflict, build_filters, narrowed_kinds
from handlers.policy.ports import covered, protocol_of
from handlers.policy.proxy import is_tcp, proxy_view
from handlers.policy.versions import L7_OPEN_WITHOUT_DEFAULT_DENY, OVERLAPPING_PORTS_KEEP_OPEN, REDIRECT_FIRST

Selects = Callable[[LabelSelector], bool]
ResolveName = Callable[[str, L4Protocol], int | NamedPortFault]

_PROTOCOL_BITS = 8
_NO_PREFIX = 0
_LONGEST = 24

_REDIRECTS = {
    "http": Redirect.HTTP,
    "dns": Redirect.DNS,
    "tls": Redirect.TLS,
    "kafka": Redirect.KAFKA,
    "crd": Redirect.LISTENER,
}


@dataclass(frozen=True, slots=True)
class Posture:
    """How policy stands towards a subject in one direction."""

    enforced: bool
    default_deny: bool
    rules: tuple[Rule, ...]

    @property
    def default_allow(self) -> bool:
        """Whether a wildcard allow stands in, because no rule isolates the subject."""
        return self.enforced and not self.default_deny


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the ladder yields before it is explained."""

    verdict: Verdict
    reason: Reason
    contributions: tuple[Contribution, ...] = ()
    overruled: tuple[Contribution, ...] = ()
    redirect: Redirect | None = None
    l7: Verdict | None = None
    l7_open: bool = False
    http_rules: tuple[HttpRule, ...] = ()
    dns_rules: tuple[DnsRule, ...] = ()
    authentication: Authentication | None = None
    conflict: Conflict | None = None

    @property
    def policies(self) -> tuple[PolicyRef, ...]:
        """The policies to which the agent attributes the deciding entry."""
        return tuple(sorted({one.rule.origin.policy for one in self.contributions}))

    def origins(self, *, deny: bool) -> tuple[Origin, ...]:
        """The rules behind the deciding entry that have its effect."""
        return tuple(dict.fromkeys(one.rule.origin for one in self.contributions if one.deny is deny))


@dataclass(frozen=True, slots=True)
class _Entry:
    """One policy map entry that covers the flow."""

    for_peer: bool
    prefix: int
    cell: Cell
    localhost: bool = False

    @property
    def priority(self) -> int:
        return self.cell.map_priority


@dataclass(frozen=True, slots=True)
class Table:
    """The merged filters of a subject in one direction; ``conflict`` is set instead when they cannot be merged."""

    filters: Mapping[FilterKey, Filter]
    conflict: Conflict | None = None


def make_table(
    posture: Posture,
    direction: Direction,
    *,
    localhost: LabelSet | None,
    subject_namespace: str,
    config: PolicyConfig,
) -> Table:
    """Merge the rules of a posture into filters."""
    try:
        return Table(
            build_filters(
                posture.rules,
                direction,
                add_default_allow=posture.default_allow,
                localhost=localhost,
                subject_namespace=subject_namespace,
                l7_refuses=posture.default_deny or not config.holds(L7_OPEN_WITHOUT_DEFAULT_DENY),
                narrowed=narrowed_kinds(config),
            )
        )
    except RuleConflict as conflict:
        return Table({}, conflict.conflict)


def look_up(
    table: Table,
    posture: Posture,
    traffic: Traffic,
    selects: Selects,
    resolve_name: ResolveName,
    *,
    peer_is_allowed_localhost: bool,
    identities: tuple[LabelSet, ...] | None,
    config: PolicyConfig,
) -> Outcome:
    """Go down the ladder from rung 2 on; see the module's docstring."""
    if not posture.enforced:
        return Outcome(Verdict.ALLOWED, Reason.NO_POLICY)
    if table.conflict is not None:
        return Outcome(Verdict.ERROR, Reason.CONFLICT, conflict=table.conflict)
    covering = list(_covering(table.filters.values(), traffic, resolve_name))
    entries = [entry for one, prefix, port in covering for entry in _entries(one, prefix, port, selects)]
    if peer_is_allowed_localhost:
        entries.append(_Entry(for_peer=True, prefix=_NO_PREFIX, cell=Cell(), localhost=True))
    denies = [entry for entry in entries if entry.cell.deny]
    if denies:
        return _denied(denies, entries)
    chosen = _choose(entries) if config.holds(REDIRECT_FIRST) else _choose_by_port(entries)
    if not chosen:
        return Outcome(Verdict.DENIED, Reason.DEFAULT_DENY)
    joins_keep_open = config.holds(OVERLAPPING_PORTS_KEEP_OPEN)
    return _allowed(chosen, entries, covering, traffic, selects, identities, joins_keep_open)


def _covering(
    filters: Iterable[Filter], traffic: Traffic, resolve_name: ResolveName
) -> Iterable[tuple[Filter, int, int]]:
    """Give the filters that cover the traffic, each with the length of its prefix and its port as a number."""
    protocol = protocol_of(traffic.protocol)
    for one in filters:
        if one.protocol is L4Protocol.ANY:
            yield one, _NO_PREFIX, 0
            continue
        if one.protocol is not protocol:
            continue
        port = one.port
        if one.name:
            number = resolve_name(one.name, one.protocol)
            if isinstance(number, NamedPortFault):
                continue
            port = number
        length = covered(port, one.end_port, traffic.port)
        if length is not None:
            yield one, _PROTOCOL_BITS + length, port


def _same_in_map(one: Cell, other: Cell) -> bool:
    """Tell whether two cells make equal map entries, the rules behind them aside."""
    return (
        one.deny == other.deny
        and one.map_priority == other.map_priority
        and (one.deny or (one.listener == other.listener and one.authentication == other.authentication))
    )


def _entries(one: Filter, prefix: int, port: int, selects: Selects) -> Iterable[_Entry]:
    """Give a filter's entries for the peer.

    One that equals the filter's entry for everybody is left out (l4.go:735-741).
    """
    everybody = next((cell for selector, cell in one.cells.items() if selector.is_wildcard), None)
    if everybody is not None:
        yield _Entry(for_peer=False, prefix=prefix, cell=everybody)
    for selector, cell in one.cells.items():
        if selector.is_wildcard or (everybody is not None and port != 0 and _same_in_map(cell, everybody)):
            continue
        if selects(selector):
            yield _Entry(for_peer=True, prefix=prefix, cell=cell)


def _gather(entries: Iterable[_Entry]) -> tuple[Contribution, ...]:
    return tuple(dict.fromkeys(one for entry in entries for one in entry.cell.contributions))


def _denied(denies: Sequence[_Entry], entries: Sequence[_Entry]) -> Outcome:
    """A deny swallows the narrower denies under it, so the widest one is found in the map.

    The peer's own is met first.
    """
    peers = [entry for entry in denies if entry.for_peer]
    everybody = [entry for entry in denies if not entry.for_peer]
    widest_peer = min((entry.prefix for entry in peers), default=None)
    widest_all = min((entry.prefix for entry in everybody), default=None)
    if widest_peer is not None and (widest_all is None or widest_all > widest_peer):
        deciding = [entry for entry in peers if entry.prefix == widest_peer]
    else:
        deciding = [entry for entry in everybody if entry.prefix == widest_all]
    contributions = _gather(deciding)
    overruled = tuple(one for one in _gather(entries) if one not in contributions)
    return Outcome(Verdict.DENIED, Reason.EXPLICIT_DENY, contributions, overruled)


def _choose(entries: Sequence[_Entry]) -> list[_Entry]:
    """Rungs 5 and 6: give the entries that make up the deciding map entry, none when nothing allows."""
    left = [
        entry
        for entry in entries
        if not any(
            other.priority > entry.priority
            and other.prefix <= entry.prefix
            and (other.for_peer is entry.for_peer or not other.for_peer)
            for other in entries
        )
    ]
    peers = [entry for entry in left if entry.for_peer]
    everybody = [entry for entry in left if not entry.for_peer]
    best_peer = max((entry.prefix for entry in peers), default=None)
    best_all = max((entry.prefix for entry in everybody), default=None)
    peers = [entry for entry in peers if entry.prefix == best_peer]
    everybody = [entry for entry in everybody if entry.prefix == best_all]
    if not peers or not everybody or best_peer is None or best_all is None:
        return peers or everybody
    peer_priority, all_priority = (max(entry.priority for entry in group) for group in (peers, everybody))
    if peer_priority != all_priority:
        return peers if peer_priority > all_priority else everybody
    return everybody if best_all > best_peer else peers


def _choose_by_port(entries: Sequence[_Entry]) -> list[_Entry]:
    """Choose as agents before 1.17 did: the peer's entry with a port, everybody's with a port, then likewise without.

    Source: bpf/lib/policy.h of 1.16, "Policy match precedence".
    """
    for least, most in ((_PROTOCOL_BITS + 1, _LONGEST), (_PROTOCOL_BITS, _PROTOCOL_BITS), (_NO_PREFIX, _NO_PREFIX)):
        for for_peer in (True, False):
            group = [entry for entry in entries if entry.for_peer is for_peer and least <= entry.prefix <= most]
            longest = max((entry.prefix for entry in group), default=None)
            if longest is not None:
                return [entry for entry in group if entry.prefix == longest]
    return []


def _allowed(
    chosen: Sequence[_Entry],
    entries: Sequence[_Entry],
    covering: Sequence[tuple[Filter, int, int]],
    traffic: Traffic,
    selects: Selects,
    identities: tuple[LabelSet, ...] | None,
    joins_keep_open: bool,
) -> Outcome:
    contributions = _gather(chosen)
    overruled = tuple(one for one in _gather(entries) if one not in contributions)
    if contributions:
        reason = Reason.RULE
    elif any(entry.localhost for entry in chosen):
        reason = Reason.ALLOW_LOCALHOST
    else:
        reason = Reason.DEFAULT_ALLOW
    authentication = next((e.cell.authentication for e in chosen if e.cell.authentication is not None), None)
    outcome = Outcome(Verdict.ALLOWED, reason, contributions, overruled, authentication=authentication)
    parser = next((entry.cell.parser for entry in chosen if entry.cell.parser), "")
    if not parser:
        return outcome
    outcome = replace(outcome, redirect=_REDIRECTS.get(parser, Redirect.PROXYLIB))
    if outcome.redirect is Redirect.DNS:
        cells = [entry.cell for entry in chosen]
        rules = tuple(dict.fromkeys(rule for cell in cells for rule in cell.dns))
        is_open = any(not cell.dns for cell in cells) or any(rule.match_pattern == "*" for rule in rules)
        return replace(outcome, dns_rules=rules, l7_open=is_open)
    if outcome.redirect is not Redirect.HTTP:
        return outcome
    whole = [one for one, _, port in covering if port == 0 and one.end_port == 0 and is_tcp(one)]
    matching = [one for one, _, port in covering if port != 0 and one.protocol is L4Protocol.TCP]
    view = proxy_view(matching, whole, selects, identities=identities, joins_keep_open=joins_keep_open)
    outcome = replace(outcome, http_rules=view.rules, l7_open=view.open)
    if traffic.http is None:
        return outcome
    passes = view.allows(traffic.http)
    return replace(
        outcome,
        verdict=Verdict.ALLOWED if passes else Verdict.DENIED_L7,
        l7=Verdict.ALLOWED if passes else Verdict.DENIED_L7,
    )
