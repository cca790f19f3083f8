"""The connections that a sentence is about, and whether their direction is sure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from handlers.model.connection import Connection
from handlers.model.endpoint import EndpointName, Kind, Named
from handlers.model.traffic import Protocol
from handlers.names.grammar import PortAsked, Word
from handlers.names.lexicon import Cue
from handlers.sentence.direction import Role, directed, ports_of
from handlers.sentence.tokens import Said, Token

_RELATIONS = (Cue.REQUEST, Cue.FETCH, Cue.REJECT, Cue.STATE, Cue.BETWEEN, Cue.EACH_OTHER)
_LEADS = (Cue.FROM, Cue.TO, Cue.FOR, Cue.BY, Cue.AT, Cue.AND, Cue.OF, Cue.RESPOND, Cue.FAIL)
_BEFORE_NAMES = frozenset(
    "the a an my our your this that pod service deployment app workload der die das le la el".split()
)
_BEFORE_SUBJECTS = frozenset(
    """why can can't cannot cant could couldn't does doesn't doesnt did didn't do don't has if whether should shouldn't
    will won't hey hi and when warum kann pourquoi que puede""".split()
)
_PINGS = frozenset("pings pinged pinging pingt pingen anpingen".split())


@dataclass(frozen=True, slots=True)
class Connections:
    """What may be asked. One that ``is_sure`` is the question; else the asker chooses, and ``problem`` says why."""

    asked: tuple[Connection, ...]
    is_sure: bool
    problem: str = ""


