"""Whose names the labels of an alert are: those of whom it is about, or of who measured it.

1. What scrapes through an exporter without ``honorLabels`` renames the labels of whom it is about to ``exported_*``:
   where those are, they win, and the others are the exporter's (Prometheus, configuration: ``honor_labels``).
2. ``job``, ``instance``, ``endpoint`` and ``container`` of kube-state-metrics' series are its own.
3. ``namespace`` and ``pod`` of Hubble's and the agent's metrics are the agent's (Cilium 1.20.2, chart:
   templates/hubble/servicemonitor.yaml); ``source*`` and ``destination*`` are of the flow.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from handlers.alerts.alert import MOST_LABELS, Labels, text_in

_ALIASES = MappingProxyType(
    {
        alias: name
        for name, aliases in {
            "alertname": "alert alert_name monitor_name rule_name rulename",
            "namespace": "kube_namespace kubernetes_namespace k8s_namespace_name namespace_name k8s_namespace ns",
            "pod": "pod_name kubernetes_pod_name kube_pod k8s_pod_name kubernetes_pod podname",
            "deployment": "kube_deployment k8s_deployment_name deployment_name",
            "statefulset": "kube_stateful_set k8s_statefulset_name statefulset_name",
            "daemonset": "kube_daemon_set k8s_daemonset_name daemonset_name",
            "job_name": "kube_job k8s_job_name",
            "service": "kube_service service_name kubernetes_service",
            "container": "container_name kube_container_name k8s_container_name",
            "node": "kube_node source_node_name node_name kubernetes_node k8s_node_name nodename",
            "cluster": "kube_cluster_name cluster_name k8s_cluster_name kubernetes_cluster k8s_cluster",
            "source_pod": "source_podname src_pod source_pod_name src_pod_name",
            "destination_pod": "destination_podname dst_pod destination_pod_name dst_pod_name dest_pod",
            "source_namespace": "src_namespace source_workload_namespace source_service_namespace",
            "destination_namespace": "dst_namespace dest_namespace destination_workload_namespace"
            " destination_service_namespace",
            "source_workload": "src_workload source_workload_name",
            "destination_workload": "dst_workload dest_workload destination_workload_name",
            "destination_port": "dst_port dest_port dport",
            "source": "src",
            "destination": "dst dest",
        }.items()
        for alias in aliases.split()
    }
)
"""Other systems' names: Datadog's tags, OpenTelemetry's attributes, old Prometheus charts, Retina, Istio."""

_OF_THE_EXPORTER = frozenset("namespace pod container service endpoint instance job node".split())
_AGENT_POD = re.compile(r"(?:cilium|hubble|agent)-[a-z0-9]{5}|cilium-(?:agent|operator|envoy)-[a-z0-9-]+")
_AGENT_NAMESPACES = frozenset({"kube-system", "cilium", "cilium-system", "d8-cni-cilium", "cilium-secrets"})
_AGENT_JOBS = re.compile(r"(?:.*[/-])?(?:hubble|cilium)[a-z-]*(?:/\d+)?")


def canonical(found: Iterable[tuple[object, object]]) -> dict[str, str]:
    """Return labels by the names that the known alerts use; a name of ours wins over another system's."""
    labels: dict[str, str] = {}
    for key, value in list(found)[:MOST_LABELS]:
        name = text_in(key, 128).strip().lower().replace(".", "_").replace("-", "_").replace(" ", "_")
        text = text_in(value).strip()
        if not name or not text:
            continue
        if name in _ALIASES:
            labels.setdefault(_ALIASES[name], text)
        else:
            labels[name] = text
    return labels


def of_the_victim(labels: Labels) -> Labels:
    """Return the labels of whom the alert is about: without those of an exporter between."""
    exported = {name.removeprefix("exported_"): value for name, value in labels.items() if _is_exported(name)}
    if exported:
        rest = {name: value for name, value in labels.items() if not _is_exported(name)}
        kept = {name: value for name, value in rest.items() if name not in _OF_THE_EXPORTER}
        return MappingProxyType({**kept, **canonical(exported.items())})
    if is_of_kube_state_metrics(labels):
        own = {"job", "instance", "endpoint"}
        if labels.get("container", "").startswith("kube-"):
            own |= {"container"}
        if labels.get("pod", "").startswith("kube-state-metrics"):
            own |= {"pod"}
        if labels.get("service", "").endswith("kube-state-metrics"):
            own |= {"service"}
        return MappingProxyType({name: value for name, value in labels.items() if name not in own})
    return labels


def is_of_kube_state_metrics(labels: Labels) -> bool:
    """Whether kube-state-metrics measured it."""
    return "kube-state-metrics" in labels.get("job", "")


def without_the_agent(labels: Labels) -> Labels:
    """Return the labels of a metric of Hubble or the agent without the names of the agent that measured it.

    A namespace that is none of Cilium's stays where no pod, job or service tells that it is the agent's.
    """
    is_agents = (
        labels.get("namespace", "") in _AGENT_NAMESPACES
        or _AGENT_POD.fullmatch(labels.get("pod", "")) is not None
        or _AGENT_JOBS.fullmatch(labels.get("job", "")) is not None
        or _AGENT_JOBS.fullmatch(labels.get("service", "")) is not None
        or labels.get("k8s_app") == "cilium"
    )
    own = _OF_THE_EXPORTER - {"node"} if is_agents else frozenset({"instance", "job", "endpoint"})
    return MappingProxyType({name: value for name, value in labels.items() if name not in own})


def is_agent(labels: Labels) -> bool:
    """Whether a pod that an alert is about is one of Cilium's own."""
    pod = labels.get("pod", "") or labels.get("daemonset", "")
    is_its_name = _AGENT_POD.fullmatch(pod) is not None or pod in ("cilium", "cilium-envoy", "cilium-operator")
    return is_its_name and labels.get("namespace", "") in _AGENT_NAMESPACES


def _is_exported(name: str) -> bool:
    return name.startswith("exported_") and len(name) > len("exported_")


def merged(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of both; the first wins."""
    return {**second, **first}
