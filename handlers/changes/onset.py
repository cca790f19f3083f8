"""When packets of one kind began to be dropped, and how such a packet looked that still passed before."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from handlers.connection.drop_groups import DropGroup, Owners
from handlers.connection.seen import goes_on
from handlers.model.flow import EventType, Flow, FlowEnd, FlowVerdict
from handlers.model.labels import NAMESPACE_LABELS_PREFIX, Label, LabelSet, Source

_MOST_LABELS = 3
_LONGEST_LABEL = 120
_PASSED = (FlowVerdict.FORWARDED, FlowVerdict.REDIRECTED)


@dataclass(frozen=True, slots=True)
class Relabelled:
    """One end of packets that had another identity while they passed: other labels."""

    namespace: str
    pod: str
    before: FlowEnd
    after: FlowEnd

    @property
    def differing(self) -> tuple[tuple[str, str, str], ...]:
        """Key, value before and value after of each label that differs; an empty value stands for no such label."""
        old, new = _values(self.before), _values(self.after)
        keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        return tuple((key, old.get(key, ""), new.get(key, "")) for key in keys)

    @property
    def labels_told(self) -> tuple[str, ...]:
        """Each label that differs as ``label tier=web → tier=edge``, the first of them, clipped."""
        told = [_difference(*labels) for labels in self.differing]
        more = len(told) - _MOST_LABELS
        return (*told[:_MOST_LABELS], f"{more} more") if more > 0 else tuple(told)

    @property
    def is_same_pod(self) -> bool:
        """Whether it is one pod that got other labels, not a new pod in the place of another."""
        return self.before.pod == self.after.pod


@dataclass(frozen=True, slots=True)
class Onset:
    """The beginning of a group of drops. ``passed`` is the newest such packet that passed before, None for none seen.

    Without it the drops may be older than what the nodes remember.
    """

    group: DropGroup
    passed: Flow | None = None

    @property
    def at(self) -> datetime:
        """The first drop that was kept."""
        return self.group.first_at

    @property
    def relabelled(self) -> Iterator[Relabelled]:
        """Yield the ends that had another identity when packets passed."""
        dropped = self.group.example
        if self.passed is not None:
            for before, after in ((self.passed.source, dropped.source), (self.passed.destination, dropped.destination)):
                is_other = 0 != before.identity != after.identity != 0
                if after.pod and before.labels and after.labels and is_other:
                    yield Relabelled(after.namespace, after.pod, before, after)


def onset_of(group: DropGroup, flows: Iterable[Flow], owners: Owners) -> Onset:
    """Return when a group began, among all flows that were read."""
    mine = _kind(group.example, owners)
    earlier = [
        flow
        for flow in flows
        if flow.time < group.first_at and _kind(flow, owners) == mine and _has_passed(flow, group)
    ]
    # Packets of a connection that was let in before go on passing, whatever became of its ends since.
    attempts = [flow for flow in earlier if flow.event_type == EventType.POLICY_VERDICT or "SYN" in flow.tcp_flags]
    passed = max(attempts or earlier, key=lambda flow: flow.time, default=None)
    return Onset(group, None if passed is None else _with_labels_of_identities(passed, earlier))


def _with_labels_of_identities(flow: Flow, earlier: list[Flow]) -> Flow:
    """Return a flow with the labels that its identities first bore.

    A flow has its identities from the packet and its labels from the endpoint: for a while after a change of labels the
    new ones stand beside the old identity.
    """
    labels: dict[int, tuple[str, ...]] = {}
    for other in sorted(earlier, key=lambda other: other.time):
        for end in (other.source, other.destination):
            labels.setdefault(end.identity, end.labels)
    source, destination = (replace(end, labels=labels[end.identity]) for end in (flow.source, flow.destination))
    return replace(flow, source=source, destination=destination)


def _kind(flow: Flow, owners: Owners) -> tuple[object, ...]:
    port = flow.icmp_type if flow.protocol and flow.protocol.is_icmp else flow.destination.port
    return _who(flow.source, owners), _who(flow.destination, owners), flow.protocol, port


def _who(end: FlowEnd, owners: Owners) -> str:
    """Return the workload of a pod, for pods come and go, else the address."""
    if not end.pod:
        return end.ip
    workload = end.workloads[0][1] if end.workloads else owners.get((end.namespace, end.pod), end.pod)
    return f"{end.namespace}/{workload}"


def _has_passed(flow: Flow, group: DropGroup) -> bool:
    """Whether a packet got past what drops others later: by that policy, or as far as the other end."""
    if flow.verdict not in _PASSED or flow.is_reply is True:
        return False
    if flow.event_type == EventType.POLICY_VERDICT:
        return flow.direction is group.direction
    return flow.observation_point == "TO_ENDPOINT" or goes_on(flow)


def _values(end: FlowEnd) -> dict[str, str]:
    return {_plain(label): label.value for label in LabelSet.parse(end.labels) if label.source == Source.K8S}


def _difference(key: str, was: str, becomes: str) -> str:
    old, new = f"{key}={was}"[:_LONGEST_LABEL], f"{key}={becomes}"[:_LONGEST_LABEL]
    if was and becomes:
        return f"label {old} → {new}"
    return f"label {old} → none" if was else f"label {new} is new"


def _plain(label: Label) -> str:
    return label.key.replace(f"{NAMESPACE_LABELS_PREFIX}.", "namespace ", 1)