def connections_in(sentence: Said) -> Connections | None:
    """Return the connections of a sentence, None where it names no two ends."""
    places = _places(sentence)
    if len(places) < 2:
        return None
    groups = list(_groups(sentence, places))
    if len(groups) == 1 and len(places) == 2:
        groups = [[places[0]], [places[1]]]
        roles = None
    elif len(groups) == 2:
        roles = directed(sentence, groups[0][-1], groups[1][0])
    else:
        return Connections(tuple(_pairs(sentence, places)), False, f"{len(places)} ends are named; choose two of them.")
    if roles is None and not (len(sentence.ends) >= 2 or (sentence.ends and sentence.has(*_RELATIONS))):
        return None  # a word that means nothing is no name where nothing relates it to another
    if len(sentence.ends) < 2 and not _is_related(sentence):
        return None
    first, second = groups
    if roles is None:
        pairs = [(one, other, Role.SOURCE) for one in first for other in second]
        pairs += [(one, other, Role.DESTINATION) for one in first for other in second]
        if _is_positional(sentence, places):
            pairs = pairs[: len(pairs) // 2]
            roles = Role.SOURCE, Role.DESTINATION
    else:
        pairs = [(one, other, roles[0]) for one in first for other in second]
    asked: list[Connection] = []
    for one, other, role in pairs:
        source, destination = (one, other) if role is Role.SOURCE else (other, one)
        asked += _with_ports(sentence, places, source, destination)
    asked = list(dict.fromkeys(asked))
    if "nodeport" in sentence.words:
        asked = [replace(one, destination=_as_node(one.destination)) for one in asked]
    if "nodeport" in sentence.words and (of_pods := next(filter(_is_of_pods, asked), None)):
        problem = f"A nodePort is a port of the nodes: name a node or its address instead of {of_pods.destination}."
        return Connections((), False, problem)
    if sentence.namespaces:
        return Connections(tuple(asked), False, f"I do not understand “in {sentence.namespaces[0]}”.")
    if roles is None:
        return Connections(tuple(asked), False, "Who connects to whom? I can read that both ways.")
    if len(asked) > 1:
        return Connections(tuple(asked), False, f"That is {len(asked)} questions at once; choose one.")
    return Connections(tuple(asked), True)


def _pairs(sentence: Said, places: Sequence[int]) -> Iterator[Connection]:
    """Yield the connections of each two of three ends; of more, none: those are too many to choose from."""
    if len(places) > 3:
        return
    for first, second in combinations(places, 2):
        roles = directed(sentence, first, second)
        for one, other in ((first, second), (second, first)):
            if roles is None or (roles[0] is Role.SOURCE) is (one == first):
                yield from _with_ports(sentence, places, one, other)


def _is_related(sentence: Said) -> bool:
    """Whether something relates words that may be no names: a verb, an arrow, what is sent, or from and to."""
    verbs = (*_RELATIONS, Cue.RECEIVE, Cue.FAIL, Cue.RESPOND, Cue.SEVER, Cue.SENT, Cue.ANSWERED)
    tokens = sentence.tokens
    is_arrow = any(token.text in ("->", "<-") for token in tokens) or (len(tokens) > 1 and tokens[1].does(Cue.TO))
    return is_arrow or sentence.has(*verbs) or (sentence.has(Cue.FROM) and sentence.has(Cue.TO))


def _as_node(name: EndpointName) -> EndpointName:
    """Return a bare name as that of a node."""
    is_bare = isinstance(name, Named) and name.namespace is None and name.kind is None
    return Named(None, name.name, Kind.NODE) if is_bare and isinstance(name, Named) else name


def _is_of_pods(connection: Connection) -> bool:
    name = connection.destination
    return isinstance(name, Named) and name.kind is not Kind.NODE


def _places(sentence: Said) -> list[int]:
    """Return where the ends stand: names that can be nothing else, and bare words only where those leave a gap."""
    ends = list(sentence.ends)
    bare = [index for index in sentence.bare if _stands_for_an_end(sentence, index)]
    if len(ends) >= 2 or not bare:
        return ends
    lacking = 2 - len(ends)
    for chosen in (bare, [index for index in bare if _looks_like_a_name(sentence.tokens[index])]):
        if len(chosen) == lacking:
            return sorted([*ends, *chosen])
    return ends


def _stands_for_an_end(sentence: Said, index: int) -> bool:
    """Whether a bare word stands where a name does: behind a verb or a preposition, or first, before the verb."""
    if _is_property(sentence.tokens, index):
        return False
    before = [token for token in sentence.tokens[:index] if token.text.lower() not in _BEFORE_NAMES]
    if not before or _looks_like_a_name(sentence.tokens[index]):
        return True
    is_first = not any(token.is_end or token.is_bare for token in before)
    is_led = before[-1].does(*_RELATIONS, *_LEADS) or before[-1].text in ("->", "<-")
    return is_led or (is_first and (before[-1].does(Cue.PASSIVE) or before[-1].text.lower() in _BEFORE_SUBJECTS))


def _is_property(tokens: Sequence[Token], index: int) -> bool:
    """Whether a word is something of an end, as in "the latency of shop/cart", and no end that a verb reaches for."""
    is_led = index > 0 and tokens[index - 1].does(*_RELATIONS, Cue.TO, Cue.FROM)
    owner = tokens[index + 2 : index + 3]
    is_owned = tokens[index + 1 : index + 2] and tokens[index + 1].does(Cue.OF, Cue.FOR)
    return (
        bool(is_owned and owner and (owner[0].is_end or owner[0].is_bare))
        and not is_led
        and not _looks_like_a_name(tokens[index])
    )


def _looks_like_a_name(token: Token) -> bool:
    has_port = isinstance(token.item, Word) and token.item.port is not None
    return has_port or "-" in token.text or any(char.isdigit() for char in token.text)


def _groups(sentence: Said, places: Sequence[int]) -> Iterator[list[int]]:
    """Yield ends that an "and" joins together."""
    group = [places[0]]
    for before, place in pairwise(places):
        between = sentence.tokens[before + 1 : place]
        joined = any(token.does(Cue.AND) for token in between) and all(
            token.does(Cue.AND, Cue.FILLER, Cue.AT, Cue.PORT) or isinstance(token.item, PortAsked) for token in between
        )
        if joined:
            group.append(place)
        else:
            yield group
            group = [place]
    yield group


def _is_positional(sentence: Said, places: Sequence[int]) -> bool:
    """Whether nothing but two ends and what belongs to a question was said, as behind ``why``."""
    if not all(sentence.tokens[place].is_end for place in places):
        return False
    between = range(places[0] + 1, places[1])
    others = [
        token
        for index, token in enumerate(sentence.tokens)
        if index not in places and (token.item is None or token.is_bare)
    ]
    return not between and all(token.text.lower() == "why" for token in others)


def _with_ports(sentence: Said, places: Sequence[int], source: int, destination: int) -> Iterator[Connection]:
    tokens = sentence.tokens
    end = tokens[destination].end
    following = min((place for place in places if place > destination), default=len(tokens))
    near = ports_of(tokens, destination, following)
    ports = near if near and len(places) > 2 else ports_of(tokens, 0, len(tokens))
    if sentence.words & _PINGS:
        ports = [*ports, PortAsked(None, Protocol.ICMP)]
    if end.port:
        ports = [end.port, *(port for port in ports if port.port is None)]
    numbers = list(dict.fromkeys(port.port for port in ports if port.port is not None))
    protocol = next((port.protocol for port in ports if port.protocol is not None), None)
    asked_numbers: list[int | None] = [*numbers] or [None]
    for number in asked_numbers:
        own = next((port.protocol for port in ports if port.port == number and port.protocol), protocol)
        asked = None if own and own.is_icmp else number
        for request in sentence.requests or (None,):
            yield Connection(tokens[source].end.name, end.name, asked, own, request)
