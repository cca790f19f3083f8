"""What a question is about, as types: a probe answers every question that has what it judges, whatever command asks."""

from dataclasses import dataclass

from handlers.model.connection import Connection


@dataclass(frozen=True, slots=True)
class AboutConnection:
    """A question that has a connection: who talks to whom, on which port."""

    connection: Connection


@dataclass(frozen=True, slots=True)
class AboutNodes:
    """A question that has nodes: one by its name, or every node where ``node`` is None."""

    node: str | None = None
