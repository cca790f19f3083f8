"""What an answer about a Service shows in rows: its backends, and what each node makes of it."""

from handlers.balancing.frontends import address_of
from handlers.connection.backends import Dialled, Target, backends_of
from handlers.model.cluster import Pod
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import Known
from handlers.model.table import Table
from handlers.names.resolve import Resolved

MOST_ROWS = 20


def backend_table(asked: Dialled, found: Resolved, facts: Facts) -> Table | None:
    """Return the backends of the ports asked, those that are not ready first; None where there are none.

    Raises:
        PartMissingError: if the EndpointSlices or the pods were not read.
    """
    targets = sorted(backends_of(asked, found, facts), key=lambda one: (one.ready, one.service_port.port, one.ip))
    if not targets:
        return None
    pods = {str(pod): pod for pod in facts.pods}
    rows = tuple(
        (
            target.service_port.port,
            address_of(target) if target.port is not None else target.ip,
            target.pod or "no pod",
            target.node,
            _state(target, pods.get(target.pod or "")),
        )
        for target in targets[:MOST_ROWS]
    )
    return Table("Backends", ("port", "backend", "pod", "node", "state"), rows, len(targets) - len(rows))


def _state(target: Target, pod: Pod | None) -> str:
    if target.terminating:
        return "terminating"
    if target.ready:
        return "ready"
    if pod and pod.waiting:
        return f"not ready ({pod.waiting})"
    return "not ready"


def node_table(asked: Dialled, found: Resolved, facts: Facts) -> Table | None:
    """Return what each node's table has for the Service; None where no agent was asked.

    Raises:
        PartMissingError: if the agents' tables were not read at all.
    """
    service = found.service
    if service is None or service.is_headless:
        return None
    node_ports = {str(port.node_port) for port in service.ports if port.node_port}
    rows: list[tuple[str, str, str]] = []
    answers = facts.value(Part.AGENT_SERVICES).nodes
    for node, answer in sorted(answers.items()):
        if not isinstance(answer, Known):
            rows.append((node, "not read", answer.detail))
            continue
        for entry in answer.value:
            ip, _, port = entry.frontend.rpartition(":")
            mine = ip.strip("[]") in service.cluster_ips or (entry.kind == "NodePort" and port in node_ports)
            if mine and not entry.for_inside and (asked.port is None or str(asked.port) == port or port in node_ports):
                rows.append((node, f"{entry.frontend}/{entry.protocol}", ", ".join(entry.backends) or "none"))
    if not rows:
        return None
    shown = tuple(rows[:MOST_ROWS])
    return Table("What nodes send where", ("node", "frontend", "backends"), shown, len(rows) - len(shown))
