"""Every node runs a Cilium agent, and the operator and relay run too.

Without an agent a node keeps the last datapath it had: no new pods, no policy changes, no DNS proxy. Without the
operator no new identities or addresses; without relay nobody sees flows.
"""

from collections.abc import Iterator, Sequence

from handlers.agents.life import component_of, is_down
from handlers.connection.asked_nodes import NODE_UNKNOWN, unknown_nodes
from handlers.connection.coverage import MOST_NAMED, nodes_in_words
from handlers.model.cluster import Workload
from handlers.model.endpoint import Kind
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, Sentence, code
from handlers.model.parts import Part
from handlers.model.question import AboutAgent, AboutNodes
from handlers.model.snapshot import Known
from handlers.probes.probe import probe

AGENT_MISSING = code(
    "AGENT_MISSING",
    meaning="A node runs no Cilium agent.",
    template="{count} node{count: runs|s run} no Cilium agent: {nodes}",
    advice="Look at the cilium DaemonSet and its events, and at the node's taints and labels.",
)
OPERATOR_MISSING = code(
    "OPERATOR_MISSING",
    meaning="No pod of the Cilium operator runs.",
    template="No Cilium operator runs{why}",
    advice="Look at the cilium-operator Deployment: without it no addresses are handed out, no identities cleaned up.",
)
WORKLOAD_SHORT = code(
    "WORKLOAD_SHORT",
    meaning="A DaemonSet or Deployment of Cilium has fewer pods than it wants: they are not even made.",
    template="{kind} {workload} wants {wanted} pod{wanted:|s} and has {found}",
    advice="Look at its events: quotas, admission and Pod Security keep pods from being made.",
)
CILIUM_PODS_RUN = code(
    "CILIUM_PODS_RUN",
    meaning="Cilium's own pods run.",
    template=(
        "{agents} agent{agents:|s} on {nodes} node{nodes:|s}, {operators} operator pod{operators:|s} "
        "and {relays} relay pod{relays:|s} run"
    ),
)
_OWN = ("cilium", "hubble-relay", "clustermesh-apiserver")


@probe(
    answers=(AboutNodes, AboutAgent),
    codes=(NODE_UNKNOWN, AGENT_MISSING, OPERATOR_MISSING, WORKLOAD_SHORT, CILIUM_PODS_RUN),
    needs=(Part.NODES, Part.CILIUM_PODS),
    uses=(Part.SYSTEM_WORKLOADS,),
    blocking=True,
)
def health_agents_run(question: AboutNodes | AboutAgent, facts: Facts) -> Iterator[Finding]:
    """Look for nodes without an agent, and for an operator."""
    nodes = [node.name for node in facts.nodes if question.node in (None, node.name)]
    if question.node and not nodes:
        yield from unknown_nodes((question.node,), facts)
        return
    by_component: dict[str | None, list[bool]] = {}
    for pod in facts.cilium_pods:
        by_component.setdefault(component_of(pod), []).append(not is_down(pod, None))
    agents = [pod for pod in facts.cilium_pods if component_of(pod) == "agent" and pod.node in nodes]
    troubles = list(_missing(nodes, {pod.node for pod in agents}))
    if not by_component.get("operator"):
        troubles.append(_no_operator(_workloads(facts)))
    if question.node is None:
        troubles += _short(facts)
    yield from troubles
    operators, relays = by_component.get("operator", []), by_component.get("relay", [])
    running = [pod for pod in agents if not is_down(pod, None)]
    if not troubles and len(running) == len(agents) and any(operators) and isinstance(question, AboutNodes):
        yield CILIUM_PODS_RUN.finding(
            Outcome.FINE, agents=len(running), nodes=len(nodes), operators=sum(operators), relays=sum(relays)
        )


def _missing(nodes: Sequence[str], with_agent: set[str | None]) -> Iterator[Finding]:
    without = [node for node in nodes if node not in with_agent]
    if without:
        yield AGENT_MISSING.finding(
            Outcome.PROBLEM,
            evidence=[Evidence("kubernetes", f"Node//{node}") for node in without[:MOST_NAMED]],
            weight=90,
            count=len(without),
            nodes=nodes_in_words(without),
        )


def _no_operator(workloads: Sequence[Workload]) -> Finding:
    stopped = [one for one in workloads if one.name.startswith("cilium-operator") and one.replicas == 0]
    why = Sentence("")
    if stopped:
        why = Sentence(": Deployment {name} wants 0 pods", {"name": f"{stopped[0].namespace}/{stopped[0].name}"})
    evidence = [Evidence("kubernetes", f"Deployment/{one.namespace}/{one.name}", "/spec/replicas") for one in stopped]
    return OPERATOR_MISSING.finding(Outcome.PROBLEM, evidence=evidence, weight=80, why=why)


def _short(facts: Facts) -> Iterator[Finding]:
    for one in _workloads(facts):
        if not one.name.startswith(_OWN) or one.replicas is None:
            continue
        labels = one.selector.items()
        found = sum(pod.namespace == one.namespace and labels <= pod.labels.items() for pod in facts.cilium_pods)
        if labels and found < one.replicas and (found or one.kind is Kind.DAEMON_SET):
            yield WORKLOAD_SHORT.finding(
                Outcome.PROBLEM,
                evidence=[Evidence("kubernetes", f"{one.kind.value}/{one.namespace}/{one.name}", "/status")],
                weight=78,
                kind=one.kind.value,
                workload=f"{one.namespace}/{one.name}",
                wanted=one.replicas,
                found=found,
            )


def _workloads(facts: Facts) -> Sequence[Workload]:
    look = facts.look(Part.SYSTEM_WORKLOADS)
    return look.value if isinstance(look, Known) else ()
