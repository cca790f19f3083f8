"""Edits of a manifest, as JSON patch operations (RFC 6902): applied here exactly as the API server would."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

from handlers.model.rule import PolicyRef

Operation = Mapping[str, object]


class EditError(ValueError):
    """An operation does not fit the object: a path that is not there, or a test that fails."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One way to change one policy. ``operations`` empty means that the object is new and ``manifest`` is all of it."""

    policy: PolicyRef
    manifest: Mapping[str, object]
    """The whole object after the edit."""
    operations: tuple[Operation, ...]
    title: str
    preference: int = 0
    """Lower goes first where two edits reach equally far."""
    needs_name: bool = False
    """It works only once the asked DNS name has been learnt for the address."""

    @property
    def is_new(self) -> bool:
        """Whether the object does not exist yet."""
        return not self.operations


def steps_of(pointer: str) -> list[str]:
    """Take a JSON pointer apart."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def look(document: object, pointer: str) -> object:
    """Give what a pointer points at; raises EditError when there is nothing."""
    for step in steps_of(pointer):
        if isinstance(document, list) and step.isascii() and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        elif isinstance(document, Mapping) and step in document:
            document = document[step]
        else:
            raise EditError(f"there is nothing at {pointer}")
    return document


def add(pointer: str, value: object) -> Operation:
    """Make an operation that adds a value: a member of an object, or with ``-`` the last entry of a list."""
    return {"op": "add", "path": pointer, "value": value}


def guard(document: object, pointer: str) -> Operation:
    """Make an operation that fails when the object has changed at this place since it was read; raises EditError."""
    return {"op": "test", "path": pointer, "value": deepcopy(look(document, pointer))}


def applied(manifest: Mapping[str, object], operations: Sequence[Operation]) -> dict[str, object]:
    """Apply ``test`` and ``add`` operations to a copy; raises EditError."""
    document: dict[str, object] = deepcopy(dict(manifest))
    for operation in operations:
        path = str(operation["path"])
        if operation["op"] == "test":
            if look(document, path) != operation["value"]:
                raise EditError(f"{path} is not what it was")
            continue
        parent_pointer, _, _ = path.rpartition("/")
        parent, last = look(document, parent_pointer), steps_of(path)[-1]
        value = deepcopy(operation["value"])
        if isinstance(parent, list) and last == "-":
            parent.append(value)
        elif isinstance(parent, dict):
            parent[last] = value
        else:
            raise EditError(f"nothing can be added at {path}")
    return document
