"""A connection as people type it behind a subcommand: two ends, a port, a request, a time. No word is left over."""

from datetime import timedelta

from handlers.commands.command import NotUnderstoodError, left_over
from handlers.commands.typed_span import without_span
from handlers.model.connection import Connection
from handlers.model.endpoint import Named
from handlers.model.traffic import HttpRequest
from handlers.names.grammar import (
    NAMESPACE_FLAGS,
    End,
    Item,
    PortAsked,
    Word,
    end_of,
    is_bare_name,
    is_label,
    items,
    text_of,
    without_leads,
)

_MARKS = {"from": True, "to": False, "->": False}
"""Words that may stand before an end: whether it is the source."""


def typed_connection(text: str, usage: str) -> tuple[Connection, timedelta | None]:
    """Read two ends in any order, the port, the request and the time; ``-n NAMESPACE`` is for bare names.

    Returns the connection and how far back was asked for, None where nothing was said.

    Raises:
        NotUnderstoodError: if there are not exactly two ends, or a word is left over.
    """
    found, namespace = _without_flag(items(text))
    ends: list[End] = []
    marks: dict[bool, int] = {}
    ports: list[PortAsked] = []
    requests: list[HttpRequest] = []
    odd: list[Item] = []
    span, words = without_span(without_leads(found))
    for item in words:
        match item:
            case Word(text=word) if word.lower() in _MARKS:
                marks.setdefault(_MARKS[word.lower()], len(ends))
            case End() | Word() if len(ends) < 2 and (end := _end(item, namespace)):
                ends.append(end)
            case PortAsked() if _adds_to(ports, item):
                ports.append(item)
            case HttpRequest() if not requests:
                requests.append(item)
            case _:
                odd.append(item)
    if odd:
        raise left_over(odd, usage)
    if len(ends) != 2:
        raise NotUnderstoodError("Name two ends: who connects, and to what.", usage)
    source, destination = reversed(ends) if marks.get(True) == 1 or marks.get(False) == 0 else ends
    connection = _connection(source, destination, ports, requests[0] if requests else None, usage)
    return connection, span


def _without_flag(found: list[Item]) -> tuple[list[Item], str | None]:
    for index, item in enumerate(found[:-1]):
        match item, found[index + 1]:
            case Word(text=flag), Word(text=namespace) if flag in NAMESPACE_FLAGS and is_label(namespace.lower()):
                return found[:index] + found[index + 2 :], namespace.lower()
    return found, None


def _end(item: Item, namespace: str | None) -> End | None:
    match item:
        case End():
            return item
        case Word(text=text, port=port) if is_bare_name(item) or end_of(text):
            return End(end_of(text) or Named(namespace, text.lower()), port)
    return None


def _adds_to(ports: list[PortAsked], item: PortAsked) -> bool:
    """Whether a port says something new: a number, or the protocol beside one."""
    return not any(
        (port.port is not None and item.port is not None) or (port.protocol and item.protocol) for port in ports
    )


def _connection(
    source: End, destination: End, ports: list[PortAsked], request: HttpRequest | None, usage: str
) -> Connection:
    if source.port:
        raise NotUnderstoodError(f"{source.name} connects, so its port {text_of(source.port)} is not asked for.", usage)
    if destination.port:
        if not all(_adds_to([destination.port], port) for port in ports):
            raise left_over(ports, usage)
        ports = [destination.port, *ports]
    port = next((asked.port for asked in ports if asked.port is not None), None)
    protocol = next((asked.protocol for asked in ports if asked.protocol is not None), None)
    if protocol and protocol.is_icmp and port is not None:
        raise NotUnderstoodError(f"A ping has no port {port}.", usage)
    return Connection(source.name, destination.name, port, protocol, request)
