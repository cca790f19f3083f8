"""A source under another version of Cilium: what would be judged if that one ran on every node."""

from dataclasses import replace
from datetime import datetime

from handlers.model.cluster import CiliumConfig
from handlers.model.parts import Part
from handlers.model.snapshot import Ask, ConfigNotRead, Known, Missing
from handlers.source import Source


class VersionedSource:
    """Another source, whose configuration names the chosen version for every node."""

    def __init__(self, inner: Source, version: str) -> None:
        """Read from ``inner``; ``version`` is one that ``Version.parse`` reads."""
        self._inner = inner
        self._version = version

    @property
    def title(self) -> str:
        """Name what is looked at as it names itself."""
        return self._inner.title

    def now(self) -> datetime:
        """Return the time of the other source."""
        return self._inner.now()

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        """Read the part; only the configuration is another. Where that is not read, the version holds all the same."""
        found = self._inner.read(ask, timeout)
        if ask.part is not Part.CONFIG:
            return found
        if isinstance(found, Missing):
            return ConfigNotRead(found.gap, found.detail, found.remedy, self._version)
        if not isinstance(found.value, CiliumConfig):
            return found
        return replace(found, value=replace(found.value, version=self._version, versions={}, is_chosen=True))

    def close(self) -> None:
        """Close the other source."""
        self._inner.close()
