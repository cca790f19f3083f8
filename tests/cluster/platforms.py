"""The recorded cluster made into one of a platform: names, labels, kinds and certificates as its documents tell."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.cluster.fake_api import FakeApi, Kind
from tests.cluster.fake_hubble import FakeHubble
from tests.cluster.lab import Lab
from tests.cluster.record import record
from tests.cluster.relays import client_secret, credentials, without_alpn

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
SYSTEM = "kube-system"


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
