"""What was true of each recorded scenario, as questions and the answers that are right."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handlers.connection.denial_words import LONGEST_REASON
from handlers.model.report import Expected, Observed, Report
from tests.reading import in_words

FOLDER = Path(__file__).parent
SCENARIOS = tuple(sorted(path.parent.name for path in FOLDER.glob("*/truth.json")))

HOP_OF_CAUSE = {
    "policy-denied-ingress-default-deny": "ingress-policy",
    "policy-denied-ingress-explicit-deny": "ingress-policy",
    "policy-denied-ingress-port-not-listed": "ingress-policy",
    "policy-denied-ingress-remote-node": "ingress-policy",
    "policy-denied-egress-default-deny": "egress-policy",
    "policy-denied-egress-port-not-listed": "egress-policy",
    "policy-denied-egress-cidr": "egress-policy",
    "policy-denied-egress-cidr-except": "egress-policy",
    "policy-denied-egress-fqdn-not-listed": "egress-policy",
    "policy-denied-egress-fqdn-unresolved": "egress-policy",
    "policy-denied-egress-host": "egress-policy",
    "policy-denied-both": "egress-policy",
    "policy-denied-egress-dns": "dns",
    "dns-l7-denied": "dns",
    "service-no-backends": "service",
    "egress-gateway-no-node": "egress-gateway",
    "not-listening": "application",
}
"""The first failing hop of each cause that stops traffic."""


@dataclass(frozen=True)
class Check:
    """One thing that was tried in a scenario, and what came of it."""

    scenario: str
    question: str
    cause: str
    policies: tuple[str, ...]
    client_saw: str

    @property
    def passes(self) -> bool:
        """Whether the client got through."""
        return self.client_saw in ("connected", "reply")

    def __str__(self) -> str:
        return f"{self.scenario}: {self.question}"


def checks(scenario: str | None = None) -> Iterator[Check]:
    """Yield every check of one scenario, or of all."""
    for name in SCENARIOS if scenario is None else (scenario,):
        for check in json.loads((FOLDER / name / "truth.json").read_text())["checks"]:
            yield Check(name, _question(check), check["cause_code"], tuple(_policies(check)), check["client_saw"])


def _question(check: dict[str, Any]) -> str:
    source = {"host": "node/lab-node-1", "host:lab-node-2": "node/lab-node-2"}.get(check["source"], check["source"])
    destination = check["destination"]
    if destination.startswith("pod:"):
        destination = "{namespace}/pod/{name}".format(**check["destination_pod"])
    elif "destination_service" in check:
        destination = "{namespace}/svc/{name}".format(**check["destination_service"])
    port = "icmp" if check["kind"] == "ping" else f"{check['port']}/{check['protocol']}" if check["port"] else ""
    return f"why {source} {destination} {port}".strip()


def _policies(check: dict[str, Any]) -> Iterator[str]:
    named = check["policy"] or []
    for policy in [named] if isinstance(named, dict) else named:
        yield f"{policy['kind']}/{policy.get('namespace') or ''}/{policy['name']}"


def assert_agrees(report: Report, check: Check) -> None:
    """Hold a report against the truth: headline, first failing hop, and every policy that had a part in it."""
    refs = {evidence.ref for finding in report.findings for evidence in finding.evidence}
    assert set(check.policies) <= refs, in_words(report)
    if check.cause == "policy-not-realized":
        assert report.observed is Observed.FORWARDED
        realized = next(finding for finding in report.findings if finding.code == "POLICY_NOT_REALIZED")
        assert check.policies[0] in {evidence.ref for evidence in realized.evidence}
        assert "still enforces the policy from before" in in_words(report)
    elif check.cause == "not-listening":
        assert report.expected is Expected.OPEN, in_words(report)
        assert report.observed is Observed.FORWARDED
        assert report.first_failing_hop() == HOP_OF_CAUSE[check.cause]
        assert report.headline.status == "Refused"
    elif check.passes:
        assert report.expected is Expected.OPEN, in_words(report)
        assert not report.blockers()
    else:
        assert report.expected is Expected.BLOCKED, in_words(report)
        assert report.first_failing_hop() == HOP_OF_CAUSE[check.cause]
        assert report.observed is not Observed.NO_DATA
        blamed = {evidence.ref for finding in report.blockers() for evidence in finding.evidence}
        assert set(check.policies) <= blamed
    for reason in _reasons(report):
        assert len(reason) <= LONGEST_REASON, reason


def _reasons(report: Report) -> list[str]:
    """Everything that a surface may say of why."""
    said = [str(report.headline.reason or "")]
    return [*said, *(str(finding.because) for finding in report.blockers())]
