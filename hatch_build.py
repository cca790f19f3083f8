"""Build hook: a wheel or sdist that is built from a checkout knows its commit."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_WRITTEN_TO = "workers/cli/commit.txt"
"""Where ``workers.cli.version`` reads it."""


class CommitHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the commit into what is built; an editable installation has none, for its commit changes under it."""

    _folder: "TemporaryDirectory[str] | None" = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the commit where git tells one; an sdist has no repository and holds the file already."""
        commit = _commit_of(Path(self.root))
        if commit and version != "editable":
            self._folder = TemporaryDirectory()
            written = Path(self._folder.name) / "commit.txt"
            written.write_text(f"{commit}\n", encoding="utf-8")
            build_data["force_include"][str(written)] = _WRITTEN_TO

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take the written file away."""
        if self._folder is not None:
            self._folder.cleanup()


def _commit_of(root: Path) -> str:
    if not (root / ".git").exists():
        return ""
    try:
        told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True)  # noqa: S607
    except (OSError, subprocess.CalledProcessError):
        return ""
    return told.stdout.strip()
