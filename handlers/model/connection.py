"""A connection that is asked about: two ends, and what is sent."""

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
        words = [str(self.source), str(self.destination)]
        if self.protocol and self.protocol.is_icmp:
            words.append("icmp")
        elif self.port is not None:
            words.append(f"{self.port}/{self.protocol}" if self.protocol else str(self.port))
        elif self.protocol:
            words.append(self.protocol.lower())
        if self.http:
            words += ["http", self.http.method, self.http.path]
        return " ".join(words)
