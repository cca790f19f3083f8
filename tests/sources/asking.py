"""Asks as probes make them, and the usual ends of an answer."""

from datetime import datetime, timedelta
from typing import Any

from handlers.model.parts import PARTS, Part
from handlers.model.scope import FlowMatch, FlowQuery, PodQuery, Scope
from handlers.model.snapshot import Ask, Known, Missing
from handlers.source import Source

NODES = ("lab-node-1", "lab-node-2")


def whole(now: datetime) -> Scope:
    """Everything there is, flows of the last quarter of an hour."""
    return Scope(
        all_namespaces=True,
        pods=(PodQuery(),),
        identities=(),
        policy_services=True,
        named_ports=True,
        flows=FlowQuery((), now - timedelta(minutes=15), now + timedelta(minutes=1)),
    )


def every_ask(now: datetime) -> list[Ask]:
    """One ask for each part, for each node where nodes answer for themselves."""
    return [Ask(part, whole(now), node) for part in PARTS for node in (NODES if part.is_per_node else (None,))]


def flows(now: datetime, *any_of: FlowMatch, minutes: float = 15, limit: int = 20_000) -> Ask:
    """Flows of the last minutes."""
    query = FlowQuery(any_of, now - timedelta(minutes=minutes), now + timedelta(minutes=1), limit)
    return Ask(Part.FLOWS, Scope(flows=query))


def known(source: Source, ask: Ask, timeout: float = 10.0) -> Any:
    """Return the value of an answer that must be there."""
    answer = source.read(ask, timeout)
    assert isinstance(answer, Known), answer
    return answer.value


def missing(source: Source, ask: Ask, timeout: float = 10.0) -> Missing:
    """Return the reason of an answer that must not be there."""
    answer = source.read(ask, timeout)
    assert isinstance(answer, Missing), answer
    return answer
