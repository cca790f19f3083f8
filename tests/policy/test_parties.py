"""Who an end is, whichever way it is known: by its labels, by an entity's name, as a pod, as an end of a flow."""

import pytest

from handlers.model.cluster import CiliumEndpoint, Pod, PodPort
from handlers.model.decision import Verdict
from handlers.model.endpoint import Entity, EntityName
from handlers.model.flow import FlowEnd
from handlers.model.labels import LabelSet
from handlers.model.party import MissingFact, NamedPort, Party, PartyKind
from handlers.model.reserved import RESERVED_IDENTITIES
from handlers.model.rule import Direction
from handlers.names.grammar import end_of
from handlers.policy import PolicyConfig
from handlers.policy.entities import ENTITIES, entities_of, entity_of_kind, entity_selectors, kind_of, telling_labels
from handlers.policy.parties import (
    party_of_endpoint,
    party_of_flow_end,
    party_of_host_name,
    party_of_labels,
    party_of_pod,
)
from tests.policy.worlds import CART, NODES, cnp, policies, surroundings, tcp

SINGLE, DUAL = PolicyConfig(), PolicyConfig(ipv6=True)
SHOP_CART = ("k8s:app=cart", "k8s:io.kubernetes.pod.namespace=shop")


def flow_end(*labels: str, pod: str = "", ip: str = "10.0.0.2") -> FlowEnd:
    namespace, _, name = pod.partition("/")
    return FlowEnd(ip, None, 0, namespace, name, labels)


def seen(end: FlowEnd) -> Party:
    return party_of_flow_end(end, node="n2", host_labels=LabelSet.parse(("reserved:host", "k8s:role=control")))


@pytest.mark.parametrize(
    ("labels", "kind", "entities"),
    [
        pytest.param("host", PartyKind.HOST, "host", id="own-node"),
        pytest.param("host kube-apiserver", PartyKind.HOST, "kube-apiserver host", id="api-server-on-own-node"),
        pytest.param(
            "kube-apiserver remote-node",
            PartyKind.KUBE_APISERVER,
            "kube-apiserver remote-node",
            id="api-server-on-another-node",
        ),
        pytest.param("kube-apiserver world", PartyKind.OUTSIDE, "kube-apiserver world", id="api-server-outside"),
        pytest.param("kube-apiserver world-ipv6", PartyKind.OUTSIDE, "kube-apiserver world", id="api-server-over-ipv6"),
        pytest.param("remote-node", PartyKind.REMOTE_NODE, "remote-node", id="another-node"),
        pytest.param("health", PartyKind.HEALTH, "health", id="health-endpoint"),
        pytest.param("ingress", PartyKind.INGRESS, "ingress", id="proxy-of-ingress"),
        pytest.param("init", PartyKind.INIT, "init", id="endpoint-without-labels-yet"),
        pytest.param("unmanaged", PartyKind.UNMANAGED, "unmanaged", id="pod-that-cilium-does-not-manage"),
        pytest.param("world-ipv4", PartyKind.OUTSIDE, "world", id="world-with-dual-stack"),
    ],
)
def test_reserved_labels_say_what_an_end_is(labels: str, kind: PartyKind, entities: str) -> None:
    borne = LabelSet.reserved(*labels.split())
    assert kind_of(borne) is kind
    named = [name for name in entities_of(borne, entity_selectors("default")) if name != "cluster"]
    assert named == entities.split()


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(SHOP_CART, id="a-pod"),
        pytest.param(("k8s:host", "k8s:init=yes", "k8s:world"), id="a-pod-with-labels-that-only-look-reserved"),
        pytest.param(("reserved:unknown",), id="an-identity-that-the-agent-did-not-know"),
        pytest.param((), id="no-labels"),
    ],
)
def test_no_other_label_says_what_an_end_is(labels: tuple[str, ...]) -> None:
    assert kind_of(LabelSet.parse(labels)) is None


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("config", [pytest.param(SINGLE, id="single-stack"), pytest.param(DUAL, id="dual-stack")])
@pytest.mark.parametrize("entity", EntityName)
def test_an_entity_that_can_be_asked_about_is_that_entity_to_policy(
    entity: EntityName, config: PolicyConfig, version: int
) -> None:
    assert end_of(str(entity)) == Entity(entity)
    party = policies("", config=config).party_of_entity(entity, ip_version=version)
    assert entities_of(party.labels, entity_selectors("default"))[0] == entity
    assert kind_of(party.labels) is party.kind is ENTITIES[entity].kind
    assert entity_of_kind(party.kind) is entity
    assert not set(telling_labels(entity)).isdisjoint(party.labels.strings())
    assert str(party) == entity


def test_every_entity_has_a_fixed_identity() -> None:
    assert {name for name, _ in RESERVED_IDENTITIES.values()} - set(EntityName) == {
        "unknown",
        "world-ipv4",
        "world-ipv6",
        "overlay",
    }
    assert set(EntityName) < {name for name, _ in RESERVED_IDENTITIES.values()}


