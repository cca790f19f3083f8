"""A ticket crosses the queue unchanged, and says what is wrong when it cannot be read."""

import json
from dataclasses import replace

import pytest

from bot.surface import SurfaceError
from bot.surfaces.slack import address_of, where_of
from bot.ticket import SCHEMA, Address, Ticket, TicketError
from bot.where import Via, Where
from handlers.model.attachment import MOST_ATTACHED, Attachment
from tests.bot.samples import NOON

TICKET = Ticket(
    id="t1",
    text="why shop/frontend shop/cart 8080/TCP",
    command="why",
    fresh=False,
    address=Address("slack", {"channel": "C1", "placeholder_ts": "17.2"}),
    asked_at=NOON,
)


def test_a_ticket_reads_back_as_it_was_written() -> None:
    assert Ticket.from_json(TICKET.to_json()) == TICKET


@pytest.mark.parametrize(
    "where",
    [
        Where("T1", "C1", "U1", Via.MENTION, "17.1", "17.2", "https://hooks.example/1"),
        Where("T1", "C1", "U1", Via.COMMAND),
    ],
    ids=["full", "least"],
)
def test_a_place_in_slack_reads_back_from_a_ticket(where: Where) -> None:
    ticket = replace(TICKET, address=address_of(where))
    assert where_of(Ticket.from_json(ticket.to_json())) == where


def test_a_place_that_slack_does_not_know_is_refused_in_words() -> None:
    with pytest.raises(SurfaceError, match="no place in Slack"):
        where_of(TICKET)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "[" * 100_000,
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
    other = replace(TICKET, id="t2", address=Address("kept", {}))
    assert other.key == TICKET.key


def test_who_wants_a_fresh_answer_does_not_share_one_from_the_cache() -> None:
    assert replace(TICKET, fresh=True).key != TICKET.key


def test_a_question_that_no_encoding_can_hold_still_has_a_key() -> None:
    assert replace(TICKET, text="why \ud800 b").key


MANIFEST = Attachment("allow.yaml", "kind: CiliumNetworkPolicy\n")


def test_what_is_attached_travels_along() -> None:
    ticket = replace(TICKET, attachments=(MANIFEST, Attachment("deny.yaml", "…")))
    assert Ticket.from_json(ticket.to_json()) == ticket


@pytest.mark.parametrize(
    "attachments",
    [
        (MANIFEST,),
        (replace(MANIFEST, content="kind: NetworkPolicy\n"),),
        (replace(MANIFEST, name="other.yaml"),),
        (MANIFEST, MANIFEST),
    ],
    ids=["one", "another content", "another name", "two"],
)
def test_who_attaches_something_else_asks_something_else(attachments: tuple[Attachment, ...]) -> None:
    others = [(), (MANIFEST,), (replace(MANIFEST, content="kind: NetworkPolicy\n"),)]
    keys = {replace(TICKET, attachments=other).key for other in others if other != attachments}
    assert replace(TICKET, attachments=attachments).key not in keys


@pytest.mark.parametrize("letter", ["a", "ß"], ids=["one byte a letter", "two bytes a letter"])
def test_attachments_have_a_limit_in_bytes(letter: str) -> None:
    most = MOST_ATTACHED // len(letter.encode())
    assert replace(TICKET, attachments=(Attachment("a", letter * most),)).attachments
    with pytest.raises(TicketError, match=f"at most {MOST_ATTACHED}"):
        replace(TICKET, attachments=(Attachment("a", letter * most), Attachment("b", letter)))
