"""One worker, two clusters, the same question: each has its own answer, from the run to the cache and the buttons."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import redis

from bot.render.failure import Failure
from bot.render.report import report_message
from bot.render.text import brief
from bot.reports import Reports
from bot.surface import Answer
from bot.surfaces.kept import ADDRESS, KeptSurface
from bot.ticket import Ticket
from bot.waiters import Waiters
from handlers.commands.command import Asked
from handlers.model.report import Expected
from tests.scenarios.truth import FOLDER
from workers.answering import Answering, Look
from workers.cache import ReportCache
from workers.runner import Progress, Ran, run
from workers.settings import NotConfiguredError, load_settings
from workers.sources.sysdump import SysdumpSource

ASKED = "why shop/loadgen shop/cart 8080"
DUMPS = {"prod": "02-ingress-default-deny", "stage": "01-baseline"}
"""In the one a policy stops what passes in the other."""


def looking_at(cluster: str, client: redis.Redis) -> Look:
    cache = ReportCache(client, cluster=cluster)

    def look(asked: Asked, progress: Progress) -> Ran:
        source = SysdumpSource(FOLDER / DUMPS[cluster] / "sysdump.zip")
        try:
            return run(asked, source, cache=cache)
        finally:
            source.close()

    return look


@pytest.fixture
def ask(redis_client: redis.Redis) -> Callable[[str], Answer | Failure]:
    surface = KeptSurface(redis_client)
    waiters = Waiters(redis_client)
    looks = {name: looking_at(name, redis_client) for name in DUMPS}
    answering = Answering(looks, waiters, surface, Reports(redis_client), soft_limit=40)

    def asked(cluster: str) -> Answer | Failure:
        ticket = Ticket(uuid.uuid4().hex, ASKED, "why", False, ADDRESS, datetime.now(UTC), cluster=cluster)
        waiters.join(ticket)
        answering.answer(ticket, ticket.id)
        return surface.fetch(ticket.id)

    return asked


def test_each_cluster_has_its_own_answer_also_out_of_the_cache(ask: Callable[[str], Answer | Failure]) -> None:
    told = {"prod": (Expected.BLOCKED, "prod"), "stage": (Expected.OPEN, "stage"), "": (Expected.BLOCKED, "prod")}
    for is_cached in (False, True):
        for cluster, (expected, named) in told.items():
            answer = ask(cluster)
            assert isinstance(answer, Answer)
            assert (answer.report.expected, answer.report.cluster) == (expected, named)
            assert (answer.cached_at is not None) is (is_cached or cluster == "")


def test_an_answer_names_its_cluster_and_its_buttons_ask_the_same_one(ask: Callable[[str], Answer | Failure]) -> None:
    answer = ask("stage")
    assert isinstance(answer, Answer)
    assert "cluster stage: sysdump" in brief(answer.report)
    assert f"{ASKED} fresh cluster stage" in json.dumps(report_message(answer.report, report_id="1").blocks)


def test_a_question_about_another_cluster_is_refused_with_the_names(ask: Callable[[str], Answer | Failure]) -> None:
    refused = ask("test")
    assert isinstance(refused, Failure)
    assert refused.happened.endswith("the worker that took it looks at prod, stage.")


@pytest.mark.parametrize(
    ("clusters", "cluster", "served"),
    [
        pytest.param({}, "", [""], id="one without a name"),
        pytest.param({}, "prod", ["prod"], id="one with a name"),
        pytest.param({"a": {"context": "x"}, "b": {"source": "sysdump:/b.zip"}}, "", ["a", "b"], id="several"),
        pytest.param({"a": {}, "b": {}}, "b", ["b", "a"], id="several, and which is meant where nobody says"),
    ],
)
def test_which_clusters_a_worker_looks_at(
    monkeypatch: pytest.MonkeyPatch, clusters: dict[str, object], cluster: str, served: list[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://localhost:6379/0")
    monkeypatch.setenv("CILIUM_TRIAGE_CLUSTERS", json.dumps(clusters))
    monkeypatch.setenv("CILIUM_TRIAGE_CLUSTER", cluster)
    found = load_settings().served
    assert [one.name for one in found] == served
    assert len({one.key for one in found}) == len(found)


@pytest.mark.parametrize(
    ("clusters", "problem"),
    [
        pytest.param('{"two words": {}}', "is no name of a cluster", id="two words"),
        pytest.param('{"a": {"contxt": "x"}}', "CILIUM_TRIAGE_CLUSTERS", id="a word that means nothing"),
        pytest.param('{"a": {}}', "CILIUM_TRIAGE_CLUSTER is prod", id="the one that is meant is none of them"),
    ],
)
def test_clusters_that_cannot_be_are_refused(monkeypatch: pytest.MonkeyPatch, clusters: str, problem: str) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://localhost:6379/0")
    monkeypatch.setenv("CILIUM_TRIAGE_CLUSTER", "prod")
    monkeypatch.setenv("CILIUM_TRIAGE_CLUSTERS", clusters)
    with pytest.raises(NotConfiguredError, match=problem):
        load_settings()
