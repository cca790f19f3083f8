"""Merging the rules that select an endpoint into filters, one for each port and protocol, as the agent does.

A filter holds one cell for each peer selector; rules for the same selector, port and protocol share a cell, and that
is where application rules add up, where a deny swallows an allow, and where rules can contradict each other
(pkg/policy/rule.go:116-343, pkg/policy/l4.go:930-1130).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from handlers.model.decision import Conflict
from handlers.model.labels import LabelSet, Source
from handlers.model.rule import (
    WILDCARD,
    Authentication,
    Direction,
    DnsRule,
    Effect,
    HttpRule,
    L4Protocol,
    L7Kind,
    LabelSelector,
    Listener,
    Operator,
    Origin,
    PeerKind,
    PeerScope,
    PortProtocol,
    PortRule,
    Requirement,
    Rule,
    TlsContext,
)
from handlers.policy.config import PolicyConfig
from handlers.policy.ports import EXPANDED_ANY
from handlers.policy.versions import REQUIRES_NARROW_ENTITIES

HOST_SELECTOR = LabelSelector((Requirement(Source.RESERVED, "host", Operator.EQUALS, ("",)),))

_DEFAULT_PRIORITIES = {"": 0, "http": 101, "kafka": 106, "tls": 116, "dns": 121, "crd": 126}
_PROXYLIB_PRIORITY = 111
_MAX_PRIORITY = 126


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """One port entry of one rule in a cell; ``origin`` points at the entry, or at the rule when it names no ports.

    Compared by identity: hashing a whole rule for each look-up would cost more than the look-up.
    """

    rule: Rule
    origin: Origin
    deny: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """What is said about one peer selector on one port and protocol.

    ``parser`` empty means no proxy. ``http``, ``dns`` and ``other`` empty with a parser mean that everything passes it.
    """

    parser: str = ""
    priority: int = 0
    deny: bool = False
    http: tuple[HttpRule, ...] = ()
    dns: tuple[DnsRule, ...] = ()
    other: tuple[tuple[tuple[str, str], ...], ...] = ()
    server_names: frozenset[str] = frozenset()
    terminating_tls: TlsContext | None = None
    originating_tls: TlsContext | None = None
    listener: str = ""
    authentication: Authentication | None = None
    contributions: tuple[Contribution, ...] = ()

    @property
    def has_l7_rules(self) -> bool:
        """Whether the proxy has something to check."""
        return bool(self.http or self.dns or self.other)

    @property
    def map_priority(self) -> int:
        """The priority in the policy map: any redirect beats none, then the smaller listener priority wins.

        Source: pkg/policy/types/entry.go, WithListenerPriority.
        """
        if self.deny or not self.parser:
            return 0
        return 128 - min(self.priority, _MAX_PRIORITY) if self.priority else 1


@dataclass(slots=True)
class Filter:
    """All cells of one port (or port name) and protocol. Port 0 without a name is every port."""

    port: int
    end_port: int
    name: str
    protocol: L4Protocol
    cells: dict[LabelSelector, Cell]


_Entry = TypeVar("_Entry")
FilterKey = tuple[int | str, int, L4Protocol]


class RuleConflict(Exception):  # noqa: N818 - an outcome of the evaluation, not a fault of the program
    """Two rules cannot be merged: the agent fails to build the endpoint's policy."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(conflict.what)
        self.conflict = conflict


def build_filters(
    rules: Sequence[Rule],
    direction: Direction,
    *,
    add_default_allow: bool,
    localhost: LabelSet | None,
    subject_namespace: str,
    l7_refuses: bool,
    narrowed: Collection[PeerKind] = (),
) -> dict[FilterKey, Filter]:
    """Merge the rules of one direction; raises RuleConflict.

    ``l7_refuses`` says whether application rules refuse what they do not list: not where nothing is denied by default
    (pkg/policy/l4.go:1062-1078). ``narrowed`` are the kinds of peers that requirements narrow.
    ``add_default_allow`` adds the wildcard that stands in when no policy enables default deny. ``localhost`` are the
    labels of the node when it is the peer and always allowed: then it passes application rules too
    (pkg/policy/l4.go:1164-1175).
    """
    filters: dict[FilterKey, Filter] = {}
    narrowing = {
        effect: tuple(one for rule in rules if rule.effect is effect for one in rule.requires)
        for effect in (Effect.ALLOW, Effect.DENY)
    }
    for rule in rules:
        selectors = peer_selectors(rule, narrowing[rule.effect], narrowed)
        if selectors is None:
            continue
        if not rule.ports:
            if selectors:
                cell = Cell(deny=rule.effect is Effect.DENY, authentication=rule.authentication)
                cell = replace(cell, contributions=(Contribution(rule, rule.origin, cell.deny),))
                _merge_all(filters, (0, 0, L4Protocol.ANY), _WHOLE, selectors, cell, localhost)
            continue
        for port_rule in rule.ports:
            for port in port_rule.ports:
                protocols = EXPANDED_ANY if port.protocol is L4Protocol.ANY else (port.protocol,)
                for protocol in protocols:
                    cell = _cell(rule, port_rule, port, protocol, l7_refuses, subject_namespace)
                    key: FilterKey = (port.name, 0, protocol) if port.name else (port.port, port.end_port, protocol)
                    _merge_all(filters, key, port, selectors or (WILDCARD,), cell, localhost)
    if add_default_allow:
        # This wildcard is written as an entity, and narrowed where entities are.
        everybody = LabelSelector(narrowing[Effect.ALLOW]) if PeerKind.ENTITY in narrowed else WILDCARD
        _merge_all(filters, (0, 0, L4Protocol.ANY), _WHOLE, (everybody,), Cell(), None)
    return filters


