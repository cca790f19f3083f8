"""Why: what every rule that selects the subject did with the flow, and which allow rule came closest.

The walk looks at the same rules as the ladder, clause by clause. For a rule that did not match it finds the smallest
set of clauses whose repair would make it match: over its peers the one with the fewest failing clauses, over its
ports the closest entry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from handlers.model.decision import (
    CidrExcepts,
    CidrGroupMisses,
    CidrMisses,
    CidrSparesCluster,
    Clause,
    Decision,
    EntityDiffers,
    FqdnNotLearnt,
    FqdnNotListed,
    FqdnSparesCluster,
    HttpDiffers,
    IcmpNeedsRule,
    NamedPortFault,
    NamedPortUnresolved,
    NearestMiss,
    NobodySelected,
    NoPortListed,
    NothingAllowed,
    PeerIsNoPod,
    PeerLabelDiffers,
    PortDiffers,
    ProtocolDiffers,
    RuleEffect,
    ServiceMisses,
    Verdict,
)
from handlers.model.labels import NAMESPACE_LABEL, Label, LabelSet, Network, Source
from handlers.model.rule import (
    Direction,
    Effect,
    Implied,
    L4Protocol,
    LabelSelector,
    Origin,
    Peer,
    PeerKind,
    PeerScope,
    PortProtocol,
    PortRule,
    Requirement,
    Rule,
)
from handlers.policy.cidr import network_of, parse_address
from handlers.policy.config import PolicyConfig
from handlers.policy.decide import Outcome, Posture, ResolveName
from handlers.policy.entities import entities_of, entity_selectors
from handlers.policy.filters import narrowed_kinds, peer_selectors
from handlers.policy.l7 import http_differences
from handlers.policy.ports import EXPANDED_ANY, covered, protocol_of
from handlers.policy.unread import fact_in_doubt

_FAR = 1000.0
_COSTS: dict[type[Clause], float] = {
    PortDiffers: 1.0,
    NamedPortUnresolved: 1.1,
    PeerLabelDiffers: 1.2,
    ProtocolDiffers: 1.4,
    HttpDiffers: 1.0,
    IcmpNeedsRule: 1.6,
    FqdnNotLearnt: 1.6,
    CidrExcepts: 1.6,
    FqdnNotListed: 2.0,
    CidrSparesCluster: 2.4,
    CidrMisses: 2.2,
    CidrGroupMisses: 2.2,
    EntityDiffers: 2.3,
    ServiceMisses: 2.3,
    PeerIsNoPod: 2.6,
    FqdnSparesCluster: 2.8,
    NoPortListed: 3.0,
    NobodySelected: 4.0,
    NothingAllowed: 9.0,
}


def _distance(clauses: Iterable[Clause]) -> float:
    return sum(_COSTS.get(type(clause), _FAR) for clause in clauses)


class Explainer:
    """Explains decisions in one cluster."""

    def __init__(self, config: PolicyConfig, fqdn_cache: Mapping[str, tuple[str, ...]]) -> None:
        """Explain with the agents' configuration and the addresses that they learnt for DNS names."""
        self.fqdn_cache = fqdn_cache
        self.entities = entity_selectors(config.cluster_name)
        self.narrowed = narrowed_kinds(config)
        self._label_filter = config.label_filter
        self._kept: dict[str, bool] = {}

    def is_identity_label(self, key: str) -> bool:
        """Tell whether pod labels of this key become part of identities."""
        kept = self._kept.get(key)
        if kept is None:
            kept = self._label_filter.keeps(Label(key=key, source=Source.K8S))
            self._kept[key] = kept
        return kept

    def explain(
        self, decision: Decision, outcome: Outcome, posture: Posture, labels: LabelSet, resolve_name: ResolveName
    ) -> Decision:
        """Add effects, the other rules and the nearest miss to a decision."""
        walk = _Walk(self, decision, posture, labels, resolve_name)
        effects = tuple(walk.effect(rule) for rule in posture.rules)
        deciding = set(decision.rules)
        overruled = dict.fromkeys(one.rule.origin for one in (*outcome.contributions, *outcome.overruled))
        also = tuple(origin for origin in overruled if origin not in deciding)
        return replace(
            decision,
            effects=effects,
            also_rules=also,
            nearest_miss=_nearest(decision, outcome, effects, posture),
        )


