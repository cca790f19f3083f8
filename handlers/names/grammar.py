"""The grammar of questions: what a word can be, and what a sentence of such words says.

Two small LALR grammars (Lark). The first reads one word: ``shop/svc/cart:8080``, ``10.0.0.0/8``, ``8080/TCP``, ``15m``.
The second reads the sentence, over the kinds of its words, so that parts may come in any order and words that mean
nothing are let pass.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any, cast

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError, VisitError
from lark.lexer import Lexer

from handlers.model.endpoint import (
    KUBECTL_SHORT_NAMES,
    Address,
    EndpointName,
    Entity,
    EntityName,
    HostName,
    Kind,
    Named,
)
from handlers.model.traffic import HttpRequest, Protocol
from handlers.names.decorations import undecorated

_WORD_GRAMMAR = r"""
    ?word: place | place ":" port -> place_and_port | port | duration | name
    ?place: NAME "/" NAME                  -> named
          | NAME "/" NAME "/" NAME         -> kinded
          | IPV4 [ "/" INT ]               -> address
          | IPV6 [ "/" INT ]               -> address
          | "[" IPV6 "]"                   -> address
          | DOTTED                         -> host_name
    port: INT [ "/" PROTOCOL ]             -> port
        | PROTOCOL "/" INT                 -> port_after
    duration: INT UNIT
    name: NAME [ ":" port ]

    PROTOCOL.3: /(tcp|udp|sctp)(?=$|\/)/i
    UNIT.3: /(s|sec|secs|seconds?|m|min|mins|minutes?|h|hrs?|hours?|d|days?)(?=$)/i
    IPV4.4: /\d{1,3}(\.\d{1,3}){3}(?=$|[\/:\]])/
    IPV6.4: /(?=[0-9a-f]*:[0-9a-f]*:)[0-9a-f:]+(\d{1,3}(\.\d{1,3}){3})?(?=$|[\/\]])/i
    INT.2: /\d{1,6}(?=$|[\/:a-z])/i
    DOTTED.1: /[a-z0-9_]([-a-z0-9_]*)(\.[a-z0-9_][-a-z0-9_]*)+\.?(?=$|[\/:])/i
    NAME: /[a-z0-9]([-a-z0-9._]*[a-z0-9])?(?=$|[\/:])/i
"""

_SENTENCE_GRAMMAR = r"""
    sentence: item*
    ?item: end | ports | http | since | FRESH -> fresh | ICMP -> icmp | TO -> to | FROM -> source
         | WORD -> other | KIND -> other | METHOD -> other | HTTP -> other | PATH -> other | DURATION -> other
         | "PROTO" -> other
    end: END | KIND END -> kind_end | KIND WORD -> kind_word
    ports: INT -> bare_port | PORT | PROTOCOL INT -> protocol_port | INT PROTOCOL -> port_protocol
         | PROTOCOL -> protocol
    http: HTTP METHOD PATH | METHOD PATH
    since: SINCE DURATION -> ago | SINCE INT UNIT -> ago_words | SINCE UNIT -> ago_unit | SINCE -> other
    %declare END INT PORT PROTOCOL HTTP METHOD PATH SINCE DURATION UNIT FRESH ICMP TO FROM WORD KIND
"""


class Marker(StrEnum):
    """A word that says which end the next name is."""

    SOURCE = "from"
    DESTINATION = "to"


@dataclass(frozen=True, slots=True)
class PortAsked:
    """A port, with its protocol where one was said."""

    port: int | None
    protocol: Protocol | None


@dataclass(frozen=True, slots=True)
class End:
    """A name that can only be one end of a flow, with the port written behind its colon."""

    name: EndpointName
    port: PortAsked | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A word that may be a bare name, or mean nothing. ``port`` is what stood behind a colon."""

    text: str
    port: PortAsked | None = None


@dataclass(frozen=True, slots=True)
class Since:
    """How far to look back."""

    span: timedelta


@dataclass(frozen=True, slots=True)
class Fresh:
    """The asker wants no cached answer."""


Item = End | Word | PortAsked | HttpRequest | Since | Fresh | Marker

