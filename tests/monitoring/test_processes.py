"""One question, watched on its way through both processes: by its lines in two logs, by metrics, by a trace."""

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.system import System, system
from tools.demo import QUESTION, SAMPLE
from tools.demo.stack import Child

pytestmark = pytest.mark.timeout(90)


@dataclass
class Collector:
    """Takes what OpenTelemetry sends: (service, name of the span, id of its trace), and all of it as text."""

    spans: list[tuple[str, str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            spans = [span for scope in resource.scope_spans for span in scope.spans]
            self.spans += [(named["service.name"], span.name, span.trace_id.hex()) for span in spans]


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield found
        server.shutdown()


def lines(child: Child) -> list[dict[str, Any]]:
    return [json.loads(line) for line in child.words().splitlines() if line.startswith("{")]


def metrics(running: System, child: Child, key: str) -> Counter[str]:
    """What a process tells Prometheus, summed by name and value of the label that matters."""
    ports = running.poll(lambda: [line[key] for line in lines(child) if line["event"] in ("ready", "metrics_served")])
    with urlopen(f"http://127.0.0.1:{ports[0]}/metrics", timeout=5) as response:
        families = text_string_to_metric_families(response.read().decode())
    found: Counter[str] = Counter()
    for sample in (sample for family in families for sample in family.samples):
        found[" ".join([sample.name.removeprefix("cilium_triage_"), *sample.labels.values()])] += int(sample.value)
    return found


def children_of(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_a_question_is_followed_through_both_processes(collector: Collector) -> None:
    with system(
        CILIUM_TRIAGE_SOURCE=f"sysdump:{SAMPLE}",
        CILIUM_TRIAGE_METRICS_PORT="0",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_BSP_SCHEDULE_DELAY="50",
    ) as running:
        worker, bot = running.start_worker(), running.start_bot()
        running.answer(running.mention(QUESTION))

        running.poll(lambda: [one for one in lines(worker) if "answer" in one["event"] and "succeeded" in one["event"]])
        (ticket,) = {line["ticket"] for line in lines(bot) if line["event"] == "asked"}
        of_ticket = [line["event"] for line in lines(worker) if line.get("ticket") == ticket]
        assert of_ticket == ["looking", "looked", "told"]
        about_it = [line for line in lines(worker) if "shop/" in json.dumps(line) or "tasks.answer" in json.dumps(line)]
        assert [line for line in about_it if ticket not in json.dumps(line)] == []

        of_worker, of_bot = metrics(running, worker, "port"), metrics(running, bot, "metrics")
        assert of_bot["asked_total mention"] == 1
        assert of_bot["redis_up"] == of_bot["worker_there"] == of_bot["slack_connected"] == 1
        assert of_bot["slack_calls_total taken"] > 0
        assert sum(count for name, count in of_worker.items() if name.startswith("questions_total why ")) == 1
        for stage in ("queue", "read", "judge", "publish"):
            assert of_worker[f"stage_seconds_count {stage}"] == 1
        assert of_worker["cache_lookups_total miss"] == 1

        expected = {("cilium-triage-web", "take")}
        expected |= {("cilium-triage-worker", name) for name in ("queue", "read", "judge", "publish", "question")}
        running.poll(
            lambda: {(service, name) for service, name, trace in collector.spans if trace == ticket} >= expected
        )
        assert not any(b"shop" in body for body in collector.bodies)

        for process in children_of(worker.pid):
            os.kill(process, signal.SIGKILL)
        running.answer(running.mention(f"{QUESTION} fresh"))
        running.poll(lambda: metrics(running, worker, "port")["cache_lookups_total fresh"] == 1)
        assert metrics(running, worker, "port")["cache_lookups_total miss"] == 1
