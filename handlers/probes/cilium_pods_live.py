"""Cilium's own pods run, and have done so for a while.

What counts is now: a pod that waits, or whose last run ended badly a moment ago. How often it restarted in its life is
a note, and so is an end after which it has run well for long.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from handlers.agents.life import component_of, end_in_words, ended_badly, is_down, is_recent
from handlers.commands.since import age_in_words
from handlers.connection.coverage import MOST_NAMED, nodes_in_words
from handlers.connection.observation import clock
from handlers.model.cluster import Node, Pod
from handlers.model.facts import Facts
from handlers.model.finding import Code, Evidence, Finding, Outcome, Sentence, code
from handlers.model.parts import Part
from handlers.model.question import AboutAgent, AboutNodes
from handlers.probes.probe import probe

CILIUM_POD_CRASHES = code(
    "CILIUM_POD_CRASHES",
    meaning="One of Cilium's own pods does not stay up: each run ends soon, and kubelet waits longer before the next.",
    template="{who} on {nodes} {count:restarts|restart} again and again, {restarts} time{restarts:|s} so far, "
    "now {waiting}; the last run {end} {age}",
    advice="Look at the end of the log of the run before (kubectl logs --previous).",
)
CILIUM_POD_NOT_READY = code(
    "CILIUM_POD_NOT_READY",
    meaning="One of Cilium's own pods is not ready.",
    template="{who} on {nodes} {count:is|are} not ready ({waiting})",
    advice="Look at the pod's events and logs.",
)
CILIUM_POD_RESTARTED = code(
    "CILIUM_POD_RESTARTED",
    meaning="One of Cilium's own pods runs, and was started again after a run that ended badly: a problem while that "
    "is a matter of minutes, a note later.",
    template="{who} on {nodes} {count:runs|run} again, after {restarts} restart{restarts:|s}; the last run {end} {age}",
    advice="If it comes again, look at the log of the run before (kubectl logs --previous).",
)
AGENT_RUNS = code(
    "AGENT_RUNS",
    meaning="The agent of a node runs and is ready.",
    template="Agent {pod} runs and is ready since {at}",
)

_MEMORY = (
    "Raise the memory limit of container {container}, or find what needs so much memory: many identities, policies, "
    "DNS names, large maps."
)
_WAITS = {
    "ImagePullBackOff": "The image cannot be pulled: check its name and tag, the registry, and pull secrets.",
    "ErrImagePull": "The image cannot be pulled: check its name and tag, the registry, and pull secrets.",
    "CreateContainerConfigError": "A ConfigMap or Secret that the container needs is not there.",
    "Pending": "The pod was not scheduled, or its volumes are not there: look at its events.",
}
"""What to do about what a pod waits for (Kubernetes, pkg/kubelet/images, kuberuntime)."""
_WEIGHTS = {"agent": 95, "operator": 80}
MANY_RESTARTS = 5
"""Restarts of a pod that runs well which are worth a note in the health of a whole cluster."""


@dataclass(frozen=True, slots=True)
class _Alike:
    """What pods have in common that are told of in one line."""

    spoken: Code
    component: str
    outcome: Outcome
    waiting: str
    end: str


@probe(
    answers=(AboutNodes, AboutAgent),
    codes=(CILIUM_POD_CRASHES, CILIUM_POD_NOT_READY, CILIUM_POD_RESTARTED, AGENT_RUNS),
    needs=(Part.NODES, Part.CILIUM_PODS),
    blocking=True,
)
def cilium_pods_live(question: AboutNodes | AboutAgent, facts: Facts) -> Iterator[Finding]:
    """Judge each pod of the nodes asked for, and say once what several have in common."""
    nodes = {node.name: node for node in facts.nodes}
    pods = [pod for pod in facts.cilium_pods if question.node in (None, pod.node) and component_of(pod)]
    alike: dict[_Alike, list[Pod]] = {}
    for pod in pods:
        found = _judged(pod, nodes, facts, is_of_one=isinstance(question, AboutAgent))
        if found:
            alike.setdefault(found, []).append(pod)
    for what, those in alike.items():
        yield _told(what, those, facts, asks_more=isinstance(question, AboutNodes))
    well = [pod for pod in pods if component_of(pod) == "agent" and not is_down(pod, nodes.get(pod.node or ""))]
    if isinstance(question, AboutAgent) and well:
        at = clock(well[0].ready_since) if well[0].ready_since else None
        yield AGENT_RUNS.finding(Outcome.FINE, evidence=_evidence(well), pod=well[0].name, at=at)


def _judged(pod: Pod, nodes: Mapping[str, Node], facts: Facts, *, is_of_one: bool) -> _Alike | None:
    component, end = component_of(pod) or "", pod.last_exit
    node = nodes.get(pod.node or "")
    words = f"{end.code} {end.reason}" if end else ""
    if pod.deleted:
        return None
    if is_down(pod, node):
        crashes = ended_badly(end) and (pod.restarts > 0 or "BackOff" in (pod.waiting or ""))
        spoken = CILIUM_POD_CRASHES if crashes else CILIUM_POD_NOT_READY
        waiting = pod.waiting or ("starting" if pod.phase == "Running" else pod.phase)
        return _Alike(spoken, component, Outcome.PROBLEM, waiting, words if crashes else "")
    if end is not None and ended_badly(end) and is_recent(end.at, facts.now):
        return _Alike(CILIUM_POD_RESTARTED, component, Outcome.PROBLEM, "", words)
    if pod.restarts >= (1 if is_of_one else MANY_RESTARTS):
        return _Alike(CILIUM_POD_RESTARTED, component, Outcome.FINE, "", words)
    return None


def _told(what: _Alike, pods: Sequence[Pod], facts: Facts, *, asks_more: bool) -> Finding:
    newest = max(pods, key=lambda pod: pod.last_exit.at.timestamp() if pod.last_exit and pod.last_exit.at else 0.0)
    first, end = pods[0], newest.last_exit
    who = Sentence("{component} {pod}", {"component": Sentence(what.component.capitalize()), "pod": first.name})
    if len(pods) > 1:
        who = Sentence("{count} {component}", {"count": len(pods), "component": Sentence(f"{what.component} pods")})
    is_memory = what.outcome is Outcome.PROBLEM and end is not None and end.reason == "OOMKilled"
    weight = _WEIGHTS.get(what.component, 60) - (40 if what.spoken is CILIUM_POD_RESTARTED else 0)
    return what.spoken.finding(
        what.outcome,
        evidence=_evidence(pods),
        advice=_MEMORY.format(container=end.container) if is_memory and end else _WAITS.get(what.waiting),
        follow_up=f"agent {first.node}" if asks_more and what.component == "agent" and first.node else "",
        weight=weight,
        who=who,
        nodes=nodes_in_words({pod.node or "no node" for pod in pods}),
        count=len(pods),
        restarts=max(pod.restarts for pod in pods),
        waiting=what.waiting,
        end=end_in_words(end),
        age=age_in_words(end.at if end else None, facts.now),
    )


def _evidence(pods: Iterable[Pod]) -> list[Evidence]:
    return [
        Evidence(
            "kubernetes",
            f"Pod/{pod.namespace}/{pod.name}",
            "/status/containerStatuses",
            at=pod.last_exit.at if pod.last_exit else pod.ready_since,
        )
        for pod in list(pods)[:MOST_NAMED]
    ]
