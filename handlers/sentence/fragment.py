"""Half a sentence that is read from the question above it: "and on 9090?", "what about catalog?"."""

import re
from dataclasses import dataclass

from handlers.model.traffic import HttpRequest
from handlers.names.grammar import End, PortAsked, Since
from handlers.names.lexicon import Cue
from handlers.sentence.direction import OTHER_WAY, ports_of
from handlers.sentence.tokens import Said

_LEAD = re.compile(
    r"^(?:(?:and|but|ok|so|then|also|now|what|how|und|et|y|wie|or)\b[\s,]*)*(?:about\b\s*)?"
    r"(?:(?:the )?same(?: question| thing)?(?: again)?(?: (?:for|with|on))?\b\s*)?",
    re.IGNORECASE,
)
_WHOLE = (Cue.REQUEST, Cue.FETCH, Cue.REJECT, Cue.RESPOND, Cue.STATE, Cue.DROPS, Cue.POLICY, Cue.IDENTITY, Cue.CILIUM)
_SOURCES, _DESTINATIONS = (Cue.FROM, Cue.BY, Cue.FOR), (Cue.TO, Cue.AT)


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a fragment says: another end, with its role where that is said, a port, a request, a time, or a turn."""

    end: End | None = None
    is_source: bool | None = None
    port: PortAsked | None = None
    span: Since | None = None
    is_turned: bool = False
    request: HttpRequest | None = None


def without_lead(text: str) -> str:
    """Return a text without "and", "what about" and the like before it."""
    return _LEAD.sub("", text, count=1)


def fragment_of(sentence: Said) -> Fragment | None:
    """Return what half a sentence says, None where it is a whole one or nothing of this."""
    if OTHER_WAY.search(sentence.text):
        return Fragment(is_turned=True)
    is_whole = any(token.does(*_WHOLE) for token in sentence.tokens if not isinstance(token.item, PortAsked))
    if is_whole or sentence.odd or sentence.namespaces:
        return None
    places = sentence.ends or sentence.bare
    ports = ports_of(sentence.tokens, 0, len(sentence.tokens))
    if len(places) > 1 or len(ports) > 1 or not (places or ports or sentence.span or sentence.requests):
        return None
    request = sentence.requests[0] if sentence.requests else None
    if not places:
        return Fragment(port=ports[0] if ports else None, span=sentence.span, request=request)
    (place,) = places
    end = sentence.tokens[place].end
    before = [token for token in sentence.tokens[:place] if token.text.lower() != "about"]
    is_source = any(token.does(*_SOURCES) for token in before)
    is_destination = any(token.does(*_DESTINATIONS) for token in before)
    role = None if is_source is is_destination else is_source
    return Fragment(end, role, ports[0] if ports else None, sentence.span, request=request)
