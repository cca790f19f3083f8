"""``python -m tools.tutorial``: paste what the commands of docs/tutorial.md print below each of them."""

import re
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from workers.cli.app import run

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"
_BLOCK = re.compile(r"^```console\n\$ cilium-triage (?P<words>[^\n]+)\n.*?^```$", re.MULTILINE | re.DOTALL)


def printed(words: str) -> str:
    """Return what a command prints to a pipe, both streams, without blanks at the ends of lines."""
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        run(shlex.split(words))
    return "\n".join(line.rstrip() for line in said.getvalue().strip().splitlines())


def refreshed(page: str) -> str:
    """Return the page with the output of each of its commands; paths in them count from the repository's root."""
    return _BLOCK.sub(
        lambda block: f"```console\n$ cilium-triage {block['words']}\n{printed(block['words'])}\n```", page
    )


if __name__ == "__main__":
    PAGE.write_text(refreshed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE} written\n")
