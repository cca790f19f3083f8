"""Every pair of workloads of recorded clusters: what is expected agrees with policy itself and with what was seen."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from handlers.catalogue import understand
from handlers.connection.policies import policies_of
from handlers.engine import answer
from handlers.model.cluster import Pod
from handlers.model.decision import Verdict
from handlers.model.endpoint import SHORT_NAME, Kind
from handlers.model.facts import Facts
from handlers.model.finding import Hop, Outcome
from handlers.model.flow import Flow, FlowVerdict
from handlers.model.report import Report
from handlers.model.snapshot import Snapshot
from handlers.model.traffic import Protocol, Traffic
from handlers.policy.pods import pod_party
from tests.reading import in_words
from tests.scenarios.snapshots import whole

CHOSEN = ("14-both-sides", "20-namespace-default-deny")
PORTS = (8080,)


@dataclass(frozen=True)
class Pair:
    question: str
    sources: tuple[Pod, ...]
    destinations: tuple[Pod, ...]
    port: int


def pairs(snapshot: Snapshot) -> Iterator[Pair]:
    workloads: dict[str, list[Pod]] = {}
    for pod in Facts(snapshot).pods:
        if pod.is_running and not pod.host_network:
            kind, name = (pod.owner.kind, pod.owner.name) if pod.owner else (Kind.POD, pod.name)
            workloads.setdefault(f"{pod.namespace}/{SHORT_NAME[kind]}/{name}", []).append(pod)
    for source, source_pods in workloads.items():
        for destination, destination_pods in workloads.items():
            # A pod that talks to itself meets no policy.
            if source != destination:
                for port in PORTS:
                    question = f"why {source} {destination} {port}/TCP since 1d"
                    yield Pair(question, tuple(source_pods), tuple(destination_pods), port)


def is_denied(pair: Pair, facts: Facts) -> bool:
    policies = policies_of(facts)
    traffic = Traffic(Protocol.TCP, pair.port)
    return any(
        Verdict.DENIED in [side.verdict for side in policies.combine(source, destination, traffic)]
        for source in (pod_party(pod, facts, policies) for pod in pair.sources)
        for destination in (pod_party(pod, facts, policies) for pod in pair.destinations)
    )


def blocked_by_policy(report: Report) -> bool:
    return any(
        finding.blocking and finding.outcome is Outcome.PROBLEM
        for finding in report.findings
        if finding.hop in (Hop.EGRESS_POLICY, Hop.INGRESS_POLICY)
    )


def seen(pair: Pair, facts: Facts, *, back: bool) -> list[Flow]:
    """Return the flows of a pair that are newer than every change of policy."""
    changes = [policy.changed_at for policy in facts.policies if policy.changed_at]
    sources, destinations = ({str(pod) for pod in pods} for pods in (pair.sources, pair.destinations))
    found = []
    for flow in facts.flows.flows:
        asker, asked = (flow.destination, flow.source) if back else (flow.source, flow.destination)
        if (
            f"{asker.namespace}/{asker.pod}" in sources
            and f"{asked.namespace}/{asked.pod}" in destinations
            and flow.protocol is Protocol.TCP
            and asked.port == pair.port
            and (not changes or flow.time > max(changes))
        ):
            found.append(flow)
    return found


@pytest.mark.parametrize("scenario", CHOSEN)
def test_every_pair_agrees_with_policy_and_with_what_was_seen(scenario: str) -> None:
    snapshot = whole(scenario)
    facts = Facts(snapshot)
    count = 0
    for pair in pairs(snapshot):
        report = answer(understand(pair.question).question, snapshot)
        count += 1
        assert blocked_by_policy(report) == is_denied(pair, facts), pair.question
        drops = [
            flow
            for flow in seen(pair, facts, back=False)
            if flow.verdict is FlowVerdict.DROPPED and (flow.drop_reason or "").startswith("POLICY_")
        ]
        answers = [flow for flow in seen(pair, facts, back=True) if flow.is_reply and "RST" not in flow.tcp_flags]
        assert not (drops and report.expected == "open"), in_words(report)
        assert not (answers and report.expected == "blocked"), in_words(report)
    assert count > 100
