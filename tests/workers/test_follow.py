"""Following flows ends up where asking at the end does: nothing between two reads is missed or told twice."""

import io
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.model.snapshot import Ask, Gap, Known, Missing
from tests.cluster.lab import lab
from tests.knowledge.build import NOW, Cluster, FakeSource, shop
from tests.reading import in_words
from workers.cli.app import run as run_cli
from workers.cli.tail import printer
from workers.follow import follow
from workers.runner import run
from workers.status import Status, status_of

A, B = "shop/frontend-1", "shop/cart-1"
STEP = 5.0


@dataclass
class Passing:
    """A source whose clock is moved on by waiting; reads whose turn is in ``failing`` fail, the first is turn 0."""

    cluster: Cluster
    at: datetime = NOW - timedelta(seconds=60)
    failing: tuple[int, ...] = ()
    forgets: bool = False
    reads: int = 0
    told: list[Report] = field(default_factory=list)
    title: str = "cluster of the test"

    def now(self) -> datetime:
        return self.at

    def close(self) -> None:
        pass

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        found = self.source().read(ask, timeout)
        if ask.part is not Part.FLOWS or isinstance(found, Missing):
            return found
        turn, self.reads = self.reads, self.reads + 1
        if turn in self.failing:
            return Missing(Gap.TIMEOUT, "relay hangs")
        query = ask.scope.flows
        assert query is not None
        since = self.at if self.forgets else query.since
        log = replace(found.value, since=query.since, until=query.until, covered_since={"n1": since, "n2": since})  # type: ignore[type-var]
        return replace(found, value=log)

    def source(self) -> FakeSource:
        return self.cluster.source()

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def follow(self, question: str = "flows shop follow 30s") -> Report:
        asked = understand(question)
        assert asked.watched is not None
        return follow(asked, self, asked.watched, self.told.append, every=STEP, wait=self.wait).report


def busy() -> Cluster:
    """Return connections one second apart, from a minute before now on."""
    cluster = shop()
    for second in range(60):
        cluster.worked(A, B, 8080, at=60 - second, client_port=40_000 + second)
    return cluster


def count_of(report: Report) -> int:
    return sum(int(str(row[-1])) for table in report.tables for row in table.rows)


def test_each_connection_is_told_once_though_reads_overlap() -> None:
    passing = Passing(busy())
    assert count_of(passing.follow()) == 31
    assert [count_of(report) for report in passing.told] == [1, 6, 11, 16, 21, 26, 31]


def test_a_read_that_fails_is_made_up_for() -> None:
    report = Passing(busy(), failing=(2, 3)).follow()
    assert count_of(report) == 31
    assert status_of(report) is Status.FINE


def test_where_the_last_read_fails_the_end_was_not_heard() -> None:
    report = Passing(busy(), failing=(6,)).follow()
    assert count_of(report) == 26
    assert "relay hangs" in in_words(report)
    assert status_of(report) is Status.UNKNOWN


def test_where_nothing_can_be_read_there_is_nothing_to_follow() -> None:
    passing = Passing(busy(), failing=tuple(range(9)))
    report = passing.follow()
    assert (passing.told, passing.reads) == ([], 1)
    assert in_words(report).startswith("Cannot tell which flows there are of shop")


def test_a_ring_that_wrapped_between_two_reads_remembers_no_more() -> None:
    report = Passing(busy(), forgets=True).follow()
    assert "remembers no more than that" in in_words(report)


def test_a_terminal_gets_each_line_once_and_what_was_lost() -> None:
    cluster = busy().dropped(A, B, 9090, at=40)
    cluster.silent = {"n2": "connection refused"}
    stream = io.StringIO()
    passing = Passing(cluster)
    passing.follow()
    show = printer(stream)
    for report in (passing.told[0], passing.told[0], passing.told[-1]):
        show(report)
    assert stream.getvalue().splitlines() == [
        "11:59:00 · shop/frontend · shop/cart · 8080/TCP · forwarded · 1",
        "# not heard: n2",
        "11:59:20 · shop/frontend · shop/cart · 9090/TCP · dropped · POLICY_DENIED · 1",
        "11:59:30 · shop/frontend · shop/cart · 8080/TCP · forwarded · 31",
    ]


@pytest.mark.parametrize("question", ["flows shop follow 20s", "flows follow 20s since 30s"])
def test_following_ends_up_where_asking_at_the_end_does(question: str, tmp_path: Path) -> None:
    with lab("02-ingress-default-deny", tmp_path) as cluster:
        end = cluster.now
        cluster.now = end - timedelta(seconds=20)

        def wait(seconds: float) -> None:
            cluster.now += timedelta(seconds=seconds)

        asked, source = understand(question), cluster.source()
        followed = follow(asked, source, timedelta(seconds=20), lambda report: None, every=STEP, wait=wait).report
        asked_once = replace(asked.question, since=asked.question.since + timedelta(seconds=20), follow=None)
        once = run(replace(asked, question=asked_once), source).report
        source.close()
    assert followed.tables == once.tables
    assert followed.tables


def test_what_does_not_change_is_not_followed(capsys: pytest.CaptureFixture[str]) -> None:
    dump = Path("tests/scenarios/02-ingress-default-deny/sysdump.zip")
    assert run_cli(["flows", "shop", "follow", "5s", "--sysdump", str(dump)]) is Status.USAGE
    assert "Flows are followed on a live cluster" in capsys.readouterr().err
