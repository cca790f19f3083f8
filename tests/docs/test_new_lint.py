"""The worked example of a new lint in CONTRIBUTING.md: a file and a line, and every way of asking knows it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DUMP = ROOT / "tests" / "scenarios" / "14-both-sides" / "sysdump.zip"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the knowledge with the example's file and its line added, and nothing else changed."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "handlers", folder / "handlers")
    _, _, text = (ROOT / "CONTRIBUTING.md").read_text().partition("## Worked example: a new lint")
    text, _, _ = text.partition("\n## ")
    (name,) = re.findall(r"^`(handlers/lints/\S+\.py)`:$", text, re.MULTILINE)
    code, lines = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (folder / name).write_text(code)
    imported, _, entry = lines.partition("\n\n")
    package = folder / "handlers" / "lints" / "__init__.py"
    head, opening, rest = package.read_text().partition("LINTS: tuple[Lint, ...] = (\n")
    head = head.replace("from handlers", f"{imported}\nfrom handlers", 1)
    package.write_text(head + opening + entry + rest)
    return folder


@pytest.mark.parametrize("command", [["lint"], ["policy", "lint"]], ids=["the question", "policy lint"])
def test_the_new_lint_is_found(checkout: Path, command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from workers.cli import main; main()", *command, "--sysdump", str(DUMP), "-o", "json"],
        env={**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{ROOT}"},
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    found = answer if isinstance(answer, list) else answer["findings"]
    texts = [one["text"] for one in found if one["code"] == "LINT_NO_OWNER"]
    assert len(texts) == 2
    assert all("has no label owner; it is about" in text for text in texts)
