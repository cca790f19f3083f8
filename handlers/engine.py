"""From a question and a snapshot to a report: run the probes, keep the reasons, let the command conclude."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from typing import Any

from handlers.catalogue import CATALOGUE, Catalogue
from handlers.model.facts import Facts, PartMissingError
from handlers.model.finding import Finding, Hop, Outcome
from handlers.model.flow import FlowLog
from handlers.model.headline import Headline
from handlers.model.parts import Part
from handlers.model.report import Budget, Expected, FirstAnswer, GapNote, Observed, Report, expected_of
from handlers.model.snapshot import AnyPart, Gap, Known, Missing, Snapshot
from handlers.plan import unasked
from handlers.probes.probe import UNREACHED, Probe

_MOST_VERSIONS = 4
"""Versions of one thing that are named, the others are counted."""


def answer(
    question: Any,
    snapshot: Snapshot,
    catalogue: Catalogue = CATALOGUE,
    *,
    facts: Facts | None = None,
) -> Report:
    """Judge a question on a snapshot.

    A needed part that is missing makes an UNKNOWN, an exception of a probe a BROKEN; neither is ever skipped. ``facts``
    is a view of the snapshot that the caller keeps, to look at what was derived on the way.
    """
    facts = facts or Facts(snapshot)
    found = [finding for probe in catalogue.probes_for(question) for finding in _run(probe, question, facts)]
    if unreached := _unreached(snapshot):
        found = [UNREACHED.finding(Outcome.UNKNOWN, blocking=True, advice=unreached.remedy, detail=unreached.detail)]
    return _report(question, snapshot, catalogue, facts, found)


def first_answer(question: Any, so_far: Snapshot, catalogue: Catalogue = CATALOGUE) -> FirstAnswer | None:
    """Return what is certain while other parts are still read: that the traffic is stopped, and by what.

    None while nothing is certain, or packets are seen to pass. There is no patch yet: it takes more reading.
    """
    awaited = unasked(question, so_far, catalogue)
    probes = catalogue.probes_for(question)
    if not all(probe.is_final(awaited.keys()) for probe in probes if probe.hop is Hop.RESOLVE):
        return None
    facts = Facts(so_far)
    found = [finding for probe in probes for finding in _certain(probe, question, facts, awaited.keys())]
    if expected_of(found) is not Expected.BLOCKED:
        return None
    report = _report(question, so_far, catalogue, facts, found)
    if report.expected is not Expected.BLOCKED or report.observed in (Observed.FORWARDED, Observed.AUDITED):
        return None
    if Part.FLOWS in awaited:
        report = replace(report, observed=None, headline=replace(report.headline, seen=""))
    bare = replace(report, patches=(), patch_notes=())
    return FirstAnswer(bare, tuple(sorted(part.in_words for part in awaited)))


def _certain(probe: Probe, question: Any, facts: Facts, awaited: Set[AnyPart]) -> Iterator[Finding]:
    if probe.is_final(awaited):
        yield from _run(probe, question, facts)
    elif probe.stands and probe.stands(question, facts, awaited & probe.parts):
        found = _run(probe, question, facts)
        yield from (one for one in found if one.blocking and one.outcome is Outcome.PROBLEM)


def _report(question: Any, snapshot: Snapshot, catalogue: Catalogue, facts: Facts, found: Iterable[Finding]) -> Report:
    """Return the report of what the probes found."""
    command = catalogue.command_of(question)
    unreached = _unreached(snapshot)
    findings = tuple(command.arrange(found) if command.arrange else in_hop_order(found))
    conclusion = command.conclude(question, facts, findings)
    if unreached:
        conclusion = replace(conclusion, headline=Headline(findings[0].sentence, remedy=unreached.remedy), notes=())
    return Report(
        question=str(question),
        command=command.name,
        headline=conclusion.headline,
        taken_at=snapshot.taken_at,
        source=snapshot.source,
        findings=findings,
        expected=conclusion.expected,
        observed=conclusion.observed,
        identities=conclusion.identities,
        gaps=tuple(_gap_notes(snapshot, facts.touched, unreached)),
        budget=_budget(snapshot),
        patches=conclusion.patches,
        patch_notes=conclusion.patch_notes,
        notes=conclusion.notes,
        candidates=conclusion.candidates,
        tables=conclusion.tables,
        versions=tuple(_versions(snapshot)),
        read_as=command.in_words(question),
        standing=conclusion.standing,
    )


def _versions(snapshot: Snapshot) -> Iterator[str]:
    """Say what ran, of what was read: one line for each kind, the versions of it in order."""
    config, nodes = snapshot.get(Part.CONFIG), snapshot.get(Part.NODES)
    if isinstance(config, Known) and (config.value.version or config.value.versions):
        yield f"Cilium {', '.join(sorted({*config.value.versions.values(), config.value.version or ''} - {''}))}"
    listed = nodes.value if isinstance(nodes, Known) else ()
    for what, told in (("kubelet", {node.kubelet for node in listed}), ("kernel", {node.kernel for node in listed})):
        if known := sorted(told - {""}):
            more = f" and {len(known) - _MOST_VERSIONS} more" if len(known) > _MOST_VERSIONS else ""
            yield f"{what} {', '.join(known[:_MOST_VERSIONS])}{more}"


def _unreached(snapshot: Snapshot) -> Missing | None:
    """Return why nothing at all could be read, where the cluster itself did not answer; that is told once."""
    missing = [part for part in snapshot.parts.values() if isinstance(part, Missing)]
    deaf = [part for part in missing if part.gap in (Gap.UNREACHABLE, Gap.TIMEOUT)]
    others = [part for part in missing if part.gap not in (Gap.UNREACHABLE, Gap.TIMEOUT, Gap.NOT_ASKED)]
    return deaf[0] if deaf and not others and len(missing) == len(snapshot.parts) else None


def in_hop_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings along the path, worst first within a hop."""
    return sorted(
        findings,
        key=lambda finding: (
            finding.hop.order if finding.hop else len(Hop),
            finding.outcome.order,
            not finding.blocking,
            -finding.weight,
        ),
    )


