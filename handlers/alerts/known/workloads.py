"""Alerts about pods and workloads, as kube-state-metrics sees them."""

import re
from collections.abc import Iterator
from dataclasses import replace

from handlers.alerts.alert import Alert, Labels
from handlers.alerts.ends import victim_of
from handlers.alerts.known.entry import KnownAlert, node_in
from handlers.alerts.labels import is_agent
from handlers.alerts.signal import Cause, Decision, Signal
from handlers.model.endpoint import Named

_MIXIN = "kube-prometheus, kubernetesControlPlane-prometheusRule.yaml"
_AWESOME = "samber/awesome-prometheus-alerts, Kubernetes"
_PULL = re.compile(r"ImagePull|ErrImage|InvalidImage|RegistryUnavailable", re.IGNORECASE)
_CREATE = re.compile(r"Create(?:Container)?(?:Config)?Error|RunContainerError|CreateContainerError", re.IGNORECASE)
_REASON_IN_WORDS = re.compile(r"reason: *[\"“]?([A-Za-z]{3,40})")


def _is_unready(alert: Alert, labels: Labels) -> Iterator[Signal]:
    yield from _of_victim(alert, labels, "is not ready")


def _crashes(alert: Alert, labels: Labels) -> Iterator[Signal]:
    if "oom" in _reason(alert, labels).lower():
        yield _not_network(labels, "is killed for its memory", "it is killed for its memory, not by the network")
        return
    for signal in _of_victim(alert, labels, "crashes"):
        # What crashes has mostly not reached something: its own drops come before the kubelet's probe.
        victim = signal.destination
        is_whole = isinstance(victim, Named) and victim.namespace is not None and signal.cause is Cause.UNREADY
        drops = (f"drops {victim.namespace}/{victim.name}",) if isinstance(victim, Named) and is_whole else ()
        yield replace(signal, questions=drops)


def _waits(alert: Alert, labels: Labels) -> Iterator[Signal]:
    reason = _reason(alert, labels)
    if _PULL.search(reason):
        why = "images are pulled by the node: policies of pods have no say in that"
        yield _not_network(labels, "cannot pull its image", why)
    elif _CREATE.search(reason):
        yield _not_network(labels, "cannot be created", f"{reason} is about the container's own configuration")
    elif reason.lower() == "crashloopbackoff":
        yield from _crashes(alert, labels)
    elif victim := victim_of(labels):
        if reason.lower() in ("containercreating", "podinitializing"):
            yield Signal(Cause.ENDPOINT, "waits for its network", destination=victim, node=node_in(labels))
        else:
            doubt = "a container that waits is mostly no matter of the network, and nothing says why this one does"
            yield Signal(Cause.UNREADY, "waits", destination=victim, decision=Decision.ASK, reason=doubt)


def _of_victim(alert: Alert, labels: Labels, claim: str) -> Iterator[Signal]:
    victim = victim_of(labels)
    if is_agent(labels):
        yield Signal(Cause.AGENT, f"{claim}: Cilium's own", destination=victim, node=node_in(labels))
    elif victim is not None:
        decision = Decision.TRIAGE if victim.namespace else Decision.ASK
        reason = "" if victim.namespace else "it does not say in which namespace"
        yield Signal(Cause.UNREADY, claim, None, victim, node=node_in(labels), decision=decision, reason=reason)


def _not_network(labels: Labels, claim: str, reason: str) -> Signal:
    return Signal(Cause.OTHER, claim, destination=victim_of(labels), decision=Decision.IGNORE, reason=reason)


def _reason(alert: Alert, labels: Labels) -> str:
    found = _REASON_IN_WORDS.search(alert.words)
    return labels.get("reason") or (found[1] if found else "")


KNOWN = (
    KnownAlert(
        (
            "KubePodNotReady",
            "KubernetesPodNotHealthy",
        ),
        "A pod is not ready: the kubelet's probe, or what the pod needs, does not get through.",
        f"{_MIXIN}; {_AWESOME}",
        _is_unready,
        ("namespace", "pod"),
        also=(
            "KubernetesPodNotReady",
            "PodNotReady",
            "KubernetesContainerNotReady",
        ),
    ),
    KnownAlert(
        (
            "KubePodCrashLooping",
            "KubernetesPodCrashLooping",
        ),
        "A container ends again and again: mostly it does not reach what it needs.",
        f"{_MIXIN}; {_AWESOME}",
        _crashes,
        ("namespace", "pod"),
        also=(
            "PodCrashLooping",
            "KubePodRestarting",
        ),
    ),
    KnownAlert(
        (
            "KubeDeploymentReplicasMismatch",
            "KubeDeploymentRolloutStuck",
            "KubeDeploymentGenerationMismatch",
            "KubernetesDeploymentReplicasMismatch",
            "KubernetesReplicasetReplicasMismatch",
        ),
        "Pods of a Deployment are missing or not ready.",
        f"{_MIXIN}; {_AWESOME}",
        _is_unready,
        ("deployment", "namespace"),
        also=("KubernetesReplicaSetMismatch",),
    ),
    KnownAlert(
        (
            "KubeStatefulSetReplicasMismatch",
            "KubeStatefulSetUpdateNotRolledOut",
            "KubeStatefulSetGenerationMismatch",
            "KubernetesStatefulsetDown",
            "KubernetesStatefulsetReplicasMismatch",
            "KubernetesStatefulsetUpdateNotRolledOut",
        ),
        "Pods of a StatefulSet are missing or not ready.",
        f"{_MIXIN}; {_AWESOME}",
        _is_unready,
        ("namespace", "statefulset"),
    ),
    KnownAlert(
        (
            "KubeDaemonSetRolloutStuck",
            "KubeDaemonSetNotScheduled",
            "KubeDaemonSetMisScheduled",
            "KubernetesDaemonsetRolloutStuck",
        ),
        "Pods of a DaemonSet are missing or not ready.",
        f"{_MIXIN}; {_AWESOME}",
        _is_unready,
        ("daemonset", "namespace"),
    ),
    KnownAlert(
        (
            "KubeJobFailed",
            "KubernetesJobFailed",
            "KubeJobNotCompleted",
            "KubernetesJobSlowCompletion",
        ),
        "Pods of a Job failed; they may be gone, and only flows tell of them.",
        f"{_MIXIN}; {_AWESOME}",
        _crashes,
        ("job_name", "namespace"),
    ),
    KnownAlert(
        ("KubeContainerWaiting",),
        "A container waits: for its network (ContainerCreating), or for its image, in which policies have no say.",
        _MIXIN,
        _waits,
        ("namespace", "pod"),
    ),
)
