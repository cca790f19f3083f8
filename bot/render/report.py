"""A report as a Slack message: what is the matter, where, what to do; then how much of it is certain."""

from collections.abc import Iterator
from datetime import timedelta

from bot.render import reading, text
from bot.render.blocks import (
    Block,
    Message,
    actions,
    bullets,
    button,
    clip,
    code,
    code_block,
    context,
    escape,
    message,
    say,
    section,
)
from bot.render.candidates import candidate_buttons
from bot.render.reading import Mark, Tone
from handlers.model.finding import Evidence, Finding, Sentence
from handlers.model.report import Patch, Report

EVIDENCE = "evidence"
PATCH = "patch"
NAMES = "names"
ASK = "ask"
"""Action ids. Buttons that ask a question have this one with a number behind it: ids are unique in a message."""
AGAIN = f"{ASK}_again"

_SIGN = {Tone.GOOD: "✅", Tone.BAD: "⛔", Tone.DOUBT: "❓", Tone.CONTRADICTION: "⚠️"}
_ROWS = 12
_LISTED = 30
MOST_PATCHES = 2
"""Patches shown in a message; a flow has two sides."""


def report_message(report: Report, *, report_id: str = "", age: timedelta | None = None, asked_by: str = "") -> Message:
    """Return the answer.

    ``report_id`` is what ``Reports.save`` gave: without it there are no buttons that need the report. ``age`` is how
    old an answer from the cache is, None for a new one. ``asked_by`` is a Slack user id.
    """
    body = _path(report) if report.expected is not None else _list(report)
    blocks = [
        section(_headline(report)),
        *body,
        *candidate_buttons(report.candidates),
        *_names(report),
        *_patches(report),
        _provenance(report, age, asked_by),
        *_buttons(report, report_id),
    ]
    return message(blocks, text.plain(report, age=age))


def _headline(report: Report) -> str:
    status, separator, headline = reading.opening(report)
    word = f"*{status.word}*" if status.word else ""
    line = f"{_SIGN[status.tone]} {word}{separator}{clip(say(headline), 900)}"
    strip = " · ".join(f"*{hop} {mark}*" if mark is Mark.FAIL else f"{hop} {mark}" for hop, mark in _strip(report))
    return f"{line}\n{strip}" if strip else line


def _strip(report: Report) -> tuple[tuple[str, Mark], ...]:
    return reading.hop_strip(report) if report.expected is not None else ()


# -- a question of reachability --------------------------------------------------------------------------------------


def _path(report: Report) -> Iterator[Block]:
    blockers = report.blockers()
    if blockers:
        yield section(_blame(blockers[0], reading.unsaid(report, blockers[0])))
    if blockers[1:]:
        yield _listing("Also in the way", blockers[1:], most=5)
    if doubts := reading.doubts(report):
        yield from _missing(report, doubts)
    if seen := reading.seen(report):
        yield section(f"*Seen:* {clip(escape(seen), 700)}")
    if others := reading.noticed(report):
        yield _listing("Also noticed", others, most=4, limit=1_200)


def _blame(finding: Finding, unsaid: Sentence | None) -> str:
    place = f"*Stops at {reading.hop_name(finding.hop)}:* " if finding.hop else ""
    cited = [_citation(item) for item in _cited(finding)[:3]]
    if unsaid is None and len(cited) == 1:
        lines = [f"{place}{cited[0]}"]
    else:
        lines = [f"{place}{clip(say(unsaid), 700) if unsaid else ''}".rstrip(), *(f"• {item}" for item in cited)]
    if len(_cited(finding)) > 3:
        lines.append(f"… {len(_cited(finding)) - 3} more, see Evidence")
    excerpt = next((item.excerpt for item in finding.evidence if item.excerpt.strip()), "")
    if excerpt:
        lines.append(code_block(excerpt, 700))
    if finding.advice:
        lines.append(f"*Do:* {clip(escape(finding.advice), 400)}")
    return "\n".join(lines)


def _cited(finding: Finding) -> list[Evidence]:
    return list({reading.citation(item): item for item in finding.evidence}.values())


def _citation(evidence: Evidence) -> str:
    return " ".join(code(part) for part in (reading.ref_in_words(evidence.ref), evidence.pointer) if part)


def _listing(title: str, findings: tuple[Finding, ...], *, most: int, limit: int = 1_800) -> Block:
    items = [_line(finding) for finding in findings]
    return section(f"*{title}:*\n{bullets(items, most=most, limit=limit)}")


def _missing(report: Report, doubts: tuple[Finding, ...]) -> Iterator[Block]:
    if len(doubts) == 1 and reading.unsaid(report, doubts[0]) is None:
        if doubts[0].advice:
            yield section(f"*Do:* {clip(escape(doubts[0].advice), 400)}")
        return
    yield _listing("Not known" if report.blockers() else "What is missing", doubts, most=5)


