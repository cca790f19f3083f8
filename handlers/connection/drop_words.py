"""A group of drops in words: who to whom on which port, and the question that looks closer."""

from dataclasses import dataclass

from handlers.connection.drop_groups import DropGroup, entity_of
from handlers.model.flow import FlowEnd


@dataclass(frozen=True, slots=True)
class Told:
    """Who sends to whom on which port: a workload, or an address with the entity that it is."""

    source: str
    destination: str
    port: str


def told(group: DropGroup) -> Told:
    """Return the pair of a group as sentences have it."""
    port = f"{group.port}/{group.protocol}" if group.port is not None and group.protocol else str(group.protocol or "?")
    return Told(
        _name(group.source, group.example.source),
        _name(group.destination, group.example.destination),
        "ICMP" if group.protocol and group.protocol.is_icmp else port,
    )


def _name(name: str, end: FlowEnd) -> str:
    entity = entity_of(end)
    return f"{name} ({entity})" if entity else name


def follow_up_of(group: DropGroup) -> str:
    """Return the ``why`` of the pair, empty where no end of it is a pod."""
    flow = group.example
    if group.protocol is None or not (flow.source.pod or flow.destination.pod):
        return ""
    if flow.dns:
        return f"why {group.source} {flow.dns.query.rstrip('.')}"
    # Names that share an address are no end of a question, the address is.
    source, destination = (
        end.ip if " " in name else name
        for name, end in ((group.source, flow.source), (group.destination, flow.destination))
    )
    if group.protocol.is_icmp:
        return f"why {source} {destination} icmp"
    return f"why {source} {destination} {group.port}/{group.protocol}" if group.port else ""
