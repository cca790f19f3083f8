"""What connects from a node to a Service has somebody to balance it.

Pods' packets to ClusterIPs are balanced by Cilium whatever its mode. What runs on the node itself needs Cilium in
kube-proxy's place, or kube-proxy (recorded: with neither, pods go on and hosts do not).
"""

from collections.abc import Iterator

from handlers.balancing.kube_proxy import may_be_hidden
from handlers.connection.forwarding import forwarding_of
from handlers.connection.legs import LEG_PARTS, places_of
from handlers.connection.places import PlaceKind
from handlers.connection.trial import Trial
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.snapshot import Missing
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

HOST_WITHOUT_BALANCER = code(
    "HOST_WITHOUT_BALANCER",
    meaning="Cilium does not replace kube-proxy and no kube-proxy runs on the node, so its own connections to Services "
    "lead nowhere.",
    template="What runs on {node} itself reaches no Service: Cilium does not replace kube-proxy, and no pod of "
    "kube-proxy runs there",
    advice="Set kubeProxyReplacement to true, or bring kube-proxy back.",
)
HOST_BALANCER_UNKNOWN = code(
    "HOST_BALANCER_UNKNOWN",
    meaning="Cilium does not replace kube-proxy, and whether kube-proxy runs could not be read.",
    template="Who balances what {node} itself sends is not known: Cilium does not replace kube-proxy, and {detail}",
)


@probe(
    answers=(AboutConnection,),
    codes=(HOST_WITHOUT_BALANCER, HOST_BALANCER_UNKNOWN),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.KUBE_PROXIES),
    hop=Hop.SERVICE,
    blocking=True,
)
def hosts_reach_services(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge each node that is a source; nodePorts and addresses outside are judged where they lead in."""
    ends, forwarding = needed(Trial(question.connection, facts).ends), forwarding_of(facts)
    service = ends.destination.service
    if forwarding is None or forwarding.replaces_kube_proxy or service is None or service.is_headless:
        return
    if ends.destination.frontend or not ends.are_clear:
        return
    nodes = {place.node for place in places_of(ends.source, facts) if place.kind is PlaceKind.NODE and place.node}
    look = facts.look(Part.KUBE_PROXIES)
    for node in (node for node in facts.nodes if node.name in nodes and not may_be_hidden(node)):
        evidence = [Evidence("kubernetes", f"Node//{node.name}")]
        if isinstance(look, Missing):
            yield HOST_BALANCER_UNKNOWN.finding(
                Outcome.UNKNOWN,
                hop=Hop.SERVICE,
                blocking=True,
                evidence=evidence,
                advice=look.remedy,
                node=node.name,
                detail=look.detail,
            )
        elif not any(pod.node == node.name and pod.is_running for pod in look.value):
            yield HOST_WITHOUT_BALANCER.finding(
                Outcome.PROBLEM,
                hop=Hop.SERVICE,
                blocking=True,
                evidence=evidence,
                follow_up=f"health {node.name}",
                node=node.name,
            )
