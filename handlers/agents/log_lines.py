"""Lines of an agent's log: when, how grave, and what they say.

Cilium writes ``level=... msg="..."`` (logrus, and slog from 1.18 on), or the same as JSON; client-go writes the form of
klog, and a run that Go ends writes plain text.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_ANY_TIME = re.compile(_TIME)
_LEVEL = re.compile(r"\blevel=\"?([A-Za-z]+)")
_MESSAGE = re.compile(r'\bmsg=(?:"((?:[^"\\]|\\.)*)|(\S+))')
_ERROR = re.compile(r'\b(?:error|err)=(?:"((?:[^"\\]|\\.)*)|(\S+))')
_KLOG = re.compile(r"^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w.-]+:\d+\] (.*)$")
_GO_ENDS = re.compile(r"^(?:panic: |fatal error: |Error: )")
_LEVELS = {"err": "error", "warn": "warning", "I": "info", "W": "warning", "E": "error", "F": "fatal"}
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff]+|[\u2028\u2029\u202a-\u202e\u2066-\u2069]+")

MOST_READ = 1000
"""Characters of a line that are looked at."""
MOST_SHOWN = 240
"""Characters of a line that are shown."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line. ``level`` is ``info``, ``warning``, ``error``, ``fatal``, or empty where the line tells none.

    ``text`` is its message with the error behind it, without what a terminal would obey.
    """

    at: datetime | None
    level: str
    text: str

    @property
    def is_grave(self) -> bool:
        """Whether the agent complains of an error."""
        return self.level in ("error", "fatal")

    @property
    def shown(self) -> str:
        """The text, clipped."""
        return self.text if len(self.text) <= MOST_SHOWN else f"{self.text[: MOST_SHOWN - 1]}…"


def log_lines(lines: Iterable[str]) -> tuple[LogLine, ...]:
    """Read the lines of a log."""
    return tuple(_line(line[:MOST_READ]) for line in lines)


def _line(line: str) -> LogLine:
    found = _ANY_TIME.search(line[:120])
    at, said = _moment(found.group()) if found else None, re.sub(rf"^{_TIME} (?:std(?:out|err) [FP] )?", "", line)
    if said.startswith("{"):
        return _of_json(at, said)
    if klog := _KLOG.match(said):
        return LogLine(at, _LEVELS[klog.group(1)], _clean(_unescaped(klog.group(2))))
    if _GO_ENDS.match(said):
        return LogLine(at, "fatal", _clean(said))
    level, message = _LEVEL.search(said), _MESSAGE.search(said)
    error = _ERROR.search(said)
    text = ": ".join(_unquoted(one) for one in (message, error) if one)
    return LogLine(at, _level(level.group(1)) if level else "", _clean(text or said))


def _of_json(at: datetime | None, said: str) -> LogLine:
    try:
        body = json.loads(said)
    except (ValueError, RecursionError):
        body = {}
    words = [str(body[key]) for key in ("msg", "error") if key in body]
    return LogLine(at, _level(str(body.get("level", ""))), _clean(": ".join(words) or said))


def _level(word: str) -> str:
    return _LEVELS.get(word.lower(), word.lower())


def _unquoted(found: re.Match[str]) -> str:
    return _unescaped(found.group(1) or found.group(2) or "")


def _unescaped(quoted: str) -> str:
    return quoted.replace('\\"', '"').replace("\\n", " ").replace("\\\\", "\\")


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text).strip()


def _moment(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
