"""Big clusters are answered in time, and hostile objects get an answer like all others."""

import time
from dataclasses import replace
from typing import Any

import pytest

from handlers.catalogue import understand
from handlers.engine import answer
from handlers.model.cluster import PolicyObject
from handlers.model.finding import Outcome
from handlers.model.traffic import Protocol
from tests.knowledge.build import Cluster, ago, codes, deny_all, shop
from tests.reading import in_words
from workers.collect import collect

A, B = "shop/frontend-1", "shop/cart-1"
QUESTION = "why shop/frontend shop/cart 80"


def big(pods: int) -> Cluster:
    """Return the shop with many carts that are alike to policy."""
    cluster = Cluster().deploy("shop/frontend").deploy("shop/cart", on="n2", ports=("http:8080",))
    pod, endpoint = cluster.pods[-1], cluster.endpoints[-1]
    for number in range(pods):
        address = f"10.{number // 60_000 + 3}.{number // 250 % 250}.{number % 250}"
        cluster.add(replace(pod, name=f"cart-x{number}", ips=(address,)))
        cluster.endpoints.append(replace(endpoint, name=f"cart-x{number}", ips=(address,)))
    return cluster.service("shop/cart", "80->8080").healthy_agents()


def test_ten_thousand_pods_elsewhere_in_the_namespace_cost_little() -> None:
    cluster = big(10_000).deploy("shop/db", on="n2").service("shop/db", "80->8080")
    started = time.process_time()
    report = cluster.ask("why shop/frontend shop/db 80")
    assert report.expected == "open"
    assert time.process_time() - started < 3


def test_a_thousand_backends_are_judged_in_time() -> None:
    cluster = big(1_000).policy(deny_all("shop", "cart")).dropped(A, B, 8080)
    started = time.process_time()
    report = cluster.ask(QUESTION)
    assert (report.expected, report.observed) == ("blocked", "dropped")
    assert time.process_time() - started < 3
    assert len(report.findings) < 100


def test_twenty_thousand_flows_are_looked_at_in_time() -> None:
    cluster = shop().dropped(A, B, 8080)
    cluster.flows = [flow for _ in range(10_000) for flow in cluster.flows]
    question = understand(QUESTION).question
    snapshot = collect(question, cluster.source(), budget=30)
    started = time.process_time()
    assert "10000 packets dropped" in answer(question, snapshot).headline.seen
    assert time.process_time() - started < 3


HOSTILE = ["{q_seen}", "<!channel>", "*bold* `x`", "a" * 5_000, "\u202eevil", "../../etc", "\x00\x1b[31m", "", "a b\nc"]


@pytest.mark.parametrize("text", HOSTILE, ids=[f"case {number}" for number in range(len(HOSTILE))])
def test_hostile_words_in_flows_stay_words(text: str) -> None:
    cluster = shop().dropped(A, B, 8080, reason=text or "x").dns(A, text, refused=True).saw(text + "@1.2.3.4", B, 8080)
    labels = ("", "=", "reserved:", "k8s:a=b=c", text, "k8s:" + text)
    cluster.flows += [
        replace(flow, source=replace(flow.source, namespace=text, pod=text, labels=labels, names=(text,)), node=text)
        for flow in cluster.flows
    ]
    for question in (QUESTION, "drops", "drops shop"):
        report = cluster.ask(question)
        assert not [finding for finding in report.findings if finding.outcome is Outcome.BROKEN], question
        assert in_words(report)


@pytest.mark.parametrize("protocol", [None, *Protocol], ids=str)
def test_flows_of_any_protocol_without_ports_are_let_pass(protocol: Protocol | None) -> None:
    cluster = shop().dropped(A, B, 8080)
    cluster.flows = [
        replace(
            flow,
            protocol=protocol,
            source=replace(flow.source, port=None),
            destination=replace(flow.destination, port=None),
        )
        for flow in cluster.flows
    ]
    for question in (QUESTION, "drops"):
        assert "PROBE_BROKEN" not in codes(cluster.ask(question))


ABSURD: dict[str, Any] = {
    "no spec": {},
    "a list for a spec": {"spec": []},
    "a number for a spec": {"spec": 7},
    "nulls": {"spec": {"endpointSelector": None, "ingress": None, "podSelector": None}},
    "a text for a list": {"spec": {"endpointSelector": {}, "ingress": "all"}},
    "numbers for labels": {"spec": {"endpointSelector": {"matchLabels": {"app": 7}}, "ingress": [{}]}},
    "a bad port": {
        "spec": {"endpointSelector": {}, "ingress": [{"toPorts": [{"ports": [{"port": "-1", "protocol": "X"}]}]}]}
    },
    "a bad CIDR": {"spec": {"endpointSelector": {}, "egress": [{"toCIDR": ["300.0.0.0/99"]}]}},
    "a deep well": {"spec": {"endpointSelector": {}, "egress": [{"toEndpoints": [{"matchLabels": {"a": {}}}]}]}},
    "specs of all sorts": {"specs": [None, 3, {}, {"endpointSelector": {}, "ingress": [{}]}]},
    "a bad pattern": {
        "spec": {
            "endpointSelector": {},
            "egress": [{"toPorts": [{"ports": [{"port": "53"}], "rules": {"dns": [{"matchPattern": "((("}]}}]}],
        }
    },
}


@pytest.mark.parametrize("kind", ["NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"])
@pytest.mark.parametrize("body", ABSURD.values(), ids=ABSURD.keys())
def test_absurd_policies_break_no_probe(kind: str, body: dict[str, Any]) -> None:
    namespace = "" if kind == "CiliumClusterwideNetworkPolicy" else "shop"
    manifest = {"kind": kind, "metadata": {"name": "absurd", "namespace": namespace}, **body}
    cluster = shop()
    cluster.policies.append(PolicyObject(kind, namespace, "absurd", manifest, ago(60)))
    for question in (QUESTION, "policies shop", "policies shop/cart", "health", "drops", "l7 shop/absurd"):
        report = cluster.ask(question)
        assert "PROBE_BROKEN" not in codes(report), question
        assert in_words(report)


@pytest.mark.parametrize("body", ABSURD.values(), ids=ABSURD.keys())
def test_absurd_egress_gateways_break_no_probe(body: dict[str, Any]) -> None:
    cluster = shop(enable_egress_gateway="true")
    manifest = {"kind": "CiliumEgressGatewayPolicy", "metadata": {"name": "absurd"}, **body}
    cluster.gateways.append(PolicyObject("CiliumEgressGatewayPolicy", "", "absurd", manifest, None))
    for question in ("why shop/frontend 203.0.113.9 443", "egress shop/frontend 203.0.113.9"):
        report = cluster.ask(question)
        assert "PROBE_BROKEN" not in codes(report), question
        assert in_words(report)
