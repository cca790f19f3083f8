"""drops, policies, identity and health on small clusters."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from handlers.model.agent import (
    AddressIdentity,
    AgentIdentity,
    AgentStatus,
    Controller,
    HealthProbe,
    Metric,
    PeerNode,
    ProbeWay,
)
from handlers.model.cluster import Pod
from handlers.model.parts import PARTS, Part
from handlers.model.snapshot import AnyPart, Gap, Missing
from tests.knowledge.build import Cluster, allow_from, codes, deny_all, node, peer, shop, the
from tests.reading import in_words
from workers.status import Status, status_of

A, B = "shop/frontend-1", "shop/cart-1"
INVALID = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: bad, namespace: shop}
spec: {endpointSelector: {}, ingress: []}
"""

DROPS = {
    "a default deny is computed": (
        lambda: shop().policy(deny_all("shop", "cart")).dropped(A, B, 8080, times=3),
        "DROPS_BY_POLICY",
        "3 × shop/frontend → shop/cart on 8080/TCP: denied by NetworkPolicy shop/deny-all",
        "NetworkPolicy/shop/deny-all",
    ),
    "an explicit deny is read from the flow": (
        lambda: shop().dropped(A, B, 8080, reason="POLICY_DENY", by=("CiliumNetworkPolicy/shop/no",)),
        "DROPS_BY_POLICY",
        "denied by CiliumNetworkPolicy shop/no",
        "CiliumNetworkPolicy/shop/no",
    ),
    "a policy that is gone": (
        lambda: shop().dropped(A, B, 8080),
        "DROPS_BY_FORMER_POLICY",
        "allowed as policies are now",
        None,
    ),
    "policies that may not be read": (
        lambda: shop().policy(deny_all("shop", "cart")).without(Part.POLICIES).dropped(A, B, 8080),
        "DROPS_BY_UNKNOWN_POLICY",
        "policies could not be read",
        None,
    ),
    "no policy at all": (
        lambda: shop().dropped(A, B, 8080, reason="CT_MAP_INSERTION_FAILED"),
        "DROPS_OTHERWISE",
        "the connection tracking table is full",
        None,
    ),
    "a refused look-up": (
        lambda: shop().dns(A, "api.stripe.com", refused=True),
        "DROPS_BY_PROXY",
        "api.stripe.com",
        None,
    ),
    "a refused request": (
        lambda: shop().http(A, B, 8080, 403),
        "DROPS_BY_PROXY",
        "http://x/",
        None,
    ),
    "audit": (
        lambda: shop(policy_audit_mode="true").policy(deny_all("shop", "cart")).audited(A, B, 8080),
        "WOULD_DROP",
        "passed in audit mode, would be denied by NetworkPolicy shop/deny-all",
        "NetworkPolicy/shop/deny-all",
    ),
}


@pytest.mark.parametrize(("cluster", "code", "words", "ref"), DROPS.values(), ids=DROPS.keys())
def test_drops_are_explained(cluster: Callable[[], Cluster], code: str, words: str, ref: str | None) -> None:
    finding = the(cluster().ask("drops"), code)
    assert words in finding.text
    assert ref is None or ref in {evidence.ref for evidence in finding.evidence}


def test_each_packet_is_counted_once_and_each_cause_once() -> None:
    cluster = shop().deploy("pay/ledger", on="n2").policy(deny_all("shop", "cart"))
    cluster.dropped(A, B, 8080, times=6).dropped(A, "pay/ledger-1", 5432, reason="CT_MAP_INSERTION_FAILED", times=2)
    report = cluster.ask("drops")
    assert [finding.weight for finding in report.findings] == [6, 2]
    assert in_words(report) == "8 drops in the cluster in the last 15m; 2 causes explain 100 %"


def test_the_ports_of_one_pair_denied_by_one_policy_are_one_cause() -> None:
    cluster = shop().policy(deny_all("shop", "cart")).dropped(A, B, 8080, times=3).dropped(A, B, 9090, times=3)
    report = cluster.ask("drops")
    assert [finding.weight for finding in report.findings] == [3, 3]
    assert in_words(report) == "6 drops in the cluster in the last 15m; 1 cause explains 100 %"


