"""The parts of a snapshot that were declared, by type: touching another part is a mistake, a missing one a reason."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from handlers.model import agent, cluster, flow
from handlers.model.parts import Part
from handlers.model.snapshot import AnyPart, Known, Missing, PartOf, PerNode, Snapshot

T = TypeVar("T")

_TOUCHED = "parts that somebody looked at"


class UndeclaredPartError(Exception):
    """A probe touched a part that its declaration does not name: a mistake in the probe."""


class PartMissingError(Exception):
    """A part that is needed was not read.

    Attributes:
        part: which one.
        missing: why.
    """

    def __init__(self, part: AnyPart, missing: Missing) -> None:
        super().__init__(f"{part}: {missing.detail}")
        self.part = part
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that could not be worked out, since a part that it rests on was not read."""

    part: AnyPart
    missing: Missing


def attempt(make: Callable[[], T]) -> T | Unread:
    """Return what ``make`` gives, or the part that it lacked."""
    try:
        return make()
    except PartMissingError as error:
        return Unread(error.part, error.missing)


def needed(found: T | Unread) -> T:
    """Return what was worked out.

    Raises:
        PartMissingError: if a part that it rests on was not read.
    """
    if isinstance(found, Unread):
        raise PartMissingError(found.part, found.missing)
    return found


class Facts:
    """A typed view of a snapshot.

    The properties return the part's value and raise PartMissingError where it was not read, UndeclaredPartError where
    it was not declared. ``look`` returns a part as Known or Missing, for those who can do without it.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        declared: frozenset[AnyPart] | None = None,
        memory: dict[Hashable, Any] | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._declared = declared
        self._memory: dict[Hashable, Any] = {} if memory is None else memory
        self._touched: set[AnyPart] = self._memory.setdefault(_TOUCHED, set())

    def narrowed(self, declared: frozenset[AnyPart]) -> "Facts":
        """Return the same facts with only ``declared`` in reach, sharing what was already derived."""
        return Facts(self._snapshot, declared, self._memory)

    def look(self, part: PartOf[T]) -> Known[T] | Missing:
        """Return the part as it is.

        Raises:
            UndeclaredPartError: if the part was not declared.
        """
        if self._declared is not None and part not in self._declared:
            raise UndeclaredPartError(f"{part} was not declared")
        self._touched.add(part)
        return self._snapshot.get(part)

    @property
    def touched(self) -> frozenset[AnyPart]:
        """The parts that somebody has looked at so far, through this view or one narrowed from it."""
        return frozenset(self._touched)

    def value(self, part: PartOf[T]) -> T:
        """Return the part's value.

        Raises:
            PartMissingError: if it was not read.
            UndeclaredPartError: if the part was not declared.
        """
        answer = self.look(part)
        if isinstance(answer, Missing):
            raise PartMissingError(part, answer)
        return answer.value

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` gives, computed once for each key in the life of the snapshot."""
        if key not in self._memory:
            self._memory[key] = make()
        result: T = self._memory[key]
        return result

    @property
    def now(self) -> datetime:
        """The moment everything is judged at."""
        return self._snapshot.taken_at

    @property
    def config(self) -> cluster.CiliumConfig:
        """Cilium's configuration."""
        return self.value(Part.CONFIG)

    @property
    def namespaces(self) -> tuple[cluster.Namespace, ...]:
        """Every namespace."""
        return self.value(Part.NAMESPACES)

    @property
    def nodes(self) -> tuple[cluster.Node, ...]:
        """Every node."""
        return self.value(Part.NODES)

    @property
    def api_server(self) -> tuple[str, ...]:
        """The addresses of the Kubernetes API server, as ``ip:port``."""
        return self.value(Part.API_SERVER)

    @property
    def pods(self) -> tuple[cluster.Pod, ...]:
        """The pods in scope."""
        return self.value(Part.PODS)

    @property
    def cilium_pods(self) -> tuple[cluster.Pod, ...]:
        """Cilium's own pods: agents, operator, relay, Envoy."""
        return self.value(Part.CILIUM_PODS)

    @property
    def workloads(self) -> tuple[cluster.Workload, ...]:
        """The controllers in scope."""
        return self.value(Part.WORKLOADS)

    @property
    def services(self) -> tuple[cluster.Service, ...]:
        """The Services in scope."""
        return self.value(Part.SERVICES)

    @property
    def endpoint_slices(self) -> tuple[cluster.EndpointSlice, ...]:
        """The EndpointSlices in scope."""
        return self.value(Part.ENDPOINT_SLICES)

    @property
    def policies(self) -> tuple[cluster.PolicyObject, ...]:
        """The policies in scope, cluster-wide ones always among them."""
        return self.value(Part.POLICIES)

    @property
    def egress_gateways(self) -> tuple[cluster.PolicyObject, ...]:
        """The egress gateway policies."""
        return self.value(Part.EGRESS_GATEWAYS)

    @property
    def cilium_endpoints(self) -> tuple[cluster.CiliumEndpoint, ...]:
        """The CiliumEndpoints in scope."""
        return self.value(Part.CILIUM_ENDPOINTS)

    @property
    def identities(self) -> tuple[cluster.CiliumIdentity, ...]:
        """The cluster-wide identities in scope."""
        return self.value(Part.IDENTITIES)

    @property
    def flows(self) -> flow.FlowLog:
        """The flows in scope."""
        return self.value(Part.FLOWS)

    @property
    def relay(self) -> flow.RelayStatus:
        """Relay's view of its peers."""
        return self.value(Part.RELAY)

    @property
    def agent_status(self) -> PerNode[agent.AgentStatus]:
        """The status of each agent asked."""
        return self.value(Part.AGENT_STATUS)

    @property
    def agent_endpoints(self) -> PerNode[tuple[agent.AgentEndpoint, ...]]:
        """The endpoints of each agent asked."""
        return self.value(Part.AGENT_ENDPOINTS)

    @property
    def agent_metrics(self) -> PerNode[tuple[agent.Metric, ...]]:
        """The metrics of each agent asked."""
        return self.value(Part.AGENT_METRICS)
