"""A text as a sentence: what each word is, by itself and by the words beside it."""

import re
from collections.abc import Iterator, Sequence, Set

from handlers.model.endpoint import Entity, EntityName
from handlers.model.traffic import Protocol
from handlers.names.decorations import undecorated
from handlers.names.grammar import (
    Duration,
    End,
    Item,
    PortAsked,
    Since,
    Word,
    end_of,
    is_bare_name,
    is_nearly_fresh,
    items,
    text_of,
)
from handlers.names.lexicon import Cue, cues_of, language_of, plain_form
from handlers.sentence.client_errors import dialled
from handlers.sentence.meanings import MEANT, NOISE, SINCE_EVENT
from handlers.sentence.namespaces import with_namespaces
from handlers.sentence.tokens import Said, Token

_STATUSES = frozenset(
    {100, 101, 200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 500, 501, 502, 503, 504, 505, 511}
    | {*range(400, 419), 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499, 520, 521, 522, 523, 524, 525, 526}
)
"""HTTP's status codes (RFC 9110 and those that proxies add): numbers that people quote beside names."""
_SPAN_LEADS = frozenset("for since last past seit depuis desde hace within over".split())
_SPAN_TRAILS = frozenset({"ago", "now"})
_LENGTHS = frozenset("after takes took every of timeout needs in than only about".split())
"""Words before a duration that is no look-back."""
_ENTITIES = frozenset({EntityName.WORLD, EntityName.KUBE_APISERVER, EntityName.REMOTE_NODE})
"""Entities whose names mean nothing else."""
_TIMES = frozenset("times mal fois veces".split())
_CODES = frozenset("code exit errno error".split())
_PLURAL_STATUS = re.compile(r"[1-5]\d\ds|[1-5]xx", re.IGNORECASE)
_PORT_LEADS = frozenset("on at over via auf sur en".split())
_PORT_NAMES = frozenset({"http", "https", "grpc", "dns", "tls"})
_OF_A_PORT = frozenset({"de", "du", "del", "von", "vom"})
_AFTER_A_NAME = (Cue.FROM, Cue.TO, Cue.FOR, Cue.BY, Cue.AT, Cue.OF, Cue.IN, Cue.AND)
_ALPHABETIC = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_POSSESSED = re.compile(r"(?<=[\w\]])'s?(?=\s|$)")


def sentence_of(text: str, topics: Set[str] = frozenset()) -> Said:
    """Read a text word by word; ``topics`` are words, in plain form, that say what it is about and name nothing.

    Never raises.
    """
    text = dialled(text)
    past = [found[0] for found in SINCE_EVENT.finditer(text)]
    text = SINCE_EVENT.sub(" ", text)
    for pattern, meant in MEANT:
        text = pattern.sub(meant, text)
    text = undecorated(_POSSESSED.sub("", text.replace("’", "'")))
    found = items(text)
    language = language_of(item.text for item in found if isinstance(item, Word))
    odd: list[str] = past
    spoken = [item for item in found if not (isinstance(item, Word) and plain_form(item.text) in topics)]
    tokens = with_namespaces(list(_tokens(spoken, language, odd)))
    return Said(text, language, tuple(tokens[0]), tuple(tokens[1]), tuple(odd))


def _tokens(found: Sequence[Item], language: str, odd: list[str]) -> Iterator[Token]:
    past: list[Token] = []
    for index, item in enumerate(found):
        token = _token(found, index, item, language, past, odd)
        past.append(token)
        yield token


def _token(
    found: Sequence[Item], index: int, item: Item, language: str, past: Sequence[Token], odd: list[str]
) -> Token:
    after = found[index + 1] if index + 1 < len(found) else None
    match item:
        case PortAsked(port=int(number), protocol=None):
            if _names_identity(found, index, language):
                return Token(str(number), cues=frozenset({Cue.IDENTITY}))
            if _is_part(found, index, language):
                return Token(str(number), cues=frozenset({Cue.FILLER}))
            return _number(number, after, language, past, odd)
        case Duration():
            return _duration(item, after, past, odd)
        case Word():
            return _word(item, after, language, past, odd)
        case PortAsked(protocol=Protocol.ICMP):
            return Token("ping", item, frozenset({Cue.REQUEST}))
    return Token(text_of(item), item)


def _number(number: int, after: Item | None, language: str, past: Sequence[Token], odd: list[str]) -> Token:
    text, before = str(number), past[-1] if past else None
    port = Token(text, PortAsked(number, None))
    follows = cues_of(after.text, language) if isinstance(after, Word) else frozenset()
    if any(token.does(Cue.IDENTITY) for token in past):
        return Token(text, cues=frozenset({Cue.IDENTITY}))
    if before and before.text.lower() in _CODES:
        return Token(text, cues=frozenset({Cue.FILLER}))
    if (before and before.does(Cue.PORT)) or Cue.PORT in follows:
        return port
    if before and before.text.lower() in _PORT_LEADS and number not in _STATUSES and not _is_count(number, after):
        return port
    if before and before.does(Cue.AND) and len(past) > 1 and isinstance(past[-2].item, PortAsked):
        return port
    if number in _STATUSES:
        return Token(text, cues=frozenset({Cue.ANSWERED}))
    if before and before.is_end and any(token.text in ("->", "<-") for token in past):
        return port
    if before and before.is_end and follows & {Cue.FROM, Cue.TO}:
        return port
    if before and before.is_end and follows & {Cue.STATE, Cue.PASSIVE}:
        return port
    if Cue.AT in follows or (before and before.is_end and not isinstance(after, (Word, End, PortAsked))):
        return port
    if (
        isinstance(after, Word)
        and after.text.isalpha()
        and not (before and before.is_end)
        and not follows & {*_AFTER_A_NAME}
    ):
        return Token(text, cues=frozenset({Cue.FILLER}))
    odd.append(text)
    return Token(text)