def _nearest(
    decision: Decision, outcome: Outcome, effects: tuple[RuleEffect, ...], posture: Posture
) -> NearestMiss | None:
    if decision.verdict is Verdict.DENIED_L7:
        return _nearest_request(decision, outcome)
    if decision.verdict not in (Verdict.DENIED, Verdict.UNKNOWN) or outcome.contributions:
        return None
    missed = [effect for effect in effects if effect.effect is Effect.ALLOW and not effect.matched and effect.failed]
    if missed:
        best = min(missed, key=lambda effect: _distance(effect.failed))
        return NearestMiss(best.rule, best.failed)
    isolating = next((rule.origin for rule in posture.rules if rule.default_deny), None)
    return None if isolating is None else NearestMiss(isolating, (NothingAllowed(isolating),))


def _nearest_request(decision: Decision, outcome: Outcome) -> NearestMiss | None:
    """Among the HTTP rules that hold for this peer and port, find the one with the fewest fields that differ."""
    if decision.traffic.http is None or not outcome.http_rules or not decision.rules:
        return None
    candidates = []
    for rule in outcome.http_rules:
        fallback = decision.rules[0]
        owner = next((o for o in decision.rules if rule.origin and o.policy == rule.origin.policy), fallback)
        candidates.append((owner, http_differences(rule, decision.traffic.http, fallback)))
    owner, differences = min(candidates, key=lambda pair: len(pair[1]))
    return NearestMiss(owner, differences) if differences else None


