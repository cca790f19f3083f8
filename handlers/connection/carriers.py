"""Numeric identities, resolved to labels and to the pods that carry them now."""

from collections.abc import Iterable

from handlers.connection.legs import Leg
from handlers.model.cluster import CiliumEndpoint
from handlers.model.facts import Facts, Lacking
from handlers.model.parts import Part
from handlers.model.report import IdentityNote
from handlers.model.snapshot import Known
from handlers.policy.pods import endpoint_of_pod

MOST_CARRIERS = 5
"""Pods named for one identity."""


def identity_notes(legs: Iterable[Leg] | Lacking, facts: Facts) -> tuple[IdentityNote, ...]:
    """Return the identities of the pods at both ends, each once; none while the legs cannot be told."""
    notes: dict[int, IdentityNote] = {}
    for leg in () if isinstance(legs, Lacking) else legs:
        for place in (leg.source, leg.destination):
            endpoint = endpoint_of_pod(place.pod, facts)
            if endpoint and endpoint.identity is not None and endpoint.identity not in notes:
                notes[endpoint.identity] = note_of(endpoint.identity, endpoint.labels, facts)
    return tuple(notes.values())


def note_of(number: int, labels: tuple[str, ...], facts: Facts) -> IdentityNote:
    """Return an identity with those of its carriers that are in reach."""
    look = facts.look(Part.CILIUM_ENDPOINTS)
    endpoints: tuple[CiliumEndpoint, ...] = look.value if isinstance(look, Known) else ()
    carriers = sorted(f"{entry.namespace}/{entry.name}" for entry in endpoints if entry.identity == number)
    return IdentityNote(number, labels, tuple(carriers[:MOST_CARRIERS]), more=max(0, len(carriers) - MOST_CARRIERS))
