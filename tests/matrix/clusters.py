"""A small shop in short words, for the stories of these tests."""

from collections.abc import Sequence
from typing import Any

from handlers.model.party import NamedPort, Party
from handlers.policy import PolicyConfig
from handlers.reach.cluster import Cluster, ClusterPod
from tests.policy.worlds import documents, pod, surroundings

PODS = (
    pod("shop/frontend", node="n2"),
    pod("shop/cart", node="n1", ports=[NamedPort("http", 8080)]),
    pod("shop/redis", node="n1", tier="data"),
    pod("payments/ledger", node="n2"),
    pod("monitoring/prometheus", node="n2"),
)


def cluster_pod(party: Party) -> ClusterPod:
    namespace, _, name = party.name.partition("/")
    return ClusterPod(namespace, name, party)


def cluster(
    text: str = "", *, pods: Sequence[Party] = PODS, config: PolicyConfig | None = None, **around: Any
) -> Cluster:
    """Make the shop under these policies."""
    return Cluster(
        manifests=tuple(documents(text)),
        config=config or PolicyConfig(),
        surroundings=surroundings(**around),
        pods=tuple(cluster_pod(one) for one in pods),
        learnt={"203.0.113.5": ("api.example.com",)},
    )
