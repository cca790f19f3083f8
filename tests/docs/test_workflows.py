"""The workflows: actions are pinned to commits, rights are given by name, and no shell sees an expression."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FILES = [*WORKFLOWS, ROOT / "action.yml"]
WRITING = {"packages", "attestations", "id-token", "contents"}
"""What a job of the release may write; all others read."""


def steps_of(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    jobs = workflow.get("jobs", {"action": workflow.get("runs", {})})
    return [step for job in jobs.values() for step in job["steps"]]


def read(file: Path) -> dict[str, Any]:
    whole: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return whole


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_actions_are_pinned_to_commits(file: Path) -> None:
    used = [step["uses"] for step in steps_of(read(file)) if "uses" in step]
    assert [one for one in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_others_may_write_is_given_to_a_shell_by_the_environment(file: Path) -> None:
    assert [step["run"] for step in steps_of(read(file)) if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_rights_are_given_by_name(file: Path) -> None:
    workflow = read(file)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    given = [job.get("permissions", {}) for job in workflow["jobs"].values()]
    assert {right for one in given for right, level in one.items() if level == "write"} <= WRITING
    assert file.name == "release.yml" or not any(given)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_no_checkout_keeps_its_credentials(file: Path) -> None:
    checkouts = [step for step in steps_of(read(file)) if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
