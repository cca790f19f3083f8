"""The worked examples of CONTRIBUTING.md that are two files: with them, and no other line, the subcommand is there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]


EXAMPLES = {
    "a new subcommand with its probe": ["handlers/commands/kernels.py", "handlers/probes/kernels_known.py"],
    "a new question that reuses probes of `why`": [
        "handlers/commands/leaves.py",
        "handlers/probes/source_node_ready.py",
    ],
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the knowledge with the files of both examples added, and nothing else changed."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "handlers", folder / "handlers")
    for title, names in EXAMPLES.items():
        _, _, text = (ROOT / "CONTRIBUTING.md").read_text().partition(f"## Worked example: {title}\n")
        text, _, _ = text.partition("\n## ")
        files = re.findall(r"^`(handlers/\S+\.py)`:\n\n```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert [name for name, _ in files] == names
        for name, code in files:
            (folder / name).write_text(code)
    return folder


BASELINE = str(ROOT / "tests" / "scenarios" / "01-baseline" / "sysdump.zip")
GATEWAY = str(ROOT / "tests" / "scenarios" / "22-egress-gateway" / "sysdump.zip")
OVER_THE_GATEWAY = ("shop/redis", "198.19.50.7:443", "--sysdump", GATEWAY, "--output", "json")
SENTENCES = ["hey, which kernels are there?", "show me the kernels please", "which kernel is it?"]
LINES = {
    "kernels": ["kernels", "--sysdump", BASELINE, "--output", "json"],
    "a mistake": ["kernels", "twice"],
    "leaves": ["leaves", *OVER_THE_GATEWAY],
    "why": ["why", *OVER_THE_GATEWAY],
    **{says: ["ask", "--dry-run", says, "--output", "json"] for says in SENTENCES},
}
"""Command lines by what this module calls them."""
# Most of the time of a process is its start, so one runs all of them.
PROGRAM = """
import contextlib, io, json, sys
from workers.cli.app import run
done = {}
for name, words in json.loads(sys.argv[1]).items():
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as errors:
        status = run(words)
    done[name] = status, out.getvalue(), errors.getvalue()
print(json.dumps(done))
"""


class Done(NamedTuple):
    """How a command line ended, and what it wrote."""

    status: int
    out: str
    errors: str


@pytest.fixture(scope="module")
def done(checkout: Path) -> dict[str, Done]:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(LINES)],
        env={**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{ROOT}"},
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return {name: Done(*ended) for name, ended in json.loads(ran.stdout).items()}


def test_the_new_subcommand_answers(done: dict[str, Done]) -> None:
    assert done["kernels"].status == 0, done["kernels"].errors
    report = json.loads(done["kernels"].out)
    assert report["headline"] == "1 kernel runs"
    assert sorted(finding["text"] for finding in report["findings"]) == [
        "Node lab-node-1 runs 6.18.44",
        "Node lab-node-2 runs 6.18.44",
    ]


@pytest.mark.parametrize("says", SENTENCES)
def test_its_phrases_find_it(done: dict[str, Done], says: str) -> None:
    assert json.loads(done[says].out)["read_as"] == "kernels"


def test_its_usage_is_shown_to_who_mistypes(done: dict[str, Done]) -> None:
    assert done["a mistake"].status == 64
    assert "kernels [fresh]" in done["a mistake"].errors


def test_a_question_about_three_hops_says_what_their_probes_say(done: dict[str, Done]) -> None:
    leaves, why = (json.loads(done[name].out) for name in ("leaves", "why"))
    of_why = [finding for finding in leaves["findings"] if finding["code"] != "SOURCE_NODE_READY"]
    assert {finding["hop"] for finding in of_why} == {"resolve", "egress-policy", "egress-gateway"}
    assert all(finding in why["findings"] for finding in of_why)
    assert [finding["text"] for finding in leaves["findings"] if finding["code"] == "SOURCE_NODE_READY"] == [
        "Node lab-node-1 is ready: yes"
    ]
    assert leaves["expected"] == "blocked"
