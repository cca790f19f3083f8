"""``l7``: rules that a proxy has to enforce, whether one does, and what passes it unread."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from handlers.catalogue import understand
from handlers.commands.command import NotUnderstoodError
from handlers.model.agent import PolicyMapEntry
from handlers.model.flow import DnsRecord, EventType, FlowType, FlowVerdict, HttpRecord
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.model.traffic import Protocol
from handlers.source import Source
from tests.cluster.lab import lab
from tests.knowledge.build import Cluster, codes, shop, the
from tests.reading import in_words
from tests.scenarios.truth import FOLDER
from workers.runner import run
from workers.sources.recorded import RecordingSource, ReplaySource
from workers.sources.sysdump import SysdumpSource
from workers.status import Status, status_of

NO_ENVOY = "23-l7-http-no-envoy"


def answer_of(source: Source, question: str) -> Report:
    try:
        return run(understand(question), source).report
    finally:
        source.close()


@pytest.mark.parametrize("question", ["l7 shop/catalog-l7", "l7 shop/frontend shop/svc/catalog 80"])
def test_a_policy_that_waits_for_envoy_live_in_a_dump_and_replayed(question: str, tmp_path: Path) -> None:
    with lab(NO_ENVOY, tmp_path) as cluster:
        live = answer_of(RecordingSource(cluster.source(), tmp_path / "r.gz"), question)
    told = " ".join(finding.text for finding in live.findings)
    for words in (
        "shop/catalog-54c76c687b-b8f2p: regenerating, policy revision 104 of 105",
        "No Envoy runs on lab-node-1: external-envoy-proxy is on",
        "CiliumNetworkPolicy/shop/catalog-l7 is not in force",
        "no proxy read them",
        "only GET /api/.* passes",
    ):
        assert words in told
    assert status_of(live) is Status.PROBLEM
    dumped = answer_of(SysdumpSource(FOLDER / NO_ENVOY / "sysdump.zip"), question)
    assert sorted(codes(dumped)) == sorted(codes(live))
    assert codes(answer_of(ReplaySource(tmp_path / "r.gz"), question)) == codes(live)


def test_names_that_the_dns_proxy_refused_are_told() -> None:
    report = answer_of(SysdumpSource(FOLDER / "10-tofqdns" / "sysdump.zip"), "l7 payments/checkout-egress-fqdn")
    assert "refused DNS intranet.corp.test" in the(report, "L7_REFUSED").text
    assert "on port 36433" in the(report, "L7_REDIRECTED").text


L7 = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: cart-l7, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: cart}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: frontend}}]
    toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{method: GET, path: /api/.*}, {path: /}]}}]
"""
PLAIN = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: cart-all, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: cart}}
  ingress: [{fromEndpoints: [{matchLabels: {app: WHO}}]PORTS}]
"""
ON_8080 = ', toPorts: [{ports: [{port: "8080", protocol: TCP}]}]'
A, B = "shop/frontend-1", "shop/cart-1"


def cart(*policies: str, proxy_port: int = 13_630, **options: str) -> Cluster:
    """Return the shop whose cart has L7 rules, with its endpoint redirected."""
    cluster = shop(**options).policy(L7)
    for policy in policies:
        cluster.policy(policy)
    cluster.agent("n2", Part.AGENT_ENDPOINTS, cluster.agent_endpoints("n2", ingress_enforcing=True))
    number = next(one.id or 0 for one in cluster.endpoints if one.name == "cart-1")
    entry = PolicyMapEntry(number, True, False, 20_000, 6, 8080, 24, proxy_port, None)
    return cluster.agent("n2", Part.AGENT_POLICY_MAP, (entry,))


def plain(who: str, ports: str = "") -> str:
    return PLAIN.replace("WHO", who).replace("PORTS", ports)


def requested(cluster: Cluster, method: str, path: str, *, code: int) -> Cluster:
    """Add a request as the proxy logs it, and its answer; 403 is its own refusal."""
    how: dict[str, Any] = {"event": EventType.ACCESS_LOG, "kind": FlowType.L7, "node": "n2", "flags": ""}
    verdict = FlowVerdict.DROPPED if code == 403 else FlowVerdict.FORWARDED
    cluster.saw(A, B, 8080, verdict=verdict, http=HttpRecord(method, f"http://cart{path}", 0), **how)
    answer = HttpRecord(method, f"http://cart{path}", code)
    return cluster.saw(B, A, 40_000, client_port=8080, reply=True, http=answer, **how)


def envoy(cluster: Cluster, *, ready: bool | None) -> Cluster:
    """Add an Envoy of its own on the cart's node."""
    pods = cluster.cilium_pods()
    mine = replace(pods[0], name="cilium-envoy-x", labels={"k8s-app": "cilium-envoy"}, node="n2", ready=ready)
    cluster.cilium_pods = lambda: [*pods, mine]  # type: ignore[method-assign]
    return cluster


