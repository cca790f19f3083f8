"""The recorded moments under ``tests/scenarios``: objects, flows and agents' outputs of one cluster.

Those of operators' faults are packed together with their dump (``tools/scenario.py``); ``unpacked_dump`` lays it out.
"""

import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict

from workers.sources.hubble_pb import triage_hubble_pb2 as pb

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
FAULTS = SCENARIOS / "faults"
NAMES = tuple(sorted(path.parent.name for path in SCENARIOS.glob("*/record.tar.gz")))
FAULT_NAMES = tuple(sorted(path.parent.name for path in FAULTS.glob("*/moment.tar.xz")))
_DUMP = "sysdump/"
_STAMP = re.compile(r"-(\d{8}-\d{6})\.yaml$")


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
    dumped_at: datetime | None = None
    """When the dump was taken whose flows these are."""

    @property
    def sysdump(self) -> Path:
        """The sysdump that was taken at the same moment."""
        return SCENARIOS / self.name / "sysdump.zip"


@cache
def record(name: str) -> Record:
    """Read a scenario's record, or a fault's. It is shared between tests: copy what you change."""
    files = fault_files(name) if name in FAULT_NAMES else _files(SCENARIOS / name / "record.tar.gz")
    objects = {
        path.removeprefix("k8s/").removesuffix(".json"): json.loads(body).get("items", [])
        for path, body in files.items()
        if path.startswith("k8s/")
    }
    outputs = {
        (entry["node"], entry["command"]): Output(files[entry["file"]], entry["rc"], entry["stderr"])
        for entry in json.loads(files["agent/INDEX.json"])
        if entry["file"] in files
    }
    return Record(
        name=name,
        objects=objects,
        responses=list(delimited(files["flows.pb"]) if "flows.pb" in files else _dumped_flows(files)),
        hubble_status=json.loads(files["hubble-status.json"]),
        outputs=outputs,
        logs={
            path.removeprefix("logs/").removesuffix(".log"): body.decode("utf-8", "replace")
            for path, body in files.items()
            if path.startswith("logs/")
        },
        dumped_at=_dumped_at(files),
    )


@cache
def fault_files(name: str) -> Mapping[str, bytes]:
    """Read all that is kept of a fault's moment; its dump lies below ``sysdump/``."""
    return _files(FAULTS / name / "moment.tar.xz")


def has_dump(name: str) -> bool:
    """Whether a sysdump was taken of a fault."""
    return any(path.startswith(_DUMP) for path in fault_files(name))


def unpacked_dump(name: str, folder: Path) -> Path:
    """Lay a fault's sysdump out below ``folder``, as a person unpacks it, and return its path."""
    for path, body in fault_files(name).items():
        if path.startswith(_DUMP):
            target = folder / path.removeprefix(_DUMP)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)
    return folder / name


def _files(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as packed:
        return {item.name: packed.extractfile(item).read() for item in packed if item.isfile()}  # type: ignore[union-attr]


def _dumped_at(files: Mapping[str, bytes]) -> datetime | None:
    stamps = {found.group(1) for path in files if path.startswith(_DUMP) and (found := _STAMP.search(path))}
    return datetime.strptime(max(stamps), "%Y%m%d-%H%M%S").replace(tzinfo=UTC) if stamps else None


def _dumped_flows(files: Mapping[str, bytes]) -> Iterator[pb.GetFlowsResponse]:
    """Yield the flows of a dump, the oldest first; the last line of a file may have been cut."""
    lines = []
    for path, body in files.items():
        if path.rpartition("/")[2].startswith("hubble-flows-"):
            lines += [json.loads(line) for line in body.splitlines() if line.endswith(b"}")]
    for line in sorted(lines, key=lambda line: str(line["time"])):
        yield ParseDict(line, pb.GetFlowsResponse(), ignore_unknown_fields=True)


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
