"""``alert``: read an alert from a file as Slack or Alertmanager send it, and ask what it asks.

The JSON form, each field always there:

| field of a card | meaning |
|---|---|
| ``fingerprint`` | the cause: the same while it fires and when it is resolved, for every alert that tells of it |
| ``state`` | ``firing`` or ``resolved`` |
| ``decision`` | ``triage`` (asked at once), ``ask`` (offered, in doubt) or ``ignore`` (not about the network) |
| ``reason`` | why that is the decision, and how many alerts the sender cut off |
| ``title`` | the cause in a line |
| ``alerts`` | each with ``name``, ``state``, ``startsAt``, ``fingerprint``, ``cluster`` and ``labels`` |
| ``questions`` | the questions, best first, as every command writes them |
| ``answer`` | without ``--dry-run``, the report on the first question of a firing card of ``triage`` |
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.render.clean import clean, one_line
from bot.render.text import plain
from handlers.alerts.alert import Alert, State
from handlers.alerts.cards import Card, cards_of, most_urgent
from handlers.alerts.received import MOST_BYTES, received
from handlers.alerts.signal import Decision
from handlers.catalogue import CATALOGUE
from workers.cli.json_text import json_text
from workers.cli.output import screen_of
from workers.cli.progress import progress_line
from workers.documents import UnreadableError
from workers.origin import Origin, opened
from workers.report_json import report_json
from workers.runner import Ran, run
from workers.status import Status, status_of

_MOST_ANSWERS = 12
"""Questions that one payload has answered; the cards beyond tell theirs."""


def read_cards(path: Path) -> tuple[Card, ...]:
    """Return the cards of a file, or of standard input for ``-``.

    Raises:
        NotAnAlertError: if the file holds no alert.
        UnreadableError: if it cannot be read.
    """
    return cards_of(received(_content(path)))


def _content(path: Path) -> bytes:
    try:
        if path == Path("-"):
            return sys.stdin.buffer.read(MOST_BYTES + 1)
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror or 'it cannot be read'}") from error


def print_cards(cards: tuple[Card, ...], *, as_json: bool) -> None:
    """Print what alerts are read as; nothing is asked."""
    if as_json:
        _write_json([_card_json(card) for card in cards])
        return
    sys.stdout.write("\n".join(_in_words(card) for card in cards) or "No alerts.\n")


def answer_cards(cards: tuple[Card, ...], origin: Origin, budget: float, *, as_json: bool) -> Status:
    """Ask the first question of each firing card that is for triage, and print the answers below the cards.

    Raises:
        NotOpenedError: if the source cannot be opened.
    """
    asked = [card for card in most_urgent(cards) if _is_asked(card)][:_MOST_ANSWERS]
    if not asked:
        print_cards(cards, as_json=as_json)
        return Status.FINE
    answers: dict[str, Ran] = {}
    with opened(origin) as source, progress_line(sys.stderr) as progress:
        for card in asked:
            question = card.questions[0]
            if question not in answers:
                understood = CATALOGUE.understand(question)
                answers[question] = run(understood, source, budget=budget, progress=progress, catalogue=CATALOGUE)
    if as_json:
        _write_json([_card_json(card) | _answer_json(card, answers) for card in cards])
    else:
        screen = screen_of(sys.stdout)
        for card in cards:
            sys.stdout.write(_in_words(card))
            if _is_asked(card) and card.questions[0] in answers:
                report = answers[card.questions[0]].report
                sys.stdout.write(f"\n{plain(report, colour=screen.colours, width=screen.width)}\n")
            sys.stdout.write("\n")
    return _worst(status_of(ran.report) for ran in answers.values())


def _is_asked(card: Card) -> bool:
    return card.decision is Decision.TRIAGE and card.state is State.FIRING and bool(card.questions)


def _worst(statuses: Iterable[Status]) -> Status:
    found = set(statuses)
    return next((status for status in (Status.PROBLEM, Status.UNKNOWN) if status in found), Status.FINE)


def _answer_json(card: Card, answers: dict[str, Ran]) -> dict[str, Any]:
    if not _is_asked(card) or card.questions[0] not in answers:
        return {}
    ran = answers[card.questions[0]]
    return {"answer": report_json(ran.report, ran.cached_at)}


def _write_json(cards: list[dict[str, Any]]) -> None:
    sys.stdout.write(json_text({"cards": cards}))


def _card_json(card: Card) -> dict[str, Any]:
    return {
        "fingerprint": card.fingerprint,
        "state": str(card.state),
        "decision": str(card.decision),
        "reason": clean(card.reason),
        "title": clean(card.title),
        "alerts": [_alert_json(alert) for alert in card.alerts],
        "questions": list(card.questions),
    }


def _alert_json(alert: Alert) -> dict[str, Any]:
    return {
        "name": clean(alert.name),
        "state": str(alert.state),
        "startsAt": clean(alert.starts_at),
        "fingerprint": clean(alert.fingerprint),
        "cluster": clean(alert.cluster),
        "labels": {clean(name): clean(value) for name, value in alert.labels.items() if name != "question"},
    }


def _in_words(card: Card) -> str:
    names: dict[str, int] = {}
    for alert in card.alerts:
        name = one_line(alert.name)[:80] or "a message"
        names[name] = names.get(name, 0) + 1
    told = ", ".join(f"{name} ×{count}" if count > 1 else name for name, count in names.items())
    lines = [f"{card.decision.upper()} ({card.state}): {one_line(card.title)}"]
    lines += [f"  why     {one_line(card.reason)}", f"  alerts  {told}"]
    heads = ["ask", *[""] * len(card.questions)]
    lines += [f"  {head:<7} {question}" for head, question in zip(heads, card.questions, strict=False)]
    return "\n".join(lines) + "\n"
