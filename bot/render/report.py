"""A report as a Slack message: the verdict, why, what was seen, what to do; all else is behind a button."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from bot.render import brief, reading, text
from bot.render.blocks import (
    CHART,
    TABLE,
    Block,
    Message,
    actions,
    button,
    clip,
    code_block,
    context,
    escape,
    message,
    say,
    section,
)
from bot.render.candidates import candidate_buttons
from bot.render.gaps import not_read, unexplained
from bot.render.headline import sentence_of
from bot.render.reading import Mark, Tone
from bot.render.table import block_of, chart_of, first_rows, lines_of
from handlers.model.finding import Finding
from handlers.model.report import FirstAnswer, Report
from handlers.model.table import Table

EVIDENCE = "evidence"
PATCH = "patch"
ASK = "ask"
"""Action ids. Buttons that ask a question have this one with a number behind it: ids are unique in a message."""
AGAIN = f"{ASK}_again"

_SIGN = {Tone.GOOD: "✅", Tone.BAD: "⛔", Tone.DOUBT: "❓", Tone.CONTRADICTION: "⚠️"}
_MOST_NEXT = 5
"""Buttons for the next question."""
_ROWS = 8
"""Findings of a list that are shown: a screen of a phone; the rest is counted."""
_TABLE_ROWS = 20
_CHART_ROWS = 10
_FORMS = (frozenset({TABLE, CHART}), frozenset({TABLE}), frozenset[str]())
"""What an answer is made with: everything, and less and less where a workspace refuses it."""
_LONGEST_LINE = 420
"""Characters of one labelled line, markup included."""


def report_message(report: Report, *, report_id: str = "", age: timedelta | None = None, asked_by: str = "") -> Message:
    """Return the answer.

    ``report_id`` is what ``Reports.save`` gave: without it there are no buttons that need the report. ``age`` is how
    old an answer from the cache is, None for a new one. ``asked_by`` is a Slack user id.
    """
    body = list(_brief(report) if report.expected is not None else _list(report))
    below = [
        *candidate_buttons([report.asking(one) for one in report.candidates]),
        *_buttons(report, report_id),
        _provenance(report, age, asked_by),
    ]
    return _in_forms(report, body, below, text.brief(report, age=age))


def first_message(first: FirstAnswer, *, asked_by: str = "") -> Message:
    """Return what is certain already, and what is still read; the whole answer takes its place, with its buttons."""
    report = first.report
    below = [context(f"⏳ {escape(reading.still_reading(first))}"), _provenance(report, None, asked_by)]
    return _in_forms(report, list(_brief(report)), below, text.first(first))


def _in_forms(report: Report, body: list[Block], below: list[Block], words: str) -> Message:
    """Return the message with its tables between body and what stands below, also without native blocks."""
    richest, *plainer = [
        message([section(verdict(report)), *body, *_tables(report, natives), *below], words) for natives in _FORMS
    ]
    return replace(richest, plainer=tuple(one.blocks for one in plainer if one.blocks != richest.blocks))


def verdict(report: Report) -> str:
    """Return the line that an answer begins with: the verdict and the claim."""
    status, separator, headline = reading.opening(report)
    if report.headline.pair:
        pair = report.headline.pair
        return f"{_SIGN[status.tone]} *{escape(str(status))}:* {clip(say(brief.between(pair)), 600)}"
    word = f"*{escape(str(status))}*" if status.word else ""
    return f"{_SIGN[status.tone]} {word}{separator}{clip(say(headline), 900)}"


# -- a question of reachability --------------------------------------------------------------------------------------


def _brief(report: Report) -> Iterator[Block]:
    lines = [f"*{line.label}:* {clip(say(line.words), _LONGEST_LINE)}" for line in brief.lines(report)]
    if lines:
        yield section("\n".join(lines))


# -- any other question ----------------------------------------------------------------------------------------------


def _list(report: Report) -> Iterator[Block]:
    shown, left = _shown_rows(report)
    shared = reading.shared_advice(row.finding for row in shown)
    rows: list[str] = []
    opened = [index for index, row in enumerate(shown) if row.finding.follow_up][:_MOST_NEXT]
    for index, (finding, alike) in enumerate((row.finding, row.alike) for row in shown):
        row = f"{reading.mark_of(finding)} {_row(finding, alike, advised=finding.advice not in shared)}"
        opener = (
            button(_opener(finding.follow_up), f"{ASK}_{index}", report.asking(finding.follow_up))
            if index in opened
            else None
        )
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
    if left:
        yield context(f"… {left} more, see Evidence")
    # What the headline tells has no row, and its remedy is told here.
    untold = report.headline.remedy not in {row.finding.advice for row in shown}
    remedies = (*([report.headline.remedy] if report.headline.remedy and untold else ()), *shared)
    if remedies:
        yield section("\n".join(f"*Do:* {clip(escape(advice), 300)}" for advice in remedies[:2]))
    if seen := reading.seen(report):
        yield section(f"*Seen:* {clip(escape(seen), 700)}")


def _shown_rows(report: Report) -> tuple[tuple[reading.Row, ...], int]:
    """Return the rows of a list that are shown, and how many are not; what the headline says is in none."""
    said = sentence_of(report)
    why = str(report.headline.reason)
    ordered = tuple(
        row
        for row in reading.rows(unexplained(report, report.findings))
        if not said.says(row.finding.sentence) and str(row.finding.because) != why
    )
    return ordered[:_ROWS], len(ordered[_ROWS:])


def _tables(report: Report, natives: frozenset[str]) -> Iterator[Block]:
    """Yield every table, the first as Slack's own where it takes that: a message may have one such."""
    for index, table in enumerate(report.tables):
        shown = first_rows(table, _TABLE_ROWS)
        if TABLE in natives and index == 0:
            left = _left_of(table)
            yield section(f"*{escape(table.title)}*")
            yield block_of(shown)
            if left or table.left_out:
                yield context(escape(_left(left, table)))
        else:
            yield section(f"*{escape(table.title)}*\n{code_block(lines_of(shown))}")
        if CHART in natives and (chart := chart_of(first_rows(table, _CHART_ROWS))):
            yield chart


