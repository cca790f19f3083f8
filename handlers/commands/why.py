"""``why A B``: can A reach B, and if not, what stops it?"""

from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Reading
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.commands.typed_connection import typed_connection
from handlers.commands.why_conclusion import conclude
from handlers.connection.scope import connection_scope
from handlers.model.facts import Facts
from handlers.model.question import AboutConnection
from handlers.model.scope import Scope
from handlers.sentence.connections import connections_in
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
    return Reading(tuple(Why(connection, since) for connection in found.asked), 4, found.problem)


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
    conclude=conclude,
    keep=timedelta(seconds=60),
)
