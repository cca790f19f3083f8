"""Policies from files and folders: YAML with several documents, or JSON, which is YAML as well."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from handlers.model.manifest_yaml import ManifestError, load_manifest

MOST_BYTES = 32 * 1024 * 1024
MOST_FILES = 20_000
_SUFFIXES = (".yaml", ".yml", ".json")
_BOUNDARY = re.compile(rb"^(?:---(?=[ \t\r\n]|\Z)|\.\.\.[ \t]*\r?$)", re.MULTILINE)


class UnreadableError(Exception):
    """A file cannot be read as objects of a cluster; the message names it and says why."""


def documents_of(content: bytes, name: str) -> tuple[Any, ...]:
    """Return every document of a file, empty ones left out.

    Raises:
        UnreadableError: naming the file.
    """
    if len(content) > MOST_BYTES:
        raise UnreadableError(f"{name} is larger than {MOST_BYTES >> 20} MiB")
    try:
        return tuple(document for document in map(load_manifest, _split(content)) if document is not None)
    except ManifestError as error:
        raise UnreadableError(f"{name}: {error}") from error


def _split(content: bytes) -> Iterator[bytes]:
    """Cut at the markers, which YAML knows only at the beginning of a line."""
    parts = _BOUNDARY.split(content)
    for part in parts:
        if not all(line.lstrip().startswith((b"%", b"#")) for line in part.splitlines() if line.strip()):
            yield part


def read_all(paths: Iterable[Path]) -> tuple[Any, ...]:
    """Return the documents of files, and of the YAML and JSON files in folders, in the order of their names.

    Raises:
        UnreadableError: naming the first file that cannot be read.
    """
    found: list[Any] = []
    for path in _files(paths):
        try:
            if path.stat().st_size > MOST_BYTES:
                raise UnreadableError(f"{path} is larger than {MOST_BYTES >> 20} MiB")
            content = path.read_bytes()
        except OSError as error:
            raise UnreadableError(f"{path}: {error.strerror or 'it cannot be read'}") from error
        found.extend(documents_of(content, str(path)))
    return tuple(found)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    count = 0
    for path in paths:
        inside = sorted(one for one in path.rglob("*") if one.suffix in _SUFFIXES) if path.is_dir() else [path]
        for one in inside:
            if one.is_file() or one == path:
                count += 1
                if count > MOST_FILES:
                    raise UnreadableError(f"{path} holds more than {MOST_FILES} files")
                yield one
