"""The worked examples of CONTRIBUTING.md that are two files: with them, and no other line, the subcommand is there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

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
    shutil.copytree(ROOT / "handlers", folder / "handlers", ignore=shutil.ignore_patterns("__pycache__"))
    for title, names in EXAMPLES.items():
        _, _, text = (ROOT / "CONTRIBUTING.md").read_text().partition(f"## Worked example: {title}\n")
        text, _, _ = text.partition("\n## ")
        files = re.findall(r"^`(handlers/\S+\.py)`:\n\n```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert [name for name, _ in files] == names
        for name, code in files:
            (folder / name).write_text(code)
    return folder


def _cli(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from workers.cli import main; main()", *words],
        env={**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{ROOT}"},
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_the_new_subcommand_answers(checkout: Path) -> None:
    dump = ROOT / "tests" / "scenarios" / "01-baseline" / "sysdump.zip"
    done = _cli(checkout, "kernels", "--sysdump", str(dump), "--output", "json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["headline"] == "1 kernel runs"
    assert sorted(finding["text"] for finding in report["findings"]) == [
        "Node lab-node-1 runs 6.18.44",
        "Node lab-node-2 runs 6.18.44",
    ]


@pytest.mark.parametrize("says", ["hey, which kernels are there?", "show me the kernels please", "which kernel is it?"])
def test_its_phrases_find_it(checkout: Path, says: str) -> None:
    done = _cli(checkout, "ask", "--dry-run", says, "--output", "json")
    assert json.loads(done.stdout)["read_as"] == "kernels"


def test_its_usage_is_shown_to_who_mistypes(checkout: Path) -> None:
    done = _cli(checkout, "kernels", "twice")
    assert done.returncode == 64
    assert "kernels [fresh]" in done.stderr


def test_a_question_about_three_hops_says_what_their_probes_say(checkout: Path) -> None:
    dump = ROOT / "tests" / "scenarios" / "22-egress-gateway" / "sysdump.zip"
    asked = ("shop/redis", "198.19.50.7:443")
    leaves, why = (
        json.loads(_cli(checkout, name, *asked, "--sysdump", str(dump), "--output", "json").stdout)
        for name in ("leaves", "why")
    )
    of_why = [finding for finding in leaves["findings"] if finding["code"] != "SOURCE_NODE_READY"]
    assert {finding["hop"] for finding in of_why} == {"resolve", "egress-policy", "egress-gateway"}
    assert all(finding in why["findings"] for finding in of_why)
    assert [finding["text"] for finding in leaves["findings"] if finding["code"] == "SOURCE_NODE_READY"] == [
        "Node lab-node-1 is ready: yes"
    ]
    assert leaves["expected"] == "blocked"
