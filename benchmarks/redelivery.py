"""Seconds until the answer after each failure: real processes, the settings' defaults, one failure after the other.

Usage: ``redelivery.py [NAME ...]``. Every failure gets a system of its own, and strikes while the question hangs in a
read.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.cluster.lab import lab
from tests.e2e.broken import Broken, children_of
from tests.e2e.system import system
from tools.playground.manifest import installed
from tools.playground.rate import RateLimits

LONGEST = 150.0
OUTAGE = 20.0
"""Seconds for which Slack takes no edit."""


def child_is_killed(broken: Broken) -> None:
    """A process of the worker is killed."""
    broken.heal()
    broken.kill_processes()


def worker_is_replaced(broken: Broken) -> None:
    """The worker is killed whole, and another one starts."""
    broken.heal()
    broken.worker.kill()
    broken.system.start_worker()


def worker_has_a_twin(broken: Broken) -> None:
    """The worker is killed whole; another one runs already."""
    broken.heal()
    broken.worker.kill()


def web_and_worker_are_replaced(broken: Broken) -> None:
    """Worker and web process are killed, and a worker starts."""
    broken.heal()
    broken.bot.kill()
    broken.worker.kill()
    broken.system.start_worker()


def redis_restarts(broken: Broken) -> None:
    """Redis is killed and comes back with its file."""
    broken.heal()
    broken.system.redis.kill()
    broken.system.redis.start()


def redis_forgets(broken: Broken) -> None:
    """Redis is killed and comes back empty."""
    broken.heal()
    broken.system.redis.kill()
    shutil.rmtree(broken.system.redis.directory / "appendonlydir")
    broken.system.redis.start()


def every_run_is_killed(broken: Broken) -> None:
    """Each process that takes the question is killed, until the asker is told."""
    reads = len(broken.policy_reads())
    for _ in range(3):
        broken.system.poll(partial(_has_read, broken, reads), LONGEST)
        broken.kill_processes()
        reads = len(broken.policy_reads()) + 1


def _has_read(broken: Broken, reads: int) -> bool:
    return len(broken.policy_reads()) >= reads


def process_hangs(broken: Broken) -> None:
    """The process is stopped: it beats no more, and hears no limit."""
    broken.heal()
    for child in children_of(broken.worker.pid):
        os.kill(child, signal.SIGSTOP)


def process_hangs_beside_a_twin(broken: Broken) -> None:
    """The same, with another worker that is idle."""
    process_hangs(broken)


def worker_is_told_to_stop(broken: Broken) -> None:
    """The worker is told to stop, as a deployment does, and another one starts."""
    broken.heal()
    os.kill(broken.worker.pid, signal.SIGTERM)
    broken.system.start_worker()


def slack_is_away(broken: Broken) -> None:
    """Slack takes no edit for twenty seconds; counted from its return."""
    broken.heal()
    broken.system.playground.cause(server_errors={"chat.update": 100_000})
    time.sleep(OUTAGE)
    broken.system.playground.cause(server_errors={"chat.update": -100_000})


FAILURES: dict[str, Callable[[Broken], None]] = {
    work.__name__: work
    for work in (
        child_is_killed,
        worker_is_replaced,
        worker_has_a_twin,
        web_and_worker_are_replaced,
        redis_restarts,
        redis_forgets,
        every_run_is_killed,
        process_hangs,
        process_hangs_beside_a_twin,
        worker_is_told_to_stop,
        slack_is_away,
    )
}


def measure(fail: Callable[[Broken], None]) -> tuple[float, str, int]:
    """Ask, let it fail, and return the seconds until the answer, the answer, and how many messages there are."""
    settings = installed(rates=RateLimits(enforced=False))
    with tempfile.TemporaryDirectory() as folder, lab("02-ingress-default-deny", Path(folder)) as cluster:
        addresses = {"CILIUM_TRIAGE_KUBECONFIG": str(cluster.kubeconfig), "HUBBLE_SERVER": cluster.hubble.address}
        with system(settings=settings, **addresses) as running:
            broken = Broken(running, cluster, running.start_worker(), running.start_bot())
            asked = running.mention("why shop/loadgen shop/cart 8080 fresh")
            running.answer(asked)
            with running.client() as client:
                running.poll(
                    lambda: not client.keys("cilium-triage:run:*") and not client.keys("cilium-triage:lease:*")
                )
            asked = broken.ask_and_hang()
            if fail in (worker_has_a_twin, process_hangs_beside_a_twin):
                running.start_worker()
                time.sleep(8)
            started = time.monotonic()
            fail(broken)
            if fail is slack_is_away:
                started = time.monotonic()
            answer = running.answer(asked, LONGEST)
            seconds = time.monotonic() - started
            return seconds, answer, len(running.playground.replies(asked))


def main() -> None:
    for name in sys.argv[1:] or FAILURES:
        try:
            seconds, answer, messages = measure(FAILURES[name])
        except AssertionError:
            print(f"{FAILURES[name].__doc__}\n  no answer within {LONGEST:.0f} s", flush=True)
            continue
        print(f"{FAILURES[name].__doc__}\n  {seconds:5.1f} s, {messages} message: {answer[:70]}", flush=True)


if __name__ == "__main__":
    main()
