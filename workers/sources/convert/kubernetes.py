"""Kubernetes manifests to the model: namespaces, nodes, pods, workloads, Services, EndpointSlices.

Field names are those of the Kubernetes API reference (v1.36). Each function takes one object as plain JSON and raises
MalformedError where a field has another type than the API gives it.
"""

from datetime import datetime
from typing import Any

from handlers.model.cluster import (
    CLUSTER_FIRST,
    Backend,
    EndpointSlice,
    LastExit,
    Namespace,
    Owner,
    Pod,
    PodPort,
    PodResolver,
    Service,
    ServicePort,
    SlicePort,
    Workload,
)
from handlers.model.endpoint import Kind
from workers.sources.convert.changes import changes, later_changes
from workers.sources.convert.reading import (
    Body,
    flag,
    labels,
    moment,
    name_of,
    namespace_of,
    number,
    rows,
    struct,
    text,
    texts,
)

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
"""The label by which a slice names its Service (kubernetes.io, EndpointSlice ownership)."""

_HASH_LABEL = "pod-template-hash"
_WORKLOADS = {kind.value: kind for kind in Kind if kind.is_workload}


def namespace(body: Body) -> Namespace:
    """Read a v1 Namespace."""
    return Namespace(name=name_of(body), labels=labels(struct(body, "metadata"), "labels"))


def pod(body: Body) -> Pod:
    """Read a v1 Pod."""
    metadata, spec, status = struct(body, "metadata"), struct(body, "spec"), struct(body, "status")
    containers = rows(spec, "containers")
    # A sidecar is an init container that keeps running; its ports are the pod's ports.
    sidecars = [item for item in rows(spec, "initContainers") if text(item, "restartPolicy") == "Always"]
    running = rows(status, "containerStatuses")
    # What fails before the containers start holds all of them back.
    before = [item for item in rows(status, "initContainerStatuses") if _has_failed(item)]
    return Pod(
        namespace=namespace_of(body),
        name=name_of(body),
        labels=labels(metadata, "labels"),
        ips=_pod_ips(status),
        node=text(spec, "nodeName") or None,
        phase=text(status, "phase") or "Unknown",
        ready=_condition(status, "Ready"),
        ports=tuple(_pod_port(port) for item in containers + sidecars for port in rows(item, "ports")),
        service_account=text(spec, "serviceAccountName") or "default",
        host_network=flag(spec, "hostNetwork") or False,
        owner=_owner(metadata),
        images=tuple(image for item in containers + sidecars if (image := text(item, "image"))),
        restarts=sum(number(item, "restartCount") or 0 for item in running),
        waiting=next(filter(None, (_waiting(item) for item in (*before, *running))), None),
        deleted=text(metadata, "deletionTimestamp") is not None,
        created_at=moment(metadata, "creationTimestamp"),
        last_exit=_last_exit([*before, *running]),
        resolver=_resolver(spec),
        changes=later_changes("Pod", body),
        ready_since=_ready_since(status),
    )


def _has_failed(status: Body) -> bool:
    ends = (struct(struct(status, key), "terminated") for key in ("state", "lastState"))
    return flag(status, "ready") is not True and any(number(end, "exitCode") for end in ends)


def _last_exit(containers: list[Body]) -> LastExit | None:
    """Return the newest end of a run: of a container that has ended, or of the run before the one that goes on."""
    ends = [
        LastExit(
            text(item, "name") or "", number(end, "exitCode"), text(end, "reason") or "", moment(end, "finishedAt")
        )
        for item in containers
        for key in ("state", "lastState")
        if (end := struct(struct(item, key), "terminated"))
    ]
    return max(ends, key=lambda end: end.at.timestamp() if end.at else 0.0, default=None)


def _resolver(spec: Body) -> PodResolver:
    policy, config = text(spec, "dnsPolicy") or CLUSTER_FIRST.policy, struct(spec, "dnsConfig")
    if policy == CLUSTER_FIRST.policy and not config:
        return CLUSTER_FIRST
    options = {text(item, "name"): text(item, "value") or "" for item in rows(config, "options")}
    ndots = options.get("ndots", "")
    return PodResolver(
        policy=policy,
        nameservers=texts(config, "nameservers"),
        searches=texts(config, "searches"),
        ndots=int(ndots) if ndots.isdecimal() and len(ndots) <= 3 else None,
    )


def _pod_ips(status: Body) -> tuple[str, ...]:
    found = [ip for item in rows(status, "podIPs") if (ip := text(item, "ip"))]
    first = text(status, "podIP")
    return tuple(dict.fromkeys([first, *found] if first else found))


def _pod_port(body: Body) -> PodPort:
    return PodPort(
        name=text(body, "name"),
        port=number(body, "containerPort") or 0,
        protocol=text(body, "protocol") or "TCP",
        host_port=number(body, "hostPort") or None,
        host_ip=text(body, "hostIP") or "",
    )


def _waiting(status: Body) -> str | None:
    return text(struct(struct(status, "state"), "waiting"), "reason")


def _condition(status: Body, kind: str) -> bool | None:
    for condition in rows(status, "conditions"):
        if text(condition, "type") == kind:
            return text(condition, "status") == "True"
    return None


def _ready_since(status: Body) -> datetime | None:
    ready = next((one for one in rows(status, "conditions") if text(one, "type") == "Ready"), {})
    return moment(ready, "lastTransitionTime")


