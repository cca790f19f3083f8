"""Every policy says something that no other one says already."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handlers.lints.context import LintContext, by_policy, finding
from handlers.model.finding import Finding, Outcome, code
from handlers.model.rule import Direction, Effect, L4Protocol, Origin, PeerScope, PolicyRef, PortProtocol, Rule

LINT_SHADOWED_POLICY = code(
    "LINT_SHADOWED_POLICY",
    meaning="Everything that a policy says is said by other policies: for at least the same subjects, peers and ports."
    " Of two that say the same, the one with the later name is reported.",
    template="{policy} adds nothing to {others}: {witness}, with it or without it",
    advice="Remove it, unless the others are about to go.",
)


@dataclass(frozen=True, slots=True)
class _Extent:
    """How far a rule goes, in the ends that the cluster has now."""

    rule: Rule
    subjects: int
    peers: int


def shadowed_policies(context: LintContext) -> Iterator[Finding]:
    """Report policies of which every rule is covered by a rule of another policy that is not itself reported."""
    extents = {
        policy: [_Extent(rule, context.subjects(rule), context.peers(rule)) for rule in rules]
        for policy, rules in by_policy(context.rules).items()
    }
    by_place: dict[tuple[Direction, Effect, str], list[_Extent]] = {}
    for of_policy in extents.values():
        for extent in of_policy:
            rule = extent.rule
            by_place.setdefault((rule.direction, rule.effect, rule.subject.namespace), []).append(extent)
    reported: set[PolicyRef] = set()
    for policy in sorted(extents, reverse=True):
        covering = _covering(extents[policy], by_place, reported)
        if covering:
            reported.add(policy)
            rule = extents[policy][0].rule
            others = ", ".join(one.short for one in covering)
            origin = Origin(policy, "")
            yield finding(LINT_SHADOWED_POLICY, Outcome.PROBLEM, origin, witness=context.witness(rule), others=others)


def _covering(
    extents: Sequence[_Extent],
    by_place: dict[tuple[Direction, Effect, str], list[_Extent]],
    reported: set[PolicyRef],
) -> tuple[PolicyRef, ...]:
    """Give policies that together cover all of these rules; nothing when some rule stands alone, or selects nobody."""
    covering: dict[PolicyRef, None] = {}
    for one in extents:
        if not one.subjects:
            return ()
        rule = one.rule
        candidates = [
            other
            for namespace in dict.fromkeys(("", rule.subject.namespace))
            for other in by_place.get((rule.direction, rule.effect, namespace), ())
        ]
        found = next(
            (
                other.rule.origin.policy
                for other in candidates
                if other.rule.origin.policy != rule.origin.policy
                and other.rule.origin.policy not in reported
                and _covers(other, one)
            ),
            None,
        )
        if found is None:
            return ()
        covering[found] = None
    return tuple(covering)


def _covers(wide: _Extent, narrow: _Extent) -> bool:
    if narrow.subjects & ~wide.subjects or not _at_least_the_peers(wide, narrow):
        return False
    first, second = wide.rule, narrow.rule
    if second.default_deny and not first.default_deny:
        return False
    if first.authentication is not second.authentication or first.requires or second.requires:
        return False
    if any(_meets_proxy(rule) for rule in (first, second)):
        return _said_to_proxy(first) == _said_to_proxy(second)
    return _at_least_the_ports(first, second)


def _at_least_the_peers(wide: _Extent, narrow: _Extent) -> bool:
    """Compare selectors where an end may come later (the outside, new pods), and sets only to be sure."""
    if narrow.rule.is_empty or narrow.rule.scope is PeerScope.NOBODY:
        return True
    if narrow.peers & ~wide.peers:
        return False
    if wide.rule.scope is PeerScope.UNRESTRICTED:
        return bool(wide.rule.ports)
    if narrow.rule.scope is PeerScope.UNRESTRICTED:
        return any(selector.is_wildcard for peer in wide.rule.peers for selector in peer.selectors)
    known = {selector for peer in wide.rule.peers for selector in peer.selectors}
    if any(selector.is_wildcard for selector in known):
        return True
    return all(
        any(set(mine.requirements) <= set(selector.requirements) for mine in known)
        for peer in narrow.rule.peers
        for selector in peer.selectors
    )


def _meets_proxy(rule: Rule) -> bool:
    return any(
        ports.l7 or ports.listener or ports.server_names or ports.terminating_tls or ports.originating_tls
        for ports in rule.ports
    )


def _said_to_proxy(rule: Rule) -> list[object]:
    return [
        (
            [(port.port, port.end_port, port.name, port.protocol) for port in ports.ports],
            (ports.l7, ports.listener, ports.server_names, ports.terminating_tls, ports.originating_tls),
        )
        for ports in rule.ports
    ]


def _at_least_the_ports(wide: Rule, narrow: Rule) -> bool:
    if not wide.ports:
        return True
    if not narrow.ports:
        return False
    mine = [port for ports in wide.ports for port in ports.ports]
    return all(any(_contains(one, port) for one in mine) for ports in narrow.ports for port in ports.ports)


def _contains(wide: PortProtocol, narrow: PortProtocol) -> bool:
    transport = narrow.protocol in (L4Protocol.TCP, L4Protocol.UDP, L4Protocol.SCTP)
    if wide.protocol is not narrow.protocol and not (wide.protocol is L4Protocol.ANY and transport):
        return False
    if wide.name or narrow.name:
        return wide.name == narrow.name and wide.end_port == narrow.end_port
    if wide.port == 0 and wide.end_port in (0, 0xFFFF):
        return True
    return wide.port <= narrow.port and max(narrow.port, narrow.end_port) <= max(wide.port, wide.end_port)
