"""Kept answers, on a real server."""

from dataclasses import replace

import pytest
import redis

from handlers.engine import answer
from handlers.model.parts import Part
from handlers.model.report import GapNote, Report
from handlers.model.snapshot import Known, Missing
from tests.reading import in_words
from tests.workers.canary import CANARY, NOW, Canary, Script, asked
from workers.cache import ReportCache
from workers.collect import collect
from workers.runner import run


@pytest.fixture
def cache(redis_client: redis.Redis) -> ReportCache:
    return ReportCache(redis_client, cluster="prod")


def report(**changes: object) -> Report:
    made = answer(Canary(), collect(Canary(), Script(), catalogue=CANARY), CANARY)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_second_asker_gets_the_kept_answer_with_its_age(cache: ReportCache) -> None:
    source = Script()
    first = run(asked(), source, cache=cache, catalogue=CANARY)
    second = run(asked(), source, cache=cache, catalogue=CANARY)
    assert first.cached_at is None
    assert second.cached_at is not None
    assert second.report == first.report
    assert len(source.asks) == 1


def test_fresh_looks_again_and_its_answer_is_kept_for_others(cache: ReportCache) -> None:
    source = Script()
    run(asked(), source, cache=cache, catalogue=CANARY)
    assert run(asked(fresh=True), source, cache=cache, catalogue=CANARY).cached_at is None
    assert len(source.asks) == 2
    assert run(asked(), source, cache=cache, catalogue=CANARY).cached_at is not None


def test_clusters_and_questions_are_kept_apart(cache: ReportCache, redis_client: redis.Redis) -> None:
    cache.put(asked(), report())
    assert cache.get(asked("hums")) is None
    assert ReportCache(redis_client, cluster="staging").get(asked()) is None
    assert cache.get(asked()) is not None


def test_kept_answers_lie_beside_the_other_keys_of_their_prefix(redis_client: redis.Redis) -> None:
    ReportCache(redis_client, cluster="prod", prefix="triage-a").put(asked(), report())
    ReportCache(redis_client, cluster="prod", prefix="triage").put(asked(), report())
    assert [len(list(redis_client.scan_iter(f"{prefix}:report:*"))) for prefix in ("triage", "triage-a")] == [1, 1]


def test_an_answer_lives_as_long_as_its_command_allows(cache: ReportCache, redis_client: redis.Redis) -> None:
    cache.put(asked(), report())
    (key,) = redis_client.keys("*")
    assert 0 < redis_client.ttl(key) <= 30


@pytest.mark.parametrize("gap", ["timeout", "unreachable", "failed"])
def test_what_may_be_gone_at_the_next_try_is_not_kept(cache: ReportCache, gap: str) -> None:
    cache.put(asked(), report(gaps=(GapNote("flows", None, gap, "..."),)))
    assert cache.get(asked()) is None


def test_an_answer_that_is_too_large_is_not_kept(cache: ReportCache) -> None:
    import secrets

    cache.put(asked(), report(notes=(secrets.token_hex(700_000),)))
    assert cache.get(asked()) is None


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"x\x9cK\xcaI,\xce\x00\x00"])
def test_an_entry_that_cannot_be_read_is_as_good_as_none(
    cache: ReportCache, redis_client: redis.Redis, rubbish: bytes
) -> None:
    cache.put(asked(), report())
    (key,) = redis_client.keys("*")
    redis_client.set(key, rubbish)
    source = Script()
    assert run(asked(), source, cache=cache, catalogue=CANARY).cached_at is None
    assert source.asks


def test_no_redis_is_no_reason_to_fail() -> None:
    with redis.Redis.from_url("redis://127.0.0.1:1/0", retry=None) as nobody:
        ran = run(asked(), Script(), cache=ReportCache(nobody, cluster="prod"), catalogue=CANARY)
    assert in_words(ran.report) == "it is open"


def test_a_gap_reaches_the_report() -> None:
    from handlers.model.snapshot import Gap

    def read(ask: object) -> Known[object] | Missing:
        return Missing(Gap.FORBIDDEN, "may not list nodes", "Grant list on nodes.")

    ran = run(asked(), Script(read), catalogue=CANARY)
    assert in_words(ran.report) == "it is unknown"
    assert ran.report.gaps == (
        GapNote(Part.NODES.name, None, "forbidden", "may not list nodes", "Grant list on nodes."),
    )
    assert ran.report.taken_at == NOW
