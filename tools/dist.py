"""``make dist``: wheel and sdist, and proof that the wheel alone answers in an environment that has nothing else."""

import json
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.demo import QUESTION, SAMPLE

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
SLACK_S = ("slack_bolt", "slack_sdk", "celery", "redis")


def main() -> None:
    """Build, install, ask; ends with what failed."""
    shutil.rmtree(DIST, ignore_errors=True)
    with TemporaryDirectory() as folder:
        _build(Path(folder) / "builder")
        (wheel,) = DIST.glob("*.whl")
        _ask(wheel, Path(folder) / "user")


def _build(place: Path) -> None:
    """Build the sdist from the checkout and the wheel from the sdist: whoever has the sdist alone can do the same."""
    if shutil.which("uv"):
        _run("uv", "build", "--quiet", "--out-dir", str(DIST), str(ROOT))
    else:
        _run(*_made(place), "install", "--quiet", "build")
        _run(str(place / "bin" / "python"), "-m", "build", "--outdir", str(DIST), str(ROOT))
    for built in sorted(DIST.iterdir()):
        if built.suffix in (".whl", ".gz"):
            _say(f"{built.name}: {built.stat().st_size / 1024:.0f} KiB")


def _ask(wheel: Path, place: Path) -> None:
    started = time.perf_counter()
    _run(*_made(place), "install", "--quiet", str(wheel))
    size = sum(file.stat().st_size for file in (place / "lib").rglob("*") if file.is_file() and not file.is_symlink())
    _say(f"installed in {time.perf_counter() - started:.1f} s, {size / 1024**2:.0f} MiB with all that it needs")
    absent = f"import importlib.util as found, sys; sys.exit(any(map(found.find_spec, {SLACK_S!r})))"
    _run(str(place / "bin" / "python"), "-c", absent)
    version = _run(str(place / "bin" / "kubectl-cilium_triage"), "--version").strip()
    if _run("git", "-C", str(ROOT), "rev-parse", "HEAD")[:12] not in version:
        sys.exit(f"the wheel does not know its commit: {version}")
    _say(version)
    started = time.perf_counter()
    command = [str(place / "bin" / "cilium-triage"), *QUESTION.split(), "--sysdump", str(SAMPLE), "--output", "json"]
    asked = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)  # noqa: S603
    if asked.returncode != 1 or json.loads(asked.stdout)["expected"] != "blocked":
        sys.exit(f"the wheel answers wrongly, with status {asked.returncode}: {asked.stdout[:500]}{asked.stderr[:500]}")
    _say(f"{QUESTION}: blocked, as it is, in {time.perf_counter() - started:.1f} s")


def _made(place: Path) -> tuple[str, ...]:
    """Make an environment, and return its pip."""
    venv.create(place, with_pip=True)
    return str(place / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"{' '.join(command[:4])} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