class _Walk:
    """One pass over the rules that select the subject."""

    def __init__(
        self,
        explainer: Explainer,
        decision: Decision,
        posture: Posture,
        labels: LabelSet,
        resolve_name: ResolveName,
    ) -> None:
        self.explainer = explainer
        self.resolve_name = resolve_name
        self.direction = decision.direction
        self.subject = decision.subject
        self.peer = decision.peer
        self.traffic = decision.traffic
        self.labels = labels
        self.narrowing = {
            effect: tuple((one, rule) for rule in posture.rules if rule.effect is effect for one in rule.requires)
            for effect in (Effect.ALLOW, Effect.DENY)
        }

    def effect(self, rule: Rule) -> RuleEffect:
        """Tell what one rule did."""
        peers, certain = self.peer_clauses(rule)
        ports = self.port_clauses(rule)
        failed = peers + ports
        return RuleEffect(
            rule=rule.origin, effect=rule.effect, matched=not failed, failed=failed, certain=certain or bool(ports)
        )

    # Peers

    def peer_clauses(self, rule: Rule) -> tuple[tuple[Clause, ...], bool]:
        """Give the failing clauses of the closest peer, and whether no unread fact could change that."""
        side = "from" if self.direction is Direction.INGRESS else "to"
        if rule.scope is PeerScope.NOBODY:
            return (NobodySelected(rule.origin, side),), True
        if rule.scope is PeerScope.UNRESTRICTED:
            if rule.ports:
                return (), True
            if rule.unresolved_services:
                services = ", ".join(rule.unresolved_services)
                return (ServiceMisses(rule.origin.at("toServices"), services, found=False),), True
            return (NobodySelected(rule.origin, ""),), True
        narrowing = self.narrowing[rule.effect]
        kinds = self.explainer.narrowed
        selectors = peer_selectors(rule, tuple(one for one, _ in narrowing), kinds) or ()
        certain = True
        for selector in selectors:
            if fact_in_doubt(selector, self.peer, self.labels) is not None:
                certain = False
            elif selector.matches(self.labels):
                return (), True
        best: tuple[Clause, ...] | None = None
        for peer in rule.peers:
            clauses = self.clauses_of_peer(rule, peer)
            if peer.kind in kinds and not peer.cidr:
                clauses += self.narrowing_clauses(rule)
            if clauses and (best is None or _distance(clauses) < _distance(best)):
                best = clauses
        if best is not None and not narrowing and not certain:
            return best, False
        return best or (NobodySelected(rule.origin, side),), certain

    def narrowing_clauses(self, rule: Rule) -> tuple[Clause, ...]:
        """Give the requirements of other rules (fromRequires) that the peer fails."""
        return tuple(
            replace(self.label_clause(Origin(owner.origin.policy, one.pointer), one), implied=Implied.REQUIRES)
            for one, owner in self.narrowing[rule.effect]
            if not one.matches(self.labels)
        )

    def clauses_of_peer(self, rule: Rule, peer: Peer) -> tuple[Clause, ...]:
        """Give the clauses of one peer that the other end fails."""
        origin = Origin(rule.origin.policy, peer.pointer)
        if any(selector.matches(self.labels) for selector in peer.selectors):
            return ()
        if peer.kind is PeerKind.CIDR:
            return (self.cidr_clause(peer, origin),)
        if peer.kind is PeerKind.CIDR_GROUP:
            return (CidrGroupMisses(origin, peer.written, self.address),)
        if peer.kind is PeerKind.FQDN:
            return (self.fqdn_clause(peer, origin),)
        if peer.kind is PeerKind.ENTITY:
            return (EntityDiffers(origin, peer.written, self.entities),)
        if peer.kind is PeerKind.SERVICE:
            return (ServiceMisses(origin, peer.written, found=True),)
        if peer.kind is PeerKind.NODES and not self.labels.has_reserved("remote-node"):
            return (EntityDiffers(origin, "remote-node", self.entities),)
        return min((self.selector_clauses(one, peer, origin) for one in peer.selectors), key=_distance, default=())

    def selector_clauses(self, selector: LabelSelector, peer: Peer, origin: Origin) -> tuple[Clause, ...]:
        """Give the requirements of a label selector that the other end fails."""
        names_reserved = any(one.source == Source.RESERVED for one in selector.requirements)
        is_pod = self.labels.find(Source.K8S, NAMESPACE_LABEL) is not None
        if peer.kind is PeerKind.ENDPOINTS and not is_pod and not names_reserved:
            return (PeerIsNoPod(origin, peer.written, self.entities),)
        return tuple(
            self.label_clause(Origin(origin.policy, one.pointer or origin.pointer), one)
            for one in selector.requirements
            if not one.matches(self.labels)
        )

    def label_clause(self, origin: Origin, requirement: Requirement) -> PeerLabelDiffers:
        """Describe a requirement that the other end fails."""
        dropped = None
        had = requirement.had(self.labels)
        if had is None:
            dropped = next((value for key, value in self.peer.unfiltered if key == requirement.key), None)
        filtered = requirement.source in (Source.ANY, Source.K8S) and not self.explainer.is_identity_label(
            requirement.key
        )
        return PeerLabelDiffers(
            origin=origin,
            key=requirement.label_key,
            operator=requirement.operator,
            wanted=requirement.values,
            had=had,
            implied=requirement.implied,
            dropped=dropped,
            filtered=filtered,
        )

    @property
    def entities(self) -> tuple[str, ...]:
        """The entities that the other end is."""
        return entities_of(self.labels, self.explainer.entities)

    @property
    def address(self) -> str:
        """The other end's address, as far as one is known."""
        return self.peer.ips[0] if self.peer.ips else ""

    def cidr_clause(self, peer: Peer, origin: Origin) -> Clause:
        """Tell why a prefix did not select the other end."""
        # Only identities with a CIDR label, or the world's, can be selected by prefix at all.
        has_prefix = any(label.source == Source.CIDR for label in self.labels)
        network = network_of(peer.cidr)
        inside = next((text for text in self.peer.ips if network is not None and _contains(network, text)), None)
        if not self.peer.is_outside and not has_prefix:
            return CidrSparesCluster(origin, peer.cidr, inside or self.address, self.entities)
        if inside is None:
            return CidrMisses(origin, peer.cidr, self.address)
        for index, text in enumerate(peer.excepts):
            carved = network_of(text)
            if carved is not None and _contains(carved, inside):
                return CidrExcepts(origin.at("except", index), peer.cidr, text, inside)
        return CidrSparesCluster(origin, peer.cidr, inside, self.entities)

    def fqdn_clause(self, peer: Peer, origin: Origin) -> Clause:
        """Tell why a DNS name did not select the other end."""
        if not self.peer.is_outside:
            return FqdnSparesCluster(origin, peer.written)
        if self.peer.fqdn_names:
            return FqdnNotListed(origin, peer.written, self.peer.fqdn_names)
        return FqdnNotLearnt(origin, peer.written, self.address, self.explainer.fqdn_cache.get(peer.written, ()))

    # Ports

    def port_clauses(self, rule: Rule) -> tuple[Clause, ...]:
        """Give the failing clause of the closest port entry; none when the ports match or are not restricted."""
        if not rule.ports:
            return ()
        faults: list[tuple[PortProtocol, NamedPortFault]] = []
        for port_rule in rule.ports:
            for port in port_rule.ports:
                outcome = self.port_matches(port)
                if outcome is True:
                    return ()
                if isinstance(outcome, NamedPortFault):
                    faults.append((port, outcome))
        ports = [port for port_rule in rule.ports for port in port_rule.ports]
        if not ports:
            return (NoPortListed(rule.origin.at("toPorts")),)
        origin = self.ports_origin(rule, ports)
        allowed, asked = tuple(dict.fromkeys(str(port) for port in ports)), str(self.traffic)
        same = [port for port in ports if self.protocol_fits(port)]
        if self.traffic.protocol.is_icmp and not any(_is_icmp(port) for port in ports):
            return (IcmpNeedsRule(origin, allowed, asked),)
        if not same:
            return (ProtocolDiffers(origin, allowed, asked),)
        if len(faults) == len(same):
            port, fault = faults[0]
            return (NamedPortUnresolved(Origin(rule.origin.policy, port.pointer), port.name, fault),)
        return (PortDiffers(self.ports_origin(rule, same), tuple(dict.fromkeys(map(str, same))), asked),)

    def ports_origin(self, rule: Rule, ports: list[PortProtocol]) -> Origin:
        """Point at the entry when there is one, at the port rule when all are in one, at the rule otherwise."""
        if len(ports) == 1:
            return Origin(rule.origin.policy, ports[0].pointer)
        holders: list[PortRule] = [one for one in rule.ports if any(port in one.ports for port in ports)]
        return Origin(rule.origin.policy, holders[0].pointer) if len(holders) == 1 else rule.origin

    def protocol_fits(self, port: PortProtocol) -> bool:
        """Tell whether a port entry is about the asked protocol."""
        asked = protocol_of(self.traffic.protocol)
        return port.protocol is asked or (port.protocol is L4Protocol.ANY and asked in EXPANDED_ANY)

    def port_matches(self, port: PortProtocol) -> bool | NamedPortFault:
        """Tell whether a port entry covers the traffic, or why its name stands for no number."""
        if not self.protocol_fits(port):
            return False
        number: int | NamedPortFault = port.port
        if port.name:
            asked = protocol_of(self.traffic.protocol)
            number = self.resolve_name(port.name, asked)
        if isinstance(number, NamedPortFault):
            return number
        return covered(number, port.end_port, self.traffic.port) is not None


def _contains(network: Network, text: str) -> bool:
    address = parse_address(text)
    return address is not None and address.version == network.version and address in network


def _is_icmp(port: PortProtocol) -> bool:
    return port.protocol in (L4Protocol.ICMP, L4Protocol.ICMPV6)
