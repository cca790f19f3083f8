"""Read single files out of a zip, a tar or a folder that somebody else packed, within bounds, never touching the disk.

Nothing is extracted: members are read into memory by name, so a path in an archive can reach nothing outside it.
Archives whose names try to are refused all the same, and so are links, devices, duplicates and bombs.
"""

import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Protocol, cast

MIB = 1 << 20

Wanted = Callable[[str], bool]
"""Whether a file of this path may be read later; a tar keeps only these."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of an archive is borne; sizes are in bytes."""

    entries: int = 50_000
    archive: int = 2_048 * MIB
    file: int = 128 * MIB
    total: int = 4_096 * MIB
    """How much one archive may yield over its life, so that many files cannot do what one may not."""
    kept: int = 1_024 * MIB
    """How much of a tar may be held in memory."""
    unpacked: int = 8_192 * MIB
    """How much an archive may claim to hold, or a tar may stream past, files nobody reads included."""
    ratio: int = 200
    """Unpacked to packed, for the whole archive (samples: 5 to 10; logs reach 50; a bomb of zeros has 1,000)."""
    ratio_from: int = 64 * MIB
    """Smaller archives may have any ratio: they are harmless."""
    name: int = 1_024
    """Letters of a path."""


BOUNDS = Bounds()


class ArchiveError(Exception):
    """An archive that cannot or must not be read. ``remedy`` says what to do about it."""

    def __init__(self, problem: str, remedy: str = "Use an archive as `cilium sysdump` wrote it.") -> None:
        super().__init__(problem)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive: its path with ``/``, its size in bytes as claimed, and when it was written."""

    path: str
    size: int
    written_at: datetime | None


class Archive(Protocol):
    """Files by name."""

    @property
    def name(self) -> str:
        """The archive's own name, without directories and endings."""
        ...

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every regular file, read or not."""
        ...

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            ArchiveError: if it is not there, too large, damaged, or the archive's budget is spent.
        """
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def open_archive(path: Path, wanted: Wanted = lambda path: True, bounds: Bounds = BOUNDS) -> Archive:
    """Open a zip, a tar (plain or gzip) or a folder.

    Raises:
        ArchiveError: if it is none of these, or must not be read.
    """
    try:
        if path.is_dir():
            return _Folder(path, bounds)
        if path.stat().st_size > bounds.archive:
            raise ArchiveError(
                f"{path.name} has more than {bounds.archive // MIB} MiB",
                "Unpack it and give the folder, or collect a smaller one with `cilium sysdump --node-list`.",
            )
        packed = path.open("rb")
    except OSError as error:
        raise ArchiveError(
            f"{path.name} cannot be opened: {error.strerror}", "Check the path and the permissions."
        ) from error
    try:
        return open_packed(packed, _stem(path.name), wanted, bounds)
    except BaseException:
        packed.close()
        raise


def open_packed(packed: IO[bytes], name: str, wanted: Wanted = lambda path: True, bounds: Bounds = BOUNDS) -> Archive:
    """Open a zip or a tar from an open file, which then belongs to the archive.

    Raises:
        ArchiveError: if it is neither, or must not be read.
    """
    magic = packed.read(512)
    size = packed.seek(0, io.SEEK_END)
    packed.seek(0)
    if magic.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _Zip(packed, size, name, bounds)
    if magic.startswith(b"\x1f\x8b"):
        return _Tar(packed, cast(IO[bytes], gzip.GzipFile(fileobj=packed)), size, name, wanted, bounds)
    if magic[257:262] == b"ustar":
        return _Tar(packed, packed, size, name, wanted, bounds)
    raise ArchiveError(f"{name} is neither a zip nor a tar archive")


class _Budget:
    """Bounds what all reads of one archive yield together; reads come from several threads."""

    def __init__(self, total: int, file: int) -> None:
        self._total = self._left = total
        self._file = file
        self._lock = threading.Lock()

    def read(self, file: IO[bytes], path: str) -> bytes:
        found = file.read(self._file + 1)
        if len(found) > self._file:
            raise ArchiveError(f"{path} has more than {self._file // MIB} MiB")
        with self._lock:
            self._left -= len(found)
            if self._left < 0:
                raise ArchiveError(f"the files read of the archive have more than {self._total // MIB} MiB")
        return found


