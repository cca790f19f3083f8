"""Made-up policies and clusters: small, and rich in what interacts."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from handlers.model.labels import LabelSet
from handlers.model.party import MissingFact, NamedPort, Party, PartyKind
from handlers.model.traffic import Protocol, Traffic
from handlers.policy import PolicyConfig, PolicySet, Version
from handlers.policy.config import Enforcement
from tests.policy.worlds import NODES, pod

APPS = ("web", "api", "db")
SPACES = ("shop", "payments")
ports_entry = st.one_of(
    st.builds(
        lambda port, protocol: {"port": port, "protocol": protocol},
        st.sampled_from(["80", "443", "8080", "http", "twice", "0"]),
        st.sampled_from(["TCP", "UDP", "ANY", "SCTP"]),
    ),
    st.just({"port": "8000", "endPort": 8100, "protocol": "TCP"}),
    st.just({"port": "http", "endPort": 9000, "protocol": "TCP"}),
)


def proxied_ports(side: str) -> st.SearchStrategy[dict[str, object]]:
    """Draw ports whose traffic a proxy takes, in kinds that contradict each other."""
    web = [{"port": "8080", "protocol": "TCP"}]
    kinds: list[dict[str, object]] = [
        {"ports": web, "rules": {"http": [{"path": "/a"}]}},
        {"ports": web, "rules": {"http": [{}]}},
        {"ports": web, "rules": {"kafka": [{"topic": "t"}]}},
        {"ports": [{"port": "8000", "endPort": 8100, "protocol": "TCP"}], "rules": {"http": [{"method": "GET"}]}},
    ]
    if side == "to":
        kinds.append({"ports": [{"port": "80", "protocol": "UDP"}], "rules": {"dns": [{"matchPattern": "*"}]}})
        kinds.append({"ports": web, "serverNames": ["example.com"]})
    return st.sampled_from(kinds)


plain_ports = st.builds(lambda ports: {"ports": ports}, st.lists(ports_entry, min_size=1, max_size=2))


labels = st.one_of(
    st.just({}),
    st.builds(lambda app: {"matchLabels": {"app": app}}, st.sampled_from(APPS)),
    st.builds(
        lambda app: {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": [app]}]}, st.sampled_from(APPS)
    ),
    st.builds(lambda space: {"matchLabels": {"k8s:io.kubernetes.pod.namespace": space}}, st.sampled_from(SPACES)),
    st.just({"matchExpressions": [{"key": "pod-template-hash", "operator": "Exists"}]}),
)


def peers(side: str) -> st.SearchStrategy[dict[str, object]]:
    outside = [
        {f"{side}CIDR": ["203.0.113.0/24"]},
        {f"{side}CIDRSet": [{"cidr": "0.0.0.0/0", "except": ["203.0.113.0/28"]}]},
        {f"{side}CIDRSet": [{"cidrGroupRef": "office"}]},
        {f"{side}Endpoints": []},
        {},
    ]
    if side == "to":
        outside += [
            {"toFQDNs": [{"matchName": "api.example.com"}]},
            {"toServices": [{"k8sService": {"serviceName": "ledger", "namespace": "payments"}}]},
            {"toServices": [{"k8sService": {"serviceName": "gone", "namespace": "payments"}}]},
        ]
    return st.one_of(
        st.builds(lambda one: {f"{side}Endpoints": one}, st.lists(labels, min_size=1, max_size=2)),
        st.just({f"{side}Endpoints": [{}]}),
        st.just({f"{side}Entities": ["all"]}),
        st.builds(
            lambda one: {f"{side}Entities": [one]},
            st.sampled_from(["world", "host", "cluster", "all", "remote-node", "kube-apiserver"]),
        ),
        st.sampled_from(outside),
    )


def rules(side: str, *, allow: bool) -> st.SearchStrategy[dict[str, object]]:
    proxied = proxied_ports(side) if allow else plain_ports
    ports = st.lists(st.one_of(plain_ports, proxied), min_size=1, max_size=2)
    icmp = st.builds(
        lambda peer, kind: {**peer, "icmps": [{"fields": [{"type": kind, "family": "IPv4"}]}]},
        peers(side),
        st.sampled_from([0, 8]),
    )
    authenticated = st.builds(
        lambda peer, mode: {**peer, "authentication": {"mode": mode}},
        peers(side),
        st.sampled_from(["required", "disabled"]),
    )
    kinds = [
        peers(side),
        icmp,
        st.builds(lambda peer, entries: {**peer, "toPorts": entries}, peers(side), ports),
        st.builds(lambda entries: {f"{side}Endpoints": [{}], "toPorts": entries}, ports),
    ]
    return st.one_of(*kinds, *([authenticated] if allow else []))


SECTIONS = (
    (("ingress", "from", True),),
    (("egress", "to", True),),
    (("ingress", "from", True), ("egress", "to", True)),
    (("ingress", "from", True), ("ingressDeny", "from", False)),
    (("egress", "to", True), ("egressDeny", "to", False)),
)


@st.composite
def policy(draw: st.DrawFn, number: int = 0) -> dict[str, Any]:
    wide = draw(st.integers(0, 3)) == 0
    on_nodes = wide and draw(st.integers(0, 3)) == 0
    spec: dict[str, object] = {"nodeSelector" if on_nodes else "endpointSelector": {} if on_nodes else draw(labels)}
    chosen = draw(st.sampled_from(SECTIONS))
    for section, side, allow in chosen:
        spec[section] = draw(st.lists(rules(side, allow=allow), min_size=1, max_size=3))
    if draw(st.integers(0, 3)) == 0:
        spec["enableDefaultDeny"] = {"ingress": draw(st.booleans()), "egress": draw(st.booleans())}
    metadata = {"name": f"p{number}"} if wide else {"name": f"p{number}", "namespace": draw(st.sampled_from(SPACES))}
    kind = "CiliumClusterwideNetworkPolicy" if wide else "CiliumNetworkPolicy"
    return {"apiVersion": "cilium.io/v2", "kind": kind, "metadata": metadata, "spec": spec}


network_policy = st.builds(
    lambda space, subject, peer, ports, types: {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "np", "namespace": space},
        "spec": {"podSelector": subject, "policyTypes": types, "ingress": [{"from": peer, "ports": ports}]},
    },
    st.sampled_from(SPACES),
    st.sampled_from([{}, {"matchLabels": {"app": "web"}}]),
    st.lists(
        st.sampled_from(
            [
                {"podSelector": {}},
                {"namespaceSelector": {}},
                {"ipBlock": {"cidr": "203.0.113.0/24"}},
                {"namespaceSelector": {"matchLabels": {"env": "prod"}}, "podSelector": {"matchLabels": {"app": "db"}}},
            ]
        ),
        max_size=2,
    ),
    st.lists(st.sampled_from([{"port": 8080}, {"port": "http"}, {"protocol": "UDP"}]), max_size=2),
    st.sampled_from([["Ingress"], ["Ingress", "Egress"]]),
)

config = st.builds(
    PolicyConfig,
    version=st.sampled_from([Version(1, 19), Version(1, 19), Version(1, 16), Version(1, 18)]),
    enforcement=st.sampled_from([*[Enforcement.DEFAULT] * 6, Enforcement.ALWAYS, Enforcement.NEVER]),
    always_allow_localhost=st.booleans(),
    host_firewall=st.booleans(),
    cidr_matches_nodes=st.booleans(),
    node_selector_labels=st.booleans(),
    default_local_cluster=st.booleans(),
)
TRAFFICS = (
    Traffic(Protocol.TCP, 80),
    Traffic(Protocol.TCP, 8080),
    Traffic(Protocol.TCP, 8080),
    Traffic(Protocol.TCP, 8081),
    Traffic(Protocol.UDP, 80),
    Traffic(Protocol.SCTP, 7),
    Traffic(Protocol.ICMP, 8),
    Traffic(Protocol.ICMPV6, 128),
)
READ_OR_NOT = st.fixed_dictionaries(
    {},
    optional={
        "services": st.none(),
        "cidr_groups": st.none(),
        "kube_apiserver": st.none(),
        "named_ports": st.none(),
    },
)


def everybody(policies: PolicySet, *, unread: bool) -> tuple[Party, ...]:
    """Give pods on two nodes, a pod of another cluster, nodes, entities, and the outside."""
    pods = [
        pod("shop/web", node="n1", ports=[NamedPort("http", 8080)]),
        pod("shop/api", node="n2", ports=[NamedPort("http", 80)]),
        pod("payments/db", node="n2"),
        pod("payments/web", node="n1", cluster="other"),
    ]
    if unread:
        pods[0] = replace(pods[0], named_ports=None)
    ips = ["203.0.113.5", "203.0.113.77", "198.51.100.9", "192.0.2.1"]
    outside = [policies.party_of_ip(ip) for ip in ips]
    if unread:
        outside[0] = replace(outside[0], fqdn_names=None, missing=outside[0].missing | {MissingFact.DNS_NAMES})
    host = Party(PartyKind.HOST, LabelSet.reserved("host"), name="host", managed=False)
    init = Party(PartyKind.INIT, LabelSet.reserved("init"), name="init")
    return (*pods, *(policies.party_of_node(node) for node in NODES), host, init, *outside)
