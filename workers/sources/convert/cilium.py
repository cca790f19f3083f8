"""Cilium's own objects to the model: endpoints, identities, the ConfigMap, the agents' version."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from handlers.model.change import Change
from handlers.model.cluster import CiliumEndpoint, CiliumIdentity, NodeConfig, Pod, PodPort
from workers.sources.convert.changes import changes
from workers.sources.convert.reading import (
    Body,
    MalformedError,
    flag,
    labels,
    name_of,
    namespace_of,
    number,
    rows,
    struct,
    text,
    texts,
)

_VERSION = re.compile(r"v?(\d+\.\d+\.\d+[A-Za-z0-9.+-]*)")


def cilium_endpoint(body: Body) -> CiliumEndpoint:
    """Read a cilium.io/v2 CiliumEndpoint; without a status yet it has no number and no identity."""
    status = struct(body, "status")
    identity = struct(status, "identity")
    policy = struct(status, "policy")
    return CiliumEndpoint(
        namespace=namespace_of(body),
        name=name_of(body),
        id=number(status, "id"),
        identity=number(identity, "id"),
        labels=texts(identity, "labels"),
        ips=_addresses(struct(status, "networking")),
        node_ip=text(struct(status, "networking"), "node"),
        named_ports=_named_ports(status),
        state=text(status, "state"),
        ingress_enforcing=flag(struct(policy, "ingress"), "enforcing"),
        egress_enforcing=flag(struct(policy, "egress"), "enforcing"),
    )


def endpoints_of_slice(body: Body) -> tuple[CiliumEndpoint, ...]:
    """Read a cilium.io/v2alpha1 CiliumEndpointSlice: its ``id`` fields are identities, not endpoint numbers."""
    namespace = text(body, "namespace") or ""
    return tuple(
        CiliumEndpoint(
            namespace=namespace,
            name=_required(item, "name"),
            id=None,
            identity=number(item, "id"),
            labels=(),
            ips=_addresses(struct(item, "networking")),
            node_ip=text(struct(item, "networking"), "node"),
            named_ports=_named_ports(item),
            state=None,
        )
        for item in rows(body, "endpoints")
    )


def merged_endpoints(
    endpoints: Iterable[CiliumEndpoint], slices: Iterable[tuple[CiliumEndpoint, ...]]
) -> tuple[CiliumEndpoint, ...]:
    """Tell each endpoint once; a CiliumEndpoint says more than its core in a slice."""
    found = {(item.namespace, item.name): item for core in slices for item in core}
    found.update({(item.namespace, item.name): item for item in endpoints})
    return tuple(found.values())


def port_names(endpoints: Iterable[CiliumEndpoint]) -> tuple[PodPort, ...]:
    """Return every named port that the agents know, each once."""
    return tuple(dict.fromkeys(port for endpoint in endpoints for port in endpoint.named_ports))


def _addresses(networking: Body) -> tuple[str, ...]:
    return tuple(
        ip for item in rows(networking, "addressing") for family in ("ipv4", "ipv6") if (ip := text(item, family))
    )


def _named_ports(owner: Body) -> tuple[PodPort, ...]:
    return tuple(
        PodPort(name=text(item, "name"), port=number(item, "port") or 0, protocol=text(item, "protocol") or "TCP")
        for item in rows(owner, "named-ports")
    )


def cilium_identity(body: Body) -> CiliumIdentity:
    """Read a cilium.io/v2 CiliumIdentity. A label without a value is written without ``=``, as agents and flows do."""
    name = name_of(body)
    if not name.isdecimal() or len(name) > 10:
        raise MalformedError("metadata.name is no identity number")
    return CiliumIdentity(
        number=int(name),
        labels=tuple(sorted(_written(key, value) for key, value in labels(body, "security-labels").items())),
    )


@lru_cache(maxsize=4096)
def _written(key: str, value: str) -> str:
    """Write a label as agents and flows do; most are in many identities, which then share one text."""
    return f"{key}={value}" if value else key


@dataclass(frozen=True, slots=True)
class ConfigMap:
    """A ConfigMap of text."""

    name: str
    options: Mapping[str, str]
    changes: tuple[Change, ...] = ()


def config_map(body: Body) -> ConfigMap:
    """Read a v1 ConfigMap, such as Cilium's own, ``cilium-config``."""
    return ConfigMap(name_of(body), labels(body, "data"), changes("ConfigMap", body))


def node_config(body: Body) -> NodeConfig:
    """Read a cilium.io/v2 CiliumNodeConfig (v2alpha1 before 1.16)."""
    spec = struct(body, "spec")
    return NodeConfig(namespace_of(body), name_of(body), struct(spec, "nodeSelector"), labels(spec, "defaults"))


def agent_versions(pods: Sequence[Pod]) -> dict[str, str]:
    """Return the version in the image tag of each node's agent, such as ``1.19.0-dev``, as far as tags have one.

    Of several agents of one node the first counts; the nodes are in the order of the pods.
    """
    found: dict[str, str] = {}
    for pod in pods:
        if pod.labels.get("k8s-app") != "cilium" or (pod.node or "") in found:
            continue
        tags = (image.partition("@")[0].rpartition("/")[2].partition(":")[2] for image in pod.images)
        version = next(filter(None, map(version_in, tags)), None)
        if version is not None:
            found[pod.node or ""] = version
    return found


def version_in(words: str) -> str | None:
    """Return the first version that a text holds, without a leading ``v``."""
    found = _VERSION.search(words)
    return found.group(1) if found else None


def is_cilium_pod(pod: Pod) -> bool:
    """Whether a pod is one of Cilium's own: agent, operator, Envoy, relay, ... (labels of Cilium's Helm chart)."""
    return pod.labels.get("k8s-app") in CILIUM_APPS or pod.labels.get("io.cilium/app") == "operator"


CILIUM_APPS = ("cilium", "cilium-envoy", "cilium-operator", "clustermesh-apiserver", "hubble-relay", "hubble-ui")
"""Values of the label ``k8s-app`` on Cilium's own pods."""


def _required(body: Body, key: str) -> str:
    value = text(body, key)
    if not value:
        raise MalformedError(f"{key} is missing")
    return value
