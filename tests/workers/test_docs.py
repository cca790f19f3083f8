"""The generated pages are those that the declarations give."""

from pathlib import Path

import jsonschema

from handlers.catalogue import CATALOGUE
from workers.docs.__main__ import main
from workers.docs.pages import pages, stale_pages
from workers.docs.schema import report_schema

DOCS = Path(__file__).parents[2] / "docs"


def test_the_pages_are_current() -> None:
    assert stale_pages(DOCS) == [], "run make docs"


def test_every_command_and_code_has_its_section() -> None:
    made = pages()
    assert all(f"\n## {name}\n" in made["commands.md"] for name in CATALOGUE.commands)
    assert all(f"\n## {name}\n" in made["codes.md"] for name in CATALOGUE.codes)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(report_schema())


def test_pages_are_written_where_they_differ(tmp_path: Path) -> None:
    assert main(["--check", str(tmp_path)]) == 1
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0
    (tmp_path / "codes.md").write_text("old", encoding="utf-8")
    assert main(["--check", str(tmp_path)]) == 1
