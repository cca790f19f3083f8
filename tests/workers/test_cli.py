"""The command line: statuses, forms of output, words for what goes wrong."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from handlers.catalogue import CATALOGUE
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import Headline
from handlers.model.report import Expected, Report
from tests.workers.canary import CANARY, NOW, Canary, catalogue_of_canary
from tools.demo import QUESTION, SAMPLE
from workers.cli.app import build, run
from workers.cli.status import Status, status_of
from workers.docs.schema import report_schema

ON_SAMPLE = ["--sysdump", str(SAMPLE)]


def report(expected: Expected | None, *findings: Finding, candidates: tuple[str, ...] = ()) -> Report:
    return Report("q", "c", Headline(Sentence("h")), NOW, "s", findings, expected, candidates=candidates)


def finding(outcome: Outcome, *, blocking: bool = False) -> Finding:
    return Finding("CODE", outcome, Sentence("words"), blocking=blocking)


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (report(Expected.OPEN), Status.FINE),
        (report(Expected.BLOCKED), Status.PROBLEM),
        (report(Expected.UNKNOWN), Status.UNKNOWN),
        (report(None), Status.FINE),
        (report(None, finding(Outcome.FINE)), Status.FINE),
        (report(None, finding(Outcome.FINE), finding(Outcome.PROBLEM)), Status.PROBLEM),
        (report(None, finding(Outcome.UNKNOWN)), Status.UNKNOWN),
        (report(None, finding(Outcome.FINE), finding(Outcome.UNKNOWN)), Status.FINE),
        (report(None, finding(Outcome.FINE), finding(Outcome.UNKNOWN, blocking=True)), Status.UNKNOWN),
        (report(None, candidates=("canary sings",)), Status.UNKNOWN),
    ],
)
def test_statuses(made: Report, status: Status) -> None:
    assert status_of(made) is status


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["why", "shop/frontend"], "usage: cilium-triage why A B"),
        (["why", "shop/a", "shop/b", "--sysdump", "no-such-file.zip"], "cannot be opened"),
        (["why", "shop/a", "shop/b", "--replay", "no-such-file"], "cilium-triage: "),
        (["why", "shop/a", "shop/b", "--sysdump", "x", "--replay", "y"], "exclude each other"),
        (["why", "shop/a", "shop/b", "--sysdump", "x", "--context", "y"], "for a live cluster"),
        (["why", "shop/a", "shop/b", "--no-such-option"], "No such option"),
        (["why", "shop/a", "shop/b", "--output", "yaml"], "'text', 'json', 'markdown'"),
        (["wyh", "shop/a", "shop/b"], "cilium-triage why shop/a shop/b"),
        (["\x00\x1b[2J" * 1000], "Did you mean"),
    ],
)
def test_what_is_not_understood_says_what_to_do(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(arguments) == Status.USAGE
    captured = capsys.readouterr()
    assert words in captured.err
    assert not captured.out
    assert "Traceback" not in captured.err
    assert "\x1b" not in captured.err


def test_every_subcommand_has_its_command_and_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    names = {command.name for command in build().registered_commands}
    assert set(CATALOGUE.commands) <= names
    assert run(["--help"]) == 0
    assert {*CATALOGUE.commands, "ask", "policy"} <= set(capsys.readouterr().out.split())


def test_the_policy_commands_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "--help"]) == 0
    assert "eval" in capsys.readouterr().out
    assert run(["policy", "eval", "no-such-file"]) == Status.USAGE


def test_an_entry_of_the_catalogue_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["canary", "sings", *ON_SAMPLE], CANARY) == 0
    assert capsys.readouterr().out.startswith("OPEN — it is open")


@pytest.mark.parametrize("words", [QUESTION.split(), ["ask", QUESTION], ["can shop/loadgen reach shop/cart on 8080?"]])
def test_a_question_is_understood_in_many_ways(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words, *ON_SAMPLE, "--output", "json"]) != Status.USAGE
    assert json.loads(capsys.readouterr().out)["question"] == QUESTION


@pytest.mark.parametrize("command", sorted(CATALOGUE.commands))
def test_json_conforms_to_its_schema(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    example = QUESTION if command == "why" else CATALOGUE.commands[command].examples[0]
    run([*example.split(), *ON_SAMPLE, "--output", "json"])
    body = json.loads(capsys.readouterr().out)
    jsonschema.validate(body, report_schema())
    for item in body["findings"]:
        assert {"code", "outcome", "hop", "blocking", "text", "evidence"} <= item.keys()


def test_forms_of_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    run([*QUESTION.split(), *ON_SAMPLE, "--output", "markdown"])
    assert capsys.readouterr().out.startswith("## ")
    run([*QUESTION.split(), *ON_SAMPLE, "--output", "slack"])
    assert json.loads(capsys.readouterr().out)["blocks"]
    run([*QUESTION.split(), *ON_SAMPLE])
    assert "\x1b" not in capsys.readouterr().out


def test_a_recording_answers_like_what_was_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run([*QUESTION.split(), *ON_SAMPLE, "--output", "json", "--record", str(tmp_path / "run")])
    recorded = json.loads(capsys.readouterr().out)
    second = run([*QUESTION.split(), "--replay", str(tmp_path / "run"), "--output", "json"])
    replayed = json.loads(capsys.readouterr().out)
    assert (second, replayed["headline"]) == (first, recorded["headline"])
    assert [item["code"] for item in replayed["findings"]] == [item["code"] for item in recorded["findings"]]


def test_a_probe_that_breaks_does_not_hide_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(question: Canary, facts: Facts) -> Iterator[Finding]:
        raise RuntimeError("hunter2")

    assert run(["canary", "sings", *ON_SAMPLE], catalogue_of_canary(check=breaks)) == Status.UNKNOWN
    assert "hunter2" not in capsys.readouterr().out


HEAVY = {"slack_bolt", "slack_sdk", "celery", "grpc", "google", "kubernetes", "rich", "redis", "structlog", "aiohttp"}


def test_a_question_about_an_archive_loads_no_client() -> None:
    script = (
        "import sys; from workers.cli.app import run;"
        f"run({[*QUESTION.split(), *ON_SAMPLE]!r}); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stderr.split()) == set()


def test_the_console_command() -> None:
    command = Path(sys.executable).with_name("cilium-triage")
    done = subprocess.run([command, *QUESTION.split(), *ON_SAMPLE], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1, 2)
    assert done.stdout
    assert not done.stderr
