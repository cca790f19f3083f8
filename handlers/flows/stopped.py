"""Which namespaces the ends of stopped packets belong to: those whose policies and pods explain them."""

from collections.abc import Iterable

from handlers.connection.drop_groups import namespaces_of_end
from handlers.model.flow import Flow, FlowVerdict

STOPPED = (FlowVerdict.DROPPED.value, FlowVerdict.AUDIT.value)
"""What was dropped, and what would have been but for audit mode."""


def namespaces_of_stopped(flows: Iterable[Flow]) -> frozenset[str]:
    """Return the namespaces of all ends of packets that were dropped, or would have been."""
    ends = (end for flow in flows if flow.verdict in STOPPED for end in (flow.source, flow.destination))
    return frozenset(space for end in ends for space in namespaces_of_end(end))
