"""The cluster has identities left for new sets of labels.

Numbers from 256 to 65535 are the cluster's (Cilium, pkg/identity/numericidentity.go); with none left no pod with labels
of its own starts. Labels that differ from pod to pod use them up.
"""

from collections.abc import Iterator

from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutMaps
from handlers.probes.probe import probe

IDENTITIES_NEARLY_GONE = code(
    "IDENTITIES_NEARLY_GONE",
    meaning="Nearly all numbers for identities of the cluster are in use; without one no pod with new labels starts.",
    template="{count} of {limit} identities are in use ({percent} %)",
    advice="Leave labels that differ from pod to pod out of identities (option labels in cilium-config).",
)
IDENTITIES_HAVE_ROOM = code(
    "IDENTITIES_HAVE_ROOM",
    meaning="There are identities left.",
    template="{count} of {limit} identities {count:is|are} in use",
)

_FIRST, _LAST = 256, 65_535
_NEARLY = 0.8


@probe(answers=(AboutMaps,), codes=(IDENTITIES_NEARLY_GONE, IDENTITIES_HAVE_ROOM), needs=(Part.IDENTITIES,))
def identities_have_room(question: AboutMaps, facts: Facts) -> Iterator[Finding]:
    """Count those of the cluster's own range; they belong to no node."""
    if question.node is not None:
        return
    count, limit = sum(_FIRST <= one.number <= _LAST for one in facts.identities), _LAST - _FIRST + 1
    is_nearly_gone = count >= limit * _NEARLY
    spoken = IDENTITIES_NEARLY_GONE if is_nearly_gone else IDENTITIES_HAVE_ROOM
    yield spoken.finding(
        Outcome.PROBLEM if is_nearly_gone else Outcome.FINE,
        evidence=[Evidence("kubernetes", "CiliumIdentity//")] if is_nearly_gone else (),
        weight=80,
        count=count,
        limit=limit,
        percent=count * 100 // limit,
    )