_KEYWORDS: dict[str, str] = {
    "http": "HTTP",
    "https": "WORD",
    "since": "SINCE",
    "last": "SINCE",
    "past": "SINCE",
    "fresh": "FRESH",
    "--fresh": "FRESH",
    "icmp": "ICMP",
    "icmpv4": "ICMP",
    "ping": "ICMP",
    "pinging": "ICMP",
    "to": "TO",
    "->": "TO",
    "into": "TO",
    "reach": "TO",
    "reaching": "TO",
    "reached": "WORD",
    "towards": "TO",
    "from": "FROM",
    "by": "FROM",
}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LONGEST_SPAN = timedelta(days=7)
"""Longest look-back; Hubble's rings remember minutes."""


def items(text: str) -> list[Item]:
    """Return what the words of a text are, in order.

    Never raises: words that fit nothing come back as Word, and a text whose grammar cannot be told comes back as its
    words alone.
    """
    words = undecorated(text).split()
    try:
        return cast(list[Item], _sentence_parser().parse(cast(str, words)))  # the lexer takes words, not a text
    except LarkError:
        return [Word(word) for word in words]


def end_of(word: str) -> EndpointName | None:
    """Return the endpoint that one word names, None where it names none."""
    match _word(word):
        case End(name=name):
            return name
        case Word(text=text) if text.lower() in set(EntityName):
            return Entity(EntityName(text.lower()))
    return None


class _WordReader(Transformer[Token, Any]):
    """From the parse of one word to its value. Raises ValueError for what only looks right."""

    def named(self, parts: list[Token]) -> End:
        first, name = (str(part).lower() for part in parts)
        if first in ("node", "nodes", "no"):
            return End(Named(None, name, Kind.NODE))
        return End(Named(first, name))

    def kinded(self, parts: list[Token]) -> End:
        namespace, kind, name = (str(part).lower() for part in parts)
        if kind not in KUBECTL_SHORT_NAMES:
            raise ValueError(f"{kind} is no kind")
        return End(Named(namespace, name, KUBECTL_SHORT_NAMES[kind]))

    def address(self, parts: list[Token | None]) -> End:
        address, bits = str(parts[0]), parts[1] if len(parts) > 1 else None
        if bits is None:
            return End(Address(str(ipaddress.ip_address(address))))
        return End(Address(str(ipaddress.ip_network(f"{address}/{bits}", strict=False))))

    def host_name(self, parts: list[Token]) -> End:
        name = str(parts[0]).lower().rstrip(".")
        if len(name) > 253 or any(len(label) > 63 for label in name.split(".")):
            raise ValueError("longer than DNS allows (RFC 1035, 2.3.4)")
        return End(HostName(name))

    def place_and_port(self, parts: list[Any]) -> End:
        return End(parts[0].name, parts[1])

    def port(self, parts: list[Token | None]) -> PortAsked:
        return _port(str(parts[0]), parts[1])

    def port_after(self, parts: list[Token]) -> PortAsked:
        return _port(str(parts[1]), parts[0])

    def duration(self, parts: list[Token]) -> Since:
        return _span(int(parts[0]), str(parts[1]))

    def name(self, parts: list[Any]) -> Word:
        return Word(str(parts[0]), parts[1])


def _port(number: str, protocol: Token | None) -> PortAsked:
    if not 0 < int(number) < 65_536:
        raise ValueError(f"{number} is no port")
    return PortAsked(int(number), Protocol(protocol.upper()) if protocol else None)


def _span(count: int, unit: str) -> Since:
    span = timedelta(**{_UNITS[unit[0].lower()]: count})
    if span <= timedelta(0):
        raise ValueError("no time at all")
    return Since(min(span, LONGEST_SPAN))


@cache
def _word_parser() -> Lark:
    return Lark(_WORD_GRAMMAR, start="word", parser="lalr", maybe_placeholders=True)


def _word(text: str) -> Item:
    try:
        return _WordReader().transform(_word_parser().parse(text))  # type: ignore[no-any-return]
    except (LarkError, VisitError, ValueError):
        return Word(text)


