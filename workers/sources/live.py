"""A running cluster as a source of facts: its API, its Hubble, its agents.

The constructor does nothing; clients are imported and connected by the first read that needs them.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from handlers.model.cluster import Pod
from handlers.model.flow import FlowLog, RelayStatus
from handlers.model.scope import FlowQuery
from handlers.model.snapshot import Gap
from workers.sources.assemble import AssembledSource, Manifests
from workers.sources.assemble.commands import AgentCommand, Output
from workers.sources.assemble.resources import Resource, Select
from workers.sources.convert.reading import MalformedError
from workers.sources.deadline import Deadline
from workers.sources.hubble_connection import RELAY_SERVER_NAME, HubbleAccess, open_channel
from workers.sources.kube import KubeLists
from workers.sources.kube_transport import ClusterAccess, KubeTransport
from workers.sources.unread import UnreadError

if TYPE_CHECKING:
    from workers.sources.agent import Agents
    from workers.sources.hubble import HubbleReader
    from workers.sources.kube_stream import PodStreams, PortForward

_AT_ONCE = 8
_RELAY_PORT, _RELAY_TLS_PORT, _RELAY_CONTAINER_PORT = 80, 443, 4245


def clock() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


def open_live(
    *,
    context: str | None = None,
    kubeconfig: Path | None = None,
    in_cluster: bool | None = None,
    hubble_server: str | None = None,
    hubble: HubbleAccess | None = None,
    cilium_namespace: str | None = None,
    cluster_name: str | None = None,
    environment: Mapping[str, str] | None = None,
    now: Callable[[], datetime] = clock,
) -> "LiveSource":
    """Return a source for a running cluster; nothing is connected yet.

    ``hubble`` says all about Hubble; without it the hubble CLI's variables in ``environment`` (default: the process's)
    count, with ``hubble_server`` over its address. ``cluster_name`` is for people.
    """
    access = hubble or HubbleAccess.from_environment(os.environ if environment is None else environment, hubble_server)
    cluster = ClusterAccess(context=context, kubeconfig=kubeconfig, in_cluster=in_cluster)
    return LiveSource(cluster, access, cilium_namespace=cilium_namespace, cluster_name=cluster_name, now=now)


class LiveSource(AssembledSource):
    """Reads parts of a running cluster; safe to use from several threads."""

    def __init__(
        self,
        cluster: ClusterAccess,
        hubble: HubbleAccess,
        *,
        cilium_namespace: str | None = None,
        cluster_name: str | None = None,
        now: Callable[[], datetime] = clock,
    ) -> None:
        """Remember what to connect to."""
        self._calls = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="kube")
        super().__init__(cilium_namespace=cilium_namespace, threads=self._calls)
        self._cluster = cluster
        self._hubble_access = hubble
        self._now = now
        self._name = cluster_name or cluster.context
        self._transport = KubeTransport(cluster)
        self._kube = KubeLists(self._transport)
        self._lock = threading.Lock()
        self._hubble_lock = threading.Lock()
        self._hubble: HubbleReader | None = None
        self._agents: Agents | None = None
        self._streams: PodStreams | None = None
        self._forward: PortForward | None = None

    @property
    def title(self) -> str:
        """Name the cluster as it was named, or as the current one."""
        return f"cluster {self._name}" if self._name else "the current cluster"

    def now(self) -> datetime:
        """Return the time of the clock."""
        return self._now()

    def manifests(self, resource: Resource[object], select: Select, deadline: Deadline) -> Manifests:
        """List through the API, as narrowly as selected."""
        return Manifests(self._kube.manifests(resource, select, deadline), "kubernetes")

    def api_groups(self, deadline: Deadline) -> Mapping[str, tuple[str, ...]] | None:
        """Ask discovery."""
        return self._kube.groups(deadline)

    def output(self, node: str, command: AgentCommand, deadline: Deadline) -> Output:
        """Run a command in the agent of a node."""
        return self._agents_reader().output(node, command, self.lists(deadline), deadline)

    def flows(self, query: FlowQuery, first: Sequence[str], deadline: Deadline) -> FlowLog:
        """Ask Hubble."""
        reader = self._hubble_reader(deadline)
        try:
            return reader.flows(query, first, deadline)
        except UnreadError as error:
            why = self._forward.last_error if self._forward is not None else ""
            if error.missing.gap is Gap.UNREACHABLE and why:
                raise UnreadError(Gap.UNREACHABLE, f"{error.missing.detail} ({why})", error.missing.remedy) from error
            raise

    def log(self, pod: Pod, container: str, deadline: Deadline, *, previous: bool) -> Sequence[str]:
        """Ask kubelet, through the API, for the end of a log."""
        return self._kube.log(pod.namespace, pod.name, container, deadline, previous=previous)

    def relay(self, deadline: Deadline) -> RelayStatus:
        """Ask relay."""
        return self._hubble_reader(deadline).relay(deadline)

    def close(self) -> None:
        """Close connections and the port-forward."""
        with self._hubble_lock:
            if self._hubble is not None:
                self._hubble.close()
                self._hubble = None
        with self._lock:
            if self._streams is not None:
                self._streams.close()
                self._streams = None
        self._calls.shutdown(wait=False, cancel_futures=True)
        self._transport.close()

    def _agents_reader(self) -> "Agents":
        from workers.sources.agent import Agents

        streams = self._pod_streams()
        with self._lock:
            if self._agents is None:
                self._agents = Agents(streams, self.cilium_pods)
            return self._agents

    def _pod_streams(self) -> "PodStreams":
        from workers.sources.kube_stream import PodStreams

        with self._lock:
            if self._streams is None:
                self._streams = PodStreams(self._transport)
            return self._streams

    def _hubble_reader(self, deadline: Deadline) -> "HubbleReader":
        """Return the reader of Hubble, connected to the given address, else to relay as the cluster knows it."""
        from workers.sources.hubble import HubbleReader

        with self._hubble_lock:
            if self._hubble is None:
                access = self._hubble_access
                address = access.address
                if address is None:
                    access, address = self._found_relay(deadline)
                self._hubble = HubbleReader(open_channel(access, address), address, self._now)
            return self._hubble

    def _found_relay(self, deadline: Deadline) -> tuple[HubbleAccess, str]:
        """Find relay: its Service from inside the cluster, else a port-forward to one of its pods."""
        try:
            lists = self.lists(deadline)
            service = self.cilium_pods.relay_service(lists)
            ports = {port.port for port in service.ports} if service is not None else set()
            access = self._for_ports(ports)
            if service is not None and self._transport.is_in_cluster:
                port = _RELAY_TLS_PORT if access.uses_tls else _RELAY_PORT
                return (
                    access,
                    f"{service.name}.{service.namespace}.svc:{port if port in ports or not ports else min(ports)}",
                )
            pods = self.cilium_pods.relay_pods(lists)
        except MalformedError as error:
            raise UnreadError(Gap.MALFORMED, str(error)) from error
        if not pods:
            raise UnreadError(
                Gap.UNREACHABLE,
                "no ready pod of hubble-relay was found",
                "Enable it (cilium hubble enable), or set HUBBLE_SERVER to where Hubble listens.",
            )
        ports = {item.port for item in pods[0].ports}
        port = _RELAY_CONTAINER_PORT if _RELAY_CONTAINER_PORT in ports or not ports else min(ports)
        return access, self._forwarded(pods[0].namespace, pods[0].name, port)

    def _for_ports(self, ports: set[int]) -> HubbleAccess:
        """Return how to speak to a relay whose Service has these ports: 443 alone means TLS."""
        found = self._hubble_access
        wants_tls = found.uses_tls or (_RELAY_TLS_PORT in ports and _RELAY_PORT not in ports)
        return replace(found, tls=wants_tls, server_name=found.server_name or RELAY_SERVER_NAME)

    def _forwarded(self, namespace: str, pod: str, port: int) -> str:
        self._forward = self._pod_streams().forward(namespace, pod, port)
        return self._forward.address
