"""``python -m tools.scenario RECORD SYSDUMP FOLDER``: a recorded moment, trimmed to what tests need, as a story.

``moment.tar.xz`` holds the sysdump, and of the record the objects, the agents' outputs and the ends of the logs, for a
live stand-in; ``truth.json`` what was tried and what came of it. One archive of both is far smaller than two, for most
of what the one says the other says too. Flows are the dump's alone, so that both tell of the same packets; those of a
record without a dump are its own.
"""

import fnmatch
import io
import json
import lzma
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_USAGE = "usage: python -m tools.scenario RECORD_FOLDER (SYSDUMP.zip | -) FOLDER_OF_THE_STORY\n"
_BULK = ("*debuginfo*", "*map-list*", "*map-events*", "*bpf-ct-list*")
"""What repeats other files, or lists every connection of a moment."""
_TOLD_OTHERWISE = ("flows.jsonl", "flows.txt", "flows.pb.log", "manifests/*", "agent/*-text.txt", "agent-direct/*")
"""Files of a record that say in other words what those beside them say."""
_LOG_LINES = 120
"""Of each log its end."""
_TRUTH_FIELDS = ("scenario", "title", "versions", "fault", "timeline")
_CHECK_FIELDS = (
    "source kind destination port protocol phase source_pod destination_service destination_pod client_saw cause_code "
    "cause policy direction at"
).split()


def main(arguments: list[str]) -> int:
    """Write the folder and return the exit status."""
    if len(arguments) != 3:
        sys.stderr.write(_USAGE)
        return 64
    record, dump, folder = (Path(argument) for argument in arguments)
    folder.mkdir(parents=True, exist_ok=True)
    files = dict(of_record(record, with_flows=str(dump) == "-"))
    if str(dump) != "-":
        files |= of_dump(dump)
    (folder / "moment.tar.xz").write_bytes(packed(files))
    truth = json.loads((record / "truth.json").read_text("utf-8"))
    (folder / "truth.json").write_text(json.dumps(told(truth), indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0


def of_record(record: Path, *, with_flows: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the files that a live stand-in serves."""
    left_out = (*_BULK, *_TOLD_OTHERWISE, "truth.json", *(() if with_flows else ("flows.pb",)))
    for path in sorted(record.rglob("*")):
        name = path.relative_to(record).as_posix()
        if path.is_file() and not _is_one_of(name, left_out):
            yield name, _trimmed(name, path.read_bytes())


def of_dump(dump: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a sysdump, below ``sysdump/``."""
    with zipfile.ZipFile(dump) as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith("/") and not _is_one_of(name, _BULK):
                yield f"sysdump/{name}", _trimmed(name, archive.read(name))


def told(truth: Mapping[str, Any]) -> dict[str, Any]:
    """Return the truth without each attempt and each flow behind it."""
    checks = [{field: check[field] for field in _CHECK_FIELDS if field in check} for check in truth["checks"]]
    return {field: truth[field] for field in _TRUTH_FIELDS} | {"checks": checks}


def packed(files: Mapping[str, bytes]) -> bytes:
    """Pack files, those of one name beside each other, so that what two nodes both say is written once."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name in sorted(files, key=lambda name: (name.rpartition("/")[2], name)):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            archive.addfile(entry, io.BytesIO(files[name]))
    return lzma.compress(written.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def _trimmed(name: str, body: bytes) -> bytes:
    last = name.rpartition("/")[2]
    if name.startswith("logs/") or last.startswith("logs-"):
        return b"".join(body.splitlines(keepends=True)[-_LOG_LINES:])
    if name.startswith("k8s/"):
        objects = json.loads(body)
        if last == "events.json":
            for event in objects["items"]:
                event["metadata"].pop("managedFields", None)
        return json.dumps(objects, separators=(",", ":")).encode()
    return body


def _is_one_of(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
