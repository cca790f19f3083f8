"""The addresses of an end outside the cluster: given, or learnt for its name."""

from handlers.connection.legs import Leg, PlaceKind
from handlers.model.facts import Facts
from handlers.model.flow import Flow
from handlers.model.parts import Part
from handlers.model.snapshot import Known


def known_addresses(leg: Leg, facts: Facts) -> tuple[str, ...]:
    """Return the destination's addresses; for a DNS name those that an agent or the flows learnt, maybe none."""
    place = leg.destination
    if place.kind is not PlaceKind.HOST_NAME:
        return place.ips
    return tuple(
        sorted({*learnt_by_agent(place.host_name, leg.source.node, facts), *seen_in_flows(place.host_name, facts)})
    )


def learnt_by_agent(name: str, node: str | None, facts: Facts) -> tuple[str, ...]:
    """Return the addresses in the DNS cache of one node's agent, none where it was not read."""
    look = facts.look(Part.AGENT_NAMES)
    if not isinstance(look, Known):
        return ()
    learnt = look.value.on(node)
    if not isinstance(learnt, Known):
        return ()
    return tuple(ip for entry in learnt.value if entry.name.rstrip(".") == name for ip in entry.ips)


def seen_in_flows(name: str, facts: Facts) -> tuple[str, ...]:
    """Return the addresses that flows showed for a name: in DNS answers, or beside the address itself."""
    look = facts.look(Part.FLOWS)
    if not isinstance(look, Known):
        return ()
    flows: tuple[Flow, ...] = look.value.flows
    answers = {ip for flow in flows if flow.dns and flow.dns.query.rstrip(".") == name for ip in flow.dns.ips}
    named = {flow.destination.ip for flow in flows if name in {known.rstrip(".") for known in flow.destination.names}}
    return tuple(sorted(answers | named))
