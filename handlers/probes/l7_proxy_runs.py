"""The proxy that L7 rules need runs on the node of each pod that they select.

HTTP and Kafka are read by Envoy, inside the agent or in a DaemonSet of its own (external-envoy-proxy); names are looked
up through a proxy that is part of the agent. Where Envoy is missing an endpoint waits for it, and stays as it was.
"""

from collections.abc import Iterator

from handlers.commands.l7 import L7OfConnection, L7OfPolicy
from handlers.connection.l7_filters import pods_in_words, shortened
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS
from handlers.model.cluster import Pod
from handlers.model.facts import Facts
from handlers.model.finding import Code, Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.snapshot import Known, Missing
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

L7_NO_ENVOY = code(
    "L7_NO_ENVOY",
    meaning="Envoy is to run in a DaemonSet of its own, and has no ready pod on the node: endpoints there wait for it, "
    "and go on with the policy that they had.",
    template="No Envoy runs on {nodes}: external-envoy-proxy is on, and {how}; {policies} is not enforced for {pods}",
    reason="no Envoy runs on {nodes}, and {policies} needs it",
    advice="Look at the DaemonSet cilium-envoy; endpoints that still wait once it runs need their agent restarted.",
)
L7_ENVOY_RUNS = code(
    "L7_ENVOY_RUNS",
    meaning="The proxy that the L7 rules need runs on the node.",
    template="Envoy runs on {nodes}, {how}",
)
L7_ENVOY_UNTOLD = code(
    "L7_ENVOY_UNTOLD",
    meaning="Nothing tells whether Envoy runs there.",
    template="Cannot tell whether Envoy runs on {nodes}: {how}",
)
_APP = "cilium-envoy"


@probe(
    answers=(L7OfPolicy, L7OfConnection),
    codes=(L7_NO_ENVOY, L7_ENVOY_RUNS, L7_ENVOY_UNTOLD),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, Part.ENDPOINT_SLICES, Part.CILIUM_PODS),
    hop=Hop.L7,
)
def l7_proxy_runs(question: L7OfPolicy | L7OfConnection, facts: Facts) -> Iterator[Finding]:
    """Judge each node once; where the proxy is off altogether (enable-l7-proxy), agents refuse the policy itself."""
    filters = [one for one in question.filters(facts) if one.needs_envoy]
    told: dict[tuple[Code, Outcome, str], list[str]] = {}
    for node in dict.fromkeys(one.pod.node for one in filters if one.pod.node):
        told.setdefault(_on(node, facts), []).append(node)
    for (about, outcome, how), nodes in told.items():
        there = [one for one in filters if one.pod.node in nodes]
        yield about.finding(
            outcome,
            hop=Hop.L7,
            weight=94 if outcome is Outcome.PROBLEM else 0,
            evidence=[Evidence("kubernetes", "ConfigMap/kube-system/cilium-config", "/data/external-envoy-proxy")],
            follow_up=f"health {nodes[0]}" if outcome is Outcome.PROBLEM else "",
            nodes=shortened(nodes),
            how=how,
            policies=tuple(dict.fromkeys(str(one.rule.origin.policy) for one in there)),
            pods=pods_in_words(there),
        )


def _on(node: str, facts: Facts) -> tuple[Code, Outcome, str]:
    config, running = facts.look(Part.CONFIG), facts.look(Part.CILIUM_PODS)
    envoys = [pod for pod in running.value if _is_envoy(pod) and pod.node == node] if isinstance(running, Known) else []
    if any(pod.ready for pod in envoys):
        return L7_ENVOY_RUNS, Outcome.FINE, "in a pod of its own"
    if isinstance(config, Missing) or isinstance(running, Missing):
        detail = next(look.detail for look in (config, running) if isinstance(look, Missing))
        return L7_ENVOY_UNTOLD, Outcome.UNKNOWN, detail
    if config.value.options.get("external-envoy-proxy", "false").lower() != "true":
        return L7_ENVOY_RUNS, Outcome.FINE, "inside the agent"
    return L7_NO_ENVOY, Outcome.PROBLEM, "its pod is not ready" if envoys else "there is no pod of cilium-envoy"


def _is_envoy(pod: Pod) -> bool:
    return pod.labels.get("k8s-app") == _APP or pod.labels.get("app.kubernetes.io/name") == _APP
