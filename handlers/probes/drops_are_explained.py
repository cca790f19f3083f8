"""Every policy drop that was seen is explained by the policies as they stand.

A drop that they do not explain is older than a change of policy, or the datapath enforces something else than was read,
or this program judges wrongly. Unless a newer change explains it, nobody may be told that the way is open.
"""

from collections.abc import Iterator
from datetime import datetime

from handlers.connection.judgement import Judged
from handlers.connection.legs import LEG_PARTS
from handlers.connection.observation import clock
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS
from handlers.connection.seen import DroppedPackets, sight_of
from handlers.connection.trial import Trial
from handlers.model.decision import Verdict
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.flow import FlowDirection
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.rule import Direction
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

DROPS_UNEXPLAINED = code(
    "DROPS_UNEXPLAINED",
    meaning="Hubble shows packets dropped by policy, and the policies as they were read allow them.",
    template="{count} packet{count:|s} of it {count:was|were} dropped by policy ({reason}) on {node} until {at}, "
    "which the policies as read do not explain",
    advice="A policy may have been deleted or changed since: try once more, and ask again without cache.",
)

_POLICY_REASONS = ("POLICY_DENIED", "POLICY_DENY")


@probe(
    answers=(AboutConnection,),
    codes=(DROPS_UNEXPLAINED,),
    needs=(*PARTS, *POLICY_PARTS, Part.FLOWS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, *LEG_PARTS),
    hop=Hop.AGENTS,
)
def drops_are_explained(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Hold each policy drop against the decisions of its direction."""
    trial = Trial(question.connection, facts)
    legs = needed(trial.judgements)
    change = needed(trial.change)
    for stretch in needed(trial.stretches):
        sight = sight_of(stretch, facts.flows.flows)
        for drop in sight.drops:
            if drop.reason in _POLICY_REASONS and _is_news(drop, sight.passed_at, change.at if change else None):
                direction = Direction.EGRESS if drop.direction is FlowDirection.EGRESS else Direction.INGRESS
                if not any(_explains(leg, direction) for leg in legs):
                    yield _finding(drop, direction)


def _is_news(drop: DroppedPackets, passed_at: datetime | None, changed_at: datetime | None) -> bool:
    """Whether neither a packet that passed later nor a later change of policy makes the drop history."""
    return not any(later and later > drop.last_at for later in (passed_at, changed_at))


def _explains(leg: Judged, direction: Direction) -> bool:
    side = leg.sides.egress if direction is Direction.EGRESS else leg.sides.ingress
    return side.verdict in (Verdict.DENIED, Verdict.UNKNOWN, Verdict.ERROR)


def _finding(drop: DroppedPackets, direction: Direction) -> Finding:
    return DROPS_UNEXPLAINED.finding(
        Outcome.UNKNOWN,
        hop=Hop.EGRESS_POLICY if direction is Direction.EGRESS else Hop.INGRESS_POLICY,
        blocking=True,
        evidence=[
            Evidence("hubble", f"Node//{drop.node}", at=drop.last_at),
            *(Evidence("hubble", ref) for ref in drop.denied_by),
        ],
        weight=drop.count,
        count=drop.count,
        reason=drop.reason,
        node=drop.node,
        at=clock(drop.last_at),
    )
