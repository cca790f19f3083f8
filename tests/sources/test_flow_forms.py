"""The same flow in protobuf and in jsonpb is the same flow, and queries choose alike."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from handlers.model.flow import EventType, Flow, FlowDirection, FlowType, FlowVerdict
from handlers.model.scope import FlowMatch, FlowQuery
from handlers.model.traffic import Protocol
from tests.cluster.record import NAMES, record
from workers.sources.convert.flow_json import flow_from_json, key_from_json
from workers.sources.convert.flow_proto import flow_from_proto, key_of_proto
from workers.sources.convert.flow_window import FlowKey, Newest, key_of, wanted_by
from workers.sources.convert.reading import MalformedError
from workers.sources.hubble_pb import triage_hubble_pb2 as pb

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_flow_reads_the_same_in_both_forms(name: str) -> None:
    for response in record(name).responses:
        if response.WhichOneof("response_types") != "flow":
            continue
        as_json = MessageToDict(response.flow, preserving_proto_field_name=True)
        flow = flow_from_proto(response.flow)
        assert flow_from_json(as_json) == flow
        assert key_from_json(as_json) == key_of(flow)
        assert key_of_proto(response.flow) == key_of(flow)


def _flow(**fields: Any) -> pb.Flow:
    return pb.Flow(time=Timestamp(seconds=1), **fields)


def test_a_drop_says_its_reason_and_not_whether_it_is_a_reply() -> None:
    flow = flow_from_proto(_flow(verdict=pb.DROPPED, drop_reason_desc=pb.POLICY_DENIED, drop_reason=133))
    assert (flow.verdict, flow.drop_reason, flow.is_reply) == (FlowVerdict.DROPPED, "POLICY_DENIED", None)


def test_enum_values_of_a_newer_hubble_are_tolerated() -> None:
    newer = _flow(Type=77, traffic_direction=9, trace_observation_point=55, drop_reason_desc=250, drop_reason=250)
    newer.verdict = 42  # type: ignore[assignment]
    flow = flow_from_proto(newer)
    assert (flow.verdict, flow.type, flow.direction) == (FlowVerdict.UNKNOWN, FlowType.UNKNOWN, FlowDirection.UNKNOWN)
    assert (flow.observation_point, flow.drop_reason) == ("55", "250")
    as_json = {"time": "2026-11-20T12:00:00Z", "verdict": "PONDERED", "Type": "L9", "drop_reason": 250}
    assert flow_from_json(as_json).drop_reason == "250"


def test_an_echo_reply_has_type_zero_which_json_leaves_out() -> None:
    flow = flow_from_json({"time": "2026-11-20T12:00:00Z", "l4": {"ICMPv4": {}}})
    assert (flow.protocol, flow.icmp_type, flow.source.port) == (Protocol.ICMP, 0, None)


def test_dns_names_are_spelt_one_way() -> None:
    body = {
        "time": "2026-11-20T12:00:00Z",
        "event_type": {"type": 129},
        "l7": {"type": "RESPONSE", "dns": {"query": "API.Stripe.example.", "rcode": 5}},
        "destination_names": ["API.stripe.example."],
    }
    flow = flow_from_json(body)
    assert flow.dns is not None
    assert (flow.dns.query, flow.dns.rcode, flow.dns.is_response) == ("api.stripe.example", 5, True)
    assert flow.destination.names == ("api.stripe.example",)
    assert flow.event_type == EventType.ACCESS_LOG


def test_an_implicit_allow_names_no_policy() -> None:
    flow = flow_from_proto(_flow(ingress_allowed_by=[pb.Policy(), pb.Policy(kind="NetworkPolicy", name="a")]))
    assert [policy.ref for policy in flow.allowed_by] == ["NetworkPolicy//a"]


def test_a_flow_without_a_time_is_malformed() -> None:
    with pytest.raises(MalformedError):
        flow_from_proto(pb.Flow())
    with pytest.raises(MalformedError):
        flow_from_json({})
    with pytest.raises(MalformedError):
        flow_from_proto(pb.Flow(time=Timestamp(seconds=1 << 60)))


KEY = FlowKey("shop/cart", "10.0.0.1", 40000, "shop/redis-0", "10.0.0.2", 6379, "DROPPED")


@pytest.mark.parametrize(
    ("match", "wanted"),
    [
        pytest.param(FlowMatch(), True, id="nothing asked takes everything"),
        pytest.param(FlowMatch(source_pods=("shop/cart",)), True, id="this pod"),
        pytest.param(FlowMatch(source_pods=("shop/car",)), False, id="a prefix is another pod"),
        pytest.param(FlowMatch(source_pods=("shop/",)), True, id="any pod of the namespace"),
        pytest.param(FlowMatch(source_pods=("sho/",)), False, id="a prefix is another namespace"),
        pytest.param(FlowMatch(destination_ips=("10.0.0.2",)), True, id="this address"),
        pytest.param(FlowMatch(destination_ips=("10.0.0.0/24",)), True, id="an address of this prefix"),
        pytest.param(FlowMatch(destination_ips=("10.0.1.0/24", "2001:db8::/32")), False, id="no address of these"),
        pytest.param(FlowMatch(source_ports=(40000,), destination_ports=(1, 6379)), True, id="these ports"),
        pytest.param(FlowMatch(destination_ports=(80,)), False, id="another port"),
        pytest.param(FlowMatch(verdicts=("DROPPED", "AUDIT")), True, id="one of these verdicts"),
        pytest.param(FlowMatch(source_pods=("shop/cart",), verdicts=("FORWARDED",)), False, id="fields are ANDed"),
    ],
)
def test_a_match_takes_what_was_asked(match: FlowMatch, wanted: bool) -> None:
    assert wanted_by(FlowQuery((match,), NOON, NOON))(KEY) is wanted


def test_matches_are_ored() -> None:
    query = FlowQuery((FlowMatch(verdicts=("AUDIT",)), FlowMatch(source_ips=("10.0.0.1",))), NOON, NOON)
    assert wanted_by(query)(KEY)


@pytest.mark.parametrize(
    ("seconds", "limit", "kept", "is_cut"),
    [
        pytest.param([3, 1, 2], 2, [2, 3], True, id="the oldest goes"),
        pytest.param([3, 1, 2], 3, [1, 2, 3], False, id="all fit"),
        pytest.param(range(5_000), 3, [4997, 4998, 4999], True, id="many, in order"),
        pytest.param(range(5_000, 0, -1), 3, [4998, 4999, 5000], True, id="many, the newest first"),
        pytest.param([3, 1, 2], 4, [1, 2, 3], False, id="nearly as many as may be kept"),
        pytest.param([1, 2], 0, [], True, id="none is wanted"),
    ],
)
def test_the_newest_are_kept_in_the_order_of_their_times(
    seconds: Sequence[int], limit: int, kept: list[int], is_cut: bool
) -> None:
    newest = Newest[Flow](FlowQuery((), NOON, NOON, limit=limit))
    for second in seconds:
        newest.offer(flow_from_json({"time": (NOON + timedelta(seconds=second)).isoformat(), "uuid": str(second)}))
    assert ([int(flow.uuid) for flow in newest.kept], newest.is_cut) == (kept, is_cut)


def test_of_one_moment_the_last_offered_are_kept_however_often_the_rest_was_cut() -> None:
    newest = Newest[Flow](FlowQuery((), NOON, NOON, limit=2))
    for number in range(4_000):
        newest.offer(flow_from_json({"time": NOON.isoformat(), "uuid": str(number)}))
    assert [flow.uuid for flow in newest.kept] == ["3998", "3999"]


@pytest.mark.parametrize(
    "time",
    [
        pytest.param(Timestamp(seconds=-(1 << 60)), id="before the year 1"),
        pytest.param(Timestamp(seconds=1 << 40), id="after the year 9999"),
        pytest.param(Timestamp(seconds=1, nanos=-1), id="less than no nanoseconds"),
        pytest.param(Timestamp(seconds=1, nanos=1_000_000_000), id="a second of nanoseconds"),
    ],
)
def test_a_time_that_is_none_is_refused(time: Timestamp) -> None:
    with pytest.raises(MalformedError):
        flow_from_proto(pb.Flow(time=time))


def test_flows_of_one_endpoint_share_its_labels() -> None:
    end = pb.Endpoint(identity=7, namespace="shop", pod_name="cart", labels=["k8s:app=cart"])
    one, other = (flow_from_proto(_flow(uuid=uuid, source=end)) for uuid in "ab")
    assert one.source.labels == ("k8s:app=cart",)
    assert one.source.labels is other.source.labels
