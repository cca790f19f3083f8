"""The grammar of questions: what a word can be, and what a sentence of such words says.

Two small LALR grammars (Lark). The first reads one word: ``shop/svc/cart:8080``, ``10.0.0.0/8``, ``8080/TCP``, ``15m``.
The second joins words that belong together, over their kinds: ``udp 53``, ``http GET /x``, ``since 2 hours``. No word
is lost: who reads the items decides which may be let pass.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
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
from handlers.names.lexicon import does_something, is_known
from handlers.names.spelling import nearest

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
    ?item: end | ports | http | since | FRESH -> fresh | ICMP -> icmp
         | WORD -> other | KIND -> other | METHOD -> other | HTTP -> other | PATH -> other | UNIT -> other
         | HTTP METHOD -> other
    end: END | KIND END -> kind_end | KIND WORD -> kind_word
    ports: INT -> bare_port | PORT | PROTOCOL INT -> protocol_port | INT PROTOCOL -> port_protocol
         | PROTOCOL -> protocol
    http: HTTP METHOD PATH | METHOD PATH
    since: SINCE DURATION -> ago | SINCE UNIT -> ago_unit | SINCE -> other | DURATION -> bare_duration
    %declare END INT PORT PROTOCOL HTTP METHOD PATH SINCE DURATION UNIT FRESH ICMP WORD KIND
"""


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
class Duration:
    """A span of time of which nothing says what it is for; ``text`` is how it was written."""

    span: timedelta
    text: str


@dataclass(frozen=True, slots=True)
class Fresh:
    """The asker wants no cached answer."""


Item = End | Word | PortAsked | HttpRequest | Since | Duration | Fresh

_KEYWORDS: dict[str, str] = {
    "http": "HTTP",
    "since": "SINCE",
    "last": "SINCE",
    "past": "SINCE",
    "seit": "SINCE",
    "depuis": "SINCE",
    "hace": "SINCE",
    "fresh": "FRESH",
    "--fresh": "FRESH",
    "icmp": "ICMP",
    "icmpv4": "ICMP",
    "ping": "ICMP",
}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_UNIT_WORDS = {
    word: letter
    for letter, words in {
        "s": "s sec secs second seconds sekunde sekunden seconde secondes segundo segundos",
        "m": "m min mins minute minutes minuten minuto minutos",
        "h": "h hr hrs hour hours stunde stunden heure heures hora horas",
        "d": "d day days tag tage tagen jour jours dia dias",
    }.items()
    for word in words.split()
}
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
NAMESPACE_FLAGS = ("-n", "--namespace")
"""What leads a namespace, as for kubectl."""
POLITE = frozenset("please pls plz thanks thx bitte danke merci gracias".split())
"""Words that are never names, nor part of a question."""
_LEADS = frozenset("on port at over via in the for within".split())
_LOOK_ALIKES = str.maketrans("oilsb", "01158")
LONGEST_SPAN = timedelta(days=7)
"""Longest look-back; Hubble's rings remember minutes."""


def items(text: str) -> list[Item]:
    """Return what the words of a text are, in order.

    Never raises and loses nothing: words that fit nothing come back as Word, and a text whose grammar cannot be told
    comes back as its words alone.
    """
    words = undecorated(text).split()
    try:
        return cast(list[Item], _sentence_parser().parse(cast(str, words)))  # the lexer takes words, not a text
    except LarkError:
        return [Word(word) for word in words]


def without_leads(found: list[Item]) -> list[Item]:
    """Return the items without the words that only lead others: ``on port 8080``, ``in the last hour``, ``-n shop``."""
    kept: list[Item] = []
    leads = False
    for item in reversed(found):
        is_lead = leads and isinstance(item, Word) and item.text.lower() in _LEADS
        is_flag = isinstance(item, Word) and item.text in NAMESPACE_FLAGS and bool(kept) and isinstance(kept[-1], Word)
        if not is_lead and not is_flag:
            kept.append(item)
            leads = isinstance(item, (PortAsked, Since, Duration))
    return kept[::-1]


