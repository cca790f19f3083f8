"""A running cluster as a source of facts: its API, its Hubble, its agents.

The constructor does nothing; clients are imported and connected by the first read that needs them.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from workers.sources.hubble_connection import HubbleAccess, open_channel
from workers.sources.kube import KubeLists
from workers.sources.kube_transport import ClusterAccess, KubeTransport
from workers.sources.unread import UnreadError

if TYPE_CHECKING:
    from workers.sources.agent import Agents
    from workers.sources.hubble import HubbleReader
    from workers.sources.kube_stream import PodStreams, PortForward
    from workers.sources.relay import Way
    from workers.sources.relay_tls import TlsBridge

_AT_ONCE = 8


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
        self._bridge: TlsBridge | None = None

    @property
    def title(self) -> str:
        """Name the cluster as it was named, or as the current one."""
        return f"cluster {self._name}" if self._name else "the current cluster"

    @property
    def transport(self) -> KubeTransport:
        """The API as this source reads it."""
        return self._transport

    @property
    def finds_relay(self) -> bool:
        """Whether relay is looked for in the cluster, since no address was named."""
        return self._hubble_access.address is None

    @property
    def has_relay_files(self) -> bool:
        """Whether files with certificates for relay were named."""
        return bool(self._hubble_access.ca_files or self._hubble_access.client_certificate)

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
            if self._bridge is not None:
                self._bridge.close()
                self._bridge = None
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
        """Find relay through the API, and how it wants to be spoken to."""
        from workers.sources.relay import way_to

        try:
            relay = self.cilium_pods.relay(self.lists(deadline))
        except MalformedError as error:
            raise UnreadError(Gap.MALFORMED, str(error)) from error
        if relay is None:
            raise UnreadError(
                Gap.UNREACHABLE,
                "no ready pod of hubble-relay was found",
                "Enable it (cilium hubble enable), or set HUBBLE_SERVER to where Hubble listens.",
            )
        forward = None if self._transport.is_in_cluster else self._forwarded
        way = way_to(relay, self._hubble_access, self._transport, forward, deadline)
        return self._bridged(way, deadline) if way.needs_bridge else (way.access, way.address)

    def _bridged(self, way: "Way", deadline: Deadline) -> tuple[HubbleAccess, str]:
        from workers.sources.relay_tls import TlsBridge

        bridge = TlsBridge(way.address, way.access.server_name or "", way.access.pems())
        self._pod_streams().submit(bridge.listen()).result(deadline.remaining("listen for relay"))
        self._bridge = bridge
        return HubbleAccess(), bridge.address

    def _forwarded(self, namespace: str, pod: str, port: int) -> str:
        self._forward = self._pod_streams().forward(namespace, pod, port)
        return self._forward.address
