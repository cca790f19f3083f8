"""What is dialled leads from the source to a backend.

Clients outside reach Services by ports of nodes, external addresses and load balancers. Which backends a node then
picks, and as whom the packets arrive there, depends on externalTrafficPolicy and on how Cilium forwards.
"""

import ipaddress
from collections.abc import Iterator
from itertools import product

from handlers.connection.backends import Target, backends_of
from handlers.connection.ends import Ends
from handlers.connection.forwarding import (
    as_seen_behind,
    forwarding_of,
    frontend_of,
    is_outside,
    reached,
    refuses_source,
    untold,
)
from handlers.connection.legs import LEG_PARTS, places_of
from handlers.connection.places import Place
from handlers.connection.trial import Trial
from handlers.model.cluster import Service
from handlers.model.connection import Connection
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.headline import CANNOT_TELL
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.snapshot import Known
from handlers.names.frontends import Frontend, FrontendKind
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, Meaning, Resolved
from handlers.probes.probe import probe

NODE_PORT_RANGE = (30_000, 32_767)
"""Ports that Services get on nodes unless the API server is told otherwise (its service-node-port-range)."""

FRONTEND_LEADS_IN = code(
    "FRONTEND_LEADS_IN",
    meaning="What is dialled is forwarded to backends of the Service, or to the pod of a hostPort.",
    template="{dialled} of {title} leads to {count} backend{count:|s}, which see{count:s|} {seen}",
)
FRONTEND_UNTOLD = code(
    "FRONTEND_UNTOLD",
    meaning="How packets go on from the address that is dialled depends on something that is not known.",
    template="how packets go on from the {dialled} of {title}: {reason}",
    lead=CANNOT_TELL,
)
SERVICE_NO_BACKEND_ON_NODE = code(
    "SERVICE_NO_BACKEND_ON_NODE",
    meaning="externalTrafficPolicy is Local, and the node that is dialled runs no ready backend: it refuses.",
    template="{service} has externalTrafficPolicy Local, and {node} runs no backend: it refuses; {others} would not",
    advice="Set externalTrafficPolicy to Cluster, run a backend on every node, or dial a node that runs one.",
)
SERVICE_REFUSES_SOURCE = code(
    "SERVICE_REFUSES_SOURCE",
    meaning="The Service's loadBalancerSourceRanges leave the client out; its packets are dropped at the node.",
    template="{service} serves the clients of {ranges} by its load balancer, and {source} is not one of them",
    advice="Add the client's range to loadBalancerSourceRanges.",
)
SERVICE_SOURCE_IN_DOUBT = code(
    "SERVICE_SOURCE_IN_DOUBT",
    meaning="loadBalancerSourceRanges leave out a part of what the source can be.",
    template="whether {service} serves {source}: its load balancer serves the clients of {ranges} only",
    advice="Ask for the client's address.",
    lead=CANNOT_TELL,
)
SERVICE_IS_INSIDE = code(
    "SERVICE_IS_INSIDE",
    meaning="The Service has no address for clients outside the cluster, so nothing tells how they would dial it.",
    template="how {source} would dial {service}: it has a cluster IP alone, which nothing outside is routed to",
    advice="Ask for the address that the client dials, or for the pods behind the Service.",
    lead=CANNOT_TELL,
)
BOTH_ENDS_OUTSIDE = code(
    "BOTH_ENDS_OUTSIDE",
    meaning="Both ends are outside the cluster, as far as the objects that were read tell.",
    template="anything of {source} and {destination}: neither is known in this cluster",
    advice="If an Ingress, a Gateway or a load balancer serves the name, ask for its address or its Service.",
    lead=CANNOT_TELL,
)
ADDRESS_OF_ONES_OWN = code(
    "ADDRESS_OF_ONES_OWN",
    meaning="The address is every host's own (loopback), a group's, or none: no other endpoint is reached by it.",
    template="where packets with {address} go: it is no address of one endpoint, and policy does not see them",
    advice="Ask for the pod, the node or the Service that is meant.",
    lead=CANNOT_TELL,
)
NODE_PORT_OF_NOBODY = code(
    "NODE_PORT_OF_NOBODY",
    meaning="The port is one of those that nodes keep for Services, and no Service has it.",
    template="who answers on {port} of {node}: no Service has this nodePort, no pod this hostPort",
    advice="Check the port; if a process of the node listens there, look at the node itself.",
    lead=CANNOT_TELL,
)


