"""Names for those who type: kept while a question is answered, bounded and forgotten, and never waited for."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

import bot.names
from bot.names import Names, NamesOf
from handlers.catalogue import understand
from handlers.names.listed import ListedName, NameKind
from tests.knowledge.build import shop
from tools.demo import SAMPLE
from workers.names import NotingSource, read_names
from workers.runner import run
from workers.sources.sysdump import SysdumpSource


def texts(names: Names, typed: str) -> list[str]:
    return [name.text for name in names.like(typed, most=10)]


def workload(text: str) -> ListedName:
    return ListedName(text, NameKind.WORKLOAD)


def test_what_a_question_read_is_suggested_to_the_next_asker(redis_client: redis.Redis) -> None:
    noting = NotingSource(shop().source(), Names(redis_client))
    run(understand("why shop/frontend shop/cart 8080"), noting)
    noting.close()
    assert texts(Names(redis_client), "cart") == ["shop/cart", "shop/svc/cart"]
    assert texts(Names(redis_client, cluster="prod"), "cart") == []


def test_the_lists_are_read_where_nobody_has_asked_anything(redis_client: redis.Redis) -> None:
    names = Names(redis_client)
    read_names(shop().source(), names, 1.0)
    assert {"shop", "shop/svc/cart", "node/n1"} <= set(texts(names, ""))
    assert [names.is_wished(), names.is_wished()] == [True, False]


def test_an_archive_without_workloads_has_the_names_of_its_pods(redis_client: redis.Redis) -> None:
    source = SysdumpSource(SAMPLE)
    names = Names(redis_client)
    read_names(source, names, 10.0)
    source.close()
    assert {"shop/cart", "shop/loadgen", "payments/checkout-api"} <= set(texts(names, "/c")) | set(
        texts(names, "loadgen")
    )


def test_each_cluster_has_names_of_its_own(redis_client: redis.Redis) -> None:
    of = NamesOf(redis_client)
    of("prod").keep([workload("shop/cart")])
    assert [texts(of("prod"), "cart"), texts(of("test"), "cart")] == [["shop/cart"], []]
    assert of("prod") is of("prod")


def test_names_are_bounded_and_forgotten(redis_client: redis.Redis) -> None:
    clock = [1_000.0]
    names = Names(redis_client, clock=lambda: clock[0])
    names.keep(workload(f"old/{number}") for number in range(bot.names.MOST_NAMES))
    clock[0] += 10
    names.keep([workload("shop/cart")])
    assert redis_client.zcard("cilium-triage:names:") == bot.names.MOST_NAMES
    assert 0 < redis_client.ttl("cilium-triage:names:") <= bot.names.KEEP.total_seconds()
    clock[0] += bot.names.KEEP.total_seconds()
    assert texts(names, "") == ["shop/cart"]
    clock[0] += 11
    assert texts(names, "") == []


def test_what_somebody_may_not_see_is_not_suggested(redis_client: redis.Redis) -> None:
    names = Names(redis_client)
    names.keep([workload("shop/cart"), workload("payments/cart")])
    assert [name.text for name in names.like("cart", most=9, may_see=lambda name: name.namespace == "shop")] == [
        "shop/cart"
    ]


def test_names_of_before_are_forgotten_where_rights_decide(redis_client: redis.Redis) -> None:
    names = Names(redis_client)
    names.keep([workload("shop/cart")])
    names.forget()
    assert texts(Names(redis_client), "cart") == []


def test_without_redis_there_are_no_names_and_nothing_breaks() -> None:
    gone = Names(redis.Redis(port=1, retry=Retry(NoBackoff(), 0)))
    assert (texts(gone, "cart"), gone.is_wished()) == ([], False)
    NotingSource(shop().source(), gone).close()
