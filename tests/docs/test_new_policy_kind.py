"""The worked example of a new kind of policy in CONTRIBUTING.md: one file, four lines, and the engine decides by it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _inserted(path: Path, before: str, lines: str) -> None:
    """Put lines in front of the one place that has these words."""
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, lines + before))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the knowledge with the example's file and its lines added, and nothing else changed."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "handlers", folder / "handlers")
    _, _, text = (ROOT / "CONTRIBUTING.md").read_text().partition("## Worked example: a new kind of policy\n")
    text, _, _ = text.partition("\n## ")
    parser, member, row, imported, entry = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (name,) = re.findall(r"^`(handlers/policy/\S+\.py)`:$", text, re.MULTILINE)
    (folder / name).write_text(parser)
    kinds, engine = folder / "handlers/model/policy_kind.py", folder / "handlers/policy/policy_set.py"
    _inserted(kinds, "\n    @property\n    def api(self)", member)
    _inserted(kinds, "        PolicyKind.NETWORK_POLICY: PolicyApi(", row)
    _inserted(engine, "from handlers.policy.parse_networkpolicy import", imported)
    _inserted(engine, "    PolicyKind.NETWORK_POLICY: lambda", entry)
    return folder


CASE = {
    "id": "quarantine",
    "cluster": {
        "namespaces": [{"name": "shop", "labels": {}}],
        "nodes": [{"name": "n1", "ips": ["10.0.0.1"], "labels": {}}],
        "pods": [
            {"namespace": "shop", "name": name, "labels": {"app": name}, "ip": ip, "node": "n1", "ports": []}
            for name, ip in (("web", "10.1.0.1"), ("cart", "10.1.0.2"), ("search", "10.1.0.3"))
        ],
    },
    "policies": [
        {
            "apiVersion": "example.io/v1",
            "kind": "Quarantine",
            "metadata": {"namespace": "shop", "name": "cut-off"},
            "spec": {"podSelector": {"matchLabels": {"app": "cart"}}},
        }
    ],
    "options": {},
    "queries": [
        {"src": {"pod": f"shop/{source}"}, "dst": {"pod": f"shop/{destination}"}, "port": 80, "protocol": "TCP"}
        for source, destination in (("web", "cart"), ("cart", "search"), ("web", "search"))
    ],
}


def test_the_engine_decides_by_the_new_kind(checkout: Path, tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    cases.write_text(json.dumps(CASE) + "\n")
    done = subprocess.run(
        [sys.executable, "-c", "from workers.cli import main; main()", "policy", "eval", str(cases)],
        env={**os.environ, "PYTHONPATH": f"{checkout}{os.pathsep}{ROOT}"},
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answered = json.loads(done.stdout)
    assert [answer["verdict"] for answer in answered["answers"]] == ["denied", "denied", "allowed"]
    assert [status["valid"] for status in answered["policy_status"]] == [True]
