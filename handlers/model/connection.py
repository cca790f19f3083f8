"""A connection that is asked about: two ends, and what is sent."""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.model.endpoint import EndpointName
from handlers.model.traffic import HttpRequest, Protocol


@dataclass(frozen=True, slots=True)
class Connection:
    """From ``source`` to ``destination``.

    ``port`` is the port as the client dials it (a Service's port where the destination is a Service), None where the
    asker named none; ``protocol`` None means not said: TCP, unless the Service's port is of another protocol.
    """

    source: EndpointName
    destination: EndpointName
    port: int | None = None
    protocol: Protocol | None = None
    http: HttpRequest | None = None

    def __str__(self) -> str:
        """Write it so that the grammar reads an equal connection back."""
        return " ".join([str(self.source), str(self.destination), *self._traffic()])

    @property
    def in_words(self) -> str:
        """Write it with an arrow from the source to the destination."""
        return " ".join([f"{self.source} → {self.destination}", *self._traffic()])

    def _traffic(self) -> Iterator[str]:
        if self.protocol and self.protocol.is_icmp:
            yield "icmp"
        elif self.port is not None:
            yield f"{self.port}/{self.protocol}" if self.protocol else str(self.port)
        elif self.protocol:
            yield self.protocol.lower()
        if self.http:
            yield from ("http", self.http.method, self.http.path)
