"""A small cluster in short words, and policies written as people write them."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from handlers.model.decision import Decision
from handlers.model.labels import pod_identity_labels
from handlers.model.party import NamedPort, Party, PartyKind
from handlers.model.rule import Direction
from handlers.model.traffic import HttpRequest, Protocol, Traffic
from handlers.policy import CidrGroup, Node, PolicyConfig, PolicySet, Service, Surroundings, compile_policies

NAMESPACE_LABELS: Mapping[str, Mapping[str, str]] = {
    "shop": {"kubernetes.io/metadata.name": "shop", "env": "prod"},
    "payments": {"kubernetes.io/metadata.name": "payments", "env": "prod", "team": "money"},
    "monitoring": {"kubernetes.io/metadata.name": "monitoring"},
}
NODES = (
    Node("n1", ("10.0.0.1", "fd00::1"), {"role": "worker"}),
    Node("n2", ("10.0.0.2", "fd00::2"), {"role": "control"}),
)
SERVICES = (
    Service("payments", "ledger", {"tier": "core"}, {"app": "ledger"}),
    Service("shop", "legacy", {}, {}, ("203.0.113.9",)),
)
GROUPS = (CidrGroup("office", {"place": "office"}, ("198.51.100.0/24",)),)
FQDN = {"api.example.com": ("203.0.113.5",), "other.example.com": ("203.0.113.6",)}


def surroundings(**changes: Any) -> Surroundings:
    facts: dict[str, Any] = {
        "services": SERVICES,
        "cidr_groups": GROUPS,
        "nodes": NODES,
        "kube_apiserver": ("10.0.0.2",),
        "fqdn_cache": FQDN,
        "named_ports": (NamedPort("http", 8080), NamedPort("twice", 1), NamedPort("twice", 2)),
    }
    return Surroundings(**{**facts, **changes})


def pod(
    name: str, *, node: str = "n1", ports: Sequence[NamedPort] = (), cluster: str = "default", **labels: str
) -> Party:
    """Make a pod from ``namespace/name``, with the name as its label ``app``; underscores in keys stand for dashes."""
    namespace, _, short = name.partition("/")
    pod_labels = {key.replace("_", "-"): value for key, value in {"app": short, **labels}.items()}
    return Party(
        kind=PartyKind.ENDPOINT,
        labels=pod_identity_labels(
            pod_labels=pod_labels,
            namespace=namespace,
            namespace_labels=NAMESPACE_LABELS.get(namespace, {}),
            service_account="default",
            cluster=cluster,
        ),
        name=name,
        ips=(f"10.244.0.{sum(map(ord, name)) % 250}",),
        node=node,
        managed=cluster == "default",
        named_ports=tuple(ports),
        unfiltered=tuple(pod_labels.items()),
    )


def documents(text: str) -> list[Any]:
    return [document for document in yaml.safe_load_all(text) if document]


def policies(text: str, *, config: PolicyConfig | None = None, around: Surroundings | None = None) -> PolicySet:
    return compile_policies(documents(text), config=config or PolicyConfig(), surroundings=around or surroundings())


def cnp(spec: str, name: str = "rule", namespace: str = "shop") -> str:
    """Write a CiliumNetworkPolicy around a spec in flow style."""
    return (
        f"{{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, "
        f"metadata: {{name: {name}, namespace: {namespace}}}, spec: {spec}}}\n---\n"
    )


def ccnp(spec: str, name: str = "wide") -> str:
    return (
        f"{{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {{name: {name}}}, "
        f"spec: {spec}}}\n---\n"
    )


def np(spec: str, name: str = "np", namespace: str = "shop") -> str:
    return (
        f"{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, "
        f"metadata: {{name: {name}, namespace: {namespace}}}, spec: {spec}}}\n---\n"
    )


def tcp(port: int, http: HttpRequest | None = None) -> Traffic:
    return Traffic(Protocol.TCP, port, http)


def udp(port: int) -> Traffic:
    return Traffic(Protocol.UDP, port)


def ping() -> Traffic:
    return Traffic(Protocol.ICMP, 8)


def request(path: str, method: str = "GET", host: str = "cart", **headers: str) -> HttpRequest:
    return HttpRequest(method, path, host, tuple((key.replace("_", "-"), value) for key, value in headers.items()))


CART = pod("shop/cart", ports=[NamedPort("http", 8080), NamedPort("dns", 53, "UDP")], node="n1")
FRONTEND = pod("shop/frontend", node="n2")
LEDGER = pod("payments/ledger", node="n2")
PROMETHEUS = pod("monitoring/prometheus", node="n2")


def into(subject: Party, peer: Party, traffic: Traffic, text: str, **options: Any) -> Decision:
    """Ask the ingress side of the subject."""
    return policies(text, **options).decide(Direction.INGRESS, subject, peer, traffic)


def out_of(subject: Party, peer: Party, traffic: Traffic, text: str, **options: Any) -> Decision:
    """Ask the egress side of the subject."""
    return policies(text, **options).decide(Direction.EGRESS, subject, peer, traffic)


def address(text: str, ip: str, **options: Any) -> Party:
    """Give the party that an address is while these policies are loaded."""
    return policies(text, **options).party_of_ip(ip)
