"""A storm: 1,000 alerts of 12 causes; workers, Redis and web processes are killed, and Slack is sick.

Usage: ``storm.py [--calm]``. Two web processes take the alerts as Alertmanager posts them: in groups, each delivered
twice, again where the answer was not 200; Slack's pace is its own. With ``--calm`` nobody is killed. What is printed:
cards, how many are doubled and lost, the most posts within a second, and when people see the first and last diagnosis.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from bot.cards.outbox import Outbox
from tests.alerts.payloads import alert, webhook
from tests.e2e.system import System, system
from tools.demo import SAMPLE
from tools.demo.stack import Child
from tools.embedded import free_port

CHANNEL = "C0INCIDENT"
ALERTS = 1_000
GROUP = 50
LONGEST = 240.0
TOKEN = "0123456789abcdef"  # noqa: S105
CAUSES = tuple(
    zip(
        "shop/loadgen shop/frontend shop/frontend shop/cart shop/cart shop/catalog payments/checkout-api"
        " payments/fraud-worker payments/fraud-worker monitoring/prometheus monitoring/grafana default/debug".split(),
        "shop/cart shop/cart shop/catalog shop/redis payments/checkout-api shop/redis payments/ledger-db"
        " payments/ledger-db payments/checkout-api shop/cart monitoring/prometheus shop/frontend".split(),
        (400, 340, 200, 12, 10, 8, 8, 6, 5, 5, 3, 3),
        cycle(("warning", "critical", "info", "warning")),
        strict=False,
    )
)
"""Who, towards whom, how many alerts, how urgent: three causes explain 94 % of them."""


@dataclass(frozen=True, slots=True)
class Web:
    """A web process that takes alerts."""

    process: Child
    port: int

    @retry(
        retry=retry_if_exception_type((urllib.error.URLError, OSError)),
        stop=stop_after_delay(60),
        wait=wait_fixed(0.5),
        reraise=True,
    )
    def post(self, payload: dict[str, Any]) -> None:
        """Post as Alertmanager does: again, until it is taken."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/alerts",
            json.dumps(payload).encode(),
            {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  (loopback)
            answer.read()


def alerts() -> list[dict[str, Any]]:
    """Return the alerts, those of all causes mixed."""
    left = Counter({number: count for number, (_, _, count, _) in enumerate(CAUSES)})
    found = []
    while left.total():
        for number in list(left):
            if left[number]:
                source, destination, _, severity = CAUSES[number]
                labels = {"source": source, "destination": destination, "severity": severity, "reason": "POLICY_DENIED"}
                left[number] -= 1
                one = alert("HubblePolicyDenied", **labels, instance=f"10.0.{number}.{left[number]}")
                found.append({**one, "fingerprint": f"{number:04x}{left[number]:012x}"})
    return found


def start_web(running: System, port: int) -> Web:
    """Start a web process on a port."""
    return Web(running.start_bot(CILIUM_TRIAGE_PORT=str(port)), port)


def post(webs: list[Web], number: int, payload: dict[str, Any]) -> None:
    """Post to whichever process has that number."""
    webs[number].post(payload)


def replace_web(running: System, webs: list[Web], number: int) -> None:
    """Kill a web process, and start another on its port."""
    connections = running.playground.connections()
    webs[number].process.kill()
    running.poll(lambda: running.playground.connections() < connections)
    webs[number] = start_web(running, webs[number].port)


def strike(running: System, webs: list[Web], workers: list[Child]) -> Iterator[str]:
    """Break one part after the other; gives what was done."""
    running.playground.cause(
        lost_replies={"chat.postMessage": 3}, server_errors={"chat.update": 3}, rate_limited={"chat.postMessage": 2}
    )
    yield "Slack loses three acknowledgements, fails at three edits, and is busy twice"
    workers[0].kill()
    workers[0] = running.start_worker()
    yield "worker killed, another started"
    running.redis.kill()
    running.redis.start()
    yield "Redis killed and started on its file"
    for number in range(len(webs)):
        replace_web(running, webs, number)
        yield "web process killed, another started"
    workers[0].kill()
    workers[0] = running.start_worker()
    running.redis.kill()
    running.redis.start()
    yield "worker and Redis again"


def cards_of(running: System) -> list[dict[str, Any]]:
    """Return what stands in the channel, summary and threads left out."""
    found = [one for one in running.playground.messages(CHANNEL) if one.get("thread_ts") in (None, one["ts"])]
    return [one for one in found if "packets are denied" in one["text"]]


def is_diagnosed(card: dict[str, Any]) -> bool:
    """Whether the card has a verdict, or says why it has none."""
    return " – " in card["text"] or "Not diagnosed" in str(card["blocks"])


def most_in_a_second(moments: list[float]) -> int:
    """Return how many moments lie within any one second."""
    ordered = sorted(moments)
    return max((sum(1 for later in ordered if 0 <= later - one < 1) for one in ordered), default=0)


def measure(*, is_calm: bool) -> None:
    """Run the storm, and print what came of it."""
    environment = {
        "CILIUM_TRIAGE_SOURCE": f"sysdump:{SAMPLE}",
        "CILIUM_TRIAGE_ALERTS_TOKEN": TOKEN,
        "CILIUM_TRIAGE_CHANNELS": json.dumps({CHANNEL: {"alerts": "all"}}),
        "CILIUM_TRIAGE_LOG_LEVEL": "INFO",
    }
    with system(settings=None, **environment) as running:
        workers = [running.start_worker()]
        webs = [start_web(running, free_port()) for _ in range(2)]
        found = alerts()
        groups = [webhook(*found[start : start + GROUP]) for start in range(0, len(found), GROUP)]
        started, wall = time.monotonic(), time.time()
        seen: list[float] = []
        strikes = iter(()) if is_calm else strike(running, webs, workers)
        with ThreadPoolExecutor(4) as senders:
            sent = [
                senders.submit(post, webs, number % 2, group) for _ in range(2) for number, group in enumerate(groups)
            ]
            next_strike = 2.0
            while time.monotonic() - started < LONGEST:
                seconds = time.monotonic() - started
                cards = cards_of(running)
                done = sum(map(is_diagnosed, cards))
                seen += [seconds] * (done - len(seen))
                if seconds > next_strike and (struck := next(strikes, None)):
                    print(f"  {seconds:5.1f} s  {struck}; {len(cards)} cards, {done} diagnosed")
                    next_strike = time.monotonic() - started + 3.0
                if done == len(CAUSES) and all(one.done() for one in sent) and _is_quiet(running):
                    break
                time.sleep(0.05)
            for one in sent:
                one.result()
        report(running, wall, seen)


def _is_quiet(running: System) -> bool:
    with running.client() as client:
        return not Outbox(client).due(datetime.now(UTC) + timedelta(minutes=1))


def report(running: System, wall: float, seen: list[float]) -> None:
    """Print the figures."""
    cards = cards_of(running)
    titles = Counter(card["text"].partition(": ")[2].partition(" – ")[0] for card in cards)
    calls = [
        call
        for call in running.playground.calls()
        if call["method"] in ("chat.postMessage", "chat.update") and call["channel"] == CHANNEL
    ]
    edits = [call["at"] - wall for call in calls if call["ok"]]
    with running.client() as client:
        kept = [json.loads(client.get(key) or "{}") for key in client.keys("cilium-triage:card:*")]
    counted = sum(entry["card"]["count"] for entry in kept)
    diagnosed = [one for one in cards if is_diagnosed(one)]
    summary = [one["text"] for one in running.playground.messages(CHANNEL) if "explain" in one["text"]]
    print(
        f"  cards {len(cards)} of {len(CAUSES)}, doubled {sum(titles.values()) - len(titles)},"
        f" lost {len(CAUSES) - len(titles)}, diagnosed {len(diagnosed)}; alerts counted {counted} of {ALERTS}"
    )
    print(f"  summaries {len(summary)}: {'; '.join(summary)}")
    print(
        f"  posts and edits {len(edits)}, refused {sum(not call['ok'] for call in calls)},"
        f" most within a second {most_in_a_second(edits)}"
    )
    print(
        f"  verdicts seen from {min(seen):.1f} s to {max(seen):.1f} s, threads and summary whole at {max(edits):.1f} s"
    )


def main() -> None:
    is_calm = "--calm" in sys.argv[1:]
    print(f"{ALERTS:,} alerts of {len(CAUSES)} causes, {'nobody killed' if is_calm else 'parts killed in the midst'}")
    measure(is_calm=is_calm)


if __name__ == "__main__":
    main()
