"""Answers kept in Redis under the ticket's id, for whoever asked by a call: a script, an HTTP request, an agent's tool.

The caller joins the list of waiters with ``ADDRESS``, as everybody does (``bot.waiters``), and fetches what is kept.
"""

import json
from datetime import timedelta

from redis import Redis
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from bot.render.failure import Failure
from bot.render.text import first_words
from bot.surface import Answer
from bot.ticket import Address, Ticket
from handlers.model.report import FirstAnswer
from handlers.model.wire import decode, encode

NAME = "kept"
ADDRESS = Address(NAME, {})
KEEP = timedelta(hours=1)
"""How long an answer can be fetched."""
_LOOK_EVERY = 0.1

Kept = Answer | Failure


class NotYetError(Exception):
    """There is no answer yet; the message says how far the run is, as far as that is known."""


class KeptSurface:
    """The kept answers. One for a process; any of its threads may use it."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage", keep: timedelta = KEEP) -> None:
        self._redis = redis
        self._prefix = prefix
        self._keep = keep

    def progress(self, waiter: Ticket, told: str | FirstAnswer) -> bool:
        """Note how far the run is, beside the answer: it never takes its place."""
        words = told if isinstance(told, str) else first_words(told)
        self._redis.set(self._progress(waiter.id), words, ex=self._keep)
        return True

    def answer(self, waiter: Ticket, answer: Answer) -> None:
        """Keep the answer."""
        self._put(waiter, answer)

    def fail(self, waiter: Ticket, failure: Failure) -> None:
        """Keep the reason why there is none."""
        self._put(waiter, failure)

    def fetch(self, ticket_id: str) -> Kept:
        """Return the answer, or why there is none.

        Raises:
            NotYetError: if it has not come yet, or is kept no longer.
        """
        text = self._redis.get(self._kept(ticket_id))
        if text is None:
            raise NotYetError(_text(self._redis.get(self._progress(ticket_id))))
        kept: Kept = decode(Kept, json.loads(_text(text)))
        return kept

    def wait(self, ticket_id: str, seconds: float) -> Kept:
        """Return the answer as soon as it is there.

        Raises:
            NotYetError: if it has not come by then.
        """
        again = Retrying(
            retry=retry_if_exception_type(NotYetError),
            stop=stop_after_delay(seconds),
            wait=wait_fixed(_LOOK_EVERY),
            reraise=True,
        )
        kept: Kept = again(self.fetch, ticket_id)
        return kept

    def _put(self, waiter: Ticket, kept: Kept) -> None:
        self._redis.set(self._kept(waiter.id), json.dumps(encode(kept, Kept), separators=(",", ":")), ex=self._keep)

    def _kept(self, ticket_id: str) -> str:
        return f"{self._prefix}:kept:{ticket_id}"

    def _progress(self, ticket_id: str) -> str:
        return f"{self._prefix}:progress:{ticket_id}"


def _text(reply: bytes | str | None) -> str:
    # Clients differ in whether they decode.
    return reply.decode() if isinstance(reply, bytes) else reply or ""
