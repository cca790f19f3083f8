"""A report as plain text and as Markdown: for the terminal, for notifications, for a ticket, for tests."""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta

from bot.render import reading
from bot.render.brief import between, unread_that_matters
from bot.render.brief import lines as brief_lines
from bot.render.clean import clean, in_markdown, one_line
from bot.render.columns import Row, drawn
from bot.render.gaps import NotRead, not_read, unexplained
from bot.render.reading import Mark, Status, Tone
from bot.render.table import first_rows, lines_of, markdown_of
from handlers.model.finding import Finding
from handlers.model.report import FirstAnswer, Patch, Report

_LABEL = 10
_BRIEF_ROWS = 5
_MOST_ROWS = 100
"""Rows of a table; JSON has all."""
_STYLE = {
    Tone.GOOD: "32;1",
    Tone.BAD: "31;1",
    Tone.DOUBT: "33;1",
    Tone.CONTRADICTION: "35;1",
    Mark.PASS: "32",
    Mark.FAIL: "31;1",
    Mark.WARN: "33",
    Mark.UNKNOWN: "33;1",
    Mark.NOTE: "2",
}
"""SGR parameters (ECMA-48, 8.3.117)."""

Paint = Callable[[str, Tone | Mark], str]


def plain(report: Report, *, age: timedelta | None = None, colour: bool = False, width: int = 0) -> str:
    """Return the report as text, a labelled line for each thing that matters, the status first.

    Lines are wrapped to ``width`` columns, 0 for not at all.
    """
    paint = _ansi if colour else _as_is
    rows = [Row("", _first(report, lambda status: paint(_loud(status), status.tone)))]
    rows += _path(report, paint) if report.expected is not None else _listed(report, paint)
    for table in report.tables:
        rows += [
            Row("", f"\n{one_line(table.title)}", kept=True),
            Row("", lines_of(first_rows(table, _MOST_ROWS), width), kept=True),
        ]
    rows += [Row("", "")] if report.tables else []
    rows += _labelled("read as", [report.read_as] if reading.read_as(report) else [])
    rows += _labelled("names", report.notes)
    rows += _labelled("did you mean", report.candidates)
    rows += _labelled("not read", map(str, _unsaid_gaps(report)))
    rows += _labelled("withheld", report.withheld)
    for patch in report.patches:
        rows += _patch(patch)
    if report.patches[1:]:
        rows += _labelled("together", ["The patches belong together: the flow opens when all are applied."])
    rows += _labelled("no patch", report.patch_notes)
    rows += _labelled("assuming", [report.headline.assumed])
    rows += _labelled("looked at", [" · ".join(reading.coverage(report))])
    rows += _labelled("source", [" · ".join(reading.provenance(report, age))])
    return drawn(rows, width)


def brief(report: Report, *, age: timedelta | None = None) -> str:
    """Return what a notification and a screen reader say: the verdict, why, what was seen, what to do; its age."""
    lines = [_first(report, _loud)]
    lines += [f"{line.label}: {one_line(str(line.words))}" for line in brief_lines(report)]
    if report.candidates:
        lines.append(f"Did you mean: {one_line(' | '.join(report.candidates))}?")
    if report.expected is None:
        lines += [f"{reading.mark_of(one)} {one_line(str(one.because))}" for one in _worst(report)]
    return "\n".join([*lines, one_line(" · ".join(reading.provenance(report, age)))])


def first(answer: FirstAnswer) -> str:
    """Return what is certain already as ``brief`` does, and what is still read."""
    return f"{brief(answer.report)}\n{reading.still_reading(answer)}"


def first_words(answer: FirstAnswer) -> str:
    """Return the verdict and the reason in one line, for a place that has no more."""
    reason = answer.report.headline.reason
    why = f" – {one_line(str(reason))}" if reason else ""
    return f"{_first(answer.report, lambda status: status.word)}{why} · {reading.still_reading(answer)}"


def _worst(report: Report) -> Sequence[Finding]:
    return reading.worst_first(report.findings)[:_BRIEF_ROWS]


def _first(report: Report, show: Callable[[Status], str]) -> str:
    """Return the verdict and what it is about; ``show`` writes the status's own word."""
    status, separator, headline = reading.opening(report)
    word = show(status) if status.word else ""
    if report.headline.pair:
        return f"{word}{str(status).removeprefix(status.word)}: {one_line(str(between(report.headline.pair)))}"
    return f"{word}{separator}{one_line(str(headline))}"


def _loud(status: Status) -> str:
    return status.word.upper()


def _unsaid_gaps(report: Report) -> tuple[NotRead, ...]:
    """Return the gaps that the brief answer does not name."""
    said = unread_that_matters(report)
    return tuple(gap for gap in not_read(report) if gap not in said)


