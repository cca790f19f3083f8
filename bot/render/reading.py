"""How a report reads, before anybody decides how it looks: status, hop strip, blame, gaps and age, in plain words.

Both the Slack message and the plain text are made from this, so they cannot tell different stories.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bot.render.headline import sentence_of
from handlers.model.finding import Evidence, Finding, Hop, Outcome, Sentence
from handlers.model.headline import CANNOT_TELL
from handlers.model.report import AlsoOpens, Budget, Expected, FirstAnswer, GapNote, Observed, Patch, Report


class Mark(StrEnum):
    """A verdict on one hop or one finding."""

    PASS = "✓"  # noqa: S105  (a tick, not a password)
    FAIL = "✗"
    WARN = "!"
    UNKNOWN = "?"
    NOTE = "·"
    """Worth knowing, and no judgement: a tick would say that it is well."""


class Tone(StrEnum):
    """What the whole report amounts to."""

    GOOD = "good"
    BAD = "bad"
    DOUBT = "doubt"
    CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True)
class Status:
    """The first words of the answer: a word, the hop where a connection stops, and what contradicts the word."""

    tone: Tone
    word: str
    place: str = ""
    yet: str = ""

    def __str__(self) -> str:
        """Say it: ``Blocked at ingress, yet passing``."""
        at = f" at {self.place}" if self.place else ""
        return f"{self.word}{at}{', yet ' if self.yet else ''}{self.yet}"


_WORD = {Expected.OPEN: "Open", Expected.BLOCKED: "Blocked", Expected.UNKNOWN: CANNOT_TELL}
_TONE = {Expected.OPEN: Tone.GOOD, Expected.BLOCKED: Tone.BAD, Expected.UNKNOWN: Tone.DOUBT}
_CONTRADICTION = {
    (Expected.OPEN, Observed.DROPPED): "dropped",
    (Expected.OPEN, Observed.AUDITED): "audited as denied",
    (Expected.BLOCKED, Observed.FORWARDED): "passing",
    (Expected.BLOCKED, Observed.AUDITED): "passing in audit mode",
}
_POLICY = (Hop.EGRESS_POLICY, Hop.INGRESS_POLICY)
"""Hops whose judgement passing packets contradict: elsewhere packets may be older, or the name be passed by."""
_SEEN = {
    Observed.FORWARDED: "traffic passes",
    Observed.DROPPED: "traffic is dropped",
    Observed.AUDITED: "policy audit mode lets through what would be denied",
    Observed.NOTHING: "no attempt in the time looked at",
    Observed.NO_DATA: "flows could not be read",
}
_MOST_ALIKE = 3
"""Findings of a kind that are listed one by one."""
_DOUBTFUL = (Outcome.UNKNOWN, Outcome.BROKEN)


def status_of(report: Report) -> Status:
    """Return the status: by the two verdicts for a question of reachability, else by the worst finding."""
    if report.headline.status:
        return Status(_tone_of_named(report), report.headline.status)
    if report.expected is not None:
        blocked_at = report.first_failing_hop() if report.expected is Expected.BLOCKED else None
        yet = _CONTRADICTION.get((report.expected, report.observed or Observed.NO_DATA), "")
        if blocked_at is not None and blocked_at not in _POLICY:
            yet = ""
        tone = Tone.CONTRADICTION if yet else _TONE[report.expected]
        return Status(tone, _WORD[report.expected], hop_name(blocked_at), yet)
    outcomes = {finding.outcome for finding in report.findings}
    if report.candidates:
        return Status(Tone.DOUBT, "Which one?")
    if report.headline.claim.lead == CANNOT_TELL:
        return Status(Tone.DOUBT, CANNOT_TELL)
    if Outcome.PROBLEM in outcomes:
        return Status(Tone.BAD, "Problems")
    if outcomes & set(_DOUBTFUL):
        return Status(Tone.DOUBT, "Partly unknown")
    return Status(Tone.GOOD, "")  # a list without a problem is no judgement: its headline says all


def _tone_of_named(report: Report) -> Tone:
    if report.blockers():
        return Tone.BAD
    is_ill = report.expected is None and any(finding.outcome is Outcome.PROBLEM for finding in report.findings)
    return Tone.BAD if is_ill else Tone.DOUBT


def opening(report: Report) -> tuple[Status, str, Sentence]:
    """Return status, separator and headline: where the headline's lead is the status itself, it is not said twice."""
    status = status_of(report)
    separator = " " if report.headline.claim.lead == status.word else " — "
    return status, separator if status.word else "", sentence_of(report, status=status.word)


