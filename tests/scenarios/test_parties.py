"""Whoever is seen in a recorded cluster is one and the same to policy, whichever way the program comes to know it."""

from collections.abc import Iterator

import pytest

from handlers.connection.policies import policies_of
from handlers.model.endpoint import EntityName
from handlers.model.facts import Facts
from handlers.model.flow import Flow, FlowEnd
from handlers.model.labels import LabelSet
from handlers.model.party import Party, PartyKind
from handlers.policy.parties import labels_of_pod, party_of_flow_end
from handlers.policy.pods import endpoint_of_pod, endpoint_party, pod_party
from handlers.policy.policy_set import PolicySet
from tests.scenarios.snapshots import whole
from tests.scenarios.truth import SCENARIOS


def own_pods(facts: Facts, policies: PolicySet) -> dict[str, Party]:
    """Give the pods that have an identity of their own, by name."""
    running = (pod for pod in facts.pods if pod.is_running and not pod.host_network)
    return {str(pod): pod_party(pod, facts, policies) for pod in running}


def ends(facts: Facts, policies: PolicySet) -> Iterator[tuple[Flow, FlowEnd, Party]]:
    for flow in facts.flows.flows:
        host = policies.addresses.host_labels(policies.node_named(flow.node))
        for end in (flow.source, flow.destination):
            names = tuple(name.rstrip(".") for name in end.names)
            yield flow, end, party_of_flow_end(end, node=flow.node, host_labels=host, fqdn_names=names)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_pod_its_endpoint_and_its_computed_labels_are_one(scenario: str) -> None:
    facts = Facts(whole(scenario))
    policies = policies_of(facts)
    spaces = {space.name: space.labels for space in facts.namespaces}
    parties = own_pods(facts, policies)
    compared = 0
    for pod in facts.pods:
        endpoint = endpoint_of_pod(pod, facts)
        if str(pod) in parties and endpoint is not None:
            party, alone = parties[str(pod)], endpoint_party(endpoint, facts, policies)
            for one in (party, alone):
                assert one.labels == labels_of_pod(pod, spaces[pod.namespace], policies.config), pod
            told = [
                (one.kind, one.name, one.ips, one.node, one.managed, one.named_ports, one.identity, one.audit)
                for one in (party, alone)
            ]
            assert told[0] == told[1], pod
            compared += 1
    assert compared == len(parties) > 10


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_pod_in_a_flow_is_the_pod(scenario: str) -> None:
    facts = Facts(whole(scenario))
    policies = policies_of(facts)
    parties = own_pods(facts, policies)
    compared = 0
    for _, end, seen in ends(facts, policies):
        party = parties.get(seen.name)
        # Under a former identity it was somebody else.
        if party is not None and party.identity == end.identity:
            assert (seen.kind, seen.labels) == (party.kind, party.labels), end
            compared += 1
    assert compared > 100


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_node_in_a_flow_is_the_node(scenario: str) -> None:
    facts = Facts(whole(scenario))
    policies = policies_of(facts)
    found = set()
    for flow, end, seen in ends(facts, policies):
        if seen.kind in (PartyKind.HOST, PartyKind.REMOTE_NODE, PartyKind.KUBE_APISERVER):
            node = policies.party_of_ip(end.ip)
            host = policies.party_of_entity(EntityName.HOST, beside=flow.node)
            is_host = seen.kind is PartyKind.HOST
            assert node.kind is PartyKind.NODE, end
            assert seen.labels == (node.local_labels if is_host else node.labels), end
            assert not is_host or (seen.labels, seen.host_labels) == (host.labels, host.host_labels), end
            found.add(seen.labels.strings())
    assert ("reserved:host", "reserved:kube-apiserver") in found
    assert ("reserved:kube-apiserver", "reserved:remote-node") in found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_whoever_else_is_in_a_flow_is_the_entity_or_the_address(scenario: str) -> None:
    facts = Facts(whole(scenario))
    policies = policies_of(facts)
    unknown = LabelSet.reserved("unknown")
    for _, end, seen in ends(facts, policies):
        if seen.kind is PartyKind.HEALTH:
            assert seen.labels == policies.party_of_entity(EntityName.HEALTH).labels
        elif seen.kind is PartyKind.OUTSIDE and seen.labels != unknown:
            address = policies.party_of_ip(end.ip, seen.fqdn_names)
            assert seen.labels == policies.labels_seen(address, address), end
