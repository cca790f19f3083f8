"""DNS names in policies: ``matchName``, and ``matchPattern`` with its stars (pkg/fqdn/matchpattern/matchpattern.go)."""

import re

from handlers.policy.shapes import PolicyError

_NAME = re.compile(r"[-a-zA-Z0-9_.]+")
_PATTERN = re.compile(r"[-a-zA-Z0-9_.*]+")
_CHARACTER = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
_MAX_LENGTH = 255


def check_names(match_name: str, match_pattern: str, pointer: str, *, exclusive: bool) -> None:
    """Check a DNS selector; raises PolicyError (pkg/policy/api/fqdn.go, sanitize)."""
    if exclusive and match_name and match_pattern:
        raise PolicyError(f"only one of MatchName or MatchPattern is allowed in an FQDNSelector ({pointer})")
    if match_name and not _NAME.fullmatch(match_name):
        raise PolicyError(f"Invalid characters in MatchName ({pointer})")
    if len(match_pattern) > _MAX_LENGTH:
        raise PolicyError(f"Invalid MatchPattern: must be <= {_MAX_LENGTH} characters long ({pointer})")
    if match_pattern and not _PATTERN.fullmatch(match_pattern):
        raise PolicyError(f"Invalid characters in MatchPattern ({pointer})")


def canonical(name: str) -> str:
    """Write a DNS name in lower case with its final dot."""
    name = name.strip().lower()
    return name if name.endswith(".") else f"{name}."


def name_matches(name: str, match_name: str, match_pattern: str, *, double_star: bool) -> bool:
    """Tell whether a DNS name is selected.

    ``*`` stands for any run of name characters inside one label; alone it is every name. With ``double_star`` a leading
    ``**.`` stands for one or more whole labels (since 1.19, cilium#43420).
    """
    asked = canonical(name)
    if match_name:
        # The agent compiles the name as a pattern; a name holds no star, so that is equality.
        return asked == canonical(match_name)
    pattern = match_pattern.strip().lower()
    if pattern == "*":
        return asked == "." or all(label and _CHARACTER.issuperset(label) for label in asked[:-1].split("."))
    pattern = canonical(pattern)
    if double_star and pattern.startswith("**."):
        rest = pattern.removeprefix("**.").split(".")
        labels = asked.split(".")
        extra = len(labels) - len(rest)
        if extra < 1:
            return False
        return all(label and _CHARACTER.issuperset(label) for label in labels[:extra]) and all(
            _label_matches(label, glob) for label, glob in zip(labels[extra:], rest, strict=True)
        )
    labels, globs = asked.split("."), pattern.split(".")
    return len(labels) == len(globs) and all(_label_matches(*pair) for pair in zip(labels, globs, strict=True))


def _label_matches(label: str, glob: str) -> bool:
    """Match one DNS label against a glob in time linear in the label for each star: no backtracking to abuse."""
    if not _CHARACTER.issuperset(label):
        return False
    parts = glob.split("*")
    if len(parts) == 1:
        return label == glob
    first, last = parts[0], parts[-1]
    if len(label) < len(first) + len(last) or not label.startswith(first) or not label.endswith(last):
        return False
    position, end = len(first), len(label) - len(last)
    for part in parts[1:-1]:
        found = label.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True
