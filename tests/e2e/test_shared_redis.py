"""Others use the same Redis: bots of other clusters, and whoever puts something else into the queue."""

import base64
import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

import pytest

from bot.dispatch import TASK, Dispatcher, queue_key
from bot.render.failure import Failure
from bot.surface import Answer
from bot.surfaces.kept import ADDRESS, KeptSurface
from bot.ticket import Ticket
from bot.waiters import Waiters
from bot.watch import Watch
from tests.e2e.system import TIMEOUT, System, system
from tools.demo import QUESTION, SAMPLE
from tools.demo.stack import Child

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module")
def running() -> Iterator[System]:
    with system(CILIUM_TRIAGE_SOURCE=f"sysdump:{SAMPLE}") as made:
        yield made


@pytest.fixture(scope="module")
def workers(running: System) -> Mapping[str, Child]:
    """The workers of two bots, by the prefix of their keys, which is the name of their cluster too."""
    names = ("north", "south")
    started = {name: running.start_worker(CILIUM_TRIAGE_KEY_PREFIX=name, CILIUM_TRIAGE_CLUSTER=name) for name in names}
    for worker in started.values():
        running.poll(partial(is_ready, worker))
    return started


def ask(running: System, prefix: str, cluster: str = "") -> Answer | Failure | None:
    ticket = Ticket(uuid.uuid4().hex, QUESTION, "why", True, ADDRESS, datetime.now(UTC), cluster=cluster)
    dispatcher = Dispatcher(running.redis.url, prefix=prefix)
    with running.client() as client:
        Watch(Waiters(client, prefix=prefix), dispatcher).enter(ticket)
        kept = KeptSurface(client, prefix=prefix).wait(ticket.id, TIMEOUT)
    dispatcher.close()
    return kept


def is_ready(worker: Child) -> bool:
    return "ready." in worker.words()


def runs_of(worker: Child) -> int:
    return worker.words().count('"event": "looking"')


def test_two_bots_with_prefixes_of_their_own(running: System, workers: Mapping[str, Child]) -> None:
    north, south = (partial(runs_of, worker) for worker in workers.values())
    before = north()
    for _ in range(4):
        assert isinstance(ask(running, "south", "south"), Answer)
    assert (north() - before, south() > 0) == (0, True)
    with running.client() as client:
        assert {key.partition(":")[0] for key in client.scan_iter()} == set(workers)
    # The same prefix by mistake: the name of the cluster is the second guard.
    refused = ask(running, "north", "south")
    assert isinstance(refused, Failure)
    assert "asked about the cluster south, and the worker that took it looks at north" in refused.happened


def element(changed: Mapping[str, object], arguments: bytes = b'[["x"], {}, {}]') -> str:
    """A message for a worker, with something wrong."""
    message: dict[str, object] = {
        "body": base64.b64encode(arguments).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"task": TASK, "id": "x"},
        "properties": {
            "correlation_id": "x",
            "delivery_info": {"exchange": "", "routing_key": "questions"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": "d",
        },
    }
    return json.dumps({**message, **changed})


BROKEN = {
    "no JSON": "xyz",
    "no text": b"\xff\xfe\x00",
    "empty": "",
    "an object without anything": "{}",
    "a list": "[]",
    "null": "null",
    "no properties": element({"properties": {}}),
    "a body that is no base64": element({"body": "@@@"}),
    "another content type": element({"content-type": "application/x-python-serialize"}),
    "another encoding": element({"content-encoding": "nope"}),
    "a task that is not there": element({"headers": {"task": "workers.tasks.nosuch", "id": "x"}}),
    "headers of other types": element({"headers": {"task": TASK, "id": None, "timelimit": "x", "eta": "never"}}),
    "no arguments": element({}, b"[[], {}, {}]"),
    "a body that is a number": element({}, b"7"),
    "no ticket": element({}),
    "deep": "[" * 100_000,
}


def test_what_is_no_message_ends_no_worker(running: System, workers: Mapping[str, Child]) -> None:
    with running.client() as client:
        for broken in BROKEN.values():
            client.lpush(queue_key("north"), broken)
        assert isinstance(ask(running, "north", "north"), Answer)
        assert not client.llen(queue_key("north"))
    workers["north"].check()
