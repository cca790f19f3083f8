"""The one thing that a sentence about drops, policies or health is about."""

from dataclasses import dataclass

from handlers.model.endpoint import EndpointName, Named
from handlers.names.grammar import End
from handlers.names.lexicon import Cue
from handlers.sentence.tokens import Said

_BEFORE_A_PLACE = (Cue.OF, Cue.FOR, Cue.IN, Cue.AT)


@dataclass(frozen=True, slots=True)
class Subject:
    """An endpoint, or a namespace, or everything where both are None."""

    endpoint: EndpointName | None = None
    namespace: str | None = None


def subjects_in(sentence: Said) -> tuple[Subject, ...]:
    """Return what a sentence can be about, likeliest first: one where that is clear, none where it names too much.

    A word that means nothing is a namespace behind a preposition; elsewhere it may also be no name at all.
    """
    ends = [token.item.name for token in sentence.tokens if isinstance(token.item, End)]
    if len(ends) + len(sentence.namespaces) > 1:
        return ()
    if ends:
        place = sentence.ends[0]
        name, before = ends[0], sentence.tokens[max(0, place - 1) : place]
        is_word = sentence.tokens[place].is_qualified and not any(token.cues for token in before)
        if is_word and isinstance(name, Named) and name.namespace:
            return (
                Subject(endpoint=name),
                Subject(namespace=name.namespace),
            )  # "packet loss in shop" names no workload
        return (Subject(endpoint=name),)
    if sentence.namespaces:
        return (Subject(namespace=sentence.namespaces[0]),)
    words = [sentence.tokens[index].text.lower() for index in sentence.bare]
    if not words:
        return (Subject(),)
    led = [place for place in sentence.bare if place and sentence.tokens[place - 1].does(*_BEFORE_A_PLACE)]
    if len(led) == 1:
        return (Subject(namespace=sentence.tokens[led[0]].text.lower()),)
    if len(words) > 1:
        return ()
    return (Subject(namespace=words[0]), Subject())


def several(count: int) -> str:
    """Return the problem of so many readings, nothing where there is one."""
    return "I can read that in several ways; choose one." if count > 1 else ""
