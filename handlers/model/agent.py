"""What a Cilium agent says about its own node."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from handlers.model.cluster import PodPort


@dataclass(frozen=True, slots=True)
class Controller:
    """A controller of the agent that fails now."""

    name: str
    failures: int
    error: str
    last_failure_at: datetime | None


class ProbeWay(StrEnum):
    """How the health prober asks: an echo to the network stack, or a request to the agent behind it."""

    ICMP = "ICMP"
    HTTP = "HTTP"


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """One probe of another node: of its host, or of the health endpoint that its agent runs.

    ``error`` is empty where it succeeded; ``at`` is None where the output has no time. ``seconds`` is how long the
    answer took, None where it failed or nothing tells.
    """

    way: ProbeWay
    of_endpoint: bool
    error: str = ""
    at: datetime | None = None
    seconds: float | None = None

    @property
    def was_answered(self) -> bool:
        """Whether something answered there: a refusal crossed the network both ways, only nobody listens."""
        return not self.error or "connection refused" in self.error


@dataclass(frozen=True, slots=True)
class PeerNode:
    """Another node as the agent's health prober sees it, with the newest probe of each kind."""

    name: str
    probes: tuple[HealthProbe, ...] = ()

    @property
    def host_reachable(self) -> bool | None:
        """Whether anything of the node answered; None where its host was not probed."""
        return _answered(probe for probe in self.probes if not probe.of_endpoint)

    @property
    def endpoint_reachable(self) -> bool | None:
        """Whether the health endpoint on it answered; None where that was not probed."""
        return _answered(probe for probe in self.probes if probe.of_endpoint)

    @property
    def refusal(self) -> HealthProbe | None:
        """The probe of the host that was refused: the node answers, and no agent listens there."""
        return next((probe for probe in self.probes if not probe.of_endpoint and _refused(probe)), None)

    def failure(self, *, of_endpoint: bool) -> HealthProbe | None:
        """Return the newest probe of the host, or of the endpoint, that nothing answered."""
        failed = [probe for probe in self.probes if probe.of_endpoint is of_endpoint and not probe.was_answered]
        return max(failed, key=lambda probe: probe.at.timestamp() if probe.at else 0, default=None)


def _answered(probes: Iterable[HealthProbe]) -> bool | None:
    answers = [probe.was_answered for probe in probes]
    return any(answers) if answers else None


def _refused(probe: HealthProbe) -> bool:
    return bool(probe.error) and probe.was_answered


