"""From an input that is right to one that is wrong: bytes, words and JSON, changed by chance that a seed decides."""

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Mutation = Callable[[bytes, Sequence[bytes], random.Random], bytes]
"""Changes an input; the others are inputs to borrow from."""

_TEXTS = (
    "",
    " ",
    "\x00",
    "\u202e",
    "\ud800",
    "é" * 300,
    "a" * 5_000,
    "(a+)+$",
    "0.0.0.0/0",
    "10.0.0.0/33",
    "::ffff:1.2.3.4",
    "fe80::1%eth0",
    "٣",
    "²",
    "1e999",
    "65536",
    "-1",
    "99999999999999999999999999",
    "NaN",
    "*",
    "<@U1|x>",
    "<http://x|",
    "`",
    '"',
    "{",
    "%s",
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59+14:00",
    "since 99999999h",
    "in cluster",
    "->",
    "24:60",
    "every",
    "namespace",
    "/",
    "//",
    "a/b/c",
    "svc/",
    ":",
    "8080/SCTP",
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 2**70, 1e308, float("inf"), float("nan")),
    *([], {}, [None], [[]], [{}], {"": ""}, {"a": None}),
    *_TEXTS,
)


def bytes_changed(given: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Flip, cut, repeat, insert and splice bytes."""
    body = bytearray(given)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(body) + 1)
        match chance.randrange(6):
            case 0 if body:
                body[at % len(body)] ^= 1 << chance.randrange(8)
            case 1:
                del body[at : at + chance.choice((1, 2, 8, 100))]
            case 2:
                body[at:at] = body[at : at + chance.choice((1, 8, 64))] * chance.choice((1, 3))
            case 3:
                body[at:at] = chance.choice(_TEXTS).encode(errors="surrogatepass")
            case 4:
                other = chance.choice(others)
                start = chance.randrange(len(other) + 1)
                body[at:] = other[start : start + 4_000]
            case _:
                body[at:at] = chance.randbytes(chance.choice((1, 4)))
    return bytes(body)


def words_changed(given: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Drop, swap, double, replace and borrow words; now and then change bytes."""
    if chance.random() < 0.15:
        return bytes_changed(given, others, chance)
    words = given.decode(errors="replace").split(" ")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(words) + 1)
        match chance.randrange(6):
            case 0 if words:
                del words[at % len(words)]
            case 1:
                words.insert(at, chance.choice(_TEXTS))
            case 2:
                words.insert(at, chance.choice(chance.choice(others).decode(errors="replace").split(" ")))
            case 3 if words:
                other = chance.randrange(len(words))
                words[at % len(words)], words[other] = words[other], words[at % len(words)]
            case 4 if words:
                here = at % len(words)
                cut = chance.randrange(len(words[here]) + 1)
                words[here] = (
                    words[here][:cut] + chance.choice(("", "/", ":", "'s", "?", "-", ".", "＠")) + words[here][cut:]
                )
            case _:
                words[at:at] = words[: chance.randrange(4)]
    return " ".join(words).encode(errors="surrogatepass")


def json_changed(given: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Take out, replace, double and borrow what stands at places of a document; now and then change bytes."""
    readable = _document(given)
    if readable is None or chance.random() < 0.05:
        return bytes_changed(given, others, chance)
    document = [readable]
    for _ in range(chance.randint(1, 4)):
        found = list(_places(document))
        container, key = chance.choice(found)
        match chance.randrange(5):
            case 0 if isinstance(container, dict):
                del container[key]
            case 1:
                other, name = chance.choice(list(_places([_document(chance.choice(others))])))
                container[key] = copy.deepcopy(other[name])
            case 2 if isinstance(container[key], list):
                container[key] = copy.deepcopy(container[key] * 2)
            case 3 if isinstance(container, dict):
                container[chance.choice(list(container))] = copy.deepcopy(container[key])
            case _:
                container[key] = copy.deepcopy(chance.choice(_VALUES))
    return json.dumps(document[0] if document else None).encode(errors="surrogatepass")


def _document(given: bytes) -> Any:
    try:
        return json.loads(given)
    except ValueError:
        return None


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Give every container of a document with each of its keys."""
    waiting = [document]
    while waiting:
        one = waiting.pop()
        for key in list(one) if isinstance(one, dict) else range(len(one)):
            yield one, key
            if isinstance(one[key], dict | list):
                waiting.append(one[key])