@probe(
    answers=(AboutConnection,),
    codes=(
        FRONTEND_LEADS_IN,
        FRONTEND_UNTOLD,
        SERVICE_NO_BACKEND_ON_NODE,
        SERVICE_REFUSES_SOURCE,
        SERVICE_SOURCE_IN_DOUBT,
        SERVICE_IS_INSIDE,
        BOTH_ENDS_OUTSIDE,
        ADDRESS_OF_ONES_OWN,
        NODE_PORT_OF_NOBODY,
    ),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS),
    hop=Hop.SERVICE,
    blocking=True,
)
def dialled_address_leads_in(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Follow what is dialled; say nothing where it is the end itself."""
    connection, ends = question.connection, needed(Trial(question.connection, facts).ends)
    if not ends.are_clear:
        return
    for end in (ends.source, ends.destination):
        if end.meaning is Meaning.OUTSIDE and any(map(_is_nobodys, end.addresses)):
            yield ADDRESS_OF_ONES_OWN.finding(
                Outcome.UNKNOWN, hop=Hop.SERVICE, blocking=True, address=", ".join(end.addresses)
            )
    sources = places_of(ends.source, facts)
    frontend = frontend_of(ends.destination, sources)
    if frontend:
        yield from _through(frontend, connection, ends, sources, facts)
    elif any(map(is_outside, sources)) and not ends.source.gone_from:
        yield from _from_outside(ends, sources[0], facts)
    if frontend is None:
        yield from _node_port_of_nobody(connection, ends.destination, facts)


def _is_nobodys(cidr: str) -> bool:
    network = ipaddress.ip_network(cidr, strict=False)
    is_one = network.num_addresses == 1
    return network.is_loopback or network.is_multicast or (is_one and network.is_unspecified)


def _through(
    frontend: Frontend, connection: Connection, ends: Ends, sources: tuple[Place, ...], facts: Facts
) -> Iterator[Finding]:
    targets = tuple(target for target in backends_of(connection, ends.destination, facts) if target.ready)
    if unknown := untold(sources, frontend, targets, facts):
        yield FRONTEND_UNTOLD.finding(
            Outcome.UNKNOWN,
            hop=Hop.SERVICE,
            blocking=True,
            evidence=_evidence(frontend, ""),
            advice=unknown.remedy,
            dialled=_dialled(frontend),
            title=ends.destination.title,
            reason=unknown.reason,
        )
        return
    service = frontend.service
    if service:
        yield from _ranges(service, frontend, sources, facts)
        if targets and not reached(frontend, sources, targets):
            yield _no_backend_here(service, frontend, targets)
            return
    if targets or frontend.pod:
        chosen = reached(frontend, sources, targets)
        yield FRONTEND_LEADS_IN.finding(
            Outcome.FINE,
            hop=Hop.SERVICE,
            blocking=True,
            evidence=_evidence(frontend, "/spec/ports"),
            dialled=_dialled(frontend),
            title=ends.destination.title,
            count=len(chosen) or 1,
            seen=_seen(frontend, sources, chosen, facts),
        )


def _dialled(frontend: Frontend) -> str:
    if frontend.kind is FrontendKind.NODE_PORT and frontend.service_port:
        return f"nodePort {frontend.service_port.node_port}"
    if frontend.pod_port:
        return f"hostPort {frontend.pod_port.host_port}"
    return str(frontend.kind)


def _seen(frontend: Frontend, sources: tuple[Place, ...], targets: tuple[Target, ...], facts: Facts) -> tuple[str, ...]:
    """Name as whom the sources arrive; those that nobody translates are many and stay themselves."""
    if not targets or not any(map(is_outside, sources)):
        return ("the source itself",)
    pairs = product(sources, targets)
    places = (seen for source, target in pairs for seen in as_seen_behind(source, target, frontend, facts))
    return tuple(dict.fromkeys(place.title for place in places))


def _ranges(service: Service, frontend: Frontend, sources: tuple[Place, ...], facts: Facts) -> Iterator[Finding]:
    for source in sources:
        refused = refuses_source(source, frontend, facts)
        if refused is False:
            continue
        spoken, outcome = (
            (SERVICE_REFUSES_SOURCE, Outcome.PROBLEM) if refused else (SERVICE_SOURCE_IN_DOUBT, Outcome.UNKNOWN)
        )
        yield spoken.finding(
            outcome,
            hop=Hop.SERVICE,
            blocking=True,
            evidence=_evidence(frontend, "/spec/loadBalancerSourceRanges"),
            service=f"Service {service}",
            source=source.title,
            ranges=service.source_ranges,
        )


def _no_backend_here(service: Service, frontend: Frontend, targets: tuple[Target, ...]) -> Finding:
    return SERVICE_NO_BACKEND_ON_NODE.finding(
        Outcome.PROBLEM,
        hop=Hop.SERVICE,
        blocking=True,
        evidence=_evidence(frontend, "/spec/externalTrafficPolicy"),
        service=f"Service {service}",
        node=frontend.node.name if frontend.node else None,
        others=tuple(sorted({target.node for target in targets if target.node})),
    )


def _evidence(frontend: Frontend, pointer: str) -> list[Evidence]:
    if frontend.service:
        return [Evidence("kubernetes", f"Service/{frontend.service.namespace}/{frontend.service.name}", pointer)]
    return [Evidence("kubernetes", f"Pod/{frontend.pod.namespace}/{frontend.pod.name}")] if frontend.pod else []


def _from_outside(ends: Ends, source: Place, facts: Facts) -> Iterator[Finding]:
    destination, forwarding = ends.destination, forwarding_of(facts)
    if destination.service:
        if forwarding is None or not forwarding.cluster_ips_outside:
            yield SERVICE_IS_INSIDE.finding(
                Outcome.UNKNOWN,
                hop=Hop.SERVICE,
                blocking=True,
                evidence=[Evidence("kubernetes", destination.ref, "/spec/type")],
                source=source.title,
                service=f"Service {destination.service}",
            )
        return
    if any(map(is_outside, places_of(destination, facts))) or destination.meaning is Meaning.HOST_NAME:
        yield BOTH_ENDS_OUTSIDE.finding(
            Outcome.UNKNOWN, hop=Hop.SERVICE, blocking=True, source=source.title, destination=destination.title
        )


def _node_port_of_nobody(connection: Connection, destination: Resolved, facts: Facts) -> Iterator[Finding]:
    if destination.node is None or connection.port is None:
        return
    first, last = _node_ports(facts)
    if first <= connection.port <= last:
        yield NODE_PORT_OF_NOBODY.finding(
            Outcome.UNKNOWN,
            hop=Hop.SERVICE,
            blocking=True,
            evidence=[Evidence("kubernetes", destination.ref)],
            port=connection.port,
            node=destination.node.name,
        )


def _node_ports(facts: Facts) -> tuple[int, int]:
    look = facts.look(Part.CONFIG)
    text = look.value.options.get("node-port-range", "") if isinstance(look, Known) else ""
    first, _, last = text.partition(",")
    return (int(first), int(last)) if first.strip().isdigit() and last.strip().isdigit() else NODE_PORT_RANGE
