"""What ``why`` asks: one connection, and how far back to look."""

from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.connection.scope import connection_scope
from handlers.model.connection import Connection
from handlers.model.facts import Facts
from handlers.model.scope import Scope


@dataclass(frozen=True, slots=True)
class Why:
    """Can the source of the connection reach its destination? ``since`` is how far back flows are looked at."""

    connection: Connection
    since: timedelta = DEFAULT_SPAN

    def __str__(self) -> str:
        """Return the normal form."""
        return f"why {self.connection}" + ("" if self.since == DEFAULT_SPAN else f" since {span_in_words(self.since)}")

    def scope(self, so_far: Facts) -> Scope:
        """Return how wide to read: two namespaces, their policies, the flows and agents of the two ends."""
        return connection_scope(self.connection, self.since, so_far)
