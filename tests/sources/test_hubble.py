"""Hubble: filters go to the server, everything a stream says is kept, and who was not heard is named."""

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from google.protobuf.json_format import Parse
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from handlers.model.flow import FlowLog, RelayStatus
from handlers.model.parts import Part
from handlers.model.scope import FlowMatch, Scope
from handlers.model.snapshot import Ask, Gap
from tests.cluster.fake_api import Fault
from tests.cluster.fake_hubble import FakeHubble
from tests.cluster.lab import Lab
from tests.cluster.record import delimited, record
from tests.sources.asking import flows, known, missing
from workers.sources.hubble_connection import HubbleAccess
from workers.sources.hubble_pb import triage_hubble_pb2 as pb
from workers.sources.live import LiveSource, open_live

FIXTURES = Path(__file__).parent / "fixtures"
CERTIFICATES = Path(__file__).resolve().parents[1] / "cluster" / "certificates"
RELAY = Ask(Part.RELAY, Scope())
NODE_1, NODE_2 = "lab/lab-node-1", "lab/lab-node-2"


def connections_to(port: int) -> int:
    """Count the connections of this process to a server on loopback that are established."""
    tables = (Path("/proc/self/net", name).read_text() for name in ("tcp", "tcp6"))
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return sum(remote.endswith(f":{port:04X}") and state == "01" for _, _, remote, state, *_ in rows)


@pytest.fixture
def source(baseline: Lab) -> Iterator[LiveSource]:
    found = baseline.source()
    yield found
    found.close()


class TestFlows:
    """The flows that a query wants, and nothing else."""

    def test_a_query_is_decided_by_the_server_and_checked_here(self, baseline: Lab, source: LiveSource) -> None:
        match = FlowMatch(
            source_pods=("shop/frontend-65774999ff-v56k7",), destination_ports=(8080,), verdicts=("FORWARDED",)
        )
        log: FlowLog = known(source, flows(baseline.now, match))
        assert log.flows
        assert {(flow.source.pod, flow.destination.port) for flow in log.flows} == {("frontend-65774999ff-v56k7", 8080)}
        request = baseline.hubble.requests[0]
        (sent,) = request.whitelist
        assert (list(sent.source_pod), list(sent.destination_port), list(sent.verdict)) == (
            ["shop/frontend-65774999ff-v56k7"],
            ["8080"],
            [pb.FORWARDED],
        )
        assert (request.number, request.follow) == (0, False)
        assert request.since.ToDatetime(UTC) == baseline.now - timedelta(minutes=15)

    def test_a_pod_whose_name_begins_alike_is_another_pod(self, baseline: Lab, source: LiveSource) -> None:
        assert known(source, flows(baseline.now, FlowMatch(source_pods=("shop/front",)))).flows == ()
        assert known(source, flows(baseline.now, FlowMatch(source_pods=("shop/",)))).flows

    def test_a_server_that_filters_nothing_changes_nothing(self, baseline: Lab, source: LiveSource) -> None:
        match = FlowMatch(destination_pods=("shop/cart-55ccff755-852ks",))
        honest: FlowLog = known(source, flows(baseline.now, match))
        baseline.hubble.script = baseline.hubble.flows
        lazy: FlowLog = known(source, flows(baseline.now, match))
        assert lazy.flows == honest.flows
        assert lazy.flows

    def test_the_newest_are_kept_and_the_cut_is_told(self, baseline: Lab, source: LiveSource) -> None:
        everything: FlowLog = known(source, flows(baseline.now))
        log: FlowLog = known(source, flows(baseline.now, limit=10))
        assert (log.flows, log.truncated, everything.truncated) == (everything.flows[-10:], True, False)

    def test_times_are_in_order(self, baseline: Lab, source: LiveSource) -> None:
        baseline.hubble.script = list(reversed(baseline.hubble.flows))
        times = [flow.time for flow in known(source, flows(baseline.now)).flows]
        assert times == sorted(times)


