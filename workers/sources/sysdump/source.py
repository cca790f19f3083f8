"""The parts of a sysdump. Nothing is read before it is asked for, and each file at most once."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from handlers.model.cluster import CiliumEndpoint, EndpointSlice, Pod, PolicyObject, Service
from handlers.model.endpoint import Kind
from handlers.model.parts import Part
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing
from workers.sources.archive import ArchiveError, open_archive
from workers.sources.convert import cilium, kubernetes, narrow, nodes
from workers.sources.convert.policies import policy_object
from workers.sources.convert.reading import Body, MalformedError, each, items
from workers.sources.manifest_yaml import ManifestError, load_manifest
from workers.sources.sysdump.agents import local_node, read_agent, with_pods
from workers.sources.sysdump.clock import taken_at
from workers.sources.sysdump.flows import read_flows
from workers.sources.sysdump.index import SysdumpIndex, is_of_use
from workers.sources.unread import UnreadError

T = TypeVar("T")

_TASKS = {
    "k8s-namespaces": "Kubernetes namespaces",
    "k8s-nodes": "Kubernetes nodes",
    "k8s-pods": "Kubernetes pods",
    "k8s-services": "Kubernetes services",
    "k8s-endpointslices": "Kubernetes endpointslices",
    "k8s-networkpolicies": "Kubernetes network policies",
    "ciliumnetworkpolicies": "Cilium network policies",
    "ciliumclusterwidenetworkpolicies": "Cilium cluster-wide network policies",
    "ciliumcidrgroups": "Cilium CIDR Groups",
    "ciliumegressgatewaypolicies": "Cilium Egress Gateway policies",
    "ciliumendpoints": "Cilium endpoints",
    "ciliumendpointslices": "Cilium endpoint slices",
    "ciliumidentities": "Cilium identities",
    "ciliumnodes": "Cilium nodes",
    "cilium-configmap": "the Cilium configuration",
}
"""Files, and how the log names the task that writes them."""

_OPTIONAL = frozenset({"ciliumcidrgroups", "ciliumegressgatewaypolicies", "ciliumendpointslices"})
"""Kinds without which Cilium runs: a cluster whose API does not know them has none of them."""

_NO_SUCH_KIND = ("could not find the requested resource", "no matches for kind")
"""How the API server's answer to a kind that it does not serve reads in the log."""

_POLICY_KINDS = (
    ("k8s-networkpolicies", "NetworkPolicy", "networking.k8s.io/v1"),
    ("ciliumnetworkpolicies", "CiliumNetworkPolicy", "cilium.io/v2"),
    ("ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy", "cilium.io/v2"),
)

_WORKLOAD_KINDS = {
    "k8s-deployments": Kind.DEPLOYMENT,
    "k8s-statefulsets": Kind.STATEFUL_SET,
    "k8s-daemonsets": Kind.DAEMON_SET,
    "k8s-jobs": Kind.JOB,
    "k8s-cronjobs": Kind.CRON_JOB,
}