class _Folder:
    def __init__(self, root: Path, bounds: Bounds) -> None:
        self._root = root.resolve()
        self._budget = _Budget(bounds.total, bounds.file)
        self.name = self._root.name
        self.entries = _checked(self._walk(), bounds)

    def _walk(self) -> Iterator[Entry]:
        for folder, folders, names in os.walk(self._root, followlinks=False):
            for name in (*names, *folders):
                path = Path(folder, name)
                found = path.lstat()
                shown = path.relative_to(self._root).as_posix()
                if stat.S_ISLNK(found.st_mode):
                    raise _refused(shown, "is a link")
                if stat.S_ISREG(found.st_mode):
                    yield Entry(shown, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def read(self, path: str) -> bytes:
        if path not in {entry.path for entry in self.entries}:
            raise ArchiveError(f"{path} is not in the folder")
        try:
            # The file may have been replaced by a link or a pipe since it was listed.
            flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            with os.fdopen(os.open(self._root / path, flags), "rb") as file:
                return self._budget.read(file, path)
        except OSError as error:
            raise ArchiveError(f"{path} cannot be read: {error.strerror}", "Check the permissions.") from error

    def close(self) -> None:
        """Hold nothing open."""


class _Zip:
    def __init__(self, packed: IO[bytes], size: int, name: str, bounds: Bounds) -> None:
        self.name = name
        self._packed = packed
        self._budget = _Budget(bounds.total, bounds.file)
        try:
            self._zip = zipfile.ZipFile(packed)
            files = [item for item in self._zip.infolist() if not item.is_dir()]
        except _DAMAGE as error:
            raise ArchiveError(f"{name} is a damaged zip: {error}", "Fetch the archive again.") from error
        for item in files:
            if stat.S_IFMT(item.external_attr >> 16) not in (0, stat.S_IFREG):
                raise _refused(item.filename, "is a link or a device")
            if item.flag_bits & 0x1:
                raise ArchiveError(f"{_shown(item.filename)} is encrypted", "Give the archive without a password.")
        _check_ratio(sum(item.file_size for item in files), size, bounds)
        self._files = {_plain(item.filename): item for item in files}
        entries = (Entry(_plain(item.filename), item.file_size, _dos_time(item)) for item in files)
        self.entries = _checked(entries, bounds)

    def read(self, path: str) -> bytes:
        item = self._files.get(path)
        if item is None:
            raise ArchiveError(f"{path} is not in the archive")
        try:
            with self._zip.open(item) as file:
                return self._budget.read(file, path)
        except _DAMAGE as error:
            raise ArchiveError(f"{path} is damaged: {error}", "Fetch the archive again.") from error

    def close(self) -> None:
        self._zip.close()
        self._packed.close()


class _Tar:
    """A tar has no directory and gzip no random access: it is streamed once, and the wanted files are kept."""

    def __init__(
        self, packed: IO[bytes], unpacked: IO[bytes], size: int, name: str, wanted: Wanted, bounds: Bounds
    ) -> None:
        self.name = name
        self._kept: dict[str, bytes] = {}
        budget = _Budget(bounds.kept, bounds.file)
        try:
            with packed, unpacked, tarfile.open(fileobj=_Metered(unpacked, size, bounds), mode="r|") as tar:
                self.entries = _checked(self._files(tar, budget, wanted, bounds.file), bounds)
        except _DAMAGE as error:
            raise ArchiveError(f"{name} is a damaged tar: {error}", "Fetch the archive again.") from error

    def _files(self, tar: tarfile.TarFile, budget: _Budget, wanted: Wanted, most: int) -> Iterator[Entry]:
        for item in tar:
            if item.isdir():
                continue
            if not item.isreg() or item.issparse():
                raise _refused(item.name, "is a link, a device or a sparse file")
            path = _plain(item.name)
            file = tar.extractfile(item) if wanted(path) and item.size <= most else None
            if file is not None:
                self._kept[path] = budget.read(file, path)
            yield Entry(path, item.size, datetime.fromtimestamp(min(max(0, item.mtime), 1 << 33), UTC))
            # The stream remembers every header otherwise, and a hostile one has many.
            tar.members = []  # type: ignore[attr-defined]

    def read(self, path: str) -> bytes:
        if path not in self._kept:
            raise ArchiveError(f"{path} is not in the archive, or too large")
        return self._kept[path]

    def close(self) -> None:
        """Hold nothing open."""


class _Metered(io.RawIOBase):
    """Stops an unpacking stream that grows out of proportion."""

    def __init__(self, unpacked: IO[bytes], packed_size: int, bounds: Bounds) -> None:
        self._unpacked = unpacked
        self._packed_size = packed_size
        self._bounds = bounds
        self._seen = 0

    def read(self, size: int = -1) -> bytes:
        found = self._unpacked.read(size if size >= 0 else MIB)
        self._seen += len(found)
        _check_ratio(self._seen, self._packed_size, self._bounds)
        return found


_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)
"""What the standard library raises on hostile or torn archives."""


def _check_ratio(unpacked: int, packed: int, bounds: Bounds) -> None:
    if unpacked > bounds.unpacked:
        raise ArchiveError(
            f"the archive unpacks to more than {bounds.unpacked // MIB} MiB",
            "Collect a smaller one with `cilium sysdump --node-list`.",
        )
    if unpacked > bounds.ratio_from and unpacked > bounds.ratio * max(1, packed):
        raise ArchiveError(f"the archive unpacks to more than {bounds.ratio} times its size: it looks like a bomb")


def _checked(entries: Iterable[Entry], bounds: Bounds) -> tuple[Entry, ...]:
    found: dict[str, Entry] = {}
    for entry in entries:
        parts = entry.path.split("/")
        if entry.path.startswith("/") or "\\" in entry.path or entry.path[1:2] == ":" or ".." in parts:
            raise _refused(entry.path, "points out of the archive")
        if len(entry.path) > bounds.name or not entry.path.isprintable():
            raise _refused(entry.path, "is no plain name")
        if entry.path in found:
            raise _refused(entry.path, "is there twice")
        found[entry.path] = entry
        if len(found) > bounds.entries:
            raise ArchiveError(f"the archive has more than {bounds.entries:,} entries")
    return tuple(found.values())


def _refused(path: str, why: str) -> ArchiveError:
    return ArchiveError(f"the archive is refused: {_shown(path)} {why}")


def _shown(path: str) -> str:
    return repr(path[:80])


def _plain(path: str) -> str:
    return path.removeprefix("./")


def _stem(name: str) -> str:
    for ending in (".tar.gz", ".tgz", ".tar", ".zip"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _dos_time(item: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*item.date_time, tzinfo=UTC)
    except ValueError:
        return None
