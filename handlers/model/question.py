"""What a question is about, as types: a probe answers every question that has what it judges, whatever command asks."""

from dataclasses import dataclass
from typing import ClassVar

from handlers.model.cluster import PolicyObject
from handlers.model.connection import Connection
from handlers.model.endpoint import EndpointName
from handlers.model.finding import Hop
from handlers.model.traffic import Protocol


@dataclass(frozen=True, slots=True)
class AboutConnection:
    """A question that has a connection: who talks to whom, on which port.

    ``hops`` are those of the way that a type of question is about, None for the whole way.
    """

    hops: ClassVar[frozenset[Hop] | None] = None
    connection: Connection


@dataclass(frozen=True, slots=True)
class AboutService:
    """A question that has a Service, and the port of it that is dialled: None for all."""

    service: EndpointName
    port: int | None = None
    protocol: Protocol | None = None


@dataclass(frozen=True, slots=True)
class AboutLookup:
    """A question about names that an endpoint looks up: one name, or whichever it asks for where ``name`` is empty."""

    source: EndpointName
    name: str = ""


@dataclass(frozen=True, slots=True)
class AboutEndpoint:
    """A question that has endpoints: those of a pod, a workload, a Service or an address."""

    endpoint: EndpointName


@dataclass(frozen=True, slots=True)
class AboutNodes:
    """A question that has nodes: one by its name, or every node where ``node`` is None."""

    node: str | None = None


@dataclass(frozen=True, slots=True)
class AboutAgent:
    """A question about the agent of one node: what became of it, and what that means for its node."""

    node: str


@dataclass(frozen=True, slots=True)
class BetweenNodes:
    """A question that has nodes which ought to reach each other.

    They are ``node`` and ``peer``, ``node`` and every other where ``peer`` is None, or all where both are.
    """

    node: str | None = None
    peer: str | None = None


@dataclass(frozen=True, slots=True)
class AboutMaps:
    """A question about the maps of the datapath: of one node, or of all where ``node`` is None."""

    node: str | None = None


@dataclass(frozen=True, slots=True)
class AboutCluster:
    """A question about the whole cluster: who reaches whom, and what policies make of it."""

    @property
    def proposed(self) -> tuple[PolicyObject, ...]:
        """Policies that the question is about and that are not in the cluster yet."""
        return ()
