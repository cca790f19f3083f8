"""Hubble flows, and how much of the truth a query for them could see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from handlers.model.traffic import Protocol


class FlowVerdict(StrEnum):
    """Hubble's verdict of one event (flow.proto, enum Verdict)."""

    UNKNOWN = "VERDICT_UNKNOWN"
    FORWARDED = "FORWARDED"
    DROPPED = "DROPPED"
    ERROR = "ERROR"
    AUDIT = "AUDIT"
    REDIRECTED = "REDIRECTED"
    TRACED = "TRACED"
    TRANSLATED = "TRANSLATED"


class FlowType(StrEnum):
    """Which layer reported the event (flow.proto, enum FlowType)."""

    UNKNOWN = "UNKNOWN_TYPE"
    L3_L4 = "L3_L4"
    L7 = "L7"
    SOCK = "SOCK"


class EventType(IntEnum):
    """The monitor's event types that triage tells apart (Cilium, pkg/monitor/api/types.go)."""

    DROP = 1
    TRACE = 4
    POLICY_VERDICT = 5
    ACCESS_LOG = 129
    TRACE_SOCK = 11


class FlowDirection(StrEnum):
    """Traffic direction as reported: trust it on policy verdicts only."""

    UNKNOWN = "TRAFFIC_DIRECTION_UNKNOWN"
    INGRESS = "INGRESS"
    EGRESS = "EGRESS"


@dataclass(frozen=True, slots=True)
class FlowEnd:
    """One end of a flow. ``identity`` 0 is unknown; identities from 1 << 24 have a meaning on ``Flow.node`` only."""

    ip: str
    port: int | None
    identity: int
    namespace: str
    pod: str
    labels: tuple[str, ...]
    names: tuple[str, ...] = ()
    """DNS names that the agent had learnt for the address."""
    workloads: tuple[tuple[str, str], ...] = ()
    """Pairs of kind and name."""


@dataclass(frozen=True, slots=True)
class FlowPolicy:
    """A policy that Hubble names for a verdict; never with the rule."""

    kind: str
    namespace: str
    name: str

    @property
    def ref(self) -> str:
        """Write ``Kind/namespace/name``."""
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """The DNS part of an L7 flow; ``rcode`` 0 is success, 3 NXDOMAIN, 5 REFUSED (RFC 1035)."""

    query: str
    ips: tuple[str, ...]
    rcode: int
    is_response: bool


@dataclass(frozen=True, slots=True)
class HttpRecord:
    """The HTTP part of an L7 flow; ``code`` 0 on requests."""

    method: str
    url: str
    code: int


@dataclass(frozen=True, slots=True)
class Flow:
    """One Hubble event.

    ``is_reply`` None means that the event does not tell (drops and denied verdicts never do), which is not False.
    ``node`` is without the cluster prefix. ``tcp_flags`` are the names of the flags that were set.
    """

    time: datetime
    verdict: FlowVerdict
    type: FlowType
    event_type: int
    event_sub_type: int
    node: str
    source: FlowEnd
    destination: FlowEnd
    protocol: Protocol | None
    direction: FlowDirection
    drop_reason: str | None = None
    is_reply: bool | None = None
    tcp_flags: frozenset[str] = frozenset()
    observation_point: str | None = None
    policy_match_type: int = 0
    allowed_by: tuple[FlowPolicy, ...] = ()
    denied_by: tuple[FlowPolicy, ...] = ()
    dns: DnsRecord | None = None
    http: HttpRecord | None = None
    proxy_port: int = 0
    icmp_type: int | None = None
    destination_service: str | None = None
    source_translated: str | None = None
    """What the source's address was made into where the packet left: the gateway's, or a node's; None where untold."""
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class LostEvents:
    """Events that Hubble itself knows it lost."""

    node: str
    source: str
    count: int


@dataclass(frozen=True, slots=True)
class FlowLog:
    """The answer to one flow query, with what it could not see.

    ``since`` and ``until`` are what was asked; ``covered_since`` is, per node heard, the oldest event that its ring
    still held (no entry: not known). ``silent`` maps nodes that did not answer to the reason. ``truncated`` says that
    the count bound cut the answer.
    """

    flows: tuple[Flow, ...]
    since: datetime
    until: datetime
    heard: frozenset[str]
    silent: Mapping[str, str] = field(default_factory=dict)
    covered_since: Mapping[str, datetime] = field(default_factory=dict)
    lost: tuple[LostEvents, ...] = ()
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class RelayNode:
    """A node as relay lists it. ``state`` is relay's word; numbers are None where the node did not answer."""

    name: str
    state: str
    version: str | None
    num_flows: int | None
    max_flows: int | None
    seen_flows: int | None


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """Relay's own view of its peers."""

    version: str | None
    nodes: tuple[RelayNode, ...]
