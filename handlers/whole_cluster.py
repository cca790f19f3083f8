"""What questions about the whole cluster read, and the cluster that comes of it.

Every list is read whole, in parallel; DNS names only from the agents of a cluster whose policies use names. What was
not read and could change the answer is named: a list that is missing must not look like an empty one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from handlers.connection.policies import config_assumption, config_doubts, policies_in, policies_of, statuses_of
from handlers.model.cluster import PolicyObject
from handlers.model.facts import Facts, PartMissingError
from handlers.model.parts import Part
from handlers.model.question import AboutCluster
from handlers.model.scope import FlowQuery, PodQuery, Scope
from handlers.model.snapshot import AnyPart, Known, Missing, PerNode, Snapshot
from handlers.policy.mentions import CIDR_GROUPS, ENTITIES, TO_NAMES, TO_SERVICES, some_policy_has
from handlers.policy.regexp import INSTALL_RE2
from handlers.reach.cluster import Cluster
from handlers.reach.from_facts import cluster_of
from handlers.reach.observed import ObservedFlow, observed_flows
from handlers.reach.state import State

CLUSTER_PARTS: tuple[AnyPart, ...] = (
    Part.POLICIES,
    Part.NODES,
    Part.PODS,
    Part.CILIUM_ENDPOINTS,
    Part.CONFIG,
    Part.FOREIGN_POLICIES,
    Part.NAMESPACES,
    Part.API_SERVER,
    Part.CIDR_GROUPS,
    Part.POLICY_SERVICES,
    Part.NAMED_PORTS,
    Part.RELAY,
    Part.AGENT_NAMES,
    Part.AGENT_ENDPOINTS,
    Part.FLOWS,
)
"""All that policy depends on. Without policies and nodes, and either pods or endpoints, there is no answer at all."""

_ALWAYS_MATTER = (Part.PODS, Part.CILIUM_ENDPOINTS, Part.NAMESPACES, Part.NAMED_PORTS)
_MATTER_WITH = {
    Part.API_SERVER: ENTITIES,
    Part.CIDR_GROUPS: CIDR_GROUPS,
    Part.POLICY_SERVICES: TO_SERVICES,
    Part.AGENT_NAMES: TO_NAMES,
}
"""Parts that matter where some policy has one of these fields."""
MOST_NAMES = 40
"""Ends named in one finding; the others are counted."""
_MOST_FLOWS = 100_000

_WHOLE = "whole cluster"


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that could change the answer and was not read."""

    part: str
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """A cluster, and the flows seen there; None where nobody could look. ``unread`` leaves room for doubt."""

    cluster: Cluster
    flows: tuple[ObservedFlow, ...] | None = None
    unread: tuple[Unread, ...] = ()

    def as_read(self, title: str, now: datetime) -> tuple[Snapshot, Facts]:
        """Give a snapshot and its facts in which this cluster stands already: it was not read part by part."""
        snapshot = Snapshot(now, title)
        return snapshot, Facts(snapshot, memory={_WHOLE: self})


def whole_scope(question: AboutCluster, so_far: Facts, span: timedelta) -> Scope:
    """Return the width of a whole cluster, and all flows of the last ``span``: they tell names, and what is used."""
    return Scope(
        all_namespaces=True,
        pods=(PodQuery(),),
        nodes=_agents_with_names(question, so_far),
        flows=FlowQuery((), so_far.now - span, so_far.now, limit=_MOST_FLOWS),
        policy_services=True,
        named_ports=True,
    )


def whole_of(question: AboutCluster, facts: Facts) -> Whole:
    """Return the cluster that was read, put together once.

    Raises:
        PartMissingError: without policies or nodes, or with neither pods nor endpoints.
    """
    return facts.once(_WHOLE, lambda: _put_together(question, facts))


def state_of(question: AboutCluster, facts: Facts) -> State:
    """Return the cluster laid out for all pairs, once. Raises PartMissingError as ``whole_of`` does."""
    return facts.once("state of the whole cluster", lambda: State.of(whole_of(question, facts).cluster))


def names_of(ends: Iterable[object], count: int | None = None) -> tuple[str, ...]:
    """Return the names of ends as a finding lists them: the first, and how many more there are.

    ``count`` is how many there are where ``ends`` are only the first of them, at least as many as are named.
    """
    rest = iter(ends)
    names = tuple(str(end) for end in islice(rest, MOST_NAMES))
    more = sum(1 for _ in rest) if count is None else count - len(names)
    return (*names, f"{more} more") if more > 0 else names


def _put_together(question: AboutCluster, facts: Facts) -> Whole:
    policies = policies_of(facts)
    judged = {status.policy for status in policies.statuses}
    refused = tuple(status for status in statuses_of(facts) if status.policy not in judged)
    cluster = cluster_of(facts, policies, refused)
    assumed = config_assumption(facts)
    if assumed:
        cluster = cluster.assuming(assumed)
    objects = (*facts.policies, *question.proposed)
    unread = [Unread("config", doubt) for doubt in config_doubts(facts)]
    proposed = policies_in(question.proposed, facts).statuses if question.proposed else ()
    unread += [
        Unread("policies", f"{one.policy.kind} {one.policy.short}: {one.unjudged}", INSTALL_RE2)
        for one in dict.fromkeys((*policies.statuses, *proposed))
        if one.unjudged
    ]
    return Whole(cluster, _flows(facts), (*unread, *_unread(facts, objects)))


def _flows(facts: Facts) -> tuple[ObservedFlow, ...] | None:
    try:
        return observed_flows(facts.flows.flows)
    except PartMissingError:
        return None


def _unread(facts: Facts, policies: Sequence[PolicyObject]) -> Iterator[Unread]:
    for part in (
        *_ALWAYS_MATTER,
        *(part for part, fields in _MATTER_WITH.items() if some_policy_has(fields, policies)),
    ):
        look = facts.look(part)
        if isinstance(look, Missing):
            yield Unread(part.in_words, look.detail, look.remedy)
        elif isinstance(look.value, PerNode):
            for node, answer in look.value.nodes.items():
                if isinstance(answer, Missing):
                    yield Unread(f"{part.in_words} of {node}", answer.detail, answer.remedy)


def _agents_with_names(question: AboutCluster, so_far: Facts) -> tuple[str, ...] | None:
    """Return every node where a policy uses names, none where no policy does, None while that is not known."""
    policies = so_far.look(Part.POLICIES)
    nodes = so_far.look(Part.NODES)
    if not isinstance(policies, Known):
        return None
    if not some_policy_has(TO_NAMES, (*policies.value, *question.proposed)):
        return ()
    return tuple(node.name for node in nodes.value) if isinstance(nodes, Known) else None
