"""Lines of logs: when they were written, and as they may be shown."""

import re
from datetime import datetime

_TIME = re.compile(r"(?:^|time=\"?)(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))")
_LONGEST = 200


def time_of(line: str) -> datetime | None:
    """Return when a line was written: by kubelet's stamp, else by the agent's own; None where it bears no time."""
    found = _TIME.search(line)
    try:
        return datetime.fromisoformat(found["time"]) if found else None
    except ValueError:
        return None


def shown(line: str) -> str:
    """Return a line in one piece, printable, its stamp taken off, and no longer than a reader wants."""
    words = "".join(char if char.isprintable() else " " for char in line)
    words = re.sub(r"^\S+Z\s+(?=time=)", "", words).strip()
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
