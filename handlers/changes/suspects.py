"""Changes that touch what drops are about, and came before them; and whether the policies prove that one began them.

A change is proven where such packets were seen to pass before it, and the packet that was dropped, decided again as
things were then, passes: with the labels that its ends had, or without a policy that did not exist yet. All others only
came before. Managed fields tell each manager's newest write alone: what was deleted leaves no trace.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from handlers.changes.history import AGENT
from handlers.changes.onset import Onset, Relabelled
from handlers.connection.drop_causes import decision_on, owners_of
from handlers.connection.drop_groups import DropGroup
from handlers.connection.policies import policies_in
from handlers.model.change import Change
from handlers.model.cluster import Service
from handlers.model.decision import Decision, Verdict
from handlers.model.drop_reason import drop_reason
from handlers.model.facts import Facts, Lacking, attempt
from handlers.model.flow import Flow, FlowEnd
from handlers.model.labels import LabelSet, Source
from handlers.model.parts import Part
from handlers.model.snapshot import Known
from handlers.policy.policy_set import PolicySet

SETTLING = timedelta(seconds=10)
"""How long agents may take to do what a policy says: a packet that passed later was let through by it."""
_LABELS = "metadata.labels."
_TEMPLATE = "spec.template"
_NAMESPACE_KEY = "namespace "
_CONFIG = "ConfigMap"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A change before drops. ``change`` is None where only the flows show it: labels that differ.

    ``passes_without``: decided again as things were before it, the packets pass. ``is_proven``: besides, such packets
    were seen to pass before it. ``denied_by`` are the policies that deny them now.
    """

    change: Change | None
    relabelled: Relabelled | None = None
    passes_without: bool = False
    is_proven: bool = False
    denied_by: tuple[str, ...] = ()

    def distance(self, began: datetime) -> timedelta:
        """Return how long before the drops it came; nothing where its time is not known."""
        return began - self.change.at if self.change else timedelta(0)


def suspects_of(onset: Onset, changes: Iterable[Change], since: datetime, facts: Facts) -> tuple[Suspect, ...]:
    """Return what changed between ``since`` and the first drop and touches it, proven ones first, then the nearest."""
    earlier = [change for change in changes if change.is_own_will and since <= change.at <= onset.at]
    if drop_reason(onset.group.reason).is_policy or onset.group.is_audit:
        found = tuple(_of_policy(onset, earlier, facts))
    else:
        found = tuple(Suspect(change) for change in earlier if _is_of_node(change, onset.group.example))
    return tuple(sorted(found, key=lambda one: (not one.is_proven, one.distance(onset.at))))


def _of_policy(onset: Onset, earlier: list[Change], facts: Facts) -> Iterator[Suspect]:
    decision = attempt(lambda: decision_on(onset.group, facts))
    now = None if isinstance(decision, Lacking) else decision
    denied_by = _denying(now, onset.group)
    relabelled = tuple(onset.relabelled)
    is_proven = bool(relabelled) and _is_denied(now) and _passes_as(onset.passed, onset.group, facts)
    for end in relabelled:
        yield Suspect(_who_relabelled(end, earlier, facts), end, is_proven, is_proven, denied_by)
    if is_proven:
        # The policies as they stand let the packets through that had the former labels: no policy began it.
        return
    ends = (onset.group.example.source, onset.group.example.destination)
    if not relabelled and onset.passed is None:
        yield from (Suspect(change) for change in earlier if any(_relabels(change, end) for end in ends))
    concerned = {*denied_by, *(str(policy) for policy in (now.selected_by if now else ()))}
    for change in earlier:
        if change.ref in concerned and not _was_outlived(change, onset):
            undone = _is_denied(now) and change.is_creation and _passes_without(change.ref, onset.group, facts)
            yield Suspect(change, None, undone, undone and onset.passed is not None, denied_by)
    served = _services_at(onset.group.example, facts)
    for change in earlier:
        is_of_path = not change.is_creation and any(field.startswith("spec") for field in change.fields)
        is_served = change.kind == "Service" and (change.namespace, change.name) in served
        if is_served and is_of_path and not _was_outlived(change, onset):
            yield Suspect(change)


def _denying(decision: Decision | None, group: DropGroup) -> tuple[str, ...]:
    named = [policy.ref for policy in group.example.denied_by]
    if not named and decision is not None and _is_denied(decision):
        named = [str(origin.policy) for origin in decision.default_deny_by or decision.rules]
    return tuple(dict.fromkeys(named))


