"""Whom a program says that it dialled, in the words of its own error.

Go's ``net`` writes ``dial tcp 10.0.0.1:5432: i/o timeout``, ``net/http`` a URL before it, and its resolver
``lookup api.example.com on 10.96.0.10:53``.
"""

import re

from handlers.alerts.ends import target_of
from handlers.model.endpoint import EndpointName

URL = re.compile(r"[a-z]+://[^\s\"'<>]{1,300}", re.I)
_DIALLED = re.compile(r"(?:dial tcp|connect to|connect service) \"?(\[?[0-9a-f.:]{2,45}\]?:\d{1,5})", re.I)
_BY_NAME = re.compile(r"(?:dial (?:tcp|udp)|connect to|connect service) \"?([a-z0-9.-]{3,253}:\d{1,5})(?![\w.])", re.I)
_LOOKED_UP = re.compile(r"\blookup \S{1,253} on (\[?[0-9a-f.:]{2,45}\]?:53)\b", re.I)


def dialled(words: str) -> tuple[EndpointName, str] | None:
    """Return who was dialled and on which port, None where the words name nobody; a URL comes before its address."""
    return _first(URL, words) or _first(_DIALLED, words) or _first(_BY_NAME, words)


def asked_for_names(words: str) -> EndpointName | None:
    """Return the server that a name was asked of, None where no look-up failed."""
    server = _first(_LOOKED_UP, words)
    return server[0] if server else None


def _first(pattern: re.Pattern[str], words: str) -> tuple[EndpointName, str] | None:
    found = pattern.search(words)
    target = target_of(found[found.re.groups]) if found else None
    return (target[0], str(target[1])) if target is not None and target[1] else None
