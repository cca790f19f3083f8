"""Cilium as platforms ship it: agents, settings, policies and relay are found without a word of configuration.

Each row makes the recorded cluster into one of a platform: names, namespaces, labels, kinds and certificates are those
that the platform's documents tell.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from handlers.catalogue import understand
from handlers.model.parts import Part
from handlers.model.report import Expected
from handlers.model.scope import Scope
from handlers.model.snapshot import Ask, Known, Missing
from tests.cluster.fake_api import FakeApi, Fault, Kind
from tests.cluster.fake_hubble import FakeHubble
from tests.cluster.lab import Lab
from tests.cluster.record import record
from tests.cluster.relays import client_secret, credentials, without_alpn
from tests.sources.asking import known, missing
from workers.runner import run
from workers.sources.hubble_connection import HubbleAccess

Object = dict[str, Any]

CILIUMS_OWN_KINDS = (
    "ciliumnetworkpolicies",
    "ciliumclusterwidenetworkpolicies",
    "ciliumendpoints",
    "ciliumidentities",
    "ciliumnodes",
    "ciliumnodeconfigs",
    "ciliumcidrgroups",
    "ciliumegressgatewaypolicies",
    "ciliumendpointslices",
)
CERTIFICATES = Path(__file__).resolve().parents[1] / "cluster" / "certificates"
SYSTEM = "kube-system"
SHOP = Scope(namespaces=("shop",))


@dataclass(frozen=True)
class Platform:
    """What a platform does its own way, and what is to be found of it."""

    agents: str | None = SYSTEM
    """The namespace of agents and settings; None: Cilium's agents do not run here."""
    agent_labels: dict[str, str] = field(default_factory=lambda: {"k8s-app": "cilium"})
    daemon_sets: tuple[str, ...] = ("cilium",)
    image: str = "quay.io/cilium/cilium:v1.19.3"
    version: str | None = "1.19.3"
    relay: str | None = SYSTEM
    relay_label: str = "k8s-app"
    relay_port: int = 80
    certificate: str | None = None
    """None: relay speaks plain text."""
    answers_alpn: bool = True
    absent: tuple[str, ...] = ()
    """Kinds that the API does not serve."""
    foreign: tuple[Kind, ...] = ()
    """Kinds of policy that are none of Cilium's, of which there is one object each."""
    says: str = ""
    """Why policies are not judged, empty where they are."""


PLATFORMS = {
    "Cilium's chart": Platform(),
    "Cilium's chart with TLS, in a namespace of its own": Platform(
        agents="cilium", relay="cilium", relay_port=443, certificate="aks"
    ),
    "AKS with ACNS": Platform(
        image="mcr.microsoft.com/containernetworking/cilium/cilium:v1.18.2-260101",
        version="1.18.2-260101",
        relay_port=443,
        certificate="aks",
    ),
    "AKS with the Retina dataplane": Platform(
        agents=None,
        daemon_sets=("retina-agent", "azure-cns"),
        relay_port=443,
        certificate="aks",
        absent=CILIUMS_OWN_KINDS,
        says="Retina's agents serve Hubble's flows",
    ),
    "GKE Dataplane V2": Platform(
        daemon_sets=("anetd",),
        image="gke.gcr.io/cilium/cilium:v1.17.9-gke.30",
        version="1.17.9-gke.30",
        relay=None,
        absent=("ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies", "ciliumendpointslices"),
    ),
    "GKE Dataplane V2 with flow observability": Platform(
        daemon_sets=("anetd",),
        image="gke.gcr.io/cilium/cilium:v1.17.9-gke.30",
        version="1.17.9-gke.30",
        relay="gke-managed-dpv2-observability",
        relay_port=443,
        certificate="gke",
        answers_alpn=False,
        absent=("ciliumnetworkpolicies",),
        foreign=(Kind("networking.gke.io/v1alpha1", "FQDNNetworkPolicy"),),
    ),
    "EKS with the Amazon VPC CNI": Platform(
        agents=None,
        daemon_sets=("aws-node", "kube-proxy"),
        relay=None,
        absent=CILIUMS_OWN_KINDS,
        says="the Amazon VPC CNI does the networking",
    ),
    "EKS Hybrid Nodes": Platform(
        image="602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/cilium/cilium:v1.18.4-1", version="1.18.4-1"
    ),
    "EKS with Cilium chained to the VPC CNI": Platform(daemon_sets=("aws-node", "cilium")),
    "OpenShift by OLM": Platform(
        agents="cilium",
        relay="cilium",
        foreign=(Kind("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", namespaced=False),),
    ),
    "Deckhouse": Platform(
        agents="d8-cni-cilium",
        agent_labels={"app": "agent", "module": "cni-cilium"},
        daemon_sets=("agent",),
        image="registry.deckhouse.io/deckhouse/ee@sha256:" + "0" * 64,
        version=None,
        relay="d8-cni-cilium",
        relay_label="app",
        relay_port=443,
        certificate="aks",
    ),
    "Huawei CCE": Platform(agent_labels={"app": "yangtse-cilium"}, daemon_sets=("yangtse-cilium",)),
    "Isovalent Enterprise": Platform(
        agents="cilium",
        relay="cilium",
        relay_port=443,
        certificate="aks",
        image="quay.io/isovalent/cilium:v1.18.3-cee.1",
        version="1.18.3-cee.1",
        foreign=(Kind("isovalent.com/v1", "IsovalentNetworkPolicy"),),
    ),
}


