"""Host names of Ingresses, Gateways and load balancers: who hands requests to whom, and what policy says twice."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from handlers.catalogue import understand
from handlers.model.entrance import Entrance, EntranceKind, Entrances, HostRoute, RouteBackend
from handlers.model.parts import Part
from handlers.model.snapshot import Gap
from tests.knowledge.build import Cluster, codes, deny_all
from tests.reading import in_words
from workers.collect import collect

CILIUM = "cilium.io/ingress-controller"
NGINX = "k8s.io/ingress-nginx"
ADDRESS = "198.51.100.7"
HOST = "shop.example.com"
WEB = RouteBackend("shop", "cart", 80)
Q = f"why world {HOST} 443"


def entrance(controller: str = CILIUM, *backends: RouteBackend, host: str = HOST, **more: Any) -> Entrance:
    """An Ingress of one host, before the cart unless other backends are named."""
    route = HostRoute((host,), backends or (WEB,))
    return Entrance(EntranceKind.INGRESS, "shop", "web", controller, (ADDRESS,), routes=(route,), **more)


def cluster(*policies: str, controller: str = CILIUM, ingress: Entrance | None = None, **options: Any) -> Cluster:
    """A cart behind a Service, a client, and an Ingress before the cart."""
    on = {"kube_proxy_replacement": "true", "enable_ingress_controller": "true", "enable_gateway_api": "true"}
    found = (
        Cluster(**{**on, **options})
        .deploy("shop/frontend", on="n1")
        .deploy("shop/cart", on="n2", ports=("http:8080",))
        .service("shop/cart", "80->8080")
        .entrance(ingress or entrance(controller))
    )
    for policy in policies:
        found.policy(policy)
    return found


def with_nginx(*policies: str, **more: Any) -> Cluster:
    """The same behind a controller that runs as pods and has a load balancer of its own."""
    return (
        cluster(*policies, controller=NGINX, **more)
        .deploy("edge/nginx", on="n1", ports=("https:8443",))
        .service("edge/nginx", "443->8443", type="LoadBalancer", balancer_ips=(ADDRESS,))
    )


def cart_lets_in(peer: str) -> str:
    return f"""
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: cart-ingress, namespace: shop}}
spec:
  endpointSelector: {{matchLabels: {{app: cart}}}}
  ingress:
  - {peer}
"""


def of_ingress(rule: str) -> str:
    """A policy of the entity ingress itself."""
    return f"""
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {{name: at-the-door}}
spec:
  endpointSelector: {{matchExpressions: [{{key: "reserved:ingress", operator: Exists}}]}}
  {rule}
"""


LOCKED_DOWN = """
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: external-lockdown}
spec:
  endpointSelector: {}
  ingress:
  - fromEntities: [cluster]
