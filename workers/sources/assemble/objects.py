"""What is made of lists of objects: every part that the Kubernetes API, or an archive of it, holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from handlers.model.change import Change, Changes
from handlers.model.cluster import (
    CiliumConfig,
    CiliumEndpoint,
    CiliumIdentity,
    EndpointSlice,
    Node,
    Pod,
    PodPort,
    PolicyObject,
    Service,
    Workload,
)
from handlers.model.event import Event
from handlers.model.parts import Part
from handlers.model.pod_query import canonical_address, pod_test
from handlers.model.scope import PodQuery, Scope
from handlers.model.snapshot import AnyPart, Gap, PartOf
from workers.sources.assemble import resources as api
from workers.sources.assemble.cilium_pods import DEFAULT_NAMESPACE, CiliumPods, kube_proxies
from workers.sources.assemble.cluster_dns import cluster_dns
from workers.sources.assemble.dataplane import Presence, not_ciliums, presence
from workers.sources.assemble.lists import Lists
from workers.sources.assemble.logs import LogOf, dns_logs, operator_logs
from workers.sources.assemble.resources import EVERY, Resource, Select
from workers.sources.convert import cilium, kubernetes, nodes
from workers.sources.convert.reading import MalformedError
from workers.sources.unread import UnprovenError, UnreadError

T = TypeVar("T")

CONFIG_NAME = "cilium-config"

_FIRST_CLUSTER_IDENTITY, _FIRST_LOCAL_IDENTITY = 256, 1 << 24
"""Identities below are reserved, from the second on they are one node's: neither kind has an object."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One read: how wide, from which lists, and where Cilium itself runs."""

    scope: Scope
    lists: Lists
    cilium_pods: CiliumPods
    log_of: LogOf

    @property
    def selects(self) -> tuple[Select, ...]:
        """One selection for each namespace in scope, or one for all of them."""
        if self.scope.all_namespaces:
            return (EVERY,)
        return tuple(Select(namespace) for namespace in dict.fromkeys(self.scope.namespaces or ()))


def _config(reading: Reading) -> CiliumConfig:
    found = _config_maps(reading, reading.cilium_pods.likely)
    if not found:
        elsewhere = reading.cilium_pods.namespace(reading.lists)
        found = _config_maps(reading, elsewhere)
        if not found:
            if presence(reading.lists, reading.cilium_pods) is Presence.ABSENT:
                raise not_ciliums(reading.lists)
            raise UnreadError(
                Gap.UNSUPPORTED,
                f"there is no ConfigMap {CONFIG_NAME} in namespace {elsewhere}",
                "Name the namespace that Cilium runs in (CILIUM_TRIAGE_CILIUM_NAMESPACE).",
            )
    versions = reading.cilium_pods.versions(reading.lists)
    by_node = {node: version for node, version in versions.items() if node}
    newest = next(iter(versions.values()), None)
    return CiliumConfig(found[0].options, newest, by_node, changes=found[0].changes)


def _config_maps(reading: Reading, namespace: str) -> list[cilium.ConfigMap]:
    try:
        found = reading.lists.some(api.CONFIG_MAPS, Select(namespace, name=CONFIG_NAME))
    except UnprovenError:
        return []
    return [one for one in found if one.name == CONFIG_NAME]


def _nodes(reading: Reading) -> tuple[Node, ...]:
    # Without agents there are no CiliumNodes, and whose the cluster is stands where policies are missing.
    is_ciliums = presence(reading.lists, reading.cilium_pods) is not Presence.ABSENT
    found = reading.lists.of((api.NODES, EVERY), (replace(api.CILIUM_NODES, optional=not is_ciliums), EVERY))
    return nodes.joined(_only(Node, found), _only(nodes.CiliumNode, found))


def _api_server(reading: Reading) -> tuple[str, ...]:
    select = Select("default", labels=f"{kubernetes.SERVICE_NAME_LABEL}=kubernetes")
    addresses = (
        address
        for item in reading.lists.some(api.ENDPOINT_SLICES, select)
        if (item.namespace, item.service) == ("default", "kubernetes")
        for backend in item.backends
        for address in backend.addresses
    )
    return tuple(dict.fromkeys(addresses))