STORIES: dict[str, tuple[Callable[[], Cluster], set[str], Status, str]] = {
    "in force": (cart, {"L7_READS", "L7_REDIRECTED", "L7_ENVOY_RUNS", "L7_UNSEEN"}, Status.FINE, "inside the agent"),
    "an Envoy of its own": (
        lambda: envoy(cart(external_envoy_proxy="true"), ready=True),
        {"L7_ENVOY_RUNS", "L7_REDIRECTED"},
        Status.FINE,
        "Envoy runs on n2, in a pod of its own",
    ),
    "its Envoy is not ready": (
        lambda: envoy(cart(external_envoy_proxy="true"), ready=False),
        {"L7_NO_ENVOY"},
        Status.PROBLEM,
        "its pod is not ready",
    ),
    "it has none": (
        lambda: cart(external_envoy_proxy="true"),
        {"L7_NO_ENVOY"},
        Status.PROBLEM,
        "there is no pod of cilium-envoy",
    ),
    "the proxy is off": (
        lambda: cart(enable_l7_proxy="false"),
        {"L7_POLICY_INVALID"},
        Status.PROBLEM,
        "L7 policy is not supported",
    ),
    "settings were not read": (lambda: cart().without(Part.CONFIG), {"L7_ENVOY_UNTOLD"}, Status.FINE, "not allowed"),
    "the map has no proxy": (
        lambda: cart(proxy_port=0),
        {"L7_NO_REDIRECT"},
        Status.PROBLEM,
        "no proxy port for 8080/TCP",
    ),
    "the map was not read": (
        lambda: _without(cart(), Part.AGENT_POLICY_MAP),
        {"L7_MAP_UNREAD"},
        Status.UNKNOWN,
        "exec was refused",
    ),
    "the endpoint is behind": (
        lambda: _behind(cart()),
        {"L7_NOT_IN_FORCE"},
        Status.PROBLEM,
        "policy revision 4 of 5",
    ),
    "a rule for the same pods lifts it": (
        lambda: cart(plain("frontend", ON_8080)),
        {"L7_LIFTED"},
        Status.PROBLEM,
        "CiliumNetworkPolicy/shop/cart-all allows shop/frontend-1 8080/TCP of shop/cart-1 without L7 rules",
    ),
    "a rule without ports lifts it": (
        lambda: cart(plain("frontend")),
        {"L7_LIFTED"},
        Status.PROBLEM,
        "lifts CiliumNetworkPolicy/shop/cart-l7",
    ),
    "a rule for others lifts nothing": (lambda: cart(plain("other", ON_8080)), {"L7_REDIRECTED"}, Status.FINE, ""),
    "requests pass": (
        lambda: requested(cart(), "GET", "/api/items?page=2", code=200),
        {"L7_SEEN"},
        Status.FINE,
        "GET /api/items?page=2 (1); answers: 200 (1)",
    ),
    "a request is refused": (
        lambda: requested(requested(cart(), "POST", "/api/items", code=403), "POST", "/api/items", code=403),
        {"L7_REFUSED", "L7_SEEN"},
        Status.PROBLEM,
        "POST /api/items of shop/frontend-1 to shop/cart-1 on 8080/TCP 2 times",
    ),
    "the nearest rule is named": (
        lambda: requested(cart(), "POST", "/api/items", code=403),
        {"L7_REFUSED"},
        Status.PROBLEM,
        "the nearest rule is GET /api/.*, and the method differs",
    ),
    "the application's own 403 is no refusal": (
        lambda: _own_refusal(cart()),
        {"L7_SEEN"},
        Status.FINE,
        "answers: 403 (1)",
    ),
    "a node's probes of its own pods are no requests": (
        lambda: cart().saw("reserved:host@192.168.0.2", B, 8080, node="n2", point="TO_ENDPOINT"),
        {"L7_UNSEEN"},
        Status.FINE,
        "",
    ),
    "packets pass and none is read": (
        lambda: cart().worked(A, B, 8080),
        {"L7_NOT_READ"},
        Status.PROBLEM,
        "no proxy read them",
    ),
    "agents refuse the policy": (
        lambda: shop().policy(L7.replace("/api/.*", "'/api/('")),
        {"L7_POLICY_INVALID"},
        Status.PROBLEM,
        "nothing of it is enforced",
    ),
    "it selects nobody": (
        lambda: shop().policy(L7.replace("app: cart", "app: card")),
        {"L7_SELECTS_NOBODY"},
        Status.PROBLEM,
        "selects no running pod",
    ),
    "there is no such policy": (
        lambda: shop().policy(L7.replace("cart-l7", "carts-l7")),
        {"L7_POLICY_UNKNOWN"},
        Status.UNKNOWN,
        "there is shop/carts-l7",
    ),
}


