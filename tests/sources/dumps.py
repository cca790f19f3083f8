"""Sysdumps made of a real one: files taken out, changed, or packed in another way."""

import io
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.cluster.record import SCENARIOS

Files = dict[str, bytes]
"""Names inside the dump's folder, and what they hold."""


def files_of(name: str) -> Files:
    """Return the files of a scenario's sysdump."""
    with zipfile.ZipFile(SCENARIOS / name / "sysdump.zip") as packed:
        return {item.filename.partition("/")[2]: packed.read(item) for item in packed.infolist() if not item.is_dir()}


def packed_dump(folder: Path, files: Files, name: str = "dump") -> Path:
    """Write files as a sysdump zip."""
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for inner, body in files.items():
            packed.writestr(zipfile.ZipInfo(f"{name}/{inner}", (2026, 11, 20, 12, 0, 0)), body)
    return path


def without(files: Files, pattern: str) -> Files:
    """Return the files whose names do not match."""
    return {name: body for name, body in files.items() if not re.search(pattern, name)}


def changed(files: Files, pattern: str, change: Callable[[bytes], bytes]) -> Files:
    """Return the files, those whose names match with other contents."""
    assert any(re.search(pattern, name) for name in files)
    return {name: change(body) if re.search(pattern, name) else body for name, body in files.items()}


def with_warning(files: Files, line: str) -> Files:
    """Return the files with one more warning in the log."""
    return changed(files, r"^cilium-sysdump.log$", lambda body: body + f"⚠️ {line}\n".encode())


def with_packed_bugtool(files: Files) -> Files:
    """Return the files with each bugtool folder as a compressed tar, the way older CLIs leave it."""
    kept = without(files, r"^cilium-bugtool-")
    folders = {name.partition("/")[0] for name in files if name.startswith("cilium-bugtool-")}
    for folder in folders:
        body = io.BytesIO()
        with tarfile.open(fileobj=body, mode="w:gz") as packed:
            for name, content in files.items():
                if name.startswith(f"{folder}/"):
                    item = tarfile.TarInfo(f"cilium-bugtool-20261120/{name.partition('/')[2]}")
                    item.size = len(content)
                    packed.addfile(item, io.BytesIO(content))
        kept[f"{folder}.tar.gz"] = body.getvalue()
    return kept
