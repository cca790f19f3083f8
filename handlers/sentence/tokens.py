"""A sentence as tokens: ends, ports and times that were understood, cues that say who is who, and what is left over."""

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from handlers.model.endpoint import KUBECTL_SHORT_NAMES, Entity, EntityName, HostName, Named
from handlers.model.traffic import HttpRequest, Protocol
from handlers.names.decorations import undecorated
from handlers.names.grammar import (
    Duration,
    End,
    Fresh,
    Item,
    PortAsked,
    Since,
    Word,
    end_of,
    is_bare_name,
    is_label,
    is_nearly_fresh,
    items,
    text_of,
)
from handlers.names.lexicon import Cue, cues_of, language_of, plain_form
from handlers.sentence.client_errors import dialled

_STATUSES = frozenset(
    {100, 101, 200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 500, 501, 502, 503, 504, 505, 511}
    | {*range(400, 419), 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499, 520, 521, 522, 523, 524, 525, 526}
)
"""HTTP's status codes (RFC 9110 and those that proxies add): numbers that people quote beside names."""
_AFTER_EVENT = re.compile(
    r"\b(?:after|following|nach|apr[eè]s|tras)\s+(?:[a-z]+\s+){0,3}"
    r"(?:upgrade|update|deploy(?:ment)?|rollout|release|restart|reboot|migration|maintenance|change)s?\b",
    re.IGNORECASE,
)
"""When it began, with no word of how far to look back."""
_MEANT = (
    (re.compile(r"\b(?:the )?(?:kube(?:rnetes)?[ -]?|k8s )?api[ -]?server\b", re.IGNORECASE), "kube-apiserver"),
    (re.compile(r"\b(?:the )?(?:kubernetes|k8s) api\b", re.IGNORECASE), "kube-apiserver"),
    (re.compile(r"\baus dem internet\b", re.IGNORECASE), "von world"),
    (re.compile(r"(?:\bthe |\bl'|\bdas |\bdem |\bel )?\b(?:public |open )?internet\b", re.IGNORECASE), "world"),
    (re.compile(r"\b(?:who|what)(?: is|'s) (?=\d{6,8}\b)", re.IGNORECASE), "identity "),
    (re.compile(r"^(?:good )?(?:morning|evening|afternoon)\b", re.IGNORECASE), "hello"),
    (re.compile(r"\bthe outside(?: world)?\b|\boutside world\b", re.IGNORECASE), "world"),
    (re.compile(r"\b(from|to|by|for) outside\b", re.IGNORECASE), r"\1 world"),
    (re.compile(r"\b(?:external|outside) (?:traffic|clients?|users?|requests?|callers?)\b", re.IGNORECASE), "world"),
    (re.compile(r"(?<!\S):(?=\d{2,5}\b)"), "port "),
    (_AFTER_EVENT, " "),
    (re.compile(r"\b(?:no|without) effect\b", re.IGNORECASE), "useless"),
    (re.compile(r"\b\d+ (\w+)/(?:s|sec|min|minute|h|hr|hour|day)\b", re.IGNORECASE), r"\1"),
    (
        re.compile(r"\bkeep(?:s|ing)? (\S+) (?:away from|out of|off of)\b", re.IGNORECASE),
        r"stop \1 from reaching",
    ),
    (re.compile(r"\b(?:the )?(?:remote|other) nodes?\b", re.IGNORECASE), "remote-node"),
    (re.compile(r"\bsince when\b", re.IGNORECASE), "when"),
    (re.compile(r"\bse (?:voit|fait) (?=refuser|rejeter|bloquer|interdire)", re.IGNORECASE), "est "),
    (re.compile(r"\bcilium[- ](agent|operator)(?:s|en)?\b", re.IGNORECASE), r"\1"),
    (re.compile(r"\bon (?:its|the|their) way to\b", re.IGNORECASE), "traffic to"),
    (re.compile(r"\bin ordnung\b", re.IGNORECASE), "gesund"),
    (re.compile(r"\beach other\b", re.IGNORECASE), "<->"),
    (re.compile(r"\b(connection|permission|access) (refused|reset|denied)(?! by\b)", re.IGNORECASE), "error"),
)
"""What people call entities, and phrases that are one word here."""
_SPAN_LEADS = frozenset("for since last past seit depuis desde hace within over".split())
_SPAN_TRAILS = frozenset({"ago", "now"})
_SINCE_EVENT = re.compile(r"\bsince (?:the|this|our|my|last) (?!hour|minute|day)\w+", re.IGNORECASE)
_LENGTHS = frozenset("after takes took every of timeout needs in than only about".split())
"""Words before a duration that is no look-back."""
_POSSESSED = re.compile(r"(?<=[\w\]])'s?(?=\s|$)")
_NO_NAMESPACES = frozenset(
    """a an the this that these those it its my your our their any some all every each other here there last first
    second one two three both general place same another new about only between terms case fact order
    total particular progress theory practice question time charge short addition""".split()
)
_TIMES = frozenset("times mal fois veces".split())
_CODES = frozenset("code exit errno error".split())
_PLURAL_STATUS = re.compile(r"[1-5]\d\ds|[1-5]xx", re.IGNORECASE)
_PORT_LEADS = frozenset("on at over via auf sur en".split())
_PORT_NAMES = frozenset({"http", "https", "grpc", "dns", "tls"})
_OF_A_PORT = frozenset({"de", "du", "del", "von", "vom"})
_AFTER_A_NAME = (Cue.FROM, Cue.TO, Cue.FOR, Cue.BY, Cue.AT, Cue.OF, Cue.IN, Cue.AND)
_NOISE = re.compile(
    r"""\d+(?:[.,]\d+)?\s?%|[<>~]?\d+(?:[.,]\d+)?(?:ms|us|µs|ns|[kmg]i?b?|x|rps|qps|mbps|gbps|st|nd|rd|th)
    |v\d+(?:\.\d+){0,3}(?:-\w+)?|\d+\.\d+(?:\.\d+)?(?:-[a-z][\w.]*)?|\d{1,3}(?:,\d{3})+|\d{1,3}/\d{1,3}|p(?:50|9\d|999)
    |\#\d+|[A-Z]{2,}-\d+|@[\w.-]+|:[a-z_+-]+:?|\[[a-zA-Z]\w*\]?|[=+|*_&/\\-]+
    |\d{4}-\d\d-\d\d[T_]\d\d:\d\d:\d\d\S*""",
    re.VERBOSE,
)
"""Percentages, latencies, sizes, versions, counts, tickets, people, log stamps: they surround a question."""
_ALPHABETIC = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Token:
    """One word or what a few words mean together. ``item`` is None for a word that is a cue or nothing."""

    text: str
    item: Item | None = None
    cues: frozenset[Cue] = frozenset()
    is_qualified: bool = False
    """Whether it is a bare word whose namespace stands elsewhere: cart in shop."""

    @property
    def is_end(self) -> bool:
        """Whether it can only be one end of a flow."""
        return isinstance(self.item, End)

    @property
    def end(self) -> End:
        """The end that it names, a bare word as one without namespace.

        Raises:
            LookupError: if it can name none.
        """
        match self.item:
            case End():
                return self.item
            case Word(text=text, port=port):
                return End(end_of(text) or Named(None, text.lower()), port)
        raise LookupError(f"{self.text} names no end")

    @property
    def is_bare(self) -> bool:
        """Whether it is a word that means nothing here, so that it can be a bare name."""
        return isinstance(self.item, Word)

    def does(self, *cues: Cue) -> bool:
        """Whether the word does one of these things."""
        return not self.cues.isdisjoint(cues)


