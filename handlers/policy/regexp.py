r"""Regular expressions of HTTP rules, by the two engines that meet them.

The agent compiles path and method with Go's ``regexp`` and refuses the whole policy when it cannot
(pkg/policy/api/http.go, Sanitize). The proxy then runs them with RE2, matched in full; what RE2 does not compile allows
nothing. Here RE2 is the same library; Go's ``regexp/syntax`` differs from it in these points, and matches alike:

- refused by Go alone: ``\C``, names of groups beyond ASCII;
- refused by RE2 alone: programs beyond its memory, names of character classes that Go has known since 1.25;
- refused by some versions of Go: names of classes like ``Old_Italic``, groups a thousand deep, counts of ten digits.

Where it depends on the version, the agent is taken to accept and the rule to allow nothing: never more open than Cilium
may be.

Where RE2 is not installed, no expression is judged: ``is_judged`` tells which rules that concerns, and policies with
them may be refused, or be in force (``Rule.may_be_void``).
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from handlers.model.rule import Rule

try:
    import re2
except ImportError:
    # Alpine has no wheel of it. Python's own expressions are another language, and stand for nothing here.
    re2 = None

_REFUSED_BY_RE2_ALONE = re.compile(
    r"pattern too large|invalid character class range: \\[pP](\{\^?[\w -]+\}|[clmnpsz])$"
)
_UP_TO_THE_VERSION = re.compile(r"\\[pP]\{\^?(?![A-Z][a-z]*\})|\{[\d,]{9,}|(\([^(]*){250}")
_QUOTED = re.compile(r"\\Q.*?(\\E|\Z)|\\\\", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


NO_RE2 = "expressions cannot be judged without re2"
INSTALL_RE2 = "Install it where the answer is made: pip install 'cilium-triage[expressions]'."


class RegexpError(ValueError):
    """The agent does not compile the expression; the message is the engine's reason."""


def is_judged(rules: Iterable[Rule]) -> bool:
    """Tell whether all that the expressions of rules decide can be told: whether they are accepted, and match."""
    if re2 is not None:
        return True
    http_rules = (one for rule in rules for l7 in rule.l7 for one in l7.http)
    return not any(one.method or one.path or one.host for one in http_rules)


def check_regexp(expression: str) -> None:
    """Compile an expression as the agent does; without RE2 none is refused here.

    Raises:
        RegexpError: if the agent refuses it.
    """
    if re2 is None:
        return
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
    """Tell whether the proxy finds that the whole text matches (Envoy's safe_regex is RE2::FullMatch).

    Without RE2 nothing is said to match; ask ``is_judged`` first.
    """
    if re2 is None or _UP_TO_THE_VERSION.search(_unquoted(expression)):
        return False
    try:
        return _compile(expression).fullmatch(_unicode(text)) is not None
    except re2.error:
        return False


def _compile(expression: str) -> Any:
    return re2.compile(_unicode(expression), _options())


@cache
def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


def _unquoted(expression: str) -> str:
    r"""Leave out what stands between ``\Q`` and ``\E``, and backslashes that stand for themselves."""
    return _QUOTED.sub(".", expression)


def _unicode(text: str) -> str:
    """Read half a surrogate pair as Go's decoder of JSON does."""
    return _SURROGATE.sub("\ufffd", text)
