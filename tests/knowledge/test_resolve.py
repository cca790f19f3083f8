"""What a name means: a table of names, and what the cluster has under each."""

from dataclasses import dataclass

import pytest

from handlers.model.endpoint import Kind
from handlers.model.facts import Facts
from handlers.model.parts import Part
from handlers.model.snapshot import Known, Snapshot
from handlers.model.traffic import Protocol
from handlers.names.grammar import End as Named
from handlers.names.grammar import items
from handlers.names.resolve import End, Meaning, Obstacle, Resolved, resolve
from tests.knowledge.build import NOW, Cluster, codes, shop
from tests.reading import in_words


def town() -> Cluster:
    """A cart that is a Service and a Deployment, a database that is a StatefulSet and a Job, and a lone pod."""
    return (
        shop()
        .pod("shop/db-0", of="db", kind=Kind.STATEFUL_SET)
        .pod("shop/db-x", of="db", kind=Kind.JOB)
        .pod("shop/lone")
        .pod("shop/done-1", of="done", kind=Kind.JOB, phase="Succeeded", ip="10.0.1.200")
        .pod("shop/agent-1", of="agent", kind=Kind.DAEMON_SET, host_network=True)
        .service("shop/metrics", "9090", selector={"app": "cart"}, ip="10.96.0.99", external_ips=("198.51.100.7",))
        .deploy("payments/ledger")
        .deploy("billing/ledger")
        .deploy("payments/mailer")
    )


@dataclass(frozen=True)
class Case:
    name: str
    meaning: Meaning | None
    title: str = ""
    end: End = End.DESTINATION
    port: int | None = None
    protocol: Protocol | None = None
    obstacle: Obstacle | None = None
    candidates: tuple[str, ...] = ()
    note: str = ""


CASES = {
    "both, no port: the Service": Case("shop/cart", Meaning.SERVICE, "Service shop/cart", note="shop/deploy/cart"),
    "both, its port: the Service": Case("shop/cart", Meaning.SERVICE, "Service shop/cart", port=80),
    "both, another port: the workload": Case(
        "shop/cart", Meaning.WORKLOAD, "Deployment shop/cart", port=8080, note="8080 is no port of"
    ),
    "both, its port over another protocol: the workload": Case(
        "shop/cart", Meaning.WORKLOAD, "Deployment shop/cart", port=80, protocol=Protocol.UDP
    ),
    "both, pinged: the workload": Case(
        "shop/cart", Meaning.WORKLOAD, "Deployment shop/cart", protocol=Protocol.ICMP, note="answers no ping"
    ),
    "both, as a source: the workload": Case("shop/cart", Meaning.WORKLOAD, "Deployment shop/cart", end=End.SOURCE),
    "the Service by kind, whatever the port": Case("shop/svc/cart", Meaning.SERVICE, "Service shop/cart", port=8080),
    "the workload by kind, though the port is the Service's": Case(
        "shop/deploy/cart", Meaning.WORKLOAD, "Deployment shop/cart", port=80
    ),
    "a Service alone": Case("shop/metrics", Meaning.SERVICE, "Service shop/metrics"),
    "a pod": Case("shop/lone", Meaning.POD, "pod shop/lone"),
    "a pod of a workload": Case("shop/cart-1", Meaning.POD, "pod shop/cart-1"),
    "two kinds of one name": Case(
        "shop/db", None, obstacle=Obstacle.SEVERAL, candidates=("shop/job/db", "shop/sts/db")
    ),
    "one of the two, by kind": Case("shop/sts/db", Meaning.WORKLOAD, "StatefulSet shop/db"),
    "a kind that does not carry the name": Case("shop/ds/cart", None, obstacle=Obstacle.NOTHING),
    "nothing, with the nearest spelling": Case("shop/crat", None, obstacle=Obstacle.NOTHING, candidates=("shop/cart",)),
    "in another namespace": Case("shop/mailer", None, obstacle=Obstacle.NOTHING, candidates=("payments/mailer",)),
    "a namespace misspelt": Case("shpo/cart", None, obstacle=Obstacle.NO_NAMESPACE, candidates=("shop/cart",)),
    "a node": Case("node/n2", Meaning.NODE, "node n2"),
    "no such node": Case("node/n22", None, obstacle=Obstacle.NOTHING, candidates=("node/n2",)),
    "the address of a Service": Case("10.96.0.99", Meaning.SERVICE, "Service shop/metrics", note="10.96.0.99 is"),
    "an outside address of a Service": Case("198.51.100.7", Meaning.SERVICE, "Service shop/metrics"),
    "the address of a node": Case("192.168.0.2", Meaning.NODE, "node n2"),
    "the address of cilium_host": Case("10.0.2.1", Meaning.NODE, "node n2"),
    "an address outside": Case("203.0.113.9", Meaning.OUTSIDE, "203.0.113.9"),
    "a range outside": Case("203.0.113.0/24", Meaning.OUTSIDE, "203.0.113.0/24"),
    "a Service's short DNS name": Case("cart.shop", Meaning.SERVICE, "Service shop/cart"),
    "a Service's DNS name with svc": Case("cart.shop.svc", Meaning.SERVICE, "Service shop/cart"),
    "a Service's whole DNS name": Case(
        "cart.shop.svc.cluster.local", Meaning.SERVICE, "Service shop/cart", note="is the name of"
    ),
    "a Service's DNS name misspelt": Case("crat.shop.svc.cluster.local", None, obstacle=Obstacle.NOTHING),
    "NAME.NAMESPACE of a workload without Service": Case(
        "mailer.payments", Meaning.WORKLOAD, "Deployment payments/mailer"
    ),
    "NAME.NAMESPACE that sends is the workload": Case(
        "cart.shop", Meaning.WORKLOAD, "Deployment shop/cart", end=End.SOURCE
    ),
    "NAME.NAMESPACE that is nobody": Case("crat.shop", None, obstacle=Obstacle.NOTHING, candidates=("shop/cart",)),
    "NAME.NAMESPACE that is nobody, as a source": Case(
        "crat.shop", None, end=End.SOURCE, obstacle=Obstacle.NOTHING, candidates=("shop/cart",)
    ),
    "a name outside cannot send": Case("api.stripe.com", None, end=End.SOURCE, obstacle=Obstacle.NOTHING),
    "a name outside": Case("api.stripe.com", Meaning.HOST_NAME, "api.stripe.com"),
    "two labels that are no Service": Case("stripe.com", Meaning.HOST_NAME, "stripe.com"),
}


