"""Reading untrusted manifests: every value is asked for with the type that it must have.

The rules are those of the agent's JSON decoding: ``null`` is absence, unknown fields are ignored, and a wrong type
refuses the whole object. An empty list stays an empty list: in a Cilium policy it means something else than an absent
one.
"""

from collections.abc import Mapping
from typing import cast


class PolicyError(ValueError):
    """The agent refuses this policy; the text says why, in its words where they are known."""


def _type_name(value: object) -> str:
    """Name the JSON type of a value, never its content: it may be huge or refer to itself."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "a list"
    return f"a {type(value).__name__}"


def _wrong(pointer: str, wanted: str, value: object) -> PolicyError:
    return PolicyError(f"{pointer or '/'} must be {wanted}, not {_type_name(value)}")


def as_mapping(value: object, pointer: str) -> Mapping[str, object]:
    """Read an object; null is an empty one. Raises PolicyError for anything else, and for keys that are no text."""
    if value is None:
        return {}
    # What JSON holds is told by its type alone; asking an abstract class takes ten times as long.
    if type(value) is not dict and not isinstance(value, Mapping):
        raise _wrong(pointer, "an object", value)
    for key in value:
        if not isinstance(key, str):
            raise PolicyError(f"{pointer or '/'} has a key that is {_type_name(key)}, not a text")
    return cast("Mapping[str, object]", value)


def optional_mapping(parent: Mapping[str, object], name: str, pointer: str) -> Mapping[str, object] | None:
    """Read an object that may be absent (None). Raises PolicyError."""
    value = parent.get(name)
    return None if value is None else as_mapping(value, f"{pointer}/{name}")


def optional_list(parent: Mapping[str, object], name: str, pointer: str) -> list[object] | None:
    """Read a list that may be absent (None); an empty one stays one. Raises PolicyError."""
    value = parent.get(name)
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        raise _wrong(f"{pointer}/{name}", "a list", value)
    return list(value)


def list_of(parent: Mapping[str, object], name: str, pointer: str) -> list[object]:
    """Read a list for which absent and empty are the same. Raises PolicyError."""
    return optional_list(parent, name, pointer) or []


def as_text(value: object, pointer: str) -> str:
    """Read a text; null is an empty one. Raises PolicyError."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(pointer, "a text", value)
    return value


def text_of(parent: Mapping[str, object], name: str, pointer: str) -> str:
    """Read a text field; absent is empty. Raises PolicyError."""
    return as_text(parent.get(name), f"{pointer}/{name}")


def integer_of(parent: Mapping[str, object], name: str, pointer: str, low: int, high: int) -> int:
    """Read a whole number in a range; absent is 0. Raises PolicyError."""
    value = parent.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(f"{pointer}/{name}", "a whole number", value)
    if not low <= value <= high:
        raise PolicyError(f"{pointer}/{name} is out of range {low} to {high}")
    return value


def optional_boolean(parent: Mapping[str, object], name: str, pointer: str) -> bool | None:
    """Read true or false, or None when absent. Raises PolicyError."""
    value = parent.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise _wrong(f"{pointer}/{name}", "true or false", value)


def text_map(parent: Mapping[str, object], name: str, pointer: str) -> dict[str, str]:
    """Read an object whose values are texts; absent is empty. Raises PolicyError."""
    inner = as_mapping(parent.get(name), f"{pointer}/{name}")
    return {key: as_text(value, f"{pointer}/{name}/{key}") for key, value in inner.items()}
