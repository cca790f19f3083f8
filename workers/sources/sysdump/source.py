"""A sysdump as a source. Nothing is read before it is asked for, and each file at most once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from handlers.model.cluster import Pod
from handlers.model.flow import FlowLog
from handlers.model.scope import FlowQuery
from handlers.model.snapshot import Gap
from workers.sources.archive import ArchiveError, open_archive
from workers.sources.assemble import AssembledSource, Manifests
from workers.sources.assemble import resources as api
from workers.sources.assemble.commands import AgentCommand, Output
from workers.sources.assemble.resources import Resource, Select
from workers.sources.convert.reading import MalformedError
from workers.sources.deadline import Deadline
from workers.sources.sysdump.agents import local_node, output_of
from workers.sources.sysdump.clock import taken_at
from workers.sources.sysdump.flows import read_flows
from workers.sources.sysdump.index import SysdumpIndex, is_of_use
from workers.sources.sysdump.listing import cut_list, whole_config_map, whole_list, whole_workloads
from workers.sources.unread import UnreadError

_TASKS: Mapping[Resource[object], str] = {
    api.NAMESPACES: "Kubernetes namespaces",
    api.NODES: "Kubernetes nodes",
    api.PODS: "Kubernetes pods",
    api.SERVICES: "Kubernetes services",
    api.ENDPOINT_SLICES: "Kubernetes endpointslices",
    api.NETWORK_POLICIES: "Kubernetes network policies",
    api.CILIUM_POLICIES: "Cilium network policies",
    api.CLUSTERWIDE_POLICIES: "Cilium cluster-wide network policies",
    api.CIDR_GROUPS: "Cilium CIDR Groups",
    api.EGRESS_GATEWAYS: "Cilium Egress Gateway policies",
    api.CILIUM_ENDPOINTS: "Cilium endpoints",
    api.CILIUM_ENDPOINT_SLICES: "Cilium endpoint slices",
    api.CILIUM_IDENTITIES: "Cilium identities",
    api.CILIUM_NODES: "Cilium nodes",
    api.NODE_CONFIGS: "Cilium Node Configs",
    api.EVENTS: "Kubernetes events",
    api.CONFIG_MAPS: "the Cilium configuration",
    api.INGRESSES: "Ingresses",
    api.INGRESS_CLASSES: "IngressClasses",
    api.GATEWAYS: "Gateway entries",
    api.GATEWAY_CLASSES: "GatewayClass entries",
}
"""How the log names the task that lists each kind; a kind that is not here is in no sysdump."""

_TASK_OF = {str(resource): task for resource, task in _TASKS.items()}
"""The same by the name of the kind alone, whatever is read of its objects."""
_CONFIG_MAPS = str(api.CONFIG_MAPS)

_WORKLOAD_FILES: Mapping[str, tuple[str, ...]] = {
    "DaemonSet": ("cilium-daemonset", "cilium-envoy-daemonset", "cilium-node-init-daemonset"),
    "Deployment": ("cilium-operator-deployment", "hubble-relay-deployment", "clustermesh-apiserver-deployment"),
}
"""The workloads of Cilium that a sysdump keeps, each in a file of its own (cilium-cli, sysdump/constants.go)."""

_NO_SUCH_KIND = ("could not find the requested resource", "no matches for kind")
"""How the API server's answer to a kind that it does not serve reads in the log."""


