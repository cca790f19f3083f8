"""The syntax of names that Kubernetes and Cilium accept: label keys and values, port names, numbers."""

import re

_LABEL_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SERVICE_NAME = re.compile(r"[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*")
_NUMBER = re.compile(r"0[xX](_?[0-9a-fA-F])+|0[bB](_?[01])+|0[oO](_?[0-7])+|0(_?[0-7])*|[1-9](_?[0-9])*", re.ASCII)

_MAX_NAME = 63
_MAX_PREFIX = 253
_MAX_SERVICE_NAME = 15


def label_key_fault(key: str) -> str:
    """Say what is wrong with a label key, or nothing (k8s.io/apimachinery validation, IsQualifiedName)."""
    prefix, separator, name = key.rpartition("/")
    if separator:
        if "/" in prefix:
            return "has more than one slash"
        if not prefix or len(prefix) > _MAX_PREFIX or not _DNS_SUBDOMAIN.fullmatch(prefix):
            return "has a prefix that is no DNS subdomain"
    if not name:
        return "is empty"
    if len(name) > _MAX_NAME:
        return f"is longer than {_MAX_NAME} characters (the source counts)"
    return "" if _LABEL_NAME.fullmatch(name) else "has characters that a label key cannot have"


def label_value_fault(value: str) -> str:
    """Say what is wrong with a label value, or nothing (k8s.io/apimachinery validation, IsValidLabelValue)."""
    if not value:
        return ""
    if len(value) > _MAX_NAME:
        return f"is longer than {_MAX_NAME} characters"
    return "" if _LABEL_NAME.fullmatch(value) else "has characters that a label value cannot have"


def is_service_name(name: str) -> bool:
    """Tell whether a text is a port name (RFC 6335; Cilium, pkg/iana/svcname.go): at least one letter."""
    return (
        0 < len(name) <= _MAX_SERVICE_NAME
        and _SERVICE_NAME.fullmatch(name) is not None
        and any(character.isalpha() for character in name)
    )


def parse_unsigned(text: str, bits: int) -> int | None:
    """Read a number as Go's ``strconv.ParseUint(text, 0, bits)`` does, or None when it does not."""
    if not _NUMBER.fullmatch(text):
        return None
    digits = text.replace("_", "")
    if len(digits) > 1 and digits[0] == "0" and digits[1] in "01234567":
        value = int(digits, 8)
    else:
        value = int(digits, 0) if len(digits) <= _MAX_NAME else 1 << bits
    return value if value < 1 << bits else None
