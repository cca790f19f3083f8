"""``policy eval`` on files."""

import json
import lzma
from pathlib import Path

from typer.testing import CliRunner

from tests.policy.test_conformance import CASES
from workers.policy_cli import app


def test_cases_are_answered_line_by_line(tmp_path: Path) -> None:
    cases, answers = tmp_path / "cases.jsonl", tmp_path / "answers.jsonl"
    with lzma.open(CASES / "named.jsonl.xz", "rt", encoding="utf-8") as lines:
        text = "".join(lines.readlines()[:5])
    cases.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["eval", str(cases), "--out", str(answers)])
    assert (result.exit_code, result.output) == (0, "")
    mine = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
    theirs = [json.loads(line) for line in text.splitlines()]
    assert [answer["id"] for answer in mine] == [case["id"] for case in theirs]
    assert [[one["verdict"] for one in answer["answers"]] for answer in mine] == [
        [one["verdict"] for one in case["answers"]] for case in theirs
    ]
    printed = CliRunner().invoke(app, ["eval", str(cases)])
    assert printed.output == answers.read_text(encoding="utf-8")


def test_a_line_that_is_no_case_is_named(tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    cases.write_text('{"id": "x"}\n[1]\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["eval", str(cases)])
    assert result.exit_code == 2
    assert "line 2 is no JSON object" in result.output


def test_the_version_on_the_command_line_counts(tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    with lzma.open(CASES / "versions-named.jsonl.xz", "rt", encoding="utf-8") as lines:
        cases.write_text(next(line for line in lines if "topology-pod-label@1.17.15" in line), encoding="utf-8")
    verdicts = []
    for version in ("1.17.15", "1.18.6", "1.18.7", "1.21.0"):
        result = CliRunner().invoke(app, ["eval", str(cases), "--cilium-version", version])
        verdicts.append(json.loads(result.output)["answers"][0]["verdict"])
    assert verdicts == ["allowed", "allowed", "denied", "unknown"]
