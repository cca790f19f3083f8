"""A cluster read from a snapshot: its pods are to whole-cluster questions what they are to the question of two ends."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.connection.policies import policies_of
from handlers.model.decision import Verdict
from handlers.model.facts import Facts, PartMissingError
from handlers.model.parts import Part
from handlers.model.party import PartyKind
from handlers.model.scope import FlowQuery, PodQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Known, PerNode, Snapshot
from handlers.reach import cluster as whole
from handlers.reach.from_facts import cluster_of
from handlers.reach.observed import FlowFate, FlowJudge, fates, observed_flows
from handlers.reach.proposal import Proposal
from handlers.whole_cluster import CLUSTER_PARTS
from tests.knowledge.build import NOW, Cluster, ago, deny_all, shop
from tests.policy.worlds import cnp, documents

A, B = "shop/frontend-1", "shop/cart-1"
DENY_CART = deny_all("shop", "cart")


def read(cluster: Cluster) -> Facts:
    source = cluster.source()
    scope = Scope(
        all_namespaces=True,
        pods=(PodQuery(),),
        identities=(),
        flows=FlowQuery((), ago(900), NOW + timedelta(seconds=1), limit=1000),
        policy_services=True,
        named_ports=True,
    )
    parts: dict[AnyPart, Any] = {part: source.read(Ask(part, scope), 30) for part in CLUSTER_PARTS}
    agents = {node.name: source.read(Ask(Part.AGENT_ENDPOINTS, scope, node.name), 30) for node in cluster.nodes}
    parts[Part.AGENT_ENDPOINTS] = Known(PerNode(agents), NOW, "agent")
    return Facts(Snapshot(NOW, "cluster of the test", parts))


def made(facts: Facts) -> whole.Cluster:
    return cluster_of(facts, policies_of(facts))


def changed(cluster: Cluster, policy: str) -> list[FlowFate]:
    """Give what a new policy would do to the flows that were seen."""
    facts = read(cluster)
    before = made(facts)
    after = Proposal(put=tuple(documents(policy))).applied(before)
    judges = [FlowJudge(one, one.compiled()) for one in (before, after)]
    return list(fates(observed_flows(facts.flows.flows), *judges))


def audit_by_agent(cluster: Cluster, *, audit: bool) -> Cluster:
    return cluster.agent("n2", Part.AGENT_ENDPOINTS, cluster.agent_endpoints("n2", audit=audit))


@pytest.mark.parametrize(
    ("cluster", "is_cut"),
    [
        pytest.param(shop(), True, id="it-enforces"),
        pytest.param(audit_by_agent(shop(), audit=True), False, id="its-agent-says-that-it-audits"),
        pytest.param(shop().audited(A, B, 9999), False, id="its-own-verdicts-say-that-it-audits"),
        pytest.param(audit_by_agent(shop().audited(A, B, 9999), audit=False), True, id="its-agent-outranks-verdicts"),
        pytest.param(shop(policy_audit_mode="true"), False, id="every-endpoint-audits"),
    ],
)
def test_an_endpoint_that_audits_cuts_no_flow(cluster: Cluster, is_cut: bool) -> None:
    cluster.worked(A, B, 8080)
    found = [fate.is_cut for fate in changed(cluster, DENY_CART) if str(fate.flow) == f"{A} -> {B} 8080/TCP"]
    assert found == [is_cut]


def test_a_source_that_enforces_cuts_what_the_destination_only_audits() -> None:
    cluster = audit_by_agent(shop(), audit=True).worked(A, B, 8080)
    both = DENY_CART + "\n---\n" + deny_all("shop", "frontend", egress=True, name="no-way-out")
    assert [fate.is_cut for fate in changed(cluster, both) if fate.flow.traffic.port == 8080] == [True]


TO_API_SERVER = cnp("{endpointSelector: {matchLabels: {app: frontend}}, egress: [{toEntities: [kube-apiserver]}]}")
TO_REMOTE = cnp("{endpointSelector: {matchLabels: {app: frontend}}, egress: [{toEntities: [remote-node]}]}")
TO_HOST = cnp("{endpointSelector: {matchLabels: {app: frontend}}, egress: [{toEntities: [host]}]}")


@pytest.mark.parametrize("policy", [pytest.param(TO_API_SERVER, id="by-name"), pytest.param(TO_REMOTE, id="as-a-node")])
def test_the_api_server_on_another_node_is_both_in_flows(policy: str) -> None:
    cluster = shop()
    cluster.worked(A, "reserved:kube-apiserver@192.168.0.2", 6443)
    fated = changed(cluster, policy)
    assert [str(fate.flow) for fate in fated] == []
    assert [str(flow) for flow in observed_flows(cluster.flows)] == [f"{A} -> kube-apiserver 6443/TCP"]


@pytest.mark.parametrize(
    ("label", "policy", "cut"),
    [
        pytest.param("reserved:host", TO_HOST, [], id="own-node"),
        pytest.param("reserved:host", TO_REMOTE, [f"{A} -> host 10250/TCP"], id="own-node-is-no-other-node"),
        pytest.param("reserved:remote-node", TO_REMOTE, [], id="another-node"),
        pytest.param("reserved:ingress", TO_HOST, [f"{A} -> ingress 10250/TCP"], id="the-proxy-of-ingress"),
        pytest.param("reserved:unmanaged", TO_HOST, [f"{A} -> unmanaged 10250/TCP"], id="an-unmanaged-pod"),
    ],
)
def test_entities_in_flows(label: str, policy: str, cut: list[str]) -> None:
    cluster = shop()
    cluster.worked(A, f"{label}@10.0.9.9", 10250)
    assert [str(fate.flow) for fate in changed(cluster, policy) if fate.is_cut] == cut


def test_an_endpoint_without_labels_yet_is_isolated_and_not_the_world() -> None:
    cluster = shop().worked(A, "reserved:init@10.0.9.9", 8080)
    before = made(read(cluster))
    judge = FlowJudge(before, before.compiled())
    both = judge.decide(observed_flows(cluster.flows)[0])
    assert both is not None
    assert (both.ingress.subject.kind, both.verdict) == (PartyKind.INIT, Verdict.DENIED)


def test_a_pod_without_a_ciliumendpoint_is_told() -> None:
    cluster = shop().pod("shop/new-1", of="new", endpoint=False)
    assert made(read(cluster)).assumptions == (
        "1 of 4 pods have no CiliumEndpoint; their identities are computed from their labels",
    )
    assert made(read(shop())).assumptions == ()


def test_labels_are_not_computed_without_the_namespaces() -> None:
    blind = shop().without(Part.NAMESPACES)
    assert len(made(read(blind)).pods) == 3
    with pytest.raises(PartMissingError, match="namespaces"):
        made(read(blind.pod("shop/new-1", of="new", endpoint=False)))


def test_pods_of_whom_only_the_endpoint_was_read_are_the_same_to_policy() -> None:
    cluster = audit_by_agent(shop(), audit=True)
    pods = {str(pod): pod.party for pod in made(read(cluster)).pods}
    alone = {str(pod): pod.party for pod in made(read(cluster.without(Part.PODS))).pods}
    assert pods.keys() == alone.keys()
    for name, party in pods.items():
        assert (party.kind, party.labels, party.node, party.audit) == (
            alone[name].kind,
            alone[name].labels,
            alone[name].node,
            alone[name].audit,
        )


def test_a_pod_in_the_network_of_its_node_is_that_node() -> None:
    cluster = shop().pod("kube-system/agent-1", on="n2", host_network=True)
    found = next(pod for pod in made(read(cluster)).pods if pod.host_network)
    assert (found.party.kind, found.party.node) == (PartyKind.NODE, "n2")


def test_policies_compiled_for_the_snapshot_are_those_of_the_cluster_until_it_gets_others() -> None:
    facts = read(shop().policy(DENY_CART))
    cluster = made(facts)
    assert cluster.compiled() is policies_of(facts)
    assert cluster.with_manifests(()).compiled().statuses == ()
    assert replace(cluster, ready=None).compiled().statuses == policies_of(facts).statuses