def _pods(reading: Reading) -> tuple[Pod, ...]:
    calls = [partial(_pods_of, reading.lists, query) for query in reading.scope.pods or ()]
    return tuple({(pod.namespace, pod.name): pod for pod in reading.lists.together(calls)}.values())


def _pods_of(lists: Lists, query: PodQuery) -> Sequence[Pod]:
    on_node = f"spec.nodeName={query.node}" if query.node else ""
    at_address = f"status.podIP={canonical_address(query.ip)}" if query.ip else ""
    select = Select(query.namespace, query.labels, ",".join(filter(None, (on_node, at_address))) or None)
    found = lists.some(api.PODS, select)
    if query.ip and ":" in query.ip and not any(map(pod_test(query), found)):
        # The field is the pod's first address only; a second one (the other family) is looked for among all pods.
        return lists.some(api.PODS, replace(select, fields=on_node or None))
    return found


def _in_namespaces(resource: Resource[T]) -> Callable[[Reading], tuple[T, ...]]:
    return lambda reading: reading.lists.some(resource, *reading.selects)


def _every(resource: Resource[T]) -> Callable[[Reading], tuple[T, ...]]:
    return lambda reading: reading.lists.every(resource)


def _cilium_pods(reading: Reading) -> tuple[Pod, ...]:
    if presence(reading.lists, reading.cilium_pods) is Presence.ABSENT:
        raise not_ciliums(reading.lists)
    return reading.cilium_pods.every(reading.lists)


def _workloads(reading: Reading) -> tuple[Workload, ...]:
    return reading.lists.of(*((kind, select) for kind in api.WORKLOADS for select in reading.selects))


def _system_workloads(reading: Reading) -> tuple[Workload, ...]:
    namespaces = dict.fromkeys((reading.cilium_pods.namespace(reading.lists), DEFAULT_NAMESPACE))
    found = reading.lists.of(*((kind, Select(name)) for kind in api.SYSTEM_WORKLOADS for name in namespaces))
    return tuple(one for one in found if one.namespace in namespaces)


def _policies(reading: Reading) -> tuple[PolicyObject, ...]:
    """Read every kind that agents enforce; where there are some, a platform may leave away Cilium's own kinds."""
    here = presence(reading.lists, reading.cilium_pods)
    if here is Presence.ABSENT:
        raise not_ciliums(reading.lists)
    has_agents = here is Presence.PRESENT
    of_namespaces = replace(api.CILIUM_POLICIES, optional=has_agents, is_vital=True)
    of_cluster = replace(api.CLUSTERWIDE_POLICIES, optional=has_agents, is_vital=True)
    namespaced = [(kind, select) for kind in (api.NETWORK_POLICIES, of_namespaces) for select in reading.selects]
    return reading.lists.of(*namespaced, (of_cluster, EVERY))


def _all_policies(reading: Reading) -> tuple[PolicyObject, ...]:
    return _policies(replace(reading, scope=replace(reading.scope, all_namespaces=True)))


def _policy_services(reading: Reading) -> tuple[tuple[Service, ...], tuple[EndpointSlice, ...]]:
    found = reading.lists.of((api.SERVICES, EVERY), (api.ENDPOINT_SLICES, EVERY))
    return _only(Service, found), _only(EndpointSlice, found)


def _cilium_endpoints(reading: Reading) -> tuple[CiliumEndpoint, ...]:
    return _endpoints(reading, *reading.selects)


def _events(reading: Reading) -> tuple[Event, ...]:
    return tuple(one for one in reading.lists.some(api.EVENTS, *reading.selects) if one is not None)


def _changes(reading: Reading) -> Changes:
    """Read kind by kind: a kind that cannot be listed leaves the changes of the others to be told."""
    try:
        namespace = reading.cilium_pods.namespace(reading.lists)
    except (UnreadError, MalformedError):
        namespace = reading.cilium_pods.likely
    config = Select(namespace, name=CONFIG_NAME)
    found: list[Change] = []
    unread: dict[str, str] = {}
    for kind in api.WITH_CHANGES:
        selects = (
            (config,) if kind.plural == api.CONFIG_MAPS.plural else reading.selects if kind.namespaced else (EVERY,)
        )
        try:
            found += (change for of_object in reading.lists.some(kind, *selects) for change in of_object)
        except UnreadError as error:
            unread[kind.kind] = error.missing.detail
        except MalformedError as error:
            unread[kind.kind] = str(error)
    return Changes(tuple(one for one in found if _is_wanted(one, reading.scope)), unread)


