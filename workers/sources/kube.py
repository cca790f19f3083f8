"""The parts of a snapshot that the Kubernetes API holds, read as narrowly as the scope allows."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from handlers.model.cluster import CiliumIdentity, EndpointSlice, Pod, PolicyObject, Service
from handlers.model.endpoint import Kind
from handlers.model.parts import Part
from handlers.model.scope import PodQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Gap
from workers.sources import kube_resources as api
from workers.sources.convert import cilium, kubernetes, narrow, nodes
from workers.sources.convert.policies import policy_object
from workers.sources.convert.reading import MalformedError, each
from workers.sources.deadline import Deadline
from workers.sources.kube_resources import Resource
from workers.sources.kube_transport import ApiError, Transport
from workers.sources.unread import UnreadError

T = TypeVar("T")

AGENT_LABEL = "k8s-app=cilium"
RELAY_LABEL = "k8s-app=hubble-relay"
CONFIG_NAME = "cilium-config"
DEFAULT_NAMESPACE = "kube-system"

_AT_ONCE = 8
_FIRST_CLUSTER_IDENTITY, _FIRST_LOCAL_IDENTITY = 256, 1 << 24
"""Identities below are reserved, from the second on they are one node's: neither kind has an object."""


class KubeReader:
    """Reads parts through one transport; safe to use from several threads."""

    def __init__(self, transport: Transport, cilium_namespace: str | None = None) -> None:
        """Read through ``transport``; without a namespace, Cilium's is looked for."""
        self._transport = transport
        self._namespace_hint = cilium_namespace or DEFAULT_NAMESPACE
        self._namespace: str | None = None
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="kube")
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let unfinished calls go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def read(self, ask: Ask, deadline: Deadline) -> object:
        """Return the value of a part.

        Raises:
            UnreadError: if it could not be read whole.
            MalformedError: if the API holds an object that cannot be understood.
        """
        return _READERS[ask.part](self, ask.scope, deadline)

    # Parts

    def _config(self, scope: Scope, deadline: Deadline) -> object:
        try:
            body = self._get(api.CONFIG_MAPS, self._namespace_hint, CONFIG_NAME, deadline)
        except _NotFoundError:
            elsewhere = self.cilium_namespace(deadline)
            try:
                body = self._get(api.CONFIG_MAPS, elsewhere, CONFIG_NAME, deadline)
            except _NotFoundError as error:
                raise UnreadError(
                    Gap.UNSUPPORTED,
                    f"there is no ConfigMap {CONFIG_NAME} in namespace {elsewhere}",
                    "Name the namespace that Cilium runs in (CILIUM_TRIAGE_CILIUM_NAMESPACE).",
                ) from error
        return each("ConfigMap", [body], lambda item: cilium.cilium_config(item, self._version(deadline)))[0]

    def _version(self, deadline: Deadline) -> str | None:
        """Return the agents' version; configuration without it is still worth having."""
        try:
            return cilium.agent_version(self.agents(None, deadline))
        except (UnreadError, MalformedError):
            return None

    def _namespaces(self, scope: Scope, deadline: Deadline) -> object:
        return self._objects(api.NAMESPACES, kubernetes.namespace, deadline)

    def _nodes(self, scope: Scope, deadline: Deadline) -> object:
        of_kubernetes, of_cilium = self._at_once(
            [
                partial(self._list, api.NODES, None, {}, deadline),
                partial(self._list, api.CILIUM_NODES, None, {}, deadline),
            ]
        )
        return nodes.nodes(of_kubernetes, of_cilium)

    def _api_server(self, scope: Scope, deadline: Deadline) -> object:
        selector = {"labelSelector": f"{kubernetes.SERVICE_NAME_LABEL}=kubernetes"}
        found = self._objects(api.ENDPOINT_SLICES, kubernetes.endpoint_slice, deadline, "default", selector)
        addresses = [
            address
            for item in found
            if (item.namespace, item.service) == ("default", "kubernetes")
            for backend in item.backends
            for address in backend.addresses
        ]
        return tuple(dict.fromkeys(addresses))

    def _pods(self, scope: Scope, deadline: Deadline) -> object:
        if scope.pods is None:
            raise _not_asked("which pods")
        calls = [partial(self._pods_of, query, deadline) for query in scope.pods]
        found = {(pod.namespace, pod.name): pod for pods in self._at_once(calls) for pod in pods}
        return narrow.pods_asked(scope, found.values())

    def _pods_of(self, query: PodQuery, deadline: Deadline) -> Sequence[Pod]:
        fields = {"spec.nodeName": query.node}
        # The field is the pod's first address only; a second one (the other family) is looked for among all pods.
        narrowed = {**fields, "status.podIP": narrow.canonical_address(query.ip) if query.ip else None}
        selector = {"labelSelector": query.labels} if query.labels else {}
        found = self._objects(
            api.PODS, kubernetes.pod, deadline, query.namespace, {**selector, **_field_selector(narrowed)}
        )
        if query.ip and ":" in query.ip and not any(map(narrow.pod_test(query), found)):
            return self._objects(
                api.PODS, kubernetes.pod, deadline, query.namespace, {**selector, **_field_selector(fields)}
            )
        return found

    def _cilium_pods(self, scope: Scope, deadline: Deadline) -> object:
        namespace = self.cilium_namespace(deadline)
        selectors = [f"k8s-app in ({','.join(cilium.CILIUM_APPS)})", "io.cilium/app=operator"]
        calls = [
            partial(self._objects, api.PODS, kubernetes.pod, deadline, namespace, {"labelSelector": selector})
            for selector in selectors
        ]
        found = {pod.name: pod for pods in self._at_once(calls) for pod in pods if cilium.is_cilium_pod(pod)}
        return tuple(found.values())

    def _workloads(self, scope: Scope, deadline: Deadline) -> object:
        calls = [
            partial(self._objects, resource, partial(kubernetes.workload, Kind(resource.kind)), deadline, namespace, {})
            for resource in api.WORKLOADS
            for namespace in _namespaces_of(scope)
        ]
        return _in_scope(scope, self._at_once(calls))

    def _services(self, scope: Scope, deadline: Deadline) -> object:
        return self._in_namespaces(api.SERVICES, kubernetes.service, scope, deadline)

    def _endpoint_slices(self, scope: Scope, deadline: Deadline) -> object:
        return self._in_namespaces(api.ENDPOINT_SLICES, kubernetes.endpoint_slice, scope, deadline)

    def _policy_services(self, scope: Scope, deadline: Deadline) -> object:
        services: Callable[[], tuple[Service, ...]] = partial(self._objects, api.SERVICES, kubernetes.service, deadline)
        slices: Callable[[], tuple[EndpointSlice, ...]] = partial(
            self._objects, api.ENDPOINT_SLICES, kubernetes.endpoint_slice, deadline
        )
        return tuple(self._at_once([services, slices]))

    def _policies(self, scope: Scope, deadline: Deadline) -> object:
        calls: list[Callable[[], tuple[PolicyObject, ...]]] = [
            partial(self._policy_objects, resource, namespace, deadline)
            for resource in (api.NETWORK_POLICIES, api.CILIUM_POLICIES)
            for namespace in _namespaces_of(scope)
        ]
        calls.append(partial(self._policy_objects, api.CLUSTERWIDE_POLICIES, None, deadline))
        found = self._at_once(calls)
        return (*_in_scope(scope, found[:-1]), *found[-1])

    def _all_policies(self, scope: Scope, deadline: Deadline) -> object:
        return self._policies(replace(scope, all_namespaces=True), deadline)

    def _policy_objects(
        self, resource: Resource, namespace: str | None, deadline: Deadline
    ) -> tuple[PolicyObject, ...]:
        return self._objects(resource, partial(policy_object, resource.kind, resource.api_version), deadline, namespace)

    def _cidr_groups(self, scope: Scope, deadline: Deadline) -> object:
        try:
            bodies = self._listed(api.CIDR_GROUPS, None, {}, deadline)
            resource = api.CIDR_GROUPS
        except _NotFoundError:
            resource = api.CIDR_GROUPS_BEFORE_1_18
            bodies = self._list(resource, None, {}, deadline)
        return each(resource.kind, bodies, partial(policy_object, resource.kind, resource.api_version))

    def _egress_gateways(self, scope: Scope, deadline: Deadline) -> object:
        return self._policy_objects(api.EGRESS_GATEWAYS, None, deadline)

    def _cilium_endpoints(self, scope: Scope, deadline: Deadline) -> object:
        calls = [
            partial(self._objects, api.CILIUM_ENDPOINTS, cilium.cilium_endpoint, deadline, namespace)
            for namespace in _namespaces_of(scope)
        ]
        found = _in_scope(scope, self._at_once(calls))
        if found:
            # Slices only repeat the core of each endpoint, and their list grows with the cluster.
            return found
        slices = self._objects(api.ENDPOINT_SLICES_OF_CILIUM, cilium.endpoints_of_slice, deadline)
        return _in_scope(scope, [cilium.merged_endpoints((), slices)])

    def _named_ports(self, scope: Scope, deadline: Deadline) -> object:
        endpoints = self._objects(api.CILIUM_ENDPOINTS, cilium.cilium_endpoint, deadline)
        if endpoints:
            return cilium.port_names(endpoints)
        slices = self._objects(api.ENDPOINT_SLICES_OF_CILIUM, cilium.endpoints_of_slice, deadline)
        return cilium.port_names(cilium.merged_endpoints((), slices))

    def _identities(self, scope: Scope, deadline: Deadline) -> object:
        if scope.identities is None:
            raise _not_asked("which identities")
        if not scope.identities:
            return self._all_identities(deadline)
        numbers = [
            number
            for number in dict.fromkeys(scope.identities)
            if _FIRST_CLUSTER_IDENTITY <= number < _FIRST_LOCAL_IDENTITY
        ]
        calls = [partial(self._identity, number, deadline) for number in numbers]
        try:
            found = self._at_once(calls)
        except _NotFoundError:
            # Not every proxy before an API says which object is missing: only the whole list proves it then.
            return tuple(item for item in self._all_identities(deadline) if item.number in numbers)
        return tuple(item for item in found if item is not None)

    def _all_identities(self, deadline: Deadline) -> tuple[CiliumIdentity, ...]:
        return self._objects(api.CILIUM_IDENTITIES, cilium.cilium_identity, deadline)

    def _identity(self, number: int, deadline: Deadline) -> CiliumIdentity | None:
        """Read one identity, None where the API says that this very object does not exist."""
        try:
            body = self._get(api.CILIUM_IDENTITIES, None, str(number), deadline)
        except _NotFoundError as error:
            if error.object_name == str(number):
                return None
            raise
        return each("CiliumIdentity", [body], cilium.cilium_identity)[0]

    # Cilium's own pods

    def cilium_namespace(self, deadline: Deadline) -> str:
        """Return the namespace that the agents run in: the configured one if there are any, else the one with some."""
        with self._lock:
            if self._namespace is not None:
                return self._namespace
        selector = {"labelSelector": AGENT_LABEL}
        found = self._agent_pods(self._namespace_hint, selector, deadline)
        if not found:
            try:
                found = self._agent_pods(None, selector, deadline)
            except UnreadError:
                found = []
        with self._lock:
            self._namespace = found[0].namespace if found else self._namespace_hint
            return self._namespace

    def agents(self, node: str | None, deadline: Deadline) -> list[Pod]:
        """Return the agents' pods, of one node or of all; those that run come first."""
        selector = {"labelSelector": AGENT_LABEL, **_field_selector({"spec.nodeName": node})}
        found = self._agent_pods(self.cilium_namespace(deadline), selector, deadline)
        on_node = [pod for pod in found if node in (None, pod.node)]
        return sorted(on_node, key=lambda pod: (pod.phase != "Running", pod.deleted, not pod.ready, pod.name))

    def _agent_pods(self, namespace: str | None, selector: Mapping[str, str], deadline: Deadline) -> list[Pod]:
        found = self._objects(api.PODS, kubernetes.pod, deadline, namespace, selector)
        return [pod for pod in found if pod.labels.get("k8s-app") == "cilium"]

    def relay_pods(self, deadline: Deadline) -> list[Pod]:
        """Return the pods of hubble-relay that are ready."""
        namespace = self.cilium_namespace(deadline)
        found = self._objects(api.PODS, kubernetes.pod, deadline, namespace, {"labelSelector": RELAY_LABEL})
        return [pod for pod in found if pod.labels.get("k8s-app") == "hubble-relay" and pod.ready and not pod.deleted]

    def relay_service(self, deadline: Deadline) -> Service | None:
        """Return the Service of hubble-relay, None where there is none."""
        namespace = self.cilium_namespace(deadline)
        try:
            body = self._get(api.SERVICES, namespace, "hubble-relay", deadline)
        except _NotFoundError:
            return None
        return each("Service", [body], kubernetes.service)[0]

    # Calls

    def _in_namespaces(
        self, resource: Resource, convert: Callable[[Any], T], scope: Scope, deadline: Deadline
    ) -> tuple[T, ...]:
        calls = [partial(self._objects, resource, convert, deadline, namespace) for namespace in _namespaces_of(scope)]
        return _in_scope(scope, self._at_once(calls))

    def _objects(
        self,
        resource: Resource,
        convert: Callable[[Any], T],
        deadline: Deadline,
        namespace: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> tuple[T, ...]:
        return each(resource.kind, self._list(resource, namespace, query or {}, deadline), convert)

    def _list(
        self, resource: Resource, namespace: str | None, query: Mapping[str, str], deadline: Deadline
    ) -> list[Any]:
        try:
            return self._listed(resource, namespace, query, deadline)
        except _NotFoundError as error:
            if resource.optional and not self._is_served(resource, deadline):
                return []
            raise UnreadError(
                Gap.UNSUPPORTED,
                f"the API server does not serve {resource} in {resource.api_version}",
                "Check that Cilium is installed in this cluster, and that the context is the right one."
                if resource.group == "cilium.io"
                else "",
            ) from error

    def _listed(
        self, resource: Resource, namespace: str | None, query: Mapping[str, str], deadline: Deadline
    ) -> list[Any]:
        try:
            return self._transport.pages(resource.path(namespace), query, deadline)
        except ApiError as error:
            raise _refused("list", resource, namespace, error) from error

    def _get(self, resource: Resource, namespace: str | None, name: str, deadline: Deadline) -> Any:
        try:
            return self._transport.get(resource.path(namespace, name), {}, deadline)
        except ApiError as error:
            raise _refused("get", resource, namespace, error) from error

    def _is_served(self, resource: Resource, deadline: Deadline) -> bool:
        """Whether discovery lists a resource; where there is no discovery, the 404 of its list is believed."""
        try:
            body = self._transport.get(resource.api_path, {}, deadline)
        except (ApiError, UnreadError):
            return False
        served = body.get("resources") if isinstance(body, dict) else None
        if not isinstance(served, list):
            return False
        return any(isinstance(item, dict) and item.get("name") == resource.plural for item in served)

    def _at_once(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """Run calls side by side; the first failure, in the order of the calls, is everybody's."""
        if len(calls) == 1:
            return [calls[0]()]
        return [future.result() for future in [self._threads.submit(call) for call in calls]]


class _NotFoundError(UnreadError):
    """404; ``object_name`` is the name that the server says does not exist, None for a resource it does not serve."""

    def __init__(self, detail: str, object_name: str | None) -> None:
        super().__init__(Gap.UNSUPPORTED, detail)
        self.object_name = object_name


def _refused(verb: str, resource: Resource, namespace: str | None, error: ApiError) -> UnreadError:
    where = f" in namespace {namespace}" if namespace else ""
    call = f"{verb} {resource}{where}"
    if error.status == 404:
        details = error.body.get("details") if isinstance(error.body, dict) else None
        name = details.get("name") if isinstance(details, dict) else None
        return _NotFoundError(f"{call}: {error}", name if isinstance(name, str) else None)
    if error.status == 401:
        return UnreadError(
            Gap.FORBIDDEN,
            f"{call}: the API server does not accept the credentials ({error})",
            "Log in to the cluster again, or renew the service account's token.",
        )
    if error.status == 403:
        return UnreadError(
            Gap.FORBIDDEN,
            f"{call} is not allowed: {error}",
            f'Allow it in a role: apiGroups: ["{resource.group}"], resources: ["{resource.plural}"], '
            'verbs: ["get", "list"].',
        )
    if error.status == 429:
        return UnreadError(Gap.FAILED, f"{call}: the API server throttles: {error}", "Ask again in a minute.")
    return UnreadError(Gap.FAILED, f"{call}: the API server answered {error.status}: {error}", "Ask again.")


def _namespaces_of(scope: Scope) -> tuple[str | None, ...]:
    """Return the namespaces to list, None for all of them at once."""
    if scope.all_namespaces:
        return (None,)
    if scope.namespaces is None:
        raise _not_asked("which namespaces")
    return tuple(dict.fromkeys(scope.namespaces))


def _in_scope(scope: Scope, found: Iterable[Iterable[Any]]) -> tuple[Any, ...]:
    return tuple(item for items in found for item in items if narrow.in_scope(scope, item.namespace))


def _field_selector(wanted: Mapping[str, str | None]) -> dict[str, str]:
    terms = [f"{field}={value}" for field, value in wanted.items() if value]
    return {"fieldSelector": ",".join(terms)} if terms else {}


def _not_asked(what: str) -> UnreadError:
    return UnreadError(Gap.NOT_ASKED, f"it is not known yet {what} to read")


_READERS: dict[AnyPart, Callable[[KubeReader, Scope, Deadline], object]] = {
    Part.CONFIG: KubeReader._config,
    Part.NAMESPACES: KubeReader._namespaces,
    Part.NODES: KubeReader._nodes,
    Part.API_SERVER: KubeReader._api_server,
    Part.PODS: KubeReader._pods,
    Part.CILIUM_PODS: KubeReader._cilium_pods,
    Part.WORKLOADS: KubeReader._workloads,
    Part.SERVICES: KubeReader._services,
    Part.ENDPOINT_SLICES: KubeReader._endpoint_slices,
    Part.POLICIES: KubeReader._policies,
    Part.ALL_POLICIES: KubeReader._all_policies,
    Part.POLICY_SERVICES: KubeReader._policy_services,
    Part.CIDR_GROUPS: KubeReader._cidr_groups,
    Part.EGRESS_GATEWAYS: KubeReader._egress_gateways,
    Part.CILIUM_ENDPOINTS: KubeReader._cilium_endpoints,
    Part.IDENTITIES: KubeReader._identities,
    Part.NAMED_PORTS: KubeReader._named_ports,
}

KUBERNETES_PARTS = frozenset(_READERS)
"""The parts that come from the Kubernetes API."""
