"""Each end has pods that run and are ready.

A workload without running pods has nobody to talk. Pods that are not ready keep their address and their policy, but no
Service sends them anything.
"""

from collections.abc import Iterable, Iterator

from handlers.connection.legs import LEG_PARTS, places_of
from handlers.connection.trial import Trial
from handlers.model.cluster import Pod
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.question import AboutConnection
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, Meaning, Resolved
from handlers.probes.probe import probe

NO_RUNNING_PODS = code(
    "NO_RUNNING_PODS",
    meaning="The workload has no running pod, so there is no endpoint at this end.",
    template="{title} has no running pod",
    advice="Look at the workload's replicas and events.",
)
PODS_WITHOUT_ADDRESS = code(
    "PODS_WITHOUT_ADDRESS",
    meaning="The pods have no address yet, so nothing reaches them and they reach nothing.",
    template="No pod of {title} has an address yet",
    advice="Look at the pods' events: scheduling, images, or the CNI plugin.",
)
PODS_NOT_READY = code(
    "PODS_NOT_READY",
    meaning="Some pods run but are not ready; Services leave them out.",
    template="{count} of {total} pods of {title} are not ready ({reasons})",
    advice="Look at the pod's events and its readiness probe.",
)
PODS_READY = code(
    "PODS_READY",
    meaning="Every pod at this end runs and is ready.",
    template="{title}: {total} ready",
)


@probe(
    answers=(AboutConnection,),
    codes=(NO_RUNNING_PODS, PODS_WITHOUT_ADDRESS, PODS_NOT_READY, PODS_READY),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS),
    hop=Hop.RESOLVE,
    blocking=True,
)
def endpoints_run(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge the pods of each end that is pods."""
    ends = needed(Trial(question.connection, facts).ends)
    for end in (ends.source, ends.destination):
        if end.obstacle is None and end.meaning in (Meaning.POD, Meaning.WORKLOAD):
            yield _judge(end)
    if ends.source.service and ends.are_clear and not places_of(ends.source, facts):
        # As a source a Service stands for the pods behind it.
        yield NO_RUNNING_PODS.finding(Outcome.PROBLEM, hop=Hop.RESOLVE, blocking=True, title=ends.source.title)


def _judge(end: Resolved) -> Finding:
    running = [pod for pod in end.pods if pod.is_running]
    unready = [pod for pod in running if pod.ready is not True]
    if not running:
        return NO_RUNNING_PODS.finding(
            Outcome.PROBLEM, hop=Hop.RESOLVE, blocking=True, evidence=_evidence(end.pods), title=end.title
        )
    if not any(pod.ips for pod in running):
        return PODS_WITHOUT_ADDRESS.finding(
            Outcome.PROBLEM, hop=Hop.RESOLVE, blocking=True, evidence=_evidence(running), title=end.title
        )
    if unready:
        return PODS_NOT_READY.finding(
            Outcome.PROBLEM,
            hop=Hop.RESOLVE,
            evidence=_evidence(unready),
            title=end.title,
            count=len(unready),
            total=len(running),
            reasons=tuple(sorted({pod.waiting or pod.phase for pod in unready})),
        )
    return PODS_READY.finding(Outcome.FINE, hop=Hop.RESOLVE, blocking=True, title=end.title, total=len(running))


def _evidence(pods: Iterable[Pod]) -> list[Evidence]:
    return [Evidence("kubernetes", f"Pod/{pod.namespace}/{pod.name}", "/status") for pod in list(pods)[:5]]
