"""The command that trims a recorded moment keeps what questions read, and cuts no output in the middle."""

import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools.scenario import main

CHECK = {"source": "a/b", "client_saw": "timeout", "client_attempts": [1] * 100}
TRUTH = {"scenario": "x", "title": "t", "versions": {}, "fault": {}, "timeline": [], "checks": [CHECK]}
EVENT = {"metadata": {"name": "e", "managedFields": [{"time": "now"}]}, "reason": "OOM"}
RECORD = {
    "k8s/events.json": json.dumps({"items": [EVENT]}),
    "agent/status-json.json": "{ }",
    "agent/map-list.json": "[]",
    "agent/endpoint-list-text.txt": "table",
    "logs/agent.log": "".join(f"line {number}\n" for number in range(500)),
    "flows.pb": "flows",
    "flows.jsonl": "flows",
    "truth.json": json.dumps(TRUTH),
}


@pytest.fixture
def moment(tmp_path: Path) -> Path:
    for name, text in RECORD.items():
        path = tmp_path / "record" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as dump:
        dump.writestr("x/k8s-pods-20261121-100000.yaml", "pods")
        dump.writestr("x/cilium-bugtool-a-20261121-100000/cmd/cilium-debuginfo-1.md", "long")
    return tmp_path


def _kept(folder: Path) -> dict[str, bytes]:
    with tarfile.open(folder / "moment.tar.xz") as packed:
        return {item.name: packed.extractfile(item).read() for item in packed}  # type: ignore[union-attr]


def test_a_moment_with_its_dump(moment: Path) -> None:
    assert main([str(moment / "record"), str(moment / "x.zip"), str(moment / "story")]) == 0
    kept = _kept(moment / "story")
    assert set(kept) == {
        "k8s/events.json",
        "agent/status-json.json",
        "logs/agent.log",
        "sysdump/x/k8s-pods-20261121-100000.yaml",
    }
    assert kept["agent/status-json.json"] == b"{ }"
    assert kept["logs/agent.log"].startswith(b"line 380\n")
    assert kept["logs/agent.log"].endswith(b"line 499\n")
    assert json.loads(kept["k8s/events.json"]) == {"items": [{"metadata": {"name": "e"}, "reason": "OOM"}]}
    told = json.loads((moment / "story" / "truth.json").read_text())
    assert told["checks"] == [{"source": "a/b", "client_saw": "timeout"}]


def test_a_moment_without_a_dump_keeps_its_own_flows(moment: Path) -> None:
    assert main([str(moment / "record"), "-", str(moment / "story")]) == 0
    assert "flows.pb" in _kept(moment / "story")


def test_a_wrong_number_of_words_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record"]) == 64
    assert "usage" in capsys.readouterr().err
