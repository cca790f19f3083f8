"""What a Redis is like, and whether questions and cards are safe in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from handlers.doctor.check import Check, fine, problem, unknown

OLDEST = (6, 2)
"""What is used of Redis came with this version (LMOVE, SET ... GET)."""
MOST_WAITING = 100
LONGEST_WAIT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class RedisState:
    """What was found; None is what could not be told."""

    where: str
    """Address, without credentials."""
    is_remote: bool
    has_password: bool
    has_tls: bool
    unreachable: str = ""
    """Why it does not answer, empty where it does."""
    refused: str = ""
    """Why it took no write, empty where it did."""
    version: str = ""
    is_replica: bool = False
    memory_limit: int | None = None
    """Bytes; 0 is none."""
    eviction: str = ""
    keeps: bool | None = None
    """Whether anything is written to a disk."""
    waiting: int | None = None
    """Questions in the queue."""
    has_workers: bool | None = None
    """Whether a worker has lately shown a sign of life."""


def redis_checks(state: RedisState) -> Iterator[Check]:
    """Judge it."""
    about = "Redis"
    if state.unreachable:
        remedy = "Check that it runs, and host, port, password and TLS in REDIS_URL. Without it nobody is answered."
        yield problem(about, f"{state.where} does not answer: {state.unreachable}", remedy)
        return
    yield from _version(state)
    if state.is_replica:
        yield problem(about, f"{state.where} is a replica, and takes no writes", "Name the primary in REDIS_URL.")
    elif state.refused:
        yield problem(about, f"{state.where} takes no writes: {state.refused}", _of_refusal(state.refused))
    if state.memory_limit and state.eviction and state.eviction != "noeviction":
        limit = f"{state.memory_limit / 2**20:.0f} MiB"
        said = f"it evicts keys when {limit} are full ({state.eviction}): questions that wait would be lost"
        yield problem(about, said, "Set maxmemory-policy to noeviction, and a limit that is never reached.")
    if state.keeps is False:
        said = "nothing is written to a disk: a restart loses the questions that wait, cards, mutes and subscriptions"
        yield problem(about, said, "Turn on AOF (appendonly yes) or snapshots (save 60 1).")
    elif state.keeps is None:
        yield unknown(about, "whether it writes to a disk is not told", "Turn on AOF or snapshots where it is yours.")
    lacking = [word for word, has in (("password", state.has_password), ("TLS", state.has_tls)) if not has]
    if state.is_remote and lacking:
        said = f"without {' and '.join(lacking)}: whoever reaches it reads answers and may ask in anybody's name"
        yield problem(about, said, "Use rediss://:PASSWORD@HOST, and let a NetworkPolicy keep others out.")
    yield from _queue(state)


def _version(state: RedisState) -> Iterator[Check]:
    numbers = tuple(int(part) for part in state.version.split(".")[:2] if part.isdecimal())
    if len(numbers) < 2:
        yield unknown("Redis", f"{state.where} answers, and tells no version")
    elif numbers < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        yield problem("Redis", f"{state.version} is too old", f"Upgrade it to {oldest} or newer, or to Valkey.")
    else:
        yield fine("Redis", f"{state.version} at {state.where}")


def _queue(state: RedisState) -> Iterator[Check]:
    if state.has_workers is None or state.waiting is None:
        yield unknown("workers", "neither the queue nor signs of life could be read")
    elif not state.has_workers:
        waiting = f", and {state.waiting} questions wait" if state.waiting else ""
        remedy = "Start one: celery -A workers.app worker; it must have the same REDIS_URL and key prefix."
        yield problem("workers", f"none has shown a sign of life lately{waiting}", remedy)
    elif state.waiting > MOST_WAITING:
        yield problem("workers", f"{state.waiting} questions wait", "Start more workers.")
    else:
        yield fine("workers", f"alive, {state.waiting} questions wait")


def _of_refusal(refused: str) -> str:
    word = refused.partition(" ")[0].upper()
    remedies = {
        "OOM": "Raise maxmemory: it is full.",
        "READONLY": "Name the primary in REDIS_URL.",
        "MISCONF": "Its disk is full or not writable: mend that, and see its log.",
        "NOPERM": "Allow the user of REDIS_URL all commands on keys of the prefix (ACL SETUSER).",
    }
    return remedies.get(word, "See its log.")
