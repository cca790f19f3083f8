"""The Service sends the port to at least one ready backend.

With socket load balancing a Service without backends refuses ``connect()`` with EPERM and leaves no trace in the flows,
so the EndpointSlices are the only witness.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from handlers.balancing.no_backends import why_none_is_ready, why_none_is_selected
from handlers.connection.backends import Dialled, Target, backends_of, ports_asked, selected_pods, slices_of
from handlers.connection.legs import LEG_PARTS, places_of
from handlers.connection.places import PlaceKind
from handlers.connection.policy_findings import distinct
from handlers.connection.trial import Trial
from handlers.model.cluster import Service, ServicePort
from handlers.model.facts import Facts, needed
from handlers.model.finding import Code, Evidence, Finding, Hop, Outcome, code
from handlers.model.headline import CANNOT_TELL
from handlers.model.question import AboutConnection, AboutService
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, Resolved, resolve
from handlers.probes.probe import probe

SERVICE_PORT_NOT_FOUND = code(
    "SERVICE_PORT_NOT_FOUND",
    meaning="The Service has no such port; packets to it are not load-balanced.",
    template="{service} has no port {port}; its ports are {ports}",
    advice="Dial one of the Service's ports.",
)
SERVICE_SELECTS_NOTHING = code(
    "SERVICE_SELECTS_NOTHING",
    meaning="No pod has the labels that the Service's selector wants, so it has no backends.",
    template="{service} has 0 backends: it selects {selector}, and no pod of its namespace has these labels",
    advice="Make the selector agree with the pods' labels, or run the pods that it means.",
)
SERVICE_TARGET_PORT_UNKNOWN = code(
    "SERVICE_TARGET_PORT_UNKNOWN",
    meaning="The Service names a target port that none of its pods declares, so the port has no backends.",
    template="{service} sends {port} to a port called {target}, and none of its pods has one",
    advice="Name a container port that exists, or use its number.",
)
SERVICE_NO_READY_BACKENDS = code(
    "SERVICE_NO_READY_BACKENDS",
    meaning="The Service has backends, but none of them is ready.",
    template="{service} has no ready backend for {port}: {count} {count:is|are} listed, and none is ready",
    advice="Look at the readiness of the pods behind it.",
)
SERVICE_NO_BACKENDS = code(
    "SERVICE_NO_BACKENDS",
    meaning="The Service has no backends, and its own definition does not tell why.",
    template="{service} has no backends for {port}",
    advice="Look at its EndpointSlices and at who writes them.",
)
SERVICE_NO_LOCAL_BACKENDS = code(
    "SERVICE_NO_LOCAL_BACKENDS",
    meaning="internalTrafficPolicy is Local, and the client's node runs no ready backend.",
    template="{service} serves only clients on a backend's own node, and {nodes} runs none",
    advice="Set internalTrafficPolicy to Cluster, or run a backend on every node.",
)
SERVICE_LOCALITY_UNTOLD = code(
    "SERVICE_LOCALITY_UNTOLD",
    meaning="internalTrafficPolicy is Local, some nodes run no backend, and nothing tells which the client is on.",
    template="whether {service} serves {source}: it wants a backend on their node, and {nodes} run{count:s|} none",
    advice="Ask for the node or the pod that sends.",
    lead=CANNOT_TELL,
)
SERVICE_IS_ELSEWHERE = code(
    "SERVICE_IS_ELSEWHERE",
    meaning="The Service is an alias in DNS for a name outside; Cilium does not load-balance it.",
    template="{service} is an alias for {external}",
    advice="Ask for that name.",
)
SERVICE_TARGET_PORT_UNDECLARED = code(
    "SERVICE_TARGET_PORT_UNDECLARED",
    meaning="The Service sends to a port number that no container of its backends declares. That alone breaks nothing.",
    template="{service} sends {port} to port {target}, which no container of its backends declares",
    advice="If nothing listens there, correct targetPort.",
)
SERVICE_HAS_BACKENDS = code(
    "SERVICE_HAS_BACKENDS",
    meaning="The Service has ready backends for the port.",
    template="{service} sends {port} to {count} ready backend{count:|s} on port {target}",
)


@probe(
    answers=(AboutConnection, AboutService),
    codes=(
        SERVICE_PORT_NOT_FOUND,
        SERVICE_SELECTS_NOTHING,
        SERVICE_TARGET_PORT_UNKNOWN,
        SERVICE_NO_READY_BACKENDS,
        SERVICE_NO_BACKENDS,
        SERVICE_NO_LOCAL_BACKENDS,
        SERVICE_LOCALITY_UNTOLD,
        SERVICE_IS_ELSEWHERE,
        SERVICE_TARGET_PORT_UNDECLARED,
        SERVICE_HAS_BACKENDS,
    ),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS),
    hop=Hop.SERVICE,
    blocking=True,
)
def service_has_backends(question: AboutConnection | AboutService, facts: Facts) -> Iterator[Finding]:
    """Judge each port of the Service that is asked about."""
    if isinstance(question, AboutService):
        dialled: Dialled = question
        source, destination = None, resolve(question.service, facts, End.DESTINATION, question.port, question.protocol)
    else:
        dialled, ends = question.connection, needed(Trial(question.connection, facts).ends)
        source, destination = ends.source, ends.destination
        if destination.frontend:
            # internalTrafficPolicy is for those who dial the Service's own address.
            source = None
    service = destination.service
    if service is None or destination.obstacle or (source and source.obstacle):
        return
    if service.type == "ExternalName":
        yield _finding(SERVICE_IS_ELSEWHERE, Outcome.UNKNOWN, service, external=service.external_name)
        return
    ports = ports_asked(dialled, destination)
    if not ports:
        asked = str(dialled.port or dialled.protocol)
        listed = tuple(f"{port.port}/{port.protocol}" for port in service.ports)
        yield _finding(
            SERVICE_PORT_NOT_FOUND, Outcome.PROBLEM, service, pointer="/spec/ports", port=asked, ports=listed
        )
        return
    targets = backends_of(dialled, destination, facts)
    found = []
    for port in ports:
        mine = [target for target in targets if target.service_port == port]
        found += [_judge(service, port, mine, source, facts), *_undeclared(service, port, mine, facts)]
    # A selector that selects nothing is one fault, however many ports there are.
    yield from distinct(found)


def _judge(
    service: Service, port: ServicePort, targets: list[Target], source: Resolved | None, facts: Facts
) -> Finding:
    dialled = f"{port.port}/{port.protocol}"
    ready = [target for target in targets if target.ready]
    if ready:
        return _with_traffic_policy(service, port, ready, source, facts)
    if targets:
        none_ready = _finding(
            SERVICE_NO_READY_BACKENDS, Outcome.PROBLEM, service, facts, port=dialled, count=len(targets)
        )
        return replace(none_ready, detail=why_none_is_ready(targets, facts))
    if service.selector:
        pods = selected_pods(service, facts.pods)
        if not pods:
            selector = ",".join(f"{key}={value}" for key, value in sorted(service.selector.items()))
            nothing = _finding(
                SERVICE_SELECTS_NOTHING, Outcome.PROBLEM, service, facts, pointer="/spec/selector", selector=selector
            )
            return replace(nothing, detail=why_none_is_selected(service, facts))
        if isinstance(port.target, str) and not any(entry.name == port.target for pod in pods for entry in pod.ports):
            index = service.ports.index(port)
            return _finding(
                SERVICE_TARGET_PORT_UNKNOWN,
                Outcome.PROBLEM,
                service,
                facts,
                pointer=f"/spec/ports/{index}/targetPort",
                port=dialled,
                target=port.target,
            )
    return _finding(SERVICE_NO_BACKENDS, Outcome.PROBLEM, service, facts, port=dialled)


def _undeclared(service: Service, port: ServicePort, targets: list[Target], facts: Facts) -> Iterator[Finding]:
    """Wonder about a target port that the backends' containers declare otherwise; undeclared ports do work."""
    if service.is_headless:
        return
    behind = {target.pod for target in targets}
    pods = [pod for pod in facts.pods if str(pod) in behind]
    declared = {entry.port for pod in pods for entry in pod.ports if entry.protocol == port.protocol}
    sent = {target.port for target in targets if target.port is not None}
    if declared and sent and not sent & declared:
        index = service.ports.index(port)
        finding = _finding(
            SERVICE_TARGET_PORT_UNDECLARED,
            Outcome.PROBLEM,
            service,
            facts,
            pointer=f"/spec/ports/{index}/targetPort",
            port=f"{port.port}/{port.protocol}",
            target=tuple(sorted(map(str, sent))),
        )
        yield replace(finding, blocking=False)


