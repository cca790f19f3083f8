"""Which of several clusters a question is about: ``why a b cluster prod``, ``in the stage cluster: drops shop``."""

import re
from collections.abc import Collection
from dataclasses import dataclass

_NAME = r"[A-Za-z0-9][\w.@-]{0,252}"
_BEFORE = r"(?:\b(?:in|on|of|at|for|from)\s+)?(?:\bthe\s+)?"
_NAMED = re.compile(
    rf"{_BEFORE}(?<![\w/-])(?:--)?cluster[\s=:]+[`'\"]?(?P<name>{_NAME})[`'\"]?(?![\w/-])", re.IGNORECASE
)
_CALLED = re.compile(rf"{_BEFORE}(?<![\w/.-])[`'\"]?(?P<name>{_NAME})[`'\"]?\s+cluster(?![\w/-])", re.IGNORECASE)
_SURELY = re.compile(
    rf"(?:\b(?:in|on|of|at|for|from)\s+(?:the\s+)?(?<![\w/-])cluster\s+|(?<![\w/-])(?:--)?cluster[=:]\s*|"
    rf"(?<![\w/-])--cluster\s+)[`'\"]?(?P<name>{_NAME})",
    re.IGNORECASE,
)
_NO_NAMES = frozenset(
    "a an and are as at between by cidr cidrs dns for from has have health how in internal ip ips is it local mesh "
    "mode network networking node nodes now of on or policies policy pods scope service services since state status "
    "that the this to today traffic was what when where which who why wide with".split()
)
"""Words that follow ``cluster`` and name none."""
_ASKS = re.compile(r"\s*\?\s*$")


@dataclass(frozen=True, slots=True)
class Named:
    """A question without the words that name its cluster; ``cluster`` is empty where none does."""

    text: str
    cluster: str = ""


def cluster_named(text: str, known: Collection[str]) -> Named:
    """Return the cluster that a question names, of those that are known, and the question without it."""
    by_name = {name.casefold(): name for name in known}
    for pattern in (_NAMED, _CALLED):
        for found in pattern.finditer(text):
            # A full stop ends a sentence more often than a name.
            name = by_name.get(found["name"].casefold()) or by_name.get(found["name"].rstrip(".").casefold())
            if name:
                return Named(_without(text, found), name)
    return Named(text)


def cluster_surely_named(text: str) -> str:
    """Return the name that a question surely gives a cluster (``in cluster prd``), known or not; empty for none."""
    names = (found["name"].rstrip(".") for found in _SURELY.finditer(text))
    return next((name for name in names if name.casefold() not in _NO_NAMES), "")


def cluster_meant(text: str) -> Named:
    """Return the cluster that the last words of a question name, whether anybody knows it or not."""
    asked = _ASKS.sub("", text).rstrip(" .!")
    found = next((one for one in _NAMED.finditer(asked) if one.end() == len(asked)), None)
    return Named(_without(text, found), found["name"]) if found else Named(text)


def _without(text: str, found: "re.Match[str]") -> str:
    before, after = text[: found.start()].rstrip(), text[found.end() :]
    if not before:
        return after.lstrip(" ,:;")
    return f"{before.rstrip(',;')}{after if after[:1] in ' ?.!,' or not after else f' {after}'}".strip()
