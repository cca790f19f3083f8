"""``changes``: what is named as having begun drops did, as far as the policies can tell; else it only came before."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.change import Change, Changes
from handlers.model.cluster import LastExit
from handlers.model.finding import Outcome
from handlers.model.parts import Part
from handlers.model.report import Expected, Report
from handlers.model.snapshot import AnyPart
from handlers.source import Source
from tests.cluster.lab import lab
from tests.cluster.record import unpacked_dump
from tests.knowledge.build import Cluster, ago, allow_from, codes, deny_all, shop, the
from tests.reading import in_words
from workers.runner import run
from workers.sources.recorded import RecordingSource, ReplaySource
from workers.sources.sysdump import SysdumpSource
from workers.status import Status, status_of

A, B = "shop/frontend-1", "shop/cart-1"
FROM_WEB = allow_from("shop", "cart", "frontend", 8080, name="cart-from-web").replace("app: frontend", "tier: web")
DENY = "NetworkPolicy/shop/deny-all"


def change(kind: str, name: str, by: str, at: float, *fields: str, created: bool = False) -> Change:
    return Change(kind, "" if kind in ("Node", "Namespace") else "shop", name, by, ago(at), created, fields)


def with_changes(cluster: Cluster, *found: Change, unread: dict[str, str] | None = None) -> Cluster:
    return cluster.holding(Part.CHANGES, Changes(found, unread or {}))


def denied(*, changed: float, passed: float | None = 100) -> Cluster:
    """Frontend to cart: denied by a policy of ``changed`` seconds ago, dropped for the last minute."""
    cluster = shop().policy(deny_all("shop", "cart"), changed)
    if passed is not None:
        cluster.delivered(A, B, 8080, at=passed)
    return cluster.dropped(A, B, 8080, at=60)


def relabelled(*, knows_before: bool = True) -> Cluster:
    """Frontend had tier=web while it passed, and has tier=edge since; a policy wants tier=web."""
    cluster = Cluster().deploy("shop/frontend", labels={"tier": "edge"}).deploy("shop/cart", on="n2").policy(FROM_WEB)
    cluster.delivered(A, B, 8080, at=100)
    former = cluster.flows[0].source
    labels = tuple(
        sorted({*former.labels} - {"k8s:tier=edge"} | ({"k8s:tier=web"} if knows_before else {"k8s:tier=edge"}))
    )
    cluster.flows[0] = replace(cluster.flows[0], source=replace(former, identity=11_111, labels=labels))
    written = change("Pod", "frontend-1", "kubectl-label", 90, "metadata.labels.tier")
    cluster.pods = [replace(pod, changes=(written,)) if pod.name == "frontend-1" else pod for pod in cluster.pods]
    return with_changes(cluster.dropped(A, B, 8080, at=60))


NEW = change("NetworkPolicy", "deny-all", "argocd", 69, created=True)
OLD = change("NetworkPolicy", "deny-all", "argocd", 1000, created=True)
EDITED = change("NetworkPolicy", "deny-all", "kubectl-edit", 69, "spec.ingress")

CLUSTERWIDE = """
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: no-frontend}
spec:
  endpointSelector: {matchLabels: {app: cart}}
  ingressDeny: [{fromEndpoints: [{matchLabels: {app: frontend}}]}]
  enableDefaultDeny: {ingress: false}
