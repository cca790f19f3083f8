"""Every recorded scenario gets the right answer: from its sysdump, from the cluster up again, from half of it."""

from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.source import Source
from tests.cluster.fake_api import Fault
from tests.cluster.lab import lab
from tests.sampling import one_in
from tests.scenarios.truth import FOLDER, SCENARIOS, assert_agrees, checks
from workers.runner import run
from workers.sources.sysdump import SysdumpSource


def _hold_against_truth(source: Source, scenario: str) -> None:
    try:
        for check in checks(scenario):
            assert_agrees(run(understand(check.question), source).report, check)
    finally:
        source.close()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_sysdump_tells_the_truth(scenario: str) -> None:
    _hold_against_truth(SysdumpSource(FOLDER / scenario / "sysdump.zip"), scenario)


@pytest.mark.parametrize("scenario", one_in(2, SCENARIOS))
def test_the_live_cluster_tells_the_truth(scenario: str, tmp_path: Path) -> None:
    with lab(scenario, tmp_path) as cluster:
        _hold_against_truth(cluster.source(), scenario)


@pytest.mark.parametrize("scenario", one_in(3, SCENARIOS))
def test_without_agents_and_configuration_the_truth_is_still_told(scenario: str, tmp_path: Path) -> None:
    with lab(scenario, tmp_path) as cluster:
        cluster.api.faults["exec"] = Fault(403)
        cluster.api.faults["configmaps"] = Fault(404)
        _hold_against_truth(cluster.source(), scenario)
