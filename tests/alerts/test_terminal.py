"""``cilium-triage alert`` and ``alerts rules`` in a terminal."""

import json
from pathlib import Path

import pytest
import yaml

from tests.alerts.payloads import alert, one, packed, webhook
from workers.cli.app import run
from workers.status import Status

SAMPLE = Path(__file__).parents[1] / "scenarios" / "02-ingress-default-deny" / "sysdump.zip"

_LABELS = {"cluster": "prod", "reason": "POLICY_DENIED"}


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    drops = alert("HubblePolicyDenied", source="shop/loadgen", destination="shop/cart", **_LABELS)
    path = tmp_path / "payload.json"
    path.write_bytes(packed(webhook(drops, alert("Watchdog"))))
    return path


def test_json_has_exactly_the_fields_that_are_told(payload: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["alert", str(payload), "--dry-run", "--output", "json"])
    told = json.loads(capsys.readouterr().out)
    assert status == Status.FINE
    assert set(told) == {"cards"}
    assert [set(card) for card in told["cards"]] == [
        {"fingerprint", "state", "decision", "reason", "title", "alerts", "questions"}
    ] * 2
    assert [card["decision"] for card in told["cards"]] == ["triage", "ignore"]
    assert told["cards"][0]["questions"] == ["why shop/loadgen shop/cart", "drops shop/cart", "drops shop/loadgen"]
    assert told["cards"][0]["title"] == "prod: shop/loadgen → shop/cart: packets are denied by policy"
    assert told["cards"][0]["alerts"][0]["cluster"] == "prod"


def test_text_says_what_is_done_and_why(payload: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["alert", str(payload), "--dry-run"]) == Status.FINE
    said = capsys.readouterr().out
    assert "TRIAGE (firing): prod: shop/loadgen → shop/cart: packets are denied by policy" in said
    assert "ask     why shop/loadgen shop/cart" in said
    assert "it always fires, to show that alerts arrive" in said


def test_the_first_question_is_answered_from_a_sysdump(payload: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["alert", str(payload), "--sysdump", str(SAMPLE)]) == Status.PROBLEM
    said = capsys.readouterr().out
    assert "BLOCKED" in said
    assert "shop/loadgen → shop/cart" in said


def test_a_resolved_alert_is_not_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "resolved.json"
    path.write_bytes(packed(one("HubblePolicyDenied", "resolved", source="shop/frontend", destination="shop/cart")))
    assert run(["alert", str(path), "--sysdump", str(SAMPLE), "--output", "json"]) == Status.FINE
    card = json.loads(capsys.readouterr().out)["cards"][0]
    assert (card["state"], "answer" in card) == ("resolved", False)


@pytest.mark.parametrize(
    "content", [pytest.param(b'{"a": 1}', id="another document"), pytest.param(b"lunch", id="words")]
)
def test_what_is_no_alert_is_a_misuse(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none"
    path.write_bytes(content)
    assert run(["alert", str(path), "--dry-run"]) == Status.USAGE
    assert "That is no alert" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_a_misuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["alert", str(tmp_path / "nowhere"), "--dry-run"]) == Status.USAGE
    assert "nowhere" in capsys.readouterr().err


def test_no_escape_of_a_terminal_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hostile.json"
    hostile = "\x1b[2J\u202eevil"
    path.write_bytes(packed(one(f"Timeouts{hostile}", namespace=hostile, pod=hostile, cluster=hostile)))
    for form in ("text", "json"):
        run(["alert", str(path), "--dry-run", "--output", form])
        said = capsys.readouterr().out
        assert "\x1b" not in said
        assert "\u202e" not in said
        assert "\\u001b" not in said


def test_rules_are_printed_as_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["alerts", "rules"]) == Status.FINE
    assert len(list(yaml.safe_load_all(capsys.readouterr().out))) == 2
