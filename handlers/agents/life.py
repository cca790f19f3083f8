"""How Cilium's own pods live: which part of Cilium each is, whether it runs, and how its last run ended."""

from datetime import datetime, timedelta

from handlers.model.cluster import LastExit, Node, Pod
from handlers.model.finding import Sentence

RECENT = timedelta(minutes=15)
"""How long after an unclean end a pod that runs again is still worth a look; what ran well for longer is a note."""

_KILLED, _TERMINATED, _LOST = 137, 143, 255
"""Exit codes: 128 and the signal (SIGKILL, SIGTERM); what runtimes write of a run whose end they did not see."""


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


def is_down(pod: Pod, node: Node | None) -> bool:
    """Whether the pod does not run. One that nothing but its node's state makes unready goes on running."""
    if pod.waiting or pod.phase != "Running":
        return True
    return pod.ready is not True and not (node is not None and node.ready is False)


def ended_badly(end: LastExit | None) -> bool:
    """Whether a run ended by a fault of its own or by being killed; a node that was started again is none."""
    return end is not None and end.code not in (None, 0, _TERMINATED, _LOST) and end.reason != "Unknown"


def is_recent(at: datetime | None, now: datetime) -> bool:
    """Whether something happened within the time that is worth a look."""
    return at is not None and now - at <= RECENT


def end_in_words(end: LastExit | None) -> Sentence:
    """Say how a run ended."""
    if end is None:
        return Sentence("ended in a way that is not known")
    values = {"code": end.code, "reason": end.reason or "no reason given"}
    if end.reason == "OOMKilled":
        return Sentence("was killed for want of memory ({reason}, exit code {code})", values)
    if end.code == _KILLED:
        return Sentence("was killed, as by a failed liveness probe or by hand ({reason}, exit code {code})", values)
    if end.code == _LOST or end.reason == "Unknown":
        return Sentence("was lost with its node or its runtime ({reason}, exit code {code})", values)
    if end.code in (0, _TERMINATED):
        return Sentence("was asked to end ({reason}, exit code {code})", values)
    return Sentence("ended with an error ({reason}, exit code {code})", values)
