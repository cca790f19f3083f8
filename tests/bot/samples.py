"""Reports as the engine would make them, for the tests of how they are shown."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from handlers.model.finding import Evidence, Finding, Hop, Outcome, Sentence, Value
from handlers.model.headline import Headline, Pair
from handlers.model.report import (
    AlsoOpens,
    Budget,
    Expected,
    GapNote,
    IdentityNote,
    Observed,
    Patch,
    Report,
    expected_of,
)

NOON = datetime(2026, 11, 20, 12, 26, 29, tzinfo=UTC)

DENY_DIFF = """\
--- CiliumNetworkPolicy payments/checkout-ingress
+++ CiliumNetworkPolicy payments/checkout-ingress
@@ -10,6 +10,14 @@
     toPorts:
     - ports:
       - port: '8443'
         protocol: TCP
+  - fromEndpoints:
+    - matchLabels:
+        app: loadgen
+        k8s:io.kubernetes.pod.namespace: shop
+    toPorts:
+    - ports:
+      - port: '8443'
+        protocol: TCP
"""


def finding(
    said: str,
    outcome: Outcome = Outcome.FINE,
    hop: Hop | None = None,
    *,
    blocking: bool = True,
    values: Mapping[str, Value] | None = None,
    **others: Any,
) -> Finding:
    return Finding("SAMPLE", outcome, Sentence(said, values or {}), hop=hop, blocking=blocking, **others)


def report(*findings: Finding, **others: Any) -> Report:
    found: dict[str, Any] = {
        "question": "why shop/loadgen payments/checkout-api 443",
        "command": "why",
        "headline": Headline(Sentence("{a} and {b}", {"a": "shop/loadgen", "b": "payments/checkout-api"})),
        "taken_at": NOON,
        "source": "cluster lab",
        "findings": findings,
        "expected": expected_of(findings),
        "observed": Observed.NOTHING,
    }
    return Report(**{**found, **others})


def blocked_on_both_sides() -> Report:
    """Egress of the source and ingress of the destination deny, as in the recorded scenario 14-both-sides."""
    egress = finding(
        "no egress rule of {policy} allows {b} on {port}",
        Outcome.PROBLEM,
        Hop.EGRESS_POLICY,
        values={"policy": "shop/loadgen-dns-only", "b": "payments/checkout-api", "port": "8443/TCP"},
        evidence=(
            Evidence(
                "kubernetes",
                "CiliumNetworkPolicy/shop/loadgen-dns-only",
                "/spec/egress",
                NOON,
                "egress:\n- toEndpoints:\n  - matchLabels:\n      k8s-app: kube-dns",
            ),
        ),
        advice="Allow the port in that policy, or apply the patch below.",
    )
    ingress = finding(
        "no ingress rule of {policy} allows {a}: its only peer is {peer}",
        Outcome.PROBLEM,
        Hop.INGRESS_POLICY,
        values={"policy": "payments/checkout-ingress", "a": "shop/loadgen", "peer": "app=frontend"},
        evidence=(Evidence("kubernetes", "CiliumNetworkPolicy/payments/checkout-ingress", "/spec/ingress/0"),),
    )
    return report(
        finding("both names are one pod each", hop=Hop.RESOLVE),
        finding("identities agree", hop=Hop.IDENTITY),
        finding("the Service sends 443 to 8443 of one ready backend", hop=Hop.SERVICE),
        egress,
        finding("the agents of both nodes are healthy", hop=Hop.AGENTS, blocking=False),
        ingress,
        finding("l7 says nothing", Outcome.NOT_APPLICABLE, Hop.L7),
        headline=Headline(
            Sentence(
                "{a} cannot reach {b}{on}", {"a": "shop/loadgen", "b": "payments/checkout-api", "on": " on 443/TCP"}
            ),
            pair=Pair("shop/loadgen", "payments/checkout-api", "443/TCP"),
            reason=egress.sentence,
            others=1,
            seen="6 packets dropped at egress (Policy denied), last at 12:26:27",
        ),
        observed=Observed.DROPPED,
        identities=(
            IdentityNote(695, ("k8s:app=loadgen",), ("shop/loadgen-7d654f56fb-ddrcg",)),
            IdentityNote(35708, ("k8s:app=checkout-api",), ("payments/checkout-api-cfd74fdd9-m9n8n",), more=2),
        ),
        gaps=(GapNote("agent policy", "lab-node-2", "timeout", "no answer in 4 s", "ask again"),),
        budget=Budget(
            nodes_heard=("lab-node-1",),
            nodes_silent=("lab-node-2",),
            asked_since=NOON.replace(minute=11),
            covered_since=NOON.replace(minute=19),
            until=NOON,
            flows_seen=6,
            events_lost=120,
        ),
        patches=(
            Patch(
                title="Let shop/loadgen reach payments/checkout-api on 8443/TCP",
                policy="CiliumNetworkPolicy/payments/checkout-ingress",
                is_new=False,
                manifest="apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata:\n  name: checkout-ingress\n",
                diff=DENY_DIFF,
                json_patch="[]",
                command="kubectl apply -f patch.yaml",
                also_opens=(AlsoOpens("shop/loadgen-canary", "payments/checkout-api", "8443/TCP", 3),),
                blast_radius_known=True,
                checks=("the asked flow is allowed on both sides", "no deny rule outranks it"),
            ),
        ),
        notes=("payments/checkout-api is a Service and a Deployment: the Service was taken, 443 is one of its ports.",),
    )


def open_and_seen() -> Report:
    return report(
        finding("both names are one pod each", hop=Hop.RESOLVE),
        finding("egress is not restricted", hop=Hop.EGRESS_POLICY),
        finding("ingress rule 0 allows it", hop=Hop.INGRESS_POLICY),
        question="why shop/frontend shop/cart 8080",
        headline=Headline(
            Sentence("{a} can reach {b} on 8080/TCP", {"a": "shop/frontend", "b": "shop/cart"}),
            pair=Pair("shop/frontend", "shop/cart", "8080/TCP"),
            seen="14 packets forwarded, last at 12:26:27",
        ),
        observed=Observed.FORWARDED,
        budget=Budget(("lab-node-1", "lab-node-2"), (), NOON.replace(minute=11), NOON.replace(minute=11), NOON, 14),
    )


def cannot_tell() -> Report:
    return report(
        finding("both names are one pod each", hop=Hop.RESOLVE),
        finding("egress is not restricted", hop=Hop.EGRESS_POLICY),
        finding(
            "Cannot tell whether an ingress rule allows it — {part} could not be read: {detail}",
            Outcome.UNKNOWN,
            Hop.INGRESS_POLICY,
            values={"part": "policies", "detail": "403 forbidden"},
            advice="Grant the bot list on ciliumnetworkpolicies.",
        ),
        headline=Headline(
            Sentence("whether {a} reaches {b}", {"a": "shop/frontend", "b": "shop/cart"}, lead="Cannot tell"),
            pair=Pair("shop/frontend", "shop/cart"),
            reason=Sentence("policies could not be read"),
            seen="Hubble relay did not answer",
        ),
        observed=Observed.NO_DATA,
        gaps=(
            GapNote("policies", None, "forbidden", "list ciliumnetworkpolicies", "grant the verb list"),
            GapNote("flows", None, "timeout", "relay at hubble-relay:80"),
        ),
    )


def drops() -> Report:
    causes = tuple(
        replace(
            finding(
                "{count} drops: {pair} on {port} ({why})",
                outcome,
                hop,
                blocking=False,
                values={"count": count, "pair": pair, "port": port, "why": why},
                follow_up=f"why {pair.replace(' → ', ' ')} {port.partition('/')[0]}",
            ),
            weight=count,
        )
        for outcome, hop, count, pair, port, why in (
            (
                Outcome.PROBLEM,
                Hop.EGRESS_POLICY,
                812,
                "shop/loadgen → payments/checkout-api",
                "8443/TCP",
                "no egress rule",
            ),
            (Outcome.PROBLEM, Hop.INGRESS_POLICY, 140, "shop/frontend → shop/cart", "9090/TCP", "no ingress rule"),
            (Outcome.UNKNOWN, None, 9, "monitoring/prometheus → shop/db", "5432/TCP", "stale identity"),
        )
    )
    return report(
        *causes,
        question="drops shop since 15m",
        command="drops",
        headline=Headline(Sentence("two causes explain 99 % of 961 drops in {ns}", {"ns": "shop"})),
        expected=None,
        observed=None,
    )


def in_state(expected: Expected, observed: Observed) -> Report:
    outcome = {Expected.OPEN: Outcome.FINE, Expected.BLOCKED: Outcome.PROBLEM, Expected.UNKNOWN: Outcome.UNKNOWN}
    headline = Headline(Sentence("{a} and {b}", {"a": "shop/a", "b": "shop/b"}), pair=Pair("shop/a", "shop/b"))
    return report(finding("a claim", outcome[expected], Hop.EGRESS_POLICY), headline=headline, observed=observed)
