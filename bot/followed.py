"""Follows a question by its ticket: every line of a log that is written meanwhile has it, and so has every span."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial

from structlog.contextvars import bound_contextvars, get_contextvars

_TICKET = "ticket"


@contextmanager
def followed(ticket: str, **more: str) -> Iterator[None]:
    """Have everything that this block logs and measures be about the ticket of that id; lines have ``more`` as well."""
    with bound_contextvars(**{_TICKET: ticket}, **more):
        yield


def ticket_followed() -> str:
    """Return the id of the ticket that is worked on here; empty where none is."""
    return str(get_contextvars().get(_TICKET, ""))


def along(work: Callable[[], None]) -> Callable[[], None]:
    """Return the work for a thread of its own, to be about what this one is about."""
    return partial(copy_context().run, work)
