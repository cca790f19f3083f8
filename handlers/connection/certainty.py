"""Whether what policy denies stands while agents are still asked: nothing that they may say takes it back.

Of what an agent says three things decide about a flow. Whether an endpoint audits instead of enforcing: the endpoint's
own newest denial tells that as well. Which names and labels an address outside has: that concerns no pod and no node.
Which policy it enforces in truth: that is told beside the judgement, and leaves it as it is.
"""

from collections.abc import Set

from handlers.connection.judgement import Judged
from handlers.connection.patches import PATCH_PARTS
from handlers.connection.places import PlaceKind
from handlers.connection.trial import Trial
from handlers.model.decision import Verdict
from handlers.model.facts import Facts, Lacking
from handlers.model.party import PartyKind
from handlers.model.question import AboutConnection
from handlers.model.rule import Direction
from handlers.model.snapshot import AnyPart

_INSIDE = (PlaceKind.POD, PlaceKind.NODE, PlaceKind.ENTITY)


def denials_stand(direction: Direction, question: AboutConnection, facts: Facts, awaited: Set[AnyPart]) -> bool:
    """Whether what one side of a connection denies stands, whatever the parts that are still awaited will say."""
    # What a patch is written and proven with decides nothing about the flow.
    if not all(part.is_per_node for part in awaited - set(PATCH_PARTS)):
        return False
    legs = Trial(question.connection, facts).judgements
    return not isinstance(legs, Lacking) and all(_is_settled(leg, direction) for leg in legs)


def _is_settled(judged: Judged, direction: Direction) -> bool:
    if any(place.kind not in _INSIDE for place in (judged.leg.source, judged.leg.destination)):
        return False
    side = judged.sides.egress if direction is Direction.EGRESS else judged.sides.ingress
    is_pod = side.subject.kind is PartyKind.ENDPOINT
    return side.verdict is not Verdict.DENIED or not is_pod or side.subject.audit is False
