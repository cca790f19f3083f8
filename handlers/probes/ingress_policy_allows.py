"""Policy at the destination lets the connection in.

The destination's own agent enforces it. A drop there shows only when the source's side lets the packet out.
All policies of all kinds count as one union of allows; a deny of any kind wins.
"""

from functools import partial

from handlers.connection.certainty import denials_stand
from handlers.connection.patches import PATCH_PARTS
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS
from handlers.connection.policy_findings import SIDE_CODES, findings_of_side
from handlers.connection.trial import Trial
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Hop
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.rule import Direction
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe


@probe(
    answers=(AboutConnection,),
    codes=SIDE_CODES,
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, *PATCH_PARTS, Part.ENDPOINT_SLICES),
    hop=Hop.INGRESS_POLICY,
    blocking=True,
    stands=partial(denials_stand, Direction.INGRESS),
)
def ingress_policy_allows(question: AboutConnection, facts: Facts) -> list[Finding]:
    """Say what the ingress side decides for each distinct leg."""
    return findings_of_side(Trial(question.connection, facts), Direction.INGRESS)
