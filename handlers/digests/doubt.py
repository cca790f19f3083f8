"""What could not be read at a moment, and which problems may stand behind it unseen.

It comes from what probes declare: a claim that could not be judged hides the problems of its own probe, a node whose
agent was not read hides those that are told of it, a node whose flows were not heard hides drops seen there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handlers.catalogue import CATALOGUE, Catalogue
from handlers.commands.command import NotUnderstoodError
from handlers.digests.problem import Problem
from handlers.model.finding import Evidence, Finding, Outcome, Sentence, prose
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.probes.probe import PART_MISSING, PROBE_BROKEN, UNREACHED, Probe

_OPEN = (Outcome.UNKNOWN, Outcome.BROKEN)
_OF_ALL = frozenset({UNREACHED.name, "PART_UNREAD"})
"""Codes of what leaves the whole question open."""
_HUBBLE = "hubble"
_HIDES = {"UNUSED_RULES_UNKNOWN": ("LINT_UNUSED_RULE",)}
"""Doubts that leave less open than all that their probe judges."""
_UNTOLD = "DROPS_BY_UNKNOWN_POLICY"
_OF_POLICIES = ("DROPS_BY_POLICY", _UNTOLD)


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that could not be read, or judged.

    ``sentence`` is None where another doubt says it. ``codes`` empty: every problem of the question; ``nodes`` empty:
    wherever it is. ``lost`` counts packets that nobody saw, None where nobody knows how many.
    """

    question: str
    sentence: Sentence | None
    evidence: tuple[Evidence, ...] = ()
    codes: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    lost: int | None = None
    is_of_flows: bool = False
    """Whether it hides only what flows had shown."""
    matters: bool = False
    """Whether it leaves open how well the cluster is, not only a detail."""

    def hides(self, problem: Problem) -> bool:
        """Whether the problem may stand although it was not told."""
        is_meant = problem.question == self.question and (not self.codes or problem.code in self.codes)
        is_there = not self.nodes or not problem.nodes or bool(set(self.nodes) & set(problem.nodes))
        is_large = self.lost is not None and problem.count is not None and problem.count > self.lost
        is_seen = any(item.source == _HUBBLE for item in problem.evidence)
        return is_meant and is_there and not is_large and (is_seen or not self.is_of_flows)


def not_asked(question: str, why: str) -> Doubt:
    """Return the doubt about a question that has no answer."""
    words = Sentence("{question} was not answered: {why}", {"question": question, "why": prose(why)})
    return Doubt(question, words, matters=True)


def doubts_in(report: Report, catalogue: Catalogue = CATALOGUE) -> tuple[Doubt, ...]:
    """Return all that a report leaves open."""
    try:
        probes = catalogue.probes_for(catalogue.understand(report.question).question)
    except NotUnderstoodError:
        probes = catalogue.probes
    return (
        *_of_findings(report, probes),
        *_of_causes(report),
        *_of_agents(report, probes),
        *_of_flows(report, probes),
    )


def _of_findings(report: Report, probes: Iterable[Probe]) -> Iterator[Doubt]:
    for finding in report.findings:
        if finding.outcome in _OPEN:
            codes = () if finding.code in _OF_ALL else _codes_beside(finding, probes)
            nodes = _nodes_of(finding)
            yield Doubt(report.question, finding.sentence, finding.evidence, codes, nodes, matters=finding.blocking)


def _of_causes(report: Report) -> Iterator[Doubt]:
    """Yield drops whose policy could not be told: it may be any that was told before."""
    if any(finding.code == _UNTOLD for finding in report.findings):
        yield Doubt(report.question, None, codes=_OF_POLICIES)


def _codes_beside(finding: Finding, probes: Iterable[Probe]) -> tuple[str, ...]:
    """Return the codes of the probes that may have said it."""
    if finding.code in _HIDES:
        return _HIDES[finding.code]
    if finding.code in (PART_MISSING.name, PROBE_BROKEN.name):
        mine = [probe for probe in probes if probe.name == finding.values.get("probe")]
    else:
        mine = [probe for probe in probes if finding.code in {code.name for code in probe.codes}]
    return _codes(mine)


def _codes(probes: Iterable[Probe]) -> tuple[str, ...]:
    return tuple(sorted({code.name for probe in probes for code in probe.codes}))


def _nodes_of(finding: Finding) -> tuple[str, ...]:
    node, nodes = finding.values.get("node"), finding.values.get("nodes")
    named = (*((str(node),) if node else ()), *(nodes if isinstance(nodes, tuple) else ()))
    return tuple(dict.fromkeys(named)) or tuple(item.ref[6:] for item in finding.evidence if item.ref[:6] == "Node//")


def _of_agents(report: Report, probes: Iterable[Probe]) -> Iterator[Doubt]:
    """Yield the agents that were not read: whatever probe looks at what they tell, was blind for their node."""
    for gap in report.gaps:
        if gap.node:
            blind = [probe for probe in probes if gap.part in {part.in_words for part in probe.parts}]
            if codes := _codes(blind):
                yield Doubt(report.question, None, codes=codes, nodes=(gap.node,))


def _of_flows(report: Report, probes: Iterable[Probe]) -> Iterator[Doubt]:
    budget = report.budget
    codes = _codes(probe for probe in probes if Part.FLOWS in probe.parts)
    if not codes:
        return
    if budget.nodes_silent:
        yield Doubt(report.question, None, codes=codes, nodes=budget.nodes_silent, is_of_flows=True)
    if budget.events_lost or budget.truncated:
        lost = None if budget.truncated else budget.events_lost
        yield Doubt(report.question, None, codes=codes, lost=lost, is_of_flows=True)
