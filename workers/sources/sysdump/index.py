"""What lies where in a sysdump, and what its log says of files that are missing.

Names are those of cilium-cli (``sysdump/constants.go``): ``k8s-pods-20261120-121854.yaml`` and the like, in one folder.
"""

import io
import re
import threading
from collections.abc import Mapping

from workers.sources.archive import Archive, ArchiveError, open_packed
from workers.sources.assemble.commands import Output

TIMESTAMP = re.compile(r"(\d{8}-\d{6})(?=[./]|$)")
_LISTED = re.compile(r"(?P<kind>[a-z0-9-]+?)-(?P<time>\d{8}-\d{6})\.yaml$")
_FLOWS = re.compile(r"hubble-flows-(?P<pod>[a-z0-9.-]+?)-(?P<time>\d{8}-\d{6})\.json$")
_BUGTOOL = re.compile(r"cilium-bugtool-(?P<pod>[a-z0-9.-]+?)-(?P<time>\d{8}-\d{6})(?:/|\.tar(?:\.gz)?$|\.tgz$)")
_COMMAND = re.compile(r"(?:^|/)cmd/(?:cilium-dbg-|cilium-)(?P<command>[^/]+?)\.(?:md|txt|json)$")
_CONTAINER_LOG = re.compile(r"logs-(?P<of>[a-z0-9.-]+?)-\d{8}-\d{6}(?P<previous>-prev)?\.log$")
_READ_LOGS = re.compile(r"logs-(?:cilium|coredns)-")
_LOG = "cilium-sysdump.log"
_MAX_LOG_BYTES = 256 << 10
_MAX_LOG_LINE = 400


def is_of_use(path: str) -> bool:
    """Whether a file of this path can ever be read: logs of others, pprof, gops and the like never are."""
    name = path.rpartition("/")[2]
    return bool(
        _LISTED.match(name)
        or _FLOWS.match(name)
        or name == _LOG
        or _READ_LOGS.match(name)
        or _COMMAND.search(path)
        or (_BUGTOOL.match(name) and "." in name)
    )


