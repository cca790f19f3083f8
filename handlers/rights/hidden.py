"""What of an answer's words somebody may not read, and what stands in their place: its kind and its count."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from handlers.model.finding import Sentence, Value
from handlers.model.ownership import Content, OwnedName, Owner, Ownership
from handlers.rights.allowed import Allowed
from handlers.rights.owners import owner_of_ref

_CALLED = {
    Content.NAMESPACES: ("namespace", "namespaces"),
    Content.PODS: ("pod", "pods"),
    Content.SERVICES: ("service", "services"),
    Content.NETWORK_POLICIES: ("policy", "policies"),
    Content.CILIUM_POLICIES: ("policy", "policies"),
    Content.FLOWS: ("flow", "flows"),
    Content.CLUSTER_POLICIES: ("policy of the whole cluster", "policies of the whole cluster"),
    Content.NODES: ("node", "nodes"),
    Content.OBJECTS: ("object", "objects"),
}
_BY_WORD = frozenset({Content.PODS, Content.SERVICES, Content.NODES, Content.NAMESPACES})
"""Whose names can be taken out of a sentence by themselves; what is said of others goes with the name."""
_RUN = re.compile(r"[A-Za-z0-9._/-]+")
_ADDRESS = re.compile(r"[0-9.]+|[0-9a-f:]*:[0-9a-f:.]*")
_PLAIN_WORD = re.compile(r"[A-Za-z]+")

Held = tuple[Owner, str]
"""An object that may not be read: whose it is, and how it is called."""


@dataclass(frozen=True)
class Hidden:
    """The words of an answer that may not be read."""

    ownership: Ownership
    allowed: Allowed
    held: set[Held] = field(default_factory=set)
    """The objects that something was taken out about, so far."""

    def ref(self, ref: str) -> Held | None:
        """Return the object that a reference names, if it may not be read."""
        owner = owner_of_ref(ref)
        if owner is None or self.allowed.reads(owner):
            return None
        return owner, ref.rpartition("/")[2]

    def in_text(self, text: str, *, is_prose: bool = False) -> bool:
        """Say whether a text holds a word that may not be read.

        In prose, a plain word counts where an object is called so; that it also stands in an object says nothing.
        """
        if self._names and self._names.search(text):
            return True
        found = self._words.findall(text) if self._words else ()
        return any(not (is_prose and _PLAIN_WORD.fullmatch(word)) for word in found)

    def in_sentence(self, sentence: Sentence) -> bool:
        """Say whether a sentence holds a word that may not be read."""
        return self.in_text(sentence.template, is_prose=True) or any(map(self._in_value, sentence.values.values()))

    def without_names(self, text: str) -> str | None:
        """Return a text with an object's kind in the place of its name; None where more would have to go."""
        if not self.in_text(text, is_prose=True):
            return text
        self.note(text)
        shown = self._names.sub(self._kind, text) if self._names and ":" in text else text
        shown = _RUN.sub(self._kind_of_run, shown)
        return None if self.in_text(shown, is_prose=True) else shown

    def sentence_without_names(self, sentence: Sentence) -> Sentence | None:
        """Return a sentence with kinds in the place of names; None where more would have to go."""
        if not self.in_sentence(sentence):
            return sentence
        template = self.without_names(sentence.template)
        if template != sentence.template:
            return None
        values: dict[str, Value] = {}
        for name, value in sentence.values.items():
            match value:
                case str():
                    values[name] = self._value_without_names(value)
                case tuple():
                    values[name] = tuple(self.without_names(item) or _NOT_SHOWN for item in value)
                case Sentence():
                    values[name] = self.sentence_without_names(value)
                case _:
                    values[name] = value
            if values[name] is None and value is not None:
                return None
        shown = Sentence(sentence.template, values, sentence.lead)
        return None if self.in_sentence(shown) else shown

    def note(self, *texts: str) -> None:
        """Count the objects that some texts name, for what is told in the place of them."""
        self.held.update(self.named_in(texts))

    def named_in(self, texts: Iterable[str]) -> set[Held]:
        """Return the objects that some texts name and that may not be read."""
        if not self._names:
            return set()
        found = {word for text in texts for word in self._names.findall(text)}
        return {(self._owner[word], word) for word in found if not _ADDRESS.fullmatch(word)}

    def _in_value(self, value: Value) -> bool:
        match value:
            case str():
                return self.in_text(value)
            case tuple():
                return any(map(self.in_text, value))
            case Sentence():
                return self.in_sentence(value)
            case bool() | None:
                return False
        return str(value) in self._owner

    def _value_without_names(self, value: str) -> Value:
        shown = self.without_names(value)
        if shown is None or shown == value:
            return shown
        return Sentence(shown.replace("{", "{{").replace("}", "}}"))

    def _kind(self, found: "re.Match[str]") -> str:
        owner = self._owner[found.group()]
        return self._one(owner) if owner.content in _BY_WORD else found.group()

    def _kind_of_run(self, found: "re.Match[str]") -> str:
        names = self._names.findall(found.group()) if self._names else []
        if not names:
            return found.group()
        owner = max((self._owner[name] for name in names), key=lambda one: one.content is not Content.NAMESPACES)
        if owner.content is Content.NAMESPACES and "/" in found.group():
            owner = Owner(Content.OBJECTS, owner.namespace)
        is_by_word = owner.content in _BY_WORD or owner.content is Content.OBJECTS
        return self._one(owner) if is_by_word else found.group()

    def _one(self, owner: Owner) -> str:
        word = _CALLED[owner.content][0]
        return f"{'an' if word[0] in 'aeiou' else 'a'} {word}{self._where(owner)}"

    def _where(self, owner: Owner) -> str:
        known = owner.content is Content.NAMESPACES or not owner.namespace or self._knows(owner.namespace)
        return " that you may not read" if known else " in a namespace that you may not read"

    def _knows(self, namespace: str) -> bool:
        return self.allowed.reads(Owner(Content.NAMESPACES, namespace))

    def counted(self, held: Iterable[Held]) -> tuple[str, ...]:
        """Return objects by kind and count: ``2 policies in a namespace that you may not read``."""
        told = set(held)
        if any(owner.content is not Content.NAMESPACES for owner, _name in told):
            told = {one for one in told if one[0].content is not Content.NAMESPACES}
        counts = Counter((_CALLED[owner.content], self._where(owner)) for owner, _name in told)
        places: dict[str, set[str]] = {}
        for owner, _name in told:
            places.setdefault(self._where(owner), set()).add(owner.namespace)
        words = []
        for where in sorted(places):
            kinds = [f"{n} {one if n == 1 else many}" for ((one, many), at), n in sorted(counts.items()) if at == where]
            several = f" in {len(places[where])} namespaces that you may not read"
            words.append(f"{_and(kinds)}{several if 'in a namespace' in where and len(places[where]) > 1 else where}")
        return tuple(words)

    def told(self, held: Iterable[Held]) -> str:
        """Return the same in one text, and note it; what has no kind is told as such."""
        listed = list(held)
        self.held.update(listed)
        return _and(list(self.counted(listed))) or _NOT_SHOWN

    @cached_property
    def _owner(self) -> dict[str, Owner]:
        return {name.text: name.owners[0] for name in self._of(is_name=True)}

    @cached_property
    def _names(self) -> "re.Pattern[str] | None":
        return _any_of(self._owner)

    @cached_property
    def _words(self) -> "re.Pattern[str] | None":
        return _any_of(name.text for name in self._of(is_name=False))

    def _of(self, *, is_name: bool) -> Iterator[OwnedName]:
        for name in self.ownership:
            if name.is_name is is_name and not self.allowed.reads_any(name.owners):
                yield name


_NOT_SHOWN = "what you may not read"


def _any_of(words: Iterable[str]) -> "re.Pattern[str] | None":
    # The longest first: of two names that begin alike the whole one counts.
    ordered = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<![A-Za-z0-9-])(?:{'|'.join(map(re.escape, ordered))})(?![A-Za-z0-9-])") if ordered else None


def _and(items: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))
