"""Where facts come from, as somebody named it: a live cluster, an archive, or a recording; and how to open it."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from handlers.policy import Version
from handlers.source import Source

if TYPE_CHECKING:
    from workers.sources.live import LiveSource

_MOST_CONTEXTS = 20


class NotOpenedError(Exception):
    """What was named cannot be looked at; the message says why and what to name instead."""


@dataclass(frozen=True, slots=True)
class Live:
    """A cluster. What is None comes from the kubeconfig, the pod's service account, or the hubble CLI's variables."""

    context: str | None = None
    kubeconfig: Path | None = None
    hubble_server: str | None = None
    cilium_namespace: str | None = None
    name: str | None = None
    """How the cluster is called in answers; None: by its context."""


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
def opened(origin: Origin, *, record: Path | None = None, cilium_version: str | None = None) -> Iterator[Source]:
    """Give the source that an origin names, and close it afterwards.

    With ``record``, everything that was read is written to that file, redacted, in the end. With ``cilium_version`` it
    is judged as that version would, whatever runs.

    Raises:
        NotOpenedError: if the archive, the recording or the kubeconfig cannot be opened, or the version is none.
    """
    checked_version(cilium_version)
    source = _open(origin)
    if record is not None:
        if record.is_dir() or not os.access(record.parent, os.W_OK):
            source.close()
            raise NotOpenedError(f"{record} cannot be written: name a file in a folder that you may write to")
        from workers.sources.recorded import RecordingSource

        source = RecordingSource(source, record)
    if cilium_version is not None:
        from workers.sources.versioned import VersionedSource

        source = VersionedSource(source, cilium_version)
    with closing(source):
        yield source


def checked_version(text: str | None) -> str | None:
    """Give a version back; raises NotOpenedError for a text that is none."""
    try:
        if text is not None:
            Version.parse(text)
    except ValueError as error:
        raise NotOpenedError(f"--cilium-version: {error}; write it as 1.19.6") from error
    return text


def _open(origin: Origin) -> Source:
    # Each of the three loads what the other two do without.
    match origin:
        case Sysdump(path):
            return _open_sysdump(path)
        case Recorded(path):
            return _open_recording(path)
        case Live():
            return open_cluster(origin)


def _open_sysdump(path: Path) -> Source:
    from workers.sources.archive import ArchiveError
    from workers.sources.sysdump import SysdumpSource

    try:
        return SysdumpSource(path)
    except ArchiveError as error:
        raise NotOpenedError(f"{error}. {error.remedy}") from error


def _open_recording(path: Path) -> Source:
    from workers.sources.recorded import RecordingError, ReplaySource

    try:
        return ReplaySource(path)
    except RecordingError as error:
        raise NotOpenedError(f"{error}. {error.remedy}") from error


def open_cluster(live: Live) -> "LiveSource":
    """Return a cluster as a source; whoever opens it closes it.

    Raises:
        NotOpenedError: if the kubeconfig does not have the context.
    """
    from workers.sources.live import open_live

    if live.context is not None:
        _check_context(live.context, live.kubeconfig)
    return open_live(
        context=live.context,
        kubeconfig=live.kubeconfig,
        hubble_server=live.hubble_server,
        cilium_namespace=live.cilium_namespace,
        cluster_name=live.name,
    )


def _check_context(context: str, kubeconfig: Path | None) -> None:
    """Tell which contexts there are where the one that was named is none of them."""
    from kubernetes import config
    from kubernetes.config.config_exception import ConfigException

    file = str(kubeconfig) if kubeconfig else os.environ.get("KUBECONFIG") or None
    try:
        found, _current = config.list_kube_config_contexts(config_file=file)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, ValueError, TypeError, KeyError):
        return  # what is wrong with the file is said by whoever connects
    names = [str(one["name"]) for one in found]
    if context not in names:
        listed = ", ".join(names[:_MOST_CONTEXTS]) + (" and more" if len(names) > _MOST_CONTEXTS else "")
        raise NotOpenedError(f"the kubeconfig has no context {context}; it has: {listed or 'none'}")
