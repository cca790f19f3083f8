"""What people tell the bot to do, beside what they ask of the cluster: ``/cilium report``, ``/cilium channel quiet``.

An order is declared as a command is, and carried out in the web process: nothing of it reads the cluster.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.orders.desk import Desk
from bot.render.blocks import Message
from bot.where import Where
from handlers.commands.command import Role
from handlers.model.attachment import Attachment


@dataclass(frozen=True, slots=True)
class Order:
    """One order of ``/cilium``, of a mention and of a direct conversation.

    ``parse`` reads the words after the name, and raises NotUnderstoodError; ``carry_out`` does what it made of them,
    and returns what the asker is told, None where everything is said already.
    """

    name: str
    usage: str
    summary: str
    examples: tuple[str, ...]
    parse: Callable[[str], Any]
    carry_out: Callable[[Desk, Where, Any], Message | None]
    role: Role = Role.OPERATOR
    attach: Callable[[Any, Sequence[Attachment]], Any] | None = None
    """Adds what came with the words, or raises NotUnderstoodError; None where nothing can come with them."""
