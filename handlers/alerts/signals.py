"""From alerts to what they say: by the words of events, by the table of known alerts, by labels."""

import re
from collections.abc import Iterator
from dataclasses import replace

from handlers.alerts.alert import Alert, Form, Labels
from handlers.alerts.described import described
from handlers.alerts.ends import victim_of
from handlers.alerts.known import known_alert
from handlers.alerts.known.entry import node_in
from handlers.alerts.labels import canonical, of_the_victim
from handlers.alerts.noise import is_about_other_matters, why_not_network
from handlers.alerts.signal import Cause, Decision, Signal
from handlers.alerts.spoken import packet_drop, probe_failure
from handlers.alerts.unknown import signals_of_unknown
from handlers.names.grammar import is_label

_NO_NETWORK_FOR_POD = re.compile(r"network|cni|cilium", re.IGNORECASE)
_WAITS = re.compile(r"CrashLoopBackOff|ImagePullBackOff|ErrImagePull|CreateContainer(?:Config)?Error", re.IGNORECASE)
_LACKS_REPLICAS = re.compile(
    r"\b(?:less|fewer|missing|unavailable|not enough)\b[^.\n]{0,40}\breplicas?\b"
    r"|\breplicas? (?:is |are )?(?:unavailable|missing|not ready)\b",
    re.IGNORECASE,
)
"""Datadog's recommended monitors say it so."""
_IS_UNREADY = re.compile(
    r"\bpods?\b[^.\n]{0,80}\b(?:not|non|un)[ -]?ready\b|\bunready pods?\b|\breadiness\b[^.\n]{0,20}\bfail",
    re.IGNORECASE,
)
_NODE_EVENTS = frozenset({"NodeNotReady", "NodeNotSchedulable", "Unreachable"})


def signals_of(alert: Alert) -> tuple[Signal, ...]:
    """Return what an alert says: at least one signal, which may be that it is not about the network."""
    if alert.choices:
        several = [signal for labels in alert.choices for signal in _of(replace(alert, labels=labels, choices=()))]
        doubt = "its words can be read in several ways; choose one"
        return tuple(
            replace(signal, decision=Decision.ASK, reason=doubt) if signal.decision is not Decision.IGNORE else signal
            for signal in several
        )
    return tuple(_of(alert))


def _of(alert: Alert) -> Iterator[Signal]:
    if question := alert.labels.get("question", ""):
        yield Signal(Cause.WRITTEN, question, questions=(question,))
        return
    if not alert.name and not alert.words and not alert.labels:
        yield Signal(Cause.OTHER, "says nothing", decision=Decision.IGNORE, reason="it is empty")
        return
    labels = of_the_victim(canonical(alert.labels.items()))
    is_pair = any(name.startswith(("source", "destination")) for name in labels)
    if victim_of(labels) is None and not is_pair and alert.words:
        labels = {**described(alert.words), **labels}
    yield from _by_event(alert, labels) if alert.form is Form.EVENT else _by_name(alert, labels)


def _by_event(alert: Alert, labels: Labels) -> Iterator[Signal]:
    spoken = packet_drop(alert.words, labels) or probe_failure(alert.words, labels)
    victim, node = victim_of(labels), node_in(labels)
    if spoken is not None:
        yield spoken
    elif alert.name in _NODE_EVENTS:
        yield Signal(Cause.NODE, f"node {node} is not ready" if node else "a node is not ready", node=node)
    elif alert.name == "FailedCreatePodSandBox" and _NO_NETWORK_FOR_POD.search(alert.words):
        yield Signal(Cause.ENDPOINT, "gets no network", destination=victim, node=node)
    elif alert.name == "BackOff" and "restarting" in alert.words:
        crashing = known_alert("KubePodCrashLooping")
        yield from crashing.read(alert, labels) if crashing else ()
    elif alert.name == "Unhealthy":
        reason = "why the probe failed is not said in words that are known"
        yield Signal(Cause.UNREADY, "is unhealthy", destination=victim, decision=Decision.ASK, reason=reason, node=node)
    else:
        reason = "events of this reason are not about the network"
        claim = f"event {alert.name}".strip()
        yield Signal(Cause.OTHER, claim, destination=victim, decision=Decision.IGNORE, reason=reason)


def _by_name(alert: Alert, labels: Labels) -> Iterator[Signal]:
    spoken = packet_drop(alert.words, labels) or probe_failure(alert.words, labels)
    if spoken is not None:
        yield spoken if spoken.destination is not None or spoken.source is not None else _in_doubt(spoken)
        return
    if known := known_alert(alert.name):
        found = list(known.read(alert, labels))
        yield from found or [_nobody(labels)]
    elif why := why_not_network(alert.name):
        yield Signal(Cause.OTHER, "is not about the network", decision=Decision.IGNORE, reason=why)
    elif _LACKS_REPLICAS.search(f"{alert.name} {alert.words}") and victim_of(labels) is not None:
        known = known_alert("KubeDeploymentReplicasMismatch")
        yield from (list(known.read(alert, labels)) if known else []) or [_nobody(labels)]
    elif _IS_UNREADY.search(words := f"{alert.name} {alert.words}") and _is_of_pods(labels, words):
        known = known_alert("KubePodNotReady" if "pod" in labels else "KubeDeploymentReplicasMismatch")
        yield from (list(known.read(alert, labels)) if known else []) or [_nobody(labels)]
    elif waits := _WAITS.search(f"{alert.name} {alert.words}"):
        yield from _waiting(alert, {"reason": waits[0], **labels})
    else:
        yield from signals_of_unknown(alert, labels)


def _is_of_pods(labels: Labels, words: str) -> bool:
    is_pair = any(name.startswith(("source", "destination")) for name in labels)
    return victim_of(labels) is not None and not is_pair and not is_about_other_matters(words)


def _waiting(alert: Alert, labels: Labels) -> Iterator[Signal]:
    """Read an alert that nobody declared, and that says as what its container waits."""
    known = known_alert("KubeContainerWaiting")
    yield from (list(known.read(alert, labels)) if known else []) or [_nobody(labels)]


def _in_doubt(signal: Signal) -> Signal:
    if signal.decision is Decision.IGNORE:
        return signal
    return replace(signal, decision=Decision.ASK, reason="it does not say which pod it is about")


def _nobody(labels: Labels) -> Signal:
    namespace = labels.get("namespace", "")
    namespace = namespace if is_label(namespace) else ""
    reason = "it does not name whom it is about"
    return Signal(Cause.OTHER, "names nobody", namespace=namespace, decision=Decision.ASK, reason=reason)