def hop_strip(report: Report) -> tuple[tuple[str, Mark], ...]:
    """Return every hop that was judged, along the path, with its mark; a single hop is no path."""
    judged = [finding for finding in report.findings if finding.outcome is not Outcome.NOT_APPLICABLE]
    by_hop = ((hop, [finding for finding in judged if finding.hop is hop]) for hop in Hop)
    strip = tuple((hop_name(hop), _mark_of(findings)) for hop, findings in by_hop if findings)
    return strip if len(strip) > 1 else ()


def hop_name(hop: Hop | None) -> str:
    """Return a hop's name as the strip shows it."""
    return hop.value.removesuffix("-policy") if hop else ""


def mark_of(finding: Finding) -> Mark:
    """Return the mark of one finding in a list, where nothing says what it blocks."""
    if finding.outcome is Outcome.PROBLEM:
        return Mark.FAIL
    if finding.outcome is Outcome.NOT_APPLICABLE:
        return Mark.NOTE
    return Mark.UNKNOWN if finding.outcome in _DOUBTFUL else Mark.PASS


def _mark_of(findings: Iterable[Finding]) -> Mark:
    kinds = {(finding.outcome, finding.blocking) for finding in findings}
    if (Outcome.PROBLEM, True) in kinds:
        return Mark.FAIL
    if any((outcome, True) in kinds for outcome in _DOUBTFUL):
        return Mark.UNKNOWN
    if (Outcome.PROBLEM, False) in kinds:
        return Mark.WARN
    return Mark.UNKNOWN if any((outcome, False) in kinds for outcome in _DOUBTFUL) else Mark.PASS


def doubts(report: Report) -> tuple[Finding, ...]:
    """Return what keeps the report from an answer: blocking checks that could not be made."""
    return tuple(finding for finding in report.findings if finding.blocking and finding.outcome in _DOUBTFUL)


def noticed(report: Report) -> tuple[Finding, ...]:
    """Return problems that do not stop the asked traffic, and doubts that do not matter to it, worst first."""
    return worst_first(
        finding
        for finding in report.findings
        if not finding.blocking and finding.outcome in (Outcome.PROBLEM, *_DOUBTFUL)
    )


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings, worst first; what is equally bad keeps the command's own order."""
    return tuple(sorted(findings, key=lambda finding: finding.outcome.order))


@dataclass(frozen=True, slots=True)
class Row:
    """A finding of a list, and how many more say the same of something else."""

    finding: Finding
    alike: int = 0


def rows(findings: Iterable[Finding]) -> tuple[Row, ...]:
    """Return the findings worst first; of many that differ in a name alone, and open no question, the first stands."""
    found: dict[object, list[Finding]] = {}
    for finding in worst_first(findings):
        key = (finding.code, finding.outcome, finding.sentence.template)
        found.setdefault(finding.follow_up or key, []).append(finding)
    few = ([Row(one) for one in alike] for alike in found.values() if len(alike) <= _MOST_ALIKE)
    many = ([Row(alike[0], len(alike) - 1)] for alike in found.values() if len(alike) > _MOST_ALIKE)
    listed = [row for group in (*few, *many) for row in group]
    return tuple(sorted(listed, key=lambda row: row.finding.outcome.order))


