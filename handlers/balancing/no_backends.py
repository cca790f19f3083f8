"""Why nobody stands ready behind a Service, and what its clients see of that."""

from collections.abc import Iterable

from handlers.balancing.selectors import nearest_pods
from handlers.connection.backends import Target
from handlers.connection.coverage import nodes_in_words
from handlers.connection.observation import clock
from handlers.model.cluster import Node, Pod, Service, Workload
from handlers.model.facts import Facts
from handlers.model.finding import Sentence, Value, prose
from handlers.model.parts import Part
from handlers.model.snapshot import Known

CLIENTS_ARE_REFUSED = prose(
    "a pod's connect() fails at once, with no route to host (EHOSTUNREACH) or, on some versions, operation not "
    "permitted (EPERM), and Hubble shows nothing of it"
)
"""What pods see where sockets are balanced (recorded on two versions)."""


def why_none_is_selected(service: Service, facts: Facts) -> Sentence:
    """Return what comes nearest to the selector: a workload that wants no pods, or pods with other labels.

    Raises:
        PartMissingError: if the pods were not read.
    """
    values: dict[str, Value] = {"seen": CLIENTS_ARE_REFUSED}
    if idle := _wants_none(service, facts):
        return Sentence(
            "{kind} {workload} would run them and wants {replicas} replicas; {seen}",
            {**values, "kind": str(idle.kind), "workload": idle.name, "replicas": idle.replicas},
        )
    miss = nearest_pods(service, facts.pods)
    if miss is None:
        return Sentence("{seen}", values)
    had = f"{miss.key}={miss.had}" if miss.had else f"no label {miss.key}"
    names = nodes_in_words(pod.name for pod in miss.pods)
    return Sentence("nearest are pods with {had} ({pods}); {seen}", {**values, "had": had, "pods": names})


def _wants_none(service: Service, facts: Facts) -> Workload | None:
    look = facts.look(Part.WORKLOADS)
    workloads: tuple[Workload, ...] = look.value if isinstance(look, Known) else ()
    wanted = (service.selector or {}).items()
    for workload in workloads:
        if workload.namespace == service.namespace and workload.replicas == 0 and wanted <= workload.selector.items():
            return workload
    return None


def why_none_is_ready(targets: Iterable[Target], facts: Facts) -> Sentence:
    """Return what keeps backends from being ready: their nodes, or what their containers wait for.

    Raises:
        PartMissingError: if the nodes or the pods were not read.
    """
    targets = tuple(targets)
    by_name = {str(pod): pod for pod in facts.pods}
    pods = [pod for target in targets if (pod := by_name.get(target.pod or ""))]
    ill = [node for node in facts.nodes if node.ready is False and node.name in {target.node for target in targets}]
    waiting = sorted({f"{pod.name}: {pod.waiting}" for pod in pods if pod.waiting})
    values: dict[str, Value] = {"pods": nodes_in_words(pod.name for pod in pods), "seen": CLIENTS_ARE_REFUSED}
    if ill:
        return _on_node(ill[0], pods, values)
    if waiting:
        return Sentence("{waiting}; {seen}", {"waiting": nodes_in_words(waiting), "seen": CLIENTS_ARE_REFUSED})
    if targets and all(target.terminating for target in targets):
        return Sentence("all of them are being deleted ({pods}); {seen}", values)
    return Sentence("not ready: {pods}; {seen}", values) if pods else Sentence("{seen}", values)


def _on_node(node: Node, pods: list[Pod], values: dict[str, Value]) -> Sentence:
    told = node.condition
    words = "node {node} is not ready"
    values = {**values, "node": node.name}
    if told and told.since:
        words, values = words + " since {since}", {**values, "since": prose(clock(told.since))}
    if told and (told.message or told.reason):
        words, values = words + " ({why})", {**values, "why": told.message or told.reason}
    if any(pod.phase == "Running" for pod in pods):
        words += "; its pods still run and may answer by their own addresses ({pods})"
    return Sentence(f"{words}; {{seen}}", values)