class TestCoverage:
    """How far back each node's ring reaches is measured."""

    def test_a_ring_that_never_wrapped_reaches_back_to_the_agents_start(
        self, baseline: Lab, source: LiveSource
    ) -> None:
        log: FlowLog = known(source, flows(baseline.now))
        assert log.heard == {"lab-node-1", "lab-node-2"}
        assert log.covered_since["lab-node-1"] == baseline.now - timedelta(microseconds=830289850)

    def test_a_full_ring_is_asked_for_its_oldest_event(self, baseline: Lab, source: LiveSource) -> None:
        baseline.hubble.status = json.loads(json.dumps(baseline.hubble.status))
        for node in baseline.hubble.status["get_nodes"]["nodes"]:
            node["num_flows"] = node["max_flows"]
        log: FlowLog = known(source, flows(baseline.now))
        for name in (NODE_1, NODE_2):
            oldest = min(
                item.flow.time.ToDatetime(UTC) for item in baseline.hubble.flows if item.flow.node_name == name
            )
            assert log.covered_since[name.partition("/")[2]] == oldest
        probes = [request for request in baseline.hubble.requests if request.first]
        assert sorted(item.whitelist[0].node_name[0] for item in probes) == [NODE_1, NODE_2]


class TestSilence:
    """Who was not heard is named, with the reason."""

    def test_a_peer_that_relay_does_not_reach(self, baseline: Lab, source: LiveSource) -> None:
        baseline.hubble.trouble.unavailable = {NODE_2: "connection refused"}
        log: FlowLog = known(source, flows(baseline.now))
        assert log.heard == {"lab-node-1"}
        assert log.silent == {"lab-node-2": "connection refused"}
        assert {flow.node for flow in log.flows} == {"lab-node-1"}
        assert "lab-node-2" not in log.covered_since

    def test_no_peer_at_all_is_a_gap(self, baseline: Lab, source: LiveSource) -> None:
        baseline.hubble.trouble.unavailable = {NODE_1: "dead", NODE_2: "gone"}
        found = missing(source, flows(baseline.now))
        assert (found.gap, "lab-node-1: dead" in found.detail) == (Gap.UNREACHABLE, True)

    def test_a_frozen_peer_is_told_apart_by_asking_each(self, baseline: Lab, source: LiveSource) -> None:
        known(source, RELAY)
        baseline.hubble.trouble.frozen = {NODE_2}
        before = time.monotonic()
        log: FlowLog = known(source, flows(baseline.now), timeout=2.0)
        assert time.monotonic() - before < 3.0
        assert log.heard == {"lab-node-1"}
        assert set(log.silent) == {"lab-node-2"}
        assert log.flows
        assert log.truncated

    def test_a_relay_that_hangs(self, baseline: Lab, source: LiveSource) -> None:
        known(source, RELAY)
        baseline.hubble.trouble.hangs = True
        before = time.monotonic()
        assert missing(source, flows(baseline.now), timeout=0.6).gap is Gap.TIMEOUT
        assert missing(source, RELAY, timeout=0.3).gap is Gap.TIMEOUT
        assert time.monotonic() - before < 2.0

    @pytest.mark.parametrize("trouble", ["none", "frozen peer", "breaks"])
    def test_nothing_stays_connected_after_the_end(self, baseline: Lab, trouble: str) -> None:
        baseline.hubble.status = json.loads(json.dumps(baseline.hubble.status))
        for node in baseline.hubble.status["get_nodes"]["nodes"]:
            # A full ring: the node is asked for its oldest event.
            node["num_flows"] = node["max_flows"]
        if trouble == "frozen peer":
            baseline.hubble.trouble.frozen = {NODE_2}
        if trouble == "breaks":
            baseline.hubble.trouble.dies_after = 3
        for _ in range(2):
            source = baseline.source()
            source.read(flows(baseline.now), 1.0)
            assert connections_to(baseline.hubble.port)
            source.close()
        gone = Retrying(retry=retry_if_result(bool), stop=stop_after_delay(3), wait=wait_fixed(0.02))
        assert gone(connections_to, baseline.hubble.port) == 0

    def test_a_stream_that_breaks_keeps_what_was_read(self, baseline: Lab, source: LiveSource) -> None:
        baseline.hubble.trouble.dies_after = 50
        log: FlowLog = known(source, flows(baseline.now))
        assert (len(log.flows), log.truncated) == (50, True)

    def test_lost_events_are_told(self, baseline: Lab, source: LiveSource) -> None:
        baseline.hubble.trouble.lost = [
            Parse(line, pb.GetFlowsResponse(), ignore_unknown_fields=True)
            for name in ("lost-0.jsonl", "lost-8000.jsonl")
            for line in (FIXTURES / name).read_text("utf-8").splitlines()
        ]
        lost = known(source, flows(baseline.now)).lost
        assert [(item.node, item.source, item.count) for item in lost] == [
            ("lab-node-1", "OBSERVER_EVENTS_QUEUE", 15546),
            ("lab-node-1", "HUBBLE_RING_BUFFER", 1648),
            ("lab-node-1", "HUBBLE_RING_BUFFER", 1623),
            ("lab-node-1", "HUBBLE_RING_BUFFER", 1325),
        ]

    def test_a_relay_that_is_not_there(self, baseline: Lab) -> None:
        source = baseline.source(hubble=HubbleAccess(address="127.0.0.1:1"))
        found = missing(source, flows(baseline.now))
        assert (found.gap, "127.0.0.1:1" in found.detail, "HUBBLE_SERVER" in found.remedy) == (
            Gap.UNREACHABLE,
            True,
            True,
        )
        assert missing(source, RELAY).gap is Gap.UNREACHABLE
        source.close()

    @pytest.mark.parametrize(
        ("code", "gap"),
        [
            (grpc.StatusCode.UNAVAILABLE, Gap.UNREACHABLE),
            (grpc.StatusCode.PERMISSION_DENIED, Gap.FORBIDDEN),
            (grpc.StatusCode.UNIMPLEMENTED, Gap.UNSUPPORTED),
            (grpc.StatusCode.INTERNAL, Gap.FAILED),
        ],
    )
    def test_a_relay_that_refuses(self, code: grpc.StatusCode, gap: Gap, baseline: Lab, source: LiveSource) -> None:
        baseline.hubble.trouble.refuses = code
        assert missing(source, flows(baseline.now)).gap is gap

    def test_an_agent_instead_of_relay(self, baseline: Lab, source: LiveSource) -> None:
        baseline.hubble.is_relay = False
        log: FlowLog = known(source, flows(baseline.now))
        assert log.heard == {"lab-node-1", "lab-node-2"}
        assert missing(source, RELAY).gap is Gap.UNSUPPORTED
        quiet: FlowLog = known(source, flows(baseline.now, FlowMatch(source_pods=("no/body",))))
        assert (quiet.flows, len(quiet.heard)) == ((), 1)


