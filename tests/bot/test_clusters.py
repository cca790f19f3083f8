"""Several clusters, one bot: a question goes to the workers of the cluster that it, its thread or its channel names."""

import base64
import json

import pytest
from redis import Redis

from bot.channels import Channels
from bot.clusters import Clusters
from bot.dispatch import queue_key
from bot.fixes.kept import FixWatches
from bot.ticket import Ticket
from handlers.names.which_cluster import Named, cluster_meant, cluster_named, cluster_surely_named
from tests.bot.conftest import Bot

KNOWN = ("prod", "stage", "eu-1.example")
ASKED = "why shop/frontend shop/cart 8080"
HERE = "#incident-42"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("why a/b c/d 80 cluster prod", Named("why a/b c/d 80", "prod"), id="in the end"),
        pytest.param("in cluster prod why a/b c/d", Named("why a/b c/d", "prod"), id="in the beginning"),
        pytest.param("cluster stage: drops shop", Named("drops shop", "stage"), id="before a colon"),
        pytest.param("drops shop on cluster Prod since 1h", Named("drops shop since 1h", "prod"), id="in the midst"),
        pytest.param("is a/b cut off in the prod cluster?", Named("is a/b cut off?", "prod"), id="the other way round"),
        pytest.param("health cluster=stage", Named("health", "stage"), id="with an equals sign"),
        pytest.param("health --cluster stage", Named("health", "stage"), id="as an option"),
        pytest.param("health in cluster eu-1.example.", Named("health", "eu-1.example"), id="with dots"),
        pytest.param("health cluster `prod`", Named("health", "prod"), id="quoted"),
        pytest.param("health of the cluster", Named("health of the cluster"), id="no name"),
        pytest.param("why a/b c/cluster prod", Named("why a/b c/cluster prod"), id="a pod called cluster"),
        pytest.param("drops prod", Named("drops prod"), id="a namespace called like it"),
        pytest.param("why my-cluster/prod a/b", Named("why my-cluster/prod a/b"), id="a namespace with the word"),
        pytest.param("health cluster production", Named("health cluster production"), id="a longer name"),
    ],
)
def test_the_cluster_that_a_question_names(text: str, named: Named) -> None:
    assert cluster_named(text, KNOWN) == named


def test_a_name_that_nobody_knows_is_read_in_the_end_alone() -> None:
    assert cluster_meant(f"{ASKED} in cluster prd?") == Named(f"{ASKED}?", "prd")
    assert cluster_meant(f"in cluster prd {ASKED}") == Named(f"in cluster prd {ASKED}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("can a/b not reach c/d in cluster prd?", "prd", id="in a sentence"),
        pytest.param("can a/b in the cluster prd not reach c/d?", "prd", id="in the midst of one"),
        pytest.param("health cluster=prd", "prd", id="with an equals sign"),
        pytest.param("health --cluster prd", "prd", id="as an option"),
        pytest.param("is a/b cut off in cluster dns?", "", id="what follows is no name"),
        pytest.param("is anything wrong in the cluster?", "", id="nothing follows"),
        pytest.param("is my cluster healthy", "", id="no preposition"),
    ],
)
def test_a_name_that_is_surely_one_is_never_passed_over(text: str, name: str) -> None:
    assert cluster_surely_named(text) == name


def test_workers_that_say_no_more_are_forgotten(redis: Redis) -> None:
    now = [1_000.0]
    clusters = Clusters(redis, clock=lambda: now[0])
    clusters.say(["prod", "stage"])
    now[0] += 40
    clusters.say(["prod"])
    assert clusters.looked_at() == ("prod", "stage")
    now[0] += 10
    assert clusters.looked_at() == ("prod",)
    clusters.say([""])
    assert clusters.looked_at() == ("prod",)


@pytest.fixture
def two(redis: Redis, bot: Bot) -> Redis:
    Clusters(redis).say(["prod", "stage"])
    return redis


def taken(redis: Redis, cluster: str) -> Ticket:
    """Wait for what a worker of this cluster finds."""
    found = redis.blpop([queue_key("cilium-triage", cluster)], 4)
    assert found, f"nothing came for {cluster}"
    args, _kwargs, _embed = json.loads(base64.b64decode(json.loads(found[1])["body"]))
    return Ticket.from_json(args[0])


def test_a_question_goes_to_the_workers_of_its_cluster_and_a_thread_stays_with_it(bot: Bot, two: Redis) -> None:
    root = bot.slack.say("ada", HERE, f"@cilium {ASKED} cluster stage")
    ticket = taken(two, "stage")
    assert (ticket.text, ticket.cluster) == (ASKED, "stage")
    bot.settle()
    bot.slack.say("grace", HERE, "@cilium and on 9090?", thread_ts=root["ts"])
    assert taken(two, "stage").text == "why shop/frontend shop/cart 9090"
    bot.slack.say("grace", HERE, f"@cilium {ASKED} in cluster prod", thread_ts=root["ts"])
    assert taken(two, "prod").text == ASKED


def test_where_nothing_says_which_of_several_clusters_is_meant_it_is_asked_back(bot: Bot, two: Redis) -> None:
    bot.slack.command("ada", HERE, "/cilium", ASKED)
    said = bot.said_to("ada", HERE)
    assert said.startswith("There are several clusters, prod, stage, and nothing says which one is meant.")
    assert f"{ASKED} cluster prod | {ASKED} cluster stage" in said
    assert two.exists(queue_key("cilium-triage")) == 0


def test_the_same_question_about_two_clusters_is_two(bot: Bot, two: Redis) -> None:
    bot.slack.say("ada", HERE, f"@cilium {ASKED} cluster stage")
    bot.slack.say("ada", HERE, f"@cilium {ASKED} cluster prod")
    assert taken(two, "stage").key != taken(two, "prod").key


def test_a_channel_is_about_the_cluster_that_was_set_of_it(bot: Bot, two: Redis) -> None:
    channels: Channels = bot.web.channels
    channels.set([("C0INCIDENT", "cluster", "prod")], by="grace")
    bot.slack.command("ada", HERE, "/cilium", ASKED)
    assert taken(two, "prod").cluster == "prod"
    bot.slack.command("ada", HERE, "/cilium", f"{ASKED} cluster stage")
    assert taken(two, "stage").cluster == "stage"
    channels.reset("C0INCIDENT")


def test_a_watch_asks_the_cluster_that_it_names_and_one_of_each_cluster_may_run(bot: Bot, two: Redis) -> None:
    for cluster in ("stage", "prod"):
        bot.slack.command("ada", HERE, "/cilium", f"watch {ASKED} cluster {cluster}")
    bot.settle()
    kept = FixWatches(two).listed()
    assert {(one.question, one.cluster) for one in kept} == {(ASKED, "stage"), (ASKED, "prod")}
    for one in kept:
        FixWatches(two).end(one.id)


@pytest.mark.parametrize(
    "words",
    [f"{ASKED} cluster prd", "is shop/frontend cut off from shop/cart in cluster prd?"],
    ids=["typed", "a sentence"],
)
def test_a_cluster_that_nobody_looks_at_is_named_with_those_that_somebody_does(
    bot: Bot, two: Redis, words: str
) -> None:
    bot.slack.command("ada", HERE, "/cilium", words)
    said = bot.said_to("ada", HERE)
    assert said == "Nobody looks at a cluster prd. Ask about one of these: prod, stage."
    assert two.exists(queue_key("cilium-triage")) == 0
