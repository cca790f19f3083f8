"""Who waits for which question: askers of the same thing share one run, and every one of them is answered.

The protocol, for both sides:

* Web, once the placeholder stands: ``join(ticket)``. True means that nobody is working on this question and the caller
  must send the ticket to the queue; False means that a run is under way and will answer this ticket too. When the
  ticket cannot be queued, the caller goes through ``drain`` with the failure as the answer.
* Worker, first thing: ``begin(ticket)``. Only ``Turn.RUN`` means work; it takes or renews the lease. ``renew`` keeps
  the lease through a long run.
* Worker, while it works: ``waiting(ticket)`` lists everybody whose placeholder may show progress.
* Worker, at the end::

      for waiter in waiters.drain(ticket):
          publisher.answer(waiter.where, message)
          waiters.answered(waiter)

  ``drain`` hands out late comers too, and gives the lease back in the same step in which it sees that nobody is left,
  so that nobody falls between a run that ends and a run that nobody starts.

What a crash leaves behind: a waiter stays listed until ``answered``, so a redelivered task, or the next run of the same
question, answers whoever is left; editing an answer a second time changes nothing. A lease ends by itself, and
``overdue`` then names a ticket to send again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, cast

from redis import Redis

from bot.ticket import Ticket, TicketError

LEASE = timedelta(seconds=90)
"""How long a run may stay silent before its question is open to others."""

KEEP = timedelta(hours=1)
"""How long anything about a question is remembered."""


class Turn(StrEnum):
    """What a worker that holds a ticket shall do."""

    RUN = "run"
    TAKEN = "taken"
    """Another run has the lease and answers this ticket as well."""
    DONE = "done"
    """Everybody has the answer: the task was delivered again after its work was done."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """A question that people wait for and nobody works on, and how many of its runs were lost so far."""

    ticket: Ticket
    runs_lost: int


class Waiters:
    """The list of askers per question, in Redis."""

    def __init__(self, redis: Redis, *, prefix: str = "cilium-triage", lease: timedelta = LEASE) -> None:
        self._redis = redis
        self._prefix = prefix
        self._lease = lease

    def join(self, ticket: Ticket) -> bool:
        """Enter the ticket, and say whether the caller has to start the run. One transaction."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._waiting(ticket.key), ticket.id, ticket.to_json())
            pipe.expire(self._waiting(ticket.key), KEEP)
            pipe.sadd(self._index, ticket.key)
            pipe.set(self._run(ticket.key), ticket.id, nx=True, px=self._lease)
            *_, lease_taken = pipe.execute()
        return bool(lease_taken)

    def begin(self, ticket: Ticket) -> Turn:
        """Take or renew the lease for this ticket's run, and say what to do."""

        def decide(pipe: Any) -> Turn:
            holder = _text(pipe.get(self._run(ticket.key)))
            done = pipe.exists(self._answered(ticket.id)) and not pipe.hlen(self._waiting(ticket.key))
            pipe.multi()
            if done:
                return Turn.DONE
            if holder not in ("", ticket.id):
                return Turn.TAKEN
            pipe.set(self._run(ticket.key), ticket.id, px=self._lease)
            return Turn.RUN

        turn: Turn = self._atomically(decide, self._run(ticket.key), self._waiting(ticket.key))
        return turn

    def renew(self, ticket: Ticket) -> bool:
        """Prolong the lease of a run; False when it was lost to another run meanwhile."""

        def prolong(pipe: Any) -> bool:
            holder = _text(pipe.get(self._run(ticket.key)))
            pipe.multi()
            if holder not in ("", ticket.id):
                return False
            pipe.set(self._run(ticket.key), ticket.id, px=self._lease)
            return True

        return bool(self._atomically(prolong, self._run(ticket.key)))

    def waiting(self, ticket: Ticket) -> tuple[Ticket, ...]:
        """Return everybody who waits for this question now, in the order of asking.

        The ticket itself is among them unless it was answered, even where Redis has lost its memory meanwhile.
        """
        listed = self._listed(ticket.key)
        if all(other.id != ticket.id for other in listed) and not self.is_answered(ticket):
            listed.append(ticket)
        return tuple(sorted(listed, key=lambda one: (one.asked_at, one.id)))

    def answered(self, waiter: Ticket) -> None:
        """Take a waiter off the list: the answer stands in Slack, or can never get there."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(self._waiting(waiter.key), waiter.id)
            pipe.set(self._answered(waiter.id), 1, ex=KEEP)
            pipe.execute()

    def is_answered(self, ticket: Ticket) -> bool:
        """Say whether this ticket has had its answer."""
        return bool(self._redis.exists(self._answered(ticket.id)))

    def is_known(self, ticket: Ticket) -> bool:
        """Say whether the ticket is listed or answered. If it is neither, Redis has lost what it knew."""
        listed = self._redis.hexists(self._waiting(ticket.key), ticket.id)
        return bool(listed) or self.is_answered(ticket)

    def drain(self, ticket: Ticket) -> Iterator[Ticket]:
        """Hand out every waiter once, late comers too, then give the lease back.

        A waiter that the caller did not mark ``answered`` stays listed for another run.
        """
        handed: set[str] = set()
        while left := [waiter for waiter in self.waiting(ticket) if waiter.id not in handed]:
            for waiter in left:
                handed.add(waiter.id)
                yield waiter
            if self._close(ticket, handed):
                return
        self._close(ticket, handed)

    def overdue(self) -> tuple[Overdue, ...]:
        """Return one ticket of every question that has waiters and no run; each of them may be queued again.

        The caller gets the lease of what is returned: two callers never get the same question.
        """
        return tuple(filter(None, (self._revive(_text(key)) for key in self._redis.smembers(self._index))))

    def _revive(self, key: str) -> Overdue | None:
        if self._redis.exists(self._run(key)):
            return None
        listed = sorted(self._listed(key), key=lambda one: (one.asked_at, one.id))
        if not listed:
            self._forget_if_empty(key)
            return None
        if not self._redis.set(self._run(key), listed[0].id, nx=True, px=self._lease):
            return None
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.incr(self._lost(key))
            pipe.expire(self._lost(key), KEEP)
            runs_lost, _ = pipe.execute()
        return Overdue(listed[0], runs_lost)

    def _forget_if_empty(self, key: str) -> None:
        def forget(pipe: Any) -> None:
            left = pipe.hlen(self._waiting(key))
            pipe.multi()
            if not left:
                pipe.srem(self._index, key)

        self._atomically(forget, self._waiting(key))

    def _close(self, ticket: Ticket, handed: set[str]) -> bool:
        def close(pipe: Any) -> bool:
            late = {_text(name) for name in pipe.hkeys(self._waiting(ticket.key))} - handed
            left_over = pipe.hlen(self._waiting(ticket.key))
            holder = _text(pipe.get(self._run(ticket.key)))
            pipe.multi()
            if late:
                return False
            if holder == ticket.id:
                pipe.delete(self._run(ticket.key))
            if not left_over:
                pipe.srem(self._index, ticket.key)
                pipe.delete(self._lost(ticket.key))
            return True

        return bool(self._atomically(close, self._waiting(ticket.key), self._run(ticket.key)))

    def _listed(self, key: str) -> list[Ticket]:
        listed = []
        for name, text in self._redis.hgetall(self._waiting(key)).items():
            try:
                listed.append(Ticket.from_json(_text(text)))
            except TicketError:
                # Written by a release that is gone; nobody can answer it, and it must not keep the question open.
                self._redis.hdel(self._waiting(key), name)
        return listed

    def _atomically(self, step: Any, *watched: str) -> Any:
        # redis-py repeats the step until no watched key changed between reading and writing.
        return cast(Any, self._redis).transaction(step, *watched, value_from_callable=True)

    @property
    def _index(self) -> str:
        return f"{self._prefix}:questions"

    def _waiting(self, key: str) -> str:
        return f"{self._prefix}:waiting:{key}"

    def _run(self, key: str) -> str:
        return f"{self._prefix}:run:{key}"

    def _lost(self, key: str) -> str:
        return f"{self._prefix}:lost:{key}"

    def _answered(self, ticket_id: str) -> str:
        return f"{self._prefix}:answered:{ticket_id}"


def _text(reply: bytes | str | None) -> str:
    # Clients differ in whether they decode.
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply or ""
