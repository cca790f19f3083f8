"""What the chart renders to, kept beside the tests: Helm writes it, and tests without Helm read it."""

import hashlib
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

CHART = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "cilium-triage"
RENDERED = Path(__file__).resolve().parents[2] / "tests" / "chart" / "rendered"
KUBERNETES = "1.33.0"
_NOT_RENDERED = ("README.md", ".helmignore", "values.schema.json", "alerts.yaml", "dashboard.json")
"""Files that decide nothing of what is rendered, or that are put there as they are."""
_HEAD = "# helm template of ci/{name}-values.yaml, chart {digest}\n"


def cases() -> dict[str, Path]:
    """Return the values in ``ci/`` that the chart takes, by name."""
    return {path.name.removesuffix("-values.yaml"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))}


@cache
def digest() -> str:
    """Return a digest of all that decides what is rendered: with another one Helm has to be asked again."""
    found = hashlib.sha256()
    for path in _sources():
        found.update(f"{path.relative_to(CHART).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    for path in sorted(CHART.rglob("*")):
        if path.is_file() and path.name not in _NOT_RENDERED:
            yield path


def head(name: str) -> str:
    """Return the first line of a rendered file that is current."""
    return _HEAD.format(name=name, digest=digest())


def render(helm: str, name: str, values: Path) -> str:
    """Ask Helm; raises CalledProcessError, with its words in ``stderr``."""
    command = [helm, "template", "triage", str(CHART), "--namespace", "cilium-triage", "--values", str(values)]
    # The words of Helm go to whoever asked.
    done = subprocess.run([*command, "--kube-version", KUBERNETES], check=True, capture_output=True, text=True)  # noqa: S603
    return head(name) + done.stdout