def _run(probe: Probe, question: Any, facts: Facts) -> Iterator[Finding]:
    missing = [(part, look) for part in probe.needs if isinstance(look := facts.look(part), Missing)]
    if missing:
        yield probe.unknown(*missing[0])
        return
    try:
        yield from list(probe.check(question, facts.narrowed(probe.parts)))
    except PartMissingError as error:
        yield probe.unknown(error.part, error.missing)
    except Exception as error:  # noqa: BLE001  (a broken probe must not hide the findings of the others)
        yield probe.broken(error)


def _gap_notes(snapshot: Snapshot, touched: frozenset[AnyPart], unreached: Missing | None) -> Iterator[GapNote]:
    """Name what could not be read, of the parts that somebody looked at: a gap that nobody meets is none."""
    if unreached:
        yield GapNote("everything", None, unreached.gap.value, unreached.detail, unreached.remedy)
        return
    for part, node, missing in snapshot.gaps():
        if part in touched:
            yield GapNote(part.in_words, node, missing.gap.value, missing.detail, missing.remedy)


def _budget(snapshot: Snapshot) -> Budget:
    look = snapshot.get(Part.FLOWS)
    if not isinstance(look, Known) or not isinstance(look.value, FlowLog):
        return Budget()
    log = look.value
    covered = [log.covered_since[node] for node in log.heard if node in log.covered_since]
    return Budget(
        nodes_heard=tuple(sorted(log.heard)),
        nodes_silent=tuple(sorted(log.silent)),
        asked_since=log.since,
        covered_since=max([*covered, log.since]) if covered and len(covered) == len(log.heard) else None,
        until=log.until,
        flows_seen=len(log.flows),
        events_lost=sum(lost.count for lost in log.lost),
        truncated=log.truncated,
    )
