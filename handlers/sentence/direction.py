"""Who sends to whom: the roles that the verbs and prepositions of a sentence give to its ends.

A sentence has one frame: the verb or adjective that relates its ends, active or passive. The table says for each frame
what role each place in the sentence has: before the verb, behind it, or behind a preposition. A place that can be
either has none, and then the other end decides; where none does, the direction is not sure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from handlers.model.endpoint import HostName, Kind, Named
from handlers.names.grammar import End, PortAsked
from handlers.names.lexicon import Cue, is_participle
from handlers.names.resolve import name_inside
from handlers.sentence.tokens import Said, Token


class Role(StrEnum):
    """Which end of a flow."""

    SOURCE = "source"
    DESTINATION = "destination"

    @property
    def other(self) -> "Role":
        """The other end."""
        return Role.SOURCE if self is Role.DESTINATION else Role.DESTINATION


class Place(StrEnum):
    """Where an end stands that no preposition leads."""

    BEFORE = "before the verb"
    BEHIND = "behind the verb"


class Frame(StrEnum):
    """What relates the ends."""

    REQUEST = "reaches"
    REQUESTED = "is reached"
    FETCH = "pulls"
    FETCHED = "is pulled from"
    REJECT = "refuses"
    REJECT_ALONE = "who refuses"
    """Nobody that is an end refuses: "who blocks B for A?"."""
    REJECTED = "is refused"
    RESPOND = "answers"
    RESPONDED = "is served"
    SEVERED = "is cut off"
    STATE = "is closed"
    RECEIVE_SENT = "gets traffic"
    RECEIVE_ANSWER = "gets an error"
    TIME_OUT = "times out"
    NONE = ""


_S, _D = Role.SOURCE, Role.DESTINATION
_ROLES: dict[Frame, dict[Place | Cue, Role]] = {
    Frame.REQUEST: {Place.BEFORE: _S, Place.BEHIND: _D, Cue.TO: _D, Cue.AT: _D, Cue.FROM: _S, Cue.BY: _S, Cue.FOR: _S},
    Frame.REQUESTED: {Place.BEFORE: _D, Place.BEHIND: _D, Cue.TO: _D, Cue.FROM: _S, Cue.BY: _S, Cue.FOR: _S},
    Frame.FETCH: {Place.BEFORE: _S, Place.BEHIND: _D, Cue.TO: _D, Cue.AT: _D, Cue.FROM: _D, Cue.BY: _S, Cue.FOR: _S},
    Frame.FETCHED: {Place.BEFORE: _D, Place.BEHIND: _D, Cue.FROM: _S, Cue.BY: _S, Cue.FOR: _S},
    Frame.REJECT: {Place.BEFORE: _D, Place.BEHIND: _S, Cue.TO: _S, Cue.FROM: _S, Cue.FOR: _S, Cue.AT: _D},
    Frame.REJECT_ALONE: {Cue.TO: _D, Cue.FOR: _S, Cue.AT: _D},
    Frame.REJECTED: {Cue.BY: _D, Cue.TO: _D, Cue.AT: _D, Cue.FOR: _S},
    Frame.RESPOND: {Place.BEFORE: _D, Place.BEHIND: _S, Cue.TO: _S, Cue.FOR: _S},
    Frame.RESPONDED: {Place.BEFORE: _S, Cue.BY: _D, Cue.FROM: _D},
    Frame.SEVERED: {Place.BEFORE: _S, Cue.FROM: _D, Cue.TO: _D},
    Frame.STATE: {Place.BEFORE: _D, Cue.TO: _S, Cue.FROM: _S, Cue.BY: _S, Cue.FOR: _S, Cue.AT: _D},
    Frame.RECEIVE_SENT: {Place.BEFORE: _D, Cue.FROM: _S, Cue.BY: _S, Cue.AT: _D},
    Frame.RECEIVE_ANSWER: {Place.BEFORE: _S, Cue.FROM: _D, Cue.TO: _D, Cue.AT: _D, Cue.BY: _D, Cue.FOR: _S},
    Frame.TIME_OUT: {Cue.TO: _D, Cue.AT: _D, Cue.FOR: _S},
    Frame.NONE: {Cue.TO: _D, Cue.AT: _D, Cue.FROM: _S, Cue.FOR: _S, Cue.BY: _D},
}
ROLES: Mapping[Frame, Mapping[Place | Cue, Role]] = MappingProxyType(_ROLES)

_PREPOSITIONS = (Cue.FROM, Cue.TO, Cue.FOR, Cue.BY, Cue.AT, Cue.BETWEEN, Cue.LEFT_ARROW)
_RELATING = (Cue.REQUEST, Cue.FETCH, Cue.REJECT, Cue.RESPOND, Cue.SEVER, Cue.STATE, Cue.RECEIVE, Cue.FAIL)
_CONJUNCTIONS = frozenset("because when while as but though although if weil wenn aber parce quand mais porque".split())
_CLOSES = re.compile(
    r"\b(?:close[sd]?|closing|ends|ended|terminate[sd]?) (?:(?:the|its|all) )?connections?\b", re.IGNORECASE
)
_REPLIES = frozenset("reply replies response responses answer answers".split())
OTHER_WAY = re.compile(
    r"\b(?:other way(?: a?round)?|the reverse|vice versa|(?:other|opposite) direction|umgekehrt|back again|inverse)\b",
    re.IGNORECASE,
)
"""What turns a connection round."""
_THINGS = (Cue.SENT, Cue.ANSWERED)


@dataclass(frozen=True, slots=True)
class _Verb:
    """A word that can relate the ends, where it stands."""

    at: int
    frame: Frame


def directed(sentence: Said, first: int, second: int) -> tuple[Role, Role] | None:
    """Return the roles of the ends at two places, None where they are not sure."""
    tokens = sentence.tokens
    between = tokens[first + 1 : second]
    if OTHER_WAY.search(sentence.text) or _CLOSES.search(sentence.text):
        return None  # both ways are spoken of, or what either end can do
    if any(token.text == "->" for token in between):
        return _S, _D
    if any(token.text == "<-" for token in between):
        return _D, _S
    if sentence.has(Cue.EACH_OTHER, Cue.BETWEEN) or _begins_a_clause(tokens, first, second):
        return None
    if sentence.words & _REPLIES and sentence.has(Cue.FROM) and sentence.has(Cue.TO):
        return None  # what comes back goes against who began
    if _is_done_to(tokens, first) and not sentence.has(*_RELATING):
        return None
    leads = _lead(tokens, first), _lead(tokens, second)
    if set(leads) == {Cue.FROM, Cue.TO}:
        return (_S, _D) if leads[0] is Cue.FROM else (_D, _S)
    roles = _by_frame(sentence, first, second)
    by_kind = _by_kind(tokens[first]), _by_kind(tokens[second])
    if any(kind and role and kind is not role for kind, role in zip(by_kind, roles, strict=True)):
        return None
    return _completed(roles[0] or by_kind[0], roles[1] or by_kind[1])


def _is_done_to(tokens: Sequence[Token], first: int) -> bool:
    """Whether a sentence begins with an unknown verb whose object is the first end: compare A with B."""
    return first > 0 and tokens[first - 1].is_bare and not any(token.cues for token in tokens[: first - 1])


def _begins_a_clause(tokens: Sequence[Token], first: int, second: int) -> bool:
    """Whether the second end does something in a clause of its own: A returns 502 because B refuses it."""
    joins = any(token.text.lower() in _CONJUNCTIONS for token in tokens[first + 1 : second])
    follows = next((token for token in tokens[second + 1 :] if not token.does(Cue.FILLER, Cue.PASSIVE)), None)
    return joins and follows is not None and follows.does(*_RELATING)


def role_alone(sentence: Said, index: int) -> Role | None:
    """Return the role of the only end of a sentence that asks for the other: "who can reach shop/cart?"."""
    verbs = list(_verbs(sentence, index, index))
    verb = verbs[-1] if verbs else _Verb(len(sentence.tokens), Frame.NONE)
    if sentence.language in ("fr", "es") and verb.frame is Frame.REQUEST and _asks_what(sentence, index):
        return _S if sentence.language == "fr" else None  # ¿qué alcanza A?: either may be who acts
    if "wer" in sentence.words and verb.frame is Frame.REQUEST and _lead(sentence.tokens, index) is None:
        return _D  # who acts is asked for, wherever German puts the verb
    return _role(sentence, verb, index)


def _asks_what(sentence: Said, index: int) -> bool:
    """Whether a thing is asked for, not somebody, and the end stands without a preposition."""
    is_of_a_thing = {"que", "qué", "quoi"} & sentence.words and not {"qui", "quién", "quien"} & sentence.words
    return bool(is_of_a_thing) and _lead(sentence.tokens, index) is None


def _completed(first: Role | None, second: Role | None) -> tuple[Role, Role] | None:
    if first is None and second is None:
        return None
    first, second = first or (second.other if second else None), second or (first.other if first else None)
    return (first, second) if first and second and first is not second else None


def _by_kind(token: Token) -> Role | None:
    """Return the role that an end can only have: nobody sends from an asked port, a Service or a name outside."""
    if not isinstance(token.item, End):
        return None
    name, port = token.item.name, token.item.port
    is_service = isinstance(name, Named) and name.kind is Kind.SERVICE
    is_outside = isinstance(name, HostName) and name_inside(name) is None
    return _D if is_service or is_outside or (port and port.port is not None) else None


def _by_frame(sentence: Said, first: int, second: int) -> tuple[Role | None, Role | None]:
    verb = _verb(sentence, first, second)
    if verb is None:
        return None, None
    if verb.frame is Frame.REJECT and _is_of_a_policy(sentence, verb.at):
        return None, None
    if verb.frame is Frame.REJECT_ALONE and {_lead(sentence.tokens, at) for at in (first, second)} == {
        Cue.FOR,
        Cue.FROM,
    }:
        return None, None  # drops for A from B
    unmarked = [index for index in (first, second) if _lead(sentence.tokens, index) is None]
    if unmarked and verb.frame in (Frame.NONE, Frame.TIME_OUT) and _has_unknown(sentence, first, second):
        return None, None  # a verb that is not known may turn it either way
    if len(unmarked) == 2 and verb.frame is Frame.REQUEST:
        # Other languages put both ends before the verb, or behind it: who acts stands first.
        one_side = second < verb.at or verb.at < first
        if one_side:
            return (None, None) if sentence.language == "en" else (_S, _D)
    if len(unmarked) == 2 and verb.at < first and sentence.language != "en" and not sentence.has(Cue.WHO):
        roles = ROLES[verb.frame]
        return roles.get(Place.BEFORE), roles.get(Place.BEHIND)
    if len(unmarked) == 1 and verb.at < first and sentence.language != "en" and not sentence.has(Cue.WHO):
        # A question begins with its verb, and who acts stands behind it: warum kommt A nicht auf B.
        acts = ROLES[verb.frame].get(Place.BEFORE)
        led = _role(sentence, verb, second if first in unmarked else first)
        return (acts, led) if first in unmarked else (led, acts)
    return _role(sentence, verb, first), _role(sentence, verb, second)


def _is_of_a_policy(sentence: Said, verb_at: int) -> bool:
    """Whether a policy of the subject refuses, on which side is not said: what is refused may go in or out."""
    has_policy = any(token.does(Cue.POLICY) for token in sentence.tokens[:verb_at])
    return has_policy and "ingress" not in sentence.words


def _has_unknown(sentence: Said, first: int, second: int) -> bool:
    return any(first < index < second for index in sentence.bare)


def _role(sentence: Said, verb: _Verb, index: int) -> Role | None:
    roles, lead = ROLES[verb.frame], _lead(sentence.tokens, index)
    if lead is None:
        return roles.get(Place.BEFORE if index < verb.at else Place.BEHIND)
    if lead is Cue.FROM and sentence.language == "de" and verb.frame is Frame.REJECTED:
        lead = Cue.BY
    if verb.frame is Frame.REJECT_ALONE and lead in (Cue.FROM, Cue.TO):
        # Without a word for what is sent, "denies B to A" and "blocks A to B" are the other way round.
        return ROLES[Frame.NONE].get(lead) if sentence.has(Cue.SENT) else None
    return roles.get(lead)


def _lead(tokens: Sequence[Token], index: int) -> Cue | None:
    """Return the preposition that leads the end at a place: the nearest before it, with no verb and no end between."""
    seen_of = False
    for token in reversed(tokens[:index]):
        if token.does(Cue.SENT) and seen_of and not token.does(Cue.REQUEST, Cue.ANSWERED):
            return Cue.FROM
        if token.is_end or token.does(Cue.WHO) or (token.does(*_THINGS) and not seen_of):
            return None
        for cue in _PREPOSITIONS:
            if token.does(cue):
                return None if _is_hung_up(tokens, token) else cue
        if _is_number_like(token):
            return None
        if token.does(Cue.OF):
            seen_of = True
        elif token.does(*_RELATING) and not token.does(Cue.FILLER, Cue.STATE):
            return None
    return None


def _is_number_like(token: Token) -> bool:
    """Whether a word is something that a preposition leads instead of the end behind it: at 14:05 shop/a lost …"""
    return token.item is None and not token.cues and token.text[:1].isdigit()


def _is_hung_up(tokens: Sequence[Token], preposition: Token) -> bool:
    """Whether a preposition belongs to "hang up on", which turns it round."""
    place = next(index for index, token in enumerate(tokens) if token is preposition)
    return place > 0 and tokens[place - 1].text.lower() == "up" and preposition.does(Cue.AT)


def _verb(sentence: Said, first: int, second: int) -> _Verb | None:
    """Return what relates two ends, None where too much could."""
    verbs = list(_verbs(sentence, first, second))
    if sentence.words & _VAGUE and _is_about_getting(sentence) and not sentence.has(Cue.FETCH):
        return None
    asking = [verb for verb in verbs if verb.frame in _ASKING]
    others = [verb for verb in verbs if verb.frame not in _ASKING]
    if asking:
        before_second = [verb for verb in asking if verb.at < second]
        chosen = before_second[-1] if before_second else asking[0]
        turned = [verb for verb in others if first < verb.at < second and verb.frame is not Frame.TIME_OUT]
        is_behind_both = chosen.at > second and chosen.frame in (Frame.REQUEST, Frame.FETCH)
        if not (is_behind_both and turned and sentence.language == "en"):
            return chosen
        return turned[0] if turned[0].frame in (Frame.REJECT, Frame.RESPOND) else None
    for wanted in ((Frame.RECEIVE_ANSWER, Frame.RECEIVE_SENT), _SAYING, (Frame.TIME_OUT,)):
        for verb in others:
            if verb.frame in wanted:
                return verb
    if sentence.has(Cue.RECEIVE):
        return None
    return _Verb(len(sentence.tokens), Frame.NONE)


_VAGUE = frozenset({"nothing", "data", "anything"})
"""Things that a request and an answer both carry."""


def _is_about_getting(sentence: Said) -> bool:
    return sentence.has(Cue.RECEIVE) or any(token.text.lower().startswith("sen") for token in sentence.tokens)


_ASKING = (Frame.REQUEST, Frame.REQUESTED, Frame.FETCH, Frame.FETCHED)
_SAYING = (Frame.REJECT, Frame.REJECT_ALONE, Frame.REJECTED, Frame.RESPOND, Frame.RESPONDED, Frame.SEVERED, Frame.STATE)


def _verbs(sentence: Said, first: int, second: int) -> Iterator[_Verb]:
    """Yield everything in the sentence that can relate the ends."""
    tokens = sentence.tokens
    for index, token in enumerate(tokens):
        frame = _frame(sentence, index, token, first, second)
        if frame is not None:
            yield _Verb(index, frame)


def _frame(sentence: Said, index: int, token: Token, first: int, second: int) -> Frame | None:
    tokens, language = sentence.tokens, sentence.language
    after = tokens[index + 1 :]
    ahead = (one for one in after if not isinstance(one.item, PortAsked))
    following = next((one for one in ahead if not one.does(Cue.FILLER) or one.does(*_THINGS)), None)
    if token.does(Cue.FAIL) and (
        token.text.lower().startswith("timeout") or (after and after[0].text.lower() == "out")
    ):
        return Frame.TIME_OUT
    receives = any(one.does(Cue.RECEIVE) for one in tokens[:index])
    if token.does(Cue.ANSWERED) and receives:
        return None
    if token.does(Cue.SENT) and not (token.does(Cue.REQUEST) and following and (following.is_end or following.is_bare)):
        return None
    if token.does(Cue.FILLER):
        return None
    if token.does(Cue.RECEIVE) and following and following.does(Cue.TO):
        return Frame.REQUEST
    if token.does(Cue.RECEIVE):
        return _received(after, language)
    is_passive = _is_passive(tokens, index, language)
    if (
        token.does(Cue.REQUEST)
        and token.text.lower().startswith("sen")
        and any(one.does(Cue.ANSWERED) for one in after)
    ):
        return Frame.RESPOND
    if token.does(Cue.REQUEST):
        return Frame.REQUESTED if is_passive else Frame.REQUEST
    if token.does(Cue.FETCH):
        return Frame.FETCHED if is_passive else Frame.FETCH
    if token.does(Cue.SEVER):
        return Frame.SEVERED
    is_preposition = token.does(Cue.TO) and following is not None and following.is_end
    if token.does(Cue.STATE) and not is_preposition and not (following and following.does(Cue.SENT)):
        return Frame.STATE
    if token.does(Cue.RESPOND):
        return Frame.RESPONDED if is_passive and language == "en" else Frame.RESPOND
    if token.does(Cue.REJECT):
        has_object = any(one.does(Cue.SENT) for one in after) or any(
            one.is_end and _lead(tokens, index + 1 + offset) is None for offset, one in enumerate(after)
        )
        if is_passive or (language == "en" and is_participle(token.text) and not has_object):
            return Frame.REJECTED
        acts = any(one.is_end or one.is_bare for one in tokens[:index]) and min(first, second) < index
        acts = acts and _lead(tokens, min(first, second)) is None
        is_inverted = language != "en" and not sentence.has(Cue.WHO)
        return Frame.REJECT if acts or is_inverted else Frame.REJECT_ALONE
    return None


def _received(after: Sequence[Token], language: str) -> Frame | None:
    for token in after:
        if token.does(Cue.ANSWERED):
            return Frame.RECEIVE_ANSWER
        if token.does(Cue.SENT):
            return Frame.RECEIVE_SENT
        if token.is_end and language == "en":
            return None  # in other languages who gets it may stand between: bekommt A Fehler von B
    return None


def _is_passive(tokens: Sequence[Token], index: int, language: str) -> bool:
    led = any(token.does(Cue.PASSIVE) for token in tokens[:index])
    if language != "en":
        return led or any(token.does(Cue.PASSIVE) for token in tokens[index + 1 :])
    word = tokens[index].text.lower()
    if index and tokens[index - 1].text.lower() == "to":
        return False
    by_follows = any(token.does(Cue.BY) for token in tokens[index + 1 : index + 2])
    return is_participle(word) and (led or by_follows)


def ports_of(tokens: Sequence[Token], start: int, stop: int) -> list[PortAsked]:
    """Return the ports that stand between two places of a sentence, in order."""
    return [token.item for token in tokens[start:stop] if isinstance(token.item, PortAsked)]
