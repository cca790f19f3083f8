"""Reports and moments in few words."""

from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.digests.moment import Moment, moment_of
from handlers.model.finding import Evidence, Finding, Outcome, Sentence, Value
from handlers.model.headline import Headline
from handlers.model.report import Budget, GapNote, Report

FRIDAY = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
MONDAY = FRIDAY + timedelta(days=3)


def problem(code: str, words: str = "something is wrong", *, weight: int = 50, **values: Value) -> Finding:
    evidence = (Evidence("agent", f"Node//{values['node']}"),) if "node" in values else ()
    return Finding(code, Outcome.PROBLEM, Sentence(words, values), evidence=evidence, weight=weight)


def unknown(code: str, *, blocking: bool = True, **values: Value) -> Finding:
    return Finding(
        code, Outcome.UNKNOWN, Sentence("{what} could not be told", {"what": "it", **values}), blocking=blocking
    )


def dropped(cause: str, packets: int, *pairs: str, node: str = "worker-1") -> list[Finding]:
    """Drops of one cause: the packets are spread over pairs ``shop/a > shop/b 80/TCP``."""
    found = []
    for pair in pairs or ("shop/web > shop/cart 8080/TCP",):
        source, _, destination, port = pair.split()
        values: dict[str, Value] = {"source": source, "destination": destination, "port": port, "cause": cause}
        count = packets // max(1, len(pairs))
        found.append(
            Finding(
                "DROPS_BY_POLICY",
                Outcome.PROBLEM,
                Sentence("{source} → {destination} on {port}", {**values, "count": count}),
                evidence=(Evidence("hubble", f"Node//{node}"),),
                weight=count,
            )
        )
    return found


def report(question: str, *findings: Finding, at: datetime = FRIDAY, **others: Any) -> Report:
    command = question.partition(" ")[0]
    return Report(question, command, Headline(Sentence("…")), at, "cluster lab", findings, **others)


def drops(
    *findings: Finding, at: datetime = FRIDAY, minutes: int = 15, silent: tuple[str, ...] = (), lost: int = 0
) -> Report:
    span = timedelta(minutes=minutes)
    budget = Budget(("worker-1",), silent, at - span, at - span, at, events_lost=lost)
    return report("drops", *findings, at=at, budget=budget)


def unread_agent(node: str) -> GapNote:
    return GapNote("agent status", node, "timeout", "no answer in time")


def moment(*reports: Report) -> Moment:
    return moment_of(reports)
