"""Which cards are shown, held, kept silent or muted: rule by card by time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.alerts.cards import cards_of
from handlers.alerts.life import Diagnosis, KeptCard, told
from handlers.alerts.manners import Mute, Scope, Target, Telling, target_of, treatment
from handlers.alerts.received import of_document
from handlers.alerts.severity import Severity
from handlers.model.finding import prose
from handlers.model.report import Expected
from tests.alerts.payloads import alert, webhook

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MORNING = NOON + timedelta(hours=7)


def a_card(severity: Severity = Severity.WARNING) -> KeptCard:
    fired = alert("HubblePolicyDenied", "firing", source="shop/loadgen", destination="payments/api")
    (news,) = cards_of(of_document(webhook(fired)))
    card = told(None, news, NOON)
    assert card is not None
    return replace(card, severity=severity, namespaces=("payments", "shop"))


def mute(scope: Scope, name: str = "", *, begins: float = -1, hours: float = 1) -> Mute:
    return Mute(Target(scope, name), "U1", NOON + timedelta(hours=begins), NOON + timedelta(hours=hours))


CARD = a_card()
CRITICAL = a_card(Severity.CRITICAL)
FOUND = replace(CARD, diagnosis=Diagnosis("why", "Blocked", "bad", prose("x"), (), NOON, Expected.BLOCKED))
FINE = replace(CARD, diagnosis=Diagnosis("why", "Open", "good", prose("x"), (), NOON, Expected.OPEN))
SNOOZED = replace(CARD, muted_until=NOON + timedelta(minutes=5), muted_by="U1")
SHOP, PAYMENTS = mute(Scope.NAMESPACE, "shop"), mute(Scope.NAMESPACE, "payments", hours=2)
HERE = mute(Scope.CHANNEL, hours=3)
SHOWN, HELD, SILENT, MUTED = Telling.SHOWN, Telling.HELD, Telling.SILENT, Telling.MUTED

TREATED: dict[str, tuple[KeptCard, dict[str, Any], Telling, float | None]] = {
    "nothing is set": (CARD, {}, SHOWN, None),
    "the channel is muted": (CARD, {"mutes": [HERE]}, MUTED, 3),
    "the channel is muted, and it is critical": (CRITICAL, {"mutes": [HERE]}, MUTED, 3),
    "a mute that is over": (CARD, {"mutes": [mute(Scope.CHANNEL, hours=0)]}, SHOWN, None),
    "a mute that begins later": (CARD, {"mutes": [mute(Scope.CHANNEL, begins=0.5)]}, SHOWN, None),
    "one of its two namespaces": (CARD, {"mutes": [SHOP]}, SHOWN, None),
    "both of its namespaces, until the first ends": (CARD, {"mutes": [SHOP, PAYMENTS]}, MUTED, 1),
    "another namespace": (CARD, {"mutes": [mute(Scope.NAMESPACE, "monitoring")]}, SHOWN, None),
    "a namespace, and a card that has none": (replace(CARD, namespaces=()), {"mutes": [SHOP]}, SHOWN, None),
    "the cause is snoozed": (SNOOZED, {}, MUTED, 1 / 12),
    "the cause is snoozed in a muted channel": (SNOOZED, {"mutes": [HERE]}, MUTED, 3),
    "quiet hours": (CARD, {"quiet_until": MORNING}, HELD, 7),
    "quiet hours, and it is critical": (CRITICAL, {"quiet_until": MORNING}, SHOWN, None),
    "quiet hours of a snoozed cause": (SNOOZED, {"quiet_until": MORNING}, MUTED, 1 / 12),
    "a quiet channel, and nobody knows why": (CARD, {"only_diagnosed": True}, SILENT, None),
    "a quiet channel, and it is critical": (CRITICAL, {"only_diagnosed": True}, SILENT, None),
    "a quiet channel, and something is wrong": (FOUND, {"only_diagnosed": True}, SHOWN, None),
    "a quiet channel, and nothing is wrong": (FINE, {"only_diagnosed": True}, SILENT, None),
    "a quiet channel in quiet hours": (FOUND, {"only_diagnosed": True, "quiet_until": MORNING}, HELD, 7),
}


@pytest.mark.parametrize(("card", "rules", "telling", "hours"), TREATED.values(), ids=TREATED)
def test_what_is_done_with_a_card(card: KeptCard, rules: dict[str, Any], telling: Telling, hours: float | None) -> None:
    treated = treatment(card, NOON, **rules)
    until = None if hours is None else NOON + timedelta(hours=hours)
    assert (treated.telling, treated.until) == (telling, until)
    assert (treated.mute is not None) is (telling is MUTED)


TARGETS = {
    "here": Target(Scope.CHANNEL),
    "channel": Target(Scope.CHANNEL),
    "shop": Target(Scope.NAMESPACE, "shop"),
    "namespace shop": Target(Scope.NAMESPACE, "shop"),
    "namespace here": Target(Scope.NAMESPACE, "here"),
    "cause 0a1b2c": Target(Scope.CAUSE, "0a1b2c"),
    "the channel": Target(Scope.CHANNEL),
    "this": None,
    "cause": None,
    "namespace": None,
    "shop cart": None,
    "Shop": None,
    "<!here>": None,
    "cause a*b": None,
}


@pytest.mark.parametrize(("words", "target"), TARGETS.items(), ids=TARGETS)
def test_what_words_mute(words: str, target: Target | None) -> None:
    assert target_of(words) == target
    assert target is None or target_of(str(target)) == target