def test_few_causes_that_explain_nearly_all_are_counted() -> None:
    cluster = shop().deploy("pay/ledger", on="n2").dropped(A, B, 8080, times=39).dropped(A, "pay/ledger-1", 5432)
    assert "40 drops" in in_words(cluster.ask("drops"))
    assert "1 cause explains 97 %" in in_words(cluster.ask("drops"))


def test_a_group_opens_into_its_why() -> None:
    report = shop().policy(deny_all("shop", "cart")).dropped(A, B, 8080).ask("drops")
    follow_up = report.findings[0].follow_up
    assert follow_up == "why shop/frontend shop/cart 8080/TCP"
    again = shop().policy(deny_all("shop", "cart")).dropped(A, B, 8080).ask(follow_up)
    assert again.expected == "blocked"


def test_drops_of_one_namespace_or_workload_leave_the_others_out() -> None:
    cluster = shop().deploy("pay/ledger").deploy("pay/mailer").dropped("pay/ledger-1", "pay/mailer-1", 25)
    cluster.dropped(A, B, 8080, times=2)
    assert "2 drops in shop" in in_words(cluster.ask("drops shop"))
    assert " in pay in the last" in in_words(cluster.ask("drops pay"))
    assert "1 drop" in in_words(cluster.ask("drops pay/ledger"))


def test_forwarded_flows_are_no_drops() -> None:
    assert in_words(shop().worked(A, B, 8080).ask("drops")).startswith("No drops seen")


def test_drops_without_flows_are_not_known() -> None:
    report = shop().without(Part.FLOWS).ask("drops")
    assert in_words(report).startswith("Cannot tell what is dropped")


def test_policies_of_an_endpoint() -> None:
    cluster = shop().policy(allow_from("shop", "cart", "frontend", 8080)).policy(deny_all("shop", "frontend"))
    report = cluster.ask("policies shop/cart")
    assert "1 policy concerns shop/cart" in in_words(report)
    assert "CiliumNetworkPolicy shop/allow on shop/cart" in the(report, "POLICY_DOES").text


def test_policies_of_a_namespace_name_those_that_select_nobody() -> None:
    cluster = shop().policy(deny_all("shop", "cart")).policy(deny_all("shop", "ghost", name="haunt"))
    report = cluster.ask("policies shop")
    assert "NetworkPolicy shop/haunt" in the(report, "POLICY_SELECTS_NOBODY").text


def test_a_policy_that_is_refused_stands_first() -> None:
    report = shop().policy(deny_all("shop", "cart")).policy(INVALID).ask("policies shop")
    assert report.findings[0].code == "POLICY_INVALID"
    assert "CiliumNetworkPolicy shop/bad is invalid" in in_words(report)


def test_no_policy_is_said() -> None:
    assert "No policy selects shop/cart" in in_words(shop().ask("policies shop/cart"))


@pytest.mark.parametrize("asked", ["shop/ghost", "ghosts"])
def test_policies_of_nothing_are_not_known(asked: str) -> None:
    report = shop().ask(f"policies {asked}")
    assert "NAME_UNCLEAR" in codes(report)
    assert "everything is allowed" not in in_words(report)


def test_policies_that_could_not_be_read_are_not_none() -> None:
    report = shop().without(Part.POLICIES).ask("policies shop/cart")
    assert "Cannot tell" in in_words(report)
    assert "everything is allowed" not in in_words(report)


def test_the_identity_of_an_endpoint() -> None:
    cluster = shop().pod("shop/cart-2", of="cart")
    report = cluster.ask("identity shop/deploy/cart")
    assert "app=cart" in in_words(report)
    assert "2 endpoints carry it: shop/cart-1, shop/cart-2" in the(report, "IDENTITY_CARRIERS").text


IDENTITIES = {
    "reserved": ("2", "IDENTITY_RESERVED", "reserved:world"),
    "nobody's": ("40000", "IDENTITY_UNKNOWN", "no identity 40000"),
}


@pytest.mark.parametrize(("number", "code", "words"), IDENTITIES.values(), ids=IDENTITIES.keys())
def test_an_identity_by_number(number: str, code: str, words: str) -> None:
    assert words in the(shop().ask(f"identity {number}"), code).text