def objects_of(platform: Platform) -> dict[str, list[Object]]:
    found = deepcopy(record("01-baseline").objects)
    found["pods"] = list(_pods(found["pods"], platform))
    for item in found["configmaps"]:
        item["metadata"]["namespace"] = platform.agents
    if platform.agents is None:
        found["configmaps"] = []
    (service,) = (item for item in found["services"] if item["metadata"]["name"] == "hubble-relay")
    found["services"].remove(service)
    if platform.relay is not None:
        service["metadata"]["namespace"] = platform.relay
        service["spec"]["ports"] = [{"port": platform.relay_port, "targetPort": 4245, "protocol": "TCP"}]
        found["services"].append(service)
    found["daemonsets"] = [_daemon_set(name, platform) for name in platform.daemon_sets]
    if platform.certificate is not None and platform.relay is not None:
        found["secrets"] = [client_secret(platform.relay)]
    for kind in platform.foreign:
        metadata = {"name": "theirs", **({"namespace": "shop"} if kind.namespaced else {})}
        found[plural_of(kind)] = [{"metadata": metadata, "spec": {}}]
    return found


def plural_of(kind: Kind) -> str:
    return kind.kind.lower().removesuffix("y") + "ies"


def _pods(pods: list[Object], platform: Platform) -> Iterator[Object]:
    for pod in pods:
        labels = pod["metadata"]["labels"]
        if labels.get("k8s-app") == "cilium" and platform.agents is None:
            continue
        if labels.get("k8s-app") == "cilium":
            pod["metadata"] |= {"namespace": platform.agents, "labels": dict(platform.agent_labels)}
            pod["spec"]["containers"][0]["image"] = platform.image
        if labels.get("k8s-app") == "hubble-relay":
            if platform.relay is None:
                continue
            pod["metadata"] |= {"namespace": platform.relay, "labels": {platform.relay_label: "hubble-relay"}}
        yield pod


def _daemon_set(name: str, platform: Platform) -> Object:
    is_agents = name in ("cilium", "anetd", "yangtse-cilium", "agent")
    labels = platform.agent_labels if is_agents else {"k8s-app": name}
    containers = [{"name": "cilium-agent" if is_agents else name, "image": platform.image}]
    return {
        "metadata": {"name": name, "namespace": (platform.agents if is_agents else None) or SYSTEM},
        "spec": {"selector": {"matchLabels": labels}, "template": {"spec": {"containers": containers}}},
        "status": {"desiredNumberScheduled": 2, "numberReady": 2},
    }


@contextmanager
def brought_up(platform: Platform, folder: Path) -> Iterator[Lab]:
    recorded = record("01-baseline")
    with ExitStack() as stack:
        secured = credentials(platform.certificate) if platform.certificate and platform.answers_alpn else None
        hubble = stack.enter_context(FakeHubble.of(recorded, secured))
        port = hubble.port
        if platform.certificate and not platform.answers_alpn:
            port = stack.enter_context(without_alpn(platform.certificate, port))
        api = FakeApi(objects_of(platform), recorded.outputs, ("127.0.0.1", port))
        for plural in platform.absent:
            del api.kinds[plural]
        api.kinds |= {plural_of(kind): kind for kind in platform.foreign}
        stack.enter_context(api)
        newest = max(item.flow.time.seconds for item in recorded.responses)
        now = datetime.fromtimestamp(newest, UTC) + timedelta(seconds=1)
        yield Lab(recorded, api, hubble, api.kubeconfig(folder), now)


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
