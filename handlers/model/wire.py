"""Dataclasses to JSON and back, by their type hints alone.

Enums travel as their values, times as RFC 3339 in UTC, tuples and sets as lists. Where a hint is a union of several
dataclasses, the JSON object carries the class name under ``type``.
"""

import dataclasses
import types
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Json = Any
T = TypeVar("T")


class WireError(ValueError):
    """The JSON does not hold what the type wants; the message says where."""


def encode(value: Any, hint: Any = None) -> Json:
    """Return the JSON form of ``value``. ``hint`` is its declared type, needed where that is a union of dataclasses."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = _hints(type(value))
        body = {item.name: encode(getattr(value, item.name), hints[item.name]) for item in dataclasses.fields(value)}
        return {"type": type(value).__name__, **body} if len(_dataclasses_of(hint)) > 1 else body
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        item_hint = (get_args(hint) or (None, None))[1] if get_origin(hint) is not None else None
        return {
            str(key.value if isinstance(key, Enum) else key): encode(item, item_hint) for key, item in value.items()
        }
    if isinstance(value, frozenset | set):
        return sorted(encode(item) for item in value)
    if isinstance(value, tuple | list):
        return [
            encode(item, hint_of_item) for item, hint_of_item in zip(value, _item_hints(hint, len(value)), strict=True)
        ]
    return value


def decode(hint: type[T] | Any, body: Json, where: str = "") -> Any:
    """Return the value of type ``hint`` that ``body`` holds.

    Raises:
        WireError: if a field is missing, unknown, or of another type.
    """
    if hint is Any or hint is object:
        return body
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _decode_union(hint, body, where)
    if dataclasses.is_dataclass(hint) or dataclasses.is_dataclass(origin):
        return _decode_dataclass(hint, body, where)
    if origin in (tuple, frozenset):
        return _decode_sequence(hint, body, where)
    if origin is not None and issubclass(origin, Mapping):
        _expect(isinstance(body, Mapping), where, "an object", body)
        return {
            decode(get_args(hint)[0], key, where): decode(get_args(hint)[1], item, f"{where}/{key}")
            for key, item in body.items()
        }
    return _decode_scalar(hint, body, where)


def _decode_scalar(hint: Any, body: Json, where: str) -> Any:
    if hint is type(None):
        _expect(body is None, where, "null", body)
        return None
    if isinstance(hint, type) and issubclass(hint, Enum):
        try:
            return hint(body)
        except ValueError as error:
            raise WireError(f"{where or '/'}: {body!r} is no {hint.__name__}") from error
    if hint is datetime:
        return _decode_time(body, where)
    if hint is float:
        _expect(isinstance(body, int | float) and not isinstance(body, bool), where, "a number", body)
        return float(body)
    if hint is int:
        _expect(isinstance(body, int) and not isinstance(body, bool), where, "a whole number", body)
        return body
    if hint in (str, bool):
        _expect(isinstance(body, hint), where, hint.__name__, body)
        return body
    raise WireError(f"{where or '/'}: cannot read a {hint}")


def _decode_time(body: Json, where: str) -> datetime:
    _expect(isinstance(body, str), where, "a time", body)
    try:
        return datetime.fromisoformat(body)
    except ValueError as error:
        raise WireError(f"{where or '/'}: {body!r} is no time") from error


def _decode_dataclass(hint: Any, body: Json, where: str) -> Any:
    origin = get_origin(hint) or hint
    _expect(isinstance(body, Mapping), where, f"a {origin.__name__}", body)
    hints = _hints(origin)
    variables = dict(zip(getattr(origin, "__parameters__", ()), get_args(hint), strict=False))
    names = {item.name for item in dataclasses.fields(origin)}
    unknown = set(body) - names - {"type"}
    _expect(not unknown, where, f"only fields of {origin.__name__}", sorted(map(str, unknown)))
    values = {
        name: decode(variables.get(hints[name], hints[name]), body[name], f"{where}/{name}")
        for name in names
        if name in body
    }
    try:
        return origin(**values)
    except TypeError as error:
        raise WireError(f"{where or '/'}: {error}") from error


def _decode_union(hint: Any, body: Json, where: str) -> Any:
    members = get_args(hint)
    if body is None and type(None) in members:
        return None
    classes = _dataclasses_of(hint)
    if isinstance(body, Mapping) and len(classes) > 1:
        for member in classes:
            if (get_origin(member) or member).__name__ == body.get("type"):
                return _decode_dataclass(member, body, where)
        raise WireError(
            f"{where or '/'}: {body.get('type')!r} is none of {[(get_origin(c) or c).__name__ for c in classes]}"
        )
    for member in members:
        try:
            return decode(member, body, where)
        except WireError:
            continue
    raise WireError(f"{where or '/'}: {body!r:.80} is no {hint}")


def _decode_sequence(hint: Any, body: Json, where: str) -> Any:
    _expect(isinstance(body, list | tuple), where, "a list", body)
    args = get_args(hint)
    if get_origin(hint) is tuple and not (len(args) == 2 and args[1] is Ellipsis):
        _expect(len(args) == len(body), where, f"{len(args)} items", body)
    items = (
        decode(arg, item, f"{where}/{index}")
        for index, (item, arg) in enumerate(zip(body, _item_hints(hint, len(body)), strict=True))
    )
    return tuple(items) if get_origin(hint) is tuple else frozenset(items)


def _item_hints(hint: Any, length: int) -> list[Any]:
    args = get_args(hint) if get_origin(hint) in (tuple, list, frozenset) else ()
    if len(args) == length and not (length == 2 and args[1] is Ellipsis):
        return list(args)
    return [args[0] if args else None] * length


def _dataclasses_of(hint: Any) -> list[Any]:
    if get_origin(hint) not in (Union, types.UnionType):
        return []
    return [member for member in get_args(hint) if dataclasses.is_dataclass(get_origin(member) or member)]


def _expect(holds: bool, where: str, wanted: str, body: Json) -> None:
    if not holds:
        raise WireError(f"{where or '/'}: wanted {wanted}, got {body!r:.80}")


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)
