"""The matrix of readers, questions and forms of an answer: no name of a namespace that a reader may not read."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.finding import Hop
from handlers.model.headline import Pair
from handlers.model.ownership import Content
from handlers.model.report import Expected, Observed, Report
from handlers.rights.allowed import EVERYTHING, NOTHING, Allowed
from handlers.rights.redacted import redacted
from tests.cluster.record import FAULT_NAMES, unpacked_dump
from tests.rights.leaks import leaked, names_in, reader_of, surfaces
from tests.scenarios.truth import FOLDER, SCENARIOS
from workers.runner import run
from workers.sources.sysdump import SysdumpSource

READERS: dict[str, tuple[tuple[str, ...], Allowed]] = {
    "of shop": (("shop",), reader_of("shop")),
    "of payments": (("payments",), reader_of("payments")),
    "of monitoring": (("monitoring",), reader_of("monitoring")),
    "of shop and payments": (("shop", "payments"), reader_of("shop", "payments")),
    "of shop without its policies": (
        ("shop",),
        reader_of("shop", but=frozenset({Content.CILIUM_POLICIES, Content.NETWORK_POLICIES})),
    ),
    "whose review failed": ((), NOTHING),
}
ASKED = (
    "why shop/loadgen payments/checkout-api 443",
    "drops",
    "policies payments",
    "flows shop",
    "lint",
    "changes",
    "health",
    "nodes",
    "agent lab-node-1",
    "maps",
    "config",
    "audit",
    "talkers",
    "matrix",
    "reach payments/checkout-api",
    "identity payments/checkout-api",
    "service payments/checkout-api",
    "endpoint payments/checkout-api",
    "egress payments/fraud-worker 198.19.50.7",
    "dns payments/fraud-worker",
    "l7 shop/frontend payments/checkout-api 8443",
    "whatif label shop/redis-0 note=none",
    "check allow shop/frontend to payments/checkout-api 8443/TCP",
    "why payments/fraud-worker 198.19.50.7:443",
    "why shop/frontend chekout-api 443",
    "why shop/frontend shop/cart 8080",
)
WITHOUT_DUMP = {"32b-node-ip-blocked", "43-host-firewall-kubelet", "47-node-not-ready"}
DUMPED = tuple(name for name in FAULT_NAMES if name not in WITHOUT_DUMP)
LEAN = (ASKED[0], "drops", "policies payments", "health", "lint")
"""Those of ``make test``: a pair, lists by namespace, the whole cluster."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("moments")


@cache
def _dump(moment: str, folder: Path) -> Path:
    return FOLDER / moment / "sysdump.zip" if moment in SCENARIOS else unpacked_dump(moment, folder)


@cache
def _answer(moment: str, asked: str, folder: Path) -> Report:
    source = SysdumpSource(_dump(moment, folder))
    try:
        return run(understand(asked), source, owned=True).report
    finally:
        source.close()


def _rows() -> Iterator[object]:
    """Every moment and question for ``make laws``, one moment and the most telling questions for ``make test``."""
    for moment in (*SCENARIOS, *DUMPED):
        for asked in ASKED:
            is_lean = moment == "14-both-sides" and asked in LEAN
            marks = () if is_lean else (pytest.mark.thorough,)
            yield pytest.param(moment, asked, id=f"{moment}: {asked}", marks=marks)


@pytest.mark.parametrize(("moment", "asked"), list(_rows()))
def test_no_form_of_an_answer_holds_a_name_that_the_reader_may_not_read(moment: str, asked: str, folder: Path) -> None:
    names = names_in(_dump(moment, folder))
    report = _answer(moment, asked, folder)
    found = {
        reader: leaked(redacted(report, allowed), names.forbidden_to(namespaces))
        for reader, (namespaces, allowed) in READERS.items()
    }
    assert found == {reader: [] for reader in READERS}


def test_who_may_read_everything_sees_the_whole_answer(folder: Path) -> None:
    report = _answer("14-both-sides", ASKED[0], folder)
    assert redacted(report, EVERYTHING) == replace(report, ownership=None)


@pytest.mark.parametrize("reader", READERS)
def test_the_verdict_stays_whoever_reads_it(reader: str, folder: Path) -> None:
    report = _answer("14-both-sides", ASKED[0], folder)
    shown = redacted(report, READERS[reader][1])
    assert (shown.expected, shown.observed, shown.first_failing_hop()) == (
        Expected.BLOCKED,
        Observed.DROPPED,
        Hop.EGRESS_POLICY,
    )


def test_what_is_taken_out_is_told_by_kind_and_count(folder: Path) -> None:
    shown = redacted(_answer("14-both-sides", ASKED[0], folder), reader_of("shop"))
    blockers = [str(one.sentence) for one in shown.blockers()]
    assert blockers[1] == "1 pod and 1 policy in a namespace that you may not read"
    assert shown.headline.pair == Pair("shop/loadgen", "a pod in a namespace that you may not read", "443/TCP")
    assert shown.patches == ()
    assert shown.patch_notes == ("2 patches are not shown, for what you may not read there.",)
    assert shown.withheld[0] == "2 pods, 1 policy and 2 services in a namespace that you may not read"


def test_of_an_answer_whose_owners_nobody_worked_out_the_verdict_alone_is_left(folder: Path) -> None:
    report = replace(_answer("14-both-sides", ASKED[0], folder), ownership=None)
    names = names_in(_dump("14-both-sides", folder))
    shown = redacted(report, reader_of("shop"))
    assert leaked(shown, names.forbidden_to(())) == []
    assert shown.expected is Expected.BLOCKED


def test_who_may_read_the_pods_of_a_namespace_and_not_its_policies_sees_no_policy(folder: Path) -> None:
    shown = redacted(_answer("14-both-sides", ASKED[0], folder), READERS["of shop without its policies"][1])
    policies = frozenset({"loadgen-dns-only", "checkout-ingress"})
    assert leaked(shown, policies) == []
    assert str(shown.blockers()[0].sentence).endswith("1 policy that you may not read")


def test_names_are_found_in_every_form_of_an_answer_that_is_whole(folder: Path) -> None:
    forbidden = names_in(_dump("14-both-sides", folder)).forbidden_to(("shop",))
    assert {"payments", "checkout-api", "checkout-ingress"} < forbidden
    found = {surface for surface, _name in leaked(_answer("14-both-sides", ASKED[0], folder), forbidden)}
    assert found == {surface for surface, _text in surfaces(_answer("14-both-sides", ASKED[0], folder))}
