"""Take secrets out of JSON before it is kept: a recording is passed on, a cluster's secrets are not.

Structure and the words that diagnosis needs (labels, addresses, names) stay; what is taken out reads ``[redacted]``.
"""

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "[redacted]"

_SECRET_NAME = re.compile(
    r"(?:^|[._/-]|(?<=[a-z]))"
    r"(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|"
    r"authorization|cookie|session[_-]?id)"
    r"(?:$|[._/-])",
    re.IGNORECASE,
)
"""Keys whose plain value is a secret by its name (``db-password``, ``X-Api-Key``); not ``secretName`` and the like."""

_ENVIRONMENT_NAME = re.compile(r"(?:^|[./_-])env(?:ironment)?(?:$|[./_-])", re.IGNORECASE)
"""Annotation keys under which tools keep environment variables."""

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        REDACTED,
    ),
    (re.compile(r"\b(?i:(authorization|proxy-authorization|cookie|set-cookie|x-api-key))(\s*[:=]\s*)[^\r\n\"]+"),
     rf"\1\2{REDACTED}"),
    (re.compile(r"\b(?i:(bearer|basic))\s+(?=\S*[0-9=])[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {REDACTED}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), REDACTED),
    (re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{8,}"), REDACTED),
    (re.compile(r"\bxapp-[A-Za-z0-9-]{8,}"), REDACTED),
    (re.compile(r"\b(?:gh[opsur]_|github_pat_|glpat-)[A-Za-z0-9_-]{16,}"), REDACTED),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), REDACTED),
    (re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b"), REDACTED),
    (re.compile(r"(?<=://)[^/@\s:]+:[^/@\s]+(?=@)"), REDACTED),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?#\"'<>]*\?)[^\s\"'<>]+", re.IGNORECASE), rf"\1{REDACTED}"),
    (
        re.compile(r"(?<![A-Za-z])(?i:(password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|session[_-]?id))(=|:\s?)(?!\[redacted\])[^\s&,;\"']+"),
        rf"\1\2{REDACTED}",
    ),
)  # fmt: skip
"""Secrets by their looks, wherever a text holds them."""

_URL_KEYS = frozenset({"url", "uri"})
"""Keys of a whole URL or its path; ``path`` is not one: in a policy it is a regular expression."""


def redacted(body: Any) -> Any:
    """Return a copy of a JSON value without what looks like a secret.

    Header rules of a policy keep their names and lose their values, so a replayed L7 rule on a secret header matches
    by name only.
    """
    return _redacted(body, "")


def _redacted(body: Any, key: str) -> Any:
    if isinstance(body, Mapping):
        if key == "annotations":
            return {name: REDACTED if _is_private(name) else _redacted(item, name) for name, item in body.items()}
        if isinstance(body.get("name"), str) and isinstance(body.get("value"), str) and _is_secret(body["name"]):
            return {**{name: _redacted(item, name) for name, item in body.items()}, "value": REDACTED}
        return {name: _redacted(item, name) for name, item in body.items()}
    if isinstance(body, list | tuple):
        return [_redacted(item, key) for item in body]
    if isinstance(body, str):
        if body and _is_secret(key):
            return REDACTED
        return redacted_text(body.partition("?")[0] + f"?{REDACTED}" if key in _URL_KEYS and "?" in body else body)
    return body


def redacted_text(text: str) -> str:
    """Return a text without the parts that look like a secret."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _is_secret(name: object) -> bool:
    return isinstance(name, str) and _SECRET_NAME.search(name) is not None


def _is_private(name: object) -> bool:
    return _is_secret(name) or (isinstance(name, str) and _ENVIRONMENT_NAME.search(name) is not None)
