"""What the README promises a newcomer: versions that the engine knows, programs and targets of those names."""

import re
import tomllib
from pathlib import Path

from handlers.policy.versions import NEWEST_OF_EACH
from tools.demo import QUESTION, SAMPLE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_versions_are_those_that_the_engine_knows() -> None:
    oldest, newest = (".".join(map(str, one.line)) for one in (NEWEST_OF_EACH[0], NEWEST_OF_EACH[-1]))
    assert re.findall(r"Cilium (1\.\d+) to (1\.\d+)", PAGE) == [(oldest, newest)]


def test_the_first_question_is_the_one_of_the_demo_about_its_dump() -> None:
    assert f"cilium-triage {QUESTION} --sysdump {SAMPLE.relative_to(ROOT)}\n" in PAGE


def test_each_program_and_target_that_it_names_is_there() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert {"cilium-triage", "kubectl-cilium_triage"} <= set(scripts)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", PAGE, re.MULTILINE)) <= targets
