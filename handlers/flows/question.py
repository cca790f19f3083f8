"""What questions about flows have in common: whose flows, narrowed to what, and how wide to read for that."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from handlers.connection.scope import name_scope
from handlers.flows.about import About, about_of
from handlers.flows.connections import Fate, Group, SeenConnection, connections, grouped
from handlers.flows.end_names import EndNames, unnamed_namespaces
from handlers.flows.kind import Kind
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.parts import Part
from handlers.model.scope import FlowQuery, PodQuery, Scope
from handlers.model.snapshot import Known
from handlers.names.resolve import End as Side
from handlers.sentence.subject import Subject

T = TypeVar("T")

_MOST_NAMESPACES = 10
_ASKED_VERDICTS = {Fate.DROPPED: ("DROPPED", "ERROR"), Fate.AUDIT: ("AUDIT",)}
"""What a source is asked for. What passed at one node may be dropped at another, so other fates need all verdicts."""


@dataclass(frozen=True, slots=True)
class AboutFlows:
    """A question about the connections at one end, between two, or everywhere; by what was sent and its fate."""

    since: timedelta
    subject: Subject = field(default_factory=Subject)
    other: Subject | None = None
    kind: Kind | None = None
    port: int | None = None
    fate: Fate | None = None

    def scope(self, so_far: Facts) -> Scope:
        """Return the flows in question, and the pods whose workload these do not tell."""
        named = [one.endpoint for one in (self.subject, self.other) if one and one.endpoint]
        scopes = [name_scope(name, so_far) for name in named]
        return Scope(
            namespaces=_together([scope.namespaces for scope in scopes]),
            all_namespaces=any(scope.all_namespaces for scope in scopes),
            pods=_together([scope.pods for scope in scopes]) if scopes else _unnamed_pods(so_far),
            flows=self._query(so_far),
            all_services=any(scope.all_services for scope in scopes) or None,
        )

    def _query(self, so_far: Facts) -> FlowQuery | None:
        about = attempt(lambda: self.about(so_far))
        if about is None or isinstance(about, Lacking):
            return None
        matches = about[0].matches(_ASKED_VERDICTS.get(self.fate, ()) if self.fate else (), about[1])
        return FlowQuery(matches, so_far.now - self.since, so_far.now)

    def about(self, so_far: Facts) -> tuple[About, About | None] | None:
        """Return whose flows are meant, None where a name means nothing of which flows can be told.

        Raises:
            PartMissingError: if a part that tells a name was not read.
        """
        here = about_of(self.subject.endpoint, self.subject.namespace, so_far, Side.SOURCE)
        there = about_of(self.other.endpoint, self.other.namespace, so_far, Side.DESTINATION) if self.other else None
        return None if here is None or (self.other and there is None) else (here, there)

    def witnesses(self, so_far: Facts) -> tuple[str, ...] | None:
        """Return the nodes that would have seen such flows, None for a name that means nothing.

        Raises:
            PartMissingError: if a part that tells a name was not read.
        """
        about = self.about(so_far)
        return about[0].seen_by(so_far.nodes) if about else None

    @property
    def next_question(self) -> str:
        """What to ask where nothing is wrong."""
        return f"talkers {self.subject.endpoint or self.subject.namespace or ''}".strip()

    @property
    def where(self) -> str:
        """What is asked about, in words."""
        ends = [str(one.endpoint or one.namespace or "the cluster") for one in (self.subject, self.other) if one]
        return " and ".join(ends)

    def groups(self, so_far: Facts) -> tuple[Group, ...]:
        """Return the connections in question, those alike together, the newest first; worked out once.

        Raises:
            PartMissingError: if flows, or a part that tells a name, were not read.
        """
        return so_far.once(("groups of connections", self), lambda: self._groups(so_far))

    def _groups(self, so_far: Facts) -> tuple[Group, ...]:
        about, flows = self.about(so_far), so_far.flows.flows
        if about is None:
            return ()
        meant = connections((flow for flow in flows if about[0].means(flow, about[1])), so_far.now)
        return grouped((one for one in meant if self.is_asked(one)), names_of_ends(so_far))

    def is_asked(self, one: SeenConnection) -> bool:
        """Whether a connection is of what the question is narrowed to."""
        return (
            (self.kind is None or self.kind.is_of(one))
            and (self.port is None or self.port == one.destination.port)
            and (self.fate is None or self.fate is one.fate)
        )


def _together(found: list[tuple[T, ...] | None]) -> tuple[T, ...] | None:
    return None if None in found else tuple(dict.fromkeys(item for some in found for item in some or ()))


def _unnamed_pods(so_far: Facts) -> tuple[PodQuery, ...] | None:
    """Return where pods are whose workload no flow tells, None before flows are there; of many namespaces, none."""
    look = so_far.look(Part.FLOWS)
    if not isinstance(look, Known):
        return None
    found = sorted(unnamed_namespaces(look.value.flows))
    return tuple(PodQuery(namespace=name) for name in found) if len(found) <= _MOST_NAMESPACES else ()


def names_of_ends(facts: Facts) -> EndNames:
    """Return what the ends of flows are called, by what was read; worked out once.

    Raises:
        PartMissingError: if flows were not read.
    """
    return facts.once("names of the ends of flows", lambda: _names(facts))


def _names(facts: Facts) -> EndNames:
    pods, nodes = facts.look(Part.PODS), facts.look(Part.NODES)
    return EndNames(
        facts.flows.flows,
        pods.value if isinstance(pods, Known) else (),
        nodes.value if isinstance(nodes, Known) else (),
    )