class SysdumpIndex:
    """The files of one sysdump by what they are."""

    def __init__(self, archive: Archive) -> None:
        """Look at names only.

        Raises:
            ArchiveError: if the archive holds no sysdump.
        """
        self.archive = archive
        paths = [entry.path for entry in archive.entries]
        self._root = _root(paths)
        if self._root is None:
            raise ArchiveError(
                f"{archive.name} is no sysdump: it holds neither cilium-sysdump.log nor lists such as k8s-pods-*.yaml",
                "Collect one with `cilium sysdump`.",
            )
        self.name = self._root.strip("/").rpartition("/")[2] or archive.name
        inside = {path[len(self._root) :]: path for path in sorted(paths) if path.startswith(self._root)}
        self.names = tuple(inside)
        self._sizes = {entry.path: entry.size for entry in archive.entries}
        # Sorted, so that of two collections in one folder the later one is taken.
        self._lists = {found["kind"]: path for name, path in inside.items() if (found := _LISTED.match(name))}
        self.flow_files = {found["pod"]: path for name, path in inside.items() if (found := _FLOWS.match(name))}
        logs = ((_CONTAINER_LOG.match(name), path) for name, path in inside.items())
        self._logs = {(found["of"], bool(found["previous"])): path for found, path in logs if found}
        self._commands: dict[str, dict[str, str]] = {}
        self._packed: dict[str, str] = {}
        for name, path in inside.items():
            if (of_bugtool := _BUGTOOL.match(name)) is None:
                continue
            if command := _COMMAND.search(name):
                self._commands.setdefault(of_bugtool["pod"], {})[command["command"]] = path
            elif not of_bugtool.group().endswith("/"):
                self._packed[of_bugtool["pod"]] = path
        self._log_path = inside.get(_LOG)
        self._log: tuple[str, ...] | None = None
        self._opened: dict[str, Archive] = {}
        self._lock = threading.Lock()

    @property
    def bugtool_pods(self) -> frozenset[str]:
        """Names of the agent pods that a bugtool part is there of."""
        return frozenset(self._commands) | frozenset(self._packed)

    def listing(self, kind: str) -> str | None:
        """Return the path of a list, None where the file is missing or empty."""
        path = self._lists.get(kind)
        return path if path is not None and self._sizes[path] > 0 else None

    def reason(self, *words: str) -> str | None:
        """Return the line of the log that reports the failure of a task, found by words such as its title."""
        for line in self._warnings():
            if any(word.lower() in line.lower() for word in words):
                return line
        return None

    def _warnings(self) -> tuple[str, ...]:
        if self._log is None:
            text = "" if self._log_path is None else self.archive.read(self._log_path).decode("utf-8", "replace")
            marked = (line.partition("⚠️")[2].strip() for line in text.splitlines() if "⚠️" in line)
            self._log = tuple(re.sub(r"^\[\d+\]\s*", "", line)[:_MAX_LOG_LINE] for line in marked if line)
        return self._log

    def log_of(self, pod: str, container: str, *, previous: bool) -> list[str] | None:
        """Return the last lines of a container's log, None where there is none.

        Raises:
            ArchiveError: if it cannot be read.
        """
        path = self._logs.get((f"{pod}-{container}", previous))
        if path is None:
            return None
        written = self.archive.read(path)
        lines = written[-_MAX_LOG_BYTES:].decode("utf-8", "replace").splitlines()
        return lines[1:] if len(written) > _MAX_LOG_BYTES else lines

    def output(self, pod: str, command: str) -> Output | None:
        """Return what a command printed in an agent's pod, None where it is missing or empty.

        ``command`` is spelt as bugtool spells files: ``status---verbose`` for ``cilium-dbg status --verbose``.

        Raises:
            ArchiveError: if it cannot be read.
        """
        path = self._commands.get(pod, {}).get(command)
        if path is not None:
            written, shown = self.archive.read(path), path
        else:
            inner, commands = self._unpacked(pod)
            if inner is None or command not in commands:
                return None
            written, shown = inner.read(commands[command]), f"{self._packed[pod]}:{commands[command]}"
        text = _unfenced(written.decode("utf-8", "replace"))
        return Output(text, shown) if text.strip() else None

    def _unpacked(self, pod: str) -> tuple[Archive | None, Mapping[str, str]]:
        path = self._packed.get(pod)
        if path is None:
            return None, {}
        with self._lock:
            if pod not in self._opened:
                packed = io.BytesIO(self.archive.read(path))
                self._opened[pod] = open_packed(
                    packed, path.rpartition("/")[2], lambda name: bool(_COMMAND.search(name))
                )
        inner = self._opened[pod]
        found = ((_COMMAND.search(entry.path), entry.path) for entry in inner.entries)
        return inner, {match["command"]: name for match, name in found if match}

    def close(self) -> None:
        """Let go of the archive and of those inside it."""
        for inner in self._opened.values():
            inner.close()
        self.archive.close()


def _root(paths: list[str]) -> str | None:
    """Return the folder that the dump's own files lie in, with a trailing slash; the shallowest of several."""
    found = [
        path[: -len(name)]
        for path in paths
        if (name := path.rpartition("/")[2]) == _LOG or (_LISTED.match(name) and name.startswith(("k8s-", "cilium")))
    ]
    return min(found, key=lambda folder: (folder.count("/"), folder), default=None)


def _unfenced(text: str) -> str:
    """Drop the heading and the code fence that bugtool puts around an output, where it does."""
    lines = text.splitlines()
    if lines[:1] and lines[0].startswith("# "):
        lines = lines[1:]
    while lines and not lines[0].strip():
        lines = lines[1:]
    if lines and lines[0].startswith("```"):
        end = next((index for index, line in enumerate(lines[1:], 1) if line.startswith("```")), len(lines))
        lines = lines[1:end]
    return "\n".join(lines)
