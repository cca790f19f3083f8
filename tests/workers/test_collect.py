"""Gathering: in parallel, in rounds, within the budget, with a reason for all that is not there."""

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from handlers.catalogue import Catalogue
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.scope import FlowQuery, PodQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing, PerNode, Snapshot
from handlers.plan import ROUNDS
from tests.workers.canary import COMMAND, NOW, Canary, Script, catalogue_of_canary
from workers.collect import collect


def needing(*parts: AnyPart) -> Catalogue:
    return catalogue_of_canary(parts)


def test_parts_are_read_together_and_nothing_else_is() -> None:
    both = threading.Barrier(2, timeout=5)
    catalogue = needing(Part.NODES, Part.CONFIG)
    source = Script(lambda ask: (both.wait(), Known(ask.part, NOW))[1])
    snapshot = collect(Canary(), source, catalogue=catalogue)
    assert snapshot == Snapshot(
        NOW,
        "cluster of the test",
        {Part.CONFIG: Known(Part.CONFIG, NOW), Part.NODES: Known(Part.NODES, NOW)},
    )


def test_the_answers_of_nodes_are_gathered_into_one_part() -> None:
    answers: dict[str, Any] = {"a": Known("fine", NOW), "b": Missing(Gap.FORBIDDEN, "no exec")}
    catalogue = needing(Part.AGENT_STATUS)
    snapshot = collect(
        Canary(width=lambda facts: Scope(nodes=("a", "b"))),
        Script(lambda ask: answers[str(ask.node)]),
        catalogue=catalogue,
    )
    assert snapshot.parts == {Part.AGENT_STATUS: Known(PerNode(answers), NOW, "agent")}
    assert list(snapshot.gaps()) == [(Part.AGENT_STATUS, "b", answers["b"])]


def test_a_command_leaves_out_parts_that_its_probes_could_use() -> None:
    without_relay = replace(COMMAND, leave_out=frozenset({Part.RELAY}))
    catalogue = Catalogue.of([without_relay], needing(Part.NODES, Part.CONFIG, Part.RELAY).probes)
    source = Script()
    snapshot = collect(Canary(), source, catalogue=catalogue)
    assert {ask.part for ask in source.asks} == set(snapshot.parts) == {Part.NODES, Part.CONFIG}


def width_by_rounds(facts: Facts) -> Scope:
    nodes = facts.value(Part.NODES) if isinstance(facts.look(Part.NODES), Known) else None
    pods = facts.value(Part.PODS) if isinstance(facts.look(Part.PODS), Known) else None
    return Scope(
        pods=(PodQuery("shop"),) if nodes is not None else None,
        identities=(1,) if pods is not None else None,
    )


def test_what_a_round_shows_widens_the_next() -> None:
    catalogue = needing(Part.NODES, Part.PODS, Part.IDENTITIES)
    source = Script()
    snapshot = collect(Canary(width=width_by_rounds), source, catalogue=catalogue)
    assert [ask.part for ask in source.asks] == [Part.NODES, Part.PODS, Part.IDENTITIES]
    assert not list(snapshot.gaps())


def test_a_part_that_only_one_round_more_would_tell_the_width_of_is_not_read() -> None:
    chain: tuple[AnyPart, ...] = (Part.NODES, Part.PODS, Part.IDENTITIES, Part.AGENT_STATUS, Part.SERVICES, Part.FLOWS)

    def width(facts: Facts) -> Scope:
        nodes, pods, identities, status, services, _ = (isinstance(facts.look(part), Known) for part in chain)
        return Scope(
            pods=(PodQuery(),) if nodes else None,
            identities=() if pods else None,
            nodes=("a",) if identities else None,
            namespaces=("shop",) if status else None,
            flows=FlowQuery((), NOW, NOW) if services else None,
        )

    source = Script()
    snapshot = collect(Canary(width=width), source, catalogue=needing(*chain))
    assert [ask.part for ask in source.asks] == list(chain[:ROUNDS])
    assert [(part, missing.gap) for part, _, missing in snapshot.gaps()] == [(Part.FLOWS, Gap.NOT_ASKED)]


def test_a_part_whose_width_never_became_known_is_named() -> None:
    catalogue = needing(Part.NODES, Part.PODS)
    snapshot = collect(Canary(), Script(), catalogue=catalogue)
    assert isinstance(snapshot.parts[Part.NODES], Known)
    assert snapshot.parts[Part.PODS] == Missing(Gap.NOT_ASKED, "what it depends on could not be read")