def _is_denied(decision: Decision | None) -> bool:
    return decision is not None and decision.verdict in (Verdict.DENIED, Verdict.DENIED_L7)


def _was_outlived(change: Change, onset: Onset) -> bool:
    return onset.passed is not None and onset.passed.time > change.at + SETTLING


def _passes_as(former: Flow | None, group: DropGroup, facts: Facts) -> bool:
    """Whether the policies as they stand let the packet through as it was labelled before."""
    if former is None:
        return False
    now = group.example
    as_it_was = replace(
        now,
        source=_with_labels_of(former.source, now.source),
        destination=_with_labels_of(former.destination, now.destination),
    )
    return _passes(replace(group, example=as_it_was), facts)


def _with_labels_of(former: FlowEnd, end: FlowEnd) -> FlowEnd:
    return replace(end, labels=former.labels, identity=former.identity)


def _passes_without(ref: str, group: DropGroup, facts: Facts) -> bool:
    """Whether the packet passes where a policy is not there."""
    policies = attempt(lambda: _without(ref, facts))
    return not isinstance(policies, Lacking) and _passes(group, facts, policies)


def _without(ref: str, facts: Facts) -> PolicySet:
    return facts.once(
        ("policies without", ref),
        lambda: policies_in([policy for policy in facts.policies if policy.ref != ref], facts),
    )


def _passes(group: DropGroup, facts: Facts, policies: PolicySet | None = None) -> bool:
    decision = attempt(lambda: decision_on(group, facts, policies))
    return not isinstance(decision, Lacking) and decision is not None and decision.passes


def _who_relabelled(end: Relabelled, earlier: list[Change], facts: Facts) -> Change | None:
    """Return the newest change that made the labels what they are: of the pod, its namespace, or its workload."""
    told = [change for change in earlier if _writes(change, end, facts)]
    return max(told, key=lambda change: change.at, default=None)


def _writes(change: Change, relabelled: Relabelled, facts: Facts) -> bool:
    end, is_same_pod = relabelled.after, relabelled.is_same_pod
    keys = {key for key, _, _ in relabelled.differing}
    # Which labels differ no packet may tell: then any that was written counts.
    written = {field.removeprefix(_LABELS) for field in change.fields if field.startswith(_LABELS)}
    match change.kind:
        case "Pod":
            return (
                is_same_pod
                and (change.namespace, change.name) == (end.namespace, end.pod)
                and bool(written & keys if keys else written)
            )
        case "Namespace":
            ours = {key.removeprefix(_NAMESPACE_KEY) for key in keys if key.startswith(_NAMESPACE_KEY)}
            return change.name == end.namespace and bool(written & ours)
    is_mine = change.namespace == end.namespace and change.name in _workloads(end, facts)
    return is_mine and not is_same_pod and any(field.startswith(_TEMPLATE) for field in change.fields)


def _relabels(change: Change, end: FlowEnd) -> bool:
    """Whether a change is of labels of an end, where no packet tells what they were before."""
    is_mine = (change.kind, change.namespace, change.name) == ("Pod", end.namespace, end.pod)
    is_mine = is_mine or (change.kind == "Namespace" and bool(end.pod) and change.name == end.namespace)
    return is_mine and not change.is_creation and any(field.startswith(_LABELS) for field in change.fields)


def _workloads(end: FlowEnd, facts: Facts) -> set[str]:
    owner = owners_of(facts).get((end.namespace, end.pod), "")
    return {owner, *(name for _, name in end.workloads)} - {""}


def _services_at(flow: Flow, facts: Facts) -> set[tuple[str, str]]:
    """Return the Services that lead to the destination of a flow, as namespace and name."""
    look = facts.look(Part.SERVICES)
    services: tuple[Service, ...] = look.value if isinstance(look, Known) else ()
    end = flow.destination
    own = {label.key: label.value for label in LabelSet.parse(end.labels) if label.source == Source.K8S}
    return {
        (service.namespace, service.name)
        for service in services
        if end.ip in service.cluster_ips
        or (
            end.pod
            and service.namespace == end.namespace
            and service.selector
            and all(own.get(key) == value for key, value in service.selector.items())
        )
    }


def _is_of_node(change: Change, flow: Flow) -> bool:
    """Whether a change may matter to drops that are no policy's: of the node, of its agent, or of Cilium's settings."""
    return change.kind == _CONFIG or (change.kind in ("Node", AGENT) and change.name == flow.node)
