"""One line for a tired person: what ought to be, crossed with what was seen, and why."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from handlers.model.parts import Part
from tests.knowledge.build import Cluster, allow_from, deny_all, shop
from tests.reading import in_words

A, B = "shop/frontend-1", "shop/cart-1"


def denied(changed: float = 3600, **options: str) -> Cluster:
    return shop(**options).policy(deny_all("shop", "cart"), changed=changed)


def allowed(changed: float = 3600) -> Cluster:
    return shop().policy(allow_from("shop", "cart", "frontend", 8080), changed=changed)


@dataclass(frozen=True)
class Cell:
    cluster: Callable[[], Cluster]
    expected: str
    observed: str
    parts: tuple[str, ...]
    never: tuple[str, ...] = ()


MATRIX = {
    "open, forwarded": Cell(
        lambda: allowed().worked(A, B, 8080),
        "open",
        "forwarded",
        ("can reach Service shop/cart on 80/TCP", "answers return, last at 11:59"),
        ("cannot", "but"),
    ),
    "open, forwarded, no answer": Cell(
        lambda: allowed().delivered(A, B, 8080),
        "open",
        "forwarded",
        ("can reach", "but", "Cilium delivered the packets; no policy is in the way"),
    ),
    "open, audited": Cell(
        lambda: denied(policy_audit_mode="true").audited(A, B, 8080),
        "open",
        "audited",
        ("can reach", "but deny-all denies all ingress; nothing lets in frontend on 8080"),
    ),
    "open, dropped before the change": Cell(
        lambda: allowed(changed=60).dropped(A, B, 8080, at=300),
        "open",
        "dropped",
        ("can reach", "now", "older than the last change of", "shop/allow", "last at 11:55:00"),
        ("does not reach",),
    ),
    "open, dropped for another reason": Cell(
        lambda: allowed().dropped(A, B, 8080, reason="CT_MAP_INSERTION_FAILED"),
        "open",
        "dropped",
        ("does not reach", "CT_MAP_INSERTION_FAILED"),
        ("can reach",),
    ),
    "open, nothing": Cell(allowed, "open", "nothing", ("Nothing checked stops", "nobody tried"), ("can reach",)),
    "open, no data": Cell(
        lambda: allowed().without(Part.FLOWS),
        "open",
        "no-data",
        ("Nothing checked stops", "but flows could not be read"),
        ("can reach",),
    ),
    "blocked, forwarded before the change": Cell(
        lambda: denied(changed=60).worked(A, B, 8080, at=300),
        "blocked",
        "forwarded",
        ("should not reach", "deny-all denies all ingress", "packets passed until", "was changed"),
    ),
    "blocked, forwarded after the change": Cell(
        lambda: denied().worked(A, B, 8080),
        "blocked",
        "forwarded",
        ("should not reach", "deny-all denies all ingress", "it passes"),
        ("cannot reach", "until"),
    ),
    "blocked, forwarded, agent behind": Cell(
        lambda: _behind(denied()).worked(A, B, 8080),
        "blocked",
        "forwarded",
        ("should not reach", "yet it passes", "still enforces the policy from before deny-all"),
    ),
    "blocked, dropped": Cell(
        lambda: denied().dropped(A, B, 8080),
        "blocked",
        "dropped",
        ("cannot reach Service shop/cart on 80/TCP", "deny-all denies all ingress; nothing lets in frontend on 8080"),
    ),
    "blocked, nothing": Cell(denied, "blocked", "nothing", ("cannot reach", "deny-all denies all ingress")),
    "blocked, no data": Cell(
        lambda: denied().without(Part.FLOWS), "blocked", "no-data", ("cannot reach", "deny-all denies all ingress")
    ),
    "refused by what runs there": Cell(
        lambda: allowed().sent(A, B, 8080).refused(A, B, 8080),
        "open",
        "forwarded",
        ("is refused by", "nothing listens on 8080/TCP of shop/cart"),
        ("should not", "cannot", "can reach"),
    ),
    "silence of what runs there": Cell(
        lambda: (
            allowed().delivered(A, B, 8080, at=90, client_port=40_001).delivered(A, B, 8080, at=60, client_port=40_002)
        ),
        "open",
        "forwarded",
        ("gets no answer from", "Cilium delivered the packets; no policy is in the way"),
        ("cannot", "can reach"),
    ),
    "unknown, forwarded": Cell(
        lambda: allowed().without(Part.POLICIES).worked(A, B, 8080),
        "unknown",
        "forwarded",
        ("was seen reaching", "policies could not be read"),
    ),
    "unknown, dropped": Cell(
        lambda: allowed().without(Part.POLICIES).dropped(A, B, 8080),
        "unknown",
        "dropped",
        ("does not reach", "POLICY_DENIED", "the cause cannot be told", "policies could not be read"),
    ),
    "unknown, nothing": Cell(
        lambda: allowed().without(Part.POLICIES),
        "unknown",
        "nothing",
        ("Cannot tell whether", "policies could not be read"),
    ),
    "unknown, no data": Cell(
        lambda: allowed().without(Part.POLICIES, Part.FLOWS),
        "unknown",
        "no-data",
        ("Cannot tell whether", "policies could not be read"),
    ),
}


def _behind(cluster: Cluster) -> Cluster:
    behind = cluster.agent_endpoints("n2", state="regenerating", desired_revision=5, realized_revision=4)
    return cluster.agent("n2", Part.AGENT_ENDPOINTS, behind)


@pytest.mark.parametrize("cell", MATRIX.values(), ids=MATRIX.keys())
def test_the_headline_of(cell: Cell) -> None:
    report = cell.cluster().ask("why shop/frontend shop/cart 80")
    assert (report.expected, report.observed) == (cell.expected, cell.observed)
    for part in cell.parts:
        assert part in in_words(report)
    for part in cell.never:
        assert part not in in_words(report)


def test_every_further_blocker_is_counted() -> None:
    cluster = denied().policy(deny_all("shop", "frontend", egress=True, name="no-egress"))
    report = cluster.ask("why shop/frontend shop/cart 80")
    assert [blocker.hop for blocker in report.blockers()] == ["dns", "egress-policy", "ingress-policy"]
    assert "and 2 more blockers" in in_words(report)


def test_a_ping_is_called_one() -> None:
    assert "by ping" in in_words(denied().ask("why shop/frontend shop/deploy/cart icmp"))


@pytest.mark.parametrize("name", ["{q_seen}", "{0}", "{}", "a{b", "a}b", "{near_rule!r:>99}"])
def test_hostile_names_in_policies_stay_names(name: str) -> None:
    cluster = shop().policy(deny_all("shop", "cart", name=f"'{name}'"))
    report = cluster.ask("why shop/frontend shop/cart 80")
    assert report.expected == "blocked"
    assert f"{name} denies all ingress" in in_words(report)
    assert f"NetworkPolicy shop/{name}" in str(report.headline.mechanism)


def test_what_was_taken_is_said() -> None:
    report = shop().ask("why shop/frontend shop/cart 80")
    assert report.notes == ("Service shop/cart is meant; for Deployment shop/cart itself ask shop/deploy/cart",)


def test_the_identities_of_both_ends_are_told_with_who_carries_them() -> None:
    notes = shop().ask("why shop/frontend shop/cart 80").identities
    assert [note.carriers for note in notes] == [("shop/frontend-1",), ("shop/cart-1",)]
    assert all("k8s:io.kubernetes.pod.namespace=shop" in note.labels for note in notes)
