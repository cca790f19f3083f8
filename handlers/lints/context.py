"""What lints look at: one state of a cluster, who its rules are about, and flows that show what they mean."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from handlers.model.finding import Code, Evidence, Finding, Outcome, Sentence
from handlers.model.rule import WILDCARD, Direction, L4Protocol, Origin, Peer, PeerScope, PolicyRef, Rule
from handlers.model.traffic import Protocol, Traffic
from handlers.policy.services import UNREAD_SERVICE
from handlers.reach.bits import bit_set, members
from handlers.reach.label_index import LabelIndex
from handlers.reach.observed import ObservedFlow
from handlers.reach.peer_labels import STRANGER
from handlers.reach.state import State
from handlers.reach.subjects import Selection

_PROTOCOLS = {
    L4Protocol.TCP: Protocol.TCP,
    L4Protocol.UDP: Protocol.UDP,
    L4Protocol.SCTP: Protocol.SCTP,
    L4Protocol.ICMP: Protocol.ICMP,
    L4Protocol.ICMPV6: Protocol.ICMPV6,
    L4Protocol.ANY: Protocol.TCP,
}
_USUAL = Traffic(Protocol.TCP, 80)


@dataclass(slots=True)
class LintContext:
    """A cluster as lints see it. ``flows`` are those observed; None means that nobody looked."""

    state: State
    flows: Sequence[ObservedFlow] | None = None
    _selection: Selection = field(init=False)
    _index: LabelIndex = field(init=False)

    def __post_init__(self) -> None:
        """Index the ends once for all lints."""
        parties = self.state.matrix.parties
        self._selection = Selection(self.state.policies, parties)
        self._index = LabelIndex([self.state.policies.labels_seen(party, STRANGER) for party in parties])

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule that is enforced."""
        return self.state.policies.rules

    def subjects(self, rule: Rule) -> int:
        """Give the set of ends that a rule selects as its subjects."""
        return self._selection.subjects_of(rule)

    def peer(self, peer: Peer) -> int:
        """Give the set of ends that a peer of a rule selects; everybody for one that depends on what was not read."""
        if any(one.source == UNREAD_SERVICE for selector in peer.selectors for one in selector.requirements):
            return self._index.everybody
        selected = 0
        for selector in peer.selectors:
            selected |= self._index.selected(selector)
        return selected

    def peers(self, rule: Rule) -> int:
        """Give the set of ends that a rule is about on the other side."""
        if rule.scope is PeerScope.NOBODY:
            return 0
        if rule.scope is PeerScope.UNRESTRICTED:
            return self._index.selected(WILDCARD) if rule.ports else 0
        selected = 0
        for peer in rule.peers:
            selected |= self.peer(peer)
        return selected

    def pods(self, namespace: str = "") -> int:
        """Give the set of pods, of one namespace or of all."""
        return bit_set(
            number for number, end in enumerate(self.state.roster.ends) if end.pods and namespace in ("", end.namespace)
        )

    def witness(
        self, rule: Rule, *, subjects: int | None = None, peers: int | None = None, traffic: Traffic | None = None
    ) -> str:
        """Show a flow that a rule is, or looks to be, about, and its verdict: "shop/a -> shop/b 80/TCP is denied"."""
        own = self.subjects(rule) if subjects is None else subjects
        others = self.peers(rule) if peers is None else peers
        own = own or self.pods(rule.subject.namespace) or self.pods()
        return self.shown(rule.direction, own, others, traffic or self.traffic_of(rule))

    def shown(self, direction: Direction, subjects: int, peers: int, traffic: Traffic) -> str:
        """Show a flow between a subject and one of some peers, or any other end where there is none."""
        subject = next(iter(members(subjects)), None)
        if subject is None:
            return "none, since the cluster has no such endpoint"
        everybody = (1 << len(self.state.roster.ends)) - 1
        others = (peers & ~(1 << subject)) or peers or (self.pods() & ~(1 << subject)) or (everybody & ~(1 << subject))
        peer = members(others)[0] if others else subject
        source, destination = (peer, subject) if direction is Direction.INGRESS else (subject, peer)
        verdict = self.state.at(traffic).verdict(source, destination)
        ends = self.state.roster.ends
        return f"{ends[source]} -> {ends[destination]} {traffic} is {verdict}"

    def traffic_of(self, rule: Rule) -> Traffic:
        """Give traffic on a port that a rule names; port 80 where it names none."""
        for port in (port for ports in rule.ports for port in ports.ports):
            protocol = _PROTOCOLS.get(port.protocol)
            if protocol is not None and not port.name:
                usual = 8 if protocol is Protocol.ICMP else 128 if protocol is Protocol.ICMPV6 else 80
                return Traffic(protocol, port.port or usual)
        return _USUAL


def finding(code: Code, outcome: Outcome, origin: Origin, *, witness: str, weight: int = 0, **values: str) -> Finding:
    """Give a finding about a place in a policy, with the flow that shows it."""
    return Finding(
        code.name,
        outcome,
        Sentence(code.template, {"policy": origin.policy.short, "place": origin.pointer, "witness": witness, **values}),
        evidence=(Evidence("kubernetes", str(origin.policy), origin.pointer, excerpt=witness),),
        advice=code.advice if outcome is Outcome.PROBLEM else "",
        weight=weight,
    )


def by_policy(rules: Iterable[Rule]) -> dict[PolicyRef, list[Rule]]:
    """Sort rules by the policy that they are part of."""
    sorted_rules: dict[PolicyRef, list[Rule]] = {}
    for rule in rules:
        sorted_rules.setdefault(rule.origin.policy, []).append(rule)
    return sorted_rules