TO_API_SERVER = cnp("{endpointSelector: {}, egress: [{toEntities: [kube-apiserver]}]}")
TO_REMOTE = cnp("{endpointSelector: {}, egress: [{toEntities: [remote-node]}]}")


@pytest.mark.parametrize(
    ("entity", "beside", "text", "verdict"),
    [
        pytest.param("host", "n2", TO_API_SERVER, Verdict.ALLOWED, id="own-node-is-the-api-server's"),
        pytest.param("host", "n1", TO_API_SERVER, Verdict.DENIED, id="own-node-is-not-the-api-server's"),
        pytest.param("host", "", TO_API_SERVER, Verdict.DENIED, id="own-node-is-not-known"),
        pytest.param("kube-apiserver", "n1", TO_API_SERVER, Verdict.ALLOWED, id="the-api-server-by-its-name"),
        pytest.param("kube-apiserver", "n1", TO_REMOTE, Verdict.ALLOWED, id="the-api-server-as-a-node"),
        pytest.param("remote-node", "n1", TO_API_SERVER, Verdict.DENIED, id="a-node-that-is-not-the-api-server's"),
    ],
)
def test_the_api_server_and_the_nodes(entity: str, beside: str, text: str, verdict: Verdict) -> None:
    loaded = policies(text)
    party = loaded.party_of_entity(EntityName(entity), beside=beside)
    assert loaded.decide(Direction.EGRESS, CART, party, tcp(6443)).verdict is verdict


def test_the_world_in_each_ip_version_meets_its_own_prefixes() -> None:
    loaded = policies(cnp("{endpointSelector: {}, ingress: [{fromCIDR: [0.0.0.0/0]}]}"), config=DUAL)
    verdicts = [
        loaded.decide(Direction.INGRESS, CART, world, tcp(80)).verdict
        for world in (loaded.party_of_entity(EntityName.WORLD, ip_version=version) for version in (4, 6))
    ]
    assert verdicts == [Verdict.ALLOWED, Verdict.DENIED]


@pytest.mark.parametrize(
    ("end", "kind", "name", "managed"),
    [
        pytest.param(flow_end(*SHOP_CART, pod="shop/cart-1"), PartyKind.ENDPOINT, "shop/cart-1", True, id="a-pod"),
        pytest.param(flow_end(*SHOP_CART), PartyKind.ENDPOINT, "10.0.0.2", True, id="a-pod-that-nobody-names"),
        pytest.param(flow_end("reserved:init", pod="shop/new"), PartyKind.INIT, "shop/new", True, id="a-new-pod"),
        pytest.param(flow_end("reserved:unmanaged"), PartyKind.UNMANAGED, "10.0.0.2", False, id="an-unmanaged-pod"),
        pytest.param(flow_end("reserved:health"), PartyKind.HEALTH, "10.0.0.2", True, id="the-health-endpoint"),
        pytest.param(flow_end("reserved:unknown"), PartyKind.OUTSIDE, "10.0.0.2", False, id="nobody-knows-whom"),
        pytest.param(flow_end("cidr:1.2.3.0/24", "reserved:world"), PartyKind.OUTSIDE, "10.0.0.2", False, id="outside"),
    ],
)
def test_an_end_of_a_flow(end: FlowEnd, kind: PartyKind, name: str, managed: bool) -> None:
    party = seen(end)
    assert (party.kind, party.name, party.managed, party.node) == (kind, name, managed, "n2")
    assert party.labels == LabelSet.parse(end.labels)


def test_the_host_in_a_flow_keeps_what_its_node_says_of_it() -> None:
    host = seen(flow_end("reserved:host", "reserved:kube-apiserver"))
    loaded = policies(TO_API_SERVER)
    assert loaded.decide(Direction.EGRESS, CART, host, tcp(6443)).verdict is Verdict.ALLOWED
    assert host.host_labels == loaded.party_of_node(NODES[1]).host_labels


def test_a_pod_and_its_endpoint_alone_are_one_party() -> None:
    named = (PodPort("http", 8080, "TCP"),)
    endpoint = CiliumEndpoint("shop", "cart-1", 7, 20_001, SHOP_CART, ("10.244.0.7",), "10.0.0.1", named, "ready")
    pod = Pod(
        namespace="shop",
        name="cart-1",
        labels={"app": "cart"},
        ips=("10.244.0.7",),
        node="n1",
        phase="Running",
        ready=True,
        ports=(PodPort("http", 8080, "TCP"), PodPort(None, 9090, "TCP")),
        service_account="default",
        host_network=False,
        owner=None,
    )
    party = party_of_pod(pod, LabelSet.parse(SHOP_CART), identity=20_001, audit=True)
    alone = party_of_endpoint(endpoint, node="n1", audit=True)
    assert (party.named_ports, alone.named_ports) == ((NamedPort("http", 8080),),) * 2
    assert party.unfiltered == (("app", "cart"),)
    # What the pod's own labels are, identity or not, only the pod tells.
    assert party.unfiltered != alone.unfiltered
    same = ("kind", "labels", "name", "ips", "node", "managed", "identity", "audit")
    assert [getattr(party, field) for field in same] == [getattr(alone, field) for field in same]