def _is_wanted(change: Change, scope: Scope) -> bool:
    is_within = not change.namespace or change.namespace in (scope.namespaces or ())
    return scope.all_namespaces or is_within or change.kind == api.CONFIG_MAPS.kind


def _named_ports(reading: Reading) -> tuple[PodPort, ...]:
    return cilium.port_names(_endpoints(reading, EVERY))


def _endpoints(reading: Reading, *selects: Select) -> tuple[CiliumEndpoint, ...]:
    if not selects:
        return ()
    found = reading.lists.some(api.CILIUM_ENDPOINTS, *selects)
    # Slices only repeat the core of each endpoint, and their list grows with the cluster.
    return found or cilium.merged_endpoints((), reading.lists.every(api.CILIUM_ENDPOINT_SLICES))


def _identities(reading: Reading) -> tuple[CiliumIdentity, ...]:
    wanted = dict.fromkeys(reading.scope.identities or ())
    numbers = [number for number in wanted if _FIRST_CLUSTER_IDENTITY <= number < _FIRST_LOCAL_IDENTITY]
    if not wanted:
        return reading.lists.every(api.CILIUM_IDENTITIES)
    try:
        found = reading.lists.some(api.CILIUM_IDENTITIES, *(Select(name=str(number)) for number in numbers))
    except UnprovenError:
        # Not every proxy before an API says which object is missing: only the whole list proves it then.
        found = reading.lists.every(api.CILIUM_IDENTITIES)
    return tuple(dict.fromkeys(found))


def _only(kind: type[T], found: Sequence[object]) -> tuple[T, ...]:
    return tuple(item for item in found if isinstance(item, kind))


def _made(part: PartOf[T], make: Callable[[Reading], T]) -> tuple[AnyPart, Callable[[Reading], object]]:
    return part, make


MADE_OF_OBJECTS: Mapping[AnyPart, Callable[[Reading], object]] = dict(
    (
        _made(Part.CONFIG, _config),
        _made(Part.NODE_CONFIGS, _every(api.NODE_CONFIGS)),
        _made(Part.NAMESPACES, _every(api.NAMESPACES)),
        _made(Part.NODES, _nodes),
        _made(Part.API_SERVER, _api_server),
        _made(Part.PODS, _pods),
        _made(Part.CILIUM_PODS, _cilium_pods),
        _made(Part.KUBE_PROXIES, lambda reading: kube_proxies(reading.lists)),
        _made(Part.SYSTEM_WORKLOADS, _system_workloads),
        _made(Part.WORKLOADS, _workloads),
        _made(Part.SERVICES, _in_namespaces(api.SERVICES)),
        _made(Part.ENDPOINT_SLICES, _in_namespaces(api.ENDPOINT_SLICES)),
        _made(Part.CLUSTER_DNS, lambda reading: cluster_dns(reading.lists)),
        _made(Part.POLICIES, _policies),
        _made(Part.ALL_POLICIES, _all_policies),
        _made(Part.ALL_SERVICES, _every(api.SERVICES)),
        _made(Part.POLICY_SERVICES, _policy_services),
        _made(Part.CIDR_GROUPS, _every(api.CIDR_GROUPS)),
        _made(Part.EGRESS_GATEWAYS, _every(api.EGRESS_GATEWAYS)),
        _made(Part.CILIUM_ENDPOINTS, _cilium_endpoints),
        _made(Part.IDENTITIES, _identities),
        _made(Part.EVENTS, _events),
        _made(Part.CHANGES, _changes),
        _made(Part.OPERATOR_LOGS, lambda reading: operator_logs(reading.lists, reading.cilium_pods, reading.log_of)),
        _made(Part.DNS_LOGS, lambda reading: dns_logs(reading.lists, reading.log_of)),
        _made(Part.NAMED_PORTS, _named_ports),
    )
)
"""How each part is made; flows, and what agents say, are read by themselves."""
