"""The command line on a cluster: a fake API and Hubble, the real command."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.fake_api import Fault
from tests.cluster.lab import Lab, lab
from workers.cli.app import run

COMMAND = Path(sys.executable).with_name("cilium-triage")
QUESTION = ("why", "shop/loadgen", "shop/cart", "8080")

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab("02-ingress-default-deny", tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(autouse=True)
def _healed(cluster: Lab) -> Iterator[None]:
    yield
    cluster.api.faults.clear()


@dataclass(frozen=True)
class Done:
    """How a command line ended, and what it wrote."""

    status: int
    out: str
    errors: str

    @property
    def report(self) -> Any:
        assert not self.errors
        return json.loads(self.out)


Ask = Callable[..., Done]


@pytest.fixture
def ask(cluster: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    monkeypatch.setenv("HUBBLE_SERVER", cluster.hubble.address)

    def asked(*words: str) -> Done:
        status = run([*words, "--kubeconfig", str(cluster.kubeconfig)])
        return Done(status, *capsys.readouterr())

    return asked


def test_a_cluster_is_judged(cluster: Lab) -> None:
    command = [str(COMMAND), *QUESTION, "--output", "json", "--kubeconfig", str(cluster.kubeconfig)]
    environment = {**os.environ, "HUBBLE_SERVER": cluster.hubble.address}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    done = Done(process.returncode, process.stdout, process.stderr)
    assert (done.status, done.report["expected"]) == (1, "blocked")
    assert done.report["gaps"] == []
    cited = {
        evidence["ref"]
        for finding in done.report["findings"]
        if finding["blocking"]
        for evidence in finding["evidence"]
    }
    assert "CiliumNetworkPolicy/shop/cart-allow-frontend" in cited


def test_the_cluster_is_named_by_its_context(ask: Ask) -> None:
    assert "cluster lab" in ask(*QUESTION, "--context", "lab").out


@pytest.mark.parametrize("status", [403, 500])
def test_policies_that_cannot_be_read_leave_doubt(cluster: Lab, ask: Ask, status: int) -> None:
    cluster.api.faults["ciliumnetworkpolicies"] = Fault(status=status)
    done = ask(*QUESTION, "--output", "json")
    assert (done.status, done.report["expected"]) == (2, "unknown")
    assert [gap["part"] for gap in done.report["gaps"] if gap["part"] == "policies"]


def test_a_read_that_hangs_ends_with_the_budget(cluster: Lab, ask: Ask) -> None:
    cluster.api.faults["ciliumnetworkpolicies"] = Fault(hangs=True)
    done = ask(*QUESTION, "--output", "json", "--budget", "1.5")
    assert done.status == 2
    assert ("policies", "timeout") in [(gap["part"], gap["gap"]) for gap in done.report["gaps"]]


def test_credentials_that_are_refused_are_told(ask: Ask) -> None:
    done = ask(*QUESTION, "--context", "stranger")
    assert done.status == 2
    assert "CANNOT TELL" in done.out
    assert "Traceback" not in done.errors


def test_a_context_that_is_not_there_is_told(ask: Ask) -> None:
    done = ask(*QUESTION, "--context", "no-such-context")
    assert "no-such-context" in done.errors
    assert done.status == 64
    assert "Traceback" not in done.errors
