"""Clusters and policies by seed, of the mixture that real clusters have."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from handlers.model.labels import pod_identity_labels
from handlers.model.party import NamedPort, Party, PartyKind
from handlers.policy import Surroundings

PODS_OF_A_NAMESPACE = 25
APPS = [f"app-{number}" for number in range(12)]
PORTS = [80, 443, 3000, 3306, 5432, 5672, 6379, 8000, 8080, 8081, 8443, 9000, 9090, 9092, 9100, 9200, 11211, 27017]
NAMED = {"http": 8080, "metrics": 9090, "grpc": 9000}
Manifest = dict[str, object]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The identities of a cluster, its policies, and what they refer to."""

    parties: tuple[Party, ...]
    policies: tuple[Manifest, ...]
    surroundings: Surroundings


def make_cluster(identities: int, policies: int, *, seed: int = 1) -> Cluster:
    """Make a cluster: about 25 identities in each namespace, and policies as people write them."""
    chance = random.Random(seed)
    namespaces = [f"team-{number}" for number in range(max(1, identities // PODS_OF_A_NAMESPACE))]
    labels_of = {
        name: {"kubernetes.io/metadata.name": name, "env": chance.choice(["prod", "stage", "dev"])}
        for name in namespaces
    }
    ports = tuple(NamedPort(name, port) for name, port in NAMED.items())
    parties = []
    for number in range(identities):
        namespace = namespaces[number % len(namespaces)]
        labels = {
            "app": chance.choice(APPS),
            "tier": chance.choice(["front", "back", "data"]),
            "version": f"v{chance.randrange(3)}",
            "instance": f"i{number}",
        }
        parties.append(
            Party(
                kind=PartyKind.ENDPOINT,
                labels=pod_identity_labels(
                    pod_labels=labels,
                    namespace=namespace,
                    namespace_labels=labels_of[namespace],
                    service_account="default",
                    cluster="default",
                ),
                name=f"{namespace}/pod-{number}",
                ips=(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",),
                named_ports=tuple(chance.sample(ports, 2)),
            )
        )
    made = tuple(_policy(number, namespaces, chance) for number in range(policies))
    around = Surroundings(
        services=(), cidr_groups=(), nodes=(), kube_apiserver=("10.255.0.1",), fqdn_cache={}, named_ports=ports
    )
    return Cluster(tuple(parties), made, around)


def _policy(number: int, namespaces: list[str], chance: random.Random) -> Manifest:
    namespace = chance.choice(namespaces)
    draw = chance.random()
    if draw < 0.35:
        return _network_policy(number, namespace, namespaces, chance)
    if draw < 0.95:
        return _cilium_policy(number, namespace, namespaces, chance)
    return _clusterwide_policy(number, chance)


def _named(kind: str, number: int, namespace: str | None, api: str, spec: Manifest) -> Manifest:
    metadata = {"name": f"policy-{number}", **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}


def _network_policy(number: int, namespace: str, namespaces: list[str], chance: random.Random) -> Manifest:
    peers: list[Manifest] = [{"podSelector": {"matchLabels": {"app": app}}} for app in chance.sample(APPS, 2)]
    if chance.random() < 0.4:
        other = chance.choice(namespaces)
        peers.append({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": other}}})
    rule: Manifest = {"from": peers}
    if chance.random() < 0.8:
        rule["ports"] = [{"port": port, "protocol": "TCP"} for port in chance.sample(PORTS, 2)]
    subject: Manifest = {} if chance.random() < 0.2 else {"matchLabels": {"app": chance.choice(APPS)}}
    spec: Manifest = {"podSelector": subject, "ingress": [rule]}
    return _named("NetworkPolicy", number, namespace, "networking.k8s.io/v1", spec)


def _cilium_policy(number: int, namespace: str, namespaces: list[str], chance: random.Random) -> Manifest:
    subject = {"matchLabels": {"app": chance.choice(APPS)}}
    if chance.random() < 0.3:
        subject["matchLabels"]["tier"] = chance.choice(["front", "back", "data"])
    spec: Manifest = {"endpointSelector": subject}
    if chance.random() < 0.8:
        spec["ingress"] = list(_ingress(namespaces, chance))
    if chance.random() < 0.4 or "ingress" not in spec:
        spec["egress"] = list(_egress(namespaces, chance))
    if chance.random() < 0.1:
        spec["ingressDeny"] = [{"fromEndpoints": [{"matchLabels": {"app": chance.choice(APPS)}}]}]
    return _named("CiliumNetworkPolicy", number, namespace, "cilium.io/v2", spec)


def _ingress(namespaces: list[str], chance: random.Random) -> Iterator[Manifest]:
    for _ in range(chance.randint(1, 3)):
        labels = {"app": chance.choice(APPS)}
        if chance.random() < 0.4:
            labels["k8s:io.kubernetes.pod.namespace"] = chance.choice(namespaces)
        yield {"fromEndpoints": [{"matchLabels": labels}], "toPorts": [_ports(chance)]}
    if chance.random() < 0.2:
        yield {"fromEntities": [chance.choice(["world", "cluster", "kube-apiserver"])]}


def _egress(namespaces: list[str], chance: random.Random) -> Iterator[Manifest]:
    dns = {"port": "53", "protocol": "ANY"}
    yield {
        "toEndpoints": [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": namespaces[0]}}],
        "toPorts": [{"ports": [dns], "rules": {"dns": [{"matchPattern": "*"}]}}],
    }
    for _ in range(chance.randint(1, 2)):
        labels = {"app": chance.choice(APPS), "k8s:io.kubernetes.pod.namespace": chance.choice(namespaces)}
        yield {"toEndpoints": [{"matchLabels": labels}], "toPorts": [_ports(chance)]}
    if chance.random() < 0.3:
        yield {"toCIDRSet": [{"cidr": f"203.{chance.randrange(256)}.0.0/16", "except": ["203.0.113.0/24"]}]}


def _ports(chance: random.Random) -> Manifest:
    draw = chance.random()
    if draw < 0.1:
        return {"ports": [{"port": "8000", "endPort": 8999, "protocol": "TCP"}]}
    if draw < 0.25:
        return {"ports": [{"port": chance.choice(list(NAMED)), "protocol": "TCP"}]}
    if draw < 0.4:
        port = {"port": str(chance.choice(PORTS)), "protocol": "TCP"}
        return {"ports": [port], "rules": {"http": [{"method": "GET", "path": "/api/.*"}]}}
    protocol = chance.choice(["TCP", "TCP", "TCP", "ANY"])
    return {"ports": [{"port": str(port), "protocol": protocol} for port in chance.sample(PORTS, 2)]}


def _clusterwide_policy(number: int, chance: random.Random) -> Manifest:
    subject: Manifest = {"matchLabels": {"app": chance.choice(APPS), "tier": chance.choice(["front", "back", "data"])}}
    draw = chance.random()
    if draw < 0.5:
        spec: Manifest = {"endpointSelector": subject, "ingress": [{"fromEntities": ["cluster"]}]}
    elif draw < 0.8:
        rule = {"fromEndpoints": [{"matchLabels": {"version": f"v{chance.randrange(3)}"}}], "toPorts": [_ports(chance)]}
        spec = {"endpointSelector": subject, "ingress": [rule]}
    else:
        denied = [{"toCIDR": ["169.254.169.254/32"]}, {"toEndpoints": [{"matchLabels": {"tier": "data"}}]}]
        spec = {"endpointSelector": subject, "egressDeny": denied, "egress": [{"toEntities": ["all"]}]}
    return _named("CiliumClusterwideNetworkPolicy", number, None, "cilium.io/v2", spec)
