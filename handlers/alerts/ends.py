"""From a value that stands in an alert to an end of a connection, or to nothing: names are hostile until proven.

``source`` and ``destination`` of Hubble's metrics have the shape that their context chose (Cilium 1.20.2,
Documentation/observability/metrics.rst): ``namespace/pod``, ``namespace/workload``, a workload's name alone, an
address, a DNS name, a reserved identity, the number of an identity, or nothing.
"""

import ipaddress
import re
from collections.abc import Mapping

from handlers.alerts.alert import Labels
from handlers.model.endpoint import Address, EndpointName, Entity, EntityName, HostName, Kind, Named
from handlers.names.grammar import is_label

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_HOST_NAME = re.compile(r"(?=.{3,253}$)[a-z0-9](?:[-a-z0-9_]{0,62})(?:\.[a-z0-9](?:[-a-z0-9_]{0,62})){1,10}\.?")
_IN_CLUSTER = re.compile(r"([a-z0-9-]{1,63})\.([a-z0-9-]{1,63})\.svc(?:\.[a-z0-9.-]{1,100})?")
_SHORT = re.compile(r"([a-z0-9-]{1,63})\.([a-z0-9-]{1,63})")
"""``cart.shop``: a Service by its short name, which the cluster's DNS completes; with a port that no web site has."""
_PUBLIC = re.compile(r"com|net|org|io|dev|app|cloud|info|local|internal|lan|[a-z]{2}")
_URL = re.compile(r"(?:(?P<scheme>[a-z][a-z0-9+.-]{0,15})://)?(?:[^@/\s]{0,100}@)?(?P<authority>[^/?#\s]{1,300})")
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443, "dns": 53}
_RANDOM = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names (Kubernetes, apimachinery/pkg/util/rand)."""
_OF_DEPLOYMENT = re.compile(rf"(?P<name>.+)-[{_RANDOM}]{{6,10}}-[{_RANDOM}]{{5}}")
_OF_SET = re.compile(rf"(?P<name>.+)-(?:\d{{1,4}}|[{_RANDOM}]{{5}})")
_APP_LABELS = ("app.kubernetes.io/name", "app", "k8s-app", "app.kubernetes.io/instance", "name")
_RESERVED = {"world-ipv4": "world", "world-ipv6": "world"}

WORKLOAD_KINDS: Mapping[str, Kind] = {
    "deployment": Kind.DEPLOYMENT,
    "statefulset": Kind.STATEFUL_SET,
    "daemonset": Kind.DAEMON_SET,
    "replicaset": Kind.REPLICA_SET,
    "job_name": Kind.JOB,
    "cronjob": Kind.CRON_JOB,
}
"""Labels of kube-state-metrics that name a workload."""


def named(namespace: str, name: str, kind: Kind | None = None) -> Named | None:
    """Return the name of an object, None where one of the two can be no name; an empty namespace is none."""
    namespace, name = namespace.lower(), name.lower()
    if not _NAME.fullmatch(name) or (namespace and not is_label(namespace)):
        return None
    return Named(namespace or None, name, kind)


def end_of_value(value: str, namespace: str = "") -> EndpointName | None:
    """Return the end that a value names, None where it names none; a name alone is of the namespace given."""
    if (labelled := _by_labels(value[:512])) is not None:
        return labelled
    for part in re.split(r"[|,\s]+", value.strip()[:512]):
        if part and (end := _end(part, namespace)):
            return end
    return None


def _by_labels(value: str) -> Named | None:
    """Return the workload that the labels of an identity stand for: what the context ``identity`` writes."""
    said = [part.strip().removeprefix("k8s:").partition("=") for part in re.split(r"[,;\s]+", value)]
    labels = {name: text for name, _, text in said if text}
    namespace = labels.get("io.kubernetes.pod.namespace", "")
    name = next((labels[key] for key in _APP_LABELS if labels.get(key)), "")
    return named(namespace, name) if namespace and name else None


def _end(value: str, namespace: str) -> EndpointName | None:
    value = value.removeprefix("k8s:").lower()
    if value.startswith("reserved:") or value in (*EntityName, *_RESERVED):
        name = value.removeprefix("reserved:")
        name = _RESERVED.get(name, name)
        return Entity(EntityName(name)) if name in tuple(EntityName) else None
    if address := address_of(value):
        return address
    if value.isdigit():
        return None
    first, slash, rest = value.partition("/")
    if slash:
        return named(first, rest) if first and first != "node" else None
    if inside := _IN_CLUSTER.fullmatch(value.rstrip(".")):
        return named(inside[2], inside[1], Kind.SERVICE)
    if namespace or "." not in value:
        return named(namespace, value)
    return HostName(value.rstrip(".")) if _HOST_NAME.fullmatch(value) else None


def address_of(value: str) -> Address | None:
    """Return an IP address or a range, None where the value is none."""
    try:
        return Address(str(ipaddress.ip_address(value)))
    except ValueError:
        pass
    try:
        return Address(str(ipaddress.ip_network(value, strict=False))) if "/" in value else None
    except ValueError:
        return None


def identity_number(value: str) -> int | None:
    """Return the number of an identity, None where the value is none."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 11 else None