class SysdumpSource:
    """A sysdump as ``cilium sysdump`` writes it: a zip, a tar, or a folder."""

    def __init__(self, path: Path) -> None:
        """Open the archive and look at its names.

        Raises:
            ArchiveError: if it cannot or must not be read, or is no sysdump.
        """
        archive = open_archive(path, is_of_use)
        try:
            self._index = SysdumpIndex(archive)
        except ArchiveError:
            archive.close()
            raise
        self._lock = threading.RLock()
        self._read_once: dict[object, object] = {}

    @property
    def title(self) -> str:
        """Name the dump by its folder, or by its file where it has none."""
        return f"sysdump {self._index.name}"

    def now(self) -> datetime:
        """Return when the dump was taken."""
        return self._once("now", lambda: taken_at(self._index))

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        """Read one part; what the dump does not hold is Missing, with the line of its log that says why."""
        try:
            value, origin = self._value(ask, timeout)
            return Known(value, self.now(), origin)
        except UnreadError as error:
            return error.missing
        except (ArchiveError, ManifestError, MalformedError, ValueError) as error:
            remedy = error.remedy if isinstance(error, ArchiveError) else ""
            return Missing(Gap.MALFORMED, str(error), remedy)

    def close(self) -> None:
        """Let go of the archive."""
        self._index.close()

    def _value(self, ask: Ask, timeout: float) -> tuple[object, str]:
        if ask.part.is_per_node:
            return self._of_agent(ask)
        if ask.part is Part.FLOWS:
            if ask.scope.flows is None:
                raise _not_asked("which flows")
            first = ask.scope.nodes or ()
            return read_flows(self._index, ask.scope.flows, self._agents(), first, timeout), "hubble-flows"
        reader = _READERS.get(ask.part)
        if reader is None:
            raise UnreadError(Gap.NOT_IN_DUMP, f"a sysdump holds no {ask.part}", "Ask the live cluster.")
        return reader(self, ask)

    # Parts that are whole lists

    def _config(self, ask: Ask) -> tuple[object, str]:
        path = self._path("cilium-configmap")
        version = self._version()
        return self._once("config", lambda: cilium.cilium_config(self._manifest(path), version)), path

    def _version(self) -> str | None:
        try:
            return cilium.agent_version(self._all_pods())
        except (UnreadError, ArchiveError, ManifestError, MalformedError):
            return None

    def _namespaces(self, ask: Ask) -> tuple[object, str]:
        return self._list("k8s-namespaces", "Namespace", kubernetes.namespace)

    def _nodes(self, ask: Ask) -> tuple[object, str]:
        path, of_cilium = self._path("k8s-nodes"), self._path("ciliumnodes")
        return self._once("nodes", lambda: nodes.nodes(self._items(path), self._items(of_cilium))), path

    def _api_server(self, ask: Ask) -> tuple[object, str]:
        found, path = self._slices()
        return (
            tuple(
                address
                for item in found
                if (item.namespace, item.service) == ("default", "kubernetes")
                for backend in item.backends
                for address in backend.addresses
            ),
            path,
        )

    def _all_pods(self) -> tuple[Pod, ...]:
        return self._list("k8s-pods", "Pod", kubernetes.pod)[0]

    def _pods(self, ask: Ask) -> tuple[object, str]:
        if ask.scope.pods is None:
            raise _not_asked("which pods")
        return narrow.pods_asked(ask.scope, self._all_pods()), self._path("k8s-pods")

    def _cilium_pods(self, ask: Ask) -> tuple[object, str]:
        return tuple(pod for pod in self._all_pods() if cilium.is_cilium_pod(pod)), self._path("k8s-pods")

    def _workloads(self, ask: Ask) -> tuple[object, str]:
        self._check_namespaces(ask)
        found = []
        for kind_of_file, kind in _WORKLOAD_KINDS.items():
            listed, _ = self._list(kind_of_file, kind, partial(kubernetes.workload, kind))
            found += [item for item in listed if narrow.in_scope(ask.scope, item.namespace)]
        return tuple(found), "k8s-deployments"

    def _all_services(self) -> tuple[tuple[Service, ...], str]:
        return self._list("k8s-services", "Service", kubernetes.service)

    def _slices(self) -> tuple[tuple[EndpointSlice, ...], str]:
        return self._list("k8s-endpointslices", "EndpointSlice", kubernetes.endpoint_slice)

    def _services(self, ask: Ask) -> tuple[object, str]:
        return self._narrowed(ask, self._all_services())

    def _endpoint_slices(self, ask: Ask) -> tuple[object, str]:
        return self._narrowed(ask, self._slices())

    def _policy_services(self, ask: Ask) -> tuple[object, str]:
        services, path = self._all_services()
        return (services, self._slices()[0]), path

    def _policies(self, ask: Ask) -> tuple[object, str]:
        self._check_namespaces(ask)
        found = [item for kind in _POLICY_KINDS for item in self._policy_list(*kind)[0]]
        asked = tuple(item for item in found if not item.namespace or narrow.in_scope(ask.scope, item.namespace))
        return asked, "k8s-networkpolicies, ciliumnetworkpolicies, ciliumclusterwidenetworkpolicies"

    def _all_policies(self, ask: Ask) -> tuple[object, str]:
        return self._policies(replace(ask, scope=replace(ask.scope, all_namespaces=True)))

    def _cidr_groups(self, ask: Ask) -> tuple[object, str]:
        return self._policy_list("ciliumcidrgroups", "CiliumCIDRGroup", "cilium.io/v2")

    def _egress_gateways(self, ask: Ask) -> tuple[object, str]:
        return self._policy_list("ciliumegressgatewaypolicies", "CiliumEgressGatewayPolicy", "cilium.io/v2")

    def _policy_list(self, kind_of_file: str, kind: str, version: str) -> tuple[tuple[PolicyObject, ...], str]:
        return self._list(kind_of_file, kind, lambda body: policy_object(kind, version, body))

    def _cilium_endpoints(self, ask: Ask) -> tuple[object, str]:
        self._check_namespaces(ask)
        endpoints, path = self._all_endpoints()
        return tuple(item for item in endpoints if narrow.in_scope(ask.scope, item.namespace)), path

    def _all_endpoints(self) -> tuple[tuple[CiliumEndpoint, ...], str]:
        listed, path = self._list("ciliumendpoints", "CiliumEndpoint", cilium.cilium_endpoint)
        # Slices repeat what the endpoints say; a dump without them lacks nothing.
        if self._index.listing("ciliumendpointslices") is None:
            return listed, path
        slices, _ = self._list("ciliumendpointslices", "CiliumEndpointSlice", cilium.endpoints_of_slice)
        return cilium.merged_endpoints(listed, slices), path

    def _named_ports(self, ask: Ask) -> tuple[object, str]:
        endpoints, path = self._all_endpoints()
        return cilium.port_names(endpoints), path

    def _identities(self, ask: Ask) -> tuple[object, str]:
        wanted = ask.scope.identities
        if wanted is None:
            raise _not_asked("which identities")
        found, path = self._list("ciliumidentities", "CiliumIdentity", cilium.cilium_identity)
        return tuple(item for item in found if not wanted or item.number in wanted), path

    # Agents

    def _agents(self) -> Mapping[str, str]:
        """Return agent pods and their nodes; without a list of pods, as far as the agents themselves say."""
        return self._once("agents", self._find_agents)

    def _find_agents(self) -> Mapping[str, str]:
        try:
            pods = self._all_pods()
        except (UnreadError, ArchiveError, ManifestError, MalformedError):
            found = {pod: local_node(self._index, pod) for pod in sorted(self._index.bugtool_pods)}
            return {pod: node for pod, node in found.items() if node}
        return {pod.name: pod.node for pod in pods if pod.labels.get("k8s-app") == "cilium" and pod.node}

    def _of_agent(self, ask: Ask) -> tuple[object, str]:
        if ask.node is None:
            raise _not_asked("which node")
        pods = [pod for pod, node in self._agents().items() if node == ask.node]
        if not pods:
            raise UnreadError(Gap.NOT_IN_DUMP, f"the archive shows no Cilium agent on node {ask.node}")
        # While an agent is being replaced the node has two pods; the one with a bugtool part ran.
        pod = next((pod for pod in pods if pod in self._index.bugtool_pods), pods[0])
        return self._once((ask.part, pod), lambda: self._read_agent(ask.part, pod, ask.node or ""))

    def _read_agent(self, part: AnyPart, pod: str, node: str) -> tuple[object, str]:
        value, path = read_agent(self._index, part, pod)
        if part is Part.AGENT_ENDPOINTS and isinstance(value, tuple):
            try:
                return with_pods(value, self._all_pods(), node), path
            except (UnreadError, ArchiveError, ManifestError, MalformedError):
                return value, path
        return value, path

    # Files

    def _narrowed(self, ask: Ask, found: tuple[tuple[Any, ...], str]) -> tuple[object, str]:
        self._check_namespaces(ask)
        return tuple(item for item in found[0] if narrow.in_scope(ask.scope, item.namespace)), found[1]

    @staticmethod
    def _check_namespaces(ask: Ask) -> None:
        if ask.scope.namespaces is None and not ask.scope.all_namespaces:
            raise _not_asked("which namespaces")

    def _list(self, kind_of_file: str, kind: str, convert: Callable[[Body], T]) -> tuple[tuple[T, ...], str]:
        """Convert a whole list once, and keep it.

        Raises:
            UnreadError: if the file is missing or empty, and the log does not prove that the kind has no objects.
        """
        try:
            path = self._path(kind_of_file)
        except UnreadError as error:
            if kind_of_file in _OPTIONAL and error.missing.gap is Gap.UNSUPPORTED:
                return (), "cilium-sysdump.log"
            raise
        return self._once(("list", kind_of_file), lambda: each(kind, self._items(path), convert)), path

    def _items(self, path: str) -> list[Any]:
        return items(self._manifest(path), path)

    def _manifest(self, path: str) -> Any:
        try:
            return load_manifest(self._index.archive.read(path))
        except ManifestError as error:
            raise ManifestError(f"{path}: {error}") from error

    def _path(self, kind_of_file: str) -> str:
        path = self._index.listing(kind_of_file)
        if path is not None:
            return path
        task = _TASKS.get(kind_of_file)
        reason = self._index.reason(f"collecting {task}:", f"collect {task}:") if task else None
        if reason and any(words in reason for words in _NO_SUCH_KIND):
            raise UnreadError(Gap.UNSUPPORTED, f"the cluster does not know {kind_of_file}: {reason}")
        raise UnreadError(
            Gap.NOT_IN_DUMP,
            f"{kind_of_file}-*.yaml is missing or empty{f': {reason}' if reason else ''}",
            "" if task else "A sysdump holds no workloads; ask the live cluster.",
        )

    def _once(self, key: object, make: Callable[[], T]) -> T:
        """Make a value once, whichever thread asks first; a failure is remembered too."""
        with self._lock:
            if key not in self._read_once:
                try:
                    self._read_once[key] = make()
                except (UnreadError, ArchiveError, ManifestError, MalformedError) as error:
                    self._read_once[key] = _Failed(error)
            found = self._read_once[key]
        if isinstance(found, _Failed):
            raise found.error
        return found  # type: ignore[return-value]