def _owner(metadata: Body) -> Owner | None:
    """Name the workload that people know: the Deployment behind a ReplicaSet whose name ends in the template's hash."""
    controller = next((item for item in rows(metadata, "ownerReferences") if flag(item, "controller")), None)
    if controller is None:
        return None
    kind, name = text(controller, "kind") or "", text(controller, "name") or ""
    template = labels(metadata, "labels").get(_HASH_LABEL)
    if kind == Kind.REPLICA_SET and template and name.endswith(f"-{template}"):
        return Owner(Kind.DEPLOYMENT, name.removesuffix(f"-{template}"))
    return Owner(_WORKLOADS[kind], name) if name and kind in _WORKLOADS else None


def workload(kind: Kind, body: Body) -> Workload:
    """Read an apps/v1 Deployment, StatefulSet or DaemonSet, or a batch/v1 Job or CronJob."""
    spec, status = struct(body, "spec"), struct(body, "status")
    wanted, ready, updated = _REPLICAS[kind]
    template = struct(struct(spec, "template"), "spec")
    return Workload(
        kind=kind,
        namespace=namespace_of(body),
        name=name_of(body),
        replicas=number(status if kind is Kind.DAEMON_SET else spec, wanted) if wanted else None,
        # Go leaves out a status count of zero.
        ready=(number(status, ready) or 0) if ready else None,
        selector=labels(struct(spec, "selector"), "matchLabels"),
        updated=(number(status, updated) or 0) if updated else None,
        images=tuple(image for item in rows(template, "containers") if (image := text(item, "image"))),
        changes=changes(kind.value, body),
        containers=tuple(name for item in rows(template, "containers") if (name := text(item, "name"))),
    )


_REPLICAS: dict[Kind, tuple[str | None, str | None, str | None]] = {
    Kind.DEPLOYMENT: ("replicas", "readyReplicas", "updatedReplicas"),
    Kind.STATEFUL_SET: ("replicas", "readyReplicas", "updatedReplicas"),
    Kind.DAEMON_SET: ("desiredNumberScheduled", "numberReady", "updatedNumberScheduled"),
    Kind.JOB: ("parallelism", "ready", None),
    Kind.CRON_JOB: (None, None, None),
}
"""The fields that say how many pods are wanted, how many are ready, and how many are of the newest template."""


def service(body: Body) -> Service:
    """Read a v1 Service."""
    metadata, spec = struct(body, "metadata"), struct(body, "spec")
    ingress = rows(struct(struct(body, "status"), "loadBalancer"), "ingress")
    cluster_ip = text(spec, "clusterIP")
    return Service(
        namespace=namespace_of(body),
        name=name_of(body),
        labels=labels(metadata, "labels"),
        selector=None if spec.get("selector") is None else labels(spec, "selector"),
        type=text(spec, "type") or "ClusterIP",
        cluster_ips=texts(spec, "clusterIPs") or ((cluster_ip,) if cluster_ip else ()),
        ports=tuple(_service_port(port) for port in rows(spec, "ports")),
        session_affinity=text(spec, "sessionAffinity") or "None",
        internal_traffic_policy=text(spec, "internalTrafficPolicy") or "Cluster",
        external_traffic_policy=text(spec, "externalTrafficPolicy") or "Cluster",
        external_ips=texts(spec, "externalIPs"),
        balancer_ips=tuple(ip for item in ingress if (ip := text(item, "ip"))),
        balancer_names=tuple(name.lower() for item in ingress if (name := text(item, "hostname"))),
        source_ranges=texts(spec, "loadBalancerSourceRanges"),
        external_name=text(spec, "externalName") or None,
        annotations={
            key: value for key, value in labels(metadata, "annotations").items() if not key.startswith("kubectl.")
        },
        publishes_unready=flag(spec, "publishNotReadyAddresses") is True,
        changes=changes("Service", body),
    )


def _service_port(body: Body) -> ServicePort:
    return ServicePort(
        name=text(body, "name"),
        port=number(body, "port") or 0,
        protocol=text(body, "protocol") or "TCP",
        target=_target(body.get("targetPort")),
        node_port=number(body, "nodePort") or None,
    )


def _target(value: Any) -> int | str | None:
    """Keep a number and a name apart; the API's IntOrString never writes a number as a string."""
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def endpoint_slice(body: Body) -> EndpointSlice:
    """Read a discovery.k8s.io/v1 EndpointSlice; ``service`` is empty for a slice that belongs to none."""
    return EndpointSlice(
        namespace=namespace_of(body),
        name=name_of(body),
        service=labels(struct(body, "metadata"), "labels").get(SERVICE_NAME_LABEL, ""),
        ports=tuple(
            SlicePort(
                name=text(port, "name") or None, port=number(port, "port"), protocol=text(port, "protocol") or "TCP"
            )
            for port in rows(body, "ports")
        ),
        backends=tuple(_backend(item, namespace_of(body)) for item in rows(body, "endpoints")),
    )


def _backend(body: Body, namespace_of_slice: str) -> Backend:
    conditions, target = struct(body, "conditions"), struct(body, "targetRef")
    name = text(target, "name") if text(target, "kind") == "Pod" else None
    return Backend(
        addresses=texts(body, "addresses"),
        ready=flag(conditions, "ready"),
        serving=flag(conditions, "serving"),
        terminating=flag(conditions, "terminating"),
        node=text(body, "nodeName"),
        pod=(text(target, "namespace") or namespace_of_slice, name) if name else None,
    )