def markdown(report: Report, *, age: timedelta | None = None) -> str:
    """Return the report as Markdown, for a pull request or an incident document."""
    lines = [
        f"## {in_markdown(_first(report, lambda status: status.word))}",
        "",
        *(f"**{line.label}:** {in_markdown(str(line.words))}  " for line in brief_lines(report)),
        "",
        f"`{_ticked(report.title)}`",
        "",
    ]
    if report.expected is not None:
        lines += [" · ".join(f"{hop} {mark}" for hop, mark in reading.hop_strip(report)), ""]
    for finding in reading.worst_first(report.findings):
        lines += _md_finding(finding)
    for table in report.tables:
        lines += ["", f"**{in_markdown(table.title)}**", "", markdown_of(first_rows(table, _MOST_ROWS)), ""]
    for patch in report.patches:
        lines += _md_patch(patch)
    lines += [f"- {in_markdown(note)}" for note in report.patch_notes]
    facts = (
        *reading.coverage(report),
        *reading.provenance(report, age),
        *map(str, not_read(report)),
        *reading.withheld(report),
    )
    lines += ["", *(f"- {in_markdown(fact)}" for fact in (*report.notes, *facts))]
    return "\n".join(lines) + "\n"


def _path(report: Report, paint: Paint) -> Iterator[Row]:
    for line in brief_lines(report):
        yield from _labelled(line.label.lower(), [str(line.words)])
    strip = (f"{hop} {paint(mark, mark)}" for hop, mark in reading.hop_strip(report))
    # The marks are painted: cleaning would take the paint off.
    yield Row(_lead("path"), " · ".join(strip))
    for finding in report.blockers():
        yield from _labelled("cause", _in_full(finding))
    yield from _labelled("unknown", map(_short, unexplained(report, reading.doubts(report))))
    yield from _labelled("noticed", map(_short, unexplained(report, reading.noticed(report))))


def _listed(report: Report, paint: Paint) -> Iterator[Row]:
    shared = reading.shared_advice(report.findings)
    for row in reading.rows(unexplained(report, report.findings)):
        finding, mark = row.finding, reading.mark_of(row.finding)
        more = f" (and {row.alike} more like it)" if row.alike else ""
        follow = f"  [{one_line(finding.follow_up)}]" if finding.follow_up else ""
        words = _short(finding, advised=finding.advice not in shared)
        yield Row(f"  {paint(mark, mark)} ", f"{words}{more}{follow}")
    yield from _labelled("do", shared)
    yield from _labelled("seen", [reading.seen(report)])


def _in_full(finding: Finding) -> Iterator[str]:
    place = f"[{reading.hop_name(finding.hop)}] " if finding.hop else ""
    yield f"{place}{one_line(finding.text)}"
    yield from dict.fromkeys(one_line(reading.citation(item)) for item in finding.evidence)
    if finding.advice:
        yield f"do: {one_line(finding.advice)}"


def _short(finding: Finding, *, advised: bool = True) -> str:
    place = f"[{reading.hop_name(finding.hop)}] " if finding.hop else ""
    advice = f" → {one_line(finding.advice)}" if finding.advice and advised else ""
    return f"{place}{one_line(finding.text)}{advice}"


def _patch(patch: Patch) -> Iterator[Row]:
    verb = "adds" if patch.is_new else "changes"
    yield from _labelled("patch", [f"{patch.title} — {verb} {reading.ref_in_words(patch.policy)}"])
    body = (patch.manifest if patch.is_new else patch.diff) or patch.manifest
    yield Row("", textwrap.indent(clean(body.rstrip("\n")), _lead("")), kept=True)
    phrase, flows = reading.also_opens(patch)
    yield from _labelled("opens", [phrase, *flows])
    yield from _labelled("proven", patch.checks)
    if patch.command:
        yield Row(_lead("apply"), one_line(patch.command), kept=True)


def _labelled(label: str, items: Iterable[str]) -> list[Row]:
    rows = [words for words in map(one_line, items) if words]
    return [Row(_lead(label if index == 0 else ""), words) for index, words in enumerate(rows)]


def _lead(label: str) -> str:
    return f"  {label:<{_LABEL}}{' ' if len(label) >= _LABEL else ''}"


def _md_finding(finding: Finding) -> Iterator[str]:
    place = f"**{reading.hop_name(finding.hop)}** " if finding.hop else ""
    yield f"- {reading.mark_of(finding)} {place}{in_markdown(finding.text)}"
    yield from (f"  - `{_ticked(reading.citation(item))}`" for item in finding.evidence if item.ref)
    if finding.advice:
        yield f"  - {in_markdown(finding.advice)}"


def _md_patch(patch: Patch) -> Iterator[str]:
    phrase, flows = reading.also_opens(patch)
    body = clean((patch.manifest if patch.is_new else patch.diff) or patch.manifest).rstrip("\n")
    # A fence ends at the first run of back-ticks as long as itself (CommonMark, 4.5).
    fence = "`" * (max(map(len, re.findall("`{3,}", body)), default=2) + 1)
    language = "yaml" if patch.is_new else "diff"
    yield from ("", f"### Patch: {in_markdown(patch.title)}", "", f"{fence}{language}", body, fence, "")
    yield f"{in_markdown(phrase)}{':' if flows else '.'}"
    yield from (f"- {in_markdown(flow)}" for flow in flows)


def _ticked(text: str) -> str:
    return one_line(text).replace("`", "'")


def _ansi(words: str, style: Tone | Mark) -> str:
    return f"\x1b[{_STYLE[style]}m{words}\x1b[0m"


def _as_is(words: str, _style: Tone | Mark) -> str:
    return str(words)
