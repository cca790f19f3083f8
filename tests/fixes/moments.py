"""Moments of one connection: denied and dropped, and what may have become of it."""

from dataclasses import replace
from functools import cache

from handlers.model.change import Change
from handlers.model.parts import Part
from handlers.model.report import Report
from tests.knowledge.build import Cluster, ago, allow_from, deny_all, shop

A, B = "shop/frontend-1", "shop/cart-1"
ASKED = "why shop/frontend shop/cart 8080"
LOOKED = 300
"""Seconds ago: when the report before was made."""
CHANGED = 180
"""Seconds ago: when somebody changed something."""
WRONG_PORT = allow_from("shop", "cart", "frontend", 9090)
DENY = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: no-frontend, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: cart}}
  ingressDeny: [{fromEndpoints: [{matchLabels: {app: frontend}}]}]
"""


def by(kind: str, name: str, manager: str, at: float = CHANGED, *fields: str) -> Change:
    return Change(kind, "shop", name, manager, ago(at), False, fields or ("spec.ingress",))


def edited(cluster: Cluster, name: str, manager: str = "kubectl-edit", at: float = CHANGED) -> Cluster:
    """Say of a policy who changed it."""
    cluster.policies = [
        replace(one, changed_at=ago(at), changes=(by(one.kind, name, manager, at),)) if one.name == name else one
        for one in cluster.policies
    ]
    return cluster


@cache
def before() -> Report:
    """Denied by default, and seen to be dropped; the report that proposed a patch."""
    return at_first(shop().policy(deny_all("shop", "cart")).dropped(A, B, 8080, at=LOOKED + 20))


def at_first(cluster: Cluster) -> Report:
    return replace(cluster.ask(ASKED), taken_at=ago(LOOKED))


def denied() -> Cluster:
    return shop().policy(deny_all("shop", "cart"))


def opened() -> Cluster:
    """As the patch has it: an allow beside the default deny, by kubectl-edit."""
    return edited(denied().policy(allow_from("shop", "cart", "frontend", 8080)), "allow")


def unrealised(cluster: Cluster) -> Cluster:
    behind = cluster.agent_endpoints("n2", state="regenerating", desired_revision=5, realized_revision=4)
    return cluster.agent("n2", Part.AGENT_ENDPOINTS, behind)


def unheard(node: str, cluster: Cluster) -> Cluster:
    cluster.silent[node] = "it did not answer"
    return cluster
