"""Agreement with Cilium's own engine on every recorded case: verdicts, sides, rules, redirects, validity."""

import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from handlers.policy.cases import Case, traffic_of

CASES = Path(__file__).parent / "cases"
CHUNKS = 8
RELEASES = ("1.17.15", "1.18.11", "1.19.6", "1.20.2")


@cache
def recorded(name: str) -> list[dict[str, Any]]:
    with lzma.open(CASES / f"{name}.jsonl.xz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def differences(case: dict[str, Any]) -> list[tuple[object, ...]]:
    """List what differs from the record; rules may name more policies than Cilium, never fewer."""
    ours = Case(case).answer_line()
    found: list[tuple[object, ...]] = []
    answers: Any = ours["answers"]
    for query, theirs, mine in zip(case["queries"], case["answers"], answers, strict=True):
        if theirs["verdict"] != mine["verdict"]:
            found.append((query, "verdict", theirs["verdict"], mine["verdict"]))
        for side in ("egress", "ingress"):
            for field in ("verdict", "enforced", "default_deny", "redirect", "l7"):
                is_recorded = field == "verdict" or "rules" in theirs[side]
                if is_recorded and theirs[side].get(field) != mine[side].get(field):
                    found.append((query, side, field, theirs[side].get(field), mine[side].get(field)))
            if "rules" not in theirs[side]:
                continue
            if not set(theirs[side]["rules"]) <= set(mine[side]["rules"]) | set(mine[side]["also_rules"]):
                found.append((query, side, "rules", theirs[side]["rules"], mine[side]["rules"]))
            if theirs[side].get("selected_by", []) != mine[side]["selected_by"]:
                found.append((query, side, "selected_by", theirs[side].get("selected_by"), mine[side]["selected_by"]))
    statuses: Any = ours["policy_status"]
    for theirs, mine in zip(case["policy_status"], statuses, strict=True):
        if theirs["valid"] != mine["valid"]:
            found.append((theirs["policy"], "valid", theirs["valid"], mine["valid"]))
    return found


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("name", ["named", "train"])
def test_agrees_with_every_recorded_case(name: str, chunk: int) -> None:
    cases = recorded(name)[chunk::CHUNKS]
    assert cases
    assert {case["id"]: found for case in cases if (found := differences(case))} == {}


@pytest.mark.parametrize("name", ["versions-named", "versions"])
@pytest.mark.parametrize("version", RELEASES)
def test_agrees_with_the_engine_of_every_release(name: str, version: str) -> None:
    cases = [case for case in recorded(name) if case["options"]["ciliumVersion"] == version]
    assert len(cases) == {"versions-named": 16, "versions": 33}[name]
    assert {case["id"]: found for case in cases if (found := differences(case))} == {}


def test_the_record_is_whole() -> None:
    assert {name: len(recorded(name)) for name in ("named", "train")} == {"named": 229, "train": 400}


def denied_sides(case: dict[str, Any]) -> list[tuple[object, ...]]:
    """List the denied sides of a case for which no reason is named."""
    compiled = Case(case)
    nameless: list[tuple[object, ...]] = []
    for query, theirs in zip(case["queries"], case["answers"], strict=True):
        if theirs["verdict"] == "allowed":
            continue
        source, destination = compiled.parties(query)
        both = compiled.policies.combine(source, destination, traffic_of(query))
        for side in both.blocking:
            always = compiled.config.enforcement == "always"
            if not side.rules and side.nearest_miss is None and not (always and not side.default_deny_by):
                nameless.append((query, side.direction, side.reason))
    return nameless


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_denied_side_names_a_rule_or_what_came_closest(chunk: int) -> None:
    cases = recorded("train")[chunk::CHUNKS]
    assert {case["id"]: found for case in cases if (found := denied_sides(case))} == {}
