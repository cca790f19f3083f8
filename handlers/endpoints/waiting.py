"""Policies that wait for an agent: what changed while the agent of a node was down is not in force there."""

from collections.abc import Iterable, Iterator

from handlers.connection.coverage import nodes_in_words
from handlers.connection.observation import clock
from handlers.connection.policies import policies_of
from handlers.model.cluster import Pod
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.policy.pods import pod_party

POLICY_WAITS = code(
    "POLICY_WAITS",
    meaning="A policy changed after the agent of a node had stopped, so it is not in force on that node's endpoints.",
    template="{policy} changed after the agent of {node} had stopped ({since}): not in force on {endpoints}",
    advice="It is realised when the agent runs again; until then the policy of before is enforced.",
)


def agent_pods(facts: Facts) -> dict[str | None, Pod]:
    """Return the pod of each node's agent.

    Raises:
        PartMissingError: if Cilium's own pods were not read.
    """
    return {pod.node: pod for pod in facts.cilium_pods if pod.labels.get("k8s-app") == "cilium" and not pod.deleted}


def is_down(agent: Pod, *, is_node_ready: bool) -> bool:
    """Whether an agent does not run; the pods of a node that is not ready are marked so, whatever they do."""
    return agent.ready is not True and (agent.waiting is not None or is_node_ready)


def policies_waiting(agent: Pod, pods: Iterable[Pod], facts: Facts) -> Iterator[Finding]:
    """Name the policies that changed since an agent is not ready, with those of its pods that they select.

    Raises:
        PartMissingError: if the policies or the nodes were not read.
    """
    since = agent.ready_since
    if since is None:
        return
    # Both times are whole seconds.
    changed = {policy.ref for policy in facts.policies if policy.changed_at and policy.changed_at >= since}
    waiting: dict[str, list[str]] = {}
    for pod in pods:
        selecting = policies_of(facts).selecting(pod_party(pod, facts, policies_of(facts)))
        for ref in dict.fromkeys(str(summary.policy) for summary in selecting):
            if ref in changed:
                waiting.setdefault(ref, []).append(str(pod))
    for ref, names in waiting.items():
        kind, _, name = ref.partition("/")
        yield POLICY_WAITS.finding(
            Outcome.PROBLEM,
            evidence=[
                Evidence("kubernetes", ref),
                Evidence("kubernetes", f"Pod/{agent}", "/status/conditions", at=since),
            ],
            weight=82,
            policy=f"{kind} {name.removeprefix('/')}",
            node=agent.node,
            since=clock(since),
            endpoints=nodes_in_words(names),
        )
