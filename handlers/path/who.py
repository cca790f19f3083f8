"""Numeric identities, resolved to labels and to the pods that carry them now."""

from collections.abc import Iterable

from handlers.model.agent import AgentEndpoint
from handlers.model.cluster import CiliumEndpoint
from handlers.model.facts import Facts
from handlers.model.report import IdentityNote
from handlers.model.snapshot import Known, Part
from handlers.path.legs import Leg, Place

MOST_CARRIERS = 5
"""Pods named for one identity."""


def endpoint_of(place: Place, facts: Facts) -> CiliumEndpoint | None:
    """Return the CiliumEndpoint of a pod, None where there is none or it was not read."""
    look = facts.look(Part.CILIUM_ENDPOINTS)
    if not isinstance(look, Known) or place.pod is None or place.pod.host_network:
        return None
    endpoints: tuple[CiliumEndpoint, ...] = look.value
    by_name = facts.once("endpoints by name", lambda: {(entry.namespace, entry.name): entry for entry in endpoints})
    return by_name.get((place.pod.namespace, place.pod.name))


def agent_endpoint_of(place: Place, facts: Facts) -> AgentEndpoint | None:
    """Return a pod's endpoint as its node's agent tells it, None where that was not read."""
    look = facts.look(Part.AGENT_ENDPOINTS)
    if not isinstance(look, Known) or place.pod is None:
        return None
    answer = look.value.on(place.node)
    if not isinstance(answer, Known):
        return None
    entries: tuple[AgentEndpoint, ...] = answer.value
    name = (place.pod.namespace, place.pod.name)
    return next((entry for entry in entries if (entry.namespace, entry.pod) == name), None)


def identity_notes(legs: Iterable[Leg], facts: Facts) -> tuple[IdentityNote, ...]:
    """Return the identities of the pods at both ends, each once."""
    notes: dict[int, IdentityNote] = {}
    for leg in legs:
        for place in (leg.source, leg.destination):
            endpoint = endpoint_of(place, facts)
            if endpoint and endpoint.identity is not None and endpoint.identity not in notes:
                notes[endpoint.identity] = note_of(endpoint.identity, endpoint.labels, facts)
    return tuple(notes.values())


def note_of(number: int, labels: tuple[str, ...], facts: Facts) -> IdentityNote:
    """Return an identity with those of its carriers that are in reach."""
    look = facts.look(Part.CILIUM_ENDPOINTS)
    endpoints: tuple[CiliumEndpoint, ...] = look.value if isinstance(look, Known) else ()
    carriers = sorted(f"{entry.namespace}/{entry.name}" for entry in endpoints if entry.identity == number)
    return IdentityNote(number, labels, tuple(carriers[:MOST_CARRIERS]), more=max(0, len(carriers) - MOST_CARRIERS))
