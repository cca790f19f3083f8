"""Which Service an address, or a port of a node, leads to: told without any pod."""

from handlers.model.cluster import Node, Service
from handlers.model.endpoint import Address, EndpointName, Kind, Named
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import Known
from handlers.model.traffic import Protocol
from handlers.names.frontends import service_at_address, service_at_node


def all_services(facts: Facts) -> tuple[Service, ...]:
    """Return every Service of the cluster where the whole list was read.

    Raises:
        PartMissingError: if it was asked for and not read: an address could then be any Service's.
    """
    look = facts.look(Part.POLICY_SERVICES)
    if isinstance(look, Known):
        everywhere: tuple[Service, ...] = look.value[0]
        return everywhere
    return facts.value(Part.ALL_SERVICES)


def service_at(name: EndpointName, facts: Facts, port: int | None, protocol: Protocol | None) -> Service | None:
    """Return the Service that an address, or a port of a node, leads to; it needs no pods to tell that.

    Raises:
        PartMissingError: if the nodes or the Services were not read.
    """
    services, node = all_services(facts), node_named(name, facts)
    addresses = (name.cidr,) if isinstance(name, Address) else node.ips if node else ()
    own = next((service for service in services if set(addresses) & set(service.cluster_ips)), None)
    frontend = service_at_node(node, addresses, port, protocol, services) if node and port is not None else None
    if frontend is None and isinstance(name, Address):
        frontend = service_at_address(name.cidr, port, protocol, services)
    return own or (frontend.service if frontend else None)


def node_named(name: EndpointName, facts: Facts) -> Node | None:
    """Return the node that a name or an address is, None for what is no node's.

    Raises:
        PartMissingError: if the nodes were not read.
    """
    if isinstance(name, Named):
        return next((node for node in facts.nodes if name.kind is Kind.NODE and node.name == name.name), None)
    if isinstance(name, Address):
        return next((node for node in facts.nodes if name.cidr in node.ips), None)
    return None
