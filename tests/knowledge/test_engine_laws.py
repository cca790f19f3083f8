"""What the engine never does: hide a gap, hide a failure, or grow surer by knowing less."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from handlers.catalogue import CATALOGUE, Catalogue, understand
from handlers.commands.why import Why
from handlers.engine import answer
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Hop, Outcome
from handlers.model.parts import PARTS, Part
from handlers.model.report import Report
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing, PerNode, Snapshot
from handlers.plan import ROUNDS
from handlers.probes.probe import Probe
from tests.knowledge.build import Cluster, FakeSource, allow_from, codes, deny_all, shop
from tests.reading import in_words
from tests.sampling import one_in
from tests.scenarios.truth import FOLDER, SCENARIOS, Check, checks
from workers.collect import collect
from workers.sources.sysdump import SysdumpSource

A, B = "shop/frontend-1", "shop/cart-1"
QUESTION = "why shop/frontend shop/cart 80"
NO = Missing(Gap.FORBIDDEN, "it is not allowed", "Grant it.")
WHY_PARTS = sorted(CATALOGUE.wanted(understand(QUESTION).question), key=str)


class Without:
    """A source that may not read one part."""

    def __init__(self, inner: Any, part: AnyPart) -> None:
        self._inner = inner
        self._part = part
        self.title = inner.title

    def now(self) -> Any:
        return self._inner.now()

    def close(self) -> None:
        self._inner.close()

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        return NO if ask.part is self._part else self._inner.read(ask, timeout)


_OPEN = ExitStack()


@pytest.fixture(scope="module", autouse=True)
def _closed_afterwards() -> Iterator[None]:
    with _OPEN:
        yield
    dump.cache_clear()


@cache
def dump(scenario: str) -> SysdumpSource:
    return _OPEN.enter_context(closing(SysdumpSource(FOLDER / scenario / "sysdump.zip")))


FIRST = {scenario: next(checks(scenario)) for scenario in SCENARIOS}


def without(snapshot: Snapshot, part: AnyPart) -> Snapshot:
    """Return the snapshot with one part gone, on each node where it is the nodes'."""
    found = snapshot.parts.get(part)
    gone: Known[object] | Missing = NO
    if isinstance(found, Known) and isinstance(found.value, PerNode):
        gone = replace(found, value=PerNode(dict.fromkeys(found.value.nodes, NO)))
    return replace(snapshot, parts={**snapshot.parts, part: gone})


def is_surer(less: Report, whole: Report) -> bool:
    """Whether an answer from less knowledge is open where the whole was not, for a reason that flows did not give."""
    kept = [finding for finding in whole.blockers() if finding.hop not in (Hop.APPLICATION, Hop.REPLY)]
    return less.expected == "open" and whole.expected != "open" and bool(kept or whole.expected == "unknown")


@pytest.mark.parametrize(
    "check", one_in(2, [check for scenario in SCENARIOS for check in list(checks(scenario))[:2]]), ids=str
)
def test_knowing_less_never_opens_what_was_closed(check: Check) -> None:
    question = understand(check.question).question
    snapshot = collect(question, dump(check.scenario), budget=30)
    whole = answer(question, snapshot)
    for part in CATALOGUE.wanted(question):
        less = answer(question, without(snapshot, part))
        assert not is_surer(less, whole), f"without {part}: {in_words(less)}"
        assert not [finding for finding in less.findings if finding.outcome is Outcome.BROKEN], part


@pytest.mark.parametrize("check", list(FIRST.values()), ids=str)
def test_a_source_that_may_not_read_a_part_never_opens_either(check: Check) -> None:
    question = understand(check.question).question
    whole = answer(question, collect(question, dump(check.scenario), budget=30))
    for part in (Part.POLICIES, Part.ENDPOINT_SLICES, Part.PODS, Part.NODES, Part.NAMESPACES, Part.SERVICES):
        less = answer(question, collect(question, Without(dump(check.scenario), part), budget=30))
        assert not is_surer(less, whole), f"without {part}: {in_words(less)}"


