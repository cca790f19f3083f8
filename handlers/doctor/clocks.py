"""Clocks that differ: a window of flows is then another one than was asked for."""

from datetime import datetime, timedelta

from handlers.doctor.check import Check, fine, problem, unknown

TOLERATED = timedelta(seconds=30)
"""What a window of minutes bears; NTP keeps clocks within a fraction of a second."""


def clock_of_server(here: datetime, there: datetime | None) -> Check:
    """Judge this machine's clock against the API server's (the header Date of an answer, to the second)."""
    if there is None:
        return unknown("clock", "the API server did not tell its time")
    return _judged(here, there, "the API server's", "this machine and of the control plane")


def clock_of_nodes(here: datetime, newest: datetime | None) -> Check | None:
    """Judge it against the newest flow: one from the future comes of a node whose clock is ahead, or of ours behind."""
    if newest is None or newest - here <= TOLERATED:
        return None
    return _judged(here, newest, "the newest flow's", "this machine and of the nodes")


def _judged(here: datetime, there: datetime, whose: str, of: str) -> Check:
    apart = abs(here - there)
    if apart <= TOLERATED:
        return fine("clock", f"agrees with {whose}")
    behind = "behind" if here < there else "ahead of"
    said = f"this machine's clock is {_in_words(apart)} {behind} {whose}: windows of flows are off by as much"
    return problem("clock", said, f"Set the clocks of {of} by NTP (timedatectl, chronyc tracking).")


def _in_words(apart: timedelta) -> str:
    seconds = round(apart.total_seconds())
    return (
        f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} min" if seconds < 7200 else f"{seconds // 3600} h"
    )