def test_a_node_local_number_is_told_node_by_node() -> None:
    cluster = shop()
    cluster.agent("n1", Part.AGENT_IDENTITIES, (AgentIdentity(16_777_217, ("fqdn:api.stripe.com",)),))
    cluster.agent("n1", Part.AGENT_ADDRESSES, (AddressIdentity("203.0.113.9/32", 16_777_217),))
    cluster.agent("n2", Part.AGENT_IDENTITIES, (AgentIdentity(16_777_217, ("cidr:198.18.0.0/24",)),))
    report = cluster.ask("identity 16777217")
    said = sorted(finding.text for finding in report.findings)
    assert said[0].startswith("On n1, 16777217 is fqdn:api.stripe.com (203.0.113.9/32)")
    assert said[1].startswith("On n2, 16777217 is cidr:198.18.0.0/24")


def test_a_node_that_was_not_read_is_said_for_a_node_local_number() -> None:
    cluster = shop()
    cluster.agent("n1", Part.AGENT_IDENTITIES, (AgentIdentity(16_777_217, ("fqdn:api.stripe.com",)),))
    del cluster.of_node[Part.AGENT_IDENTITIES, "n2"]
    assert "on n2 is not known" in the(cluster.ask("identity 16777217"), "IDENTITY_NODE_UNREAD").text


def test_a_healthy_cluster() -> None:
    report = shop().ask("health")
    assert in_words(report) == "Cilium in the cluster is healthy"
    assert not report.gaps


def _deaf(cluster: Cluster) -> Cluster:
    """Let the agent of n2 not answer."""
    cluster.of_node[Part.AGENT_STATUS, "n2"] = Missing(Gap.UNREACHABLE, "the agent does not answer")
    return cluster


def _without_an_agent(seen: PeerNode) -> PeerNode:
    return replace(
        seen, probes=(HealthProbe(ProbeWay.HTTP, of_endpoint=False, error="connection refused"), *seen.probes)
    )


def _sick(**changes: object) -> AgentStatus:
    base: dict[str, object] = {
        "version": "1.19.0",
        "state": "Ok",
        "message": "",
        "components": {},
        "failing": (),
        "peers": (),
    }
    return AgentStatus(**{**base, **changes})  # type: ignore[arg-type]


def _no_agent_on_n2(cluster: Cluster) -> Cluster:
    pods = [pod for pod in cluster.cilium_pods() if pod.name != "cilium-n2"]
    cluster.cilium_pods = lambda: pods  # type: ignore[method-assign]
    return cluster


def _no_operator(cluster: Cluster) -> Cluster:
    pods: list[Pod] = [pod for pod in cluster.cilium_pods() if "operator" not in pod.name]
    cluster.cilium_pods = lambda: pods  # type: ignore[method-assign]
    return cluster


HEALTH = {
    "an agent in trouble": (
        lambda: shop().agent("n2", Part.AGENT_STATUS, _sick(state="Failure", message="kvstore")),
        "AGENT_STATE_BAD",
        "n2 reports Failure: kvstore",
    ),
    "a component in trouble": (
        lambda: shop().agent("n2", Part.AGENT_STATUS, _sick(components={"kvstore": ("Failure", "no quorum")})),
        "AGENT_COMPONENT_BAD",
        "kvstore of the agent of n2",
    ),
    "a controller that fails": (
        lambda: shop().agent("n1", Part.AGENT_STATUS, _sick(failing=(Controller("sync-x", 7, "boom", None),))),
        "CONTROLLER_FAILS",
        "failed 7 times: boom",
    ),
    "nodes apart": (
        lambda: shop().agent("n1", Part.AGENT_STATUS, _sick(peers=(peer("n2", host="timeout", endpoint="timeout"),))),
        "NODE_UNREACHABLE",
        "n1 cannot reach node n2: timeout (30s ago)",
    ),
    "a health endpoint apart": (
        lambda: shop().agent("n1", Part.AGENT_STATUS, _sick(peers=(peer("n2", endpoint="timeout"),))),
        "HEALTH_ENDPOINT_UNREACHABLE",
        "not its health endpoint",
    ),
    "an agent that is down, on a node that answers": (
        lambda: _deaf(
            shop().agent("n1", Part.AGENT_STATUS, _sick(peers=(_without_an_agent(peer("n2", endpoint="timeout")),)))
        ),
        "PEER_AGENT_REFUSES",
        "The agent of n2 refuses the health probe of n1",
    ),
    "a map nearly full": (
        lambda: shop().agent("n1", Part.AGENT_METRICS, (Metric("cilium_bpf_map_pressure", {"map_name": "ct4"}, 0.97),)),
        "MAP_NEARLY_FULL",
        "ct4 on n1 is 97 % full",
    ),
    "a policy refused": (lambda: shop().policy(INVALID), "POLICY_REFUSED", "shop/bad is refused"),
    "an endpoint that regenerates": (
        lambda: _regenerating(shop()),
        "ENDPOINT_NOT_READY",
        "shop/cart-1 on n2 is regenerating",
    ),
    "no agent on a node": (lambda: _no_agent_on_n2(shop()), "AGENT_MISSING", "1 node runs no Cilium agent: n2"),
    "no operator": (lambda: _no_operator(shop()), "OPERATOR_MISSING", "No Cilium operator runs"),
}


