"""Both ends of a connection, resolved."""

from dataclasses import dataclass

from handlers.model.connection import Connection
from handlers.model.facts import Facts
from handlers.names.resolve import End, Resolved, resolve


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of a connection as the cluster knows them."""

    source: Resolved
    destination: Resolved

    @property
    def are_clear(self) -> bool:
        """Whether both names mean exactly one thing."""
        return self.source.obstacle is None and self.destination.obstacle is None


def ends_of(connection: Connection, facts: Facts) -> Ends:
    """Resolve both ends.

    Raises:
        PartMissingError: if a part that decides a reading was not read.
    """
    port, protocol = connection.port, connection.protocol
    return Ends(
        resolve(connection.source, facts, End.SOURCE, port, protocol),
        resolve(connection.destination, facts, End.DESTINATION, port, protocol),
    )
