"""A report as plain text and as Markdown: for the terminal, for notifications, for a ticket, for tests."""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta

from bot.render import reading
from bot.render.clean import clean, one_line
from bot.render.reading import Mark, Tone
from handlers.model.finding import Finding
from handlers.model.report import Patch, Report

_LABEL = 10
_STYLE = {
    Tone.GOOD: "32;1",
    Tone.BAD: "31;1",
    Tone.DOUBT: "33;1",
    Tone.CONTRADICTION: "35;1",
    Mark.PASS: "32",
    Mark.FAIL: "31;1",
    Mark.WARN: "33",
    Mark.UNKNOWN: "33;1",
}
"""SGR parameters (ECMA-48, 8.3.117)."""

Paint = Callable[[str, Tone | Mark], str]


def plain(report: Report, *, age: timedelta | None = None, colour: bool = False) -> str:
    """Return the report as text, a labelled line for each thing that matters, the status first."""
    paint = _ansi if colour else _as_is
    status, separator, headline = reading.opening(report)
    word = paint(status.word.upper(), status.tone) if status.word else ""
    lines = [f"{word}{separator}{one_line(str(headline))}"]
    lines += _path(report, paint) if report.expected is not None else _rows(report, paint)
    lines += _labelled("names", map(one_line, report.notes))
    lines += _labelled("did you mean", map(one_line, report.candidates))
    lines += _labelled("not read", (one_line(reading.gap_in_words(gap)) for gap in report.gaps))
    for patch in report.patches:
        lines += _patch(patch)
    lines += _labelled(
        "together", ["The patches belong together: the flow opens when all are applied."] * bool(report.patches[1:])
    )
    lines += _labelled("no patch", map(one_line, report.patch_notes))
    lines += _labelled(
        "looked at", [one_line(" · ".join(reading.coverage(report)))] if reading.coverage(report) else []
    )
    lines += _labelled("source", [one_line(" · ".join(reading.provenance(report, age)))])
    return "\n".join(lines)


def markdown(report: Report, *, age: timedelta | None = None) -> str:
    """Return the report as Markdown, for a pull request or an incident document."""
    status, separator, headline = reading.opening(report)
    lines = [
        f"## {status.word}{':' * (separator == ' — ')}{' ' * bool(separator)}{_md(str(headline))}",
        "",
        f"`{_ticked(report.question)}`",
        "",
    ]
    if report.expected is not None:
        lines += [" · ".join(f"{hop} {mark}" for hop, mark in reading.hop_strip(report)), ""]
    for finding in reading.worst_first(report.findings):
        lines += _md_finding(finding)
    if seen := reading.seen(report):
        lines += ["", f"**Seen:** {_md(seen)}"]
    for patch in report.patches:
        lines += _md_patch(patch)
    lines += [f"- {_md(note)}" for note in report.patch_notes]
    facts = (*reading.coverage(report), *reading.provenance(report, age), *map(reading.gap_in_words, report.gaps))
    lines += ["", *(f"- {_md(fact)}" for fact in (*report.notes, *facts))]
    return "\n".join(lines) + "\n"


def _path(report: Report, paint: Paint) -> Iterator[str]:
    blockers = report.blockers()
    strip = (f"{hop} {paint(mark, mark)}" for hop, mark in reading.hop_strip(report))
    yield from _labelled("path", [" · ".join(strip)])
    for finding in blockers[:1]:
        yield from _labelled("cause", _in_full(finding))
    yield from _labelled("also", map(_short, blockers[1:]))
    yield from _labelled("unknown", map(_short, reading.doubts(report)))
    yield from _labelled("seen", [one_line(reading.seen(report))] if reading.seen(report) else [])
    yield from _labelled("noticed", map(_short, reading.noticed(report)))


def _rows(report: Report, paint: Paint) -> Iterator[str]:
    shared = reading.shared_advice(report.findings)
    for finding in reading.worst_first(report.findings):
        mark = reading.mark_of(finding)
        follow = f"  [{one_line(finding.follow_up)}]" if finding.follow_up else ""
        yield f"  {paint(mark, mark)} {_short(finding, advised=finding.advice not in shared)}{follow}"
    yield from _labelled("do", map(one_line, shared))
    yield from _labelled("seen", [one_line(reading.seen(report))] if reading.seen(report) else [])


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


def _patch(patch: Patch) -> Iterator[str]:
    verb = "adds" if patch.is_new else "changes"
    yield from _labelled("patch", [f"{one_line(patch.title)} — {verb} {one_line(reading.ref_in_words(patch.policy))}"])
    body = (patch.manifest if patch.is_new else patch.diff) or patch.manifest
    yield textwrap.indent(clean(body.rstrip("\n")), " " * (_LABEL + 2))
    phrase, flows = reading.also_opens(patch)
    yield from _labelled("opens", [one_line(phrase), *map(one_line, flows)])
    yield from _labelled("proven", map(one_line, patch.checks))
    yield from _labelled("apply", [one_line(patch.command)] if patch.command else [])


def _labelled(label: str, items: Iterable[str]) -> list[str]:
    rows: Sequence[str] = [item for item in items if item]
    return [
        f"  {label if index == 0 else '':<{_LABEL}}{' ' if len(label) >= _LABEL else ''}{row}"
        for index, row in enumerate(rows)
    ]


def _md_finding(finding: Finding) -> Iterator[str]:
    place = f"**{reading.hop_name(finding.hop)}** " if finding.hop else ""
    yield f"- {reading.mark_of(finding)} {place}{_md(finding.text)}"
    yield from (f"  - `{_ticked(reading.citation(item))}`" for item in finding.evidence if item.ref)
    if finding.advice:
        yield f"  - {_md(finding.advice)}"


def _md_patch(patch: Patch) -> Iterator[str]:
    phrase, flows = reading.also_opens(patch)
    body = clean((patch.manifest if patch.is_new else patch.diff) or patch.manifest).rstrip("\n")
    # A fence ends at the first run of back-ticks as long as itself (CommonMark, 4.5).
    fence = "`" * (max(map(len, re.findall("`{3,}", body)), default=2) + 1)
    language = "yaml" if patch.is_new else "diff"
    yield from ("", f"### Patch: {_md(patch.title)}", "", f"{fence}{language}", body, fence, "")
    yield f"{_md(phrase)}{':' if flows else '.'}"
    yield from (f"- {_md(flow)}" for flow in flows)


def _md(text: str) -> str:
    return "".join(f"\\{character}" if character in "\\`*_[]<>#|~!" else character for character in one_line(text))


def _ticked(text: str) -> str:
    return one_line(text).replace("`", "'")


def _ansi(words: str, style: Tone | Mark) -> str:
    return f"\x1b[{_STYLE[style]}m{words}\x1b[0m"


def _as_is(words: str, _style: Tone | Mark) -> str:
    return str(words)
