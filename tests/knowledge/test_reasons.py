"""Why a connection is denied, in the words of who wrote the policy: one short clause, whatever the mechanism."""

from collections.abc import Callable

import pytest

from handlers.connection.denial_words import LONGEST_REASON
from tests.knowledge.build import Cluster, deny_all, shop

Q = "why shop/frontend shop/cart 80"


def cilium(subject: str, rules: str, *, name: str = "the-policy", namespace: str = "shop") -> str:
    return f"""
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  endpointSelector: {{matchLabels: {{app: {subject}}}}}
  {rules}
"""


def plain(subject: str, rules: str, *, name: str = "the-policy") -> str:
    return f"""
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: shop}}
spec:
  podSelector: {{matchLabels: {{app: {subject}}}}}
  {rules}
"""


FRONTEND = "fromEndpoints: [{matchLabels: {app: frontend}}]"

REASONS: dict[str, tuple[Callable[[], Cluster], str]] = {
    "the Service's port, not the pod's": (
        lambda: shop().policy(cilium("cart", f"ingress: [{{{FRONTEND}, toPorts: [{{ports: [{{port: '80'}}]}}]}}]")),
        "the-policy lists port 80, the Service's; policy sees the pod's port 8080",
    ),
    "another port": (
        lambda: shop().policy(cilium("cart", f"ingress: [{{{FRONTEND}, toPorts: [{{ports: [{{port: '9090'}}]}}]}}]")),
        "the-policy allows 9090; policy sees the pod's port, 8080/TCP",
    ),
    "another protocol": (
        lambda: shop().policy(
            cilium("cart", f"ingress: [{{{FRONTEND}, toPorts: [{{ports: [{{port: '8080', protocol: UDP}}]}}]}}]")
        ),
        "the-policy allows 8080/UDP; this is 8080/TCP",
    ),
    "another label": (
        lambda: shop().policy(plain("cart", "ingress: [{from: [{podSelector: {matchLabels: {app: loadgen}}}]}]")),
        "the-policy wants app=loadgen; frontend has app=frontend",
    ),
    "no such label": (
        lambda: shop().policy(plain("cart", "ingress: [{from: [{podSelector: {matchLabels: {tier: web}}}]}]")),
        "the-policy wants tier=web; frontend has no label tier",
    ),
    "a label of the namespace": (
        lambda: shop().policy(
            plain("cart", "ingress: [{from: [{namespaceSelector: {matchLabels: {name: monitoring}}}]}]")
        ),
        "the rule wants namespaces labelled name=monitoring; namespace shop has no such label",
    ),
    "a CIDR for pods": (
        lambda: shop().policy(cilium("frontend", "egress: [{toCIDR: [10.0.0.0/8]}]")),
        "10.0.0.0/8 in toCIDR never selects pods; select them by labels",
    ),
    "a CIDR for pods, and another port besides": (
        lambda: shop().policy(
            cilium("cart", "ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/8}], toPorts: [{ports: [{port: '80'}]}]}]")
        ),
        "10.0.0.0/8 in fromCIDRSet never selects pods; select them by labels",
    ),
    "nothing that comes near": (
        lambda: shop().policy(
            cilium(
                "frontend",
                "egress: [{toEndpoints: [{matchLabels: {app: ledger}}], toPorts: [{ports: [{port: '5432'}]}]},"
                " {toEndpoints: [{matchLabels: {k8s-app: kube-dns, 'k8s:io.kubernetes.pod.namespace': kube-system}}],"
                " toPorts: [{ports: [{port: '53'}]}]}]",
            )
        ),
        "the-policy allows only ledger 5432, DNS; nothing allows cart 8080",
    ),
    "nothing at all": (
        lambda: shop().policy(deny_all("shop", "cart")),
        "deny-all denies all ingress; nothing lets in frontend on 8080",
    ),
    "two policies": (
        lambda: (
            shop()
            .policy(deny_all("shop", "cart"))
            .policy(
                plain(
                    "cart", "ingress: [{from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: 1}]}]", name="b"
                )
            )
        ),
        "deny-all and 1 more policy let in only a 1; nothing lets in frontend on 8080",
    ),
    "a deny rule": (
        lambda: shop().policy(cilium("cart", f"ingressDeny: [{{{FRONTEND}}}]")),
        "denied by the-policy, on purpose: its ingressDeny lists frontend",
    ),
    "an entity": (
        lambda: shop().policy(cilium("cart", "ingress: [{fromEntities: [world]}]")),
        "the-policy lets in only world; nothing lets in frontend on 8080",
    ),
    "a name for pods": (
        lambda: shop().policy(cilium("frontend", "egress: [{toFQDNs: [{matchName: cart.shop.svc}]}]")),
        "cart.shop.svc in toFQDNs selects nothing inside the cluster; select cart by labels",
    ),
}


@pytest.mark.parametrize("story", REASONS)
def test_the_reason_of(story: str) -> None:
    cluster, said = REASONS[story]
    report = cluster().ask(Q)
    reasons = [str(blocker.because) for blocker in report.blockers() if blocker.hop and "policy" in blocker.hop]
    assert reasons == [said]


def test_a_ping_needs_a_rule_of_its_own() -> None:
    policy = cilium("cart", f"ingress: [{{{FRONTEND}, toPorts: [{{ports: [{{port: '8080'}}]}}]}}]")
    report = shop().policy(policy).ask("why shop/frontend shop/deploy/cart icmp")
    assert str(report.headline.reason) == "the-policy allows ports, which never cover ping; that needs an icmps rule"


def test_long_names_and_long_lists_leave_the_reason_short() -> None:
    peers = ", ".join(f"{{matchLabels: {{app: an-application-with-a-long-name-{number}}}}}" for number in range(30))
    rules = f"egress: [{{toEndpoints: [{peers}], toPorts: [{{ports: [{{port: '5432'}}]}}]}}]"
    report = shop().policy(cilium("frontend", rules, name="a-policy-with-a-long-name" * 3)).ask(Q)
    reason = str(next(blocker.because for blocker in report.blockers() if blocker.hop == "egress-policy"))
    assert len(reason) <= LONGEST_REASON
    assert "cart 8080" in reason
