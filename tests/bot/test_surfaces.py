"""An answer arrives at the surface that its address names; what is kept for a caller is fetched as it was given."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis

from bot.render.failure import Failure, queue_down, timeout
from bot.surface import Answer, Surface, SurfaceError, Surfaces
from bot.surfaces.kept import ADDRESS, KeptSurface, NotYetError
from bot.ticket import Address, Ticket
from handlers.model.report import FirstAnswer
from tests.bot.samples import NOON, open_and_seen

TICKET = Ticket("t1", "why a/b c/d", "why", False, ADDRESS, NOON)
ANSWER = Answer(open_and_seen(), "r1", NOON)


@pytest.fixture
def kept(redis: Redis) -> KeptSurface:
    return KeptSurface(redis)


def test_an_answer_is_fetched_as_it_was_given(kept: KeptSurface) -> None:
    kept.answer(TICKET, ANSWER)
    assert kept.fetch(TICKET.id) == ANSWER


def test_a_failure_is_fetched_as_it_was_given(kept: KeptSurface) -> None:
    failure = timeout(timedelta(seconds=40), "flows")
    kept.fail(TICKET, failure)
    assert kept.fetch(TICKET.id) == failure


def test_who_comes_too_early_hears_how_far_the_run_is(kept: KeptSurface) -> None:
    kept.progress(TICKET, "flows: 3 of 5 nodes")
    with pytest.raises(NotYetError, match="flows: 3 of 5 nodes"):
        kept.fetch(TICKET.id)


def test_progress_never_takes_the_place_of_the_answer(kept: KeptSurface) -> None:
    kept.answer(TICKET, ANSWER)
    kept.progress(TICKET, "flows: 3 of 5 nodes")
    assert kept.fetch(TICKET.id) == ANSWER


def test_a_second_answer_takes_the_place_of_the_first(kept: KeptSurface) -> None:
    kept.fail(TICKET, queue_down())
    kept.answer(TICKET, ANSWER)
    assert kept.fetch(TICKET.id) == ANSWER


def test_who_waits_has_the_answer_when_it_comes(kept: KeptSurface) -> None:
    with ThreadPoolExecutor(1) as caller:
        waiting = caller.submit(kept.wait, TICKET.id, 10)
        kept.answer(TICKET, ANSWER)
        assert waiting.result(10) == ANSWER


def test_who_waits_too_long_is_told_so(kept: KeptSurface) -> None:
    with pytest.raises(NotYetError):
        kept.wait(TICKET.id, 0)


@pytest.mark.parametrize("decode", [True, False], ids=["text", "bytes"])
def test_it_does_not_matter_whether_the_client_decodes(decode: bool, connect: Callable[[bool], Redis]) -> None:
    surface = KeptSurface(connect(decode))
    surface.answer(TICKET, ANSWER)
    assert surface.fetch(TICKET.id) == ANSWER


class Heard:
    """A surface that remembers what it was given."""

    def __init__(self) -> None:
        self.said: list[str | FirstAnswer | Answer | Failure] = []

    def progress(self, waiter: Ticket, told: str | FirstAnswer) -> bool:
        self.said.append(told)
        return True

    def answer(self, waiter: Ticket, answer: Answer) -> None:
        self.said.append(answer)

    def fail(self, waiter: Ticket, failure: Failure) -> None:
        self.said.append(failure)


def test_the_address_names_the_surface() -> None:
    heard = {"here": Heard(), "there": Heard()}
    surfaces: Surface = Surfaces(heard)
    there = replace(TICKET, address=Address("there", {}))
    surfaces.progress(there, "flows")
    surfaces.answer(there, ANSWER)
    surfaces.fail(there, queue_down())
    assert heard["there"].said == ["flows", ANSWER, queue_down()]
    assert heard["here"].said == []


def test_a_surface_of_another_release_is_no_way_to_the_asker() -> None:
    surfaces = Surfaces({})
    surfaces.progress(TICKET, "flows")
    with pytest.raises(SurfaceError, match="no surface 'kept'"):
        surfaces.answer(TICKET, ANSWER)
