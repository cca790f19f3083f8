"""Digests over two recorded moments of a cluster: they name the fault and nothing besides; twins take one line."""

from contextlib import AbstractContextManager, closing
from functools import cache
from pathlib import Path

import pytest

from bot.render.digest_text import plain
from handlers.digests.compare import Digest, compare
from handlers.digests.moment import Moment
from handlers.digests.scope import questions_in
from handlers.source import Source
from tests.cluster.record import unpacked_dump
from workers.digest_reports import gather
from workers.sources.sysdump import SysdumpSource

HEALTHY, LATER = "34-healthy-busy", "36f-headless-healthy"
SHORT = "services, drops, lint"

STORIES = {
    "37-label-change-identity": (
        ("drops", "ingress of shop/cart denied by CiliumNetworkPolicy shop/cart-allow-frontend"),
        ("lint", "shop/cart-allow-frontend names any:tier=web as a peer"),
    ),
}
THOROUGH = {
    "30-agent-down-node-2": (
        ("health", "Agent cilium-jlzk7 on lab-node-2 restarts again and again"),
        ("health", "While the agent of lab-node-2 is down"),
        ("health", "1 pod cannot start while the agent of lab-node-2 is down"),
        ("health", "CiliumNetworkPolicy monitoring/prometheus-lockdown"),
        ("health", "Node lab-node-2 takes no new pods"),
        ("health", "The agent of lab-node-2 refuses the health probe of lab-node-1"),
        ("lint", "monitoring/prometheus-lockdown names any:app=alertmanager as a peer"),
    ),
    "32-vxlan-blocked-one-way": (("health", "Packets from lab-node-1 to lab-node-2 are lost between the nodes"),),
    "33-coredns-down": (("health", "Service kube-system/kube-dns of the cluster's DNS has 0 ready backends"),),
    "33c-dns-upstream-timeout": (("services", "The upstream 198.18.10.53 does not answer"),),
    "35a-egress-gateway-no-node": (("drops", "NO_EGRESS_GATEWAY"),),
    "36-nodeport-etp-local": (("services", "lab-node-2 refuses clients from outside on nodePort 30876"),),
    "36b-service-selector-typo": (("services", "Service shop/catalog has 0 backends: it selects app=catalogue"),),
    "36e-nodeport-world-denied": (
        ("drops", "ingress of shop/cart denied by CiliumNetworkPolicy shop/cart-cluster-only"),
    ),
    "39-audit-mode-endpoint": (
        ("drops", "ingress of shop/catalog denied by CiliumNetworkPolicy shop/catalog-only-loadgen"),
        ("audit", "PolicyAuditMode Enabled"),
        ("audit", "passed with verdict AUDIT"),
    ),
    "40-ipam-exhausted-node-2": (("health", "Node lab-node-2 has no address left for pods"),),
    "42-kube-proxy-beside-kpr": (("health", "kube-proxy runs on lab-node-1, lab-node-2 although Cilium replaces it"),),
    "44-one-of-two-backends-denied": (
        ("drops", "ingress of shop/search-canary denied by CiliumNetworkPolicy shop/search-canary-lock"),
    ),
    "51-ipblock-only-ingress": (
        ("drops", "ingress of payments/ledger-db denied by NetworkPolicy payments/ledger-db-from-lb"),
    ),
}


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> "Moments":
    return Moments(tmp_path_factory.mktemp("dumps"))


class Moments:
    """What stood in each recording, asked once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.of = cache(self._of)

    def _of(self, name: str, words: str) -> Moment:
        dump = unpacked_dump(name, self._folder)

        def source() -> AbstractContextManager[Source]:
            return closing(SysdumpSource(dump))

        return gather(questions_in(words), source, budget=30, at_once=1)


def _told(digest: Digest, kind: str) -> list[str]:
    return [f"{change.question}: {change.sentence}" for change in digest.changes if change.kind == kind]


def _holds(digest: Digest, kind: str, story: tuple[tuple[str, str], ...]) -> None:
    told = _told(digest, kind)
    assert len(told) == len(story) == len(digest.changes), told
    for (_question, words), line in zip(story, told, strict=True):
        assert words in line


@pytest.mark.parametrize("fault", STORIES)
def test_the_fault_is_new_and_then_cleared(fault: str, moments: Moments) -> None:
    healthy, faulty = moments.of(HEALTHY, SHORT), moments.of(fault, SHORT)
    _holds(compare(healthy, faulty), "new", STORIES[fault])
    _holds(compare(faulty, healthy), "cleared", STORIES[fault])


def test_twins_take_one_line(moments: Moments) -> None:
    digest = compare(moments.of(HEALTHY, SHORT), moments.of(LATER, SHORT))
    assert plain(digest) == "Nothing changed since Sat 2026-11-21 14:40 UTC; no problem stands"


@pytest.mark.thorough
@pytest.mark.parametrize("fault", THOROUGH)
def test_every_fault_is_told_and_nothing_besides(fault: str, moments: Moments) -> None:
    healthy, faulty = moments.of(LATER, ""), moments.of(fault, "")
    _holds(compare(healthy, faulty), "new", THOROUGH[fault])
    assert not compare(faulty, faulty).changes
