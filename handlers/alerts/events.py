"""Kubernetes events, core/v1 and events.k8s.io/v1, one or a list: what is about the network, and of which object."""

from collections.abc import Iterable, Mapping
from typing import Any

from handlers.alerts.alert import LONGEST_TEXT, MOST_ALERTS, Alert, Form, Received, text_in

KINDS = ("Event", "EventList")


def is_events(document: Mapping[str, Any]) -> bool:
    """Whether a document is an event, a list of events, or a watch's frame with one inside."""
    if document.get("kind") in KINDS or _is_bare(document):
        return True
    items = document.get("items")
    if document.get("kind") == "List" and isinstance(items, list):
        return any(isinstance(item, dict) and item.get("kind") == "Event" for item in items[:MOST_ALERTS])
    return _is_frame(document)


def _is_bare(document: Mapping[str, Any]) -> bool:
    """Whether a document is an event as items of a list are: without its kind."""
    return "reason" in document and any(
        isinstance(document.get(name), dict) for name in ("involvedObject", "regarding")
    )


def _is_frame(document: Mapping[str, Any]) -> bool:
    inside = document.get("object")
    return "type" in document and isinstance(inside, dict) and inside.get("kind") == "Event"


def read_events(document: Mapping[str, Any]) -> Received:
    """Return an alert of each event."""
    if _is_frame(document):
        return read_events(document["object"])
    is_one = document.get("kind") == "Event" or _is_bare(document)
    items = [document] if is_one else document.get("items")
    found = [item for item in (items if isinstance(items, list) else []) if isinstance(item, dict)]
    cut_off = max(0, len(found) - MOST_ALERTS)
    return Received(tuple(_alert(item) for item in found[:MOST_ALERTS]), cut_off)


def _alert(event: Mapping[str, Any]) -> Alert:
    about = _first(event, "involvedObject", "regarding")
    kind = text_in(about.get("kind"))
    labels = {"event_type": text_in(event.get("type"))}
    name, namespace = text_in(about.get("name")), text_in(about.get("namespace"))
    if kind == "Node":
        labels["node"] = name
    else:
        labels |= {"namespace": namespace, _LABEL_OF_KIND.get(kind, kind.lower() or "object"): name}
        # The kubelet says on which node it is; Cilium's agent says its own name alone.
        source = _first(event, "source", "deprecatedSource")
        labels |= {"node": text_in(source.get("host"))} if text_in(source.get("host")) else {}
        if "node" not in labels and "kubelet" in text_in(event.get("reportingComponent") or source.get("component")):
            labels["node"] = text_in(event.get("reportingInstance"))
    metadata = event.get("metadata") if isinstance(event.get("metadata"), dict) else {}
    return Alert(
        name=text_in(event.get("reason"), 128),
        labels={name: value for name, value in labels.items() if value},
        form=Form.EVENT,
        words=text_in(event.get("message") or event.get("note"), LONGEST_TEXT),
        starts_at=_first_text(event.get(name) for name in ("firstTimestamp", "eventTime", "lastTimestamp")),
        fingerprint=text_in((metadata or {}).get("uid"), 64),
    )


_LABEL_OF_KIND = {
    "Pod": "pod",
    "Deployment": "deployment",
    "StatefulSet": "statefulset",
    "DaemonSet": "daemonset",
    "ReplicaSet": "replicaset",
    "Job": "job_name",
    "Service": "service",
}


def _first(event: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return next((found for name in names if isinstance(found := event.get(name), dict)), {})


def _first_text(values: Iterable[object]) -> str:
    return next((text for value in values if (text := text_in(value, 64))), "")
