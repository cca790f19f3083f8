"""Cilium as platforms ship it: agents, settings, policies and relay are found without a word of configuration."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.render.text import plain
from handlers.catalogue import understand
from handlers.model.parts import Part
from handlers.model.report import Expected, Observed
from handlers.model.scope import Scope
from handlers.model.snapshot import Ask, Known, Missing
from tests.cluster.fake_api import FakeApi, Fault
from tests.cluster.platforms import CILIUMS_OWN_KINDS, PLATFORMS, SYSTEM, Object, Platform, brought_up
from tests.cluster.relays import client_secret
from tests.sources.asking import known, missing
from workers.runner import run
from workers.sources.hubble_connection import HubbleAccess

CERTIFICATES = Path(__file__).resolve().parents[1] / "cluster" / "certificates"
SHOP = Scope(namespaces=("shop",))


@pytest.fixture(params=PLATFORMS)
def platform(request: pytest.FixtureRequest) -> Platform:
    return PLATFORMS[request.param]


def test_a_platform_is_found_without_configuration(platform: Platform, tmp_path: Path) -> None:
    with brought_up(platform, tmp_path) as cluster:
        source = cluster.source(hubble=HubbleAccess())
        try:
            policies: Any = source.read(Ask(Part.POLICIES, SHOP), 10.0)
            config: Any = source.read(Ask(Part.CONFIG, SHOP), 10.0)
            relay = source.read(Ask(Part.RELAY, SHOP), 10.0)
            status = source.read(Ask(Part.AGENT_STATUS, SHOP, "lab-node-1"), 10.0)
            foreign = known(source, Ask(Part.FOREIGN_POLICIES, SHOP))
            report = run(understand("why shop/frontend shop/cart 8080"), source, budget=20.0).report
        finally:
            source.close()
    assert isinstance(relay, Known if platform.relay else Missing), relay
    assert {kind for kind, _, _ in foreign.found} == {kind.kind for kind in platform.foreign}
    if platform.agents is None:
        for one in (policies, config):
            assert isinstance(one, Missing), one
            assert platform.says in one.detail
            assert "not Cilium's" in one.detail
        assert report.expected is Expected.UNKNOWN
        assert report.observed is (Observed.FORWARDED if platform.relay else Observed.NO_DATA)
        assert "not Cilium's" in plain(report)
    else:
        assert (policies.value, config.value.version) == ((), platform.version)
        assert isinstance(status, Known), status
        assert report.expected is (Expected.UNKNOWN if platform.foreign else Expected.OPEN), report.findings


SECURED = Platform(relay_port=443, certificate="aks")
"""The word behind each row is what the reason says, and what the remedy names."""
RELAYS: dict[str, tuple[Platform, Callable[[FakeApi], None], str, str]] = {
    "its certificate has expired": (
        replace(SECURED, certificate="expired"),
        lambda api: None,
        "certificate has expired",
        "hubble-generate-certs",
    ),
    "its certificate is an agent's": (
        replace(SECURED, certificate="agent"),
        lambda api: None,
        "no name of hubble-relay; it has: *.default.hubble-grpc.cilium.io",
        "HUBBLE_TLS_SERVER_NAME",
    ),
    "another CA signed it": (
        SECURED,
        lambda api: api.objects.update(secrets=[client_secret(SYSTEM, CERTIFICATES / "ca.crt")]),
        "not trusted",
        "HUBBLE_TLS_CA_CERT_FILES",
    ),
    "the secret beside it may not be read": (
        SECURED,
        lambda api: api.faults.update(secrets=Fault(status=403)),
        "get secrets kube-system/hubble-relay-client-certs is not allowed",
        'resourceNames: ["hubble-relay-client-certs"]',
    ),
    "the secret is not there": (
        SECURED,
        lambda api: api.objects.update(secrets=[]),
        "not found",
        "HUBBLE_TLS_CA_CERT_FILES",
    ),
    "its Service says TLS, and it speaks plain text": (
        replace(SECURED, certificate=None),
        lambda api: api.objects.update(secrets=[client_secret(SYSTEM)]),
        "WRONG_VERSION_NUMBER",
        "HUBBLE_SERVER",
    ),
    "two namespaces have one": (
        Platform(agents="cilium"),
        lambda api: api.objects["pods"].append(relay_in("tenant", api)),
        "several namespaces: kube-system, tenant",
        "HUBBLE_SERVER",
    ),
}


def relay_in(namespace: str, api: FakeApi) -> Object:
    (pod,) = (pod for pod in api.objects["pods"] if pod["metadata"]["labels"].get("k8s-app") == "hubble-relay")
    return {**pod, "metadata": {**pod["metadata"], "namespace": namespace}}


@pytest.mark.parametrize("row", RELAYS)
def test_a_relay_that_cannot_be_spoken_to_says_why(row: str, tmp_path: Path) -> None:
    platform, change, reason, remedy = RELAYS[row]
    with brought_up(platform, tmp_path) as cluster:
        change(cluster.api)
        source = cluster.source(hubble=HubbleAccess())
        found = missing(source, Ask(Part.RELAY, SHOP))
        source.close()
    assert reason in found.detail
    assert remedy in found.remedy


def test_a_port_of_its_own_is_tried_for_tls(tmp_path: Path) -> None:
    for platform in (Platform(relay_port=4245), Platform(relay_port=4245, certificate="aks")):
        with brought_up(platform, tmp_path) as cluster:
            source = cluster.source(hubble=HubbleAccess())
            assert known(source, Ask(Part.RELAY, SHOP)).nodes
            source.close()


def test_a_tenants_pod_that_bears_the_agents_label_is_no_agent(tmp_path: Path) -> None:
    with brought_up(
        Platform(agents=None, daemon_sets=("kindnet",), relay=None, absent=CILIUMS_OWN_KINDS), tmp_path
    ) as cluster:
        pod = next(pod for pod in cluster.api.objects["pods"] if pod["metadata"]["namespace"] == "shop")
        pod["metadata"]["labels"]["k8s-app"] = "cilium"
        source = cluster.source(hubble=HubbleAccess())
        assert "no agent of Cilium runs" in missing(source, Ask(Part.POLICIES, SHOP)).detail
        source.close()


def test_the_dns_of_openshift(tmp_path: Path) -> None:
    with brought_up(PLATFORMS["OpenShift by OLM"], tmp_path) as cluster:
        for plural in ("services", "endpointslices"):
            for item in cluster.api.objects[plural]:
                if item["metadata"]["name"].startswith("kube-dns"):
                    labels = {"dns.operator.openshift.io/owning-dns": "default", **item["metadata"]["labels"]}
                    item["metadata"] |= {"namespace": "openshift-dns", "labels": {**labels, "k8s-app": "dns-default"}}
        source = cluster.source(hubble=HubbleAccess())
        dns = known(source, Ask(Part.CLUSTER_DNS, SHOP))
        source.close()
    assert [str(service) for service in dns.services] == ["openshift-dns/kube-dns"]
    assert [part.namespace for part in dns.slices] == ["openshift-dns"]
