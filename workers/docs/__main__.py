"""Write the reference pages, or say which of them are out of date.

``python -m workers.docs [--check] [DIRECTORY]``; the directory is ``docs`` unless told.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from workers.docs.pages import pages, stale_pages


def main(arguments: Sequence[str]) -> int:
    """Write what differs; with ``--check`` only name it, and return 1 if there is something."""
    checking = "--check" in arguments
    directory = Path(next((word for word in arguments if not word.startswith("-")), "docs"))
    stale = stale_pages(directory)
    for name in stale:
        if not checking:
            (directory / name).write_text(pages()[name], encoding="utf-8")
        sys.stdout.write(f"{directory / name} {'is out of date: run make docs' if checking else 'written'}\n")
    return 1 if checking and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
