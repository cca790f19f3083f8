"""What Prometheus is shown, and what the dashboard and the alerts make of it."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot import metrics
from bot.backlog import Backlog
from bot.cards.outbox import Item, Outbox
from bot.cards.place import Place
from bot.clusters import Clusters
from bot.digests.kept import Subscriptions
from bot.digests.subscription import Subscription
from bot.dispatch import queue_key
from bot.measured import Measured
from bot.metrics import METRICS, Kind, Metric, Outcome
from bot.metrics_server import MetricsServer, served
from bot.ticket import Address, Ticket
from bot.waiters import Waiters
from handlers.digests.timetable import Timetable

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy/monitoring/dashboard.json").read_text(encoding="utf-8"))
RULES = yaml.safe_load((ROOT / "deploy/monitoring/prometheus-rule.yaml").read_text(encoding="utf-8"))
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def told(server: MetricsServer) -> dict[str, float]:
    with urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as response:
        text = response.read().decode()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return {f"{one.name}{sorted(one.labels.items())}": one.value for one in samples}


def test_everything_that_is_declared_is_shown_from_the_start() -> None:
    measured = Measured()
    measured.count(metrics.ANSWERED, kind="why", outcome=Outcome.BLOCKED)
    measured.took(metrics.QUESTION_SECONDS, 0.2, kind="why")
    server = MetricsServer("127.0.0.1", 0, lambda: {metrics.REDIS_UP: 1}, measured)
    try:
        found = told(server)
    finally:
        server.close()
    assert found["cilium_triage_questions_total[('kind', 'why'), ('outcome', 'blocked')]"] == 1
    assert found["cilium_triage_questions_total[('kind', 'why'), ('outcome', 'open')]"] == 0
    assert found["cilium_triage_question_seconds_bucket[('kind', 'why'), ('le', '0.25')]"] == 1
    assert found["cilium_triage_question_seconds_sum[('kind', 'why')]"] == 0.2
    assert found["cilium_triage_redis_up[]"] == 1
    names = {name.partition("[")[0] for name in found}
    counted = [name for one in METRICS if one.kind is not Kind.GAUGE for name in one.series_names]
    assert set(counted) <= names


def test_a_port_that_is_taken_does_not_keep_the_process_from_answering_questions() -> None:
    first = MetricsServer("127.0.0.1", 0)
    try:
        assert served("127.0.0.1", first.port) is None
    finally:
        first.close()
    assert served("127.0.0.1", None) is None


def figures(redis: Redis) -> Mapping[Metric, float]:
    return Backlog(redis, now=lambda: NOW).gauges()


def test_an_empty_redis_has_nothing_that_waits(redis_client: Redis) -> None:
    found = figures(redis_client)
    assert found[metrics.REDIS_UP] == 1
    assert found[metrics.REDIS_MEMORY] > 0
    assert {found[one] for one in (metrics.WORKERS_THERE, metrics.OLDEST, metrics.WAITING, metrics.OUTBOX)} == {0}


def test_what_waits_is_told_with_its_age(redis_client: Redis) -> None:
    for seconds in (40, 90):
        asked_at = NOW - timedelta(seconds=seconds)
        Waiters(redis_client).join(Ticket(f"t{seconds}", "health", "health", False, Address("slack", {}), asked_at))
    redis_client.rpush(queue_key("cilium-triage"), "one", "two")
    Clusters(redis_client).say([])
    outbox, place = Outbox(redis_client), Place("T1", "C1")
    outbox.enter(place, Item.card("due"), NOW)
    outbox.enter(place, Item.lapse("later"), NOW + timedelta(hours=1))
    timetable = Timetable("0 8 * * *", "UTC", "health", False)
    subscribed = Subscription("d1", "T1", "C1", timetable, "U1", NOW - timedelta(days=3), NOW - timedelta(hours=20))
    Subscriptions(redis_client).add(subscribed)
    found = figures(redis_client)
    assert found[metrics.OLDEST] == 90
    assert found[metrics.WAITING] == 2
    assert found[metrics.QUEUE_LENGTH] == 2
    assert found[metrics.WORKERS_THERE] == 1
    assert found[metrics.OUTBOX] == 1
    assert found[metrics.SUBSCRIPTIONS] == 1
    assert found[metrics.DIGEST_OVERDUE] == 4 * 3600
    assert {metric for metric in METRICS if metric.kind is Kind.GAUGE} == {*found, metrics.SLACK_CONNECTED}


def test_a_redis_that_is_away_is_said_to_be_and_nothing_else_is() -> None:
    with Redis(port=1, retry=Retry(NoBackoff(), 0)) as away:
        assert figures(away) == {metrics.REDIS_UP: 0}


DECLARED = {name for metric in METRICS for name in metric.series_names}


def expressions(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (str(value) for name, value in part.items() if name in ("expr", "query"))
        for value in part.values():
            yield from expressions(value)
    elif isinstance(part, list):
        for value in part:
            yield from expressions(value)


def named(part: Any) -> set[str]:
    return {name for text in expressions(part) for name in re.findall(r"\bcilium_triage_\w+", text)}


@pytest.mark.parametrize("part", [DASHBOARD, RULES], ids=["dashboard", "alerts"])
def test_every_metric_that_is_asked_for_is_declared(part: Any) -> None:
    assert named(part) <= DECLARED
    assert len(named(part)) >= 10


def test_the_dashboard_shows_every_metric() -> None:
    assert [one.full_name for one in METRICS if not named(DASHBOARD) & set(one.series_names)] == []


def test_every_label_that_is_asked_for_is_declared() -> None:
    """A misspelt value selects nothing, and an alert that selects nothing never fires."""
    values = {value for metric in METRICS for found in metric.labels.values() for value in found}
    labels = {label for metric in METRICS for label in metric.labels} | {"namespace", "le"}
    for text in (*expressions(DASHBOARD), *expressions(RULES)):
        for label, wanted in re.findall(r'(\w+)=~?"([^"]*)"', text):
            assert label in labels
            assert label == "namespace" or set(wanted.split("|")) <= values
        for group in re.findall(r"\bby \(([^)]*)\)", text):
            assert set(group.split(", ")) <= labels


def test_panels_have_places_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 20
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23


def anchors() -> set[str]:
    headings = re.findall(r"^#+ (.+)$", OPERATIONS, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


ALERTS = [rule for group in RULES["spec"]["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", ALERTS, ids=[rule["alert"] for rule in ALERTS])
def test_an_alert_says_what_is_wrong_and_where_the_remedy_stands(rule: dict[str, Any]) -> None:
    page, _, section = rule["annotations"]["runbook_url"].partition("#")
    assert page == "docs/operations.md"
    assert section in anchors()
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["for"]


def test_every_section_about_alerts_belongs_to_one() -> None:
    part = OPERATIONS.partition("## Alerts on the bot itself\n")[2].partition("\n## ")[0]
    sections = {line.lower().replace(" ", "-") for line in re.findall(r"^### (.+)$", part, re.MULTILINE)}
    assert sections == {rule["annotations"]["runbook_url"].partition("#")[2] for rule in ALERTS}
