"""What traces are made of, wherever they go: nowhere, until a process is told to write them (``bot.otel``).

A span has the ticket, the stage, the kind of question and its outcome: no text of an error, and the words of a question
only where that is allowed.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Protocol

from bot.followed import ticket_followed


class Writer(Protocol):
    """Writes spans of questions, which it knows by the ids of their tickets."""

    def span(self, name: str, ticket: str) -> AbstractContextManager[None]:
        """Write the block as a span."""
        ...

    def spent(self, name: str, ticket: str, since: datetime) -> None:
        """Write a span from a moment until now."""
        ...

    def whole(self, ticket: str, since: datetime, about: Mapping[str, str]) -> None:
        """Write the span that all others of a question are in."""
        ...

    def close(self) -> None:
        """Send what is written."""
        ...


class Spans:
    """Writes spans once it is told to where; until then it does nothing."""

    def __init__(self) -> None:
        self._to: Writer | None = None
        self._with_questions = False

    def begin(self, to: Writer | None, *, with_questions: bool = False) -> None:
        """Write to there from now on. A process that forks leaves that to its children: what sends is a thread."""
        self._to = to
        self._with_questions = with_questions

    def end(self) -> None:
        """Send what is written, and write no more."""
        if self._to is not None:
            self._to.close()
            self._to = None

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Write the block as a part of the question that is followed here; outside of any it is none."""
        ticket = ticket_followed()
        if self._to is None or not ticket:
            yield
        else:
            with self._to.span(name, ticket):
                yield

    def spent(self, name: str, since: datetime) -> None:
        """Write a part of the question that is followed here, from a moment until now."""
        if self._to is not None and (ticket := ticket_followed()):
            self._to.spent(name, ticket, since)

    def whole(self, ticket: str, since: datetime, question: str, about: Mapping[str, str]) -> None:
        """Write the whole of a question that has been answered."""
        if self._to is not None:
            self._to.whole(ticket, since, {**about, **({"question": question} if self._with_questions else {})})


spans = Spans()
"""Those of this process."""