"""
INGRESS = cart_lets_in("fromEntities: [ingress]")
WORLD = cart_lets_in("fromEntities: [world]")
FROM_NGINX = cart_lets_in("fromEndpoints: [{matchLabels: {app: nginx, 'k8s:io.kubernetes.pod.namespace': edge}}]")
NO_CLIENTS = of_ingress("ingress: [{fromEntities: [cluster]}]")
NO_BACKENDS = of_ingress("egress: [{toEntities: [kube-apiserver]}]")


@dataclass(frozen=True)
class Case:
    cluster: Callable[[], Cluster]
    expected: str
    code: str
    words: str = ""
    question: str = Q


CASES = {
    # Cilium's own Envoy.
    "no policy": Case(cluster, "open", "ENTRANCE_LEADS_IN", "entity ingress"),
    "the cart lets the ingress in": Case(lambda: cluster(INGRESS), "open", "ENTRANCE_LEADS_IN"),
    "the cart lets the world in, as whom nobody comes": Case(
        lambda: cluster(WORLD), "blocked", "POLICY_DEFAULT_DENY", "ingress"
    ),
    "the cart lets nobody in": Case(lambda: cluster(deny_all("shop", "cart")), "blocked", "POLICY_DEFAULT_DENY"),
    "the ingress lets no client outside in": Case(lambda: cluster(NO_CLIENTS), "blocked", "POLICY_DEFAULT_DENY"),
    "everything is locked for those outside, the ingress too": Case(
        lambda: cluster(LOCKED_DOWN), "blocked", "POLICY_DEFAULT_DENY"
    ),
    "the ingress may not go on": Case(lambda: cluster(NO_BACKENDS), "blocked", "POLICY_DEFAULT_DENY"),
    "a client's address": Case(
        lambda: cluster(of_ingress("ingress: [{fromCIDR: [203.0.113.9/32]}]")),
        "open",
        "ENTRANCE_LEADS_IN",
        question=f"why 203.0.113.9 {HOST} 443",
    ),
    "another client's address": Case(
        lambda: cluster(of_ingress("ingress: [{fromCIDR: [203.0.113.9/32]}]")),
        "blocked",
        "POLICY_DEFAULT_DENY",
        question=f"why 203.0.113.10 {HOST} 443",
    ),
    "a client inside": Case(
        cluster, "unknown", "ENTRANCE_UNTOLD", "why ingress shop/cart", f"why shop/frontend {HOST} 443"
    ),
    "a client inside, and a way on that is closed": Case(
        lambda: cluster(WORLD), "blocked", "POLICY_DEFAULT_DENY", question=f"why shop/frontend {HOST} 443"
    ),
    "Cilium does not serve Ingresses here": Case(
        lambda: cluster(enable_ingress_controller="false"), "unknown", "ENTRANCE_UNTOLD", "enable-ingress-controller"
    ),
    "a Gateway": Case(
        lambda: cluster(WORLD, ingress=replace(entrance("io.cilium/gateway-controller"), kind=EntranceKind.GATEWAY)),
        "blocked",
        "POLICY_DEFAULT_DENY",
    ),
    "a wildcard": Case(
        lambda: cluster(WORLD, ingress=entrance(host="*.example.com")), "blocked", "POLICY_DEFAULT_DENY"
    ),
    "the name of the load balancer": Case(
        lambda: cluster(
            WORLD,
            ingress=Entrance(
                EntranceKind.INGRESS, "shop", "web", CILIUM, (), ("lb.cloud.example",), (HostRoute((), (WEB,)),)
            ),
        ),
        "blocked",
        "POLICY_DEFAULT_DENY",
        question="why world lb.cloud.example 80",
    ),
    "over UDP": Case(cluster, "unknown", "ENTRANCE_UNTOLD", "UDP", f"why world {HOST} 443/udp"),
    # The routes.
    "a backend that does not exist": Case(
        lambda: cluster(ingress=entrance(CILIUM, RouteBackend("shop", "gone", 80))),
        "unknown",
        "ENTRANCE_UNTOLD",
        "gone",
    ),
    "a backend that is no Service": Case(
        lambda: cluster(ingress=entrance(CILIUM, RouteBackend("shop", "files", None, "StorageBucket"))),
        "unknown",
        "ENTRANCE_UNTOLD",
        "StorageBucket",
    ),
    "a port that the Service does not have": Case(
        lambda: cluster(ingress=entrance(CILIUM, RouteBackend("shop", "cart", 81))), "unknown", "ENTRANCE_UNTOLD", "81"
    ),
    "no route for the host": Case(
        lambda: cluster(ingress=replace(entrance(), routes=(HostRoute((HOST,), ()),))), "unknown", "ENTRANCE_UNTOLD"
    ),
    "no ready backend": Case(
        lambda: cluster(ingress=entrance(CILIUM, RouteBackend("shop", "empty", 80))).service("shop/empty", "80->8080"),
        "blocked",
        "ENTRANCE_WITHOUT_BACKEND",
    ),
    "a backend in another namespace that lets nobody in": Case(
        lambda: (
            cluster(deny_all("payments", "ledger"), ingress=entrance(CILIUM, RouteBackend("payments", "ledger", 80)))
            .deploy("payments/ledger", on="n2")
            .service("payments/ledger", "80->8080")
        ),
        "blocked",
        "POLICY_DEFAULT_DENY",
    ),
    # Another controller.
    "nginx, no policy": Case(with_nginx, "open", "ENTRANCE_LEADS_IN", "edge/nginx"),
    "nginx, whom the cart lets in": Case(lambda: with_nginx(FROM_NGINX), "open", "ENTRANCE_LEADS_IN"),
    "nginx, while the cart lets the world in": Case(lambda: with_nginx(WORLD), "blocked", "POLICY_DEFAULT_DENY"),
    "nginx, which lets nobody in": Case(
        lambda: with_nginx(deny_all("edge", "nginx")), "blocked", "POLICY_DEFAULT_DENY"
    ),
    "nginx, and a client inside": Case(
        with_nginx, "open", "ENTRANCE_LEADS_IN", question=f"why shop/frontend {HOST} 443"
    ),
    "nginx, and a client inside whom it does not let in": Case(
        lambda: with_nginx(deny_all("edge", "nginx")),
        "blocked",
        "POLICY_DEFAULT_DENY",
        question=f"why shop/frontend {HOST} 443",
    ),
    "nginx, at a port that it does not have": Case(
        with_nginx, "unknown", "ENTRANCE_UNTOLD", "no ready backend", f"why world {HOST} 8000"
    ),
    "a controller that cannot be found": Case(
        lambda: cluster(controller="example.com/other"), "unknown", "ENTRANCE_UNTOLD", "NAMESPACE/POD shop/cart"
    ),
    "a class that nothing tells of": Case(lambda: cluster(controller=""), "unknown", "ENTRANCE_UNTOLD"),
    # The name of a Service's own load balancer.
    "a load balancer's host name": Case(
        lambda: cluster(WORLD).service(
            "shop/out", "443->8080", selector={"app": "cart"}, balancer_names=("a1.elb.example",)
        ),
        "open",
        "FRONTEND_LEADS_IN",
        question="why world a1.elb.example 443",
    ),
    "a load balancer's host name, and nobody outside is let in": Case(
        lambda: cluster(deny_all("shop", "cart")).service(
            "shop/out", "443->8080", selector={"app": "cart"}, balancer_names=("a1.elb.example",)
        ),
        "blocked",
        "POLICY_DEFAULT_DENY",
        question="why world a1.elb.example 443",
    ),
    "a name that external-dns publishes": Case(
        lambda: cluster(deny_all("shop", "cart")).service(
            "shop/out",
            "443->8080",
            selector={"app": "cart"},
            balancer_ips=("198.51.100.9",),
            annotations={"external-dns.alpha.kubernetes.io/hostname": "x.example.com, pub.example.com."},
        ),
        "blocked",
        "POLICY_DEFAULT_DENY",
        question="why world pub.example.com 443",
    ),
    "a load balancer that may hide the client's address": Case(
        lambda: cluster(cart_lets_in("fromCIDR: [203.0.113.9/32]")).service(
            "shop/out", "443->8080", selector={"app": "cart"}, balancer_names=("a1.elb.example",)
        ),
        "unknown",
        "FRONTEND_UNTOLD",
        "load balancer outside",
        "why 203.0.113.9 a1.elb.example 443",
    ),
    "a load balancer outside, to which a pod's packets leave": Case(
        lambda: cluster(cart_lets_in("fromEndpoints: [{matchLabels: {app: frontend}}]")).service(
            "shop/out", "443->8080", selector={"app": "cart"}, balancer_names=("a1.elb.example",)
        ),
        "unknown",
        "FRONTEND_UNTOLD",
        question="why shop/frontend a1.elb.example 443",
    ),
    "an Ingress behind a load balancer that may hide the client's address": Case(
        lambda: cluster(ingress=replace(entrance(), addresses=(), names=("lb.cloud.example",))),
        "unknown",
        "ENTRANCE_UNTOLD",
        "load balancer outside",
        f"why 203.0.113.9 {HOST} 443",
    ),
    # Names of nobody here, and what was not read.
    "a name outside": Case(cluster, "open", "NAME_RESOLVED", question="why shop/frontend api.stripe.com 443"),
    "an Ingress for any name makes no name its own": Case(
        lambda: cluster(ingress=replace(entrance(), routes=(HostRoute((), (WEB,)),))),
        "open",
        "NAME_RESOLVED",
        question="why shop/frontend api.stripe.com 443",
    ),
    "Ingresses were forbidden": Case(
        lambda: cluster().without(Part.ENTRANCES),
        "unknown",
        "ENTRANCES_UNREAD",
        question="why shop/frontend api.stripe.com 443",
    ),
    "Services were forbidden": Case(
        lambda: cluster().without(Part.ALL_SERVICES),
        "unknown",
        "ENTRANCES_UNREAD",
        question="why shop/frontend api.stripe.com 443",
    ),
    "the source's own policy denies, whatever was not read": Case(
        lambda: cluster(deny_all("shop", "frontend", egress=True)).without(Part.ENTRANCES),
        "blocked",
        "POLICY_DEFAULT_DENY",
        question="why shop/frontend api.stripe.com 443",
    ),
    "slices were forbidden": Case(lambda: cluster().without(Part.ENDPOINT_SLICES), "unknown", "PART_MISSING"),
    "the configuration was forbidden": Case(lambda: cluster().without(Part.CONFIG), "unknown", "ENTRANCE_UNTOLD"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_host_name_is_followed(case: Case) -> None:
    report = case.cluster().ask(case.question)
    assert (report.expected, case.code in codes(report)) == (case.expected, True), codes(report)
    assert case.words in " ".join(
        [in_words(report), *(f"{finding.text} {finding.advice}" for finding in report.findings)]
    )


UNLISTED = {
    "routes timed out": (Entrances(unlisted={"HTTPRoute": "timeout"}), {}, "unknown"),
    "an archive without Gateways, where Cilium serves none": (
        Entrances(untold=("Gateway",)),
        {"enable-gateway-api": "false"},
        "open",
    ),
    "an archive without Gateways, where Cilium serves them": (Entrances(untold=("Gateway",)), {}, "unknown"),
    "nothing there": (Entrances(), {}, "open"),
}


@pytest.mark.parametrize(("entrances", "options", "expected"), UNLISTED.values(), ids=UNLISTED)
def test_what_could_not_be_listed_leaves_a_name_in_doubt(
    entrances: Entrances, options: dict[str, str], expected: str
) -> None:
    asked = cluster()
    asked.config = replace(asked.config, options={**asked.config.options, **options})
    asked.entrances = entrances
    assert asked.ask("why shop/frontend api.stripe.com 443").expected == expected


@pytest.mark.parametrize("question", ["why shop/frontend shop/cart 80", "why world 192.168.0.1 30080"])
def test_other_names_cost_no_look_at_entrances(question: str) -> None:
    source = cluster().source()
    collect(understand(question).question, source, budget=30)
    assert not [ask for ask in source.asks if ask.part is Part.ENTRANCES]


@pytest.mark.parametrize("gap", [Gap.FORBIDDEN, Gap.TIMEOUT])
@pytest.mark.parametrize("part", [Part.ENTRANCES, Part.ALL_SERVICES, Part.ENDPOINT_SLICES, Part.PODS, Part.POLICIES])
def test_less_evidence_is_never_more_open(part: Any, gap: Gap) -> None:
    for asked in (cluster(WORLD), with_nginx(WORLD)):
        assert asked.without(part, gap=gap).ask(Q).expected != "open"


def test_drops_between_the_ingress_and_the_backend_are_seen() -> None:
    seen = cluster(WORLD).dropped("reserved:ingress@10.0.1.99", "shop/cart-1", 8080, times=3)
    assert (seen.ask(Q).expected, seen.ask(Q).observed) == ("blocked", "dropped")