@dataclass(frozen=True, slots=True)
class Said:
    """What was understood of a sentence, in order; ``odd`` are words that may matter and mean nothing."""

    text: str
    language: str
    tokens: tuple[Token, ...]
    namespaces: tuple[str, ...]
    odd: tuple[str, ...]

    def has(self, *cues: Cue) -> bool:
        """Whether some word does one of these things."""
        return any(token.does(*cues) for token in self.tokens)

    @property
    def words(self) -> frozenset[str]:
        """Every word, in lower case."""
        return frozenset(token.text.lower() for token in self.tokens)

    @property
    def ends(self) -> tuple[int, ...]:
        """Where names stand that can only be ends."""
        return tuple(index for index, token in enumerate(self.tokens) if token.is_end)

    @property
    def bare(self) -> tuple[int, ...]:
        """Where words stand that can be bare names."""
        return tuple(index for index, token in enumerate(self.tokens) if token.is_bare)

    @property
    def span(self) -> Since | None:
        """How far back was asked for."""
        return next((token.item for token in self.tokens if isinstance(token.item, Since)), None)

    @property
    def requests(self) -> tuple[HttpRequest, ...]:
        """The HTTP requests that were named."""
        return tuple(dict.fromkeys(token.item for token in self.tokens if isinstance(token.item, HttpRequest)))

    @property
    def is_fresh(self) -> bool:
        """Whether no cached answer is wanted."""
        return any(isinstance(token.item, Fresh) for token in self.tokens)