def _names_identity(found: Sequence[Item], index: int, language: str) -> bool:
    """Whether a number is that of an identity which is named behind it: is 52311 a valid identity?"""
    behind = (item for item in found[index + 1 :] if isinstance(item, Word))
    return not any(isinstance(item, End) for item in found) and any(
        Cue.IDENTITY in cues_of(word.text, language) for word in behind
    )


def _is_part(found: Sequence[Item], index: int, language: str) -> bool:
    """Whether a number counts: 3 of 12 pods, 3 out of 12, 2 of our nodes, 2 times a minute."""
    words = list(found[index + 1 : index + 4])
    if words and isinstance(words[0], Word) and words[0].text.lower() in _TIMES:
        after = words[1] if len(words) > 1 else None
        is_out = isinstance(after, Word) and after.text.lower() == "out"
        return not is_out and not _leads_port(found[:index], language)
    if words and isinstance(words[0], Word) and words[0].text.lower() == "out":
        words = words[1:]
    led = bool(words) and isinstance(words[0], Word) and Cue.OF in cues_of(words[0].text, language)
    return led and len(words) > 1 and not isinstance(words[1], End)


def _leads_port(before: Sequence[Item], language: str) -> bool:
    """Whether a word for a port stands before a number: on port 8080 times out."""
    word = before[-1] if before else None
    return isinstance(word, Word) and (word.text.lower() in _PORT_LEADS or Cue.PORT in cues_of(word.text, language))


def _is_count(number: int, after: Item | None) -> bool:
    """Whether a small number counts what follows it: on 3 nodes."""
    return number < 1_000 and isinstance(after, Word) and after.text.lower().endswith("s") and len(after.text) > 4


def _duration(item: Duration, after: Item | None, past: Sequence[Token], odd: list[str]) -> Token:
    before = past[-1].text.lower() if past else ""
    trails = after.text.lower() if isinstance(after, Word) else ""
    if before in _SPAN_LEADS or trails in _SPAN_TRAILS:
        return Token(item.text, Since(item.span))
    if _PLURAL_STATUS.fullmatch(item.text):
        return Token(item.text, cues=frozenset({Cue.ANSWERED}))
    if before not in _LENGTHS:
        odd.append(item.text)
    return Token(item.text)


def _word(item: Word, after: Item | None, language: str, past: Sequence[Token], odd: list[str]) -> Token:
    text = item.text
    if text.lower() in _ENTITIES or (_is_led(past) and end_of(text) and not isinstance(after, (Word, End))):
        return Token(text, End(end_of(text) or Entity(EntityName.WORLD), item.port))
    if text.isdigit() and past and past[-1].does(Cue.IDENTITY):
        return Token(text, cues=frozenset({Cue.IDENTITY}))
    if _PLURAL_STATUS.fullmatch(text):
        return Token(text, cues=frozenset({Cue.ANSWERED}))
    if NOISE.fullmatch(text):
        return Token(text, cues=frozenset({Cue.FILLER}))
    cues = cues_of(text, language)
    if text.lower() in _OF_A_PORT and past and (past[-1].does(Cue.PORT) or isinstance(past[-1].item, PortAsked)):
        cues = frozenset({Cue.OF})
    if _names_a_port(text, cues, after, language, past):
        odd.append(f"port {text}")
        return Token(text)
    if text.lower() == "since" and isinstance(after, Word) and cues_of(after.text, language) - {Cue.PASSIVE}:
        odd.append(f"since {after.text}")
    elif Cue.WHEN in cues:
        odd.append(text)
    if cues:
        return Token(text, cues=cues)
    if is_bare_name(item):
        return Token(text, item)
    if not _ALPHABETIC.fullmatch(text) or is_nearly_fresh(text.lower()):
        odd.append(text)
    return Token(text)


def _names_a_port(text: str, cues: frozenset[Cue], after: Item | None, language: str, past: Sequence[Token]) -> bool:
    """Whether a word stands beside "port": its name. Which number it has is known to the cluster alone."""
    is_beside = (past and past[-1].does(Cue.PORT)) or (
        isinstance(after, Word) and Cue.PORT in cues_of(after.text, language)
    )
    return bool(is_beside) and (not cues or text.lower() in _PORT_NAMES)


def _is_led(past: Sequence[Token]) -> bool:
    return bool(past) and past[-1].does(Cue.FROM, Cue.TO, Cue.BY, Cue.FOR)