_WHOLE = PortProtocol(port=0, end_port=0, protocol=L4Protocol.ANY, pointer="")


def narrowed_kinds(config: PolicyConfig) -> tuple[PeerKind, ...]:
    """Give the kinds of peers that requirements of other rules narrow: never CIDR and DNS peers.

    ``ANY`` is a NetworkPolicy's missing ``from`` or ``to``, which used to be a selector like others.
    """
    if config.holds(REQUIRES_NARROW_ENTITIES):
        return (PeerKind.ENDPOINTS, PeerKind.NODES, PeerKind.ENTITY, PeerKind.SERVICE)
    return (PeerKind.ENDPOINTS, PeerKind.SERVICE, PeerKind.ANY)


def peer_selectors(
    rule: Rule, narrowing: tuple[Requirement, ...], kinds: Collection[PeerKind]
) -> tuple[LabelSelector, ...] | None:
    """Give the selectors of a rule's peers: none at all for nobody (None), an empty tuple for an unrestricted rule.

    ``narrowing`` are the requirements of all rules with this subject; they apply to peers of these kinds.
    """
    if rule.scope is PeerScope.NOBODY:
        return None
    selectors = []
    for peer in rule.peers:
        narrowed = narrowing and peer.kind in kinds and not peer.cidr
        for selector in peer.selectors:
            selectors.append(LabelSelector((*selector.requirements, *narrowing)) if narrowed else selector)
    # One wildcard makes the others pointless: only it gets a cell (pkg/policy/l4.go, createL4Filter).
    return (WILDCARD,) if any(selector.is_wildcard for selector in selectors) else tuple(selectors)


def _cell(
    rule: Rule,
    port_rule: PortRule,
    port: PortProtocol,
    protocol: L4Protocol,
    l7_refuses: bool,
    subject_namespace: str,
) -> Cell:
    """Make the cell of one port entry (pkg/policy/l4.go, createL4Filter)."""
    deny = rule.effect is Effect.DENY
    contribution = Contribution(rule, Origin(rule.origin.policy, port.pointer), deny)
    if deny:
        return Cell(deny=True, contributions=(contribution,))
    parser = _parser(port_rule, protocol)
    listener, priority = "", _DEFAULT_PRIORITIES.get(parser, _PROXYLIB_PRIORITY)
    if port_rule.listener is not None:
        listener = _listener_name(port_rule.listener, subject_namespace, contribution.origin)
        priority = port_rule.listener.priority or priority
    http, dns, other = (
        (port_rule.l7.http, port_rule.l7.dns, port_rule.l7.other) if port_rule.l7 is not None else ((), (), ())
    )
    cell = Cell(
        parser=parser,
        priority=priority,
        http=http if parser else (),
        dns=dns if parser else (),
        other=other if parser else (),
        server_names=frozenset(port_rule.server_names),
        terminating_tls=port_rule.terminating_tls,
        originating_tls=port_rule.originating_tls,
        listener=listener,
        authentication=rule.authentication,
        contributions=(contribution,),
    )
    return cell if l7_refuses else _with_l7_wildcard(cell)


def _parser(port_rule: PortRule, protocol: L4Protocol) -> str:
    if port_rule.listener is not None:
        return "crd"
    l7 = port_rule.l7
    if l7 is not None and l7.kind is L7Kind.DNS:
        return "dns"
    if l7 is not None and protocol is L4Protocol.TCP and l7.parser:
        return l7.parser
    uses_tls = port_rule.terminating_tls or port_rule.originating_tls or port_rule.server_names
    return "tls" if uses_tls else ""


def _listener_name(listener: Listener, namespace: str, origin: Origin) -> str:
    if listener.kind == "CiliumEnvoyConfig" and not namespace:
        raise RuleConflict(Conflict("a cluster-wide policy cannot use a CiliumEnvoyConfig listener", (origin,)))
    scope = "" if listener.kind == "CiliumClusterwideEnvoyConfig" else namespace
    return f"{scope}/{listener.config}/{listener.name}"


