"""Archives are hostile: what must not be read is refused in words, and nothing is ever written to the disk."""

import gzip
import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from workers.sources.archive import ArchiveError, Bounds, open_archive

MARK = b"apiVersion: v1\nitems: []\nkind: PodList\n"


def _zip(path: Path, files: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda item: None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in files.items():
            item = zipfile.ZipInfo(name, (2026, 11, 20, 12, 0, 0))
            item.compress_type = zipfile.ZIP_DEFLATED
            change(item)
            packed.writestr(item, body)
    return path


def _tar(path: Path, members: list[tuple[tarfile.TarInfo, bytes]], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as packed:  # type: ignore[call-overload]
        for item, body in members:
            item.size = len(body)
            packed.addfile(item, io.BytesIO(body))
    return path


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    item = tarfile.TarInfo(name)
    item.type, item.linkname = kind, link
    return item


def _symlink(item: zipfile.ZipInfo) -> None:
    item.external_attr = 0o120777 << 16


def _encrypted(path: Path) -> Path:
    _zip(path, {"a": MARK})
    body = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(signature) + offset] |= 1
    path.write_bytes(bytes(body))
    return path


def _twice(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.yaml", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            packed.writestr("a.yaml", b"2")
    return path


def _linked_folder(path: Path) -> Path:
    path.mkdir()
    (path / "k8s-pods-20261120-121854.yaml").symlink_to("/etc/hostname")
    return path


def _linked_directory(path: Path) -> Path:
    path.mkdir()
    (path / "inside").symlink_to("/etc", target_is_directory=True)
    return path


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(lambda p: _zip(p, {"/etc/passwd": b"x"}), "points out", id="an absolute path"),
        pytest.param(lambda p: _zip(p, {"a/../../b": b"x"}), "points out", id="a path upwards"),
        pytest.param(lambda p: _zip(p, {"..\\b": b"x"}), "points out", id="a path upwards as Windows spells it"),
        pytest.param(lambda p: _zip(p, {"C:/b": b"x"}), "points out", id="a drive letter"),
        pytest.param(lambda p: _zip(p, {"a\x1b[2J": b"x"}), "no plain name", id="control characters in a name"),
        pytest.param(lambda p: _zip(p, {"a" * 2000: b"x"}), "no plain name", id="an endless name"),
        pytest.param(lambda p: _zip(p, {"a": b"/etc/passwd"}, _symlink), "link", id="a symbolic link in a zip"),
        pytest.param(_encrypted, "encrypted", id="an encrypted zip"),
        pytest.param(_twice, "twice", id="one name twice"),
        pytest.param(lambda p: _zip(p, {"a": bytes(80 << 20)}), "bomb", id="a bomb of zeros in a zip"),
        pytest.param(
            lambda p: _tar(p, [(_member("a"), bytes(80 << 20))]), "bomb", id="a bomb of zeros in a compressed tar"
        ),
        pytest.param(
            lambda p: _tar(p, [(_member("a", tarfile.SYMTYPE, "/etc/passwd"), b"")]), "link", id="a link in a tar"
        ),
        pytest.param(
            lambda p: _tar(p, [(_member("b"), b"x"), (_member("a", tarfile.LNKTYPE, "b"), b"")]),
            "link",
            id="a hard link in a tar",
        ),
        pytest.param(lambda p: _tar(p, [(_member("a", tarfile.CHRTYPE), b"")]), "device", id="a device in a tar"),
        pytest.param(lambda p: _tar(p, [(_member("../a"), b"x")]), "points out", id="a path upwards in a tar"),
        pytest.param(
            lambda p: _tar(p, [(_member("a"), b"1"), (_member("a"), b"2")]), "twice", id="one name twice in a tar"
        ),
        pytest.param(_linked_folder, "link", id="a link in a folder"),
        pytest.param(_linked_directory, "link", id="a linked folder in a folder"),
    ],
)
def test_what_must_not_be_read_is_refused(make: Callable[[Path], Path], problem: str, tmp_path: Path) -> None:
    path = make(tmp_path / "archive")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ArchiveError, match=problem) as refused:
        open_archive(path)
    assert refused.value.remedy
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(b"", "neither", id="an empty file"),
        pytest.param(b"hello", "neither", id="a text"),
        pytest.param(b"PK\x03\x04" + bytes(100), "damaged zip", id="a zip without a directory"),
        pytest.param(b"PK\x05\x06" + b"\xff" * 18, "damaged zip", id="a directory of nonsense"),
        pytest.param(b"\x1f\x8b\x08" + bytes(50), "damaged tar", id="gzip of nonsense"),
        pytest.param(gzip.compress(b"hello" * 1000), "damaged tar", id="gzip of no tar"),
    ],
)
def test_what_is_no_archive_is_told_so(body: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "thing.zip"
    path.write_bytes(body)
    with pytest.raises(ArchiveError, match=problem):
        open_archive(path)


def test_half_a_tar_is_told_so(tmp_path: Path) -> None:
    path = _tar(tmp_path / "a.tar.gz", [(_member("a"), os.urandom(100_000)), (_member("b"), os.urandom(100_000))])
    path.write_bytes(path.read_bytes()[:150_000])
    with pytest.raises(ArchiveError, match="damaged tar"):
        open_archive(path)


def test_a_path_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="No such file"):
        open_archive(tmp_path / "nothing.zip")


