"""The recorded moments under ``tests/scenarios``: objects, flows and agents' outputs of one cluster."""

import json
import tarfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from workers.sources.hubble_pb import triage_hubble_pb2 as pb

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
NAMES = tuple(sorted(path.parent.name for path in SCENARIOS.glob("*/record.tar.gz")))


@dataclass(frozen=True)
class Output:
    """What a command printed on a node, and its exit code."""

    text: bytes
    code: int
    errors: str


@dataclass(frozen=True)
class Record:
    """One recorded moment. ``outputs`` maps node and command line to what was printed."""

    name: str
    objects: dict[str, list[dict[str, Any]]]
    responses: list[pb.GetFlowsResponse]
    hubble_status: dict[str, Any]
    outputs: dict[tuple[str, str], Output]
    logs: dict[str, str] = field(default_factory=dict)
    """By pod and container, ``cilium-jlzk7-cilium-agent``; those of a previous run end in ``-previous``."""

    @property
    def sysdump(self) -> Path:
        """The sysdump that was taken at the same moment."""
        return SCENARIOS / self.name / "sysdump.zip"


@cache
def record(name: str) -> Record:
    """Read a scenario's record. It is shared between tests: copy what you change."""
    with tarfile.open(SCENARIOS / name / "record.tar.gz") as packed:
        files = {item.name: packed.extractfile(item).read() for item in packed if item.isfile()}  # type: ignore[union-attr]
    objects = {
        path.removeprefix("k8s/").removesuffix(".json"): json.loads(body)["items"]
        for path, body in files.items()
        if path.startswith("k8s/")
    }
    outputs = {
        (entry["node"], entry["command"]): Output(files[entry["file"]], entry["rc"], entry["stderr"])
        for entry in json.loads(files["agent/INDEX.json"])
    }
    return Record(
        name=name,
        objects=objects,
        responses=list(delimited(files["flows.pb"])),
        hubble_status=json.loads(files["hubble-status.json"]),
        outputs=outputs,
        logs={
            path.removeprefix("logs/").removesuffix(".log"): body.decode("utf-8", "replace")
            for path, body in files.items()
            if path.startswith("logs/")
        },
    )


def delimited(stream: bytes) -> "list[pb.GetFlowsResponse]":
    """Read responses that follow each other, each behind its length as a varint."""
    found, position = [], 0
    while position < len(stream):
        length = shift = 0
        while True:
            byte = stream[position]
            position += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        found.append(pb.GetFlowsResponse.FromString(stream[position : position + length]))
        position += length
    return found
