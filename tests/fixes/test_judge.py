"""Did the fix work: what is said of a report after a change, held against the one before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from handlers.fixes.judge import FixState, judge
from handlers.model.change import Change
from handlers.model.parts import PARTS, Part
from handlers.model.snapshot import Gap
from tests.fixes.moments import (
    ASKED,
    CHANGED,
    DENY,
    LOOKED,
    WRONG_PORT,
    A,
    B,
    at_first,
    before,
    denied,
    edited,
    opened,
    unheard,
    unrealised,
)
from tests.knowledge.build import Cluster, ago, allow_from, deny_all, shop


@dataclass(frozen=True)
class Row:
    after: Callable[[], Cluster]
    state: FixState
    says: Sequence[str]


APPLIED = FixState.APPLIED_STILL_BLOCKED
ROWS: dict[str, Row] = {
    "nothing changed": Row(
        lambda: denied().dropped(A, B, 8080, at=20),
        FixState.STILL_BLOCKED,
        ["still blocked, nothing changed; the last drop is of 11:59:40 UTC"],
    ),
    "an allow was added, and packets pass": Row(
        lambda: opened().dropped(A, B, 8080, at=200).worked(A, B, 8080, at=60),
        FixState.FIXED,
        ["fixed by kubectl-edit of shop/allow at 11:57:00 UTC, packets pass since, last at 11:59:00 UTC"],
    ),
    "an allow was added, and nobody tried since": Row(
        lambda: opened().dropped(A, B, 8080, at=200),
        FixState.OPENED,
        ["opened by kubectl-edit of shop/allow at 11:57:00 UTC, no packet seen since; the last drop is of 11:56:40"],
    ),
    "packets of before the change prove nothing": Row(
        lambda: opened().worked(A, B, 8080, at=200), FixState.OPENED, ["no packet seen since"]
    ),
    "packets pass, and one was dropped a moment ago": Row(
        lambda: opened().dropped(A, B, 8080, at=15).worked(A, B, 8080, at=5),
        FixState.OPENED,
        ["packets pass again; others were dropped until 11:59:45 UTC"],
    ),
    "the wrong port": Row(
        lambda: edited(denied().policy(WRONG_PORT), "allow").dropped(A, B, 8080, at=20),
        APPLIED,
        ["still dropped, because ", "9090", "shop/allow by kubectl-edit at 11:57:00 UTC"],
    ),
    "the wrong port, and nobody tried since": Row(
        lambda: edited(denied().policy(WRONG_PORT), "allow").dropped(A, B, 8080, at=200),
        APPLIED,
        ["still blocked, because "],
    ),
    "a deny elsewhere": Row(
        lambda: opened().policy(DENY).dropped(A, B, 8080, at=20, reason="POLICY_DENY"),
        APPLIED,
        ["still dropped, because ", "no-frontend"],
    ),
    "the other side is denied too": Row(
        lambda: (
            opened()
            .policy(deny_all("shop", "frontend", egress=True, name="no-egress"))
            .dropped(A, B, 8080, at=20, ingress=False)
        ),
        APPLIED,
        ["still dropped, because another blocker is left: ", "no-egress"],
    ),
    "no policy stops it, and drops go on": Row(
        lambda: opened().dropped(A, B, 8080, at=20), APPLIED, ["still dropped, because ", "do not explain"]
    ),
    "drops of another kind go on": Row(
        lambda: opened().dropped(A, B, 8080, at=20, reason="CT_MAP_INSERTION_FAILED"),
        APPLIED,
        ["changed, still dropped, because no policy that was read stops it, yet 1 packet dropped as CT_MAP_"],
    ),
    "the agent has not realised it, and drops go on": Row(
        lambda: unrealised(opened().dropped(A, B, 8080, at=20)),
        APPLIED,
        ["changed, still dropped, because pod shop/cart-1 does not enforce it yet (regenerating"],
    ),
    "the agent has not realised it, and nobody tried": Row(
        lambda: unrealised(opened()), FixState.OPENED, ["no packet seen since; pod shop/cart-1 does not enforce it"]
    ),
    "a node of the two was not heard": Row(
        lambda: unheard("n1", opened().worked(A, B, 8080, at=60)),
        FixState.CANNOT_TELL,
        ["cannot tell, because n1 could not be heard; packets were seen to pass at 11:59:00 UTC"],
    ),
    "nothing listens behind the policy": Row(
        lambda: opened().delivered(A, B, 8080, at=60, flags="SYN").refused(A, B, 8080, at=59),
        APPLIED,
        ["because another blocker is left: ", "8080"],
    ),
    "audit mode lets it pass": Row(
        lambda: edited(denied().policy(WRONG_PORT), "allow").audited(A, B, 8080, at=20),
        APPLIED,
        ["because packets pass in audit mode only"],
    ),
    "audit mode was turned on, and no policy changed": Row(
        lambda: denied().audited(A, B, 8080, at=20), APPLIED, ["still blocked, because packets pass in audit mode only"]
    ),
    "the policy was deleted, and packets pass": Row(
        lambda: shop().worked(A, B, 8080, at=60),
        FixState.FIXED,
        ["fixed: NetworkPolicy shop/deny-all was deleted, nothing tells by whom, packets pass since"],
    ),
    "the policy was deleted, and nobody tried since": Row(
        shop,
        FixState.OPENED,
        ["opened: NetworkPolicy shop/deny-all was deleted, nothing tells by whom, no packet seen"],
    ),
    "the policy lets everybody in now": Row(
        lambda: edited(shop().policy(deny_all("shop", "cart") + "  ingress: [{}]"), "deny-all", "argocd").worked(
            A, B, 8080, at=60
        ),
        FixState.FIXED,
        ["fixed by argocd of shop/deny-all at 11:57:00 UTC"],
    ),
    "a name of a controller alone is no change": Row(
        lambda: edited(denied(), "deny-all", "cilium-operator-generic").dropped(A, B, 8080, at=20),
        FixState.STILL_BLOCKED,
        ["nothing changed"],
    ),
    "the destination is gone": Row(
        lambda: Cluster().deploy("shop/frontend", on="n1").healthy_agents(), FixState.GONE, ["nothing is left to watch"]
    ),
    "policies could not be read": Row(
        lambda: opened().worked(A, B, 8080, at=60).without(Part.POLICIES),
        FixState.CANNOT_TELL,
        ["cannot tell, because ", "packets were seen to pass at 11:59:00 UTC"],
    ),
    "flows could not be read": Row(
        lambda: opened().worked(A, B, 8080, at=60).without(Part.FLOWS),
        FixState.CANNOT_TELL,
        ["cannot tell whether packets pass, because flows could not be read", "opened by kubectl-edit of shop/allow"],
    ),
    "nothing could be read": Row(
        lambda: opened().without(*PARTS, gap=Gap.UNREACHABLE), FixState.CANNOT_TELL, ["cannot tell"]
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_is_said_after_a_patch_was_proposed(row: Row) -> None:
    fix = judge(before(), row.after().ask(ASKED))
    assert fix.state is row.state, str(fix.sentence)
    for words in row.says:
        assert words in str(fix.sentence)


UNSTOPPED: dict[str, Row] = {
    "still passes": Row(lambda: shop().worked(A, B, 8080, at=60), FixState.PASSES, ["passes, last at 11:59:00 UTC"]),
    "nobody tries": Row(shop, FixState.PASSES, ["nothing stops it, no packet seen"]),
    "somebody denies it": Row(
        lambda: edited(denied(), "deny-all", "argocd").dropped(A, B, 8080, at=60),
        FixState.BROKE,
        ["stopped since: ", "shop/deny-all by argocd at 11:57:00 UTC"],
    ),
    "policies can be read no longer": Row(lambda: shop().without(Part.POLICIES), FixState.CANNOT_TELL, ["cannot tell"]),
}


@pytest.mark.parametrize("row", UNSTOPPED.values(), ids=UNSTOPPED)
def test_what_is_said_of_a_connection_that_passed(row: Row) -> None:
    fix = judge(at_first(shop().worked(A, B, 8080, at=LOOKED + 20)), row.after().ask(ASKED))
    assert fix.state is row.state, str(fix.sentence)
    for words in row.says:
        assert words in str(fix.sentence)


def test_a_label_that_was_written_is_named_with_its_author() -> None:
    """Labels that a policy wants were put on the pod of the source."""
    labelled = allow_from("shop", "cart", "frontend", 8080).replace("app: frontend", "tier: web")
    lacking = shop().policy(labelled).dropped(A, B, 8080, at=LOOKED + 20)
    mended = Cluster().deploy("shop/frontend", on="n1", labels={"tier": "web"}).deploy("shop/cart", on="n2")
    mended.healthy_agents().policy(labelled).worked(A, B, 8080, at=60)
    written = Change("Pod", "shop", "frontend-1", "kubectl-label", ago(CHANGED), False, ("metadata.labels.tier",))
    mended.pods = [replace(pod, changes=(written,)) if pod.name == "frontend-1" else pod for pod in mended.pods]
    fix = judge(at_first(lacking), mended.ask(ASKED))
    assert fix.state is FixState.FIXED
    assert "fixed by kubectl-label of Pod shop/frontend-1 at 11:57:00 UTC, packets pass since" in str(fix.sentence)


TWO_PORTS = "why shop/frontend shop/cart"
ON_BOTH = allow_from("shop", "cart", "frontend", 8080) + "---" + allow_from("shop", "cart", "frontend", 9090, name="m")


def two_ports(policies: str) -> Cluster:
    cluster = Cluster().deploy("shop/frontend", on="n1").deploy("shop/cart", on="n2", ports=("http:8080", "m:9090"))
    return cluster.service("shop/cart", "80->8080", "90->9090").healthy_agents().policy(policies)


@pytest.mark.parametrize(
    ("port", "state"), [(9090, FixState.OPENED), (8080, FixState.FIXED)], ids=["beside it", "where it was stopped"]
)
def test_packets_count_where_it_was_stopped_and_nowhere_else(port: int, state: FixState) -> None:
    stopped = two_ports(WRONG_PORT).dropped(A, B, 8080, at=LOOKED + 20).worked(A, B, 9090, at=LOOKED + 10)
    then = replace(stopped.ask(TWO_PORTS), taken_at=ago(LOOKED))
    assert then.standing is not None
    assert [way.port for way in then.standing.ways if way.is_blocked] == ["8080/TCP"]
    now = edited(two_ports(ON_BOTH).worked(A, B, port, at=60), "allow").ask(TWO_PORTS)
    assert judge(then, now).state is state


def test_what_changed_long_ago_and_came_into_reach_is_no_cause() -> None:
    """A Service without pods leads nowhere, so that nothing of it was read; then it has pods."""
    nowhere = Cluster().deploy("shop/frontend", on="n1").service("shop/cart", "80->8080").healthy_agents()
    then = replace(nowhere.ask("why shop/frontend shop/cart 80"), taken_at=ago(LOOKED))
    mended = shop().worked(A, B, 8080, at=60)
    old = Change("Service", "shop", "cart", "helm", ago(90_000), is_creation=True)
    mended.services = [replace(service, changes=(old,)) for service in mended.services]
    fix = judge(then, mended.ask("why shop/frontend shop/cart 80"))
    assert fix.state is FixState.FIXED
    assert "helm" not in str(fix.sentence)


NOT_FIXED = {name: row for name, row in ROWS.items() if row.state is not FixState.FIXED}


@pytest.mark.thorough
@pytest.mark.parametrize("row", NOT_FIXED.values(), ids=NOT_FIXED)
def test_with_less_evidence_it_is_never_fixed(row: Row) -> None:
    for part in PARTS:
        fix = judge(before(), row.after().without(part).ask(ASKED))
        assert fix.state is not FixState.FIXED, part
