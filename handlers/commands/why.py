"""``why A B``: can A reach B, and if not, what stops it?"""

from dataclasses import dataclass, replace
from datetime import timedelta

from handlers.commands.command import Command, Reading
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.commands.typed_connection import typed_connection
from handlers.commands.why_conclusion import conclude
from handlers.connection.scope import connection_scope
from handlers.model.connection import Connection
from handlers.model.facts import Facts
from handlers.model.question import AboutConnection
from handlers.model.scope import Scope
from handlers.names.lexicon import Cue
from handlers.sentence.connections import connections_in
from handlers.sentence.fragment import fragment_of
from handlers.sentence.tokens import Said

USAGE = "why A B [PORT[/PROTO]|icmp] [http METHOD PATH] [since 15m] [fresh]"


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


def in_words(question: Why) -> str:
    """Return the connection with an arrow between its ends, so that nobody mistakes who sends."""
    connection = question.connection
    since = "" if question.since == DEFAULT_SPAN else f" since {span_in_words(question.since)}"
    return f"{connection.in_words}{since}"


def parse(text: str) -> Why:
    """Read the words after ``why``.

    Raises:
        NotUnderstoodError: if there are not exactly two ends, or a word is left over.
    """
    connection, span = typed_connection(text, USAGE)
    return Why(connection, span or DEFAULT_SPAN)


def phrase(sentence: Said) -> Reading | None:
    """Read a plain sentence that names two ends."""
    found = connections_in(sentence)
    if found is None:
        return None
    since = sentence.span.span if sentence.span else DEFAULT_SPAN
    # A word alone may be no name at all, where the sentence has words of another question.
    weight = 3 if len(sentence.ends) < 2 and sentence.has(*_OTHER_TOPICS) else 4
    return Reading(tuple(Why(connection, since) for connection in found.asked), weight, found.problem)


_OTHER_TOPICS = (Cue.DROPS, Cue.POLICY, Cue.IDENTITY, Cue.MATRIX)


def follow(question: Why, sentence: Said) -> Reading | None:
    """Change the port, an end, the time or the direction of the question above; an end without a role can be either."""
    fragment = fragment_of(sentence)
    if fragment is None:
        return None
    asked, since = question.connection, fragment.span.span if fragment.span else question.since
    if fragment.is_turned:
        turned = Connection(asked.destination, asked.source, protocol=asked.protocol)
        return Reading((Why(turned, since),), 4)
    port = fragment.port or (fragment.end.port if fragment.end else None)
    if port is not None:
        is_ping = port.protocol is not None and port.protocol.is_icmp
        asked = replace(asked, port=None if is_ping else port.port or asked.port, protocol=port.protocol)
    if fragment.request is not None:
        asked = replace(asked, http=fragment.request)
    if fragment.end is None:
        return Reading((Why(asked, since),), 4)
    other = fragment.end.name
    to_it, from_it = replace(asked, destination=other), replace(asked, source=other)
    if fragment.is_source is None and fragment.end.port is None:
        problem = f"Do you mean to {other}, or from it?"
        return Reading((Why(to_it, since), Why(from_it, since)), 4, problem)
    return Reading((Why(from_it if fragment.is_source else to_it, since),), 4)


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
    in_words=in_words,
    phrase=phrase,
    follow=follow,
    conclude=conclude,
    keep=timedelta(seconds=60),
)
