"""Exactly one balances Services on every node: Cilium where it replaces kube-proxy, else kube-proxy.

Two of them rewrite the same connections, each with rules of its own; the leftover of an upgrade works until its rules
differ. With none, pods still reach ClusterIPs when they connect through sockets, and nothing answers nodePorts.
"""

from collections.abc import Iterator

from handlers.balancing.kube_proxy import may_be_hidden
from handlers.connection.coverage import nodes_in_words
from handlers.connection.forwarding import forwarding_of
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutNodes, AboutService
from handlers.model.snapshot import Known
from handlers.probes.probe import probe

KUBE_PROXY_BESIDE = code(
    "KUBE_PROXY_BESIDE",
    meaning="kube-proxy runs on nodes on which Cilium replaces it.",
    template="kube-proxy runs on {nodes} although Cilium replaces it there (KubeProxyReplacement: {mode}); a "
    "misconfiguration, though traffic may well work",
    advice="Delete the kube-proxy DaemonSet and its ConfigMap, and clean its iptables rules on every node "
    "(cilium.io, Kubernetes Without kube-proxy).",
)
KUBE_PROXY_NOBODY = code(
    "KUBE_PROXY_NOBODY",
    meaning="Cilium does not replace kube-proxy, and no kube-proxy runs: nobody serves nodePorts and hosts.",
    template="Cilium does not replace kube-proxy (KubeProxyReplacement: {mode}), and no pod of kube-proxy runs on "
    "{nodes}: pods reach ClusterIPs through sockets, but hosts do not, and nodePorts and load balancers lead nowhere",
    advice="Set kubeProxyReplacement to true, or bring kube-proxy back.",
)
KUBE_PROXY_SETTLED = code(
    "KUBE_PROXY_SETTLED",
    meaning="Services are balanced by Cilium alone, or by kube-proxy where Cilium does not replace it.",
    template="Services are balanced by {who}",
)
_REPLACES = ("true", "strict")


@probe(
    answers=(AboutNodes, AboutService),
    codes=(KUBE_PROXY_BESIDE, KUBE_PROXY_NOBODY, KUBE_PROXY_SETTLED),
    needs=(Part.NODES, Part.KUBE_PROXIES),
    uses=(Part.CONFIG, Part.AGENT_STATUS),
    hop=Hop.SERVICE,
)
def kube_proxy_is_settled(question: AboutNodes | AboutService, facts: Facts) -> Iterator[Finding]:
    """Hold each node's mode against the kube-proxy that runs there; a node whose mode is not known is left out."""
    asked = question.node if isinstance(question, AboutNodes) else None
    beside: dict[str, list[str]] = {}
    nobody: dict[str, list[str]] = {}
    settled: dict[str, None] = {}
    proxies = {pod.node: pod for pod in facts.value(Part.KUBE_PROXIES) if pod.is_running}
    for node in facts.nodes:
        mode = _mode(node.name, facts)
        if asked not in (None, node.name) or mode is None:
            continue
        replaces, runs = mode.lower() in _REPLACES, node.name in proxies
        if replaces and runs:
            beside.setdefault(mode, []).append(node.name)
        elif not replaces and not runs and not may_be_hidden(node):
            nobody.setdefault(mode, []).append(node.name)
        else:
            settled["Cilium, in kube-proxy's place" if replaces else "kube-proxy"] = None
    for spoken, by_mode in ((KUBE_PROXY_BESIDE, beside), (KUBE_PROXY_NOBODY, nobody)):
        for mode, nodes in by_mode.items():
            pods = [proxies[name] for name in nodes if name in proxies][:3]
            owners = dict.fromkeys(f"DaemonSet/{pod.namespace}/{pod.owner.name}" for pod in pods if pod.owner)
            said = f"KubeProxyReplacement: {mode}"
            yield spoken.finding(
                Outcome.PROBLEM,
                hop=Hop.SERVICE,
                evidence=[
                    *(Evidence("kubernetes", owner) for owner in owners),
                    *(Evidence("kubernetes", f"Pod/{pod}", "/status/phase") for pod in pods),
                    *(Evidence("agent", f"Node//{name}", excerpt=said) for name in nodes[:3]),
                ],
                weight=55,
                nodes=nodes_in_words(nodes),
                mode=mode,
            )
    if settled and not beside and not nobody:
        yield KUBE_PROXY_SETTLED.finding(Outcome.FINE, hop=Hop.SERVICE, who=tuple(settled))


def _mode(node: str, facts: Facts) -> str | None:
    """Return what the node's agent says, else what the configuration makes of every node, None where neither tells."""
    look = facts.look(Part.AGENT_STATUS)
    answer = look.value.on(node) if isinstance(look, Known) else look
    if isinstance(answer, Known) and answer.value.kube_proxy_replacement:
        return answer.value.kube_proxy_replacement
    forwarding = forwarding_of(facts)
    return None if forwarding is None else str(forwarding.replaces_kube_proxy)