"""


def denied_everywhere() -> Cluster:
    """A deny of the whole cluster, newer than the last packet that passed; Hubble names it."""
    cluster = shop().policy(CLUSTERWIDE, 69).delivered(A, B, 8080, at=100)
    cluster.dropped(A, B, 8080, at=60, reason="POLICY_DENY", by=["CiliumClusterwideNetworkPolicy//no-frontend"])
    created = replace(NEW, kind="CiliumClusterwideNetworkPolicy", namespace="", name="no-frontend")
    return with_changes(cluster, created)


TOUCHES: dict[str, tuple[Callable[[], Cluster], str, str]] = {
    "a new policy, and packets passed before": (
        lambda: with_changes(denied(changed=69), NEW),
        "CHANGE_BEGAN_DROPS",
        "deny-all was created by argocd 9 s before; without it the packets pass",
    ),
    "a new policy, and nothing was seen before": (
        lambda: with_changes(denied(changed=69, passed=None), NEW),
        "CHANGE_BEFORE_DROPS",
        "first seen at 11:59:00 UTC",
    ),
    "an explicit deny of the whole cluster": (
        denied_everywhere,
        "CHANGE_BEGAN_DROPS",
        "CiliumClusterwideNetworkPolicy no-frontend was created by argocd 9 s before; without it the packets pass",
    ),
    "a policy that was edited: what it said before is not known": (
        lambda: with_changes(denied(changed=69), EDITED),
        "CHANGE_BEFORE_DROPS",
        "was changed by kubectl-edit 9 s before (spec.ingress)",
    ),
    "a policy under which packets passed": (
        lambda: with_changes(denied(changed=1000), OLD),
        "DROPS_WITHOUT_CHANGE",
        "nothing that touches it is known to have changed",
    ),
    "a change after the first drop": (
        lambda: with_changes(denied(changed=30), replace(EDITED, at=ago(30))),
        "DROPS_WITHOUT_CHANGE",
        "nothing that touches it",
    ),
    "a policy of others": (
        lambda: with_changes(denied(changed=5000), change("CiliumNetworkPolicy", "other", "argocd", 65, created=True)),
        "DROPS_WITHOUT_CHANGE",
        "nothing that touches it",
    ),
    "a controller that carries out": (
        lambda: with_changes(denied(changed=5000), replace(EDITED, manager="cilium-operator-generic")),
        "DROPS_WITHOUT_CHANGE",
        "nothing that touches it",
    ),
    "two policies, either of which denies": (
        lambda: with_changes(denied(changed=69).policy(deny_all("shop", "cart", name="deny-too"), 5000), NEW),
        "CHANGE_BEFORE_DROPS",
        "deny-all was created by argocd 9 s before",
    ),
    "the selector of the Service before it": (
        lambda: with_changes(
            denied(changed=5000).service("shop/cart", "80->8080"),
            change("Service", "cart", "helm", 70, "spec.selector"),
        ),
        "CHANGE_BEFORE_DROPS",
        "Service shop/cart was changed by helm 10 s before (spec.selector)",
    ),
    "a label of an end": (relabelled, "CHANGE_BEGAN_DROPS", "label tier=web → tier=edge, identity 11111 → "),
    "a label of an end, and no packet bears the former one": (
        lambda: relabelled(knows_before=False),
        "CHANGE_BEFORE_DROPS",
        "frontend-1 was labelled by kubectl-label 30 s before (label tier): identity 11111",
    ),
    "a drop that is no policy's": (
        lambda: with_changes(
            shop().dropped(A, B, 8080, at=60, reason="CT_MAP_INSERTION_FAILED"),
            change("Node", "n2", "kubectl-cordon", 80, "spec.unschedulable"),
            change("Node", "n1", "kubectl-cordon", 70, "spec.unschedulable"),
        ),
        "CHANGE_BEFORE_DROPS",
        "Node n2 was changed by kubectl-cordon 20 s before",
    ),
}


@pytest.mark.parametrize(("made", "code", "words"), TOUCHES.values(), ids=TOUCHES)
def test_what_is_said_of_a_change(made: Callable[[], Cluster], code: str, words: str) -> None:
    report = made().ask("changes shop")
    found = the(report, code)
    assert words in found.text
    assert found.outcome is (Outcome.UNKNOWN if code == "DROPS_WITHOUT_CHANGE" else Outcome.PROBLEM)
    assert status_of(report) is (Status.UNKNOWN if code == "DROPS_WITHOUT_CHANGE" else Status.PROBLEM)


def test_the_policy_that_wants_a_former_label_is_no_suspect_and_did_not_change() -> None:
    report = with_changes(relabelled(), change("CiliumNetworkPolicy", "cart-from-web", "argocd", 95, created=True)).ask(
        "changes shop"
    )
    text = the(report, "CHANGE_BEGAN_DROPS").text
    assert "with the labels before CiliumNetworkPolicy shop/cart-from-web lets it pass" in text
    assert "has not changed since 11:00:00 UTC" in text
    assert "argocd" not in text


def test_the_evidence_names_the_object_its_manager_and_the_drop() -> None:
    found = the(with_changes(denied(changed=69), NEW).ask("changes shop"), "CHANGE_BEGAN_DROPS")
    assert [(one.source, one.ref, one.at) for one in found.evidence] == [
        ("kubernetes", DENY, ago(69)),
        ("hubble", "Node//n2", ago(60)),
    ]
    assert found.follow_up == "why shop/frontend shop/cart 8080/TCP"


def test_without_drops_no_change_is_a_problem() -> None:
    report = with_changes(shop().worked(A, B, 8080), EDITED, unread={"Deployment": "it is forbidden"}).ask(
        "changes shop"
    )
    assert status_of(report) is Status.FINE
    assert in_words(report).startswith("1 change in shop in the last 1h, and nothing is dropped")
    assert "Changes of Deployment could not be read" in the(report, "CHANGES_UNREAD").text


def test_what_changed_is_told_newest_first_and_what_was_done_at_once_in_one_line() -> None:
    report = with_changes(
        shop(),
        *(change("Service", f"s{index}", "helm", 100 + index, "spec.ports") for index in range(5)),
        change("Service", "late", "helm", 20, "spec.ports"),
        change("Service", "ancient", "helm", 4000, "spec.ports"),
        change("CiliumNetworkPolicy", "x", "argocd", 50, created=True),
    ).ask("changes shop")
    [table] = report.tables
    assert [row[1:] for row in table.rows] == [
        ("helm", "Service shop/late", "changed", "spec.ports"),
        ("argocd", "CiliumNetworkPolicy shop/x", "created", ""),
        ("helm", "Service shop/s0, shop/s1, shop/s2, 2 more", "changed", "spec.ports"),
    ]


def test_new_pods_exits_and_identities_are_part_of_what_changed() -> None:
    cluster = relabelled()
    cluster.pods[-1] = replace(
        cluster.pods[-1],
        created_at=ago(200),
        labels={**cluster.pods[-1].labels, "pod-template-hash": "5d9"},
        last_exit=LastExit("app", 137, "OOMKilled", ago(150)),
    )
    rows = [row[1:] for row in cluster.ask("changes shop").tables[0].rows]
    assert rows == [
        ("", "Pod shop/frontend-1", "identity 11111 → 20001", "label tier=web → tier=edge"),
        ("kubectl-label", "Pod shop/frontend-1", "labelled", "label tier"),
        ("", "Pod shop/cart-1", "container app ended with 137", "OOMKilled"),
        ("", "Deployment shop/cart", "1 new pod", "template 5d9"),
    ]


def test_a_list_is_bounded_and_says_so() -> None:
    many = [change("Service", f"s{index}", f"m{index}", 100 + index, "spec.ports") for index in range(50)]
    [table] = with_changes(shop(), *many).ask("changes shop").tables
    assert (len(table.rows), table.left_out) == (30, 20)


@pytest.mark.parametrize("part", [Part.FLOWS, Part.CHANGES, Part.NAMESPACES], ids=str)
def test_what_was_not_read_is_no_all_clear(part: AnyPart) -> None:
    report = with_changes(shop().worked(A, B, 8080)).without(part).ask("changes shop")
    assert status_of(report) is Status.UNKNOWN
    assert "Cannot tell" in in_words(report)


def test_a_node_that_was_not_heard_is_no_all_clear() -> None:
    cluster = with_changes(shop())
    cluster.silent = {"n2": "no answer"}
    assert status_of(cluster.ask("changes")) is Status.UNKNOWN


def test_a_policy_that_was_not_read_proves_nothing() -> None:
    report = with_changes(denied(changed=69), NEW).without(Part.POLICIES).ask("changes shop")
    assert "CHANGE_BEGAN_DROPS" not in codes(report)


def test_there_is_no_such_namespace() -> None:
    report = with_changes(shop()).ask("changes shpo")
    assert the(report, "CHANGES_OF_WHOM").text == "There is no namespace shpo"
    assert status_of(report) is Status.UNKNOWN


def of_objects(cluster: Cluster, **changes: Change) -> Cluster:
    """Let policies and Services tell themselves who changed them, by their names."""
    told = {name.replace("_", "-"): (one,) for name, one in changes.items()}
    cluster.policies = [replace(one, changes=told.get(one.name, ())) for one in cluster.policies]
    cluster.services = [replace(one, changes=told.get(one.name, ())) for one in cluster.services]
    return cluster


WHY: dict[str, tuple[Callable[[], Cluster], str]] = {
    "a policy, before drops": (
        lambda: of_objects(denied(changed=69), deny_all=NEW),
        "NetworkPolicy shop/deny-all was created by argocd 9 s before the first drop seen",
    ),
    "a policy, and nobody tried": (
        lambda: of_objects(shop().policy(deny_all("shop", "cart"), 69), deny_all=NEW),
        "NetworkPolicy shop/deny-all was created by argocd at 11:58:51 UTC",
    ),
    "a label": (relabelled, "frontend-1 was labelled by kubectl-label 30 s before the first drop seen: label tier=web"),
    "a selector of a Service without backends": (
        lambda: of_objects(
            Cluster().deploy("shop/frontend").service("shop/cart", "8080", selector={"app": "crat"}),
            cart=change("Service", "cart", "helm", 70, "spec.selector"),
        ),
        "Service shop/cart was changed by helm at 11:58:50 UTC (spec.selector)",
    ),
}


@pytest.mark.parametrize(("made", "words"), WHY.values(), ids=WHY)
def test_why_names_the_change(made: Callable[[], Cluster], words: str) -> None:
    report = made().ask("why shop/frontend shop/cart 8080")
    assert report.expected is Expected.BLOCKED
    assert words in in_words(report)


NO_NEWS: dict[str, Callable[[], Cluster]] = {
    "it passes": lambda: of_objects(
        shop().worked(A, B, 8080), cart=change("Service", "cart", "helm", 70, "spec.ports")
    ),
    "the change is days old": lambda: of_objects(
        shop().policy(deny_all("shop", "cart")), deny_all=replace(NEW, at=ago(200_000))
    ),
    "another policy changed": lambda: of_objects(
        denied(changed=5000).policy(allow_from("shop", "frontend", "cart", 80)), allow=replace(NEW, name="allow")
    ),
    "packets passed under it": lambda: of_objects(denied(changed=1000), deny_all=OLD),
    "the Service is new": lambda: of_objects(
        Cluster().deploy("shop/frontend").service("shop/cart", "8080", selector={"app": "crat"}),
        cart=change("Service", "cart", "helm", 70, created=True),
    ),
}


@pytest.mark.parametrize("made", NO_NEWS.values(), ids=NO_NEWS)
def test_why_says_nothing_of_changes_that_explain_nothing(made: Callable[[], Cluster]) -> None:
    answer = in_words(made().ask("why shop/frontend shop/cart 8080"))
    assert not [who for who in ("argocd", "helm") if who in answer]


def answer_of(source: Source, question: str) -> Report:
    try:
        return run(understand(question), source).report
    finally:
        source.close()


def claims(report: Report) -> list[tuple[str, str]]:
    """Return what is claimed, but for kinds that an archive lacks."""
    return [(found.code, found.text) for found in report.findings if found.code != "CHANGES_UNREAD"]


def test_recorded_live_in_a_dump_and_replayed(tmp_path: Path) -> None:
    name = "37-label-change-identity"
    with lab(name, tmp_path) as cluster:
        live = answer_of(RecordingSource(cluster.source(), tmp_path / "r.gz"), "changes shop")
    assert "label tier=web → tier=edge, identity 49190 → 11676" in the(live, "CHANGE_BEGAN_DROPS").text
    dumped = answer_of(SysdumpSource(unpacked_dump(name, tmp_path)), "changes shop")
    assert claims(dumped) == claims(live)
    assert claims(answer_of(ReplaySource(tmp_path / "r.gz"), "changes shop")) == claims(live)
