"""Every node that clients may dial has a backend of its own, where the Service's traffic policy is Local.

With externalTrafficPolicy Local a node refuses what comes from outside for its nodePorts and load balancer addresses
unless it runs a ready backend; with internalTrafficPolicy Local it refuses its own pods. A load balancer that asks the
health check port leaves such nodes out; whoever dials a nodePort by hand does not.
"""

from collections.abc import Iterator

from handlers.balancing.locality import is_reached_from_outside, nodes_left_out
from handlers.connection.backends import Target, backends_of, ports_asked
from handlers.connection.coverage import nodes_in_words
from handlers.connection.legs import LEG_PARTS
from handlers.model.cluster import Service, ServicePort
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.question import AboutService
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, resolve
from handlers.probes.probe import probe

NODES_WITHOUT_LOCAL_BACKEND = code(
    "NODES_WITHOUT_LOCAL_BACKEND",
    meaning="externalTrafficPolicy is Local, and some nodes run no ready backend: they refuse clients from outside.",
    template="{nodes} {count:refuses|refuse} clients from outside on {port} of {service}: "
    "externalTrafficPolicy is Local, and no ready backend runs there; {having} {works:does|do}",
    reason="externalTrafficPolicy is Local, and {nodes} {count:runs|run} no ready backend; {having} {works:does|do}",
    advice="Dial a node that runs a backend, run one on each node, or set externalTrafficPolicy to Cluster (the "
    "client's address is lost then). The ClusterIP is not concerned.",
)
NODES_WITHOUT_INTERNAL_BACKEND = code(
    "NODES_WITHOUT_INTERNAL_BACKEND",
    meaning="internalTrafficPolicy is Local, and some nodes run no ready backend: their own pods are refused.",
    template="Pods on {nodes} cannot use {service}: internalTrafficPolicy is Local, and no ready backend for {port} "
    "runs there; on {having} they can",
    reason="internalTrafficPolicy is Local, and {nodes} {count:runs|run} no ready backend",
    advice="Run a backend on every node (a DaemonSet), or set internalTrafficPolicy to Cluster.",
)
EVERY_NODE_HAS_A_BACKEND = code(
    "EVERY_NODE_HAS_A_BACKEND",
    meaning="The traffic policy is Local, and every node runs a ready backend.",
    template="The traffic policy of {service} is Local, and every node runs a ready backend for {port}",
)


@probe(
    answers=(AboutService,),
    codes=(NODES_WITHOUT_LOCAL_BACKEND, NODES_WITHOUT_INTERNAL_BACKEND, EVERY_NODE_HAS_A_BACKEND),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS),
    hop=Hop.SERVICE,
)
def service_is_served_at_each_node(question: AboutService, facts: Facts) -> Iterator[Finding]:
    """Judge each port under each of both policies; where no backend is ready at all another check says so."""
    found = resolve(question.service, facts, End.DESTINATION, question.port, question.protocol)
    service = found.service
    if service is None or service.is_headless or service.type == "ExternalName":
        return
    targets = backends_of(question, found, facts)
    for port in ports_asked(question, found):
        ready = [target for target in targets if target.service_port == port and target.ready]
        if ready:
            yield from _judge(service, port, ready, facts)


def _judge(service: Service, port: ServicePort, ready: list[Target], facts: Facts) -> Iterator[Finding]:
    found = nodes_left_out(ready, facts.nodes)
    is_outside = service.external_traffic_policy == "Local" and is_reached_from_outside(service)
    is_inside = service.internal_traffic_policy == "Local"
    for holds, field, spoken in (
        (is_outside, "externalTrafficPolicy", NODES_WITHOUT_LOCAL_BACKEND),
        (is_inside, "internalTrafficPolicy", NODES_WITHOUT_INTERNAL_BACKEND),
    ):
        if not holds:
            continue
        dialled = f"nodePort {port.node_port}" if is_outside and port.node_port else f"{port.port}/{port.protocol}"
        chosen = spoken if found.without else EVERY_NODE_HAS_A_BACKEND
        yield chosen.finding(
            Outcome.PROBLEM if found.without else Outcome.FINE,
            hop=Hop.SERVICE,
            evidence=[
                Evidence("kubernetes", f"Service/{service.namespace}/{service.name}", f"/spec/{field}"),
                *(Evidence("kubernetes", f"Pod/{target.pod}") for target in ready[:3] if target.pod),
            ],
            weight=50,
            service=f"Service {service}",
            port=dialled,
            nodes=nodes_in_words(found.without),
            count=len(found.without),
            having=nodes_in_words(found.having),
            works=len(found.having),
        )
