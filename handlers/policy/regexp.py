r"""Regular expressions of HTTP rules, by the two engines that meet them.

The agent compiles path and method with Go's ``regexp`` and refuses the whole policy when it cannot
(pkg/policy/api/http.go, Sanitize). The proxy then runs them with RE2, matched in full; what RE2 does not compile allows
nothing. Here RE2 is the same library; Go's ``regexp/syntax`` differs from it in these points, and matches alike:

- refused by Go alone: ``\C``, names of groups beyond ASCII;
- refused by RE2 alone: programs beyond its memory, names of character classes that Go has known since 1.25;
- refused by some versions of Go: names of classes like ``Old_Italic``, groups a thousand deep, counts of ten digits.

Where it depends on the version, the agent is taken to accept and the rule to allow nothing: never more open than Cilium
may be.
"""

import re
from typing import Any

import re2

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False

_REFUSED_BY_RE2_ALONE = re.compile(
    r"pattern too large|invalid character class range: \\[pP](\{\^?[\w -]+\}|[clmnpsz])$"
)
_UP_TO_THE_VERSION = re.compile(r"\\[pP]\{\^?(?![A-Z][a-z]*\})|\{[\d,]{9,}|(\([^(]*){250}")
_QUOTED = re.compile(r"\\Q.*?(\\E|\Z)|\\\\", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


class RegexpError(ValueError):
    """The agent does not compile the expression; the message is the engine's reason."""


def check_regexp(expression: str) -> None:
    """Compile an expression as the agent does.

    Raises:
        RegexpError: if the agent refuses it.
    """
    try:
        names = _compile(expression).groupindex
    except re2.error as error:
        reason = error.args[0].decode(errors="replace")
        if _REFUSED_BY_RE2_ALONE.match(reason):
            return
        raise RegexpError(reason) from error
    if r"\C" in _unquoted(expression):
        raise RegexpError(r"invalid escape sequence: \C")
    if not all(map(str.isascii, names)):
        raise RegexpError(f"invalid named capture: {' '.join(names)}")


def full_match(expression: str, text: str) -> bool:
    """Tell whether the proxy finds that the whole text matches (Envoy's safe_regex is RE2::FullMatch)."""
    if _UP_TO_THE_VERSION.search(_unquoted(expression)):
        return False
    try:
        return _compile(expression).fullmatch(_unicode(text)) is not None
    except re2.error:
        return False


def _compile(expression: str) -> Any:
    return re2.compile(_unicode(expression), _OPTIONS)


def _unquoted(expression: str) -> str:
    r"""Leave out what stands between ``\Q`` and ``\E``, and backslashes that stand for themselves."""
    return _QUOTED.sub(".", expression)


def _unicode(text: str) -> str:
    """Read half a surrogate pair as Go's decoder of JSON does."""
    return _SURROGATE.sub("\ufffd", text)