def target_of(instance: str) -> tuple[EndpointName, int | None] | None:
    """Return what a URL or ``host:port`` dials, and the port, None where nothing is dialled."""
    url = _URL.match(instance.strip().lower()[:512])
    if not url or not url["authority"]:
        return None
    authority, port = url["authority"], _PORTS.get(url["scheme"] or "")
    if address := address_of(authority.strip("[]")):
        return address, port
    host, colon, number = authority.rpartition(":")
    if colon:
        if not number.isdigit() or not 0 < int(number[:6]) < 65_536:
            return None
        authority, port = host, int(number[:6])
        short = _SHORT.fullmatch(authority)
        if short and port not in (80, 443) and not _PUBLIC.fullmatch(short[2]):
            return Named(short[2], short[1], Kind.SERVICE), port
    end = address_of(authority.strip("[]")) or _end(authority, "")
    return (end, port) if end is not None else None


def workload_of(end: EndpointName | None) -> str:
    """Return an end as people call it: a pod by its workload where its name says so, by its pattern alone."""
    if not isinstance(end, Named) or end.kind not in (None, Kind.POD):
        return str(end) if not isinstance(end, Named) else str(Named(end.namespace, end.name))
    found = _OF_DEPLOYMENT.fullmatch(end.name) or _OF_SET.fullmatch(end.name)
    return str(Named(end.namespace, found["name"] if found else end.name))


def side_of(labels: Labels, side: str) -> EndpointName | None:
    """Return one side of a flow: ``source`` or ``destination``; the workload is better known than its pod."""
    namespace = labels.get(f"{side}_namespace", "")
    for name in ("workload", "pod", "service", "service_name", "canonical_service", "app", "name"):
        if (value := labels.get(f"{side}_{name}", "")) and value != "unknown" and (end := _qualified(value, namespace)):
            return end
    for name in (side, f"{side}_ip", f"{side}_fqdn", f"{side}_dns", f"{side}_cidr", f"{side}_identity"):
        if (value := labels.get(name, "")) and (end := _qualified(value, namespace)):
            return end
    return None


def _qualified(value: str, namespace: str) -> EndpointName | None:
    end = end_of_value(value)
    if isinstance(end, Named) and end.namespace is None and namespace:
        return named(namespace, end.name)
    return end


def victim_of(labels: Labels) -> Named | None:
    """Return the pod, else the workload, that labels name with its namespace; None where they name neither."""
    namespace = labels.get("namespace", "")
    if pod := labels.get("pod", ""):
        first, slash, rest = pod.partition("/")
        return named(first, rest) if slash else named(namespace, pod)
    for label, kind in WORKLOAD_KINDS.items():
        if name := labels.get(label, ""):
            return named(namespace, name, kind)
    for label in ("workload", "app", "app_kubernetes_io_name"):
        if name := labels.get(label, ""):
            return named(namespace, name)
    return None