class SysdumpSource(AssembledSource):
    """A sysdump as ``cilium sysdump`` writes it: a zip, a tar, or a folder."""

    def __init__(self, path: Path) -> None:
        """Open the archive and look at its names.

        Raises:
            ArchiveError: if it cannot or must not be read, or is no sysdump.
        """
        super().__init__(is_archive=True)
        archive = open_archive(path, is_of_use)
        try:
            self._index = SysdumpIndex(archive)
        except ArchiveError:
            archive.close()
            raise

    @property
    def title(self) -> str:
        """Name the dump by its folder, or by its file where it has none."""
        return f"sysdump {self._index.name}"

    def now(self) -> datetime:
        """Return when the dump was taken."""
        return self._once("now", lambda: taken_at(self._index))

    def close(self) -> None:
        """Let go of the archive."""
        self._index.close()

    def manifests(self, resource: Resource[object], select: Select, deadline: Deadline) -> Manifests:
        """Read the file of a kind; the ConfigMap of Cilium is the only one that a dump has, and no list."""
        with _as_gaps():
            if resource in api.SYSTEM_WORKLOADS:
                return self._workloads(resource.kind)
            kind_of_file = _file_of(resource)
            path = self._index.listing(kind_of_file)
            if path is None:
                return self._unlisted(resource, kind_of_file)
            written = self._index.archive.read(path)
            if str(resource) == _CONFIG_MAPS:
                return Manifests([whole_config_map(written, path)], path)
            try:
                return Manifests(whole_list(written, resource.kind, path), path)
            except MalformedError:
                if not resource.may_be_cut:
                    raise
                return Manifests(cut_list(written, resource.kind, path), f"{path} (cut before its end)")

    def output(self, node: str, command: AgentCommand, deadline: Deadline) -> Output:
        """Return what bugtool kept of a command."""
        with _as_gaps():
            pods = [pod for pod, of_node in self._agents().items() if of_node == node]
            if not pods:
                raise UnreadError(Gap.NOT_IN_DUMP, f"the archive shows no Cilium agent on node {node}")
            # While an agent is being replaced the node has two pods; the one with a bugtool part ran.
            pod = next((pod for pod in pods if pod in self._index.bugtool_pods), pods[0])
            if pod not in self._index.bugtool_pods and (waits := self._waiting().get(pod)):
                # What cilium-cli runs in its place on that node answers nothing.
                raise UnreadError(Gap.NOT_IN_DUMP, f"agent {pod} did not run when the dump was taken ({waits})")
            return output_of(self._index, pod, command)

    def log(self, pod: Pod, container: str, deadline: Deadline, *, previous: bool) -> Sequence[str]:
        """Read the end of a log that the dump keeps."""
        with _as_gaps():
            lines = self._index.log_of(pod.name, container, previous=previous)
            if lines is None:
                run = "of its previous run " if previous else ""
                raise UnreadError(Gap.NOT_IN_DUMP, f"the log {run}of {pod.name} ({container}) is not in the dump")
            return lines

    def flows(self, query: FlowQuery, first: Sequence[str], deadline: Deadline) -> FlowLog:
        """Read the flows of every agent's ring."""
        with _as_gaps():
            return read_flows(self._index, query, self._agents(), first, deadline)

    def _workloads(self, kind: str) -> Manifests:
        """Read what is kept of Cilium's own workloads."""
        paths = [path for name in _WORKLOAD_FILES[kind] if (path := self._index.listing(name))]
        if not paths:
            raise UnreadError(Gap.NOT_IN_DUMP, f"no {kind} of Cilium is in the dump")
        return Manifests(
            [body for path in paths for body in whole_workloads(self._index.archive.read(path), kind, path)],
            ", ".join(paths),
        )

    def _unlisted(self, resource: Resource[object], kind_of_file: str) -> Manifests:
        """Return an empty list of a kind that the log shows to be unknown to the cluster, if Cilium runs without it."""
        task = _TASK_OF.get(str(resource))
        reason = self._index.reason(f"collecting {task}:", f"collect {task}:") if task else None
        if reason and any(words in reason for words in _NO_SUCH_KIND):
            if resource.optional and not resource.is_vital:
                return Manifests((), "cilium-sysdump.log")
            raise UnreadError(Gap.UNSUPPORTED, f"the cluster does not know {kind_of_file}: {reason}")
        raise UnreadError(
            Gap.NOT_IN_DUMP,
            f"{kind_of_file}-*.yaml is missing or empty{f': {reason}' if reason else ''}",
            "" if task else "A sysdump holds no workloads; ask the live cluster.",
        )

    def _waiting(self) -> Mapping[str, str]:
        """Return the pods that wait, and for what; none where no list of pods tells."""
        try:
            pods = self.lists(Deadline.after(0)).every(api.PODS)
        except (UnreadError, MalformedError):
            return {}
        return {pod.name: pod.waiting for pod in pods if pod.waiting}

    def _agents(self) -> Mapping[str, str]:
        """Return agent pods and their nodes; without a list of pods, as far as the agents themselves say."""
        return self._once("agents", self._find_agents)

    def _find_agents(self) -> Mapping[str, str]:
        try:
            pods = self.lists(Deadline.after(0)).every(api.PODS)
        except (UnreadError, MalformedError):
            found = {pod: local_node(self._index, pod) for pod in sorted(self._index.bugtool_pods)}
            return {pod: node for pod, node in found.items() if node}
        return {pod.name: pod.node for pod in pods if pod.labels.get("k8s-app") == "cilium" and pod.node}


def _file_of(resource: Resource[object]) -> str:
    """Return how a sysdump calls the file of a kind."""
    if str(resource) == _CONFIG_MAPS:
        return "cilium-configmap"
    if resource in api.FOREIGN_POLICIES:
        # Others have kinds of the same name: theirs bear their group.
        return resource.plural if resource.group == "policy.networking.k8s.io" else str(resource)
    if resource.group == api.GATEWAYS.group:
        return f"gatewayapi-{resource.plural}"
    if resource in (api.INGRESSES, api.INGRESS_CLASSES):
        return f"cilium{resource.plural}" if resource is api.INGRESSES else resource.plural
    return resource.plural if resource.group == "cilium.io" else f"k8s-{resource.plural}"


@contextmanager
def _as_gaps() -> Iterator[None]:
    try:
        yield
    except ArchiveError as error:
        raise UnreadError(Gap.MALFORMED, str(error), error.remedy) from error
