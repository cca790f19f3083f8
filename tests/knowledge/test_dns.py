"""``dns``: who fails where names do not resolve."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from handlers.model.agent import LearntName
from handlers.model.change import Change
from handlers.model.cluster import PodResolver, Workload
from handlers.model.endpoint import Kind
from handlers.model.finding import Outcome
from handlers.model.log import PodLog
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.model.traffic import Protocol
from tests.knowledge.build import Cluster, ago, codes, deny_all, shop, the
from workers.status import Status, status_of

A, SERVER = "shop/frontend-1", "kube-system/coredns-1"
STRIPE = "api.stripe.com"
DNS_RULE = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: names, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: frontend}}
  egress:
  - toEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, k8s-app: kube-dns}}]
    toPorts:
    - ports: [{port: "53", protocol: ANY}]
      rules: {dns: [{matchPattern: "*.shop.svc.cluster.local"}]}
  - toFQDNs: [{matchName: api.stripe.com}]
"""


def tried(cluster: Cluster, name: str, *, rcode: int, at: float = 60) -> Cluster:
    """Let the frontend try a name under its suffixes in vain, and then by itself."""
    for number, suffix in enumerate(("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")):
        cluster.asked(A, f"{name}.{suffix}", at=at + 1 - number / 10)
        cluster.dns(A, f"{name}.{suffix}", rcode=3, at=at + 0.95 - number / 10)
    cluster.asked(A, name, at=at)
    return cluster.dns(A, name, *(["198.51.100.7"] if rcode == 0 else []), rcode=rcode, at=at - 2)


def packets(cluster: Cluster, count: int, *, answered: bool) -> Cluster:
    for number in range(count):
        port = 41_000 + number
        cluster.sent(A, SERVER, 53, at=60 - number, client_port=port, protocol=Protocol.UDP)
        if answered:
            cluster.answered(A, SERVER, 53, at=59.9 - number, client_port=port, protocol=Protocol.UDP)
    return cluster


def scaled_away() -> Cluster:
    cluster = Cluster(dns=False).deploy("shop/frontend").healthy_agents()
    cluster.workloads.append(Workload(Kind.DEPLOYMENT, "kube-system", "coredns", 0, 0, {"k8s-app": "kube-dns"}))
    cluster.changes.append(
        Change("Deployment", "kube-system", "coredns", "kubectl-scale", ago(30), fields=("spec.replicas",))
    )
    return cluster


def recovered() -> Cluster:
    cluster = complaining(60)
    answer = f'{ago(20):%Y-%m-%dT%H:%M:%S}.5Z [INFO] 10.0.1.11:52 - 1 "A IN {STRIPE}. udp 36 false 512" NOERROR qr 52'
    log = cluster.dns_logs[0]
    cluster.dns_logs[0] = replace(log, lines=(*(log.lines or ()), answer))
    return cluster


def complaining(seconds: float) -> Cluster:
    line = f"{ago(seconds):%Y-%m-%dT%H:%M:%S}.5Z [ERROR] plugin/errors: 2 {STRIPE}. A: read udp 10.0.1.10:4242"
    cluster = shop()
    cluster.dns_logs.append(PodLog("kube-system", "coredns-1", "coredns", (f"{line}->198.51.100.53:53: i/o timeout",)))
    return cluster