def _regenerating(cluster: Cluster) -> Cluster:
    return cluster.agent("n2", Part.AGENT_ENDPOINTS, cluster.agent_endpoints("n2", state="regenerating"))


@pytest.mark.parametrize(("cluster", "code", "words"), HEALTH.values(), ids=HEALTH.keys())
def test_what_is_ill_is_found(cluster: Callable[[], Cluster], code: str, words: str) -> None:
    report = cluster().ask("health")
    assert words in the(report, code).text
    assert "has 1 problem" in in_words(report)
    assert report.findings[0].code == code


def test_the_worst_stands_first() -> None:
    cluster = shop().policy(INVALID).agent("n2", Part.AGENT_STATUS, _sick(state="Failure", message="down"))
    report = cluster.ask("health")
    assert [finding.code for finding in report.findings[:2]] == ["AGENT_STATE_BAD", "POLICY_REFUSED"]
    assert "2 problems, the worst" in in_words(report)


def test_an_agent_that_was_not_read_is_never_healthy() -> None:
    cluster = shop()
    cluster.of_node = {key: value for key, value in cluster.of_node.items() if key[1] == "n1"}
    report = cluster.ask("health")
    assert in_words(report).startswith("Cannot tell how well Cilium in the cluster is: 1 agent was not read (n2)")
    assert status_of(report) is Status.UNKNOWN


def test_agents_that_refuse_alike_are_one_line() -> None:
    cluster = shop()
    cluster.nodes = [node(f"n{index}", index) for index in range(1, 41)]
    refused = "exec in cilium-{0:0>5} on {0} is refused"
    cluster.of_node = {
        (part, item.name): Missing(Gap.FORBIDDEN, refused.format(item.name), "Grant it.")
        for item in cluster.nodes
        for part in (Part.AGENT_STATUS, Part.AGENT_METRICS, Part.AGENT_ENDPOINTS)
    }
    report = cluster.ask("health")
    unread = the(report, "AGENT_UNREAD").text
    alike = "exec in its agent on the node is refused"
    assert unread == f"40 agents were not read (n1, n10, n11, n12, n13, 35 more): {alike}"
    assert "METRICS_UNREAD" not in codes(report)


@pytest.mark.parametrize("question", ["health", "drops", "policies shop", "why shop/frontend shop/cart 80"])
@pytest.mark.parametrize("gap", [Gap.UNREACHABLE, Gap.TIMEOUT], ids=lambda gap: gap.value)
def test_a_cluster_that_does_not_answer_is_one_line(question: str, gap: Gap) -> None:
    report = shop().without(*(part for part in PARTS if not part.is_per_node), gap=gap).ask(question)
    assert codes(report) == ["UNREACHED"]
    assert len(report.gaps) == 1
    assert status_of(report) is Status.UNKNOWN


@pytest.mark.parametrize("part", [Part.NODES, Part.CILIUM_PODS, Part.POLICIES, Part.RELAY], ids=lambda part: part.name)
def test_health_without_a_part_is_not_healthy(part: AnyPart) -> None:
    report = shop().without(part, gap=Gap.TIMEOUT).ask("health")
    assert "is healthy" not in in_words(report)
    assert "PART_MISSING" in codes(report)
