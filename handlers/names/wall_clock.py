"""Times of day and time zones as people write them: ``8am``, ``22``, ``noon``; ``berlin``, ``New York``."""

import re
from collections.abc import Mapping
from datetime import time
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

TIME = r"(?:noon|midnight|\d{1,2}(?:[:.h]\d\d)?(?:\s*(?:am|pm|o'clock|h(?=\s|$)))?)"
"""A time of day, letters in any case; a name without groups, for other expressions."""
_TIME = re.compile(r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d\d))?\s*(?P<half>am|pm)?(?:o'clock|h)?", re.IGNORECASE)
_SPOKEN = {"noon": time(12), "midnight": time(0)}
_REGIONS = ("Europe", "America", "Asia", "Africa", "Australia", "Pacific", "Atlantic", "Indian")


def time_of_day(words: str) -> time | None:
    """Return a time of day, None where the words are none."""
    said = words.strip().casefold()
    found = _TIME.fullmatch(said)
    if found is None:
        return _SPOKEN.get(said)
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), found["half"] or ""
    if (half and not 1 <= hour <= 12) or hour > 23 or minute > 59:
        return None
    return time(hour % 12 + 12 * (half == "pm") if half else hour, minute)


def zone_named(name: str) -> str | None:
    """Return a name of the time zone database as it is written there, None where nothing there is so called.

    A zone is also known by its city alone, as long as one zone only has it.
    """
    titled = "/".join("_".join(part.capitalize() for part in piece.split("_")) for piece in name.split("/"))
    for spelling in (name, titled, name.upper()):
        try:
            return ZoneInfo(spelling).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return _by_city().get(re.sub(r"[\s_]+", "_", name.strip()).casefold())


@cache
def _by_city() -> Mapping[str, str]:
    zones: dict[str, list[str]] = {}
    for zone in available_timezones():
        region, _, city = zone.rpartition("/")
        if region.partition("/")[0] in _REGIONS:
            zones.setdefault(city.casefold(), []).append(zone)
    return {city: found[0] for city, found in zones.items() if len(found) == 1}