@pytest.mark.parametrize(
    "part",
    [Part.NAMESPACES, Part.NODES, Part.PODS, Part.SERVICES, Part.POLICIES, Part.ENDPOINT_SLICES],
    ids=lambda part: part.name,
)
def test_a_needed_part_that_is_missing_is_named(part: AnyPart) -> None:
    report = shop().policy(allow_from("shop", "cart", "frontend", 8080)).without(part).ask(QUESTION)
    assert report.expected == "unknown"
    assert f"{part.name.replace('_', ' ')} could not be read" in " ".join(finding.text for finding in report.findings)
    assert part.name.replace("_", " ") in {gap.part for gap in report.gaps}


@pytest.mark.parametrize("part", WHY_PARTS, ids=lambda part: part.name)
def test_every_gap_that_is_met_is_told_with_its_remedy(part: AnyPart) -> None:
    cluster = shop().policy(deny_all("shop", "cart"))
    report = cluster.without(part).ask(QUESTION)
    told = {gap.part: gap for gap in report.gaps}
    name = part.name.replace("_", " ")
    if not part.is_per_node and name in told:
        assert (told[name].gap, told[name].remedy) == ("forbidden", "Grant it.")
    assert not [finding for finding in report.findings if finding.outcome is Outcome.BROKEN]


def test_a_gap_that_nobody_meets_is_not_told() -> None:
    report = shop().without(Part.NAMED_PORTS, Part.CIDR_GROUPS, Part.CILIUM_PODS, Part.AGENT_METRICS).ask(QUESTION)
    assert report.gaps == ()


EVERYTHING_ASKED = (QUESTION, "why shop/frontend api.stripe.com 443", "drops", "health", "policies shop", "identity 7")


@pytest.mark.parametrize("question", EVERYTHING_ASKED)
@pytest.mark.parametrize("gap", [Gap.FORBIDDEN, Gap.TIMEOUT, Gap.UNREACHABLE], ids=lambda gap: gap.value)
def test_nothing_readable_gives_a_plain_answer_with_remedies(question: str, gap: Gap) -> None:
    cluster = shop().without(*(part for part in PARTS if not part.is_per_node), gap=gap)
    report = cluster.ask(question)
    assert not [finding for finding in report.findings if finding.outcome in (Outcome.BROKEN, Outcome.PROBLEM)]
    assert report.expected in (None, "unknown")
    assert report.observed in (None, "no-data")
    assert "healthy" not in in_words(report)
    assert {note.remedy for note in report.gaps if note.gap == gap.value} == {"Grant it."}


@pytest.mark.parametrize("question", EVERYTHING_ASKED)
def test_an_empty_cluster_gives_a_plain_answer(question: str) -> None:
    cluster = Cluster(dns=False)
    cluster.nodes.clear()
    cluster.namespaces.clear()
    report = cluster.ask(question)
    assert in_words(report)
    assert report.expected in (None, "unknown")
    assert not [finding for finding in report.findings if finding.outcome is Outcome.BROKEN]


def with_probe(probe: Probe) -> Catalogue:
    return Catalogue.of(CATALOGUE.commands.values(), [*CATALOGUE.probes, probe])


def broken(blocking: bool, check: Any) -> Probe:
    return replace(
        CATALOGUE.probes_for(understand(QUESTION).question)[0],
        name="canary",
        healthy="The canary sings.",
        needs=(),
        uses=(),
        hop=Hop.L7,
        blocking=blocking,
        check=check,
    )


def _fails(_question: Why, _facts: Facts) -> Iterator[Finding]:
    raise ZeroDivisionError("{no} such luck")
    yield


def _fails_late(question: Why, facts: Facts) -> Iterator[Finding]:
    yield from CATALOGUE.probes_for(question)[0].check(question, facts)


