"""One asked question on its way from whoever took it to a worker, and the address to which its answer goes.

The ticket crosses the queue as JSON text; the form carries a schema number, so that a worker of another release says
what is wrong instead of guessing.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers.model.attachment import MOST_ATTACHED, Attachment
from handlers.model.wire import WireError, decode, encode

SCHEMA = 3


def new_ticket_id() -> str:
    """Return an id for a ticket: 32 hexadecimal digits, random in every bit, as the id of its trace has to be."""
    return secrets.token_hex(16)


class TicketError(ValueError):
    """The text is no ticket of this schema."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the answer goes: the name of a surface, and the place on it as that surface writes it (JSON)."""

    surface: str
    place: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dump:
    """A file in Slack that is, or may be, a dump of ``cilium sysdump``: its id, name, private address and bytes."""

    id: str
    name: str
    url: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Ticket:
    """A question, who asked it and where. ``text`` is the question in normal form, ``command`` its subcommand.

    ``cluster`` is the configured name of the cluster that the question is about; empty: that of whoever answers.
    With a ``dump`` it is about that, and about no cluster.

    Raises:
        TicketError: if the attachments are larger than ``MOST_ATTACHED`` together.
    """

    id: str
    text: str
    command: str
    fresh: bool
    address: Address
    asked_at: datetime
    attachments: tuple[Attachment, ...] = ()
    cluster: str = ""
    dump: Dump | None = None
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        """Refuse what would not fit the queue."""
        attached = sum(len(item.content.encode(errors="replace")) for item in self.attachments)
        if attached > MOST_ATTACHED:
            raise TicketError(f"{attached} bytes are attached; a question takes at most {MOST_ATTACHED}")

    @property
    def key(self) -> str:
        """What askers of the same question share. Those who want a fresh answer share among themselves."""
        asked = json.dumps(
            [self.text, self.fresh, encode(self.attachments), self.cluster, self.dump.id if self.dump else ""]
        )
        return hashlib.sha256(asked.encode()).hexdigest()[:32]

    @property
    def asking(self) -> str:
        """The question with the name of its cluster: asked so, it is about the same."""
        return f"{self.text} cluster {self.cluster}" if self.cluster else self.text

    def to_json(self) -> str:
        """Return the text that travels."""
        return json.dumps(encode(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Ticket":
        """Read a ticket.

        Raises:
            TicketError: if the text is no ticket, or one of another schema.
        """
        try:
            body = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise TicketError("a ticket must be JSON") from error
        schema = body.get("schema") if isinstance(body, dict) else None
        if schema != SCHEMA:
            raise TicketError(f"a ticket of schema {schema!r}; this release reads schema {SCHEMA}")
        try:
            ticket = decode(cls, body)
        except WireError as error:
            raise TicketError(str(error)) from error
        assert isinstance(ticket, cls)  # noqa: S101  (tells the type checker what decode promises)
        return ticket