def _left(count: int, table: Table) -> str:
    more = f"… {count} more row{'s' if count > 1 else ''} in the file in the thread" if count else ""
    unseen = f"{table.left_out} more are in no file" if table.left_out else ""
    return ", ".join(filter(None, (more, unseen)))


def long_tables(report: Report) -> tuple[Table, ...]:
    """Return the tables of which a message shows a part."""
    return tuple(table for table in report.tables if _left_of(table))


def _left_of(table: Table) -> int:
    """Return how many rows have no room in a message."""
    return len(table.rows) - (len(block_of(first_rows(table, _TABLE_ROWS))["rows"]) - 1)


def _row(finding: Finding, alike: int, *, advised: bool) -> str:
    more = f" (and {alike} more like it)" if alike else ""
    advice = f" → {escape(finding.advice)}" if finding.advice and advised else ""
    return f"{clip(say(finding.because), 300)}{more}{clip(advice, 160)}"


def _opener(question: str) -> str:
    word = question.partition(" ")[0]
    return "Why?" if word == "why" else word.capitalize()


# -- what both have --------------------------------------------------------------------------------------------------


def _provenance(report: Report, age: timedelta | None, asked_by: str) -> Block:
    asker = f"<@{asked_by}> · " if asked_by.isalnum() else ""
    facts = [*filter(None, [reading.read_as(report)]), *reading.provenance(report, age), *reading.coverage(report)]
    facts += reading.withheld(report)
    if report.headline.assumed:
        facts.append(f"assuming: {report.headline.assumed}")
    if report.expected is None:
        facts += [f"not read: {gap.names}" for gap in not_read(report)[:2]]
    elif noted := len(unexplained(report, reading.noticed(report))):
        facts.append(f"{noted} more note{'s' if noted > 1 else ''} in Evidence")
    return context(_path(report), f"{asker}{escape(' · '.join(facts))}")


def _path(report: Report) -> str:
    strip = reading.hop_strip(report) if report.expected is not None else ()
    return " ".join(f"*{hop} {mark}*" if mark is Mark.FAIL else f"{hop} {mark}" for hop, mark in strip)


def _buttons(report: Report, report_id: str) -> list[Block]:
    asked = _next_questions(report)
    return actions(
        [
            button("Show patch", PATCH, report_id, primary=True) if report.patches else None,
            button("Evidence", EVIDENCE, report_id),
            button("Ask again", AGAIN, report.asking(f"{report.question} fresh")) if report.question else None,
            *(
                button(
                    _opener(question) if len(asked) == 1 else question,
                    f"{ASK}_{_ROWS + index}",
                    report.asking(question),
                )
                for index, question in enumerate(asked)
            ),
        ]
    )


def _next_questions(report: Report) -> tuple[str, ...]:
    """Return the questions that look closer and have no button beside their row yet."""
    rows = _shown_rows(report)[0] if report.expected is None else ()
    beside = {row.finding.follow_up for row in rows}
    left = _MOST_NEXT - len(beside - {""})
    return tuple(question for question in reading.follow_ups(report) if question not in beside)[: max(0, left)]
