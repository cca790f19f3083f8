"""Relay: that it was found, that it may be spoken to, and which nodes it hears."""

from handlers.doctor.check import Check, fine, problem, unknown
from handlers.model.flow import RelayStatus
from handlers.model.snapshot import Gap, Known, Missing

_CONNECTED = ("NODE_CONNECTED", "CONNECTED")
_PASSING = (Gap.TIMEOUT, Gap.NOT_ASKED)


def relay_check(look: Known[object] | Missing) -> Check:
    """Judge what relay said of its peers, or why it said nothing."""
    if isinstance(look, Missing):
        make = unknown if look.gap in _PASSING else problem
        return make("relay", f"no flows: {look.detail}", look.remedy or "Look at hubble-relay: cilium status.")
    status = look.value
    if not isinstance(status, RelayStatus):
        return unknown("relay", "it said something else than its state")
    silent = [node.name for node in status.nodes if node.state not in _CONNECTED]
    said = f"{status.version or 'of a version that it does not tell'}, {len(status.nodes)} nodes"
    if silent or not status.nodes:
        which = ", ".join(silent[:5]) if silent else "none is connected"
        remedy = "Look at the agents of these nodes and at port 4244 between nodes: cilium-triage nodes"
        return problem("relay", f"{said}; not heard: {which}", remedy)
    return fine("relay", said)
