"""Who waits for which question: the one owner of redelivery, for the queue forgets what it has handed out.

Askers of the same question share one run, and every one of them is answered. The protocol, for both sides:

* Who asks, once there is a place for the answer: ``join(ticket)``. True means that nobody works on this question and
  the caller must send the ticket to the queue; False means that a run is under way and will answer this ticket too.
* Worker, first thing: ``begin(ticket, run)``, which takes the lease; ``renew`` keeps it as long as the run lives.
* Worker, while it works: ``waiting(ticket)`` lists everybody who may be shown progress.
* Worker, at the end::

      for waiter in waiters.drain(ticket, run):
          surface.answer(waiter, answer)
          waiters.answered(waiter)
      waiters.rest(ticket, run)

  ``drain`` hands out late comers too, and gives the lease back in the same step in which it sees that nobody is left,
  so that nobody falls between a run that ends and a run that nobody starts. ``rest`` is for who could not be told.
* Anybody alive, every few seconds: ``overdue``, and send what it returns.

The lease of a question says who has it: its message in the queue, a run, or nobody for a while because an answer did
not arrive. A lease that ends without a word is a message or a run that was lost. A run is named by its message: whoever
takes the place of a lost process with the same message takes over its lease, and the same question from another message
finds it taken. Runs that begin and end without a word are counted, here and nowhere else; that a run took too long
stands here as well (``time_out``), so that whoever takes the question next tells it, whatever becomes of a message.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from redis import Redis

from bot.ticket import Ticket, TicketError
from bot.transaction import atomically, text_of

LEASE = timedelta(seconds=10)
"""How long a run may stay silent, or a message be under way from an empty queue, before the question is sent again."""

PAUSE = timedelta(seconds=15)
"""How long a question rests whose answer did not arrive, before it is tried again."""

MOST_RUNS = 3
"""Runs that may end without a word; a question that kills its worker must not come back for ever."""

KEEP = timedelta(hours=1)
"""How long anything about a question is remembered."""

_QUEUED = "queued"
_PAUSED = "paused"


class Turn(StrEnum):
    """What a worker that holds a ticket shall do."""

    RUN = "run"
    GIVE_UP = "give-up"
    """Tell everybody that it does not work: so many runs were lost that no other one is worth it."""
    TIMED_OUT = "timed-out"
    """Tell everybody that it took too long: the process had to be killed."""
    TAKEN = "taken"
    """Another run has the lease and answers this ticket as well."""
    DONE = "done"
    """Everybody has the answer."""


_ENDED = frozenset({Turn.GIVE_UP.value, Turn.TIMED_OUT.value})
"""What is told instead of running again."""


class Waiters:
    """The list of askers per question, in Redis."""

    def __init__(
        self, redis: Redis, *, prefix: str = "cilium-triage", lease: timedelta = LEASE, pause: timedelta = PAUSE
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._lease_lasts = lease
        self._pause_lasts = pause

    def join(self, ticket: Ticket) -> bool:
        """Enter the ticket, and say whether the caller has to send it. One transaction."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._waiting(ticket.key), ticket.id, ticket.to_json())
            pipe.expire(self._waiting(ticket.key), KEEP)
            pipe.sadd(self._index, ticket.key)
            pipe.set(self._lease(ticket.key), _QUEUED, nx=True, px=self._lease_lasts)
            *_, taken = pipe.execute()
        return bool(taken)

    def begin(self, ticket: Ticket, run: str) -> Turn:
        """Take the lease for a run, unless another run has it or nobody waits, and say what to do."""
        lease, fate = self._lease(ticket.key), self._fate(ticket.key)

        def decide(pipe: Any) -> Turn:
            holder = text_of(pipe.get(lease))
            done = pipe.exists(self._answered(ticket.id)) and not pipe.hlen(self._waiting(ticket.key))
            known = text_of(pipe.get(fate))
            pipe.multi()
            if done:
                return Turn.DONE
            if holder not in ("", _QUEUED, run):
                return Turn.TAKEN
            pipe.set(lease, run, px=self._lease_lasts)
            if known in _ENDED:
                return Turn(known)
            if int(known or 0) >= MOST_RUNS:
                pipe.set(fate, Turn.GIVE_UP, ex=KEEP)
                return Turn.GIVE_UP
            # Lost until it ends with a word.
            pipe.set(fate, int(known or 0) + 1, ex=KEEP)
            return Turn.RUN

        turn: Turn = atomically(self._redis, decide, lease, fate, self._waiting(ticket.key))
        return turn

    def time_out(self, ticket: Ticket, run: str) -> bool:
        """Note that a run took too long and was killed: whoever begins next has to tell it, not to run again.

        False, and nothing noted, when another run has the question meanwhile or nobody waits for it any more.
        """
        lease, waiting = self._lease(ticket.key), self._waiting(ticket.key)

        def note(pipe: Any) -> bool:
            is_ours = text_of(pipe.get(lease)) in ("", _QUEUED, run) and bool(pipe.hlen(waiting))
            pipe.multi()
            if is_ours:
                pipe.set(self._fate(ticket.key), Turn.TIMED_OUT, ex=KEEP)
            return is_ours

        return bool(atomically(self._redis, note, lease, waiting))

    def renew(self, ticket: Ticket, run: str) -> bool:
        """Prolong the lease of a run; False when it has lost it."""
        lease = self._lease(ticket.key)

        def prolong(pipe: Any) -> bool:
            holder = text_of(pipe.get(lease))
            pipe.multi()
            if holder == run:
                pipe.pexpire(lease, self._lease_lasts)
            return holder == run

        return bool(atomically(self._redis, prolong, lease))

    def waiting(self, ticket: Ticket) -> tuple[Ticket, ...]:
        """Return everybody who waits for this question now, in the order of asking.

        The ticket itself is among them unless it was answered, even where Redis has lost its memory meanwhile.
        """
        listed = _readable(self._redis.hgetall(self._waiting(ticket.key)))
        if all(other.id != ticket.id for other in listed) and not self.is_answered(ticket):
            listed.append(ticket)
        return tuple(sorted(listed, key=_order))

    def answered(self, waiter: Ticket) -> None:
        """Take a waiter off the list: the answer has arrived, or never can."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(self._waiting(waiter.key), waiter.id)
            pipe.set(self._answered(waiter.id), 1, ex=KEEP)
            pipe.execute()

    def is_answered(self, ticket: Ticket) -> bool:
        """Say whether this ticket has had its answer."""
        return bool(self._redis.exists(self._answered(ticket.id)))

    def drain(self, ticket: Ticket, run: str) -> Iterator[Ticket]:
        """Hand out every waiter once, late comers too, then give the lease back.

        A waiter that the caller did not mark ``answered`` stays listed for another run.
        """
        handed: set[str] = set()
        while left := [waiter for waiter in self.waiting(ticket) if waiter.id not in handed]:
            for waiter in left:
                handed.add(waiter.id)
                yield waiter
            if self._close(ticket.key, run, handed):
                return
        self._close(ticket.key, run, handed)

    def rest(self, ticket: Ticket, run: str) -> None:
        """End a run that still has its lease, since somebody could not be told: another one comes after a pause."""
        lease, fate = self._lease(ticket.key), self._fate(ticket.key)

        def pause(pipe: Any) -> None:
            holder = text_of(pipe.get(lease))
            known = text_of(pipe.get(fate))
            pipe.multi()
            if holder == run:
                if known not in _ENDED:
                    pipe.delete(fate)
                pipe.set(lease, _PAUSED, px=self._pause_lasts)

        atomically(self._redis, pause, lease, fate)

    def listed(self) -> tuple[Ticket, ...]:
        """Return everybody who waits, for whatever question."""
        with self._redis.pipeline(transaction=False) as pipe:
            for key in self._keys():
                pipe.hgetall(self._waiting(key))
            return tuple(waiter for waiting in pipe.execute() for waiter in _readable(waiting))

    def overdue(self, *, is_queue_empty: bool) -> tuple[Ticket, ...]:
        """Return one ticket of every question that has waiters, and neither a message nor a run; each must be sent.

        While the queue holds messages those of other questions may be among them, and their leases are prolonged. Two
        callers never get the same question.
        """
        return tuple(filter(None, (self._revive(key, is_queue_empty=is_queue_empty) for key in self._keys())))

    def _revive(self, key: str, *, is_queue_empty: bool) -> Ticket | None:
        lease = self._lease(key)
        if holder := text_of(self._redis.get(lease)):
            if holder == _QUEUED and not is_queue_empty:
                self._redis.pexpire(lease, self._lease_lasts)
            return None
        listed = sorted(_readable(self._redis.hgetall(self._waiting(key))), key=_order)
        if not listed:
            self._forget_if_empty(key)
            return None
        return listed[0] if self._redis.set(lease, _QUEUED, nx=True, px=self._lease_lasts) else None

    def _forget_if_empty(self, key: str) -> None:
        def forget(pipe: Any) -> None:
            left = pipe.hlen(self._waiting(key))
            pipe.multi()
            if not left:
                pipe.srem(self._index, key)

        atomically(self._redis, forget, self._waiting(key))

    def _close(self, key: str, run: str, handed: set[str]) -> bool:
        def close(pipe: Any) -> bool:
            listed = pipe.hgetall(self._waiting(key))
            left = {waiter.id for waiter in _readable(listed)}
            is_ours = text_of(pipe.get(self._lease(key))) in ("", _QUEUED, run)
            pipe.multi()
            if left - handed:
                return False
            if is_ours and not left:
                pipe.delete(self._fate(key), self._lease(key))
            if not listed:
                pipe.srem(self._index, key)
            return True

        return bool(atomically(self._redis, close, self._waiting(key), self._lease(key)))

    def _keys(self) -> list[str]:
        return sorted(text_of(key) for key in self._redis.smembers(self._index))

    @property
    def _index(self) -> str:
        return f"{self._prefix}:questions"

    def _waiting(self, key: str) -> str:
        return f"{self._prefix}:waiting:{key}"

    def _lease(self, key: str) -> str:
        return f"{self._prefix}:lease:{key}"

    def _fate(self, key: str) -> str:
        # How many runs were lost, or how it ended.
        return f"{self._prefix}:fate:{key}"

    def _answered(self, ticket_id: str) -> str:
        return f"{self._prefix}:answered:{ticket_id}"


def _readable(listed: Mapping[Any, Any]) -> list[Ticket]:
    # What another release has written waits for a process of that release.
    tickets = []
    for text in listed.values():
        try:
            tickets.append(Ticket.from_json(text_of(text)))
        except TicketError:
            continue
    return tickets


def _order(ticket: Ticket) -> tuple[Any, str]:
    return ticket.asked_at, ticket.id
