"""The roles grant what is read and no more; with any right taken away the gap is named, and nothing turns open."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.report import Expected, Report
from handlers.model.snapshot import Gap, Missing
from tests.cluster.fake_api import Kind
from tests.cluster.lab import Lab, lab
from tests.cluster.platforms import PLATFORMS, SYSTEM, brought_up
from tests.cluster.roles import Granted, allows, granted
from tests.sources.asking import every_ask
from workers.doctor.cluster import cluster_checks
from workers.doctor.rights import rights_used
from workers.runner import run
from workers.sources.assemble.resources import every_kind
from workers.sources.hubble_connection import HubbleAccess

BLOCKED = ("02-ingress-default-deny", "why shop/loadgen shop/cart 8080")
QUESTIONS = (BLOCKED[1], "health", "drops shop", "endpoint shop/cart", "service shop/cart", "policies shop/cart")

DECIDES = {"list ciliumnetworkpolicies cilium.io", "list pods", "create pods/exec", "list ciliumendpoints cilium.io"}
"""Rights that are taken away in every run; the others in the thorough one."""
TAKEN = [
    pytest.param(right, id=str(right), marks=() if str(right) in DECIDES else pytest.mark.thorough)
    for right in granted()
]


def restrict(cluster: Lab, rights: Collection[Granted]) -> None:
    cluster.api.allows = partial(allows, rights)


def ask(cluster: Lab, question: str) -> Report:
    source = cluster.source()
    try:
        return run(understand(question), source, budget=20.0).report
    finally:
        source.close()


def test_the_roles_grant_what_is_asked_for_and_no_more() -> None:
    used = rights_used("kube-system", secret_in=SYSTEM, watches=True)
    assert {Granted(one.verb, one.group, one.resource, one.namespace, one.name) for one in used} == set(granted())


def test_with_exactly_these_rights_everything_is_read(tmp_path: Path) -> None:
    with lab("01-baseline", tmp_path) as cluster:
        restrict(cluster, granted())
        source = cluster.source()
        refused = [
            (ask_.part.name, found.detail)
            for ask_ in every_ask(cluster.now)
            if isinstance(found := source.read(ask_, 10.0), Missing) and found.gap is Gap.FORBIDDEN
        ]
        source.close()
        for question in QUESTIONS:
            assert not [note for note in ask(cluster, question).gaps if "not allowed" in str(note)]
    assert not refused


def test_relay_by_tls_needs_no_other_right(tmp_path: Path) -> None:
    forward = {Granted(verb, "", "pods/portforward", "kube-system") for verb in ("get", "create")}
    with brought_up(PLATFORMS["AKS with ACNS"], tmp_path) as cluster:
        restrict(cluster, {*granted(), *forward})
        cluster.api.clock = cluster.now
        source = cluster.source(hubble=HubbleAccess())
        assert {check.standing.value for check in cluster_checks(source)} == {"fine"}
        source.close()


@pytest.mark.parametrize("right", TAKEN)
def test_a_right_taken_away(right: Granted, tmp_path: Path) -> None:
    name, question = BLOCKED
    with lab(name, tmp_path) as cluster:
        for kind in every_kind():
            cluster.api.kinds.setdefault(kind.plural, Kind(kind.api_version, kind.kind, kind.namespaced))
        restrict(cluster, set(granted()) - {right})
        report = ask(cluster, question)
        cluster.api.clock = cluster.now
        source = cluster.source()
        problems = [check.said for check in cluster_checks(source) if check.standing.value == "problem"]
        source.close()
    assert report.expected is not Expected.OPEN
    # What is not missed need not be named.
    assert _essence(report) == WHOLE or right.resource in _said(report), report.headline
    assert any(f"may not {right.verb} {right.resource}" in said for said in problems) == _is_used(right, cluster)


def _is_used(right: Granted, cluster: Lab) -> bool:
    """Whether the doctor misses a right here: relay speaks plain text, nobody watches, and not every kind is served."""
    kind = cluster.api.kinds.get(right.resource.partition("/")[0])
    is_served = kind is not None and kind.api.rpartition("/")[0] == right.group
    return is_served and right.verb != "watch" and right.resource != "secrets"


def _essence(report: Report) -> tuple[Expected | None, frozenset[str]]:
    """Return the verdict, and what blocks."""
    return report.expected, frozenset(finding.code for finding in report.blockers())


WHOLE = (Expected.BLOCKED, frozenset({"POLICY_DEFAULT_DENY"}))
"""The answer with every right."""


def _said(report: Report) -> str:
    return " ".join([*(str(note) for note in report.gaps), *(str(finding.sentence) for finding in report.findings)])


OF_POLICIES = [
    row
    for row in TAKEN
    if "policies" in str(row.id) and not any(other in str(row.id) for other in ("egressgateway", "calico", "antrea"))
]
"""A policy of egress gateways stops nothing; this server has one kind of each name, and so not those of all makers."""


@pytest.mark.parametrize("right", OF_POLICIES)
def test_what_was_open_is_not_called_so_where_a_kind_of_policy_may_not_be_read(right: Granted, tmp_path: Path) -> None:
    with lab("01-baseline", tmp_path) as cluster:
        for kind in every_kind():
            cluster.api.kinds.setdefault(kind.plural, Kind(kind.api_version, kind.kind, kind.namespaced))
        restrict(cluster, set(granted()) - {right})
        report = ask(cluster, "why shop/frontend shop/cart 8080")
    assert report.expected is Expected.UNKNOWN
    assert right.resource in _said(report)
