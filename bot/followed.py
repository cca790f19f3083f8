"""Follows a question by its ticket: every line of a log that is written meanwhile has it, and so has every span."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from types import MappingProxyType

_TICKET = "ticket"
_about: ContextVar[Mapping[str, str]] = ContextVar("about", default=MappingProxyType({}))


@contextmanager
def followed(ticket: str, **more: str) -> Iterator[None]:
    """Have everything that this block logs and measures be about the ticket of that id; lines have ``more`` as well."""
    token = _about.set({**_about.get(), _TICKET: ticket, **more})
    try:
        yield
    finally:
        _about.reset(token)


def ticket_followed() -> str:
    """Return the id of the ticket that is worked on here; empty where none is."""
    return _about.get().get(_TICKET, "")


def fields() -> Mapping[str, str]:
    """Return what a line of the log that is written here is to have."""
    return _about.get()


def along(work: Callable[[], None]) -> Callable[[], None]:
    """Return the work for a thread of its own, to be about what this one is about."""
    return partial(copy_context().run, work)
