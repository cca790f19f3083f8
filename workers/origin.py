"""Where facts come from, as somebody named it: a live cluster, an archive, or a recording; and how to open it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from handlers.source import Source


class NotOpenedError(Exception):
    """What was named cannot be looked at; the message says why and what to name instead."""


@dataclass(frozen=True, slots=True)
class Live:
    """A cluster. What is None comes from the kubeconfig, the pod's service account, or the hubble CLI's variables."""

    context: str | None = None
    kubeconfig: Path | None = None
    hubble_server: str | None = None
    cilium_namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Sysdump:
    """A zip or folder that ``cilium sysdump`` wrote."""

    path: Path


@dataclass(frozen=True, slots=True)
class Recorded:
    """A file that ``--record`` wrote."""

    path: Path


Origin = Live | Sysdump | Recorded


@contextmanager
def opened(origin: Origin, *, record: Path | None = None) -> Iterator[Source]:
    """Give the source that an origin names, and close it afterwards.

    With ``record``, everything that was read is written to that file, redacted, when the block ends well.

    Raises:
        NotOpenedError: if the archive, the recording or the kubeconfig cannot be opened.
    """
    source = _open(origin)
    try:
        if record is None:
            yield source
        else:
            from workers.sources.recorded import RecordingSource

            recording = RecordingSource(source)
            yield recording
            recording.save(record)
    finally:
        source.close()


def _open(origin: Origin) -> Source:
    # Each of the three loads what the other two do without.
    match origin:
        case Sysdump(path):
            from workers.sources.archive import ArchiveError
            from workers.sources.sysdump import SysdumpSource

            try:
                return SysdumpSource(path)
            except ArchiveError as error:
                raise NotOpenedError(f"{error}. {error.remedy}") from error
        case Recorded(path):
            from workers.sources.recorded import RecordingError, ReplaySource

            try:
                return ReplaySource.open(path)
            except RecordingError as error:
                raise NotOpenedError(str(error)) from error
        case Live():
            from workers.sources.live import open_live

            return open_live(
                context=origin.context,
                kubeconfig=origin.kubeconfig,
                hubble_server=origin.hubble_server,
                cilium_namespace=origin.cilium_namespace,
            )