def _without(cluster: Cluster, part: object) -> Cluster:
    cluster.of_node = {key: value for key, value in cluster.of_node.items() if key[0] is not part}
    return cluster


def _behind(cluster: Cluster) -> Cluster:
    behind = cluster.agent_endpoints("n2", state="regenerating", desired_revision=5, realized_revision=4)
    return cluster.agent("n2", Part.AGENT_ENDPOINTS, behind)


def _own_refusal(cluster: Cluster) -> Cluster:
    how: dict[str, Any] = {"event": EventType.ACCESS_LOG, "kind": FlowType.L7, "node": "n2", "flags": ""}
    cluster.saw(A, B, 8080, http=HttpRecord("GET", "http://cart/api/x", 0), **how)
    return cluster.saw(
        B, A, 40_000, client_port=8080, reply=True, http=HttpRecord("GET", "http://cart/api/x", 403), **how
    )


@pytest.mark.parametrize(("cluster", "told", "status", "words"), STORIES.values(), ids=STORIES.keys())
def test_the_filter_of_a_policy(cluster: Callable[[], Cluster], told: set[str], status: Status, words: str) -> None:
    report = cluster().ask("l7 shop/cart-l7")
    assert told <= set(codes(report)), codes(report)
    assert words in " ".join(finding.text for finding in report.findings)
    assert status_of(report) is status, in_words(report)


def test_of_two_ends_only_the_asked_one_counts_as_lifted() -> None:
    cluster = cart(plain("frontend", ON_8080)).deploy("shop/loadgen", on="n1")
    assert "shop/frontend-1" in the(cluster.ask("l7 shop/frontend shop/cart 80"), "L7_LIFTED").text
    assert "L7_LIFTED" not in codes(cluster.ask("l7 shop/loadgen shop/cart 80"))


def test_two_ends_are_told_of_a_policy_that_agents_refuse() -> None:
    report = shop().policy(L7.replace("/api/.*", "'/api/('")).ask("l7 shop/frontend shop/cart 80")
    assert "CiliumNetworkPolicy/shop/cart-l7 is invalid" in the(report, "L7_POLICY_INVALID").text


def test_a_request_is_judged_between_two_ends() -> None:
    report = cart().ask("l7 shop/frontend shop/cart 80 http DELETE /api/items")
    assert "refuses DELETE /api/items" in the(report, "L7_REFUSES").text
    assert status_of(report) is Status.PROBLEM


def test_two_ends_without_l7_rules_are_told_so() -> None:
    report = shop().ask("l7 shop/frontend shop/cart 80")
    assert "L7_NOTHING_TO_READ" in codes(report)
    assert status_of(report) is Status.FINE


def test_a_hostile_request_line_stays_a_value() -> None:
    hostile = "/<!channel>*`{source}`" + "x" * 500
    report = requested(cart(), "GET", hostile, code=403).ask("l7 shop/cart-l7")
    assert len(str(the(report, "L7_REFUSED").values["request"])) <= 120
    assert "{source}" in the(report, "L7_REFUSED").text


def test_a_refused_look_up_names_the_name() -> None:
    text = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: names, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: frontend}}
  egress:
  - toEndpoints: [{matchLabels: {k8s-app: kube-dns, io.kubernetes.pod.namespace: kube-system}}]
    toPorts: [{ports: [{port: "53", protocol: UDP}], rules: {dns: [{matchPattern: "*.example.com"}]}}]
"""
    cluster = shop().policy(text).dns(A, "intranet.test", refused=True)
    how: dict[str, Any] = {"event": EventType.ACCESS_LOG, "kind": FlowType.L7, "protocol": Protocol.UDP}
    cluster.saw(A, "kube-system/coredns-1", 53, dns=DnsRecord("api.example.com.", (), 0, False), **how)
    report = cluster.ask("l7 shop/names")
    assert "refused DNS intranet.test" in the(report, "L7_REFUSED").text
    assert "L7_NOT_READ" not in codes(report)


@pytest.mark.parametrize(
    ("asked", "normal"),
    [
        ("l7 shop/cart-l7", "l7 shop/cart-l7"),
        ("l7 guard", "l7 guard"),
        ("l7 shop/cart-l7 since 1h", "l7 shop/cart-l7 since 1h"),
        ("l7 shop/frontend shop/cart 8080", "l7 shop/frontend shop/cart 8080"),
        ("l7 shop/frontend shop/cart http GET /x", "l7 shop/frontend shop/cart http GET /x"),
    ],
)
def test_a_question_reads_back(asked: str, normal: str) -> None:
    question = understand(asked).question
    assert str(question) == normal
    assert understand(normal).question == question


@pytest.mark.parametrize("asked", ["l7", "l7 10.0.0.1", "l7 shop/a shop/b shop/c"])
def test_other_words_are_refused(asked: str) -> None:
    with pytest.raises(NotUnderstoodError):
        understand(asked)
