"""Whose each object of a snapshot is."""

from collections.abc import Iterable, Mapping
from typing import Any

from handlers.model import agent, cluster, entrance, event, flow, log
from handlers.model.change import Change
from handlers.model.labels import NAMESPACE_LABEL
from handlers.model.ownership import Content, Owner
from handlers.model.policy_kind import PolicyKind

NODES = Owner(Content.NODES)

_POLICIES = {
    PolicyKind.NETWORK_POLICY.value: Content.NETWORK_POLICIES,
    PolicyKind.CILIUM.value: Content.CILIUM_POLICIES,
}
_CONTENT_OF_KIND = {
    **_POLICIES,
    **dict.fromkeys(
        "Service EndpointSlice Endpoints Ingress Gateway HTTPRoute GRPCRoute TLSRoute".split(), Content.SERVICES
    ),
    **dict.fromkeys(
        "Pod CiliumEndpoint CiliumEndpointSlice Event Deployment ReplicaSet StatefulSet DaemonSet Job CronJob "
        "ReplicationController ServiceAccount".split(),
        Content.PODS,
    ),
}
_OF_NODES = frozenset({"Node", "CiliumNode", "CiliumNodeConfig", "ConfigMap"})
"""Kinds that are about nodes and the agents on them, wherever they are kept."""
_TOLD_BY_NAME = frozenset({"Namespace", "CiliumIdentity", "Address", "Entity", "CIDR", "FQDN", ""})
"""Kinds of references whose name alone tells whose they are."""
_PODS_OF = (cluster.Pod, cluster.CiliumEndpoint, agent.AgentEndpoint, cluster.Workload, event.Event, log.PodLog)
_SERVICES_OF = (
    cluster.Service,
    cluster.EndpointSlice,
    agent.LoadBalancerEntry,
    entrance.Entrance,
    entrance.RouteBackend,
)


def owner_of_ref(ref: str) -> Owner | None:
    """Return whose ``Kind/namespace/name`` is; None where the name alone tells it, or nothing."""
    kind, slash, rest = ref.partition("/")
    return owner_of_kind(kind, rest.partition("/")[0]) if slash else None


def owner_of_kind(kind: str, namespace: str) -> Owner | None:
    """Return whose an object of this kind is, empty ``namespace`` for the cluster's; None as ``owner_of_ref`` does."""
    if kind in _TOLD_BY_NAME:
        return None
    if kind in _OF_NODES:
        return NODES
    if not namespace:
        return Owner(Content.CLUSTER_POLICIES)
    return Owner(_CONTENT_OF_KIND.get(kind, Content.OBJECTS), namespace)


def owner_of(thing: object) -> Owner | None:
    """Return whose an object of a snapshot is; None for what is nobody's, or somebody's by what it is part of."""
    match thing:
        case cluster.Namespace(name=name):
            return Owner(Content.NAMESPACES, name)
        case cluster.PolicyObject() | flow.FlowPolicy() | Change():
            return owner_of_kind(thing.kind, thing.namespace)
        case agent.AgentEndpoint(namespace="") | cluster.NodeConfig() | cluster.Node() | agent.KnownNode():
            return NODES
        case flow.FlowEnd(namespace=namespace):
            return Owner(Content.PODS, namespace) if namespace else None
        case cluster.CiliumIdentity(labels=labels) | agent.AgentIdentity(labels=labels):
            namespace = namespace_in(labels)
            return Owner(Content.PODS, namespace) if namespace else None
    if isinstance(thing, _PODS_OF):
        return Owner(Content.PODS, thing.namespace)
    if isinstance(thing, _SERVICES_OF):
        return Owner(Content.SERVICES, thing.namespace) if thing.namespace else NODES
    return None


def namespace_in(labels: Iterable[str]) -> str:
    """Return the namespace that labels of an identity name, empty where they name none."""
    mark = f"{NAMESPACE_LABEL}="
    return next((label.partition(mark)[2] for label in labels if mark in label), "")


def owners_of_numbers(values: Iterable[Any]) -> Mapping[int, Owner]:
    """Return whose each identity is, of those that can be told by labels or by a pod that has it."""
    found: dict[int, Owner] = {}
    for thing in values:
        match thing:
            case cluster.CiliumIdentity(number=number) | agent.AgentIdentity(number=number):
                owner = owner_of(thing)
            case cluster.CiliumEndpoint(identity=int(number)) | agent.AgentEndpoint(identity=number):
                owner = owner_of(thing)
            case _:
                continue
        if owner and owner.content is Content.PODS:
            found.setdefault(number, owner)
    return found