def sentence_of(text: str, topics: Set[str] = frozenset()) -> Said:
    """Read a text word by word; ``topics`` are words, in plain form, that say what it is about and name nothing.

    Never raises.
    """
    text = dialled(text)
    past = [found[0] for found in _SINCE_EVENT.finditer(text)]
    text = _SINCE_EVENT.sub(" ", text)
    for pattern, meant in _MEANT:
        text = pattern.sub(meant, text)
    text = undecorated(_POSSESSED.sub("", text.replace("’", "'")))
    found = items(text)
    language = language_of(item.text for item in found if isinstance(item, Word))
    odd: list[str] = past
    spoken = [item for item in found if not (isinstance(item, Word) and plain_form(item.text) in topics)]
    tokens = _with_namespaces(list(_tokens(spoken, language, odd)))
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
    if before and before.is_end and Cue.STATE in follows:
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
    if text.lower() == EntityName.WORLD or (_is_led(past) and end_of(text) and not isinstance(after, (Word, End))):
        return Token(text, End(end_of(text) or Entity(EntityName.WORLD), item.port))
    if text.isdigit() and past and past[-1].does(Cue.IDENTITY):
        return Token(text, cues=frozenset({Cue.IDENTITY}))
    if _PLURAL_STATUS.fullmatch(text):
        return Token(text, cues=frozenset({Cue.ANSWERED}))
    if _NOISE.fullmatch(text):
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


def _with_namespaces(tokens: list[Token]) -> tuple[list[Token], list[str]]:
    """Take ``in shop``, ``in the shop namespace`` and ``-n shop`` out, and give the names before them, or all, it."""
    kept: list[Token] = []
    namespaces: list[str] = []
    default = ""
    index = 0
    while index < len(tokens):
        length, namespace, is_for_all = _namespace_at(tokens, index)
        if not length:
            kept.append(tokens[index])
        elif is_for_all or not any(token.is_end or token.is_bare for token in kept):
            default = namespace
        elif (place := _named_before(kept)) is not None:
            kept[place] = _qualified(kept[place], namespace)
        elif not _is_in(kept[-1], namespace):
            namespaces.append(namespace)
        index += length or 1
    if default and not any(token.is_bare for token in kept):
        namespaces.append(default)
    return [_qualified(token, default) if default and token.is_bare else token for token in kept], namespaces


def _named_before(kept: list[Token]) -> int | None:
    """Return where the bare name is that stands last, a kind behind it let pass: the cart pod in shop."""
    last = len(kept) - 1
    if last > 0 and kept[last].text.lower() in KUBECTL_SHORT_NAMES:
        last -= 1
    return last if kept[last].is_bare else None


def _namespace_at(tokens: list[Token], index: int) -> tuple[int, str, bool]:
    """Return how many tokens from here say a namespace, which, and whether it is for all bare names."""

    def bare(offset: int) -> str:
        at = index + offset
        return tokens[at].text.lower() if at < len(tokens) and tokens[at].is_bare else ""

    def does(offset: int, cue: Cue) -> bool:
        return index + offset < len(tokens) and tokens[index + offset].does(cue)

    if does(0, Cue.FLAG) and bare(1):
        return 2, bare(1), True
    flag, _, named = tokens[index].text.partition("=")
    if named and flag in ("-n", "--namespace") and is_label(named.lower()):
        return 1, named.lower(), True
    start = 1 if does(0, Cue.IN) or does(0, Cue.OF) or does(0, Cue.FOR) else 0
    article = 1 if start + index < len(tokens) and tokens[start + index].text.lower() == "the" else 0
    named_at = start + article
    if does(named_at, Cue.NAMESPACE) and bare(named_at + 1):
        return named_at + 2, bare(named_at + 1), False
    if bare(named_at) and does(named_at + 1, Cue.NAMESPACE):
        return named_at + 2, bare(named_at), False
    if does(0, Cue.IN) and (name := bare(named_at) or _filler(tokens, index + named_at)):
        return named_at + 1, name, False
    return 0, "", False


def _filler(tokens: list[Token], at: int) -> str:
    """Return a word that means nothing elsewhere and behind "in" may be a namespace: prod, data, team."""
    token = tokens[at] if at < len(tokens) else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    leads = after is not None and (after.is_end or after.does(Cue.TO, Cue.FROM))
    # "logging" is a namespace as often as a verb.
    is_noun = token is not None and token.text.lower().endswith("ing") and token.item is None and not leads
    text = token.text.lower() if token and (token.cues == {Cue.FILLER} or is_noun) else ""
    return text if is_label(text) and not text.isdigit() and text not in _NO_NAMESPACES else ""


def _qualified(token: Token, namespace: str) -> Token:
    word = token.item
    if not isinstance(word, Word):
        return token
    return replace(token, item=End(Named(namespace, word.text.lower()), word.port), is_qualified=True)


def _is_in(token: Token, namespace: str) -> bool:
    name = token.item.name if isinstance(token.item, End) else None
    return (isinstance(name, Named) and name.namespace == namespace) or (
        isinstance(name, HostName) and name.name.endswith(f".{namespace}")
    )
