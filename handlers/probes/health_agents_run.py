"""Every node runs a Cilium agent, and the operator and relay run too.

Without an agent a node keeps the last datapath it had: no new pods, no policy changes, no DNS proxy. Without the
operator no new identities or addresses; without relay nobody sees flows.
"""

from collections.abc import Iterator

from handlers.connection.asked_nodes import NODE_UNKNOWN, unknown_nodes
from handlers.model.cluster import Pod
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutNodes
from handlers.probes.probe import probe

AGENT_MISSING = code(
    "AGENT_MISSING",
    meaning="A node runs no Cilium agent.",
    template="Node {node} runs no Cilium agent",
    advice="Look at the cilium DaemonSet and at the node's taints.",
)
CILIUM_POD_NOT_READY = code(
    "CILIUM_POD_NOT_READY",
    meaning="One of Cilium's own pods is not ready.",
    template="{component} {pod} on {node} is not ready ({reason})",
    advice="Look at the pod's events and logs.",
)
CILIUM_POD_RESTARTS = code(
    "CILIUM_POD_RESTARTS",
    meaning="One of Cilium's own pods has restarted several times.",
    template="{component} {pod} on {node} has restarted {count} times",
    advice="Look at the log of the previous container.",
)
OPERATOR_MISSING = code(
    "OPERATOR_MISSING",
    meaning="No pod of the Cilium operator runs.",
    template="No Cilium operator runs",
    advice="Look at the cilium-operator Deployment: without it no addresses are handed out, no identities cleaned up.",
)
CILIUM_PODS_RUN = code(
    "CILIUM_PODS_RUN",
    meaning="Cilium's own pods run and are ready.",
    template=(
        "{agents} agent{agents:|s} on {nodes} node{nodes:|s}, {operators} operator pod{operators:|s} "
        "and {relays} relay pod{relays:|s} run"
    ),
)

MANY_RESTARTS = 5
"""Restarts that are worth a word; a few happen at upgrades."""


@probe(
    answers=(AboutNodes,),
    codes=(NODE_UNKNOWN, AGENT_MISSING, CILIUM_POD_NOT_READY, CILIUM_POD_RESTARTS, OPERATOR_MISSING, CILIUM_PODS_RUN),
    needs=(Part.NODES, Part.CILIUM_PODS),
    blocking=True,
)
def health_agents_run(question: AboutNodes, facts: Facts) -> Iterator[Finding]:
    """Judge Cilium's pods, and look for nodes without one."""
    nodes = [node.name for node in facts.nodes if question.node in (None, node.name)]
    if question.node and not nodes:
        yield from unknown_nodes((question.node,), facts)
        return
    pods = [pod for pod in facts.cilium_pods if question.node in (None, pod.node)]
    agents = [pod for pod in pods if component_of(pod) == "agent"]
    operators = [pod for pod in facts.cilium_pods if component_of(pod) == "operator"]
    relays = [pod for pod in facts.cilium_pods if component_of(pod) == "relay"]
    troubles = list(_troubles(pods))
    for node in nodes:
        if not any(pod.node == node for pod in agents):
            troubles.append(
                AGENT_MISSING.finding(
                    Outcome.PROBLEM, evidence=[Evidence("kubernetes", f"Node//{node}")], weight=90, node=node
                )
            )
    if not operators:
        troubles.append(OPERATOR_MISSING.finding(Outcome.PROBLEM, weight=80))
    yield from troubles
    if not troubles:
        yield CILIUM_PODS_RUN.finding(
            Outcome.FINE, agents=len(agents), nodes=len(nodes), operators=len(operators), relays=len(relays)
        )


def component_of(pod: Pod) -> str | None:
    """Return ``agent``, ``operator``, ``relay`` or ``envoy`` by the labels of Cilium's Helm chart, None for others."""
    app = pod.labels.get("k8s-app", "")
    if app == "cilium":
        return "agent"
    if (
        pod.labels.get("io.cilium/app") == "operator"
        or pod.labels.get("name") == "cilium-operator"
        or app == "cilium-operator"
    ):
        return "operator"
    return {"hubble-relay": "relay", "cilium-envoy": "envoy"}.get(app)


def _troubles(pods: list[Pod]) -> Iterator[Finding]:
    for pod in pods:
        component = component_of(pod)
        if component is None:
            continue
        evidence = [Evidence("kubernetes", f"Pod/{pod.namespace}/{pod.name}", "/status")]
        if pod.ready is not True:
            yield CILIUM_POD_NOT_READY.finding(
                Outcome.PROBLEM,
                evidence=evidence,
                weight=90 if component == "agent" else 70,
                component=component,
                pod=pod.name,
                node=pod.node,
                reason=pod.waiting or pod.phase,
            )
        elif pod.restarts >= MANY_RESTARTS:
            yield CILIUM_POD_RESTARTS.finding(
                Outcome.PROBLEM,
                evidence=evidence,
                weight=30,
                component=component,
                pod=pod.name,
                node=pod.node,
                count=pod.restarts,
            )