class _WordLexer(Lexer):
    """Hands the sentence grammar its words, each with its kind."""

    def __init__(self, _conf: Any) -> None:
        pass

    def lex(self, words: Any) -> Iterator[Token]:  # type: ignore[override]  # Lark hands a custom lexer the text alone
        for word in words:
            yield self._token(word)

    def _token(self, word: str) -> Token:
        lower = word.lower()
        if lower in _KEYWORDS:
            return Token(_KEYWORDS[lower], Word(word))
        if word.upper() in _METHODS:
            return Token("METHOD", word.upper())
        if word.startswith("/"):
            return Token("PATH", word)
        if lower in ("tcp", "udp", "sctp"):
            return Token("PROTOCOL", lower.upper())
        if lower in KUBECTL_SHORT_NAMES and lower not in ("no", "po"):
            return Token("KIND", Word(word))
        if len(lower) > 2 and lower.rstrip("s") in ("second", "sec", "minute", "min", "hour", "day"):
            return Token("UNIT", lower)
        match _word(word):
            case End() as end:
                return Token("END", end)
            case PortAsked(protocol=None) as port:
                return Token("INT", port)
            case PortAsked() as port:
                return Token("PORT", port)
            case Since() as since:
                return Token("DURATION", since)
            case other:
                return Token("WORD", other)


class _SentenceReader(Transformer[Token, Any]):
    """From the parse of a sentence to its items."""

    def sentence(self, parts: list[Any]) -> list[Item]:
        return [part for part in parts if part is not None]

    def end(self, parts: list[Any]) -> Item:
        return parts[0].value  # type: ignore[no-any-return]

    def kind_end(self, parts: list[Any]) -> Item:
        kind, end = KUBECTL_SHORT_NAMES[parts[0].value.text.lower()], parts[1].value
        if isinstance(end.name, Named) and end.name.kind is None and kind is not Kind.NODE:
            return End(Named(end.name.namespace, end.name.name, kind), end.port)
        return end  # type: ignore[no-any-return]

    def kind_word(self, parts: list[Any]) -> Item:
        kind, word = KUBECTL_SHORT_NAMES[parts[0].value.text.lower()], parts[1].value
        if kind is Kind.NODE and word.text[:1].isalnum():
            return End(Named(None, word.text.lower(), Kind.NODE), word.port)
        return word  # type: ignore[no-any-return]

    def bare_port(self, parts: list[Any]) -> Item:
        return parts[0].value  # type: ignore[no-any-return]

    ports = bare_port

    def protocol_port(self, parts: list[Any]) -> Item:
        return PortAsked(parts[1].value.port, Protocol(parts[0].value))

    def port_protocol(self, parts: list[Any]) -> Item:
        return PortAsked(parts[0].value.port, Protocol(parts[1].value))

    def protocol(self, parts: list[Any]) -> Item:
        return PortAsked(None, Protocol(parts[0].value))

    def http(self, parts: list[Any]) -> Item:
        method, path = parts[-2:]
        return HttpRequest(str(method.value), str(path.value))

    def ago(self, parts: list[Any]) -> Item:
        return parts[1].value  # type: ignore[no-any-return]

    def ago_words(self, parts: list[Any]) -> Item | None:
        return _span(parts[1].value.port, str(parts[2].value))

    def ago_unit(self, parts: list[Any]) -> Item:
        return _span(1, str(parts[1].value))

    def fresh(self, _parts: list[Any]) -> Item:
        return Fresh()

    def icmp(self, _parts: list[Any]) -> Item:
        return PortAsked(None, Protocol.ICMP)

    def to(self, _parts: list[Any]) -> Item:
        return Marker.DESTINATION

    def source(self, _parts: list[Any]) -> Item:
        return Marker.SOURCE

    def other(self, parts: list[Any]) -> Item | None:
        value = parts[0].value if parts else None
        return value if isinstance(value, Word) else None


@cache
def _sentence_parser() -> Lark:
    return Lark(
        _SENTENCE_GRAMMAR,
        start="sentence",
        parser="lalr",
        lexer=_WordLexer,
        transformer=_SentenceReader(),
    )
