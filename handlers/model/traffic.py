"""What is sent: protocol, port, and the HTTP request if one was named."""

from dataclasses import dataclass
from enum import StrEnum


class Protocol(StrEnum):
    """An IP protocol that Cilium policy can name."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"
    ICMP = "ICMP"
    ICMPV6 = "ICMPv6"

    @property
    def is_icmp(self) -> bool:
        """Whether the "port" of this protocol is an ICMP type."""
        return self in (Protocol.ICMP, Protocol.ICMPV6)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request, as an L7 rule sees it.

    ``headers`` are pairs of name and value; names compare without case.
    """

    method: str
    path: str
    host: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Traffic:
    """The packets of one question.

    ``port`` is the port at the destination pod (after Service translation, which is what policy sees:
    Cilium, Documentation/security/policy/language.rst:576); for ICMP it is the ICMP type, 8 being an echo request
    (128 for ICMPv6).
    """

    protocol: Protocol
    port: int
    http: HttpRequest | None = None

    def __str__(self) -> str:
        """Write it as people do: ``8080/TCP`` or ``ICMP type 8``."""
        if self.protocol.is_icmp:
            return f"{self.protocol} type {self.port}"
        return f"{self.port}/{self.protocol}"