def test_a_read_that_hangs_costs_no_more_than_the_budget() -> None:
    never = threading.Event()
    try:
        catalogue = needing(Part.NODES, Part.CONFIG)
        started = time.monotonic()
        source = Script(lambda ask: (never.wait() if ask.part is Part.NODES else None, Known("", NOW))[1])
        snapshot = collect(Canary(), source, budget=0.3, catalogue=catalogue)
        assert time.monotonic() - started < 1
        assert isinstance(snapshot.parts[Part.CONFIG], Known)
        missing = snapshot.parts[Part.NODES]
        assert isinstance(missing, Missing)
        assert (missing.gap, missing.detail) == (Gap.TIMEOUT, "no answer within the 0.3 s budget")
    finally:
        never.set()


def test_a_slow_read_does_not_hold_up_the_next_round() -> None:
    until_pods_are_asked = threading.Event()

    def read(ask: Ask) -> Known[object]:
        if ask.part is Part.CONFIG:
            until_pods_are_asked.wait(5)
        if ask.part is Part.PODS:
            until_pods_are_asked.set()
        return Known((), NOW)

    catalogue = needing(Part.NODES, Part.CONFIG, Part.PODS)
    snapshot = collect(Canary(width=width_by_rounds), Script(read), budget=2, catalogue=catalogue)
    assert not list(snapshot.gaps())


def test_a_source_that_raises_is_a_gap_that_names_the_error_alone() -> None:
    def read(ask: Ask) -> Known[object]:
        raise ConnectionResetError("token=hunter2")

    catalogue = needing(Part.NODES)
    snapshot = collect(Canary(), Script(read), catalogue=catalogue)
    assert snapshot.parts == {Part.NODES: Missing(Gap.FAILED, "reading it failed with ConnectionResetError")}


def test_progress_is_told_in_words() -> None:
    words: list[str] = []
    first = threading.Event()

    def read(ask: Ask) -> Known[object]:
        if ask.part is Part.CONFIG:
            first.set()
        else:
            first.wait(5)
        return Known((), NOW)

    catalogue = needing(Part.CONFIG, Part.AGENT_STATUS)
    collect(
        Canary(width=lambda facts: Scope(nodes=("a", "b"))), Script(read), progress=words.append, catalogue=catalogue
    )
    assert words == [
        "read 1 of 2 parts, waiting for agent status",
        "agent status: 1 of 2 nodes",
        "agent status: 2 of 2 nodes",
    ]


@pytest.mark.parametrize("count", [1, 40])
def test_no_reader_stays_behind(count: int) -> None:
    nodes = tuple(f"node-{number}" for number in range(count))
    catalogue = needing(Part.AGENT_STATUS)
    collect(Canary(width=lambda facts: Scope(nodes=nodes)), Script(), catalogue=catalogue)
    for thread in threading.enumerate():
        if thread.name.startswith("reader-"):
            thread.join(5)
            assert not thread.is_alive()


def test_a_glance_is_given_while_slow_reads_go_on_and_none_where_all_are_there() -> None:
    seen = threading.Event()
    glances: list[Snapshot] = []

    def look(so_far: Snapshot) -> bool:
        glances.append(so_far)
        seen.set()
        return False

    def read(ask: Ask) -> Known[Any]:
        if ask.part is Part.CONFIG:
            assert seen.wait(10)
        return Known(ask.part, NOW)

    catalogue = needing(Part.NODES, Part.CONFIG)
    snapshot = collect(Canary(), Script(read), catalogue=catalogue, glance=look, glance_after=0.05)
    assert [set(glance.parts) for glance in glances] == [{Part.NODES}]
    assert set(snapshot.parts) == {Part.NODES, Part.CONFIG}
    collect(Canary(), Script(), catalogue=catalogue, glance=look, glance_after=5)
    assert len(glances) == 1


@pytest.mark.parametrize(
    ("enough", "shown"),
    [
        pytest.param(9, [{Part.NODES}, {Part.NODES, Part.RELAY}], id="each part that comes is shown"),
        pytest.param(1, [{Part.NODES}], id="who has seen enough is shown no more"),
    ],
)
def test_a_glance_follows_each_part_until_enough_is_seen(enough: int, shown: list[set[AnyPart]]) -> None:
    glances: list[set[AnyPart]] = []
    seen = {Part.RELAY: threading.Event(), Part.CONFIG: threading.Event()}

    def look(so_far: Snapshot) -> bool:
        glances.append(set(so_far.parts))
        seen[Part.RELAY].set()
        if len(glances) >= min(enough, 2):
            seen[Part.CONFIG].set()
        return len(glances) >= enough

    def read(ask: Ask) -> Known[Any]:
        assert ask.part not in seen or seen[ask.part].wait(10)
        return Known(ask.part, NOW)

    catalogue = needing(Part.NODES, Part.RELAY, Part.CONFIG)
    collect(Canary(), Script(read), catalogue=catalogue, glance=look, glance_after=0)
    assert glances == shown