STORIES: dict[str, tuple[Callable[[], Cluster], str, tuple[str, ...], str]] = {
    "packets that are answered": (lambda: packets(shop(), 4, answered=True), "", (), "4 queries"),
    "nothing was asked": (shop, "", (), "No query of shop/frontend was seen"),
    "suffixes that do not exist before an answer": (
        lambda: tried(shop(), STRIPE, rcode=0),
        "",
        (),
        "3 NXDOMAIN answers to shop/frontend are tries under search suffixes (ndots 5), and no fault",
    ),
    "the upstream fails": (
        lambda: tried(shop(), STRIPE, rcode=2),
        "",
        ("LOOKUPS_FAIL",),
        "api.stripe.com gets SERVFAIL after about 2 s",
    ),
    "a failure before an answer": (lambda: tried(tried(shop(), STRIPE, rcode=2, at=300), STRIPE, rcode=0), "", (), ""),
    "another name is asked about": (lambda: tried(shop(), STRIPE, rcode=2), "example.org", (), ""),
    "a wrong name": (
        lambda: tried(shop(), "carts", rcode=3),
        "",
        ("LOOKUP_NAME_WRONG",),
        "carts does not exist: shop/frontend got NXDOMAIN for it under every search suffix",
    ),
    "queries without an answer": (
        lambda: packets(shop(), 3, answered=False),
        "",
        ("LOOKUPS_UNANSWERED",),
        "3 queries of shop/frontend were sent",
    ),
    "no server": (
        scaled_away,
        "",
        ("DNS_SERVERS_DOWN",),
        "0 ready backends (Deployment coredns wants 0 replicas; "
        "Deployment kube-system/coredns was scaled by kubectl-scale",
    ),
    "servers that are not ready": (
        lambda: (
            Cluster(dns=False)
            .deploy("shop/frontend")
            .pod("kube-system/coredns-1", labels={"k8s-app": "kube-dns"}, ready=False)
            .healthy_agents()
        ),
        "",
        ("DNS_SERVERS_DOWN",),
        "0 ready backends (1 that is not ready)",
    ),
    "egress that forgets DNS": (
        lambda: shop().policy(deny_all("shop", "frontend", egress=True)),
        "",
        ("DNS_DENIED",),
        "NetworkPolicy shop/deny-all",
    ),
    "a name that the rule does not list": (
        lambda: shop().policy(DNS_RULE).dns(A, "example.org", refused=True),
        "",
        ("LOOKUPS_REFUSED",),
        "example.org",
    ),
    "a name that the rule will refuse": (
        lambda: shop().policy(DNS_RULE),
        "example.org",
        ("DNS_NAME_REFUSED",),
        "example.org",
    ),
    "a log that complains now": (
        lambda: complaining(20),
        "",
        ("DNS_UPSTREAM_SILENT",),
        "The upstream 198.51.100.53 does not answer the cluster's DNS: 1 line of its log says so",
    ),
    "a log that complained before it went on": (recovered, "", (), "The upstream 198.51.100.53 failed until"),
    "a log that complained": (lambda: complaining(600), "", (), "The upstream 198.51.100.53 failed until"),
}


def asked(cluster: Cluster, name: str = "") -> Report:
    return cluster.ask(f"dns shop/frontend {name}".strip())


@pytest.mark.parametrize("story", STORIES)
def test_dns(story: str) -> None:
    make, name, problems, words = STORIES[story]
    report = asked(make(), name)
    found = [finding for finding in report.findings if finding.outcome is Outcome.PROBLEM]
    assert tuple(finding.code for finding in found) == problems
    assert words in " ".join(finding.text for finding in report.findings)
    assert status_of(report) is (Status.PROBLEM if problems else Status.FINE)
    assert all(finding.evidence for finding in found)


def test_dropped_queries_name_the_policy_who_changed_it_and_who_else_is_concerned() -> None:
    cluster = shop().policy(deny_all("shop", "frontend", egress=True), changed=90)
    cluster.dropped(A, SERVER, 53, ingress=False, times=3, protocol=Protocol.UDP)
    cluster.changes.append(Change("NetworkPolicy", "shop", "deny-all", "argocd-controller", ago(90), is_creation=True))
    found = the(asked(cluster), "LOOKUPS_DROPPED")
    assert found.text.startswith("3 DNS queries of shop/frontend to kube-system/coredns on 53/UDP were dropped")
    assert "NetworkPolicy shop/deny-all was created by argocd-controller at 11:58:30 UTC" in found.text
    assert "no drop of anybody else's queries was seen" in found.text
    assert "NetworkPolicy/shop/deny-all" in {evidence.ref for evidence in found.evidence}
    cluster.dropped("shop/cart-1", SERVER, 53, ingress=False, protocol=Protocol.UDP)
    assert "so are those of shop/cart" in the(asked(cluster), "LOOKUPS_DROPPED").text
    later = packets(cluster, 1, answered=True).sent(A, SERVER, 53, at=5, client_port=9, protocol=Protocol.UDP)
    assert "LOOKUPS_DROPPED" not in codes(asked(later))