def test_a_zip_that_lies_about_a_size_yields_no_more_than_it_claims(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"a": bytes(100_000)})
    body = bytearray(path.read_bytes())
    directory = body.index(b"PK\x01\x02")
    body[directory + 24 : directory + 28] = struct.pack("<I", 10)
    path.write_bytes(bytes(body))
    found = open_archive(path)
    with pytest.raises(ArchiveError, match="damaged"):
        found.read("a")
    found.close()


def test_a_torn_member_is_an_archive_error(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"a": os.urandom(1000)})
    body = bytearray(path.read_bytes())
    body[100:200] = bytes(100)
    path.write_bytes(bytes(body))
    found = open_archive(path)
    with pytest.raises(ArchiveError, match="damaged"):
        found.read("a")
    found.close()


def test_a_file_beyond_the_bound_is_not_read(tmp_path: Path) -> None:
    for path in (_zip(tmp_path / "a.zip", {"a": MARK}), _tar(tmp_path / "a.tar", [(_member("a"), MARK)], "w")):
        found = open_archive(path, bounds=Bounds(file=10))
        with pytest.raises(ArchiveError):
            found.read("a")
        found.close()


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="entries"):
        open_archive(_zip(tmp_path / "a.zip", {str(number): b"" for number in range(4)}), bounds=Bounds(entries=3))


def test_what_many_files_yield_together_is_bounded(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"a": MARK})
    found = open_archive(path, bounds=Bounds(total=len(MARK)))
    assert found.read("a") == MARK
    with pytest.raises(ArchiveError, match="files read"):
        found.read("a")
    found.close()


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "folder"])
def test_a_plain_archive_is_read_by_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"dump.{kind}"
    if kind == "zip":
        _zip(path, {"dump/a.yaml": MARK})
    elif kind == "folder":
        (path / "dump").mkdir(parents=True)
        (path / "dump" / "a.yaml").write_bytes(MARK)
    else:
        _tar(path, [(_member("./dump/a.yaml"), MARK)], "w:gz" if kind == "tar.gz" else "w")
    found = open_archive(path)
    assert [entry.path for entry in found.entries] == ["dump/a.yaml"]
    assert found.read("dump/a.yaml") == MARK
    with pytest.raises(ArchiveError):
        found.read("dump/../../etc/passwd")
    found.close()


def test_a_tar_keeps_only_what_is_wanted(tmp_path: Path) -> None:
    path = _tar(tmp_path / "a.tar.gz", [(_member("log"), b"x" * 1000), (_member("a.yaml"), MARK)])
    found = open_archive(path, wanted=lambda name: name.endswith(".yaml"))
    assert {entry.path for entry in found.entries} == {"log", "a.yaml"}
    assert found.read("a.yaml") == MARK
    with pytest.raises(ArchiveError):
        found.read("log")