def _with_l7_wildcard(cell: Cell) -> Cell:
    """Let everything pass, the proxy staying in the path (pkg/policy/rule.go, appendL7WildcardRule)."""
    if cell.http:
        return cell if any(rule.is_wildcard for rule in cell.http) else replace(cell, http=(*cell.http, HttpRule()))
    if cell.dns:
        everything = DnsRule(match_pattern="*")
        return cell if everything in cell.dns else replace(cell, dns=(*cell.dns, everything))
    if cell.other:
        return cell if () in cell.other else replace(cell, other=(*cell.other, ()))
    return cell


def _merge_all(
    filters: dict[FilterKey, Filter],
    key: FilterKey,
    port: PortProtocol,
    selectors: Iterable[LabelSelector],
    cell: Cell,
    localhost: LabelSet | None,
) -> None:
    cells = dict.fromkeys(selectors, cell)
    if localhost is not None and cell.parser and any(selector.matches(localhost) for selector in cells):
        cells.setdefault(HOST_SELECTOR, Cell())
    existing = filters.get(key)
    if existing is None:
        filters[key] = Filter(port.port, port.end_port, port.name, key[2], cells)
        return
    for selector, new in cells.items():
        old = existing.cells.get(selector)
        if old is None:
            existing.cells[selector] = new
        else:
            existing.cells[selector] = _merge(selector, old, new)


def _merge(selector: LabelSelector, old: Cell, new: Cell) -> Cell:
    """Merge two cells of one selector (pkg/policy/rule.go, mergePortProto)."""
    contributions = (*old.contributions, *new.contributions)
    if selector.is_none or old.deny:
        return replace(old, contributions=contributions)
    if new.deny:
        return replace(new, contributions=contributions)
    origins = tuple(one.origin for one in contributions)
    parser, priority = _merge_parsers(old, new, origins)
    listener, priority = _merge_listeners(old, new, priority, origins)
    authentication = old.authentication or new.authentication
    if old.authentication and new.authentication and old.authentication is not new.authentication:
        raise RuleConflict(Conflict("different authentication modes for the same peer and port", origins))
    terminating = _merge_tls(old.terminating_tls, new.terminating_tls, "terminating", origins)
    originating = _merge_tls(old.originating_tls, new.originating_tls, "originating", origins)
    server_names = old.server_names | new.server_names
    l7_of_old, l7_of_new = old, new
    # No application rules mean everything; beside rules, that has to be said.
    if not old.has_l7_rules and new.has_l7_rules:
        l7_of_old, l7_of_new = _with_l7_wildcard(new), Cell()
    elif old.has_l7_rules and not new.has_l7_rules:
        l7_of_old, l7_of_new = _with_l7_wildcard(old), Cell()
    if server_names and (old.has_l7_rules) and terminating is None:
        raise RuleConflict(Conflict("server names and application rules without TLS termination", origins))
    return Cell(
        parser=parser,
        priority=priority,
        http=_joined(l7_of_old.http, l7_of_new.http),
        dns=_joined(l7_of_old.dns, l7_of_new.dns),
        other=_joined(l7_of_old.other, l7_of_new.other),
        server_names=server_names,
        terminating_tls=terminating,
        originating_tls=originating,
        listener=listener,
        authentication=authentication,
        contributions=contributions,
    )


def _joined(first: tuple[_Entry, ...], second: tuple[_Entry, ...]) -> tuple[_Entry, ...]:
    return first + tuple(one for one in second if one not in first)


def _merge_parsers(old: Cell, new: Cell, origins: tuple[Origin, ...]) -> tuple[str, int]:
    """No parser gives way to any, TLS to an application parser.

    Others conflict (pkg/policy/l4.go, L7ParserType.Merge).
    """
    if old.parser == new.parser:
        return old.parser, old.priority
    for first, second in ((old, new), (new, old)):
        if not first.parser or (first.parser == "tls" and second.parser not in ("", "dns", "crd")):
            return second.parser, second.priority
    raise RuleConflict(
        Conflict(f"different proxy parsers ({old.parser} and {new.parser}) for the same peer and port", origins)
    )


def _merge_listeners(old: Cell, new: Cell, priority: int, origins: tuple[Origin, ...]) -> tuple[str, int]:
    """The listener with the smaller priority number takes the traffic, 0 being the largest (mergeRedirect)."""
    if not new.listener or (new.listener == old.listener and new.priority == priority):
        return old.listener, priority
    rank_old, rank_new = (priority - 1) % 256, (new.priority - 1) % 256
    if rank_old < rank_new:
        return old.listener, priority
    if not old.listener or rank_new < rank_old:
        return new.listener, new.priority
    raise RuleConflict(Conflict("different listeners of the same priority for the same peer and port", origins))


def _merge_tls(
    old: TlsContext | None, new: TlsContext | None, which: str, origins: tuple[Origin, ...]
) -> TlsContext | None:
    if old is not None and new is not None and old != new:
        raise RuleConflict(Conflict(f"different {which} TLS secrets for the same peer and port", origins))
    return old or new
