"""The law of patches: what a patch also opens is what comparing the cluster before and after says, less the asked flow.

Some clusters are recorded, some are made up; ``make laws`` takes all recorded ones and makes up more.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from handlers.catalogue import understand
from handlers.connection.policies import policies_of
from handlers.model.decision import Verdict
from handlers.model.facts import Facts
from handlers.model.labels import Label
from handlers.model.party import Party, PartyKind
from handlers.model.scope import PodQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Snapshot
from handlers.model.traffic import Protocol, Traffic
from handlers.patch import Proposal, propose
from handlers.policy import PolicyConfig
from handlers.reach.cluster import Cluster, ClusterPod
from handlers.reach.compare import ChangeKind, FlowChange, compare
from handlers.reach.ends import ClusterEnd, PodEnds
from handlers.reach.from_facts import cluster_of
from handlers.reach.narrow import Narrowed, changed_rules
from handlers.reach.ports import PortSpan, merged, without
from handlers.reach.proposal import reference_of
from handlers.reach.roster import Surrounded, with_others
from handlers.whole_cluster import CLUSTER_PARTS
from tests.matrix.made_up import TRAFFICS, config, network_policy, policy
from tests.matrix.test_laws import PODS
from tests.policy.worlds import surroundings
from tests.sampling import examples, one_in
from tests.scenarios.truth import FOLDER, SCENARIOS, checks
from workers.runner import run
from workers.sources.sysdump import SysdumpSource

ASKED = Traffic(Protocol.TCP, 8080)

End = tuple[object, ...]
Turn = tuple[ChangeKind, Verdict, Verdict]
Opened = dict[tuple[End, End, Turn], tuple[PortSpan, ...]]
OPENED = (ChangeKind.OPENED, Verdict.DENIED, Verdict.ALLOWED)
REQUESTS = (ChangeKind.REQUESTS, Verdict.ALLOWED, Verdict.ALLOWED)


def key_of(end: ClusterEnd) -> End:
    """Tell ends apart by what carries them, or by what everybody sees in them."""
    if end.pods:
        return tuple(sorted(map(str, end.pods)))
    return end.party.kind is PartyKind.HOST, end.party.labels, end.party.fqdn_names is None


def gathered(found: Iterable[tuple[ClusterEnd, ClusterEnd, Turn, Iterable[PortSpan]]]) -> Opened:
    spans: dict[tuple[End, End, Turn], list[PortSpan]] = {}
    for source, destination, turn, ports in found:
        spans.setdefault((key_of(source), key_of(destination), turn), []).extend(ports)
    return {pair: merged(ports) for pair, ports in spans.items() if ports}


def spans_of(change: FlowChange) -> list[PortSpan]:
    return [span for ports in change.ports for span in ports.spans]


def told(changes: Iterable[FlowChange]) -> Opened:
    return gathered(
        (
            source,
            destination,
            (change.kind, change.before, change.after),
            [one for ports in change.ports for one in ports.spans],
        )
        for change in changes
        for source, destination in product(change.sources, change.destinations)
    )


def opened_by(before: Cluster, after: Cluster) -> Opened:
    """Give what comparing two whole clusters says; what may be open counts as open."""
    return gathered(
        (
            source,
            destination,
            OPENED if change.may_open else REQUESTS,
            [one for ports in change.ports for one in ports.spans],
        )
        for change in compare(before, after).changes
        if change.may_open or change.kind is ChangeKind.REQUESTS
        for source, destination in product(change.sources, change.destinations)
    )


def less(opened: Opened, source: End, destination: End, asked: Traffic) -> Opened:
    left = {
        pair: tuple(part for span in spans for part in without(span, asked))
        if pair[:2] == (source, destination)
        else spans
        for pair, spans in opened.items()
    }
    return {pair: spans for pair, spans in left.items() if spans}


def assert_lawful(cluster: Cluster, source: Party, destination: Party, asked: Traffic) -> Proposal:
    policies = cluster.compiled()
    sides = policies.combine(source, destination, asked)
    known = PodEnds.of_pods(cluster.pods)
    proposal = propose(policies, cluster.manifests, sides, source, destination, asked, known=known)
    if proposal.opening is None:
        return proposal
    compared = proposal.opening.compared
    ends = compared.change.rosters[1].ends
    also = gathered(
        (ends[flow.source], ends[flow.destination], OPENED if flow.was_closed else REQUESTS, [flow.ports])
        for flow in proposal.opening.flows
    )
    assert compared.source is not None
    assert compared.destination is not None
    pair = key_of(ends[compared.source]), key_of(ends[compared.destination])
    objects = {reference_of(manifest): manifest for manifest in cluster.manifests}
    objects |= {reference_of(manifest): manifest for manifest in proposal.manifests}
    assert also == less(opened_by(cluster, cluster.with_manifests(objects.values())), *pair, asked)
    carried = {str(pod) for pod in cluster.pods}
    for flow in proposal.opening.flows:
        for number in (flow.source, flow.destination):
            end = ends[number]
            assert end.party.kind is not PartyKind.ENDPOINT or {str(pod) for pod in end.pods} <= carried
            assert end.party.kind is not PartyKind.ENDPOINT or end.pods
        is_asked = compared.is_asked(flow.source, flow.destination)
        assert not (is_asked and flow.ports.holds(asked))
    return proposal


def assert_narrow_is_whole(before: Cluster, after: Cluster) -> Opened:
    """Compare twice: only whom a changed rule is about, and everybody."""
    old, new = before.compiled(), after.compiled()
    pods = PodEnds.of_pods(before.pods)
    rosters = with_others([pods, pods], [Surrounded(old), Surrounded(new)])
    touched = {reference_of(manifest) for manifest in (*before.manifests, *after.manifests)}
    narrow = told(Narrowed((old, new), pods, rosters, changed_rules(old, new, touched)).flows)
    assert narrow == told(compare(before, after).changes)
    return narrow


TWINS = tuple(
    replace(
        pod,
        name=f"{pod.name}-canary",
        party=replace(
            pod.party,
            name=f"{pod.party.name}-canary",
            labels=pod.party.labels.with_labels([Label("version", value="canary")]),
        ),
    )
    for pod in PODS
)
EVERYBODY = (*PODS, *TWINS)
some_policies = st.lists(st.one_of(policy(), policy(1), policy(2), network_policy), min_size=1, max_size=4)


def made_up(manifests: list[dict[str, Any]], how: PolicyConfig) -> Cluster:
    named = {reference_of(one): one for one in manifests}
    return Cluster(tuple(named.values()), how, surroundings(), EVERYBODY)


@pytest.mark.timeout(900)
@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(some_policies, config, st.permutations(PODS), st.sampled_from(TRAFFICS), st.booleans())
def test_of_clusters_made_up(
    manifests: list[dict[str, Any]], how: PolicyConfig, pods: list[ClusterPod], asked: Traffic, outside: bool
) -> None:
    cluster = made_up(manifests, how)
    source, destination = pods[0].party, pods[1].party
    if outside:
        destination = cluster.compiled().party_of_ip("203.0.113.77")
    both = cluster.compiled().combine(source, destination, asked)
    assume(both.verdict is Verdict.DENIED)
    assert_lawful(cluster, source, destination, asked)


@pytest.mark.timeout(900)
@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
@given(some_policies, st.one_of(policy(), policy(7), network_policy), config)
def test_a_changed_policy_does_the_same_to_those_concerned_and_to_the_whole_cluster(
    manifests: list[dict[str, Any]], changed: dict[str, Any], how: PolicyConfig
) -> None:
    assert_narrow_is_whole(made_up(manifests, how), made_up([*manifests, changed], how))


def recorded(scenario: str) -> Cluster:
    """Read a recorded cluster whole; pods in the network of their node are what their node is."""
    scope = Scope(all_namespaces=True, pods=(PodQuery(),), identities=(), policy_services=True, named_ports=True)
    source = SysdumpSource(FOLDER / scenario / "sysdump.zip")
    try:
        parts: dict[AnyPart, Any] = {part: source.read(Ask(part, scope), 30) for part in CLUSTER_PARTS}
    finally:
        source.close()
    facts = Facts(Snapshot(datetime(2026, 1, 1, tzinfo=UTC), scenario, parts))
    cluster = cluster_of(facts, policies_of(facts))
    return replace(cluster, pods=tuple(pod for pod in cluster.pods if not pod.host_network))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", one_in(2, SCENARIOS))
def test_of_recorded_clusters(scenario: str) -> None:
    cluster = recorded(scenario)
    policies = cluster.compiled()
    shop = [pod.party for pod in cluster.pods if pod.namespace in ("shop", "payments")][:8]
    world = policies.party_of_ip("198.18.10.30")
    for source, destination in product(shop, (*shop, world)):
        if policies.combine(source, destination, ASKED).verdict is Verdict.DENIED:
            assert_lawful(cluster, source, destination, ASKED)


@pytest.mark.parametrize("scenario", one_in(3, SCENARIOS))
def test_recorded_policies_that_go_do_the_same_to_those_concerned_and_to_the_whole_cluster(scenario: str) -> None:
    cluster = recorded(scenario)
    for gone in cluster.manifests:
        left = cluster.with_manifests(one for one in cluster.manifests if one is not gone)
        assert assert_narrow_is_whole(cluster, left)
        assert assert_narrow_is_whole(left, cluster)


@pytest.mark.parametrize("scenario", one_in(3, SCENARIOS))
def test_answers_name_neither_the_asked_pair_nor_an_identity_that_nobody_carries(scenario: str) -> None:
    source = SysdumpSource(FOLDER / scenario / "sysdump.zip")
    try:
        for check in checks(scenario):
            report = run(understand(check.question), source).report
            for flow in (flow for patch in report.patches for flow in patch.also_opens):
                for end in (flow.source, flow.destination):
                    assert "/" not in end or end[0].isdigit() or end.endswith(")"), (check.question, end)
    finally:
        source.close()
