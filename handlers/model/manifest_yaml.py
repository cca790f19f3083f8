"""YAML of a cluster's objects to plain JSON values, as ``cilium sysdump`` writes it; anything cleverer is refused.

Values are made of libyaml's events in one pass: PyYAML's own way over a tree of nodes takes four times as long, and
reading YAML is most of what a question about a sysdump costs.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml

_MAX_DEPTH = 200
"""Levels of nesting; manifests stay below 30, and each takes a level of Python's stack."""

_BOUNDARY = re.compile(rb"^(?:---(?=[ \t\r\n]|\Z)|\.\.\.[ \t]*\r?$)", re.MULTILINE)

try:
    _Base: Any = yaml.CSafeLoader
except AttributeError:  # pragma: no cover  (PyYAML built without libyaml: slower, the same result)
    _Base = yaml.SafeLoader


class ManifestError(ValueError):
    """The bytes are no YAML that a cluster's objects would be written as."""


class _Loader(_Base):  # type: ignore[misc]
    """Reads times as the strings they are in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}
_FIRST_LETTERS = frozenset(_Loader.yaml_implicit_resolvers)
"""First letters of what without quotes may be something else than a text."""
_TAGS_OF_COLLECTIONS = {None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


def load_manifest(written: bytes) -> Any:
    """Return the one document that the bytes hold.

    Aliases are refused altogether: no dump has any, and nested ones grow without bound when they are walked.

    Raises:
        ManifestError: if it is no YAML, or holds aliases, merged keys, several documents, or objects nested too deep.
    """
    events = yaml.parse(written, Loader=_Loader)
    try:
        return _document(events)
    except yaml.YAMLError as error:
        raise ManifestError(f"it is no YAML: {_first_line(error)}") from error
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(f"it is no YAML of a cluster's objects: {_first_line(error)}") from error


def load_manifests(written: bytes) -> tuple[Any, ...]:
    """Return every document that the bytes hold, empty ones left out.

    Raises:
        ManifestError: as ``load_manifest`` does.
    """
    return tuple(document for document in map(load_manifest, _split(written)) if document is not None)


def _split(written: bytes) -> Iterator[bytes]:
    """Cut at the markers, which YAML knows only at the beginning of a line."""
    for part in _BOUNDARY.split(written):
        if not all(line.lstrip().startswith((b"%", b"#")) for line in part.splitlines() if line.strip()):
            yield part


def _document(events: Iterator[yaml.Event]) -> Any:
    found = None
    next(events)  # the start of the stream
    if isinstance(next(events), yaml.DocumentStartEvent):
        found = _value(next(events), events, 0)
        next(events)  # the end of the document
        if not isinstance(next(events), yaml.StreamEndEvent):
            raise ManifestError("it is no YAML of one object: several documents follow each other")
    return found


def _value(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Any:
    """Return what begins with an event, and take its other events."""
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    if not isinstance(event, yaml.CollectionStartEvent):
        raise ManifestError("it holds YAML aliases, which no sysdump has")
    if depth == _MAX_DEPTH:
        raise ManifestError(f"objects nest deeper than {_MAX_DEPTH}")
    if event.tag not in _TAGS_OF_COLLECTIONS:
        raise ManifestError(f"it is no YAML of a cluster's objects: {event.tag}"[:120])
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(_value(event, events, depth + 1))
        return items
    fields = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _value(event, events, depth + 1)
        fields[key] = _value(next(events), events, depth + 1)
    return fields


def _scalar(event: yaml.ScalarEvent) -> Any:
    if event.tag is None and (event.value[:1] not in _FIRST_LETTERS or not event.implicit[0]):
        return event.value
    read = _read_again if len(event.value) < 64 else _read_scalar
    return read(event.value, event.tag, event.implicit)


def _read_scalar(text: str, tag: str | None, implicit: tuple[bool, bool]) -> Any:
    """Return what a scalar is as YAML says it: a number, a truth, nothing or a text."""
    loader = _Loader(b"")
    if tag is None or tag == "!":
        tag = loader.resolve(yaml.ScalarNode, text, implicit)
    if tag == "tag:yaml.org,2002:merge":
        raise ManifestError("it holds merged keys of YAML, which no sysdump has")
    return loader.construct_object(yaml.ScalarNode(tag, text))


_read_again = lru_cache(maxsize=8192)(_read_scalar)
"""Few short ones differ; long ones are not kept."""


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:120] or type(error).__name__
