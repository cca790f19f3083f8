"""Flows per second and peak memory: from Hubble's bytes, or from the lines of a sysdump, to groups of drops.

Each way runs in a process of its own, so that its peak memory is its own. Usage: ``flows.py [--count N]``.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from handlers.connection.drop_groups import drop_groups
from handlers.model.flow import FlowLog
from handlers.model.scope import FlowMatch, FlowQuery
from workers.sources.deadline import Deadline
from workers.sources.hubble import HubbleReader
from workers.sources.hubble_pb import triage_hubble_pb2 as pb
from workers.sources.sysdump.source import SysdumpSource

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SPAN = timedelta(minutes=10)
PAIRS = 2_000
FILES = 10
DROPS = FlowMatch(verdicts=("DROPPED", "AUDIT"))


def flow(number: int) -> pb.GetFlowsResponse:
    """Make a dropped flow between one of many pairs of pods, with the labels and policies that flows carry."""
    pair = number % PAIRS
    moment = Timestamp(seconds=int((NOW - SPAN).timestamp()) + number % 600, nanos=number % 1_000_000 * 1000)
    return pb.GetFlowsResponse(
        node_name=f"cluster/node-{pair % FILES}",
        flow=pb.Flow(
            time=moment,
            uuid=f"{number:08x}-0000-4000-8000-000000000000",
            verdict=pb.DROPPED,
            drop_reason=133,
            drop_reason_desc=pb.POLICY_DENIED,
            Type=pb.L3_L4,
            node_name=f"cluster/node-{pair % FILES}",
            event_type=pb.CiliumEventType(type=1, sub_type=133),
            traffic_direction=pb.INGRESS,
            IP=pb.IP(source=f"10.1.{pair // 250}.{pair % 250}", destination=f"10.2.{pair // 250}.{pair % 250}"),
            l4=pb.Layer4(
                TCP=pb.TCP(source_port=30_000 + number % 30_000, destination_port=8080, flags=pb.TCPFlags(SYN=True))
            ),
            source=_end(pair, "client"),
            destination=_end(pair, "server"),
        ),
    )


def _end(pair: int, side: str) -> pb.Endpoint:
    name = f"{side}-{pair % 400}"
    namespace = f"team-{pair % 40}"
    return pb.Endpoint(
        identity=1000 + pair,
        namespace=namespace,
        pod_name=f"{name}-7d4b9c6f5-x{pair}",
        labels=[
            f"k8s:app={name}",
            "k8s:io.cilium.k8s.policy.cluster=default",
            f"k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name={namespace}",
            "k8s:io.cilium.k8s.policy.serviceaccount=default",
            f"k8s:io.kubernetes.pod.namespace={namespace}",
            "k8s:tier=backend",
        ],
        workloads=[pb.Workload(name=name, kind="Deployment")],
    )


@dataclass(frozen=True)
class Answer:
    """What a call that is under way gives in the end."""

    value: Any

    def result(self) -> Any:
        """Return it."""
        return self.value

    def cancel(self) -> None:
        """Be too late."""


class Wire:
    """A channel whose flows are bytes in memory, decoded as gRPC would."""

    def __init__(self, count: int) -> None:
        self._written = [flow(number).SerializeToString() for number in range(PAIRS * 4)]
        self._count = count

    def unary_stream(self, _path: str, *, response_deserializer: Callable[[bytes], Any], **_: Any) -> Any:
        """Return the call of a stream."""

        def call(request: pb.GetFlowsRequest, timeout: float) -> Iterator[Any]:
            wanted = min(request.number or self._count, self._count)
            return (response_deserializer(self._written[number % len(self._written)]) for number in range(wanted))

        return call

    def unary_unary(self, path: str, **_: Any) -> Any:
        """Return a call that knows no nodes."""

        class Call:
            def future(self, _request: Any, timeout: float) -> Answer:
                return Answer(pb.GetNodesResponse() if path.endswith("GetNodes") else pb.ServerStatusResponse())

        return Call()

    def close(self) -> None:
        """Hold nothing."""


def query(match: FlowMatch = DROPS, limit: int = 20_000) -> FlowQuery:
    """Ask for the drops of the span."""
    return FlowQuery((match,), NOW - SPAN, NOW, limit)


def from_wire(count: int) -> FlowLog:
    """Read the stream."""
    reader = HubbleReader(Wire(count), "in memory", lambda: NOW)  # type: ignore[arg-type]
    return reader.flows(query(), (), Deadline.after(600))


def write(folder: Path, count: int) -> int:
    """Write flow files as a sysdump holds them, and return their size in bytes."""
    size = 0
    (folder / "cilium-sysdump.log").write_text("taken\n")
    lines = [
        json.dumps(MessageToDict(flow(number), preserving_proto_field_name=True), separators=(",", ":"))
        for number in range(PAIRS * 4)
    ]
    for file in range(FILES):
        path = folder / f"hubble-flows-cilium-{file:05}-20260101-120000.json"
        with path.open("w") as opened:
            for number in range(count // FILES):
                size += opened.write(lines[number * FILES % len(lines)] + "\n")
    return size


def from_files(folder: Path) -> FlowLog:
    """Read the files."""
    source = SysdumpSource(folder)
    try:
        return source.flows(query(), (), Deadline.after(600))
    finally:
        source.close()


def measure(read: Callable[[], FlowLog], count: int) -> str:
    """Read and group, and say how long it took."""
    started = time.process_time()
    log = read()
    seconds = time.process_time() - started
    grouped = time.process_time()
    groups = len(drop_groups(log.flows, {}))
    grouping = time.process_time() - grouped
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    total = count / (seconds + grouping)
    return f"{count:9} {len(log.flows):9} {seconds:8.1f} {grouping:8.2f} {total:9.0f} {groups:7} {peak:8.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--way", choices=["stream", "files"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way == "stream":
        print(measure(lambda: from_wire(options.count), options.count))
        return
    if options.way == "files":
        print(measure(lambda: from_files(options.folder), options.count))
        return
    print("from              flows      kept  reading grouping   flows/s  groups peak MiB  (seconds of one thread)")
    with tempfile.TemporaryDirectory() as folder:
        for way, count in (("stream", options.count), ("files", options.count // 10)):
            told = f" ({write(Path(folder), count) >> 20} MiB)" if way == "files" else ""
            command = [sys.executable, str(Path(__file__)), "--count", str(count), "--way", way, "--folder", folder]
            print(f"{way + told:14}", subprocess.check_output(command, text=True).rstrip(), flush=True)  # noqa: S603


if __name__ == "__main__":
    main()
