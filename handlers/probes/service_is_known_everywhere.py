"""Every node balances the Service over its ready backends, and over no others.

Each agent keeps a table of Services, from which it fills the maps of the datapath. An agent that is cut off from the
API server, or whose table is stuck, goes on sending to backends that are gone, though Kubernetes lists others.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from handlers.balancing.frontends import Difference, differences, frontends_on, is_comparable, too_young
from handlers.commands.service import MOST_AGENTS
from handlers.connection.backends import Dialled, Target, backends_of, ports_asked
from handlers.connection.coverage import nodes_in_words, unread_alike
from handlers.connection.legs import LEG_PARTS, places_of
from handlers.connection.places import PlaceKind
from handlers.connection.trial import Trial
from handlers.model.cluster import Service
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutConnection, AboutService
from handlers.model.snapshot import Gap, Known, Missing
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, Resolved, resolve
from handlers.probes.probe import probe

SERVICE_MAP_STALE = code(
    "SERVICE_MAP_STALE",
    meaning="A node still sends connections for the Service to addresses that are none of its ready backends.",
    template="{node} sends {frontend} of {service} to {stale}, no ready {which:backend|backends} any more{rest}",
    reason="{node} sends {frontend} to {stale}, no ready backend any more",
    advice="Look at the log and the API connection of the node's agent; ask again: a change takes seconds to arrive.",
)
SERVICE_MAP_LACKS = code(
    "SERVICE_MAP_LACKS",
    meaning="A node does not know some ready backends of the Service.",
    template="{node} does not send {frontend} of {service} to its ready {count:backend|backends} {missing}",
    advice="Look at the log and the API connection of the node's agent; ask again: a change takes seconds to arrive.",
)
SERVICE_MAP_EMPTY = code(
    "SERVICE_MAP_EMPTY",
    meaning="A node has no backend for the Service though ready ones exist, so what connects from there is refused.",
    template="{node} knows no backend for {frontend} of {service}, which has {count} ready",
    advice="Look at the log and the API connection of the node's agent.",
)
SERVICE_MAP_UNREAD = code(
    "SERVICE_MAP_UNREAD",
    meaning="What some nodes do with connections to the Service could not be read.",
    template="What {count} node{count:|s} ({nodes}) {count:does|do} with {service} was not read: {detail}",
    advice="An agent that is down changes nothing: its node goes on with what it had.",
)
SERVICE_MAP_AGREES = code(
    "SERVICE_MAP_AGREES",
    meaning="The nodes that were asked send the Service's connections to its ready backends.",
    template="{count} node{count:|s} {count:sends|send} {service} to its ready backends, as EndpointSlices list them",
)


@probe(
    answers=(AboutConnection, AboutService),
    codes=(SERVICE_MAP_STALE, SERVICE_MAP_LACKS, SERVICE_MAP_EMPTY, SERVICE_MAP_UNREAD, SERVICE_MAP_AGREES),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.AGENT_SERVICES),
    hop=Hop.SERVICE,
)
def service_is_known_everywhere(question: AboutConnection | AboutService, facts: Facts) -> Iterator[Finding]:
    """Hold the table of each node that balances against the slices."""
    if isinstance(question, AboutService):
        dialled: Dialled = question
        found = resolve(question.service, facts, End.DESTINATION, question.port, question.protocol)
        nodes = [node.name for node in facts.nodes]
    else:
        dialled, ends = question.connection, needed(Trial(question.connection, facts).ends)
        if not ends.are_clear:
            return
        found, nodes = ends.destination, _where_picked(ends.source, ends.destination, facts)
    service = found.service
    if service is None or service.type == "ExternalName" or service.is_headless or not ports_asked(dialled, found):
        return
    targets = backends_of(dialled, found, facts)
    if is_comparable(service, targets):
        is_whole = isinstance(question, AboutService)
        yield from _compared(service, dialled, found, targets, nodes, facts, is_whole=is_whole)


def _where_picked(source: Resolved, destination: Resolved, facts: Facts) -> list[str]:
    """Return the nodes on which a backend is picked: the client's own, or the one that is dialled."""
    if destination.frontend:
        return [destination.frontend.node.name] if destination.frontend.node else []
    inside = (PlaceKind.POD, PlaceKind.NODE)
    return sorted({place.node for place in places_of(source, facts) if place.kind in inside and place.node})