def shared_advice(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return the advice that several findings have in common: in a list it is given once, at the end."""
    counted = Counter(finding.advice for finding in findings if finding.advice)
    return tuple(advice for advice, count in counted.items() if count > 1)


def seen(report: Report) -> str:
    """Return what flows showed, in a sentence, or nothing where the question was not about flows."""
    return report.headline.seen or ("" if report.observed is None else _SEEN[report.observed])


def citation(evidence: Evidence) -> str:
    """Return where the evidence stands: ``CiliumNetworkPolicy shop/cart /spec/ingress/0``."""
    return " ".join(filter(None, (ref_in_words(evidence.ref), evidence.pointer)))


def ref_in_words(ref: str) -> str:
    """Return ``Kind/namespace/name`` as ``Kind namespace/name``, ``Kind//name`` as ``Kind name``."""
    kind, _, rest = ref.partition("/")
    return f"{kind} {rest.removeprefix('/')}".strip()


def also_opens(patch: Patch) -> tuple[str, tuple[str, ...]]:
    """Return what else the patch lets through: a leading phrase, and the flows."""
    flows = tuple(_opened(flow) for flow in patch.also_opens)
    if not patch.blast_radius_known:
        reason = f": {patch.blast_radius_gap}" if patch.blast_radius_gap else ""
        return (f"Also opens at least (what else is not known{reason})" if flows else f"Not known{reason}"), flows
    return ("Also opens" if flows else "Opens nothing else"), flows


def _opened(flow: AlsoOpens) -> str:
    count = f" ({flow.count} pairs)" if flow.count > 1 else ""
    return f"{flow.source} → {flow.destination} {flow.port}{count}"


def coverage(report: Report) -> tuple[str, ...]:
    """Return how much of the flows was seen, one clause each; empty where none were asked for."""
    budget = report.budget
    heard, silent = budget.nodes_heard, budget.nodes_silent
    clauses = []
    if heard or silent:
        window = f" {_span(budget.covered_since, budget.until)}" if budget.covered_since and budget.until else ""
        missing = f", {_unheard(silent)}" if silent else ""
        clauses.append(f"flows{window}, {len(heard)} of {len(heard) + len(silent)} nodes{missing}")
    if budget.asked_since and budget.covered_since and budget.covered_since > budget.asked_since:
        clauses.append(f"asked back to {_hour(budget.asked_since)}")
    elif budget.asked_since and not budget.covered_since and heard:
        clauses.append(f"asked back to {_hour(budget.asked_since)}, how far the nodes remember is not known")
    return (*clauses, *_lost(budget))


def losses(report: Report) -> tuple[str, ...]:
    """Return what of the flows was not seen, one clause each, the same for as long as nothing more is lost."""
    silent = report.budget.nodes_silent
    return (*((_unheard(silent),) if silent else ()), *_lost(report.budget))


def _unheard(silent: Iterable[str]) -> str:
    return f"not heard: {_some(silent)}"


def _lost(budget: Budget) -> Iterator[str]:
    if budget.events_lost:
        yield f"{budget.events_lost} events lost"
    if budget.truncated:
        yield "more flows than were read"


def provenance(report: Report, age: timedelta | None) -> tuple[str, ...]:
    """Return where and when the facts were taken, and how old an answer from the cache is."""
    source = report.source or "an unnamed source"
    is_said = report.cluster in source.split()
    cluster = f"cluster {report.cluster}: " if report.cluster and not is_said else ""
    clauses = [f"{cluster}{source}, {moment(report.taken_at)}"]
    if age is not None:
        clauses.append(f"cached {duration(age)} ago")
    return tuple(clauses)


def read_as(report: Report) -> str:
    """Return what the asker's words were read as, nothing where the normal form says the same."""
    is_said = " ".join(report.read_as.replace("→", " ").split()) in " ".join(report.question.split())
    return "" if is_said else f"read as: {report.read_as}"


def gap_in_words(gap: GapNote) -> str:
    """Return one thing that could not be looked at."""
    place = f" of {gap.node}" if gap.node else ""
    detail = f": {gap.detail}" if gap.detail else ""
    remedy = f" → {gap.remedy}" if gap.remedy else ""
    return f"{gap.part}{place} ({gap.gap}){detail}{remedy}"


def moment(at: datetime) -> str:
    """Return a time as engineers compare it with logs: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(span: timedelta) -> str:
    """Return a duration in its largest sensible unit."""
    seconds = max(0, round(span.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def still_reading(first: FirstAnswer) -> str:
    """Return what a first answer still waits for."""
    return f"still reading {_some(first.awaited)}"


def follow_ups(report: Report) -> tuple[str, ...]:
    """Return the questions that look closer, worst finding first, each once."""
    asked = (finding.follow_up for finding in worst_first(report.findings) if finding.follow_up)
    return tuple(dict.fromkeys(text for text in asked if text != report.question))


def _span(since: datetime, until: datetime) -> str:
    same_day = since.astimezone(UTC).date() == until.astimezone(UTC).date()
    return f"{_hour(since)}–{_hour(until)}" if same_day else f"{moment(since)} – {moment(until)}"


def _hour(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%H:%M:%S")


def _some(names: Iterable[str], most: int = 3) -> str:
    return ", ".join(_first(tuple(names), most))


def _first(names: tuple[str, ...], most: int) -> Iterator[str]:
    yield from names[:most]
    if len(names) > most:
        yield f"{len(names) - most} more"


def withheld(report: Report) -> tuple[str, ...]:
    """Return what was taken out of the answer for this reader, as one fact."""
    return (f"withheld: {'; '.join(report.withheld)}",) if report.withheld else ()
