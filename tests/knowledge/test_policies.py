"""``policies``: what each policy does, in words that are true, and whether it is in force."""

import pytest

from handlers.model.finding import Outcome
from handlers.model.parts import Part
from tests.knowledge.build import ago, allow_from, shop, the

POLICY = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: out, namespace: shop}}
spec:
  endpointSelector: {{matchLabels: {{app: cart}}}}
  {rules}
"""
DENY = "egressDeny: [{toCIDR: [198.18.10.0/24]}]"

TEXTS = {
    "all, but for a range": (
        f"egress: [{{toEntities: [all]}}]\n  {DENY}",
        "denies egress to 198.18.10.0/24 and allows egress to everybody else",
    ),
    "an empty rule, but for a range": (
        f"egress: [{{}}]\n  {DENY}",
        "denies egress to 198.18.10.0/24 and denies the rest",
    ),
    "all": ("egress: [{toEntities: [all]}]", "allows egress to everybody"),
    "all, on one port": (
        'egress: [{toEntities: [all], toPorts: [{ports: [{port: "53"}]}]}]',
        "allows egress to all on 53/ANY and denies the rest",
    ),
    "one peer": (
        "egress: [{toEndpoints: [{matchLabels: {app: frontend}}]}]",
        "allows egress to app=frontend and denies the rest",
    ),
    "a range alone": (DENY, "denies egress to 198.18.10.0/24 and denies the rest"),
}


@pytest.mark.parametrize(("rules", "words"), TEXTS.values(), ids=TEXTS.keys())
def test_what_a_policy_does(rules: str, words: str) -> None:
    report = shop().policy(POLICY.format(rules=rules)).ask("policies shop/cart")
    assert the(report, "POLICY_DOES").values["what"] == f"shop/out {words}"


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        pytest.param("egress: [{toCIDR: [10.0.2.0/24]}]", "shop/cart", id="pods that were read"),
        pytest.param("ingress: [{fromCIDRSet: [{cidr: 10.0.0.0/16}]}]", "shop/", id="every pod"),
        pytest.param("egress: [{toCIDR: [10.0.0.0/8]}]", "", id="a private network"),
        pytest.param("egress: [{toCIDR: [198.18.10.0/24]}]", "", id="outside"),
        pytest.param("egress: [{toCIDRSet: [{cidr: 10.0.0.0/16, except: [10.0.0.0/16]}]}]", "", id="all but the pods"),
    ],
)
def test_a_cidr_of_pods_is_said_to_select_none(rules: str, named: str) -> None:
    report = shop().policy(POLICY.format(rules=rules)).ask("policies shop/cart")
    said = [finding.text for finding in report.findings if finding.code == "POLICY_CIDR_OF_PODS"]
    assert bool(said) is bool(named)
    assert all(named in text and "never selects pods" in text for text in said)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"desired_revision": 5, "realized_revision": 4}, "policy revision 4 of 5", id="an older revision"),
        pytest.param({"ingress_enforcing": False}, "no ingress enforcement", id="none enforced"),
        pytest.param({"state": "regenerating"}, "is regenerating", id="under way"),
    ],
)
def test_a_policy_that_is_not_in_force_has_no_tick(changes: dict[str, object], words: str) -> None:
    cluster = shop().policy(allow_from("shop", "cart", "frontend", 8080))
    cluster.agent("n2", Part.AGENT_ENDPOINTS, cluster.agent_endpoints("n2", **changes))
    report = cluster.ask("policies shop/cart")
    assert words in the(report, "POLICY_BEHIND").text
    assert the(report, "POLICY_DOES").outcome is Outcome.UNKNOWN


def test_a_policy_that_is_in_force_has_one() -> None:
    report = shop().policy(allow_from("shop", "cart", "frontend", 8080)).ask("policies shop/cart")
    assert the(report, "POLICY_DOES").outcome is Outcome.FINE


def test_policies_of_an_endpoint_in_audit_mode_are_not_enforced() -> None:
    cluster = shop().policy(allow_from("shop", "cart", "frontend", 8080))
    cluster.agent("n2", Part.AGENT_ENDPOINTS, cluster.agent_endpoints("n2", audit=True, ingress_enforcing=True))
    found = the(cluster.ask("policies shop/cart"), "POLICY_ONLY_AUDITED")
    assert (found.outcome, found.values["policies"]) == (Outcome.PROBLEM, ("CiliumNetworkPolicy shop/allow",))


def test_the_direction_that_no_policy_is_about_is_free() -> None:
    report = shop().policy(allow_from("shop", "cart", "frontend", 8080)).ask("policies shop/cart")
    assert the(report, "POLICY_FREE").values["direction"] == "egress"


def test_what_changed_while_an_agent_is_down_is_not_in_force() -> None:
    cluster = shop().policy(allow_from("shop", "cart", "frontend", 8080), changed=60)
    report = cluster.down("n2", waiting="CrashLoopBackOff", ready_since=ago(300)).ask("policies shop")
    assert the(report, "POLICY_WAITS").values["policy"] == "CiliumNetworkPolicy shop/allow"


@pytest.mark.parametrize(
    ("about", "lints"),
    [
        pytest.param("shop/cart", {"LINT_EMPTY_LIST"}, id="of the policies that select it"),
        pytest.param("shop/frontend", set(), id="of no others"),
        pytest.param("shop", {"LINT_EMPTY_LIST"}, id="of a namespace"),
    ],
)
def test_what_is_odd_about_the_policies_is_told_with_them(about: str, lints: set[str]) -> None:
    report = shop().policy(POLICY.format(rules="egress: [{toEndpoints: []}]")).ask(f"policies {about}")
    assert {finding.code for finding in report.findings if finding.code.startswith("LINT_")} == lints
