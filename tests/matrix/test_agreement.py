"""The matrix says of every pair what deciding that pair alone says: on recorded clusters, and on made-up ones."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.model.decision import Verdict
from handlers.model.party import Party
from handlers.model.rule import Direction
from handlers.model.traffic import Protocol, Traffic
from handlers.policy import PolicyConfig, PolicySet, compile_policies
from handlers.policy.cases import Case, traffic_of
from handlers.reach.matrix import Matrix
from handlers.reach.port_classes import port_classes
from tests.matrix.made_up import READ_OR_NOT, TRAFFICS, config, everybody, network_policy, policy
from tests.policy.test_conformance import recorded
from tests.policy.worlds import surroundings
from tests.sampling import examples, one_in

CHUNKS = 6


def differences(policies: PolicySet, parties: Sequence[Party], traffics: Sequence[Traffic]) -> list[tuple[object, ...]]:
    """List the sides of pairs about which the matrix and a single decision differ."""
    matrix = Matrix(policies, parties)
    found: list[tuple[object, ...]] = []
    for traffic in traffics:
        reached = matrix.at(traffic)
        for source, destination in itertools.product(range(len(parties)), repeat=2):
            sides = (
                (Direction.EGRESS, parties[source], parties[destination], reached.egress[source]),
                (Direction.INGRESS, parties[destination], parties[source], reached.ingress[source]),
            )
            for direction, subject, peer, row in sides:
                outcome, _ = policies.outcome(direction, subject, peer, traffic)
                wanted = Verdict.ALLOWED if outcome.verdict is Verdict.NOT_APPLICABLE else outcome.verdict
                said = reached.side_verdict(direction, source, destination)
                proxied = bool(row.redirected >> destination & 1)
                if said is not wanted or (said is Verdict.ALLOWED and proxied is not (outcome.redirect is not None)):
                    found.append((direction, str(subject), str(peer), str(traffic), wanted, said, proxied))
            both = policies.combine(parties[source], parties[destination], traffic)
            if both.verdict is not reached.verdict(source, destination):
                found.append((str(parties[source]), str(parties[destination]), str(traffic), both.verdict))
    return found


@pytest.mark.parametrize("chunk", one_in(3, range(CHUNKS)))
@pytest.mark.parametrize("name", ["named", "train", "versions-named", "versions"])
def test_each_recorded_verdict_is_the_cell_of_its_pair(name: str, chunk: int) -> None:
    wrong = []
    for document in recorded(name)[chunk::CHUNKS]:
        case = Case(document)
        numbers: dict[Party, int] = {}
        asked = []
        for query in case.queries:
            ends = case.parties(query)
            source, destination = (numbers.setdefault(party, len(numbers)) for party in ends)
            whole = traffic_of(query)
            asked.append((source, destination, Traffic(whole.protocol, whole.port)))
        matrix = Matrix(case.policies, tuple(numbers))
        reached = {traffic: matrix.at(traffic) for _, _, traffic in asked}
        for (source, destination, traffic), answer in zip(asked, document["answers"], strict=True):
            wanted = answer["verdict"].removesuffix("-l7") if answer["verdict"] != "denied-l7" else "allowed"
            if reached[traffic].verdict(source, destination) != wanted:
                wrong.append((document["id"], str(traffic), wanted))
    assert wrong == []


@pytest.mark.parametrize("chunk", one_in(3, range(CHUNKS)))
def test_all_pairs_of_recorded_clusters(chunk: int) -> None:
    wrong = []
    for document in recorded("train")[chunk :: CHUNKS * 12]:
        case = Case(document)
        ends = [party for query in case.queries for party in case.parties(query)]
        traffics = [Traffic(one.protocol, one.port) for one in map(traffic_of, case.queries)]
        wrong += differences(case.policies, tuple(dict.fromkeys(ends)), tuple(dict.fromkeys(traffics))[:3])
    assert wrong == []


@settings(max_examples=examples(20), suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.one_of(policy(), policy(), policy(), network_policy), min_size=1, max_size=4),
    config,
    READ_OR_NOT,
    st.booleans(),
    st.sampled_from(TRAFFICS),
)
def test_all_pairs_of_made_up_clusters(
    manifests: list[dict[str, object]],
    settings_of_agent: PolicyConfig,
    not_read: dict[str, None],
    unread: bool,
    traffic: Traffic,
) -> None:
    policies = compile_policies(manifests, config=settings_of_agent, surroundings=surroundings(**not_read))
    assert differences(policies, everybody(policies, unread=unread), [traffic]) == []


@settings(max_examples=examples(10), suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(policy(), policy(), network_policy), min_size=1, max_size=3), st.integers(1, 0xFFFF))
def test_a_class_of_ports_has_one_answer(manifests: list[dict[str, object]], port: int) -> None:
    policies = compile_policies(manifests, config=PolicyConfig(), surroundings=surroundings())
    parties = everybody(policies, unread=False)
    matrix = Matrix(policies, parties)
    classes = port_classes(matrix)
    for asked in (Traffic(Protocol.TCP, port), Traffic(Protocol.UDP, port), Traffic(Protocol.TCP, 8050)):
        found = [one for one in classes if one.has(asked)]
        assert len(found) == 1
        assert matrix.at(asked).both == matrix.at(found[0].sample).both
