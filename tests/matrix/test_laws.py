"""Laws of changes and lints, on made-up clusters."""

import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.lints import LintContext, lint
from handlers.model.decision import Verdict
from handlers.model.party import NamedPort
from handlers.policy import PolicyConfig
from handlers.reach.cluster import Cluster
from handlers.reach.compare import ChangeKind, compare
from handlers.reach.matrix import Matrix
from handlers.reach.port_classes import port_classes
from handlers.reach.proposal import reference_of
from handlers.reach.roster import rosters
from handlers.reach.state import State
from tests.matrix.clusters import cluster_pod
from tests.matrix.made_up import network_policy, policy
from tests.policy.worlds import pod, surroundings
from tests.sampling import examples

PODS = tuple(
    cluster_pod(one)
    for one in (
        pod("shop/web", ports=[NamedPort("http", 8080)]),
        pod("shop/api", node="n2", ports=[NamedPort("http", 80)]),
        pod("payments/db", node="n2"),
    )
)
some_policies = st.lists(st.one_of(policy(), policy(1), policy(2), network_policy), min_size=1, max_size=4)


def cluster(manifests: list[dict[str, object]]) -> Cluster:
    named = {reference_of(one): one for one in manifests}
    return Cluster(tuple(named.values()), PolicyConfig(), surroundings(), PODS)


@settings(max_examples=examples(8), suppress_health_check=list(HealthCheck))
@given(some_policies, some_policies)
def test_a_comparison_is_what_single_decisions_say_before_and_after(
    first: list[dict[str, object]], second: list[dict[str, object]]
) -> None:
    before, after = cluster(first), cluster(second)
    compared = compare(before, after)
    old, new = before.compiled(), after.compiled()
    old_ends, new_ends = rosters(((before, old), (after, new)))
    told = {
        (source.title, destination.title, ports.sample): (change.before, change.after)
        for change in compared.changes
        if change.kind is not ChangeKind.REQUESTS
        for source, destination in itertools.product(change.sources, change.destinations)
        for ports in change.ports
    }
    found = {}
    classes = port_classes(Matrix(old, old_ends.parties), Matrix(new, new_ends.parties))
    for ports in classes[:4]:
        for source, destination in itertools.product(range(len(new_ends.ends)), repeat=2):
            was = old.combine(old_ends.parties[source], old_ends.parties[destination], ports.sample).verdict
            becomes = new.combine(new_ends.parties[source], new_ends.parties[destination], ports.sample).verdict
            if was is not becomes:
                key = (new_ends.ends[source].title, new_ends.ends[destination].title, ports.sample)
                found[key] = (was, becomes)
    looked_at = {ports.sample for ports in classes[:4]}
    assert {key: value for key, value in told.items() if key[2] in looked_at} == found


@settings(max_examples=examples(20), suppress_health_check=list(HealthCheck))
@given(some_policies)
def test_a_shadowed_policy_can_go_without_any_change(manifests: list[dict[str, Any]]) -> None:
    twins = [*manifests, *({**one, "metadata": {**one["metadata"], "name": "z"}} for one in manifests[:1])]
    whole = cluster(twins)
    for finding in lint(LintContext(State.of(whole))):
        if finding.code == "LINT_SHADOWED_POLICY":
            gone = finding.evidence[0].ref
            left = whole.with_manifests(one for one in whole.manifests if str(reference_of(one)) != gone)
            verdicts = [change for change in compare(whole, left).changes if change.before is not Verdict.ERROR]
            assert verdicts == []


@settings(max_examples=examples(8), suppress_health_check=list(HealthCheck))
@given(some_policies)
def test_lints_say_something_whole_about_anything(manifests: list[dict[str, object]]) -> None:
    for finding in lint(LintContext(State.of(cluster(manifests)))):
        assert finding.text
        assert finding.evidence[0].excerpt
        assert "?" not in finding.sentence.template
