"""The trial of a connection: each piece is there or names what it lacks, and nobody works it out twice."""

from typing import Any

import pytest

from handlers.catalogue import understand
from handlers.connection.trial import Trial
from handlers.model.facts import Facts, Lacking, PartMissingError, needed
from handlers.model.parts import PARTS, Part
from handlers.model.snapshot import AnyPart
from tests.knowledge.build import Cluster, deny_all, shop

QUESTION = "why shop/frontend shop/cart 80"
A, B = "shop/frontend-1", "shop/cart-1"


def trial(cluster: Cluster, question: str = QUESTION) -> Trial:
    return Trial(understand(question).question.connection, Facts(cluster.snapshot(question)))


def denied() -> Cluster:
    return shop().policy(deny_all("shop", "cart")).dropped(A, B, 8080)


LACKS: dict[str, tuple[AnyPart, tuple[str, ...]]] = {
    "without pods nothing can be told": (Part.PODS, ("ends", "stretches", "legs", "judgements", "lookups", "change")),
    "without slices the names are still clear": (Part.ENDPOINT_SLICES, ("stretches", "legs", "judgements", "change")),
    "without policies the legs are still known": (Part.POLICIES, ("judgements", "lookups", "change")),
    "without flows everything but the observation is there": (Part.FLOWS, ()),
}
PIECES = ("ends", "stretches", "legs", "judgements", "lookups", "change")


@pytest.mark.parametrize("story", LACKS)
def test_a_piece_names_the_part_that_it_lacks(story: str) -> None:
    part, lacking = LACKS[story]
    tried = trial(denied().without(part))
    pieces: dict[str, Any] = {name: getattr(tried, name) for name in PIECES}
    assert tuple(name for name in PIECES if isinstance(pieces[name], Lacking)) == lacking
    assert {pieces[name].part for name in lacking} <= {part}


def test_what_flows_showed_is_always_told_and_says_what_it_lacks() -> None:
    assert trial(denied()).observation.observed == "dropped"
    assert trial(denied().without(Part.FLOWS)).observation.detail.startswith("flows could not be read")
    assert trial(denied().without(Part.ENDPOINT_SLICES)).observation.observed == "no-data"


def test_a_needed_piece_that_is_not_there_raises_the_part() -> None:
    with pytest.raises(PartMissingError) as raised:
        needed(trial(denied().without(Part.POLICIES)).judgements)
    assert raised.value.part is Part.POLICIES


def test_whoever_tries_the_same_connection_on_the_same_facts_gets_the_same_pieces() -> None:
    first = trial(denied())
    again = Trial(first.connection, first.facts.narrowed(frozenset(PARTS)))
    assert all(getattr(first, name) is getattr(again, name) for name in PIECES)
    assert first.observation is again.observation


def test_while_a_name_is_not_clear_nothing_runs_between_the_ends() -> None:
    tried = trial(shop(), "why shop/nobody shop/cart 80")
    assert (tried.stretches, tried.legs, tried.judgements, tried.lookups) == ((), (), (), ())


def test_only_a_policy_that_selects_an_end_is_a_change() -> None:
    cluster = shop().policy(deny_all("shop", "cart"), changed=300).policy(deny_all("pay", "ledger"), changed=10)
    change = needed(trial(cluster).change)
    assert change
    assert change.policy == "NetworkPolicy/shop/deny-all"
