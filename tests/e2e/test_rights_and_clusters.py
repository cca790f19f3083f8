"""Two clusters, two workers and rights by person, through the whole system, with reviews over HTTP."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cluster.fake_api import FakeApi
from tests.e2e.system import CHANNEL, System, is_answer, system
from tests.rights.leaks import names_in, names_said
from tests.scenarios.truth import FOLDER
from tools.demo.stack import Child

pytestmark = [pytest.mark.timeout(120), pytest.mark.chaos]

DUMPS = {"prod": "14-both-sides", "stage": "01-baseline"}
ASKED = "why shop/loadgen payments/checkout-api 443"
PEOPLE = {
    "people": [{"slack": "U0MARCO001", "user": "marco"}, {"slack": "U0ADA00001", "user": "ada"}],
    "default": {"groups": ["guests"]},
}
READS = {"marco": ("shop", "payments"), "ada": ("shop",), "guests": ("shop",)}
RIGHTS = (
    ("list", "", "pods"),
    ("list", "", "services"),
    ("get", "", "pods/log"),
    ("list", "cilium.io", "ciliumnetworkpolicies"),
    ("list", "networking.k8s.io", "networkpolicies"),
)


@pytest.fixture(scope="module")
def api() -> Iterator[FakeApi]:
    with FakeApi({}) as running:
        running.grants = {
            (who, namespace, right) for who, namespaces in READS.items() for namespace in namespaces for right in RIGHTS
        }
        yield running


@pytest.fixture(scope="module")
def running(api: FakeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    kubeconfig = api.kubeconfig(tmp_path_factory.mktemp("kube"))
    with system(CILIUM_TRIAGE_RIGHTS=json.dumps(PEOPLE), CILIUM_TRIAGE_KUBECONFIG=str(kubeconfig)) as made:
        workers = [
            made.start_worker(
                CILIUM_TRIAGE_CLUSTER=name, CILIUM_TRIAGE_SOURCE=f"sysdump:{FOLDER / dump / 'sysdump.zip'}"
            )
            for name, dump in DUMPS.items()
        ]
        for worker in workers:
            made.poll(partial(_is_ready, worker))
        made.start_bot(CILIUM_TRIAGE_AUDIT="redis")
        yield made


def _is_ready(worker: Child) -> bool:
    return "ready." in worker.words()


@pytest.fixture(autouse=True)
def _clean(running: System) -> None:
    running.playground.reset()


def test_each_cluster_answers_for_itself(running: System) -> None:
    told = {name: running.answer(running.mention(f"{ASKED} cluster {name}")) for name in DUMPS}
    assert told["prod"].startswith("BLOCKED at egress")
    assert told["stage"].startswith("OPEN")
    assert "cluster prod: " in told["prod"]
    assert "cluster stage: " in told["stage"]


def test_a_cluster_that_nobody_looks_at_is_refused_by_name(running: System) -> None:
    asked = running.mention(f"{ASKED} cluster test")
    assert "Ask about one of these: prod, stage" in running.answer(asked)


def test_a_channel_sees_its_part_and_who_asked_the_rest_and_buttons_check_who_pressed(running: System) -> None:
    forbidden = names_in(FOLDER / DUMPS["prod"] / "sysdump.zip").forbidden_to(("shop",))
    running.playground.command("marco", CHANNEL, "/cilium", f"{ASKED} cluster prod")

    def alone() -> list[dict[str, object]]:
        return [one for one in running.playground.messages(CHANNEL) if one.get("only_for") == "U0MARCO001"]

    assert "checkout-ingress" in json.dumps(running.wait_for(alone))
    answer = next(one for one in running.playground.messages(CHANNEL) if is_answer(one) and not one.get("only_for"))
    assert names_said(json.dumps(answer), forbidden) == []
    running.playground.click(answer, "evidence", user="ada")
    (_name, evidence) = running.wait_for(running.playground.files)[0]
    assert names_said(evidence.decode(), forbidden) == []
    assert "in a namespace that you may not read" in evidence.decode()


def test_suggestions_hold_no_names(running: System) -> None:
    running.answer(running.mention(f"{ASKED} cluster prod"))
    with running.client() as client:
        assert list(client.scan_iter("cilium-triage:names:*")) == []


def test_when_reviews_fail_nobody_sees_a_name(running: System, api: FakeApi, tmp_path: Path) -> None:
    granted, api.grants = api.grants, set()
    with running.client() as client:
        client.delete(*client.scan_iter("cilium-triage:review:*"))
    try:
        asked = running.mention(f"{ASKED} cluster prod", user="marco")
        running.answer(asked)
        said = json.dumps([one["blocks"] for one in running.playground.replies(asked)])
    finally:
        api.grants = granted
    assert names_said(said, names_in(FOLDER / DUMPS["prod"] / "sysdump.zip").forbidden_to(())) == []