def is_label(text: str) -> bool:
    """Whether a text can be the name of a namespace: a DNS label (RFC 1123, 2.1)."""
    return bool(_LABEL.fullmatch(text))


def is_bare_name(word: Word) -> bool:
    """Whether a word can be a name alone: no preposition or verb, no number and nothing that looks like one."""
    text = word.text.lower()
    is_plain = is_label(text) and not looks_like_a_number(text) and text not in POLITE
    return is_plain and not does_something(text) and not is_nearly_fresh(text)


def looks_like_a_number(text: str) -> bool:
    """Whether a text is a number, or one with letters that look like digits: 808O."""
    return text.lower().translate(_LOOK_ALIKES).isdigit() and any(char.isdigit() for char in text)


def is_nearly_fresh(text: str) -> bool:
    """Whether somebody meant to write ``fresh``."""
    return text != "fresh" and bool(nearest(text, ["fresh"], cutoff=0.75)) and len(text) < 7


def text_of(item: Item) -> str:
    """Return an item as it is written."""
    match item:
        case Duration(text=text):
            return text
        case Word(port=port) | End(port=port):
            name = item.text if isinstance(item, Word) else str(item.name)
            return name if port is None else f"{name}:{text_of(port)}"
        case PortAsked(port=port, protocol=protocol):
            return "/".join(str(part) for part in (port, protocol) if part is not None)
        case HttpRequest(method=method, path=path):
            return f"{method} {path}"
        case Since():
            return "since"
    return "fresh"


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
        if not is_label(first) or first.isdigit():
            raise ValueError(f"{first} is no namespace, and {first}/{name} no port")
        return End(Named(first, name))

    def kinded(self, parts: list[Token]) -> End:
        namespace, kind, name = (str(part).lower() for part in parts)
        if KUBECTL_SHORT_NAMES.get(kind, Kind.NODE) is Kind.NODE or not is_label(namespace):
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
        if name.rpartition(".")[2].isdigit():
            raise ValueError("a version or a broken address: no top level domain is a number (RFC 3696, 2)")
        return End(HostName(name))

    def place_and_port(self, parts: list[Any]) -> End:
        return End(parts[0].name, parts[1])

    def port(self, parts: list[Token | None]) -> PortAsked:
        return _port(str(parts[0]), parts[1])

    def port_after(self, parts: list[Token]) -> PortAsked:
        return _port(str(parts[1]), parts[0])

    def duration(self, parts: list[Token]) -> Duration:
        return Duration(_span(int(parts[0]), str(parts[1])), "".join(parts))

    def name(self, parts: list[Any]) -> Word:
        return Word(str(parts[0]), parts[1])


def _port(number: str, protocol: Token | None) -> PortAsked:
    if not 0 < int(number) < 65_536:
        raise ValueError(f"{number} is no port")
    return PortAsked(int(number), Protocol(protocol.upper()) if protocol else None)


def _span(count: int, unit: str) -> timedelta:
    span = timedelta(**{_UNITS[_UNIT_WORDS[unit.lower()]]: count})
    if span <= timedelta(0):
        raise ValueError("no time at all")
    return min(span, LONGEST_SPAN)


@cache
def _word_parser() -> Lark:
    return Lark(_WORD_GRAMMAR, start="word", parser="lalr", maybe_placeholders=True)


def _word(text: str) -> Item:
    if not text.isascii():
        return Word(text)  # no name of Kubernetes has such letters, and some of them look like those that have
    try:
        return _WordReader().transform(_word_parser().parse(text))  # type: ignore[no-any-return]
    except (LarkError, VisitError, ValueError):
        return Word(text)


