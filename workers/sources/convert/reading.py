"""Read fields of objects that somebody else wrote: of the wanted type, or absent, or an error that names the place."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

Body = Mapping[str, Any]
T = TypeVar("T")

FIRST_YEAR, LAST_YEAR = 1970, 2999
"""Years of believable times: with others, adding a span or changing the zone may leave the calendar."""


class MalformedError(ValueError):
    """A body does not hold what its kind must hold; the message names the object and the field."""


def struct(owner: Body, key: str) -> Body:
    """Return a nested object; absent and null are an empty one."""
    value = owner.get(key)
    if value is None:
        return {}
    # What JSON holds is told by its type alone; asking an abstract class takes ten times as long.
    if type(value) is not dict and not isinstance(value, Mapping):
        raise MalformedError(f"{key} is {_kind(value)}, not an object")
    return value


def rows(owner: Body, key: str) -> list[Body]:
    """Return a list of objects; absent and null are empty."""
    found = values(owner, key)
    return [_as_struct(item, key) for item in found] if found else found


def values(owner: Body, key: str) -> list[Any]:
    """Return a list of anything; absent and null are empty."""
    value = owner.get(key)
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise MalformedError(f"{key} is {_kind(value)}, not a list")
    return list(value)


def texts(owner: Body, key: str) -> tuple[str, ...]:
    """Return a list of strings; absent and null are empty."""
    found = values(owner, key)
    for item in found:
        if not isinstance(item, str):
            raise MalformedError(f"{key} holds {_kind(item)}, not strings only")
    return tuple(found)


def text(owner: Body, key: str) -> str | None:
    """Return a string, None where it is absent or null."""
    value = owner.get(key)
    if value is None or type(value) is str:
        return value
    if not isinstance(value, str):
        raise MalformedError(f"{key} is {_kind(value)}, not a string")
    return value


def number(owner: Body, key: str) -> int | None:
    """Return a whole number, None where it is absent or null.

    Decimal strings count: jsonpb writes 64-bit numbers as such (protobuf.dev, JSON mapping).
    """
    value = owner.get(key)
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) <= 20:
        return int(value)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise MalformedError(f"{key} is {_kind(value)}, not a whole number")
    return value


def flag(owner: Body, key: str) -> bool | None:
    """Return a boolean, None where it is absent or null."""
    value = owner.get(key)
    if value is not None and not isinstance(value, bool):
        raise MalformedError(f"{key} is {_kind(value)}, not a boolean")
    return value


def labels(owner: Body, key: str) -> Mapping[str, str]:
    """Return a map of strings; absent and null are empty."""
    found = struct(owner, key)
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise MalformedError(f"{key} is not a map of strings")
    return dict(found)


def moment(owner: Body, key: str) -> datetime | None:
    """Return a time in UTC, None where it is absent, null, or Go's zero time."""
    value = text(owner, key)
    return None if value is None or value.startswith("0001-01-01") else parse_moment(value, key)


def parse_moment(value: str, where: str = "time") -> datetime:
    """Read RFC 3339 with any number of fractional digits (Go writes nine; what is below a microsecond is cut).

    Raises:
        MalformedError: if it is none, has no time zone, or lies in years that nothing was observed in.
    """
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise MalformedError(f"{where} {value!r:.60} is no time") from error
    if found.tzinfo is None:
        raise MalformedError(f"{where} {value!r:.60} has no time zone")
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise MalformedError(f"{where} {value!r:.60} is out of range")
    return found.astimezone(UTC)


def name_of(body: Body) -> str:
    """Return ``metadata.name``.

    Raises:
        MalformedError: if the object has no name.
    """
    name = text(struct(body, "metadata"), "name")
    if not name:
        raise MalformedError("metadata.name is missing")
    return name


def namespace_of(body: Body) -> str:
    """Return ``metadata.namespace``, empty for cluster-wide objects."""
    return text(struct(body, "metadata"), "namespace") or ""


def each(kind: str, bodies: Iterable[Any], convert: Callable[[Body], T]) -> tuple[T, ...]:
    """Convert every object, or none.

    Raises:
        MalformedError: naming the first object that cannot be read. None is left out: an unseen policy could flip a
            verdict.
    """
    found: list[T] = []
    for index, body in enumerate(bodies):
        try:
            found.append(convert(_as_struct(body, "the object")))
        except MalformedError as error:
            raise MalformedError(f"{kind} {_called(body, index)}: {error}") from error
    return tuple(found)


def items(listing: Any, what: str) -> list[Any]:
    """Return the items of a Kubernetes list; ``items: null`` is how Go writes an empty one.

    Raises:
        MalformedError: if it is no list of objects.
    """
    if not isinstance(listing, Mapping) or "items" not in listing:
        raise MalformedError(f"{what} is no list of objects")
    try:
        return values(listing, "items")
    except MalformedError as error:
        raise MalformedError(f"{what}: {error}") from error


def without_cluster(node: str) -> str:
    """Drop the cluster's name from a node's name as Hubble and the health prober write it (``lab/lab-node-1``)."""
    return node.rpartition("/")[2]


def host_port(address: str, port: int) -> str:
    """Write ``address:port``, with brackets around IPv6."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _as_struct(value: Any, where: str) -> Body:
    if type(value) is not dict and not isinstance(value, Mapping):
        raise MalformedError(f"{where} holds {_kind(value)}, not an object")
    return value


def _called(body: Any, index: int) -> str:
    try:
        namespace = namespace_of(body)
        return f"{namespace}/{name_of(body)}" if namespace else name_of(body)
    except (MalformedError, AttributeError):
        return f"number {index + 1}"


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return {str: "a string", bool: "a boolean", int: "a number", float: "a number", type(None): "null"}.get(
        type(value), "something else"
    )
