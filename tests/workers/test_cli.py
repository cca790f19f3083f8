"""The command line: statuses, forms of output, words for what goes wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

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
from workers.cli.output import Screen, screen_of
from workers.cli.version import COMMIT
from workers.docs.schema import report_schema
from workers.status import Status, status_of

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


@pytest.mark.parametrize(
    ("arguments", "help_of"),
    [
        (["why", "shop/frontend"], "cilium-triage why --help"),
        (["why", "shop/a", "shop/b", "--no-such-option"], "cilium-triage why --help"),
        (["drops", "--budget", "much"], "cilium-triage drops --help"),
        (["--no-such-option"], "cilium-triage --help"),
    ],
)
def test_a_mistake_is_told_whose_help_to_read(
    capsys: pytest.CaptureFixture[str], arguments: list[str], help_of: str
) -> None:
    assert run(arguments) == Status.USAGE
    assert f"Try '{help_of}'." in capsys.readouterr().err


ENDS = {
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}],
    "users": [{"name": "u", "user": {}}],
}


def test_a_context_that_is_not_there_is_told_those_that_are(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    kubeconfig = tmp_path / "config"
    contexts = [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("prod-eu", "stage")]
    kubeconfig.write_text(json.dumps({"contexts": contexts, "current-context": "stage", **ENDS}))
    question = ["why", "shop/a", "shop/b", "--context", "prod", "--kubeconfig", str(kubeconfig)]
    assert run(question) == Status.USAGE
    assert "has no context prod; it has: prod-eu, stage" in capsys.readouterr().err


@pytest.mark.parametrize("asked", [["-h"], ["--help"], ["help"], []])
def test_help_is_found_however_it_is_asked_for(capsys: pytest.CaptureFixture[str], asked: list[str]) -> None:
    assert run(asked) == 0
    assert "Usage: cilium-triage" in capsys.readouterr().out


@pytest.mark.parametrize("asked", [["why", "-h"], ["why", "--help"], ["help", "why"]])
def test_so_is_the_help_of_a_subcommand(capsys: pytest.CaptureFixture[str], asked: list[str]) -> None:
    assert run(asked) == 0
    assert "Usage: cilium-triage why" in capsys.readouterr().out


def test_the_version_says_the_commit_where_it_is_known(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(COMMIT, "0123456789abcdef0123")
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.endswith(" (commit 0123456789ab)\n")


def test_the_completion_of_bash_finds_subcommands_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "bash"]) == 0
    sourced = capsys.readouterr().out

    def completed(*words: str) -> set[str]:
        typed = " ".join(words)
        program = f"COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _cilium_triage; echo ${{COMPREPLY[@]}}"
        return set(subprocess.check_output(["bash", "-c", f"{sourced}\n{program}"], text=True).split())

    assert completed("cilium-triage", "wh") == {"why", "whatif"}
    assert completed("cilium-triage", "why", "a/b", "--sys") == {"--sysdump"}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_scripts_of_their_own(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert run(["completion", shell]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in CATALOGUE.commands)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "screen"),
    [
        ({"COLUMNS": "72"}, Screen(72, colours=True)),
        ({"COLUMNS": "72", "NO_COLOR": "1"}, Screen(72, colours=False)),
        ({"COLUMNS": "72", "TERM": "dumb"}, Screen(72, colours=False)),
    ],
)
def test_a_terminal_has_its_width_and_may_have_colours(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], screen: Screen
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert screen_of(Terminal()) == screen
    assert screen_of(StringIO()) == Screen()


def test_ctrl_c_ends_at_once_though_a_read_hangs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        server = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        kubeconfig = tmp_path / "config"
        named = {"contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}], "current-context": "x"}
        found = {**ENDS, "clusters": [{"name": "c", "cluster": {"server": server}}]}
        kubeconfig.write_text(json.dumps({**named, **found}))
        program = str(Path(sys.executable).with_name("cilium-triage"))
        command = [program, "health", "--kubeconfig", str(kubeconfig), "--budget", "60"]
        started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deaf.settimeout(30)
        with deaf.accept()[0]:
            started.send_signal(signal.SIGINT)
            assert started.wait(timeout=5) == Status.INTERRUPTED
            started.communicate()


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


def _run(output: Any, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("cilium-triage")), *QUESTION.split(), *ON_SAMPLE]
    return subprocess.run(
        command, stdout=output, stderr=subprocess.PIPE, text=True, check=False, env={**os.environ, **environment}
    )


def test_letters_that_an_output_cannot_show_do_not_change_the_status() -> None:
    plain, poor = _run(subprocess.PIPE), _run(subprocess.PIPE, PYTHONIOENCODING="ascii")
    assert (poor.returncode, poor.stderr) == (plain.returncode, "")
    assert len(poor.stdout.splitlines()) == len(plain.stdout.splitlines())


def test_an_answer_that_cannot_be_written_is_no_problem_of_the_cluster() -> None:
    with Path("/dev/full").open("wb") as full:
        done = _run(full)
    assert (done.returncode, "could not be written" in done.stderr) == (Status.UNKNOWN, True)


def test_a_reader_that_is_gone_makes_no_status_of_its_own() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = _run(writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (Status.UNKNOWN, "")


def test_a_recording_that_cannot_be_written_is_said_before_anything_is_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run([*QUESTION.split(), *ON_SAMPLE, "--record", str(tmp_path / "none" / "x")]) == Status.USAGE
    assert "cannot be written" in capsys.readouterr().err


def test_the_console_command() -> None:
    command = Path(sys.executable).with_name("cilium-triage")
    done = subprocess.run([command, *QUESTION.split(), *ON_SAMPLE], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1, 2)
    assert done.stdout
    assert not done.stderr
