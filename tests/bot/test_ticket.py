"""A ticket crosses the queue unchanged, and says what is wrong when it cannot be read."""

import json
from dataclasses import replace

import pytest

from bot.ticket import SCHEMA, Surface, Ticket, TicketError, Where
from tests.bot.samples import NOON

TICKET = Ticket(
    id="t1",
    text="why shop/frontend shop/cart 8080/TCP",
    command="why",
    fresh=False,
    where=Where("T1", "C1", "U1", Surface.MENTION, "17.1", "17.2", "https://hooks.example/1"),
    asked_at=NOON,
)


@pytest.mark.parametrize("where", [TICKET.where, Where("T1", "C1", "U1", Surface.COMMAND)], ids=["full", "least"])
def test_a_ticket_reads_back_as_it_was_written(where: Where) -> None:
    ticket = replace(TICKET, where=where)
    assert Ticket.from_json(ticket.to_json()) == ticket


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "null",
        "{}",
        json.dumps({**json.loads(TICKET.to_json()), "schema": SCHEMA + 1}),
        json.dumps({**json.loads(TICKET.to_json()), "asked_at": "tomorrow"}),
        json.dumps({**json.loads(TICKET.to_json()), "surprise": 1}),
    ],
)
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(TicketError, match=r"\w+"):
        Ticket.from_json(text)


def test_askers_of_the_same_question_share_a_key_whoever_and_wherever_they_are() -> None:
    other = replace(TICKET, id="t2", where=Where("T2", "C9", "U9", Surface.COMMAND))
    assert other.key == TICKET.key


def test_who_wants_a_fresh_answer_does_not_share_one_from_the_cache() -> None:
    assert replace(TICKET, fresh=True).key != TICKET.key


def test_a_question_that_no_encoding_can_hold_still_has_a_key() -> None:
    assert replace(TICKET, text="why \ud800 b").key
