"""Policies from files and folders: YAML with several documents, or JSON, which is YAML as well."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from handlers.model.attachment import Attachment
from handlers.model.manifest_yaml import ManifestError, load_manifests

MOST_BYTES = 32 * 1024 * 1024
MOST_FILES = 20_000
_SUFFIXES = (".yaml", ".yml", ".json")


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
        return load_manifests(content)
    except ManifestError as error:
        raise UnreadableError(f"{name}: {error}") from error


def read_all(paths: Iterable[Path]) -> tuple[Any, ...]:
    """Return the documents of files, and of the YAML and JSON files in folders, in the order of their names.

    Raises:
        UnreadableError: naming the first file that cannot be read.
    """
    return tuple(document for path, content in each_file(paths) for document in documents_of(content, str(path)))


def each_file(paths: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    """Yield what is in files, and in the YAML and JSON files in folders, in the order of their names.

    Raises:
        UnreadableError: naming the first file that cannot be read.
    """
    yield from ((path, _content(path)) for path in _files(paths))


def attached(paths: Iterable[Path]) -> tuple[Attachment, ...]:
    """Return the same files as texts that come with a question; ``-`` is standard input.

    Raises:
        UnreadableError: naming the first file that cannot be read.
    """
    stdin = Path("-")
    listed = list(paths)
    found = [(str(path), _content(path)) for path in _files(path for path in listed if path != stdin)]
    if stdin in listed:
        found.append(("standard input", sys.stdin.buffer.read(MOST_BYTES)))
    return tuple(Attachment(name, content.decode(errors="replace")) for name, content in found)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnreadableError(f"{path} is larger than {MOST_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror or 'it cannot be read'}") from error


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
