"""``--dry-run``: what the words are read as, without looking at any cluster."""

import json
from typing import Any

import pytest

from workers.cli.app import run
from workers.status import Status


def read(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = run([*arguments, "--dry-run", "--output", "json"])
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return status, body


def test_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    status, body = read(capsys, "ask", "shop/cart is closed for shop/loadgen on port 8080/tcp")
    assert status == Status.FINE
    assert body == {
        "decision": "question",
        "questions": ["why shop/loadgen shop/cart 8080/TCP"],
        "read_as": "shop/loadgen → shop/cart 8080/TCP",
        "readings": [],
        "problem": "",
        "suggestions": [],
    }


def test_a_choice(capsys: pytest.CaptureFixture[str]) -> None:
    status, body = read(capsys, "ask", "no connection between shop/loadgen and shop/cart")
    assert (status, body["decision"], body["questions"]) == (Status.USAGE, "ask-back", [])
    assert body["readings"] == ["why shop/loadgen shop/cart", "why shop/cart shop/loadgen"]


def test_words_that_mean_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    status, body = read(capsys, "drops", "shop", "quickly")
    assert (status, body["decision"]) == (Status.USAGE, "not-understood")
    assert "quickly" in body["problem"]


def test_a_misspelt_subcommand_is_offered_with_the_words_behind_it(capsys: pytest.CaptureFixture[str]) -> None:
    _, body = read(capsys, "ask", "polices shop/cart")
    assert body["suggestions"] == ["policies shop/cart"]


def test_bare_names_take_the_namespace_of_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    _, body = read(capsys, "why", "loadgen", "cart", "8080", "-n", "shop")
    assert body["questions"] == ["why shop/loadgen shop/cart 8080"]


def test_in_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ask", "--dry-run", "who can reach shop/cart?"]) == Status.FINE
    assert capsys.readouterr().out.splitlines()[0] == "reach shop/cart from"
