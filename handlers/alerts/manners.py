"""How a card is treated: shown, held until quiet hours end, kept from a channel that wants verdicts alone, or muted.

Whatever is not shown is kept and counted. A mute is somebody's word and covers everything; quiet hours let through what
is critical.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from handlers.alerts.life import KeptCard
from handlers.alerts.severity import Severity
from handlers.model.report import Expected, Observed

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_FINGERPRINT = re.compile(r"[\w.:-]{1,80}")
_CHANNEL_WORDS = frozenset({"here", "channel", "everything", "all"})
_OF_THE_CARD = frozenset({"this", "that", "it", "me", "the"})
"""Words for what somebody points at, which nobody but they can see."""
_TONE_BAD = frozenset({"bad", "contradiction"})


class Scope(StrEnum):
    """What a mute is about."""

    CAUSE = "cause"
    NAMESPACE = "namespace"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Target:
    """What is muted in a channel: a card by its fingerprint, a namespace, or all; ``name`` is empty for all."""

    scope: Scope
    name: str = ""

    def __str__(self) -> str:
        """Write it so that ``target_of`` reads it back."""
        return f"{self.scope} {self.name}".strip()


def target_of(words: str) -> Target | None:
    """Read ``here``, ``namespace shop``, ``shop`` or ``cause FINGERPRINT``; None for anything else."""
    first, _, rest = words.strip().partition(" ")
    name = rest.strip()
    if first.casefold() in ("this", "the") and name.casefold() in _CHANNEL_WORDS:
        return Target(Scope.CHANNEL)
    if first.casefold() in _OF_THE_CARD:
        return None
    if first.casefold() in _CHANNEL_WORDS and not name:
        return Target(Scope.CHANNEL)
    if first.casefold() == Scope.CAUSE:
        return Target(Scope.CAUSE, name) if _FINGERPRINT.fullmatch(name) else None
    if first.casefold() == Scope.NAMESPACE:
        first, name = name, ""
    return Target(Scope.NAMESPACE, first) if not name and _NAMESPACE.fullmatch(first) else None


@dataclass(frozen=True, slots=True)
class Mute:
    """Who wants nothing of something for how long. ``by`` is the id of a person."""

    target: Target
    by: str
    at: datetime
    until: datetime


class Telling(StrEnum):
    """What is done with a card."""

    SHOWN = "shown"
    HELD = "held"
    """Told in one summary when quiet hours end."""
    SILENT = "silent"
    """The channel wants diagnosed problems alone."""
    MUTED = "muted"


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done with a card, until when that holds where its end is known, and the mute that says so."""

    telling: Telling
    until: datetime | None = None
    mute: Mute | None = None


def treatment(
    card: KeptCard,
    at: datetime,
    *,
    mutes: Iterable[Mute] = (),
    quiet_until: datetime | None = None,
    only_diagnosed: bool = False,
) -> Treatment:
    """Say what is done with a card now.

    ``quiet_until`` is when the quiet hours end in which the moment lies. ``only_diagnosed`` channels are told what was
    found to be wrong, and nothing else.
    """
    if mute := muting(card, mutes, at):
        return Treatment(Telling.MUTED, mute.until, mute)
    if quiet_until is not None and card.severity is not Severity.CRITICAL:
        return Treatment(Telling.HELD, quiet_until)
    if only_diagnosed and not is_found(card):
        return Treatment(Telling.SILENT)
    return Treatment(Telling.SHOWN)


def muting(card: KeptCard, mutes: Iterable[Mute], at: datetime) -> Mute | None:
    """Return the mute that covers a card and lasts longest, None where none does.

    A card between two namespaces is covered where both are muted: the other one's people want to hear of it.
    """
    held = [mute for mute in mutes if mute.at <= at < mute.until]
    if card.muted_until is not None and at < card.muted_until:
        held.append(Mute(Target(Scope.CAUSE, card.fingerprint), card.muted_by, card.first_at, card.muted_until))
    named = {mute.target.name for mute in held if mute.target.scope is Scope.NAMESPACE}
    is_of_muted = bool(card.namespaces) and named.issuperset(card.namespaces)
    covering = [
        mute
        for mute in held
        if mute.target.scope is not Scope.NAMESPACE or (is_of_muted and mute.target.name in card.namespaces)
    ]
    whole = [mute for mute in covering if mute.target.scope is not Scope.NAMESPACE]
    # Of namespaces the first that ends ends it; of the others any one is enough.
    of_namespaces = [mute for mute in covering if mute.target.scope is Scope.NAMESPACE]
    first_to_end = min(of_namespaces, key=lambda mute: mute.until, default=None)
    return max([*whole, *([first_to_end] if first_to_end else [])], key=lambda mute: mute.until, default=None)


def is_found(card: KeptCard) -> bool:
    """Whether something was found to be wrong: blocked, dropped, or a list with a problem in it."""
    found = card.diagnosis
    if found is None:
        return False
    return found.expected is Expected.BLOCKED or found.observed is Observed.DROPPED or found.tone in _TONE_BAD
