"""Questions at a steady rate, and whether memory, descriptors and keys grow meanwhile.

Usage: ``python -m benchmarks.soak [--minutes N] [--rate N] [--write]``, an hour at two a second unless told. Real
processes and a real Redis about the sample sysdump; four questions of five are about the same connections again, the
fifth is new. What keeps growing shows in the slope, by least squares over the second half: keys of Redis that are kept
for an hour, such as marks of what was answered, grow with the questions until that hour is over and are told apart.
``--write`` puts the table into docs/robustness.md.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from redis import Redis

from tests.e2e.broken import children_of
from tests.e2e.system import Json, System, is_answer, system
from tools.demo import SAMPLE
from tools.playground.manifest import installed
from tools.playground.rate import RateLimits
from tools.robustness import table, write

CHANNELS = ("#incident-42", "#platform")
PAIRS = (
    "shop/loadgen shop/cart",
    "shop/frontend shop/cart",
    "shop/frontend shop/catalog",
    "payments/checkout-api shop/cart",
)
_SAMPLES = 40
_PATIENCE = 60.0
_FORGET_EVERY = 500
"""Questions after which the stand-in for Slack forgets its messages: it has no disk to keep them on."""


def question(number: int) -> str:
    """Return a question; every fifth is one that nobody asked before."""
    port = 8000 + number % 50_000 if number % 5 == 0 else 8080
    return f"why {PAIRS[number % len(PAIRS)]} {port}"


def sampled(running: System, client: Redis) -> Iterator[tuple[str, float]]:
    """Give what is measured now: by name, MiB and counts."""
    worker, bot = running.children[0], running.children[1]
    processes = {"worker": [worker.pid], "worker's children": children_of(worker.pid), "web": [bot.pid]}
    for name, pids in processes.items():
        yield f"memory of {name}, MiB", sum(map(memory, pids)) / 1024
        yield f"descriptors of {name}", sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in pids)
        yield f"threads of {name}", sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in pids)
    lasting = timed = 0
    for key in client.scan_iter(count=1_000):
        if client.ttl(key) == -1:
            lasting += 1
        else:
            timed += 1
    yield "keys that never expire", lasting
    yield "keys that expire", timed
    yield "memory of Redis, MiB", client.info("memory")["used_memory"] / 2**20


def memory(pid: int) -> int:
    """Return the KiB that a process has in memory, those that it shares with its parent among them.

    Its share of them would grow by itself, as parent and child each write to their copies.
    """
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Rss:"))


def slope(points: list[tuple[float, float]]) -> float:
    """Return by how much a value grows in an hour, by least squares; the points are seconds and values."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def measure(minutes: float, rate: float) -> tuple[dict[str, list[tuple[float, float]]], Counter[str]]:
    """Ask for so long, and return what was sampled, and how many were asked, answered and doubled."""
    found: dict[str, list[tuple[float, float]]] = {}
    counts: Counter[str] = Counter()
    settings = installed(rates=RateLimits(enforced=False))
    with system(settings=settings, CILIUM_TRIAGE_SOURCE=f"sysdump:{SAMPLE}") as running, running.client() as client:
        running.start_worker()
        running.start_bot()
        running.answer(running.mention("why shop/loadgen shop/cart 8080"), _PATIENCE)
        started, asked = time.monotonic(), list[Json]()
        lasts, every, next_sample = minutes * 60, minutes * 60 / _SAMPLES, 0.0
        while (now := time.monotonic() - started) < lasts:
            if now >= next_sample:
                for name, value in sampled(running, client):
                    found.setdefault(name, []).append((now, value))
                next_sample += every
            due = int(now * rate)
            while counts["asked"] < due:
                channel = CHANNELS[counts["asked"] % len(CHANNELS)]
                asked.append(running.playground.say("ada", channel, f"@cilium {question(counts['asked'])}"))
                counts["asked"] += 1
            if len(asked) >= _FORGET_EVERY:
                settle(running, asked, counts)
            time.sleep(0.05)
        settle(running, asked, counts)
        for name, value in sampled(running, client):
            found[name].append((time.monotonic() - started, value))
    return found, counts


def settle(running: System, asked: list[Json], counts: Counter[str]) -> None:
    """Wait for the answers to all that was asked, count them, and have the stand-in for Slack forget them."""
    waits_until = time.monotonic() + _PATIENCE
    wanted = {message["ts"] for message in asked}
    said: Counter[str] = Counter()
    while time.monotonic() < waits_until:
        shown = [one for channel in CHANNELS for one in running.playground.messages(channel)]
        said = Counter(one["thread_ts"] for one in shown if one["is_reply"] and is_answer(one))
        if wanted <= said.keys():
            break
        time.sleep(0.5)
    counts["answered"] += sum(said[one] > 0 for one in wanted)
    counts["doubled"] += sum(max(0, said[one] - 1) for one in wanted)
    asked.clear()
    running.poll(running.is_idle)
    running.playground.reset()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=60.0)
    options.add_argument("--rate", type=float, default=2.0)
    options.add_argument("--write", action="store_true")
    asked = options.parse_args()
    found, counts = measure(asked.minutes, asked.rate)
    rows: list[tuple[object, ...]] = []
    for name, points in found.items():
        half = points[len(points) // 2 :]
        values = [value for _, value in points]
        cells = (values[0], values[len(values) // 2], values[-1], slope(half))
        rows.append((name, *(f"{value:,.1f}" for value in cells)))
    around = (
        f"{asked.minutes:g} minutes at {asked.rate:g} questions a second, {os.cpu_count()} cores:"
        f" {counts['asked']:,} asked, {counts['asked'] - counts['answered']:,} answers lost,"
        f" {counts['doubled']:,} doubled."
    )
    text = f"{around}\n\n{table(('what', 'at the start', 'in the middle', 'at the end', 'growth an hour'), rows)}"
    print(text)
    if asked.write:
        write("soak", text)


if __name__ == "__main__":
    main()
