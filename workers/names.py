"""Names for those who type: noted while questions are answered, and read as lists where nobody knows any."""

from datetime import datetime

import structlog
from redis.exceptions import RedisError

from bot.names import Names
from handlers.model.parts import Part
from handlers.model.scope import PodQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Known, Missing
from handlers.names.listed import ListedName, listed
from handlers.source import Source

_PARTS: tuple[AnyPart, ...] = (Part.NAMESPACES, Part.NODES, Part.WORKLOADS, Part.SERVICES)
"""The lists that are read for their names; they are the cheapest that the cluster has."""
_EVERYWHERE = Scope(all_namespaces=True, pods=(PodQuery(),))

log = structlog.get_logger(__name__)


class NotingSource:
    """Passes asks on to another source, and keeps the names in what it answers when it is closed."""

    def __init__(self, inner: Source, names: Names) -> None:
        self._inner = inner
        self._names = names
        self._seen: set[ListedName] = set()

    @property
    def title(self) -> str:
        """Name what is looked at."""
        return self._inner.title

    def now(self) -> datetime:
        """Return the other source's now."""
        return self._inner.now()

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        """Read from the other source, and note the names."""
        answer = self._inner.read(ask, timeout)
        if isinstance(answer, Known):
            self._seen.update(listed(answer.value))
        return answer

    def close(self) -> None:
        """Keep what was noted; the other source is closed by who opened it. Raises nothing."""
        try:
            self._names.keep(self._seen)
        except RedisError as error:
            log.warning("names_not_kept", error=type(error).__name__)


def read_names(source: Source, names: Names, timeout: float) -> None:
    """Read the lists that hold names, each within ``timeout`` seconds; one that cannot be read leaves its names out."""
    noting = NotingSource(source, names)
    missing = [part for part in _PARTS if isinstance(noting.read(Ask(part, _EVERYWHERE), timeout), Missing)]
    if Part.WORKLOADS in missing:
        # An archive has no workloads as objects; its pods say whose they are.
        noting.read(Ask(Part.PODS, _EVERYWHERE), timeout)
    if missing:
        log.info("names_not_read", parts=[str(part) for part in missing])
    noting.close()