class _Failed:
    def __init__(self, error: Exception) -> None:
        self.error = error


def _not_asked(what: str) -> UnreadError:
    return UnreadError(Gap.NOT_ASKED, f"it is not known yet {what} to read")


_READERS: dict[AnyPart, Callable[[SysdumpSource, Ask], tuple[object, str]]] = {
    Part.CONFIG: SysdumpSource._config,
    Part.NAMESPACES: SysdumpSource._namespaces,
    Part.NODES: SysdumpSource._nodes,
    Part.API_SERVER: SysdumpSource._api_server,
    Part.PODS: SysdumpSource._pods,
    Part.CILIUM_PODS: SysdumpSource._cilium_pods,
    Part.WORKLOADS: SysdumpSource._workloads,
    Part.SERVICES: SysdumpSource._services,
    Part.ENDPOINT_SLICES: SysdumpSource._endpoint_slices,
    Part.POLICIES: SysdumpSource._policies,
    Part.ALL_POLICIES: SysdumpSource._all_policies,
    Part.POLICY_SERVICES: SysdumpSource._policy_services,
    Part.CIDR_GROUPS: SysdumpSource._cidr_groups,
    Part.EGRESS_GATEWAYS: SysdumpSource._egress_gateways,
    Part.CILIUM_ENDPOINTS: SysdumpSource._cilium_endpoints,
    Part.IDENTITIES: SysdumpSource._identities,
    Part.NAMED_PORTS: SysdumpSource._named_ports,
}
"""What reads each part; flows and agents are read by themselves, and what is not here is in no sysdump."""
