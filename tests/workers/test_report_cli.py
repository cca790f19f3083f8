"""``cilium-triage report``: several questions as one file, for the eyes of its owner."""

import json
import stat
import zipfile
from pathlib import Path

import pytest

from handlers.catalogue import CATALOGUE
from handlers.commands.command import NotUnderstoodError
from tools.demo import SAMPLE
from workers.cli.app import run
from workers.cli.bundle import USUAL, questions_of
from workers.status import Status

KNOWN = CATALOGUE.commands
ON_SAMPLE = ["--sysdump", str(SAMPLE)]


@pytest.mark.parametrize(
    ("words", "questions"),
    [
        pytest.param(["drops", "shop", "policies", "shop/cart"], ["drops shop", "policies shop/cart"], id="in a row"),
        pytest.param(["why a/b c/d 80", "drops"], ["why a/b c/d 80", "drops"], id="quoted"),
        pytest.param(["can a/b reach c/d on 80?"], ["why a/b c/d 80"], id="a sentence"),
    ],
)
def test_which_questions_are_asked(words: list[str], questions: list[str]) -> None:
    assert [str(asked) for asked in questions_of(words, CATALOGUE)] == questions


def test_the_usual_questions_are_asked_where_none_is_named() -> None:
    assert [asked.command.name for asked in questions_of([], CATALOGUE)] == [name for name in USUAL if name in KNOWN]


def test_too_many_questions_are_refused() -> None:
    with pytest.raises(NotUnderstoodError, match="at most 30"):
        questions_of(["drops"] * 31, CATALOGUE)


@pytest.mark.parametrize("form", ["md", "html", "zip", "json"])
def test_each_form_is_written_for_its_owner_alone(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"report.{form}"
    path.write_text("older")
    path.chmod(0o644)
    assert (
        run(["report", "policies", "shop/cart", "identity", "shop/cart", *ON_SAMPLE, "--out", str(path)]) == Status.FINE
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if form == "zip":
        assert "report.html" in zipfile.ZipFile(path).namelist()
    elif form == "json":
        assert [made["command"] for made in json.loads(path.read_text())] == ["policies", "identity"]
    else:
        assert "Network triage: 2 answers" in path.read_text()


def test_without_a_file_it_is_markdown_and_says_what_ran(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "identity", "shop/cart", *ON_SAMPLE]) == Status.FINE
    assert "- ran: Cilium 1.19" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["report.pdf", "nowhere/report.md"])
def test_a_file_that_cannot_be_written_is_said(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "identity", "shop/cart", *ON_SAMPLE, "--out", str(tmp_path / name)]) == Status.USAGE
    assert name in capsys.readouterr().err