def _line(finding: Finding, *, advised: bool = True) -> str:
    place = f"*{reading.hop_name(finding.hop)}* " if finding.hop else ""
    advice = f" → {escape(finding.advice)}" if finding.advice and advised else ""
    return f"{place}{clip(say(finding.whole), 420)}{clip(advice, 160)}"


# -- any other question ----------------------------------------------------------------------------------------------


def _list(report: Report) -> Iterator[Block]:
    ordered = reading.worst_first(report.findings)
    shown, rest = ordered[:_ROWS], ordered[_ROWS:]
    shared = reading.shared_advice(shown)
    rows: list[str] = []
    for index, finding in enumerate(shown):
        row = f"{reading.mark_of(finding)} {_line(finding, advised=finding.advice not in shared)}"
        opener = button(_opener(finding.follow_up), f"{ASK}_{index}", finding.follow_up)
        if opener:
            if rows:
                yield section("\n".join(rows))
                rows = []
            yield section(row, opener)
        else:
            rows.append(row)
        if sum(map(len, rows)) > 1_500:
            yield section("\n".join(rows))
            rows = []
    if rows:
        yield section("\n".join(rows))
    if rest:
        items = [f"{reading.mark_of(finding)} {clip(say(finding.sentence), 160)}" for finding in rest]
        yield section(bullets(items, most=_LISTED, limit=1_800, each=200))
    if shared:
        yield section("\n".join(f"*Do:* {clip(escape(advice), 300)}" for advice in shared[:4]))
    if seen := reading.seen(report):
        yield section(f"*Seen:* {clip(escape(seen), 700)}")


def _opener(question: str) -> str:
    word = question.partition(" ")[0]
    return "Why?" if word == "why" else word.capitalize()


# -- what both have --------------------------------------------------------------------------------------------------


def _names(report: Report) -> Iterator[Block]:
    if report.notes:
        yield context(*(escape(note) for note in report.notes[:5]), limit=900)


def _patches(report: Report) -> Iterator[Block]:
    shown = report.patches[:MOST_PATCHES]
    for number, patch in enumerate(shown, start=1):
        target = code(reading.ref_in_words(patch.policy))
        total = len(report.patches)
        # They belong together: the flow opens when all are applied.
        more = f" _({number} of {total}, apply all; see Patch as file)_" if total > 1 else ""
        verb = "adds" if patch.is_new else "changes"
        body = (patch.manifest if patch.is_new else patch.diff) or patch.manifest
        title = f"*Patch:* {clip(escape(patch.title), 300)} — {verb} {target}{more}"
        yield section(f"{title}\n{code_block(body, 2_200 // len(shown))}\n{_consequences(patch)}")
    if report.patch_notes:
        yield section(bullets([escape(note) for note in report.patch_notes], most=3, limit=1_500, each=700))


def _consequences(patch: Patch) -> str:
    phrase, flows = reading.also_opens(patch)
    sign = "" if patch.blast_radius_known and not flows else "⚠️ "
    lines = [f"{sign}*{clip(escape(phrase), 200)}{':' if flows else '.'}*"]
    if flows:
        lines.append(bullets([escape(flow) for flow in flows], most=6, limit=500, each=160, rest="see Patch as file"))
    if patch.checks:
        lines.append(f"Proven: {clip(escape('; '.join(patch.checks)), 250)}")
    return "\n".join(lines)


def _provenance(report: Report, age: timedelta | None, asked_by: str) -> Block:
    gaps = [f"not read: {reading.gap_in_words(gap)}" for gap in report.gaps]
    if len(gaps) > 4:
        gaps = [*gaps[:4], f"… {len(gaps) - 4} more gaps, see Evidence"]
    asker = f"<@{asked_by}> asked " if asked_by.isalnum() else ""
    return context(
        f"{asker}{code(report.question)}",
        escape(" · ".join(reading.provenance(report, age))),
        escape(" · ".join(reading.coverage(report))),
        *(f"⚠️ {escape(gap)}" for gap in gaps),
        limit=2_000,
    )


def _buttons(report: Report, report_id: str) -> list[Block]:
    follow_ups = reading.follow_ups(report) if report.expected is not None else ()
    return actions(
        [
            button("Evidence", EVIDENCE, report_id),
            button("Patch as file", PATCH, report_id, primary=True) if report.patches else None,
            button("Ask again without cache", AGAIN, f"{report.question} fresh"),
            button("Resolve names", NAMES, report_id) if report.identities else None,
            *(button(question, f"{ASK}_{_ROWS + index}", question) for index, question in enumerate(follow_ups[:2])),
        ]
    )