def facts_of(cluster: Cluster) -> Facts:
    source = cluster.source()
    return Facts(Snapshot(NOW, "test", dict(source.parts)))


def reading(case: Case, facts: Facts) -> Resolved:
    (item,) = items(case.name)
    assert isinstance(item, Named)
    return resolve(item.name, facts, case.end, case.port, case.protocol)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_name_means(case: Case) -> None:
    found = reading(case, facts_of(town()))
    assert (found.meaning, found.obstacle) == (case.meaning, case.obstacle)
    assert case.title in found.title
    assert case.note in found.note
    for candidate in case.candidates:
        assert candidate in found.candidates


def test_the_nearest_spelling_stands_first() -> None:
    cluster = shop().deploy("shop/cartographer").deploy("shop/card")
    assert reading(Case("shop/crt", None), facts_of(cluster)).candidates[0] == "shop/cart"


BARE = {
    "a node has it": ("why n2 shop/cart 80", "open", "n2 is a node"),
    "one namespace has it": ("why mailer shop/cart", "open", "only payments has a mailer"),
    "two namespaces have it": ("why ledger shop/cart", "unknown", ""),
    "nobody has it": ("why nobody-here shop/cart", "unknown", ""),
}


@pytest.mark.parametrize(("question", "expected", "note"), BARE.values(), ids=BARE.keys())
def test_a_bare_name(question: str, expected: str, note: str) -> None:
    report = town().ask(question)
    assert report.expected == expected
    assert note in " ".join(report.notes)


def test_the_candidates_of_an_ambiguous_name_are_questions_to_ask() -> None:
    report = town().ask("why ledger shop/cart 80")
    assert report.candidates == ("why billing/ledger shop/cart 80", "why payments/ledger shop/cart 80")


def test_a_workload_without_pods_is_found_by_its_controller() -> None:
    cluster = shop().deploy("shop/asleep", replicas=0)
    report = cluster.ask("why shop/asleep shop/cart 80")
    assert report.expected == "blocked"
    assert "Deployment shop/asleep has no running pod" in in_words(report)


def test_an_entity_is_itself() -> None:
    report = shop().ask("why world shop/cart 80")
    assert "entity world" in in_words(report)


def test_the_address_of_a_pod_is_the_pod_and_no_name_is_looked_up() -> None:
    cluster = shop()
    address = next(pod.ips[0] for pod in cluster.pods if pod.name == "cart-1")
    report = cluster.ask(f"why shop/frontend {address} 8080")
    assert "shop/cart-1" in in_words(report)
    assert not [finding for finding in report.findings if finding.hop == "dns"]


def test_a_host_network_pod_s_address_is_its_node() -> None:
    report = town().ask("why shop/frontend 192.168.0.1 8080")
    assert "node n1" in in_words(report)


def test_an_unread_list_of_services_leaves_an_address_open() -> None:
    snapshot = Snapshot(
        NOW,
        "test",
        {part: value for part, value in town().source().parts.items() if part is not Part.ALL_SERVICES},
    )
    assert isinstance(snapshot.get(Part.SERVICES), Known)
    report = town().without(Part.ALL_SERVICES).ask("why shop/frontend 203.0.113.9 443")
    assert report.expected == "unknown"


@pytest.mark.parametrize("address", ["10.0.1.250", "10.0.1.200"], ids=["nobody's", "of a pod that has finished"])
def test_an_address_of_a_pod_range_that_no_pod_has_is_not_outside(address: str) -> None:
    report = town().ask(f"why shop/frontend {address} 80")
    assert report.expected != "open"
    assert "ADDRESS_GONE" in codes(report)