class TestRecordedRelay:
    """What a real relay sent while a peer was killed or frozen."""

    @staticmethod
    def _log(baseline: Lab, script: list[pb.GetFlowsResponse], frozen: str = "") -> FlowLog:
        baseline.hubble.script = script
        baseline.hubble.trouble.frozen = {frozen} if frozen else set()
        baseline.hubble.is_relay = False
        times = [item.flow.time.seconds for item in script if item.WhichOneof("response_types") == "flow"]
        baseline.now = datetime.fromtimestamp(max(times) + 1, UTC)
        source = baseline.source()
        found: FlowLog = known(source, flows(baseline.now, minutes=60))
        source.close()
        return found

    def test_a_killed_peer_is_unavailable(self, baseline: Lab) -> None:
        lines = gzip.decompress((FIXTURES / "relay-oneshot-killed.jsonl.gz").read_bytes()).splitlines()
        log = self._log(baseline, [Parse(line, pb.GetFlowsResponse(), ignore_unknown_fields=True) for line in lines])
        assert log.heard == {"lab-node-1"}
        assert log.silent == {"lab-node-2": "NODE_UNAVAILABLE"}
        assert len(log.flows) == 20

    def test_a_frozen_peer_is_listed_as_connected(self, baseline: Lab) -> None:
        lines = gzip.decompress((FIXTURES / "relay-oneshot-frozen.jsonl.gz").read_bytes()).splitlines()
        script = [Parse(line, pb.GetFlowsResponse(), ignore_unknown_fields=True) for line in lines]
        log = self._log(baseline, script, frozen=NODE_2)
        assert log.heard == {"lab-node-1"}
        assert log.silent == {"lab-node-2": "it was connected, but sent nothing and answered no question"}
        assert len(log.flows) == 20

    def test_a_quiet_peer_that_answers_is_heard(self, baseline: Lab) -> None:
        lines = gzip.decompress((FIXTURES / "relay-oneshot-frozen.jsonl.gz").read_bytes()).splitlines()
        log = self._log(baseline, [Parse(line, pb.GetFlowsResponse(), ignore_unknown_fields=True) for line in lines])
        assert log.heard == {"lab-node-1", "lab-node-2"}

    def test_a_peer_killed_during_the_stream_is_told_with_what_relay_said(self, baseline: Lab) -> None:
        log = self._log(baseline, delimited(gzip.decompress((FIXTURES / "relay-peer-kill-follow.pb.gz").read_bytes())))
        assert log.heard == {"lab-node-1"}
        assert "connection error" in log.silent["lab-node-2"]
        assert {flow.node for flow in log.flows} == {"lab-node-1", "lab-node-2"}

    def test_a_peer_that_freezes_during_the_stream(self, baseline: Lab) -> None:
        script = delimited(gzip.decompress((FIXTURES / "relay-peer-death-follow.pb.gz").read_bytes()))
        log = self._log(baseline, script, frozen=NODE_2)
        assert log.heard == {"lab-node-1"}
        assert "answers no more since" in log.silent["lab-node-2"]
        assert len(log.flows) == 77


