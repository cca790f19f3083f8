"""Addresses outside the cluster: those that a name has, and the identity that one node gives to an address."""

import ipaddress

from handlers.connection.places import Place, PlaceKind
from handlers.connection.policies import newest_change
from handlers.model.facts import Facts
from handlers.model.flow import Flow
from handlers.model.parts import Part
from handlers.model.reserved import RESERVED_IDENTITIES
from handlers.model.snapshot import Known


def known_addresses(place: Place, viewer: str | None, facts: Facts) -> tuple[str, ...]:
    """Return a place's addresses; for a DNS name those that a node's agent or the flows learnt, maybe none."""
    if place.kind is not PlaceKind.HOST_NAME:
        return place.ips
    return tuple(sorted({*learnt_by_agent(place.host_name, viewer, facts), *seen_in_flows(place.host_name, facts)}))


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


def labels_on(node: str | None, address: str, facts: Facts) -> tuple[str, ...] | None:
    """Return the labels that policy on ``node`` sees for an address outside, None where nothing tells.

    Numbers of such identities mean something on their own node only, so they are never carried from one to another.
    """
    by_agent = _by_agent(node, address, facts)
    return by_agent if by_agent is not None else _by_flows(node, address, facts)


def _by_agent(node: str | None, address: str, facts: Facts) -> tuple[str, ...] | None:
    cache, identities = facts.look(Part.AGENT_ADDRESSES), facts.look(Part.AGENT_IDENTITIES)
    if not isinstance(cache, Known) or not isinstance(identities, Known):
        return None
    entries, known = cache.value.on(node), identities.value.on(node)
    if not isinstance(entries, Known) or not isinstance(known, Known):
        return None
    found = ipaddress.ip_address(address)
    # The agent's ipcache is looked up by the longest prefix (Cilium, bpf/lib/eps.h).
    length, number = -1, None
    for entry in entries.value:
        network = _network(entry.cidr)
        if network is not None and network.version == found.version and found in network and network.prefixlen > length:
            length, number = network.prefixlen, entry.identity
    if number is None:
        return None
    if number in RESERVED_IDENTITIES:
        return (f"reserved:{RESERVED_IDENTITIES[number][0]}",)
    return next((entry.labels for entry in known.value if entry.number == number), None)


def _by_flows(node: str | None, address: str, facts: Facts) -> tuple[str, ...] | None:
    look = facts.look(Part.FLOWS)
    if not isinstance(look, Known) or node is None:
        return None
    change = newest_change(facts)
    flows: tuple[Flow, ...] = look.value.flows
    # Flows from before the last change carry the labels of policies that are gone.
    ends = [
        (flow.time, end.labels)
        for flow in flows
        if flow.node == node and (change is None or flow.time > change.at)
        for end in (flow.source, flow.destination)
        if end.ip == address and end.labels and not end.pod
    ]
    return max(ends)[1] if ends else None


def _network(cidr: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return None
