"""The heartbeat of a run: as long as its process lives, nobody else takes its question."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import redis
import structlog

from bot.followed import along
from bot.ticket import Ticket
from bot.waiters import Waiters

EVERY = 2.0
"""Seconds between two beats; a lease lasts several of them."""

log = structlog.get_logger(__name__)


@contextmanager
def lease_kept(waiters: Waiters, ticket: Ticket, run: str, *, every: float = EVERY) -> Iterator[None]:
    """Renew the lease of a run while the block runs. A block that ends has ended the run, also by an exception."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(every):
            try:
                if not waiters.renew(ticket, run):
                    return
            except redis.RedisError as error:
                log.info("lease_not_renewed", error=type(error).__name__)

    threading.Thread(target=along(beat), name="lease", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        try:
            waiters.rest(ticket, run)
        except redis.RedisError as error:
            log.info("lease_left_to_lapse", error=type(error).__name__)
