"""The command line on a cluster: a fake API and Hubble, the real command."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.fake_api import Fault
from tests.cluster.lab import Lab, lab

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


def ask(cluster: Lab, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [COMMAND, *words, "--kubeconfig", str(cluster.kubeconfig)],
        env={**os.environ, "HUBBLE_SERVER": cluster.hubble.address, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def answered(done: "subprocess.CompletedProcess[str]") -> Any:
    assert not done.stderr
    return json.loads(done.stdout)


def test_a_cluster_is_judged(cluster: Lab) -> None:
    done = ask(cluster, *QUESTION, "--output", "json")
    report = answered(done)
    assert (done.returncode, report["expected"]) == (1, "blocked")
    assert report["gaps"] == []
    cited = {
        evidence["ref"] for finding in report["findings"] if finding["blocking"] for evidence in finding["evidence"]
    }
    assert "CiliumNetworkPolicy/shop/cart-allow-frontend" in cited


def test_the_cluster_is_named_by_its_context(cluster: Lab) -> None:
    assert "cluster lab" in ask(cluster, *QUESTION, "--context", "lab").stdout


@pytest.mark.parametrize("status", [403, 500])
def test_policies_that_cannot_be_read_leave_doubt(cluster: Lab, status: int) -> None:
    cluster.api.faults["ciliumnetworkpolicies"] = Fault(status=status)
    done = ask(cluster, *QUESTION, "--output", "json")
    report = answered(done)
    assert (done.returncode, report["expected"]) == (2, "unknown")
    assert [gap["part"] for gap in report["gaps"] if gap["part"] == "policies"]


def test_a_read_that_hangs_ends_with_the_budget(cluster: Lab) -> None:
    cluster.api.faults["ciliumnetworkpolicies"] = Fault(hangs=True)
    done = ask(cluster, *QUESTION, "--output", "json", "--budget", "1.5")
    report = answered(done)
    assert done.returncode == 2
    assert ("policies", "timeout") in [(gap["part"], gap["gap"]) for gap in report["gaps"]]


def test_credentials_that_are_refused_are_told(cluster: Lab) -> None:
    done = ask(cluster, *QUESTION, "--context", "stranger")
    assert done.returncode == 2
    assert "CANNOT TELL" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_context_that_is_not_there_is_told(cluster: Lab) -> None:
    done = ask(cluster, *QUESTION, "--context", "no-such-context")
    assert "no-such-context" in done.stdout + done.stderr
    assert done.returncode in (2, 64)
    assert "Traceback" not in done.stderr
