"""The action's script: a pull request that cuts somebody off fails, and says so in the summary and in marks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.matrix.test_pull_request import CART, CONTRACT, FOR_NOBODY, cluster_of_the_shop
from tests.policy.worlds import documents

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
SCRIPT = ROOT / "deploy" / "github-action" / "judge.sh"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    def git(*words: str) -> None:
        who = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch", "main")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "cart.yaml").write_text(CART)
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    whole = {"id": "shop", "cluster": cluster_of_the_shop(), "policies": documents(CART)}
    (tmp_path / "case.json").write_text(json.dumps(whole))
    git("add", ".")
    git("commit", "--quiet", "-m", "before")
    (tmp_path / "policies" / "cart.yaml").write_text(FOR_NOBODY)
    git("commit", "--quiet", "-am", "after")
    return tmp_path


def judged(repository: Path, **given: str) -> tuple[int, str, dict[str, str], str]:
    """Run the script as the action does; gives its status, the summary, the outputs, and what the log shows."""
    (judge,) = [step for step in ACTION["runs"]["steps"] if step.get("id") == "judge"]
    place = repository.parent
    environment = {
        **dict.fromkeys(judge["env"], ""),
        "PATH": "/usr/bin:/bin",
        "PROGRAM": str(Path(sys.executable).with_name("cilium-triage")),
        "CASE": "case.json",
        "FAIL_ON": "cut",
        "RUNNER_TEMP": str(place),
        "GITHUB_STEP_SUMMARY": str(place / "summary"),
        "GITHUB_OUTPUT": str(place / "outputs"),
        **given,
    }
    done = subprocess.run(
        ["bash", SCRIPT], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    outputs = dict(line.split("=", 1) for line in (place / "outputs").read_text().splitlines())
    return done.returncode, (place / "summary").read_text(), outputs, done.stdout + done.stderr


def test_a_change_that_cuts_somebody_off_fails_and_says_whom(repository: Path) -> None:
    status, summary, outputs, log = judged(repository, COMMAND="whatif", RANGE="HEAD~1...HEAD")
    assert (status, outputs["status"], log) == (1, "1", "")
    assert summary.startswith("<!-- cilium-triage whatif -->\n")
    assert "shop/frontend could not reach shop/cart on 8080/TCP any more" in summary


def test_a_contract_that_breaks_is_marked(repository: Path) -> None:
    status, summary, outputs, _ = judged(repository, COMMAND="check", CONTRACT="contract.yaml", RANGE="HEAD~1...HEAD")
    assert status == 1
    assert "is broken" in summary
    assert json.loads(Path(outputs["sarif"]).read_text())["runs"][0]["results"]


def test_what_cannot_be_told_fails_too_and_says_why(repository: Path) -> None:
    status, summary, _, log = judged(repository, COMMAND="whatif", RANGE="no-such-commit...HEAD")
    assert (status, log) == (64, "")
    assert "    cilium-triage: git rev-parse" in summary


def test_each_input_is_one_of_the_scripts_own() -> None:
    (judge,) = [step for step in ACTION["runs"]["steps"] if step.get("id") == "judge"]
    script = SCRIPT.read_text(encoding="utf-8")
    assert [name for name in judge["env"] if name != "GH_TOKEN" and f"${name}" not in script] == []
