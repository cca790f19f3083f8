"""Over recorded cases: every patch opens its flow, and exactly what it lists changes, for everybody on every port."""

import json
import lzma
import random
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from handlers.model.decision import Verdict
from handlers.model.labels import LabelSet
from handlers.model.party import Party, PartyKind
from handlers.model.rule import Direction
from handlers.model.traffic import Protocol, Traffic
from handlers.patch import Proposal, propose
from handlers.policy.cases import Case, traffic_of
from handlers.policy.policy_set import PolicySet, compile_policies
from handlers.reach.ends import PodEnds
from handlers.reach.roster import as_seen_by, number_of
from tests.patch.lab import key_of
from tests.sampling import one_in

CASES = Path(__file__).parents[1] / "policy" / "cases" / "train.jsonl.xz"
CHUNKS = 8
CASES_EACH = 3
QUERIES_EACH = 3
PORTS_EACH = 12
COMMON = (
    Traffic(Protocol.TCP, 80),
    Traffic(Protocol.TCP, 61_234),
    Traffic(Protocol.UDP, 53),
    Traffic(Protocol.SCTP, 443),
    Traffic(Protocol.ICMP, 8),
)


def sampled(chunk: int) -> list[dict[str, Any]]:
    with lzma.open(CASES, "rt", encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    return random.Random(chunk).sample(cases[chunk::CHUNKS], CASES_EACH)  # noqa: S311


def pods_of(case: Case) -> list[Party]:
    return [pod.party for pod in case.pods.values() if not pod.host_network]


def proposals(document: dict[str, Any], case: Case) -> Iterator[tuple[Party, Party, Traffic, Proposal]]:
    known = PodEnds.of_parties(pods_of(case))
    queries = random.Random(document["id"]).sample(case.queries, len(case.queries))  # noqa: S311
    found = 0
    for query in queries:
        source, destination = case.parties(query)
        traffic = traffic_of(query)
        sides = case.policies.combine(source, destination, traffic)
        if sides.blocking and found < QUERIES_EACH:
            found += 1
            yield (
                source,
                destination,
                traffic,
                propose(case.policies, document["policies"], sides, source, destination, traffic, known=known),
            )


def recompiled(document: dict[str, Any], case: Case, proposal: Proposal) -> PolicySet:
    objects = {key_of(manifest): manifest for manifest in document["policies"]}
    for patch in proposal.patches:
        manifest = yaml.safe_load(patch.manifest)
        objects[key_of(manifest)] = manifest
    return compile_policies(list(objects.values()), config=case.config, surroundings=case.surroundings)


def is_open(policies: PolicySet, source: Party, destination: Party, traffic: Traffic) -> bool:
    sides = ((Direction.EGRESS, source, destination), (Direction.INGRESS, destination, source))
    return all(
        policies.outcome(*side, traffic)[0].verdict in (Verdict.ALLOWED, Verdict.NOT_APPLICABLE) for side in sides
    )


def everybody(case: Case, *ends: Party) -> list[Party]:
    remote = Party(PartyKind.REMOTE_NODE, LabelSet.reserved("remote-node"), managed=False)
    world = case.policies.party_of_ip("192.0.2.77")
    nodes = [case.policies.party_of_node(node) for node in case.nodes]
    outside = [end for end in ends if end.kind is PartyKind.OUTSIDE]
    pods = {(pod.labels, pod.named_ports): pod for pod in pods_of(case)}
    return [*pods.values(), *nodes, *outside, remote, world]


def ports_of(sets: tuple[PolicySet, ...], asked: Traffic, rng: random.Random) -> list[Traffic]:
    named = {
        Traffic(protocol, number)
        for policies in sets
        for rule in policies.rules
        for ports in rule.ports
        for port in ports.ports
        for number in (port.port, port.port + 1, port.end_port, port.end_port + 1)
        for protocol in (Protocol.TCP, Protocol.UDP)
        if 0 < number <= 0xFFFF
    }
    some = rng.sample(sorted(named, key=str), min(len(named), PORTS_EACH))
    return [*some, *COMMON, Traffic(asked.protocol, asked.port)]


def wrong_flows(case: Case, new: PolicySet, asked: tuple[Party, Party, Traffic], proposal: Proposal) -> list[object]:
    """List the flows that closed, or opened without being listed, or are listed and did not open."""
    assert proposal.opening is not None
    source, destination, traffic = asked
    compared = proposal.opening.compared
    rosters, pods = compared.change.rosters, compared.change.pods
    listed: dict[tuple[int | None, int | None], list[Any]] = {}
    for flow in proposal.opening.flows:
        if flow.was_closed:
            listed.setdefault((flow.source, flow.destination), []).append(flow.ports)
    rng = random.Random(0)  # noqa: S311
    tried = ports_of((case.policies, new), traffic, rng)
    found: list[object] = []
    for one, other in product(everybody(case, source, destination), repeat=2):
        if one.kind is not PartyKind.ENDPOINT and other.kind is not PartyKind.ENDPOINT:
            continue
        later = as_seen_by(new, one), as_seen_by(new, other)
        now = as_seen_by(case.policies, one), as_seen_by(case.policies, other)
        first = number_of(pods, rosters, (now[0], later[0]), other)
        second = number_of(pods, rosters, (now[1], later[1]), one)
        assert first is not None, one
        assert second is not None, other
        for sent in tried:
            before, after = is_open(case.policies, one, other, sent), is_open(new, *later, sent)
            says = any(ports.holds(sent) for ports in listed.get((first, second), ()))
            is_asked = compared.is_asked(first, second) and (sent.protocol, sent.port) == (
                traffic.protocol,
                traffic.port,
            )
            if before != after and not (after and (says or is_asked)):
                found.append(("changed", str(one), str(other), str(sent), after))
            if says and before == after:
                found.append(("listed", str(one), str(other), str(sent)))
    return found


@pytest.mark.parametrize("chunk", one_in(4, range(CHUNKS)))
def test_patches_open_what_was_asked_and_what_they_list_and_nothing_else(chunk: int) -> None:
    offered = 0
    for document in sampled(chunk):
        case = Case(document)
        for source, destination, traffic, proposal in proposals(document, case):
            if not proposal.patches:
                assert proposal.denials or proposal.declined
                continue
            offered += 1
            new = recompiled(document, case, proposal)
            ends = as_seen_by(new, source), as_seen_by(new, destination)
            assert new.combine(*ends, traffic).verdict is Verdict.ALLOWED, document["id"]
            assert wrong_flows(case, new, (source, destination, traffic), proposal) == [], document["id"]
    assert offered >= CASES_EACH
