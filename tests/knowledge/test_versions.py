"""Which version judges, and what is not judged: told by agents, by relay, by who asks, or by nobody."""

from dataclasses import replace

import pytest

from handlers.catalogue import understand
from handlers.engine import answer
from handlers.model.cluster import CiliumConfig, ForeignPolicies
from handlers.model.parts import Part
from handlers.model.report import Expected
from handlers.model.snapshot import Gap, Missing
from tests.knowledge.build import Cluster
from tests.policy.worlds import cnp
from workers.collect import collect
from workers.sources.versioned import VersionedSource

QUESTION = "why shop/frontend shop/cart 80"
SELECTING = "{endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}"


def shop(config: CiliumConfig | None = None, *, foreign: ForeignPolicies | None = None) -> Cluster:
    """Two pods and a policy that lets one reach the other; relay says nothing."""
    cluster = Cluster()
    cluster.pod("shop/frontend", on="n1").pod("shop/cart", on="n2", ports=("http:80",))
    cluster.policy(cnp(SELECTING).removesuffix("---\n"))
    cluster.config = config or cluster.config
    cluster.foreign = foreign or ForeignPolicies()
    cluster.gaps[Part.RELAY] = Missing(Gap.UNREACHABLE, "relay does not answer")
    return cluster


def running(version: str | None, **nodes: str) -> CiliumConfig:
    return CiliumConfig({}, version, nodes)


@pytest.mark.parametrize(
    ("config", "expected", "said"),
    [
        pytest.param(running("1.19.6", n1="1.19.6", n2="1.19.6"), Expected.OPEN, "", id="one-version"),
        pytest.param(running("1.19.6", n2="1.18.11"), Expected.OPEN, "1.18.11 on n2", id="mixed-and-both-agree"),
        pytest.param(running("1.19.6", n2="1.21.0"), Expected.UNKNOWN, "Cilium 1.21.0", id="the-node-runs-a-newer-one"),
        pytest.param(running("1.19.6", n1="1.21.0"), Expected.OPEN, "1.21.0 on n1", id="another-node-runs-a-newer-one"),
        pytest.param(running("1.21.3"), Expected.UNKNOWN, "Cilium 1.21.3", id="newer-than-all-known"),
        pytest.param(running(None), Expected.OPEN, "version is not known", id="not-known-and-all-agree"),
        pytest.param(running("1.20.9"), Expected.OPEN, "newer than 1.20.2", id="newer-patch-release"),
        pytest.param(replace(running("1.18.11"), is_chosen=True), Expected.OPEN, "as asked", id="named-by-who-asks"),
    ],
)
def test_the_version_that_judges(config: CiliumConfig, expected: Expected, said: str) -> None:
    report = shop(config).ask(QUESTION)
    assert report.expected is expected
    told = " ".join([str(report.headline), *(f"{one.text} {' '.join(one.assumptions)}" for one in report.findings)])
    assert said in told


@pytest.mark.parametrize(
    ("version", "expected", "said"),
    [
        pytest.param("1.18.11", Expected.OPEN, "judged as Cilium 1.18.11 would", id="known"),
        pytest.param("1.21.0", Expected.UNKNOWN, "Cilium 1.21.0", id="newer-than-all-known"),
    ],
)
def test_a_named_version_holds_where_the_configuration_is_not_read(version: str, expected: Expected, said: str) -> None:
    cluster = shop().without(Part.CONFIG)
    asked = understand(QUESTION).question
    report = answer(asked, collect(asked, VersionedSource(cluster.source(), version)))
    told = " ".join([str(report.headline), *(f"{one.text} {' '.join(one.assumptions)}" for one in report.findings)])
    assert report.expected is expected
    assert said in told
    assert "cilium-config could not be read" in told
    assert "version is not known" not in told
    assert "config" in {gap.part for gap in report.gaps}


OF_SHOP, OF_FAR = (("FQDNNetworkPolicy", namespace, "a") for namespace in ("shop", "far"))
CLUSTER_WIDE = ("AdminNetworkPolicy", "", "deny-all")
ENABLED = CiliumConfig({"enable-k8s-cluster-network-policy": "true"}, "1.20.2", {})


@pytest.mark.parametrize(
    ("config", "foreign", "named"),
    [
        pytest.param(None, ForeignPolicies(), "", id="none"),
        pytest.param(None, ForeignPolicies(untold=("AdminNetworkPolicy",)), "", id="an-archive-that-keeps-no-list"),
        pytest.param(None, ForeignPolicies((CLUSTER_WIDE,)), "AdminNetworkPolicy deny-all", id="cluster-wide"),
        pytest.param(
            None, ForeignPolicies((("FQDNNetworkPolicy", "shop", "a"),)), "FQDNNetworkPolicy shop/a", id="here"
        ),
        pytest.param(None, ForeignPolicies((("FQDNNetworkPolicy", "far", "a"),)), "", id="in-another-namespace"),
        pytest.param(None, ForeignPolicies(unlisted={"X": "403"}), "X, which could not be listed (403)", id="refused"),
        pytest.param(ENABLED, ForeignPolicies(), "", id="enabled-and-there-are-none"),
        pytest.param(
            ENABLED, ForeignPolicies(untold=("ClusterNetworkPolicy",)), "ClusterNetworkPolicy", id="enabled-and-untold"
        ),
    ],
)
def test_policies_that_are_not_understood_are_named(
    config: CiliumConfig | None, foreign: ForeignPolicies, named: str
) -> None:
    report = shop(config, foreign=foreign).ask(QUESTION)
    texts = [finding.text for finding in report.findings if finding.code == "POLICY_BEYOND_KNOWLEDGE"]
    assert (report.expected is Expected.UNKNOWN, bool(texts)) == (bool(named), bool(named))
    assert all(named in text for text in texts)
