"""What a list of flows can be narrowed to by what was sent."""

from enum import StrEnum

from handlers.flows.connections import Layer, SeenConnection
from handlers.model.traffic import Protocol

_DNS_PORT = 53


class Kind(StrEnum):
    """What flows can be narrowed to: a protocol of packets, or requests that a proxy recorded."""

    TCP = "tcp"
    UDP = "udp"
    SCTP = "sctp"
    ICMP = "icmp"
    HTTP = "http"
    DNS = "dns"

    @classmethod
    def of(cls, protocol: Protocol) -> "Kind":
        """Return the kind of a protocol."""
        return cls.ICMP if protocol.is_icmp else cls(protocol.lower())

    def is_of(self, one: SeenConnection) -> bool:
        """Whether a connection is of this kind; DNS is also what goes to its port without a record of a proxy."""
        if self is Kind.HTTP:
            return one.layer is Layer.HTTP
        if self is Kind.DNS:
            return one.layer is Layer.DNS or one.destination.port == _DNS_PORT
        if self is Kind.ICMP:
            return one.protocol is not None and one.protocol.is_icmp
        return one.protocol is not None and one.protocol.lower() == self.value