class _WordLexer(Lexer):
    """Hands the sentence grammar its words, each with its kind."""

    def __init__(self, _conf: Any) -> None:
        pass

    def lex(self, words: Any) -> Iterator[Token]:  # type: ignore[override]  # Lark hands a custom lexer the text alone
        position = 0
        while position < len(words):
            word, after = words[position], words[position + 1 : position + 2]
            if after and word.isascii() and word.isdigit() and after[0].lower() in _UNIT_WORDS:
                yield self._spelt_out(word, after[0])
                position += 1
            else:
                yield self._token(word)
            position += 1

    def _spelt_out(self, number: str, unit: str) -> Token:
        text = f"{number} {unit}"
        try:
            return Token("DURATION", Duration(_span(int(number[:9]), unit), text))
        except ValueError:
            return Token("WORD", Word(text))

    def _token(self, word: str) -> Token:
        lower = word.lower()
        if lower in _KEYWORDS:
            return Token(_KEYWORDS[lower], Word(word))
        if word.upper() in _METHODS:
            return Token("METHOD", Word(word))
        if word.startswith("/") and word.isascii():
            return Token("PATH", Word(word))
        if lower in ("tcp", "udp", "sctp"):
            return Token("PROTOCOL", Word(word))
        if lower in KUBECTL_SHORT_NAMES and lower not in ("no", "po"):
            return Token("KIND", Word(word))
        if len(lower) > 1 and lower in _UNIT_WORDS:
            return Token("UNIT", Word(word))
        match Word(word) if "/" in word and is_known(word) else _word(word):
            case End() as end:
                return Token("END", end)
            case PortAsked(protocol=None) as port:
                return Token("INT", port)
            case PortAsked() as port:
                return Token("PORT", port)
            case Duration() as duration:
                return Token("DURATION", duration)
            case other:
                return Token("WORD", other)


class _SentenceReader(Transformer[Token, Any]):
    """From the parse of a sentence to its items."""

    def sentence(self, parts: list[Any]) -> list[Item]:
        return [item for part in parts for item in (part if isinstance(part, list) else [part])]

    def end(self, parts: list[Any]) -> Item:
        return parts[0].value  # type: ignore[no-any-return]

    def kind_end(self, parts: list[Any]) -> Item | list[Item]:
        word, end = parts[0].value, parts[1].value
        kind = KUBECTL_SHORT_NAMES[word.text.lower()]
        if isinstance(end.name, Named) and end.name.kind is None and kind is not Kind.NODE:
            return End(Named(end.name.namespace, end.name.name, kind), end.port)
        same = isinstance(end.name, Named) and end.name.kind is kind
        return end if same else [word, end]

    def kind_word(self, parts: list[Any]) -> Item | list[Item]:
        kind, word = parts[0].value, parts[1].value
        if kind.text.lower() == "node" and is_label(word.text.lower()) and not is_known(word.text):
            return End(Named(None, word.text.lower(), Kind.NODE), word.port)
        return [kind, word]

    def bare_port(self, parts: list[Any]) -> Item:
        return parts[0].value  # type: ignore[no-any-return]

    ports = bare_port
    bare_duration = bare_port

    def protocol_port(self, parts: list[Any]) -> Item:
        return PortAsked(parts[1].value.port, Protocol(parts[0].value.text.upper()))

    def port_protocol(self, parts: list[Any]) -> Item:
        return PortAsked(parts[0].value.port, Protocol(parts[1].value.text.upper()))

    def protocol(self, parts: list[Any]) -> Item:
        return PortAsked(None, Protocol(parts[0].value.text.upper()))

    def http(self, parts: list[Any]) -> Item:
        method, path = parts[-2:]
        return HttpRequest(method.value.text.upper(), path.value.text)

    def ago(self, parts: list[Any]) -> Item:
        return Since(parts[1].value.span)

    def ago_unit(self, parts: list[Any]) -> Item:
        return Since(_span(1, parts[1].value.text))

    def fresh(self, _parts: list[Any]) -> Item:
        return Fresh()

    def icmp(self, _parts: list[Any]) -> Item:
        return PortAsked(None, Protocol.ICMP)

    def other(self, parts: list[Any]) -> list[Item]:
        return [part.value for part in parts]


@cache
def _sentence_parser() -> Lark:
    return Lark(
        _SENTENCE_GRAMMAR,
        start="sentence",
        parser="lalr",
        lexer=_WordLexer,
        transformer=_SentenceReader(),
    )
