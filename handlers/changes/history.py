"""All that is known to have changed since a moment, newest first, bounded: one line for what was done at once.

Controllers that carry out what an object says already are left out; the pods that come of it are counted by workload.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.changes.onset import Relabelled
from handlers.connection.change_words import deed_of, fields_told
from handlers.connection.observation import clock
from handlers.model.change import Change
from handlers.model.cluster import Pod
from handlers.model.facts import Facts
from handlers.model.flow import FlowEnd
from handlers.model.parts import Part
from handlers.model.snapshot import Known
from handlers.model.table import Table

AGENT = "Agent"
"""The agent of a node, as an object whose name is the node's."""
MOST_ROWS = 30
_MOST_NAMES = 3
_AT_ONCE = timedelta(seconds=60)
_OF_ALL = ("ConfigMap", "DaemonSet")
"""Kinds of other namespaces of which only those are read that every pod depends on: Cilium's settings and agents."""
_AGENTS = ("k8s-app", "cilium")
_TEMPLATE = "pod-template-hash"
_COLUMNS = ("when", "who", "what", "done", "fields")


@dataclass(frozen=True, slots=True)
class Event:
    """One line: ``names`` are the objects of one kind and namespace that got the same from the same manager at once."""

    at: datetime
    who: str
    kind: str
    namespace: str
    names: tuple[str, ...]
    done: str
    fields: str = ""

    @property
    def objects(self) -> str:
        """Write them as people do, the first of many."""
        within = f"{self.namespace}/" if self.namespace else ""
        more = len(self.names) - _MOST_NAMES
        names = [f"{within}{name}" for name in self.names[:_MOST_NAMES]]
        return f"{self.kind} {', '.join(names)}" + (f", {more} more" if more > 0 else "")


def changes_known(facts: Facts) -> tuple[Change, ...]:
    """Return every change that was read: of pods and the system's workloads as they tell it, and when agents started.

    Raises:
        PartMissingError: if the changes were not read.
    """
    of_pods = (change for pod in _pods(facts) for change in pod.changes)
    look = facts.look(Part.SYSTEM_WORKLOADS)
    of_system = (change for one in (look.value if isinstance(look, Known) else ()) for change in one.changes)
    return tuple(dict.fromkeys((*facts.changes.found, *of_pods, *of_system, *_agents_started(facts))))


def history(namespace: str | None, since: datetime, facts: Facts) -> tuple[Event, ...]:
    """Return what changed since then: in a namespace and around it, or anywhere; newest first.

    Raises:
        PartMissingError: if the changes were not read.
    """
    told = [
        change
        for change in changes_known(facts)
        if change.at >= since and change.is_own_will and _is_about(change, namespace)
    ]
    events = [*_folded(told), *_pods_made(namespace, since, facts), *_pods_ended(namespace, since, facts)]
    events += [*_nodes_turned(since, facts), *_identities_turned(namespace, facts)]
    return tuple(sorted(events, key=lambda one: one.at, reverse=True))


def table_of(events: Iterable[Event], title: str) -> Table:
    """Return the events as a bounded table."""
    every = tuple(events)
    rows = tuple((clock(one.at), one.who, one.objects, one.done, one.fields) for one in every[:MOST_ROWS])
    return Table(title, _COLUMNS, rows, left_out=max(0, len(every) - MOST_ROWS))


def _is_about(change: Change, namespace: str | None) -> bool:
    if namespace is None or change.namespace == namespace:
        return True
    if change.kind == "Namespace":
        return change.name == namespace
    return not change.namespace or change.kind in _OF_ALL


def _folded(changes: Iterable[Change]) -> Iterator[Event]:
    """Yield what one manager did to objects of one kind at once as one line."""
    open_groups: dict[tuple[object, ...], list[Change]] = {}
    for change in sorted(set(changes), key=lambda change: (-change.at.timestamp(), change.ref)):
        key = (change.kind, change.namespace, change.manager, deed_of(change), fields_told(change))
        group = open_groups.get(key)
        if group is not None and group[0].at - change.at <= _AT_ONCE:
            group.append(change)
            continue
        if group is not None:
            yield _event(group)
        open_groups[key] = [change]
    yield from map(_event, open_groups.values())


