"""Hubble's words for verdicts, types and protocols, and the model's; the same for jsonpb and protobuf."""

from typing import Any

from handlers.model.flow import FlowDirection, FlowType, FlowVerdict
from handlers.model.traffic import Protocol

VERDICTS = {item.value: item for item in FlowVerdict}
TYPES = {item.value: item for item in FlowType}
DIRECTIONS = {item.value: item for item in FlowDirection}

PORTED = {"TCP": Protocol.TCP, "UDP": Protocol.UDP, "SCTP": Protocol.SCTP}
"""Fields of Layer4 whose message has ports."""

ICMP = {"ICMPv4": Protocol.ICMP, "ICMPv6": Protocol.ICMPV6}
"""Fields of Layer4 whose message has a type."""


def drop_reason(name: Any, number: Any) -> str | None:
    """Return the name of a drop reason, its number where Hubble is newer than this project, None for no reason."""
    if isinstance(name, str) and name not in ("", "DROP_REASON_UNKNOWN"):
        return name
    return str(number) if isinstance(number, int) and number else None


def query_name(name: str) -> str:
    """Spell a DNS name the model's way: lower case, without the trailing dot."""
    return name.removesuffix(".").lower()