def _compared(
    service: Service,
    dialled: Dialled,
    found: Resolved,
    targets: tuple[Target, ...],
    nodes: Iterable[str],
    facts: Facts,
    *,
    is_whole: bool,
) -> Iterator[Finding]:
    look = facts.look(Part.AGENT_SERVICES)
    ports = ports_asked(dialled, found)
    fresh = too_young(targets, facts.pods, facts.now)
    owners = {ip for pod in facts.pods if pod.is_running for ip in pod.ips}
    agreeing, unread = 0, dict[str, Missing]()
    for node in nodes:
        answer = look.value.on(node) if isinstance(look, Known) else look
        if isinstance(answer, Missing):
            unread[node] = answer
            continue
        expected = [one for one in frontends_on(node, service, targets, facts) if one.port in ports]
        told = list(differences(expected, answer.value, service, fresh))
        agreeing += not told
        for difference in told:
            yield _finding(difference, node, service, targets, owners)
    if agreeing and any(target.ready for target in targets):
        yield SERVICE_MAP_AGREES.finding(
            Outcome.FINE, hop=Hop.SERVICE, evidence=[_evidence(service)], count=agreeing, service=f"Service {service}"
        )
    if is_whole:
        yield from _unread(unread, service)


def _finding(
    difference: Difference, node: str, service: Service, targets: tuple[Target, ...], owners: set[str]
) -> Finding:
    gone = [stale for stale in difference.stale if stale.rpartition(":")[0].strip("[]") not in owners]
    evidence = [Evidence("agent", f"Node//{node}", excerpt="service list"), _evidence(service)]
    common: dict[str, Any] = {"node": node, "frontend": difference.frontend, "service": f"Service {service}"}
    if difference.stale:
        rest = f", and to {difference.known} that are right" if difference.known else ""
        return SERVICE_MAP_STALE.finding(
            Outcome.PROBLEM,
            hop=Hop.SERVICE,
            # An address that some running pod still has may answer; one that nobody has does not.
            blocking=bool(gone),
            evidence=evidence,
            weight=60,
            follow_up=f"agent {node}",
            stale=nodes_in_words(difference.stale),
            which=len(difference.stale),
            rest=rest,
            **common,
        )
    if not difference.known:
        ready = {target.ip for target in targets if target.ready}
        return SERVICE_MAP_EMPTY.finding(
            Outcome.PROBLEM,
            hop=Hop.SERVICE,
            blocking=True,
            evidence=evidence,
            weight=60,
            follow_up=f"agent {node}",
            count=len(ready),
            **common,
        )
    return SERVICE_MAP_LACKS.finding(
        Outcome.PROBLEM,
        hop=Hop.SERVICE,
        evidence=evidence,
        weight=40,
        follow_up=f"agent {node}",
        missing=nodes_in_words(difference.missing),
        count=len(difference.missing),
        **common,
    )


def _unread(unread: dict[str, Missing], service: Service) -> Iterator[Finding]:
    for alike, missing in unread_alike(unread):
        was_asked = missing.gap is not Gap.NOT_ASKED
        asked = None if was_asked else f"A run asks {MOST_AGENTS} agents."
        yield SERVICE_MAP_UNREAD.finding(
            Outcome.UNKNOWN,
            hop=Hop.SERVICE,
            blocking=was_asked,
            advice=missing.remedy or asked,
            count=len(alike),
            nodes=nodes_in_words(alike),
            service=f"Service {service}",
            detail=missing.detail,
        )


def _evidence(service: Service) -> Evidence:
    return Evidence("kubernetes", f"Service/{service.namespace}/{service.name}", "/spec")
