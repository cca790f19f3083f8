"""Who is an end of flows: nodes under their own policy, hosts that are alike, identities without pods."""

from dataclasses import replace

from handlers.connection.patches import known_identities
from handlers.model.cluster import CiliumEndpoint, CiliumIdentity
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import Known, Snapshot
from handlers.policy import PolicyConfig
from handlers.reach.cluster import ClusterPod
from handlers.reach.compare import ChangeKind, compare
from handlers.reach.ends import PodEnds
from handlers.reach.state import State
from tests.knowledge.build import NOW
from tests.matrix.clusters import cluster
from tests.policy.worlds import ccnp, documents, pod

NODES_SPEAK_TO_NOBODY = ccnp("{nodeSelector: {}, egress: [{toEntities: [host]}]}")


def titles(config: PolicyConfig) -> set[str]:
    return {end.title for end in State.of(cluster(config=config, kube_apiserver=())).roster.ends}


def test_a_node_is_under_its_own_policy_towards_pods_of_other_nodes_too() -> None:
    before = cluster(config=PolicyConfig(host_firewall=True))
    after = before.with_manifests(documents(NODES_SPEAK_TO_NOBODY))
    cut = {
        (source.title, destination.title)
        for change in compare(before, after).of_kind(ChangeKind.CUT)
        for source in change.sources
        for destination in change.destinations
    }
    assert {("node n1", "shop/cart"), ("node n2", "shop/cart")} <= cut


def test_without_a_host_firewall_nodes_have_no_policy_and_hosts_are_one_end() -> None:
    before = cluster()
    assert compare(before, before.with_manifests(documents(NODES_SPEAK_TO_NOBODY))).is_nothing
    assert "host" in titles(PolicyConfig())
    assert {"host n1", "host n2"} <= titles(PolicyConfig(host_firewall=True))


def test_an_address_that_pods_have_is_nobody_outside() -> None:
    text = ccnp("{endpointSelector: {}, egress: [{toCIDR: [10.9.9.9/32]}]}")
    plain = cluster(text)
    pods = tuple(replace(pod, party=replace(pod.party, ips=("10.9.9.9",))) for pod in plain.pods[:1])
    assert "10.9.9.9/32" in {end.title for end in State.of(plain).roster.ends}
    assert "10.9.9.9/32" not in {end.title for end in State.of(replace(plain, pods=pods)).roster.ends}


def labels(namespace: str, app: str) -> tuple[str, ...]:
    return f"k8s:app={app}", f"k8s:io.kubernetes.pod.namespace={namespace}"


def test_an_identity_that_outlived_its_pods_is_nobody_and_one_out_of_reach_is_somebody() -> None:
    identities = (
        CiliumIdentity(1001, labels("shop", "cart")),
        CiliumIdentity(1002, labels("shop", "gone")),
        CiliumIdentity(1003, labels("far", "away")),
    )
    carrier = CiliumEndpoint("shop", "cart-1", 1, 1001, labels("shop", "cart"), (), None, (), "ready")
    parts = {
        Part.IDENTITIES: identities,
        Part.ALL_POLICIES: (),
        Part.CILIUM_ENDPOINTS: (carrier,),
        Part.PODS: (),
    }
    facts = Facts(Snapshot(NOW, "lab", {part: Known(value, NOW, "cluster") for part, value in parts.items()}))
    known = known_identities(facts)
    assert known is not None
    assert [(end.party.labels.find("k8s", "app").value, end.count, bool(end.pods)) for end in known.ends] == [  # type: ignore[union-attr]
        ("cart", 1, True),
        ("away", 1, False),
    ]


def test_an_end_is_named_by_its_workload_unless_policy_tells_its_pods_apart() -> None:
    pods = [
        ClusterPod("shop", f"{workload}-{number}", pod(f"shop/{workload}-{number}", app=label), workload)
        for number, (workload, label) in enumerate([("cart", "cart"), ("web", "web-a"), ("web", "web-b")])
    ]
    assert [end.title for end in PodEnds.of([[one] for one in pods]).ends] == ["shop/cart", "shop/web-1", "shop/web-2"]
