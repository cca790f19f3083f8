"""Whose the words of an answer are, told by everything that was read for it.

Whoever read nothing of an object cannot name it, so every name in an answer stands in the snapshot that it was made
from, or in the question. What stands in an object belongs to whoever may read that object.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any

from handlers.model.agent import AddressIdentity
from handlers.model.change import Change
from handlers.model.flow import Flow, FlowEnd
from handlers.model.ownership import Content, OwnedName, Owner, Ownership
from handlers.model.report import Report
from handlers.model.snapshot import Known, PerNode, Snapshot
from handlers.model.wire import encode
from handlers.rights.owners import NODES, owner_of, owners_of_numbers
from handlers.rights.words import PUBLIC, texts_in, words_in, words_of

_NAMES = frozenset(
    "name namespace pod service ips ip cluster_ips external_ips balancer_ips balancer_names addresses cilium_ips "
    "health_ips tunnel_ips workloads owner".split()
)
"""Fields that name an object, or tell its address; every other one holds words of it."""
_SAY_NOTHING = frozenset("true false all any none yes no ok OK Ok".split())
_NUMBERS = frozenset({"number", "identity"})
_LEAST_NUMBER = 256
"""Identities below are Cilium's own, and mean the same in every cluster (pkg/identity/numericidentity.go)."""


def ownership(snapshot: Snapshot, report: Report) -> Ownership:
    """Return whose each word of the report is, of those that the snapshot holds."""
    said = words_in(texts_in(encode(report)))
    # What is looked at is named by who set the bot up, and no object of the cluster.
    held = _Held(said - words_in((snapshot.source,)))
    for thing in _things(snapshot):
        held.take(thing)
    return held.found()


def _things(snapshot: Snapshot) -> Iterator[Any]:
    yield from (missing.detail for _part, _node, missing in snapshot.gaps())
    for known in snapshot.parts.values():
        if not isinstance(known, Known):
            continue
        if isinstance(known.value, PerNode):
            for node, value in known.value.known():
                yield _OfNode(node)
                yield from _each(value)
        else:
            yield from _each(known.value)


def _each(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for item in value:
            yield from _each(item)
    else:
        yield value


@dataclasses.dataclass(frozen=True, slots=True)
class _OfNode:
    name: str


class _Held:
    """What was found of the words that are said."""

    def __init__(self, said: frozenset[str]) -> None:
        self._said = said
        self._names: defaultdict[str, set[Owner]] = defaultdict(set)
        self._words: defaultdict[str, set[Owner]] = defaultdict(set)
        self._of_number: dict[int, Owner] = {}
        self._addresses: list[AddressIdentity] = []

    def take(self, thing: Any) -> None:
        """Note what an object says, and whose that is."""
        if isinstance(thing, _OfNode):
            self._note(thing.name, NODES, is_name=True)
            return
        if isinstance(thing, AddressIdentity):
            self._addresses.append(thing)
            return
        for number, owner in owners_of_numbers((thing,)).items():
            self._of_number.setdefault(number, owner)
            self._note(owner.namespace, Owner(Content.NAMESPACES, owner.namespace), is_name=True)
        # What no object of a namespace says, the agents say: of themselves, or of whatever they know.
        self._walk(thing, NODES, is_name=False)

    def found(self) -> Ownership:
        """Return the words with their owners: a name is its objects', whoever else says it."""
        for entry in self._addresses:
            self._note(entry.cidr.partition("/")[0], self._of_number.get(entry.identity, NODES), is_name=True)
        for number, owner in self._of_number.items():
            if str(number) in self._said and number >= _LEAST_NUMBER:
                self._names[str(number)].add(owner)
        for text, owners in self._names.items():
            if owners == {NODES}:  # who may read a pod is told its node with it
                owners |= self._words.get(text, set())
        names = (OwnedName(text, tuple(sorted(owners)), True) for text, owners in self._names.items())
        words = (
            OwnedName(text, tuple(sorted(owners)), False)
            for text, owners in self._words.items()
            if text not in self._names
        )
        return tuple(sorted((*names, *words), key=lambda one: one.text))

    def _walk(self, value: Any, owner: Owner, *, is_name: bool) -> None:
        if isinstance(value, Enum) or value is None:
            return
        if isinstance(value, str):
            self._note(value, owner, is_name=is_name)
        elif isinstance(value, Flow):
            self._flow(value)
        elif dataclasses.is_dataclass(value):
            self._object(value, owner, is_named=is_name)
        elif isinstance(value, Mapping):
            for key, item in value.items():
                # Keys of a manifest are the API's words, those of labels and annotations are not.
                if isinstance(key, str) and not key.isalnum():
                    self._note(key, owner, is_name=False)
                self._walk(item, owner, is_name=False)
        elif isinstance(value, tuple | list | frozenset | set):
            for item in value:
                self._walk(item, owner, is_name=is_name)

    def _object(self, thing: Any, owner: Owner, *, is_named: bool) -> None:
        own = owner_of(thing)
        owner = own or owner
        is_named = is_named or own is not None  # a port has a name as well, and is no object
        for field in _fields(thing.__class__):
            if isinstance(thing, Change) and field == "fields":
                continue  # the API's own words; what they say of an object goes with the reference to it
            value = getattr(thing, field)
            if field == "namespace" and isinstance(value, str):
                self._note(value, Owner(Content.NAMESPACES, value), is_name=True)
            elif field not in _NUMBERS or not isinstance(value, int):
                self._walk(value, owner, is_name=is_named and field in _NAMES)

    def _flow(self, flow: Flow) -> None:
        """Give what one end is, where it is nobody's pod, to the other one: only that one's flows tell it."""
        ends = (flow.source, flow.destination)
        told_by = [Owner(Content.FLOWS, end.namespace) for end in ends if end.namespace] or [NODES]
        for end in ends:
            self._end(end, told_by)
        for field in _fields(Flow):
            if field not in ("source", "destination"):
                for owner in told_by:
                    self._walk(getattr(flow, field), owner, is_name=False)
        self._note(flow.node, NODES, is_name=True)

    def _end(self, end: FlowEnd, told_by: list[Owner]) -> None:
        for owner in [told_by[0]] if end.namespace else told_by:
            self._object(end, owner, is_named=True)

    def _note(self, text: str, owner: Owner, *, is_name: bool) -> None:
        held = self._names if is_name else self._words
        if text in self._said:
            found = [text]
        elif len(text) < 2 or (text.isalnum() and text.isascii()):
            return
        else:
            found = [word for word in words_of(text) if word in self._said]
        for word in found:
            # What agents say of themselves is prose: of it a plain word tells nothing.
            is_prose = owner == NODES and not is_name and word.isalpha()
            if word not in PUBLIC and word not in _SAY_NOTHING and not word.isdecimal() and not is_prose:
                if is_name and word != text and owner.content is not Content.NAMESPACES and "/" not in text:
                    self._words[word].add(owner)  # a part of a name or an address is none
                else:
                    held[word].add(owner)


@cache
def _fields(of: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(of))