class TestRelay:
    """Relay's own view."""

    def test_every_peer(self, source: LiveSource) -> None:
        status: RelayStatus = known(source, RELAY)
        assert status.version == "hubble-relay v1.19.0-dev+ge8aa78a5e4"
        assert {(node.name, node.state, node.num_flows, node.max_flows) for node in status.nodes} == {
            ("lab-node-1", "NODE_CONNECTED", 2550, 4095),
            ("lab-node-2", "NODE_CONNECTED", 1490, 4095),
        }

    def test_a_killed_peer_has_no_numbers(self, baseline: Lab, source: LiveSource) -> None:
        baseline.hubble.status = json.loads((FIXTURES / "relay-status-killed-12s.json").read_text("utf-8"))
        status: RelayStatus = known(source, RELAY)
        dead = next(node for node in status.nodes if node.name == "lab-node-2")
        assert (dead.state, dead.num_flows, dead.version) == ("NODE_UNAVAILABLE", None, None)


class TestConnection:
    """Plain, TLS, mTLS, and a port-forward when no address is known."""

    @staticmethod
    def _credentials(client: bool) -> grpc.ServerCredentials:
        pair = ((CERTIFICATES / "server.key").read_bytes(), (CERTIFICATES / "server.crt").read_bytes())
        authority = (CERTIFICATES / "ca.crt").read_bytes() if client else None
        return grpc.ssl_server_credentials([pair], authority, require_client_auth=client)

    ACCESS = HubbleAccess(tls=True, ca_files=(CERTIFICATES / "ca.crt",), server_name="relay.hubble-relay.cilium.io")

    def _read(self, access: HubbleAccess, client: bool) -> object:
        found = record("01-baseline")
        with FakeHubble.of(found, self._credentials(client)) as hubble:
            environment = {
                "HUBBLE_SERVER": f"tls://{hubble.address}" if access.tls else hubble.address,
                "HUBBLE_TLS_CA_CERT_FILES": ",".join(map(str, access.ca_files)),
                "HUBBLE_TLS_SERVER_NAME": access.server_name or "",
                "HUBBLE_TLS_CLIENT_CERT_FILE": str(access.client_certificate or ""),
                "HUBBLE_TLS_CLIENT_KEY_FILE": str(access.client_key or ""),
                "HUBBLE_TLS_ALLOW_INSECURE": "true" if access.allow_insecure else "",
            }
            source = open_live(in_cluster=False, environment=environment)
            try:
                return source.read(RELAY, 5.0)
            finally:
                source.close()

    def test_tls(self) -> None:
        assert "RelayStatus" in repr(self._read(self.ACCESS, client=False))

    def test_mutual_tls(self) -> None:
        files = {"client_certificate": CERTIFICATES / "client.crt", "client_key": CERTIFICATES / "client.key"}
        assert "RelayStatus" in repr(self._read(replace(self.ACCESS, **files), client=True))  # type: ignore[arg-type]
        assert "UNREACHABLE" in repr(self._read(self.ACCESS, client=True))

    def test_a_server_of_another_name_is_not_trusted(self) -> None:
        assert "UNREACHABLE" in repr(self._read(replace(self.ACCESS, server_name="relay.example"), client=False))

    def test_a_server_of_another_authority_is_not_trusted(self) -> None:
        assert "UNREACHABLE" in repr(self._read(replace(self.ACCESS, ca_files=()), client=False))

    def test_plain_text_to_a_server_that_wants_tls(self) -> None:
        assert "UNREACHABLE" in repr(self._read(HubbleAccess(), client=False))

    def test_verification_cannot_be_switched_off(self) -> None:
        answer = self._read(replace(self.ACCESS, allow_insecure=True), client=False)
        assert "HUBBLE_TLS_CA_CERT_FILES" in repr(answer)

    def test_a_certificate_file_that_is_not_there(self) -> None:
        answer = self._read(replace(self.ACCESS, ca_files=(Path("/nowhere/ca.crt"),)), client=False)
        assert "/nowhere/ca.crt" in repr(answer)

    def test_the_variables_of_the_hubble_cli(self) -> None:
        access = HubbleAccess.from_environment({"HUBBLE_SERVER": "relay:443", "HUBBLE_TLS": "true"})
        assert (access.address, access.uses_tls) == ("relay:443", True)
        assert HubbleAccess.from_environment({"HUBBLE_SERVER": "a:1"}, "b:2").address == "b:2"
        assert HubbleAccess.from_environment({}) == HubbleAccess()

    def test_a_port_forward_to_relays_pod(self, baseline: Lab) -> None:
        source = baseline.source(hubble=HubbleAccess())
        direct = baseline.source()
        assert known(source, RELAY) == known(direct, RELAY)
        assert known(source, flows(baseline.now)).flows == known(direct, flows(baseline.now)).flows
        assert any(path.endswith("/portforward") for path, _ in baseline.api.requests)
        source.close()
        direct.close()

    def test_a_port_forward_that_is_refused(self, baseline: Lab) -> None:
        baseline.api.faults["portforward"] = Fault(status=403)
        source = baseline.source(hubble=HubbleAccess())
        found = missing(source, flows(baseline.now))
        assert (found.gap, "not allowed" in found.detail) == (Gap.UNREACHABLE, True)
        source.close()

    def test_a_cluster_without_relay(self, baseline: Lab) -> None:
        baseline.api.objects["pods"] = [
            pod for pod in baseline.api.objects["pods"] if "hubble-relay" not in pod["metadata"]["name"]
        ]
        source = baseline.source(hubble=HubbleAccess())
        found = missing(source, flows(baseline.now))
        assert (found.gap, "hubble enable" in found.remedy) == (Gap.UNREACHABLE, True)
        source.close()
