"""A card as a Slack message, for a phone: what is so, why, what to do, and one grey line of when and how often.

Every word of it comes from somebody else: titles and names from labels of alerts, the rest from the cluster.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from bot.render import brief, reading
from bot.render.blocks import (
    Block,
    Message,
    actions,
    button,
    clip,
    code,
    context,
    escape,
    message,
    say,
    section,
    unmarked,
)
from bot.render.headline import sentence_of
from bot.render.reading import Tone
from bot.render.report import ASK, EVIDENCE, PATCH
from handlers.alerts.known.entry import plain_name
from handlers.alerts.life import Diagnosis, KeptCard, Line, Stage
from handlers.alerts.severity import Severity
from handlers.alerts.signal import Decision
from handlers.alerts.storm import Storm
from handlers.model.finding import Sentence
from handlers.model.report import Report

CHECK = "card_check"
"""Action id of the button that has the card's question asked again; its value names the card."""

_SIGN = {
    Tone.GOOD: "🟢",
    Tone.BAD: "⛔",
    Tone.DOUBT: "❓",
    Tone.CONTRADICTION: "⚠️",
}
_ALARM, _RESOLVED, _LAPSED, _FIXED = "🔔", "✅", "💤", "🛠️"
_STAGE = {
    Stage.FIRING: "Firing",
    Stage.DIAGNOSED: "Firing",
    Stage.STILL_FAILING: "Still failing",
    Stage.FIXED: "Fixed",
    Stage.RESOLVED: "Resolved",
}
_ROWS = 3
"""Findings of a list that a card shows; the thread has all."""
_LONGEST_LINE = 420
_MOST_CAUSES = 8
_MOST_BUTTONS = 4


def diagnosis_of(report: Report, report_id: str, at: datetime, cluster: str = "") -> Diagnosis:
    """Return what a card keeps of an answer about a cluster, empty where the question named none."""
    status = reading.status_of(report)
    claim = brief.between(report.headline.pair) if report.headline.pair else sentence_of(report, status=status.word)
    lines = tuple(Line(line.label, line.words) for line in brief.lines(report))
    if report.expected is None:
        lines = (*(Line("", row.finding.because) for row in reading.rows(report.findings)[:_ROWS]), *lines)
    return Diagnosis(
        report.question,
        str(status),
        str(status.tone),
        claim,
        lines,
        at,
        report.expected,
        report.observed,
        report_id,
        bool(report.patches),
        cluster,
    )


def card_message(card: KeptCard, ref: str = "", *, buttons: Iterable[Block | None] = ()) -> Message:
    """Return the card. ``ref`` names it for its buttons; ``buttons`` stand behind those that every card has."""
    if card.decision is Decision.ASK:
        return _offer(card)
    blocks = [section(_opening(card)), *_body(card), *_buttons(card, ref, buttons), _grey_line(card)]
    return message(blocks, card_text(card))


def card_text(card: KeptCard) -> str:
    """Return the card in one line, for a notification."""
    if card.fix and card.stage is Stage.FIXED:
        return f"{_state(card)}: {card.title} – {card.fix.words}"
    verdict = f" – {card.diagnosis.status}" if card.diagnosis and card.diagnosis.status and card.is_open else ""
    return f"{_state(card)}: {card.title}{verdict}"


def storm_message(storm: Storm, *, is_full: bool = False) -> Message:
    """Return the summary of many cards: how few causes explain how much, and the leading ones in a line each.

    ``is_full`` says that there were causes for which the channel had no room.
    """
    causes, alerts = len(storm.cards), f"{storm.alerts:,}"
    few = f"{storm.leading} cause{'s' if storm.leading > 1 else ''}"
    share = (
        f"{few} explain{'' if storm.leading > 1 else 's'} {storm.share} % of {alerts} alerts"
        if storm.leading * 2 <= causes
        else f"{causes} causes explain {alerts} alerts"
    )
    rows = [_cause(card) for card in storm.cards[: min(storm.leading, _MOST_CAUSES)]]
    left = storm.cards[len(rows) :]
    states = [
        f"{causes} causes since {_hour(storm.span.since)} UTC",
        "further causes had no room" if is_full else "",
        f"{storm.resolved} resolved" if storm.resolved else "",
        f"{storm.waiting} being looked into" if storm.waiting else "",
        f"{max(card.cut_off for card in storm.cards)} more alerts cut off by their sender"
        if any(card.cut_off for card in storm.cards)
        else "",
    ]
    is_over = storm.resolved == causes
    opening = f"{_RESOLVED if is_over else '🌩️'} *{escape(share)}*"
    more = [f"… and {len(left)} more, {sum(card.count for card in left):,} alerts together"] if left else []
    return message(
        [section(opening), section("\n".join(clip(row, 180) for row in (*rows, *more))), context(_joined(states))],
        share,
    )


def _cause(card: KeptCard) -> str:
    verdict = f"*{unmarked(card.diagnosis.status)}:* " if card.diagnosis and card.diagnosis.status else ""
    return f"{_sign(card)} {verdict}{unmarked(card.title)} · {_counted(card)}"


