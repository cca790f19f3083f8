"""What the bot says by itself, from recordings: the life of a card, a storm, digests; and App Home and the form."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.digests.due import next_due
from bot.digests.subscription import Subscription
from bot.listeners.form import SHORTCUT
from bot.orders import ORDERS
from bot.render.blocks import Message
from bot.render.card import card_message, diagnosis_of, storm_message
from bot.render.digest import digest_message
from bot.render.home import Home, Part, Recent, home_view
from bot.render.question_form import question_form
from bot.render.subscriptions import line
from handlers.alerts import life
from handlers.alerts.cards import Card, cards_of
from handlers.alerts.life import KeptCard
from handlers.alerts.received import received
from handlers.alerts.storm import storm_of
from handlers.catalogue import CATALOGUE
from handlers.digests.compare import compare
from handlers.digests.timetable import timetable_of
from handlers.fixes.judge import judge
from tools.pictures.faults import Faults
from tools.playground import alerts
from tools.playground.alerts import Fired
from tools.playground.panel import of_a_storm

_BEFORE, _AFTER = "37-label-change-identity", "36f-headless-healthy"
_RUNS = ("37-label-change-identity", "34-healthy-busy", "44-one-of-two-backends-denied", "39-audit-mode-endpoint")
_NOW = "51-ipblock-only-ingress"
_QUESTION = "why shop/frontend shop/cart 8080"
_SCOPE = "health, drops, lint"
_STORM = 1_000
_REPORT_ID = "0123456789abcdef"
_SUBSCRIBED = f"every weekday 08:00 Europe/Berlin {_SCOPE}"
_ID = "d1"


@dataclass(frozen=True, slots=True)
class Shown:
    """A message, or a view where ``view`` is one: its picture's name, its title, and a line about it."""

    name: str
    title: str
    about: str
    message: Message | None = None
    view: dict[str, Any] | None = None


def shown(faults: Faults) -> Iterator[Shown]:
    """Yield everything that is pictured."""
    yield from _card(faults)
    yield _storm(faults)
    yield from _digests(faults)
    yield _home(faults)
    form = question_form(CATALOGUE.commands, metadata="{}")
    yield Shown("form", "The form of a question", "`/cilium` alone opens it.", view=form)


def _card(faults: Faults) -> Iterator[Shown]:
    """One card from its first alert to its end; the answers are those of two recordings of one cluster."""
    before, after = faults.report(_BEFORE, _QUESTION), faults.report(_AFTER, _QUESTION)
    began = before.taken_at - timedelta(minutes=2)
    fired = Fired("shop/frontend", "shop/cart", 8080, began.timestamp())
    kept = _told(None, _news(fired), began)
    yield _pictured("card-firing", "A card: firing", "Its question is being asked.", life.asked(kept, began))
    kept = life.diagnosed(life.asked(kept, began), diagnosis_of(before, _REPORT_ID, before.taken_at))
    yield _pictured("card-diagnosed", "A card: diagnosed", "The same message, seconds later.", kept)
    later = before.taken_at + timedelta(minutes=15)
    again = replace(fired, pod="frontend-65774999ff-v56k7")
    kept = life.watched(_told(kept, _news(fired, again), later), "applied: nothing yet")
    kept = life.acknowledged(replace(kept, watched=""), "U0GRACE001")
    yield _pictured("card-still-failing", "A card: still failing", "Told again a quarter of an hour later.", kept)
    fix = judge(before, after)
    kept = life.fixed(kept, life.Fix(str(fix.sentence), after.taken_at))
    yield _pictured("card-fixed", "A card: fixed", "Nobody told it so: the card watched.", kept)
    over = after.taken_at + timedelta(minutes=5)
    ended = (replace(one, resolved_at=over.timestamp()) for one in (fired, again))
    kept = _told(kept, _news(*ended), over)
    yield _pictured("card-resolved", "A card: resolved", "Its alerts have ended.", kept)


def _storm(faults: Faults) -> Shown:
    report = faults.report(_BEFORE, _QUESTION)
    at = report.taken_at
    told = cards_of(
        received(json.dumps(alerts.alertmanager(of_a_storm(one, at.timestamp()) for one in range(_STORM))).encode())
    )
    kept = [_told(None, card, at) for card in told]
    kept[0] = life.diagnosed(kept[0], diagnosis_of(report, _REPORT_ID, at))
    found = storm_of(kept)
    if found is None:
        raise RuntimeError("a dozen causes at once are no storm any more")
    about = f"{_STORM:,} alerts of a dozen causes, told in one message beside their cards."
    return Shown("storm", "A storm", about, storm_message(found))


def _digests(faults: Faults) -> Iterator[Shown]:
    history = faults.moments(_RUNS, _SCOPE)
    digest = compare(history[-1], faults.moment(_NOW, _SCOPE))
    about = "What differs since the last one, worst first, and drops by cause over the last runs."
    yield Shown("digest", "A digest", about, digest_message(digest, history, note=f"digest {_ID}"))
    same = compare(history[1], replace(history[1], at=history[1].at + timedelta(days=1)))
    yield Shown(
        "digest-unchanged", "A digest: nothing differs", "One line.", digest_message(same, note=f"digest {_ID}")
    )


def _home(faults: Faults) -> Shown:
    blocked, open_ = faults.report(_BEFORE, _QUESTION), faults.report(_AFTER, _QUESTION)
    health = faults.report(_AFTER, "health")
    answers = [_recent(open_), _recent(blocked)]
    drawn_at = open_.taken_at
    digest = Subscription(_ID, "T1", "C0PLATFORM", timetable_of(_SUBSCRIBED), "U0GRACE001", drawn_at, drawn_at)
    parts = [
        Part("Digests", [f"<#{digest.channel}> {line(digest, next_due(digest.timetable, drawn_at))}"], ""),
        Part("Channels", ["`inc-*`: incident on, alerts severity=critical", "<#C0PLATFORM>: verbosity quiet"], ""),
    ]
    home = Home(answers, [_recent(health)], parts, drawn_at=drawn_at)
    view = home_view(home, CATALOGUE.commands, ORDERS, SHORTCUT)
    return Shown("home", "App Home", "Drawn when it is opened.", view=view)


def _recent(report: Any) -> Recent:
    return Recent(report, _REPORT_ID, "C0INCIDENT", report.taken_at)


def _news(*fired: Fired) -> Card:
    (card,) = cards_of(received(json.dumps(alerts.alertmanager(fired)).encode()))
    return card


def _told(kept: KeptCard | None, news: Card, at: datetime) -> KeptCard:
    told = life.told(kept, news, at)
    if told is None:
        raise RuntimeError("an alert that fires is no card any more")
    return told


def _pictured(name: str, title: str, about: str, card: KeptCard) -> Shown:
    return Shown(name, title, about, card_message(card, "T1:C1:f1"))
