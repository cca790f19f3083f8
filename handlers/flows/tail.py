"""Flows that come in while somebody waits, joined to those before; what was lost between two reads is kept as lost."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from handlers.model.flow import Flow, FlowLog
from handlers.model.scope import FlowQuery

OVERLAP = timedelta(seconds=3)
"""How far a read goes back behind the one before: a node may tell of a flow that late."""


def next_query(query: FlowQuery, read_until: datetime, now: datetime) -> FlowQuery:
    """Return the query for what came since."""
    return replace(query, since=max(query.since, read_until - OVERLAP), until=now)


def joined(log: FlowLog, more: FlowLog, limit: int) -> FlowLog:
    """Return both as one log, each flow once, the newest ``limit`` of them.

    A node counts as heard that was heard both times. Where its ring no longer held all since the time before, it
    remembers from there on only.
    """
    flows = sorted(_once((*log.flows, *more.flows)), key=lambda flow: flow.time)
    forgot = {node: since for node, since in more.covered_since.items() if since > log.until}
    return FlowLog(
        flows=tuple(flows[-limit:]),
        since=log.since,
        until=more.until,
        heard=log.heard & more.heard,
        silent={**log.silent, **more.silent},
        covered_since={**log.covered_since, **forgot},
        lost=(*log.lost, *more.lost),
        truncated=log.truncated or more.truncated or len(flows) > limit,
    )


def _once(flows: Iterable[Flow]) -> Iterable[Flow]:
    return {flow.uuid or flow: flow for flow in flows}.values()