@dataclass(frozen=True, slots=True)
class AddressPool:
    """The addresses of one family that a node may give to its pods: how many are given of how many there are."""

    family: str
    """``IPv4`` or ``IPv6``."""
    given: int
    size: int
    cidr: str

    @property
    def is_full(self) -> bool:
        """Whether no pod can start here that needs another address."""
        return self.size > 0 and self.given >= self.size


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a node encrypts what it sends to others. ``mode`` is ``Disabled``, ``IPsec`` or ``Wireguard``.

    ``public_key`` and ``peers`` are WireGuard's, ``keys_in_use`` IPsec's; None where the output does not tell.
    """

    mode: str
    public_key: str = ""
    peers: int | None = None
    keys_in_use: int | None = None


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """``cilium-dbg status`` of one node. ``state`` is ``Ok``, ``Warning`` or ``Failure``.

    ``components`` maps each part that reports a state (kubernetes, kvstore, hubble, proxy, ...) to state and message.
    ``proxy_redirects`` counts L7 redirects; ``peers`` is None where the health prober's view could not be read.
    ``pools`` and ``given_to`` are what IPAM gave, and to whom (``namespace/pod``, ``router``, ``health``).
    ``routing`` is ``Tunnel`` or ``Native``, ``tunnel`` the protocol of the former. ``map_sizes`` are the limits of the
    datapath's maps by the names that the status gives them. What the output does not tell is None, or empty.
    """

    version: str | None
    state: str
    message: str
    components: Mapping[str, tuple[str, str]]
    failing: tuple[Controller, ...]
    peers: tuple[PeerNode, ...] | None
    proxy_redirects: int | None = None
    kube_proxy_replacement: str | None = None
    pools: tuple[AddressPool, ...] = ()
    given_to: tuple[str, ...] = ()
    routing: str = ""
    tunnel: str = ""
    encryption: Encryption | None = None
    host_firewall: bool | None = None
    masquerading: str = ""
    """``BPF``, ``IPTables`` or ``Disabled``."""
    map_sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownNode:
    """A node as an agent knows it (``cilium-dbg node list``), its own among them.

    ``ips`` begin with the address that packets for it are sent to; ``source`` says who told: ``local``,
    ``custom-resource``, ``kvstore``, ``clustermesh``. ``cluster`` is the name of its cluster, empty where none is told.
    """

    name: str
    ips: tuple[str, ...]
    pod_cidrs: tuple[str, ...]
    health_ips: tuple[str, ...]
    source: str
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """``cilium-dbg config --all`` of one node: what the agent goes by, under the names that it prints.

    ``started_at`` is when the agent read its configuration.
    """

    options: Mapping[str, str]
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EndpointLogEntry:
    """A line of an endpoint's status log. ``code`` is ``OK``, ``Warning`` or ``Failure`` (api/v1/models)."""

    code: str
    message: str
    state: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class AgentEndpoint:
    """``cilium-dbg endpoint list`` of one node, one entry.

    ``desired_revision`` and ``realized_revision`` are policy revisions; None where the output has none (the text form).
    """

    id: int
    namespace: str
    pod: str
    identity: int
    labels: tuple[str, ...]
    ips: tuple[str, ...]
    state: str
    ingress_enforcing: bool | None
    egress_enforcing: bool | None
    desired_revision: int | None = None
    realized_revision: int | None = None
    audit: bool | None = None
    health: str | None = None
    named_ports: tuple[PodPort, ...] = ()
    log: tuple[EndpointLogEntry, ...] = ()
    """What became of it lately, the newest first."""
    failing: tuple[Controller, ...] = ()
    """Controllers of this endpoint that fail now."""


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """An identity as one agent knows it; numbers from 1 << 24 mean something on this node only."""

    number: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddressIdentity:
    """An entry of the agent's ipcache: which identity an address or prefix has on this node."""

    cidr: str
    identity: int


@dataclass(frozen=True, slots=True)
class LearntName:
    """An address that an agent learnt for a DNS name. ``endpoint`` is the endpoint that asked, None if unknown."""

    name: str
    ips: tuple[str, ...]
    endpoint: int | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class PolicyMapEntry:
    """One entry of an endpoint's policy map in the datapath.

    ``identity`` 0 is any; ``port`` 0 is any; ``prefix`` is the number of significant bits of protocol and port (24 for
    one port). ``packets`` is None where no statistics are kept.
    """

    endpoint: int
    ingress: bool
    deny: bool
    identity: int
    protocol: int
    port: int
    prefix: int | None
    proxy_port: int
    packets: int | None


@dataclass(frozen=True, slots=True)
class EgressGatewayEntry:
    """One entry of the node's egress gateway map.

    ``gateway_ip`` is None where no gateway node was found, and ``Excluded CIDR`` where the range is left out;
    ``egress_ip`` is None on every node but the gateway, and there where it has no address to send from.
    """

    source_ip: str
    destination_cidr: str
    egress_ip: str | None
    gateway_ip: str | None

    @property
    def is_excluded(self) -> bool:
        """Whether packets to the range pass by the gateway."""
        return self.gateway_ip == "Excluded CIDR"


@dataclass(frozen=True, slots=True)
class LoadBalancerEntry:
    """A frontend in the agent's service table and its active backends as ``ip:port``.

    ``namespace`` and ``name`` are empty in the text form; ``kind`` is ClusterIP, NodePort, LoadBalancer or ExternalIPs.
    """

    frontend: str
    protocol: str
    backends: tuple[str, ...]
    namespace: str
    name: str
    kind: str = ""
    for_inside: bool = False
    """Whether it is the second of two frontends for one address: the one that clients in the cluster use."""
    idle: tuple[str, ...] = ()
    """Backends that take no new connections: terminating, quarantined, in maintenance."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One sample of the agent's metrics."""

    name: str
    labels: Mapping[str, str]
    value: float
