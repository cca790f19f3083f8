"""The generated pages are those that the declarations give."""

import ast
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from handlers.catalogue import CATALOGUE
from workers.docs.__main__ import main
from workers.docs.pages import pages, stale_pages
from workers.docs.schema import report_schema

DOCS = Path(__file__).parents[2] / "docs"
CODES = pages()["codes.md"]
HANDLERS = Path(__file__).parents[2] / "handlers"


def test_the_pages_are_current() -> None:
    assert stale_pages(DOCS) == [], "run make docs"


def test_every_command_and_code_has_its_section() -> None:
    made = pages()
    assert all(f"\n## {name}\n" in made["commands.md"] for name in CATALOGUE.commands)
    assert all(f"\n## {name}\n" in made["codes.md"] for name in CATALOGUE.codes)


@pytest.mark.parametrize("name", CATALOGUE.codes)
def test_every_code_has_its_cause_its_evidence_and_its_remedy(name: str) -> None:
    section = CODES.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    told = {lead: text for lead, _, text in (line.partition(" ") for line in section.splitlines())}
    assert told["**Cause:**"].endswith((".", ")"))
    assert len(told["**Evidence:**"]) > len(".")
    assert told["**Remedy:**"]


def _problems_without_remedy() -> Iterator[tuple[str, str]]:
    """Yield each place in the code that calls something a problem and says nowhere what to do about it."""
    for path in sorted(HANDLERS.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            match call:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="finding"), args=[outcome, *_], keywords=named
                ) if name in CATALOGUE.codes and "PROBLEM" in ast.unparse(outcome):
                    if not CATALOGUE.codes[name].advice and "advice" not in {one.arg for one in named}:
                        yield path.name, name


def test_every_problem_says_what_to_do() -> None:
    assert list(_problems_without_remedy()) == []


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(report_schema())


def test_pages_are_written_where_they_differ(tmp_path: Path) -> None:
    assert main(["--check", str(tmp_path)]) == 1
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    (tmp_path / "codes.md").write_text("old", encoding="utf-8")
    assert main(["--check", str(tmp_path)]) == 1
