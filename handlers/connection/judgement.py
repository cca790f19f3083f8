"""Policy on every leg: what both sides say, each distinct pair of identities and port once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from handlers.connection.dns import DNS_PORT, dns_pods, name_looked_up
from handlers.connection.ends import Ends
from handlers.connection.legs import Leg, place_of_pod, places_of
from handlers.connection.parties import Assumed, parties_of
from handlers.connection.policies import config_assumption, policies_of
from handlers.connection.seen import Side
from handlers.model.decision import BothSides, Decision, Redirect
from handlers.model.facts import Facts
from handlers.model.flow import Flow, FlowVerdict
from handlers.model.parts import Part
from handlers.model.party import Party, PartyKind
from handlers.model.rule import Direction, PolicyRef
from handlers.model.snapshot import Known
from handlers.model.traffic import HttpRequest, Protocol, Traffic
from handlers.policy.policy_set import PolicySet

ANY_OTHER_PORT = 61_234
"""Stands for every port that no rule and no container names."""
FIRST_EPHEMERAL = 32_768
"""Ports from here on are clients' own on Linux (net.ipv4.ip_local_port_range): a dropped reply goes to one of them."""
MOST_PORTS = 24
"""Ports tried where the asker named none."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Both sides of one leg. ``port`` is as policy sees it; ``guessed`` tells that the asker named none."""

    leg: Leg
    source: Party
    destination: Party
    traffic: Traffic
    sides: BothSides
    assumptions: tuple[str, ...] = ()
    guessed: bool = False

    @property
    def selected_by(self) -> Iterator[PolicyRef]:
        """The policies that select one of the ends: only their changes concern the leg."""
        return (policy for side in self.sides for policy in side.selected_by)


def judge(legs: Iterable[Leg], http: HttpRequest | None, facts: Facts) -> tuple[Judged, ...]:
    """Return the judgement of each distinct leg.

    Raises:
        PartMissingError: if a part that every decision rests on was not read.
    """
    return tuple(_judge_all(legs, http, facts))


def _judge_all(legs: Iterable[Leg], http: HttpRequest | None, facts: Facts) -> Iterator[Judged]:
    policies = policies_of(facts)
    assumption = config_assumption(facts)
    seen: set[tuple[object, ...]] = set()
    for leg in legs:
        for source in parties_of(leg, at_source=True, learns_names=False, facts=facts):
            learns = learns_names(source.party, facts)
            for destination in parties_of(leg, at_source=False, learns_names=learns, facts=facts):
                for traffic, guessed in _traffics(leg, http, source.party, destination.party, facts):
                    key = (
                        _essence(source.party, destination.party),
                        _essence(destination.party, source.party),
                        traffic,
                        # A pod that talks to itself meets no policy; its sibling with the same labels does.
                        leg.source.pod is not None and leg.source.pod is leg.destination.pod,
                    )
                    if key in seen:
                        continue
                    seen.add(key)
                    assumptions = tuple(filter(None, (assumption, source.assumption, destination.assumption)))
                    sides = policies.combine(source.party, destination.party, traffic)
                    yield Judged(leg, source.party, destination.party, traffic, sides, assumptions, guessed)


def _essence(party: Party, other: Party) -> tuple[object, ...]:
    """Return what decides about a party: pods with equal labels are one to policy, nodes only on their own side."""
    is_local = party.kind is PartyKind.NODE and party.node == other.node
    names = party.fqdn_names, party.named_ports, party.audit, party.missing
    return (party.kind, party.labels, is_local, *names)


def _traffics(
    leg: Leg, http: HttpRequest | None, source: Party, destination: Party, facts: Facts
) -> Iterator[tuple[Traffic, bool]]:
    if leg.port is not None:
        yield Traffic(leg.protocol, leg.port, http), False
        return
    for port in _ports_worth_asking(leg, source, destination, facts):
        yield Traffic(leg.protocol, port, http), True


def _ports_worth_asking(leg: Leg, source: Party, destination: Party, facts: Facts) -> tuple[int, ...]:
    """Return the ports that containers declare and that somebody tried; else those that rules tell apart."""
    policies = policies_of(facts)
    pod = leg.destination.pod
    ports = [port.port for port in pod.ports if port.protocol == leg.protocol] if pod else []
    if ports:
        return tuple(dict.fromkeys([*ports, *_ports_tried(leg, facts)]))[:MOST_PORTS]
    for subject, direction in ((source, Direction.EGRESS), (destination, Direction.INGRESS)):
        for rule in policies.rules_selecting(subject, direction):
            ports += [entry.port for ports_of in rule.ports for entry in ports_of.ports if entry.port]
    return (*tuple(dict.fromkeys(ports))[: MOST_PORTS - 1], ANY_OTHER_PORT)


def _ports_tried(leg: Leg, facts: Facts) -> list[int]:
    look = facts.look(Part.FLOWS)
    if not isinstance(look, Known):
        return []
    flows: tuple[Flow, ...] = look.value.flows
    source, destination = Side.of((leg.source,)), Side.of((leg.destination,))
    tried = {
        flow.destination.port
        for flow in flows
        if flow.protocol is leg.protocol
        and (flow.is_reply is False or flow.verdict is FlowVerdict.DROPPED)
        and source.holds(flow.source)
        and destination.holds(flow.destination)
    }
    return sorted(port for port in tried if port and port < FIRST_EPHEMERAL)


def learns_names(source: Party, facts: Facts) -> bool:
    """Whether the source's DNS look-ups pass its agent's proxy, so that ``toFQDNs`` rules learn addresses."""
    decision = next(iter(dns_decisions(source, "", facts)), None)
    return decision is not None and decision.redirect is Redirect.DNS


def dns_decisions(source: Party, name: str, facts: Facts) -> tuple[Decision, ...]:
    """Return whether the source may look a name up at each DNS server pod; an empty name asks for the packet alone."""
    policies = policies_of(facts)
    found = []
    for pod in dns_pods(facts):
        place = place_of_pod(pod)
        leg = Leg(place, place, Protocol.UDP, 53)
        for server in parties_of(leg, at_source=False, learns_names=False, facts=facts):
            found.append(_dns_decision(policies, source, server, name))
    return tuple(found)


def _dns_decision(policies: PolicySet, source: Party, server: Assumed, name: str) -> Decision:
    if not name:
        return policies.decide(Direction.EGRESS, source, server.party, Traffic(Protocol.UDP, 53))
    return policies.decide_dns(source, server.party, name)


def judge_lookups(ends: Ends, facts: Facts) -> tuple[Judged, ...]:
    """Return the judgement of looking the destination's name up, for each distinct source and DNS server.

    Raises:
        PartMissingError: if a part that every decision rests on was not read.
    """
    name = name_looked_up(ends)
    if name is None:
        return ()
    policies = policies_of(facts)
    traffic = Traffic(Protocol.UDP, DNS_PORT)
    found: dict[tuple[object, ...], Judged] = {}
    for place in places_of(ends.source, facts):
        for server in map(place_of_pod, dns_pods(facts)):
            leg = Leg(place, server, Protocol.UDP, DNS_PORT)
            for source in parties_of(leg, at_source=True, learns_names=False, facts=facts):
                for target in parties_of(leg, at_source=False, learns_names=False, facts=facts):
                    key = (_essence(source.party, target.party), _essence(target.party, source.party))
                    if key not in found:
                        packet = policies.combine(source.party, target.party, traffic)
                        sides = replace(packet, egress=policies.decide_dns(source.party, target.party, name))
                        found[key] = Judged(leg, source.party, target.party, traffic, sides)
    return tuple(found.values())
