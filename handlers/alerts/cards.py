"""From alerts to cards: one for each cause, however many alerts told of it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from handlers.alerts.alert import Alert, Received, State
from handlers.alerts.ends import workload_of
from handlers.alerts.questions import questions_of
from handlers.alerts.signal import Cause, Decision, Signal
from handlers.alerts.signals import signals_of
from handlers.model.endpoint import Named

_ORDER = (Decision.TRIAGE, Decision.ASK, Decision.IGNORE)


@dataclass(frozen=True, slots=True)
class Card:
    """One cause and what is done about it.

    ``fingerprint`` is over cluster, source workload, destination workload, port and cause: the same while it fires and
    when it is resolved, and for every alert that tells of the same.
    """

    fingerprint: str
    state: State
    decision: Decision
    reason: str
    title: str
    alerts: tuple[Alert, ...]
    questions: tuple[str, ...]
    cluster: str = ""
    """The cluster that its alerts name, empty where they name none."""
    namespaces: tuple[str, ...] = ()
    """Namespaces of both ends, as far as they are known."""


_Key = tuple[str, ...]
_Told = list[tuple[Alert, Signal]]


def cards_of(received: Received) -> tuple[Card, ...]:
    """Return a card for each cause, in the order in which alerts first tell of them."""
    causes: dict[_Key, _Told] = {}
    for alert in received.alerts:
        for signal in signals_of(alert):
            causes.setdefault(_key(alert, signal), []).append((alert, signal))
    return tuple(_card(key, told, received.cut_off) for key, told in causes.items())


def _key(alert: Alert, signal: Signal) -> _Key:
    source = workload_of(signal.source) if signal.source is not None else ""
    destination = workload_of(signal.destination) if signal.destination is not None else ""
    place = "" if source or destination else signal.node or signal.namespace
    # What is not known by its kind is told apart by its name, and what stays silent is no part of what does not.
    is_one_of_many = signal.cause is Cause.OTHER or signal.decision is Decision.IGNORE
    name = alert.name if is_one_of_many else ""
    question = signal.questions[0] if signal.cause is Cause.WRITTEN and not alert.choices else ""
    silent = str(Decision.IGNORE) if signal.decision is Decision.IGNORE else ""
    several = f"{alert.name} {alert.words[:200]}" if alert.choices and not silent else ""
    if several:
        return alert.cluster, "", "", "", str(signal.cause), "", several, "", ""
    return alert.cluster, source, destination, signal.port, str(signal.cause), place, name, question, silent


def _card(key: _Key, told: _Told, cut_off: int) -> Card:
    # What still fires says what to ask; what is resolved comes last.
    ordered = sorted(told, key=lambda one: (one[0].state is State.RESOLVED, _ORDER.index(one[1].decision)))
    decision = min((signal.decision for _, signal in told), key=_ORDER.index)
    first = next(signal for _, signal in ordered if signal.decision is decision)
    alerts = tuple({id(alert): alert for alert, _ in told}.values())
    is_firing = any(alert.state is State.FIRING for alert in alerts)
    return Card(
        fingerprint=hashlib.sha256("\0".join(key).encode(errors="surrogatepass")).hexdigest()[:16],
        state=State.FIRING if is_firing else State.RESOLVED,
        decision=decision,
        reason=_reason(first, cut_off),
        title=_title(alerts[0], first),
        alerts=alerts,
        questions=() if decision is Decision.IGNORE else _questions(ordered),
        cluster=alerts[0].cluster,
        namespaces=_namespaces(signal for _, signal in told),
    )


def _namespaces(signals: Iterable[Signal]) -> tuple[str, ...]:
    named = (
        name
        for signal in signals
        for name in (
            *(end.namespace for end in (signal.source, signal.destination) if isinstance(end, Named)),
            signal.namespace,
        )
    )
    return tuple(dict.fromkeys(name[:63] for name in named if name))


def _questions(told: _Told) -> tuple[str, ...]:
    to_choose = any(alert.choices for alert, _ in told)
    return questions_of((signal for _, signal in told), to_choose=to_choose)


def _reason(signal: Signal, cut_off: int) -> str:
    reasons = [signal.reason or _BY_CAUSE[signal.cause]]
    if cut_off:
        were = "alerts of the group were" if cut_off > 1 else "alert of the group was"
        reasons.append(f"{cut_off} more {were} cut off by the sender and not read")
    return "; ".join(reasons)


_BY_CAUSE = {
    Cause.POLICY_DROP: "packets are dropped: policy is the first suspect",
    Cause.DROP: "packets are dropped",
    Cause.UNREADY: "a policy can stop a probe, or what the pod needs",
    Cause.SCRAPE: "a policy can stop who scrapes",
    Cause.PROBE: "a policy can stop the probe, or who answers it",
    Cause.REQUESTS: "a policy can stop the requests",
    Cause.DNS: "policies and the DNS proxy can stop look-ups",
    Cause.NODE: "a node, its agent or the way to it is not well",
    Cause.AGENT: "Cilium itself is not well",
    Cause.ENDPOINT: "Cilium did not make the endpoint",
    Cause.MAPS: "a table of the datapath is nearly full",
    Cause.MESH: "another cluster is not reached",
    Cause.WRITTEN: "it is a question",
    Cause.OTHER: "its words speak of the network",
}


def _title(alert: Alert, signal: Signal) -> str:
    ends = [workload_of(end) for end in (signal.source, signal.destination) if end is not None]
    pair = " → ".join(ends) + (f" {signal.port}" if signal.port and len(ends) > 1 else "")
    place = "" if ends or signal.cause is Cause.DNS else signal.namespace
    is_verb = signal.claim.partition(" ")[0] in _VERBS and len(ends) == 1
    claim = f"{pair or place}{' ' if is_verb else ': '}{signal.claim}" if pair or place else signal.claim
    if signal.decision is Decision.IGNORE and not ends:
        claim = f"{alert.name[:120] or 'What was written'} {signal.claim}"
    cluster = f"{alert.cluster[:63]}: " if alert.cluster else ""
    return _printable(cluster + claim)


_VERBS = frozenset("is fails crashes waits answers does cannot gets".split())


def _printable(text: str) -> str:
    """Return one bounded line; a label may hold what moves a terminal's cursor."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:240]


def most_urgent(cards: Iterable[Card]) -> list[Card]:
    """Return the cards with those that can be asked about first; resolved ones come last."""
    return sorted(cards, key=lambda card: (card.state is State.RESOLVED, _ORDER.index(card.decision)))
