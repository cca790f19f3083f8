"""YAML of a cluster's objects to plain JSON values, as ``cilium sysdump`` writes it; anything cleverer is refused."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

_MAX_DEPTH = 200
"""Levels of nesting; manifests stay below 30, and libyaml's composer overflows the stack somewhere above 5,000."""

_BOUNDARY = re.compile(rb"^(?:---(?=[ \t\r\n]|\Z)|\.\.\.[ \t]*\r?$)", re.MULTILINE)

try:
    _Base: Any = yaml.CSafeLoader
except AttributeError:  # pragma: no cover  (PyYAML built without libyaml: slower, the same result)
    _Base = yaml.SafeLoader


class ManifestError(ValueError):
    """The bytes are no YAML that a cluster's objects would be written as."""


class _Loader(_Base):  # type: ignore[misc]
    """Loads times as the strings they are in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}


def load_manifest(written: bytes) -> Any:
    """Return the one document that the bytes hold.

    Aliases are refused altogether: no dump has any, and nested ones grow without bound when they are walked.

    Raises:
        ManifestError: if it is no YAML, or holds aliases, several documents, or objects nested too deep.
    """
    try:
        _check_events(written)
        return yaml.load(written, Loader=_Loader)  # noqa: S506  (a subclass of the safe loader)
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


def _check_events(written: bytes) -> None:
    """Walk the parser's events, which need no stack, before anything that recurses sees the document."""
    depth = 0
    for event in yaml.parse(written, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise ManifestError(f"objects nest deeper than {_MAX_DEPTH}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            raise ManifestError("it holds YAML aliases, which no sysdump has")


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:120] or type(error).__name__
