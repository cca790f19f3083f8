"""The endpoints that a question means, as a table: a line for each."""

from handlers.endpoints.asked import Asked, PodEndpoint
from handlers.model.rule import Direction
from handlers.model.table import Cell, Table

MOST_ROWS = 20
_COLUMNS = ("pod", "node", "id", "identity", "state", "ingress", "egress", "revision", "address", "named ports")


def table_of(asked: Asked) -> Table:
    """Return one row for each pod; what was not read is not known, what does not exist is a dash."""
    rows = tuple(map(_row, asked.endpoints[:MOST_ROWS]))
    return Table("Endpoints", _COLUMNS, rows, left_out=len(asked.endpoints) - len(rows) + asked.left_out)


def _row(one: PodEndpoint) -> tuple[Cell, ...]:
    pod, agent = one.pod, one.of_agent
    if not one.is_made:
        return (
            str(pod),
            pod.node or "-",
            "-",
            "-",
            pod.waiting or pod.phase,
            "-",
            "-",
            "-",
            ", ".join(pod.ips) or "-",
            "-",
        )
    ports = agent.named_ports if agent and agent.named_ports else one.published.named_ports if one.published else ()
    return (
        str(pod),
        pod.node or "-",
        _text(one.number),
        _text(one.identity),
        one.state,
        enforcement(one, Direction.INGRESS),
        enforcement(one, Direction.EGRESS),
        f"{agent.realized_revision} of {agent.desired_revision}"
        if agent and agent.desired_revision is not None
        else None,
        ", ".join(pod.ips),
        ", ".join(f"{port.name} {port.port}/{port.protocol}" for port in ports) or "-",
    )


def enforcement(one: PodEndpoint, direction: Direction) -> str:
    """Return what the agent says of a direction; what is audited is told, and not enforced."""
    told = one.of_agent or one.published
    is_ingress = direction is Direction.INGRESS
    enforcing = (told.ingress_enforcing if is_ingress else told.egress_enforcing) if told else None
    if enforcing is None:
        return "not known"
    if not enforcing:
        return "no policy"
    return "audited only" if one.of_agent and one.of_agent.audit else "enforced"


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