def _event(group: list[Change]) -> Event:
    first = group[0]
    names = tuple(dict.fromkeys(change.name for change in group))
    done = "started" if first.kind == AGENT else deed_of(first)
    fields = ", ".join(fields_told(first))
    return Event(first.at, first.manager, first.kind, first.namespace, names, done, fields)


def _pods(facts: Facts) -> tuple[Pod, ...]:
    look = facts.look(Part.PODS)
    return look.value if isinstance(look, Known) else ()


def _pods_made(namespace: str | None, since: datetime, facts: Facts) -> Iterator[Event]:
    """Yield the pods that are new, those of one workload together: what a rollout, a scaling or a loss looks like."""
    made: dict[tuple[str, str, str], list[Pod]] = {}
    for pod in _pods(facts):
        if pod.created_at and pod.created_at >= since and namespace in (None, pod.namespace):
            kind, name = (pod.owner.kind.value, pod.owner.name) if pod.owner else ("Pod", pod.name)
            made.setdefault((kind, pod.namespace, name), []).append(pod)
    for (kind, of, name), pods in made.items():
        newest = max(pod.created_at for pod in pods if pod.created_at)
        done = "created" if kind == "Pod" else f"{len(pods)} new pod{'s' if len(pods) > 1 else ''}"
        templates = sorted({template for pod in pods if (template := pod.labels.get(_TEMPLATE))})
        yield Event(newest, "", kind, of, (name,), done, ", ".join(f"template {one}" for one in templates[:2]))


def _pods_ended(namespace: str | None, since: datetime, facts: Facts) -> Iterator[Event]:
    for pod in _pods(facts):
        end = pod.last_exit
        if end and end.at and end.at >= since and namespace in (None, pod.namespace):
            code = f" with {end.code}" if end.code is not None else ""
            yield Event(
                end.at, "", "Pod", pod.namespace, (pod.name,), f"container {end.container} ended{code}", end.reason
            )


def _nodes_turned(since: datetime, facts: Facts) -> Iterator[Event]:
    look = facts.look(Part.NODES)
    for node in look.value if isinstance(look, Known) else ():
        condition = node.condition
        if condition and condition.since and condition.since >= since:
            done = "became ready" if node.ready else "became not ready"
            yield Event(condition.since, "", "Node", "", (node.name,), done, condition.reason)


def _identities_turned(namespace: str | None, facts: Facts) -> Iterator[Event]:
    """Yield the pods that flows show with one identity and then with another, by the first flow that has it."""
    look = facts.look(Part.FLOWS)
    newest: dict[tuple[str, str], FlowEnd] = {}
    for flow in sorted(look.value.flows if isinstance(look, Known) else (), key=lambda flow: flow.time):
        for end in (flow.source, flow.destination):
            if not end.pod or not end.identity or namespace not in (None, end.namespace):
                continue
            before = newest.setdefault((end.namespace, end.pod), end)
            if before.identity != end.identity:
                newest[end.namespace, end.pod] = end
                done = f"identity {before.identity} → {end.identity}"
                labels = ", ".join(Relabelled(end.namespace, end.pod, before, end).labels_told)
                yield Event(flow.time, "", "Pod", end.namespace, (end.pod,), done, labels)


def _agents_started(facts: Facts) -> Iterator[Change]:
    look = facts.look(Part.CILIUM_PODS)
    key, value = _AGENTS
    for pod in look.value if isinstance(look, Known) else ():
        if pod.labels.get(key) == value and pod.node and pod.created_at:
            yield Change(AGENT, "", pod.node, "", pod.created_at, is_creation=True)