def _with_traffic_policy(
    service: Service, port: ServicePort, ready: list[Target], source: Resolved | None, facts: Facts
) -> Finding:
    if service.internal_traffic_policy == "Local" and source and not source.service:
        nodes = {place.node for place in places_of(source, facts) if place.kind in (PlaceKind.POD, PlaceKind.NODE)}
        lonely = sorted(str(node) for node in nodes - {target.node for target in ready} if node)
        if lonely:
            return _finding(
                SERVICE_NO_LOCAL_BACKENDS,
                Outcome.PROBLEM,
                service,
                facts,
                pointer="/spec/internalTrafficPolicy",
                nodes=tuple(lonely),
            )
        nodes_without = sorted({node.name for node in facts.nodes} - {target.node for target in ready if target.node})
        if nodes_without and any(place.node is None for place in places_of(source, facts)):
            return _finding(
                SERVICE_LOCALITY_UNTOLD,
                Outcome.UNKNOWN,
                service,
                facts,
                pointer="/spec/internalTrafficPolicy",
                source=source.title,
                nodes=tuple(nodes_without),
                count=len(nodes_without),
            )
    notes = []
    if service.session_affinity == "ClientIP":
        notes.append("session affinity keeps a client on the backend that it first got")
    return _finding(
        SERVICE_HAS_BACKENDS,
        Outcome.FINE,
        service,
        facts,
        assumptions=tuple(notes),
        port=f"{port.port}/{port.protocol}",
        count=len(ready),
        target=tuple(sorted({str(target.port) for target in ready})),
    )


def _finding(
    spoken: Code,
    outcome: Outcome,
    service: Service,
    facts: Facts | None = None,
    *,
    pointer: str = "/spec",
    assumptions: tuple[str, ...] = (),
    **values: Any,
) -> Finding:
    evidence = [Evidence("kubernetes", f"Service/{service.namespace}/{service.name}", pointer)]
    if facts is not None:
        evidence += [
            Evidence("kubernetes", f"EndpointSlice/{part.namespace}/{part.name}", "/endpoints")
            for part in slices_of(service, facts)
        ]
    return spoken.finding(
        outcome,
        hop=Hop.SERVICE,
        blocking=True,
        evidence=evidence,
        assumptions=assumptions,
        service=f"Service {service}",
        **values,
    )
