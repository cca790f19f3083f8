"""A hundred questions at once: how long until each is acknowledged, and until each has its answer.

Usage: ``python -m benchmarks.load [--questions N] [--write]``. Real processes and a real Redis about the sample
sysdump; every question is another one, so that none shares a run. The pace that Slack allows in one channel is not
enforced: what is measured is ours. ``--write`` puts the table into docs/robustness.md.
"""

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.e2e.broken import children_of
from tests.e2e.system import CHANNEL, Json, System, is_answer, system
from tools.demo import SAMPLE
from tools.playground.manifest import installed
from tools.playground.rate import RateLimits
from tools.robustness import table, write

LONGEST = 300.0
PAIRS = (
    "shop/loadgen shop/cart",
    "shop/frontend shop/cart",
    "shop/frontend shop/catalog",
    "payments/checkout-api shop/cart",
)


def question(number: int) -> str:
    """Return a question that differs from all others."""
    return f"why {PAIRS[number % len(PAIRS)]} {8000 + number} fresh"


def ask(running: System, number: int) -> tuple[Json, float]:
    """Ask, and return the message and when."""
    started = time.monotonic()
    return running.playground.say("ada", CHANNEL, f"@cilium {question(number)}"), started


def measure(questions: int) -> dict[str, float]:
    """Ask all of them at once, and return seconds."""
    with system(
        settings=installed(rates=RateLimits(enforced=False)), CILIUM_TRIAGE_SOURCE=f"sysdump:{SAMPLE}"
    ) as running:
        running.start_worker()
        running.start_bot()
        running.answer(running.mention("why shop/loadgen shop/cart 8080 fresh"), LONGEST)
        before = len(running.playground.deliveries())
        started, used = time.monotonic(), processor_seconds(running)
        with ThreadPoolExecutor(questions) as people:
            asked = list(people.map(partial(ask, running), range(questions)))
        answered: dict[int, float] = {}
        while len(answered) < questions and time.monotonic() - started < LONGEST:
            now, shown = time.monotonic(), running.playground.messages(CHANNEL)
            threads = {one["thread_ts"] for one in shown if one["is_reply"] and is_answer(one)}
            for number, (message, at) in enumerate(asked):
                if number not in answered and message["ts"] in threads:
                    answered[number] = now - at
            time.sleep(0.1)
        last, used = time.monotonic() - started, processor_seconds(running) - used
        mentions = [one for one in running.playground.deliveries()[before:] if one["what"] == "app_mention"]
        acknowledged = [one["milliseconds"] for one in mentions]
        waits = list(answered.values())
        placed = [one for message, _ in asked for one in running.playground.replies(message)]
        return {
            "acknowledged, p50, ms": percentile(acknowledged, 50),
            "acknowledged, p99, ms": percentile(acknowledged, 99),
            "deliveries that were not acknowledged": sum(not one["acknowledged"] for one in mentions),
            "first answer, s": min(waits),
            "answers, p50, s": percentile(waits, 50),
            "last answer, s": last,
            "processor time of web and worker, s": used,
            "answers lost": questions - len(answered),
            "messages too many": len(placed) - questions,
        }


def processor_seconds(running: System) -> float:
    """Return what all processes of ours have used so far."""
    pids = [pid for child in running.children for pid in (child.pid, *children_of(child.pid))]
    ticks = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13] for pid in pids]
    return sum(int(one) for pair in ticks for one in pair) / os.sysconf("SC_CLK_TCK")


def percentile(found: list[float], part: int) -> float:
    """Return the value below which that part of a hundred lies."""
    ordered = sorted(found)
    return ordered[min(len(ordered) - 1, len(ordered) * part // 100)]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--questions", type=int, default=100)
    options.add_argument("--write", action="store_true")
    asked = options.parse_args()
    busy = os.getloadavg()[0]
    found = measure(asked.questions)
    rows: list[tuple[object, ...]] = [(name, f"{value:,.1f}".removesuffix(".0")) for name, value in found.items()]
    around = f"{asked.questions} questions at once, {os.cpu_count()} cores, load before {busy:.1f}."
    text = f"{around}\n\n{table(('what', 'measured'), rows)}"
    print(text)
    if asked.write:
        write("load", text)


if __name__ == "__main__":
    main()