@pytest.mark.parametrize(
    "line",
    [
        "2026-99-99T99:99:99.5Z [ERROR] read udp 10.0.1.10:4242->198.51.100.53:53: i/o timeout",
        f"{ago(20):%Y-%m-%dT%H:%M:%S}.5Z \x1b[31m->[::::]:53: \x00 i/o timeout",
        f"{ago(20):%Y-%m-%dT%H:%M:%S}.5Z " + '"A IN ' * 100_000,
    ],
    ids=["a time that is none", "a terminal's escapes", "a line without end"],
)
def test_a_hostile_log_breaks_nothing(line: str) -> None:
    cluster = shop()
    cluster.dns_logs.append(PodLog("kube-system", "coredns-1", "coredns", (line,)))
    report = asked(cluster)
    assert status_of(report) is Status.FINE
    assert not [finding for finding in report.findings if finding.outcome is Outcome.BROKEN]


def test_only_names_outside_fail_where_others_resolve() -> None:
    cluster = tried(shop(), STRIPE, rcode=2).asked(A, "cart.shop.svc.cluster.local")
    cluster.dns(A, "cart.shop.svc.cluster.local", "10.96.0.10", at=40)
    assert "external names only: cart resolves" in the(asked(cluster), "LOOKUPS_FAIL").text


def test_the_real_name_that_is_nearest_is_offered() -> None:
    cluster = tried(shop().service("pay/ledger", "80"), "carts", rcode=3)
    assert "nearest is cart" in the(asked(cluster), "LOOKUP_NAME_WRONG").text


def test_a_pod_that_asks_its_node_knows_no_name_of_the_cluster() -> None:
    cluster = shop()
    lost = replace(cluster.pods[1], resolver=PodResolver("Default"))
    cluster.pods[1] = lost
    assert lost.name == "frontend-1"
    assert the(asked(cluster, "cart"), "RESOLVER_IS_OF_NODE").outcome is Outcome.PROBLEM
    assert the(asked(cluster, STRIPE), "RESOLVER_IS_OF_NODE").outcome is Outcome.FINE


def test_names_that_policy_allows_are_learnt_through_the_proxy_alone() -> None:
    cluster = shop().policy(DNS_RULE).agent("n1", Part.AGENT_NAMES, (LearntName(STRIPE, ("198.51.100.7",), 1, None),))
    assert the(asked(cluster), "NAMES_LEARNT").text == "The agent of n1 knows api.stripe.com as 198.51.100.7"
    unseen = shop().policy(DNS_RULE.replace('rules: {dns: [{matchPattern: "*.shop.svc.cluster.local"}]}', ""))
    assert the(asked(unseen), "NAMES_NEVER_LEARNT").outcome is Outcome.PROBLEM


@pytest.mark.parametrize("part", [Part.CLUSTER_DNS, Part.POLICIES, Part.PODS, Part.FLOWS])
def test_what_was_not_read_leaves_doubt(part: Part) -> None:
    report = asked(packets(shop(), 4, answered=True).without(part))  # type: ignore[arg-type]
    assert status_of(report) is Status.UNKNOWN


def test_health_names_a_cluster_without_dns_servers() -> None:
    found = the(scaled_away().ask("health"), "DNS_SERVERS_DOWN")
    assert (found.outcome, found.follow_up) == (Outcome.PROBLEM, "service kube-system/kube-dns")


def test_a_node_that_was_not_heard_leaves_doubt() -> None:
    cluster = shop()
    cluster.silent["n1"] = "its Hubble does not answer"
    assert status_of(asked(cluster)) is Status.UNKNOWN


def test_the_look_ups_of_a_host_are_not_told() -> None:
    assert status_of(shop().ask("dns node/n1")) is Status.UNKNOWN