def _touches(_question: Why, facts: Facts) -> Iterator[Finding]:
    facts.look(Part.FLOWS)
    yield from ()


def test_a_probe_that_fails_is_broken_and_hides_nothing() -> None:
    before = shop().policy(deny_all("shop", "cart")).ask(QUESTION)
    after = shop().policy(deny_all("shop", "cart")).ask(QUESTION, with_probe(broken(True, _fails)))
    assert sorted([*codes(before), "PROBE_BROKEN"]) == sorted(codes(after))
    assert after.expected == "blocked"


def test_a_blocking_probe_that_fails_leaves_doubt() -> None:
    report = shop().ask(QUESTION, with_probe(broken(True, _fails)))
    assert report.expected == "unknown"
    assert "the check canary failed with ZeroDivisionError" in in_words(report)


def test_a_probe_that_does_not_block_leaves_none() -> None:
    assert shop().ask(QUESTION, with_probe(broken(False, _fails))).expected == "open"


def test_a_probe_that_touches_what_it_did_not_declare_is_broken() -> None:
    report = shop().ask(QUESTION, with_probe(broken(True, _touches)))
    (finding,) = [found for found in report.findings if found.code == "PROBE_BROKEN"]
    assert "UndeclaredPartError" in finding.text


def parts_by_round(source: FakeSource, question: str) -> int:
    """Count the rounds: the asks of one round carry one and the same scope."""
    collect(understand(question).question, source, budget=30)
    return len({id(ask.scope) for ask in source.asks})


ROUND_QUESTIONS = (
    QUESTION,
    "why shop/frontend 203.0.113.9 443",
    "why shop/frontend api.stripe.com 443",
    "why frontend cart",
    "why 10.0.1.11 10.0.2.12 8080",
    "why node/n1 shop/cart",
    "why world shop/cart",
    "drops",
    "drops shop/cart",
    "policies shop/cart",
    "identity 16777217",
    "health",
)


@pytest.mark.parametrize("question", ROUND_QUESTIONS)
def test_the_rounds_are_enough(question: str) -> None:
    cluster = shop().policy(allow_from("shop", "cart", "frontend", 8080))
    assert parts_by_round(cluster.source(), question) <= ROUNDS


@pytest.mark.parametrize("question", ROUND_QUESTIONS)
def test_no_part_is_read_twice(question: str) -> None:
    source = shop().source()
    collect(understand(question).question, source, budget=30)
    asked = [(ask.part, ask.node) for ask in source.asks]
    assert len(asked) == len(set(asked))


def test_a_pair_of_namespaces_never_reads_the_others() -> None:
    source = shop().deploy("payments/ledger").source()
    collect(understand("why shop/frontend payments/ledger 80").question, source, budget=30)
    wide = [ask for ask in source.asks if ask.scope.all_namespaces]
    assert wide == []
    (services,) = [ask for ask in source.asks if ask.part is Part.SERVICES]
    assert set(services.scope.namespaces or ()) == {"shop", "payments", "kube-system"}
    (pods,) = [ask for ask in source.asks if ask.part is Part.PODS]
    assert {query.namespace for query in pods.scope.pods or ()} == {"shop", "payments", "kube-system"}


def test_flows_are_asked_for_the_two_ends_only() -> None:
    source = shop().source()
    collect(understand(QUESTION).question, source, budget=30)
    (flows,) = [ask.scope.flows for ask in source.asks if ask.part is Part.FLOWS]
    assert flows is not None
    assert all(A in (*match.source_pods, *match.destination_pods) for match in flows.any_of)


def test_only_the_agents_of_the_two_nodes_are_asked() -> None:
    cluster = shop()
    cluster.deploy("shop/far", on="n1")
    source = cluster.source()
    collect(understand("why shop/frontend shop/far 80").question, source, budget=30)
    assert {ask.node for ask in source.asks if ask.node} == {"n1"}