def _offer(card: KeptCard) -> Message:
    """Return one line, and a button for each question that may be meant."""
    line = "❔" if card.is_open else f"{_sign(card)} *{escape(_state(card))}:*"
    offered = card.questions[:_MOST_BUTTONS] if card.is_open else ()
    # A title may be the name in words.
    is_named = bool(card.names) and plain_name(card.names[0]) in plain_name(card.title)
    name = f"{card.names[0]} – " if card.names and not is_named else ""
    words = f"{line} {unmarked(name + card.title)}"
    if len(offered) == 1:
        return message([section(words, button("Look into it", f"{ASK}_0", offered[0]))], card_text(card))
    row = actions(button(question, f"{ASK}_{index}", question) for index, question in enumerate(offered))
    return message([section(words), *row], card_text(card))


def _opening(card: KeptCard) -> str:
    found = card.diagnosis
    told = f"{_sign(card)} *{escape(_state(card))}:* {unmarked(card.title)}"
    if found is None or (card.waits and card.stage is Stage.FIRING):
        return told
    was = "Was " if card.stage is Stage.FIXED or (card.fix and not card.is_open) else ""
    status = unmarked(found.status) or "Found"
    return f"{told}\n*{was}{status[0].lower() + status[1:] if was else status}:* {clip(say(found.claim), 600)}"


def _body(card: KeptCard) -> Iterator[Block]:
    found = card.diagnosis
    if card.fix and card.stage in (Stage.FIXED, Stage.RESOLVED):
        yield section(f"{_FIXED} {clip(unmarked(card.fix.words), 600)}")
    elif found is not None and not (card.waits and card.stage is Stage.FIRING):
        lines = [
            f"*{line.label}:* {_words(line.words)}" if line.label else f"• {_words(line.words)}"
            for line in (found.lines if card.is_open else found.lines[:1])
        ]
        if card.cluster and card.cluster != found.cluster:
            lines.append(f"*Note:* {_elsewhere(card.cluster, found.cluster)}")
        if lines:
            yield section("\n".join(lines))
    if card.watched and card.is_open and not card.fix:
        yield section(f"*Since:* {clip(unmarked(card.watched), 600)}")
    if card.failure:
        yield section(f"⚠️ *Not diagnosed:* {clip(unmarked(card.failure), 500)}")
    if not card.questions and card.is_open:
        yield section("⚠️ *Not diagnosed:* it does not name what could be asked about.")
    if card.waits and card.is_open:
        again = " again" if found is not None else ""
        yield context(f"🔎 Looking into {code(card.questions[0])}{again} …")


def _elsewhere(told: str, looked_at: str) -> str:
    named = f"looked at is {code(looked_at)}" if looked_at else "CILIUM_TRIAGE_CLUSTER does not name what was looked at"
    return f"the alert is of the cluster {code(told)}; {named}."


def _words(sentence: Sentence) -> str:
    return clip(say(sentence), _LONGEST_LINE)


def _buttons(card: KeptCard, ref: str, more: Iterable[Block | None]) -> list[Block]:
    found = card.diagnosis
    report_id = found.report_id if found else ""
    return actions(
        [
            button("Show patch", PATCH, report_id, primary=True)
            if found and found.has_patch and card.is_open and card.stage is not Stage.FIXED
            else None,
            button("Evidence", EVIDENCE, report_id),
            button("Check again", CHECK, ref) if card.questions and card.is_open and not card.waits else None,
            *more,
        ]
    )


def _sign(card: KeptCard) -> str:
    if not card.is_open:
        return _LAPSED if card.has_lapsed else _RESOLVED
    if card.stage is Stage.FIXED:
        return _FIXED
    return _SIGN[Tone(card.diagnosis.tone)] if card.diagnosis else _ALARM


def _state(card: KeptCard) -> str:
    if card.resolved_at is not None and card.has_lapsed:
        return f"Nothing more heard since {_hour(card.last_at)} UTC"
    if card.resolved_at is not None:
        return f"Resolved after {_lasted(card.lasted(card.resolved_at))}"
    return _STAGE[card.stage]


def _grey_line(card: KeptCard) -> Block:
    seen = " ".join(f"<@{user}>" for user in card.acknowledged_by if user.isalnum())
    doubts = len(card.doubted_by)
    said = f"{doubts} {'says' if doubts == 1 else 'say'} that this was not it" if doubts else ""
    return context(*filter(None, (unmarked(_grey(card)), f"👀 {seen}" if seen else "", said)))


def _grey(card: KeptCard) -> str:
    heard = ", ".join(card.names) or "a message"
    times = f"first {_hour(card.first_at)}"
    if card.last_at - card.first_at >= timedelta(minutes=1):
        times += f", last {_hour(card.last_at)}"
    return _joined(
        [
            str(card.severity) if card.severity is not Severity.UNSAID else "",
            f"{_counted(card)}: {heard}",
            f"{times} UTC",
            f"fired {card.fired} times" if card.fired > 1 else "",
            f"checked {card.asks} times" if card.asks > 1 else "",
            f"{card.cut_off} more cut off by their sender" if card.cut_off else "",
        ]
    )


def _counted(card: KeptCard) -> str:
    more = "" if card.is_counted_whole else "+"
    return f"{card.count:,}{more} alert{'' if card.count == 1 else 's'}"


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(part for part in parts if part)


def _lasted(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 60:
        return f"{minutes} min" if minutes else f"{max(1, round(span.total_seconds()))} s"
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left} min" if left else f"{hours} h"


def _hour(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%H:%M")
