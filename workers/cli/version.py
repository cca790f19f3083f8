"""Which release this is, and of which commit, as far as anybody wrote that down."""

import json
import os
from importlib import resources
from importlib.metadata import Distribution, PackageNotFoundError, distribution

COMMIT = "CILIUM_TRIAGE_COMMIT"
"""The variable that an image is given when it is built."""
_NAME = "cilium-triage"


def version_in_words() -> str:
    """Return ``cilium-triage 0.1.0 (commit 1a2b3c4d5e6f)``."""
    try:
        installed = distribution(_NAME)
    except PackageNotFoundError:
        return f"{_NAME}, not installed as a package"
    commit = os.environ.get(COMMIT) or _commit_of(installed) or _commit_of_build()
    return f"{_NAME} {installed.version}" + (f" (commit {commit[:12]})" if commit else "")


def _commit_of(installed: Distribution) -> str:
    """Read what pip noted of an installation from a repository (PEP 610)."""
    try:
        written = json.loads(installed.read_text("direct_url.json") or "{}")
        return str(written["vcs_info"]["commit_id"])
    except (KeyError, TypeError, ValueError):
        return ""


def _commit_of_build() -> str:
    """Read what ``hatch_build.py`` put into a wheel that was built from a checkout."""
    try:
        return resources.files("workers.cli").joinpath("commit.txt").read_text("utf-8").strip()
    except OSError:
        return ""
