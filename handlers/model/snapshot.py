"""What was read of a cluster at one moment: parts that are known, and parts that are missing with the reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class Gap(StrEnum):
    """Why a part is missing."""

    NOT_ASKED = "not-asked"
    FORBIDDEN = "forbidden"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    UNSUPPORTED = "unsupported"
    NOT_IN_DUMP = "not-in-dump"
    MALFORMED = "malformed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A part that was read whole, and when."""

    value: T
    observed_at: datetime
    origin: str = ""
    """Where it was read: ``kubernetes``, ``hubble``, ``agent``, or a file of an archive."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that was not read. ``detail`` says what failed; ``remedy`` what the asker can do about it."""

    gap: Gap
    detail: str
    remedy: str = ""


class Part(StrEnum):
    """A part of a snapshot; the value is the name of the method of Source that reads it."""

    CONFIG = "config"
    NAMESPACES = "namespaces"
    NODES = "nodes"
    API_SERVER = "api_server"
    PODS = "pods"
    CILIUM_PODS = "cilium_pods"
    WORKLOADS = "workloads"
    SERVICES = "services"
    ENDPOINT_SLICES = "endpoint_slices"
    POLICIES = "policies"
    ALL_POLICIES = "all_policies"
    POLICY_SERVICES = "policy_services"
    CIDR_GROUPS = "cidr_groups"
    EGRESS_GATEWAYS = "egress_gateways"
    CILIUM_ENDPOINTS = "cilium_endpoints"
    IDENTITIES = "identities"
    NAMED_PORTS = "named_ports"
    FLOWS = "flows"
    RELAY = "relay"
    AGENT_STATUS = "agent_status"
    AGENT_ENDPOINTS = "agent_endpoints"
    AGENT_IDENTITIES = "agent_identities"
    AGENT_ADDRESSES = "agent_addresses"
    AGENT_NAMES = "agent_names"
    AGENT_POLICY_MAP = "agent_policy_map"
    AGENT_EGRESS = "agent_egress"
    AGENT_SERVICES = "agent_services"
    AGENT_METRICS = "agent_metrics"

    @property
    def in_words(self) -> str:
        """The part's name as people write it."""
        return self.value.replace("_", " ")

    @property
    def is_per_node(self) -> bool:
        """Whether the part is read from each node's agent by itself."""
        return self.value.startswith("agent_")


@dataclass(frozen=True, slots=True)
class PerNode(Generic[T]):
    """A part that every node answers for itself."""

    nodes: Mapping[str, "Known[T] | Missing"]

    def on(self, node: str | None) -> "Known[T] | Missing":
        """Return what this node said; a node that was not asked is Missing, never empty."""
        if node is None:
            return Missing(Gap.NOT_ASKED, "the node is not known")
        return self.nodes.get(node) or Missing(Gap.NOT_ASKED, f"the agent of node {node} was not asked")

    def known(self) -> Iterator[tuple[str, T]]:
        """Yield each node that answered, with its answer."""
        for node, answer in self.nodes.items():
            if isinstance(answer, Known):
                yield node, answer.value


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Parts by name. A part that nobody asked for is Missing(NOT_ASKED)."""

    taken_at: datetime
    """"Now" for everything judged: the clock when live, the archive's time for a sysdump."""
    source: str
    """What was looked at, for people: ``cluster prod-eu (context ...)`` or ``sysdump NAME``."""
    parts: Mapping[Part, "Known[object] | Missing"] = field(default_factory=dict)

    def get(self, part: Part) -> "Known[object] | Missing":
        """Return the part, or Missing(NOT_ASKED)."""
        return self.parts.get(part) or Missing(Gap.NOT_ASKED, f"{part} was not asked for")

    def gaps(self) -> Iterator[tuple[Part, str | None, Missing]]:
        """Yield every part that is missing, with the node where the part is one node's."""
        for part, answer in self.parts.items():
            if isinstance(answer, Missing):
                yield part, None, answer
            elif isinstance(answer.value, PerNode):
                for node, of_node in answer.value.nodes.items():
                    if isinstance(of_node, Missing):
                        yield part, node, of_node
