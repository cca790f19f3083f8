"""When a sysdump was taken, in UTC.

File names carry the local time of the machine that collected it; flows carry UTC. The newest flow was seen while the
dump was being written, so the two tell the time zone.
"""

import contextlib
import re
from datetime import UTC, datetime, timedelta

from workers.sources.archive import ArchiveError
from workers.sources.convert.reading import MalformedError, parse_moment
from workers.sources.sysdump.index import TIMESTAMP, SysdumpIndex

_FLOW_TIME = re.compile(rb'"time"\s*:\s*"([^"]{1,40})"')
_TAIL_BYTES = 65_536
_FILES_LOOKED_AT = 3
_SAME_MOMENT = timedelta(minutes=15)
_ZONE_STEP = timedelta(minutes=15)
_FURTHEST_ZONE = timedelta(hours=14, minutes=15)


def taken_at(index: SysdumpIndex) -> datetime:
    """Return the moment for which everything in the archive is judged."""
    named = _named(index)
    newest = _newest_flow(index)
    if named is None:
        written = [entry.written_at for entry in index.archive.entries if entry.written_at is not None]
        return newest or max(written, default=datetime.fromtimestamp(0, UTC))
    if newest is None:
        return named
    ahead = named - newest
    if _SAME_MOMENT < abs(ahead) < _FURTHEST_ZONE:
        named -= round(ahead / _ZONE_STEP) * _ZONE_STEP
    return max(named, newest)


def _named(index: SysdumpIndex) -> datetime | None:
    stamps = {found.group(1) for name in index.names if (found := TIMESTAMP.search(name))}
    for stamp in sorted(stamps, reverse=True):
        try:
            return datetime.strptime(stamp, "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _newest_flow(index: SysdumpIndex) -> datetime | None:
    found: list[datetime] = []
    for path in list(index.flow_files.values())[:_FILES_LOOKED_AT]:
        try:
            tail = index.archive.read(path)[-_TAIL_BYTES:]
        except ArchiveError:
            # Said where the flows themselves are asked for.
            continue
        for written in _FLOW_TIME.findall(tail)[-8:]:
            with contextlib.suppress(MalformedError):
                found.append(parse_moment(written.decode("ascii", "replace")))
    return max(found, default=None)
