"""Every line of the contract holds."""

from collections.abc import Iterator

from handlers.commands.check import CheckContract
from handlers.contract import Checked, Result, check
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.probes.probe import probe
from handlers.whole_cluster import CLUSTER_PARTS, state_of

CONTRACT_HOLDS = code(
    "CONTRACT_HOLDS",
    meaning="Every pair of the line's ends is open on each of its ports (allow), or none is (deny).",
    template="{line} holds",
)
CONTRACT_BROKEN = code(
    "CONTRACT_BROKEN",
    meaning="Some pair and port is not as the line demands.",
    template="{line} is broken by {count} pair{count:|s} of ends and ports, such as {breaches}",
    advice="Change the policies that decide so, or the contract.",
)
CONTRACT_UNKNOWN = code(
    "CONTRACT_UNKNOWN",
    meaning="Not everything that the line depends on was read.",
    template="Cannot tell whether {line} holds: {detail}",
)
CONTRACT_EMPTY = code(
    "CONTRACT_EMPTY",
    meaning="One of the line's ends is nobody, so that the line says nothing.",
    template="{line} says nothing: {detail}",
    advice="Correct the name, or take the line out.",
)


@probe(
    answers=(CheckContract,),
    codes=(CONTRACT_HOLDS, CONTRACT_BROKEN, CONTRACT_UNKNOWN, CONTRACT_EMPTY),
    uses=CLUSTER_PARTS,
    blocking=True,
)
def contract_holds(question: CheckContract, facts: Facts) -> Iterator[Finding]:
    """Judge line by line."""
    yield from map(_finding, check(question.lines, state_of(question, facts)))


def _finding(checked: Checked) -> Finding:
    again = f"check {checked.line}".replace(" -> ", " to ").removesuffix(" every port")
    line = f"{checked.line} ({checked.line.why})" if checked.line.why else str(checked.line)
    if checked.result is Result.HOLDS:
        return CONTRACT_HOLDS.finding(Outcome.FINE, line=line)
    if checked.result is Result.BROKEN:
        shown = [f"{one.source} -> {one.destination} {one.traffic} is {one.verdict}" for one in checked.breaches]
        return CONTRACT_BROKEN.finding(
            Outcome.PROBLEM,
            evidence=[
                Evidence("computed", "", excerpt=f"{text} ({one.because})")
                for text, one in zip(shown, checked.breaches, strict=True)
            ],
            follow_up=again,
            weight=checked.count,
            line=line,
            count=checked.count,
            breaches=tuple(shown[:3]),
        )
    told = CONTRACT_UNKNOWN if checked.result is Result.UNKNOWN else CONTRACT_EMPTY
    return told.finding(Outcome.UNKNOWN, blocking=True, line=line, detail=checked.detail)
