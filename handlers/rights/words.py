"""The words of a text that may be names: whole, and each part of what is joined by dots, colons, slashes and lines."""

import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

_RUN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:-]*[A-Za-z0-9])?")
"""What names, addresses and numbers are written with (RFC 1123, labels; RFC 4291, text of addresses)."""
_JOINED = re.compile(r"[._:]")
_MOST_PARTS = 12
"""Parts of one run that are put together again: a host name of a Service has five, an address of IPv6 eight."""

PUBLIC = frozenset(
    "default kube-system kube-public kube-node-lease kubernetes kube-dns coredns cilium cilium-agent cilium-config "
    "cilium-operator hubble hubble-relay".split()
)
"""Names that every cluster with Cilium has: to hide them hides nothing."""


def words_of(text: str) -> Iterator[str]:
    """Yield every word that may be a name: ``ledger.payments.svc`` is three names, and one, and what lies between."""
    for run in _RUN.findall(text):
        yield run
        cuts = [-1, *(cut.start() for cut in _JOINED.finditer(run)), len(run)]
        if 2 < len(cuts) <= _MOST_PARTS:
            yield from (run[start + 1 : end] for start, end in combinations(cuts, 2))
        elif len(cuts) > _MOST_PARTS:
            yield from _JOINED.split(run)


def texts_in(body: Any) -> Iterator[str]:
    """Yield every text of a JSON value, keys too, and every whole number as a text."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict):
        for key, item in body.items():
            yield key
            yield from texts_in(item)
    elif isinstance(body, list | tuple):
        for item in body:
            yield from texts_in(item)
    elif isinstance(body, int) and not isinstance(body, bool):
        yield str(body)


def words_in(texts: Iterable[str]) -> frozenset[str]:
    """Return all words of some texts."""
    return frozenset(word for text in texts for word in words_of(text) if len(word) > 1)
