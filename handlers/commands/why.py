"""``why A B``: can A reach B, and if not, what stops it?"""

from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, NotUnderstoodError
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.commands.why_conclusion import conclude
from handlers.connection.scope import connection_scope
from handlers.model.connection import Connection
from handlers.model.endpoint import EndpointName, Named
from handlers.model.facts import Facts
from handlers.model.question import AboutConnection
from handlers.model.scope import Scope
from handlers.model.traffic import HttpRequest
from handlers.names.decorations import undecorated
from handlers.names.grammar import End, Item, Marker, PortAsked, Since, Word, end_of, items

USAGE = "why A B [PORT[/PROTO]|icmp] [http METHOD PATH] [since 15m] [fresh]"

_PLAIN_WORDS = frozenset(
    """why can't can cannot cant could couldn't does doesn't do don't is isn't are aren't was wasn't will won't the a an
    and or of on at in over via with for between talk talking speak connect connecting connection connections access
    accessing call calling get open see send sending traffic traffics port ports reachable unreachable blocked denied
    dropped dropping drop failing fails fail failed timing out timeout timeouts timed be able not no any longer anymore
    please hey hi hello what's what whats stops stop stopping prevents breaks broken how come when it pod service svc
    deployment namespace node""".split()
)
"""Words of a sentence that name no endpoint, so that what is left can be a bare name."""
_ABOUT_REACHING = frozenset(
    """why can can't cant cannot could couldn't reach reaching reachable unreachable talk connect connecting access
    blocked denied dropped does doesn't is isn't""".split()
)


@dataclass(frozen=True, slots=True)
class Why(AboutConnection):
    """Can the source of the connection reach its destination? ``since`` is how far back flows are looked at."""

    since: timedelta = DEFAULT_SPAN

    def __str__(self) -> str:
        """Return the normal form."""
        return f"why {self.connection}" + ("" if self.since == DEFAULT_SPAN else f" since {span_in_words(self.since)}")

    def scope(self, so_far: Facts) -> Scope:
        """Return how wide to read: two namespaces, their policies, the flows and agents of the two ends."""
        return connection_scope(self.connection, self.since, so_far)


def parse(text: str) -> Why:
    """Read the words after ``why``, in any order that names two ends.

    Raises:
        NotUnderstoodError: if there are not exactly two ends.
    """
    found = items(text)
    ends = _two_ends(found)
    if ends is None:
        count = sum(isinstance(item, End) for item in found)
        problem = (
            "Name two ends: who connects, and to what." if count < 2 else f"{count} ends are named; two are needed."
        )
        raise NotUnderstoodError(problem, USAGE, ("why shop/frontend shop/cart 8080",))
    return _question(found, *ends)


def phrase(sentence: str) -> Why | None:
    """Read a plain sentence, None unless it names exactly two ends and is about reaching."""
    words = {word.strip(".,?!").lower() for word in undecorated(sentence).split()}
    found = items(sentence)
    explicit = sum(isinstance(item, End) for item in found)
    entities = sum(isinstance(item, Word) and end_of(item.text) is not None for item in found)
    # In a sentence a bare word is a word: only ``shop/cart`` and its like, or an entity beside one, can be meant.
    if explicit != 2 and not (explicit == 1 and entities == 1 and words & _ABOUT_REACHING):
        return None
    ends = _two_ends(found)
    return None if ends is None else _question(found, *ends)


def _two_ends(found: list[Item]) -> tuple[End, End] | None:
    """Return source and destination: by the words before them, else by order.

    Names with a slash, a dot or a number come first; bare words and entities are taken only where those leave a gap.
    """
    places = [index for index, item in enumerate(found) if isinstance(item, End)]
    if len(places) < 2:
        bare = [index for index, item in enumerate(found) if isinstance(item, Word) and _may_be_a_name(item)]
        entities = [index for index in bare if _bare_end(found[index]) is not None and end_of(_text(found[index]))]
        for extra in (entities, bare):
            if len(places) + len(extra) == 2:
                places = sorted([*places, *extra])
                break
    if len(places) != 2:
        return None
    first, second = (_bare_end(found[index]) for index in places)
    if first is None or second is None:
        return None
    marks = [_marker_before(found, index) for index in places]
    if marks[0] is Marker.DESTINATION and marks[1] is not Marker.DESTINATION:
        return second, first
    if marks[1] is Marker.SOURCE:
        return second, first
    return first, second


def _marker_before(found: list[Item], index: int) -> Marker | None:
    """Return the marker that governs an end: the nearest one before it, with no other end between."""
    for item in reversed(found[:index]):
        if isinstance(item, Marker):
            return item
        if isinstance(item, End):
            return None
    return None


def _text(item: Item) -> str:
    return item.text if isinstance(item, Word) else ""


def _may_be_a_name(word: Word) -> bool:
    text = word.text.lower()
    return text not in _PLAIN_WORDS and text.replace("-", "").isalnum() and not text.endswith("ing")


def _bare_end(item: Item) -> End | None:
    if isinstance(item, End):
        return item
    if isinstance(item, Word):
        name: EndpointName = end_of(item.text) or Named(None, item.text.lower())
        return End(name, item.port)
    return None


def _question(found: list[Item], source: End, destination: End) -> Why:
    ports = [item for item in found if isinstance(item, PortAsked)]
    if destination.port:
        ports.append(destination.port)
    port = next((asked.port for asked in ports if asked.port is not None), None)
    protocol = next((asked.protocol for asked in ports if asked.protocol is not None), None)
    if protocol and protocol.is_icmp:
        port = None
    requests = [item for item in found if isinstance(item, HttpRequest)]
    spans = [item.span for item in found if isinstance(item, Since)]
    connection = Connection(source.name, destination.name, port, protocol, requests[0] if requests else None)
    return Why(connection, spans[0] if spans else DEFAULT_SPAN)


COMMAND = Command(
    name="why",
    usage=USAGE,
    summary="Can A reach B? The first failing hop, every other blocker, and a patch that is proven to open it.",
    examples=(
        "why shop/frontend shop/cart 8080",
        "why payments/checkout api.stripe.com:443",
        "why node/worker-1 shop/pod/cart-0 icmp",
        "why shop/frontend shop/svc/cart http GET /api/items since 1h",
    ),
    question=Why,
    parse=parse,
    phrase=phrase,
    conclude=conclude,
    keep=timedelta(seconds=60),
)