@pytest.mark.parametrize(
    ("labels", "kind", "managed"),
    [
        pytest.param(SHOP_CART, PartyKind.ENDPOINT, True, id="of-a-pod"),
        pytest.param(("reserved:init",), PartyKind.INIT, True, id="of-an-endpoint-that-starts"),
        pytest.param(("reserved:remote-node",), PartyKind.REMOTE_NODE, False, id="of-a-node"),
    ],
)
def test_whoever_bears_an_identity(labels: tuple[str, ...], kind: PartyKind, managed: bool) -> None:
    party = party_of_labels(LabelSet.parse(labels))
    assert (party.kind, party.managed) == (kind, managed)


def test_a_node_that_was_not_read_is_some_other_node() -> None:
    party = policies("").party_of_node_named("n9", title="pod kube-system/agent", ips=("10.0.0.9",))
    assert (party.kind, party.labels.strings(), party.managed) == (
        PartyKind.REMOTE_NODE,
        ("reserved:remote-node",),
        False,
    )
    assert policies("").party_of_node_named("n2", title="").labels.has_reserved("kube-apiserver")


TO_NODES = cnp("{endpointSelector: {}, egress: [{toNodes: [{matchLabels: {role: worker}}]}]}")
HOST_POLICY = (
    "{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: hosts}, "
    "spec: {nodeSelector: {matchLabels: {role: worker}}, ingress: [{fromEntities: [cluster]}]}}"
)


@pytest.mark.parametrize(
    ("text", "ips", "verdict", "missing"),
    [
        pytest.param(TO_API_SERVER, (), Verdict.UNKNOWN, (MissingFact.KUBE_APISERVER,), id="no-address"),
        pytest.param(TO_API_SERVER, ("10.0.0.9",), Verdict.DENIED, (), id="the-address-is-another"),
        pytest.param(TO_API_SERVER, ("10.0.0.2",), Verdict.ALLOWED, (), id="the-address-is-the-api-servers"),
        pytest.param(TO_NODES, ("10.0.0.9",), Verdict.UNKNOWN, (MissingFact.NODES,), id="by-labels-that-nobody-read"),
    ],
)
def test_a_node_that_was_not_read_may_be_the_one_that_a_rule_means(
    text: str, ips: tuple[str, ...], verdict: Verdict, missing: tuple[MissingFact, ...]
) -> None:
    loaded = policies(text, config=PolicyConfig(node_selector_labels=True))
    node = loaded.party_of_node_named("n9", title="n9", ips=ips)
    decision = loaded.decide(Direction.EGRESS, CART, node, tcp(443))
    assert (decision.verdict, decision.missing) == (verdict, missing)


def test_the_host_policy_of_a_node_that_was_not_read_is_not_known() -> None:
    sides = []
    for firewall in (True, False):
        loaded = policies(HOST_POLICY, config=PolicyConfig(host_firewall=firewall))
        node = loaded.party_of_node_named("n9", title="n9", ips=("10.0.0.9",))
        sides.append(loaded.decide(Direction.INGRESS, node, CART, tcp(22)).verdict)
    assert sides == [Verdict.UNKNOWN, Verdict.NOT_APPLICABLE]


OPEN_TO_CART = cnp("{endpointSelector: {matchLabels: {app: cart}}, ingress: [{fromEndpoints: [{}]}]}")


@pytest.mark.parametrize(
    ("identity", "text", "ingress", "egress"),
    [
        pytest.param(20_001, OPEN_TO_CART, Verdict.UNKNOWN, Verdict.UNKNOWN, id="a-policy-may-select-it"),
        pytest.param(None, OPEN_TO_CART, Verdict.UNKNOWN, Verdict.UNKNOWN, id="not-even-a-number"),
        pytest.param(20_001, OPEN_TO_CART.replace("shop", "far"), Verdict.ALLOWED, Verdict.ALLOWED, id="none-can"),
        pytest.param(5, OPEN_TO_CART, Verdict.DENIED, Verdict.DENIED, id="the-number-says-init"),
    ],
)
def test_an_endpoint_without_labels_is_not_one_that_no_rule_selects(
    identity: int | None, text: str, ingress: Verdict, egress: Verdict
) -> None:
    endpoint = CiliumEndpoint("shop", "new-1", None, identity, (), ("10.244.0.8",), None, (), "creating")
    party, loaded = party_of_endpoint(endpoint), policies(text)
    # As the subject, its labels are what decides; as the peer, too.
    assert loaded.decide(Direction.INGRESS, party, CART, tcp(80)).verdict is ingress
    assert loaded.decide(Direction.INGRESS, CART, party, tcp(80)).verdict is egress


def test_a_name_without_an_address_leaves_prefixes_open() -> None:
    loaded = policies(cnp("{endpointSelector: {}, egress: [{toCIDR: [203.0.113.0/24]}]}"), around=surroundings())
    party = party_of_host_name("api.example.com", loaded.addresses)
    decision = loaded.decide(Direction.EGRESS, CART, party, tcp(443))
    assert (decision.verdict, decision.missing) == (Verdict.UNKNOWN, (MissingFact.ADDRESS,))
