"""Which alerts of a card fire, which were ever told, and how many: each counts once, however often it is told.

An alert is known by its sender's fingerprint and the time at which it started. Messages and events of Kubernetes have
no fingerprint: they are known by what they name. Some of them are never said to end; such alerts lapse.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from handlers.alerts.alert import Alert, Form, State

MOST_SEEN = 2_000
"""Alerts of one card that are told apart; further ones are not counted."""

_PREFIX = {Form.WRITTEN: "w", Form.EVENT: "k", Form.WEBHOOK: ""}
"""Before what is known by what it names; no digest begins with these letters."""
_INEXACT = ("w", "k")
_SILENCE = {"k": timedelta(hours=1), "w": timedelta(hours=6), "": timedelta(hours=26)}
"""How long after it was told last an alert is taken to hold.

A kubelet's event is counted up every few minutes; Alertmanager repeats a message every four hours, and hardly anybody
has a webhook repeated less than once a day.
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """``firing`` are the alerts that fire, ``seen`` all that were told with their starts, as digests."""

    firing: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    count: int = 0


def counted(before: Counted, alerts: Iterable[Alert], *, has_lapsed: bool = False) -> Counted:
    """Return what is so after these alerts were told. Where they had lapsed, one that is told again fires again."""
    firing, seen, count = dict.fromkeys(before.firing), dict.fromkeys(before.seen), before.count
    for alert in alerts:
        who = _identity(alert)
        mark = _digest(who, alert.starts_at)
        is_again = who not in firing and (has_lapsed or not alert.starts_at)
        if alert.state is State.RESOLVED:
            _end(firing, who)
        elif mark not in seen and len(seen) >= MOST_SEEN:
            firing.setdefault(who)
            continue
        elif mark not in seen or is_again:
            count += 1
            firing[who] = None
        if len(seen) < MOST_SEEN:
            seen[mark] = None
    return Counted(tuple(firing)[-MOST_SEEN:], tuple(seen), count)


def silence_of(firing: Iterable[str]) -> timedelta:
    """Return after how long without a word none of these alerts is taken to hold any more."""
    kinds = {one[0] if one.startswith(_INEXACT) else "" for one in firing}
    return max((_SILENCE[kind] for kind in kinds), default=_SILENCE[""])


def _end(firing: dict[str, None], who: str) -> None:
    """Take an alert off those that fire, and what told of the same without an end of its own.

    A message that says resolved may have other words than the one that said firing.
    """
    is_exact = not who.startswith(_INEXACT)
    alike: list[str] = []
    if who in firing:
        del firing[who]
        if is_exact and all(one.startswith(_INEXACT) for one in firing):
            alike = list(firing)
    elif not is_exact:
        name = who.partition(".")[0]
        alike = [one for one in firing if one.partition(".")[0] == name]
    for one in alike:
        del firing[one]


def _identity(alert: Alert) -> str:
    """Return what an alert is known by while it fires and when it is resolved."""
    labels = (f"{name}={value}" for name, value in sorted(alert.labels.items()))
    who = _digest(alert.fingerprint) if alert.fingerprint else _digest(*labels)
    prefix = _PREFIX[alert.form]
    return f"{prefix}{_digest(alert.name)[:6]}.{who}" if prefix else who


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:12]
