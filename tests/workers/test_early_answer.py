"""What is certain is told before slow agents have answered; what they say only adds to it."""

import io
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import cache

import pytest

from handlers.catalogue import understand
from handlers.connection.patches import PATCH_PARTS
from handlers.engine import answer, first_answer
from handlers.model.parts import PARTS, Part
from handlers.model.report import Expected, FirstAnswer, Report
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing, Snapshot
from handlers.source import Source
from tests.reading import in_words
from tests.scenarios.snapshots import whole
from tests.scenarios.truth import FOLDER, checks
from workers.cli.progress import progress_line
from workers.runner import run
from workers.sources.sysdump import SysdumpSource

BLOCKED = "why shop/loadgen shop/cart 8080"
AGENTS: frozenset[AnyPart] = frozenset(part for part in PARTS if part.is_per_node)


def without(scenario: str, awaited: frozenset[AnyPart]) -> Snapshot:
    """Return a recorded moment before some parts have come."""
    moment = whole(scenario)
    come = {part: moment.parts[part] for part in moment.parts.keys() - awaited}
    return Snapshot(moment.taken_at, moment.source, come)


@cache
def last(scenario: str, asked: str) -> Report:
    """Return what is told when everything has come."""
    return answer(understand(asked).question, whole(scenario))


@cache
def told(awaited: frozenset[AnyPart]) -> tuple[tuple[FirstAnswer | None, Report], ...]:
    """Return what is told of every recorded question first and last."""

    def first(scenario: str, asked: str) -> FirstAnswer | None:
        return first_answer(understand(asked).question, without(scenario, awaited))

    asked = [(check.scenario, check.question) for check in checks()]
    return tuple((first(*one), last(*one)) for one in asked)


AWAITED = [
    pytest.param(AGENTS, id="agents"),
    pytest.param(AGENTS | set(PATCH_PARTS), id="agents and what patches are proven with"),
    pytest.param(AGENTS | {Part.FLOWS}, id="agents and flows"),
    pytest.param(frozenset({Part.AGENT_ENDPOINTS}), id="endpoints of agents"),
    pytest.param(frozenset({Part.CONFIG, Part.RELAY}), id="configuration"),
]


@pytest.mark.parametrize("awaited", AWAITED)
def test_what_is_told_first_is_never_taken_back(awaited: frozenset[AnyPart]) -> None:
    for first, whole_answer in told(awaited):
        if first is None:
            continue
        assert whole_answer.expected is Expected.BLOCKED, in_words(whole_answer)
        assert set(_said(first.report)) <= set(_said(whole_answer)), in_words(whole_answer)
        assert first.report.headline.seen in ("", whole_answer.headline.seen)
        assert first.report.candidates == ()


def _said(report: Report) -> Iterator[tuple[str, str, str]]:
    yield from ((finding.code, finding.outcome, finding.text) for finding in report.findings)


def test_a_blocker_on_each_hop_is_told_while_agents_are_slow() -> None:
    hops = {hop for first, _ in told(AGENTS) if first and (hop := first.report.first_failing_hop())}
    assert hops == {"egress-policy", "ingress-policy", "service"}
    early = sum(first is not None for first, _ in told(AGENTS))
    blocked = sum(report.expected is Expected.BLOCKED for _, report in told(AGENTS))
    assert early > blocked * 0.6


def test_a_denial_is_not_certain_before_audit_mode_is_ruled_out() -> None:
    """Nobody tried, so no packet tells whether the endpoint enforces: its agent may say that it only audits."""
    question = understand("why shop/loadgen shop/cart 8080").question
    scenario = "02-ingress-default-deny"
    moment = without(scenario, AGENTS)
    quiet = {**moment.parts, Part.FLOWS: Missing(Gap.TIMEOUT, "the relay does not answer")}
    assert first_answer(question, moment) is not None
    assert first_answer(question, Snapshot(moment.taken_at, moment.source, quiet)) is None


class _AgentsWait:
    """A source whose agents answer when somebody has been told something."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.told = threading.Event()
        self.title, self.now, self.close = source.title, source.now, source.close

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        if ask.part.is_per_node:
            assert self.told.wait(30)
        return self._source.read(ask, timeout)


def test_a_blocker_is_told_while_the_agents_are_still_read() -> None:
    source = _AgentsWait(SysdumpSource(FOLDER / "02-ingress-default-deny" / "sysdump.zip"))
    firsts: list[FirstAnswer] = []

    def listen(said: str | FirstAnswer) -> None:
        if isinstance(said, FirstAnswer):
            firsts.append(said)
            source.told.set()

    with closing(source):
        report = run(understand(BLOCKED), source, budget=60, progress=listen, glance_after=0).report
    (first,) = firsts
    assert first.report.headline.reason == report.headline.reason
    assert str(first.report.headline.reason) == "cart-allow-frontend wants app=frontend; loadgen has app=loadgen"
    assert not first.report.patches
    assert report.patches
    assert "agent status" in first.awaited
    assert "AGENTS_HEALTHY" in {finding.code for finding in report.findings}


def test_what_is_told_first_stands_where_nothing_more_comes() -> None:
    first = first_answer(understand(BLOCKED).question, without("02-ingress-default-deny", AGENTS))
    assert first is not None
    last = first.as_last()
    assert last.expected is Expected.BLOCKED
    assert {(gap.part, gap.gap) for gap in last.gaps} >= {("agent status", "timeout"), ("agent endpoints", "timeout")}


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_it_at_once_and_keeps_it_for_who_does_not_wait() -> None:
    first = first_answer(understand(BLOCKED).question, without("02-ingress-default-deny", AGENTS))
    assert first is not None
    screen = _Terminal()
    with pytest.raises(KeyboardInterrupt):
        _interrupted(screen, first)
    *_, kept = screen.getvalue().rpartition("\x1b[2K")
    assert "BLOCKED at ingress: shop/loadgen → shop/cart 8080/TCP" in kept
    assert "still reading agent addresses, agent egress, agent endpoints, 4 more" in kept


def _interrupted(screen: io.StringIO, first: FirstAnswer) -> None:
    with progress_line(screen) as show:
        assert show is not None
        show(first)
        raise KeyboardInterrupt
