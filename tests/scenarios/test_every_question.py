"""Every question of the catalogue, found by itself: nothing is wrong where all is well, and live and dump agree.

A new command needs a line in ``ASKED`` where its own example names what these clusters do not have.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.catalogue import CATALOGUE, understand
from handlers.model.finding import Outcome
from handlers.model.report import Expected, Report
from handlers.source import Source
from tests.cluster.lab import Lab, lab
from tests.cluster.record import SCENARIOS, unpacked_dump
from tests.reading import in_words
from workers.runner import run
from workers.sources.assemble.commands import AgentCommand
from workers.sources.sysdump import SysdumpSource

BUSY = "34-healthy-busy"
ASKED = {
    "agent": "agent lab-node-1",
    "check": "check allow shop/frontend to shop/cart 8080/TCP",
    "dns": "dns shop/frontend",
    "egress": "egress payments/fraud-worker 198.19.50.7",
    "endpoint": "endpoint shop/cart",
    "flows": "flows shop",
    "identity": "identity shop/cart",
    "l7": "l7 shop/frontend shop/cart 8080",
    "policies": "policies shop",
    "reach": "reach shop/cart",
    "service": "service shop/cart",
    "whatif": "whatif label shop/redis-0 note=none",
    "why": "why shop/frontend shop/cart 8080",
}
"""What is asked of each command; the others are asked by their name alone."""


TOLD_BY_ONE = {
    "ENDPOINT_CHANGES": "the dump was taken some seconds later",
    "IDENTITY_FOLLOWS": "the dump was taken some seconds later",
    "RELAY_HEARS_ALL": "a dump has no relay",
    "RING_TURNS_FAST": "a dump has no relay",
    "CHANGES_UNREAD": "this dump has no workloads",
}
"""Codes that only one of the two can tell, and why."""


def _question(command: str) -> str:
    return ASKED.get(command, command)


def _answer(command: str, source: Source) -> Report:
    return run(understand(_question(command)), source).report


def _problems(report: Report) -> list[str]:
    return [f"{one.code}: {one.text}" for one in report.findings if one.outcome is Outcome.PROBLEM]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("healthy")


@pytest.fixture(scope="module")
def dump(folder: Path) -> Iterator[SysdumpSource]:
    source = SysdumpSource(unpacked_dump(BUSY, folder))
    yield source
    source.close()


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[Lab]:
    with lab(BUSY, folder) as found:
        yield found


@pytest.fixture(scope="module")
def live(cluster: Lab) -> Iterator[Source]:
    source = cluster.source()
    yield source
    source.close()


@pytest.fixture(scope="module")
def baseline() -> Iterator[SysdumpSource]:
    source = SysdumpSource(SCENARIOS / "01-baseline" / "sysdump.zip")
    yield source
    source.close()


@pytest.mark.parametrize("command", CATALOGUE.commands)
def test_on_a_busy_healthy_cluster_no_question_finds_a_problem_live_or_in_a_dump(
    command: str, live: Source, dump: SysdumpSource
) -> None:
    reports = _answer(command, live), _answer(command, dump)
    of_live, of_dump = ({one.code for one in report.findings} for report in reports)
    assert of_live ^ of_dump <= TOLD_BY_ONE.keys()
    for report in reports:
        assert _problems(report) == [], in_words(report)
        assert report.expected in (None, Expected.OPEN), in_words(report)
        assert not [one.text for one in report.findings if one.outcome is Outcome.BROKEN]


@pytest.mark.parametrize("command", CATALOGUE.commands)
def test_on_another_healthy_cluster_no_question_finds_a_problem(command: str, baseline: SysdumpSource) -> None:
    assert _problems(_answer(command, baseline)) == []


def test_agents_are_asked_in_fixed_words(cluster: Lab, live: Source) -> None:
    for command in CATALOGUE.commands:
        _answer(command, live)
    allowed = {str(command) for command in AgentCommand}
    assert {line for _, line in cluster.api.commands} <= allowed
