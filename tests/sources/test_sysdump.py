"""A sysdump tells what it holds, and says of everything else why it does not."""

import json
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handlers.model.flow import FlowLog
from handlers.model.parts import Part
from handlers.model.scope import FlowMatch, PodQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing
from handlers.source import Source
from tests.cluster.record import NAMES, record
from tests.sources.asking import every_ask, flows, known, missing, whole
from tests.sources.dumps import Files, changed, files_of, packed_dump, with_packed_bugtool, with_warning, without
from workers.sources.archive import ArchiveError
from workers.sources.sysdump import SysdumpSource

UNKNOWN_KIND = "the server could not find the requested resource"
NOT_IN_THESE_DUMPS = {
    *(Part.WORKLOADS, Part.RELAY, Part.EVENTS, Part.AGENT_LOG),
    *(Part.AGENT_NODES, Part.AGENT_CONFIG, Part.SYSTEM_WORKLOADS),
}


@pytest.fixture(scope="module")
def baseline() -> Files:
    return files_of("01-baseline")


@pytest.fixture
def dump(tmp_path: Path) -> Iterator["Maker"]:
    maker = Maker(tmp_path)
    yield maker
    maker.close()


class Maker:
    """Opens sysdumps made of files, and closes them in the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: list[SysdumpSource] = []

    def __call__(self, files: Files) -> SysdumpSource:
        folder = self._folder / str(len(self._opened))
        folder.mkdir()
        self._opened.append(SysdumpSource(packed_dump(folder, files)))
        return self._opened[-1]

    def close(self) -> None:
        for source in self._opened:
            source.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_part_of_every_archive_is_read_or_told_why_not(name: str) -> None:
    source = SysdumpSource(record(name).sysdump)
    gaps = set()
    for ask in every_ask(source.now()):
        answer = source.read(ask, 10)
        if isinstance(answer, Missing):
            assert answer.detail
            gaps.add(ask.part)
        else:
            assert answer.observed_at == source.now()
    source.close()
    # The CLI that collected these could not write CIDR groups; the log says so.
    assert gaps == {*NOT_IN_THESE_DUMPS, Part.CIDR_GROUPS}


def test_it_is_called_by_its_folder(dump: Maker, baseline: Files) -> None:
    assert dump(baseline).title == "sysdump dump"


def test_a_folder_reads_like_its_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(record("10-tofqdns").sysdump) as packed:
        packed.extractall(tmp_path)
    folder, archive = SysdumpSource(tmp_path / "10-tofqdns"), SysdumpSource(record("10-tofqdns").sysdump)
    assert folder.now() == archive.now()
    for ask in every_ask(archive.now()):
        one, other = folder.read(ask, 10), archive.read(ask, 10)
        assert isinstance(one, Known) == isinstance(other, Known)
        if isinstance(one, Known) and isinstance(other, Known):
            assert one.value == other.value
    folder.close()
    archive.close()


def test_a_bugtool_part_as_an_archive_in_the_archive(dump: Maker, baseline: Files) -> None:
    plain, nested = dump(baseline), dump(with_packed_bugtool(baseline))
    for ask in every_ask(plain.now()):
        if ask.part.is_per_node and ask.part not in NOT_IN_THESE_DUMPS:
            assert known(nested, ask) == known(plain, ask)


def test_outputs_behind_a_heading_and_a_fence(dump: Maker, baseline: Files) -> None:
    fenced = changed(baseline, r"/cmd/", lambda body: b"# cilium-dbg x\n\n```\n" + body + b"\n```\n")
    plain = dump(baseline)
    ask = Ask(Part.AGENT_ENDPOINTS, Scope(), "lab-node-1")
    assert known(dump(fenced), ask) == known(plain, ask)
    ask = Ask(Part.AGENT_SERVICES, Scope(), "lab-node-1")
    assert known(dump(fenced), ask) == known(plain, ask)


class TestGaps:
    """A missing file is a gap, with the reason that the dump's log has."""

    LISTS = (
        ("k8s-namespaces", Part.NAMESPACES),
        ("k8s-nodes", Part.NODES),
        ("ciliumnodes", Part.NODES),
        ("k8s-pods", Part.PODS),
        ("k8s-services", Part.SERVICES),
        ("k8s-endpointslices", Part.ENDPOINT_SLICES),
        ("k8s-networkpolicies", Part.POLICIES),
        ("ciliumnetworkpolicies", Part.POLICIES),
        ("ciliumclusterwidenetworkpolicies", Part.POLICIES),
        ("ciliumegressgatewaypolicies", Part.EGRESS_GATEWAYS),
        ("ciliumendpoints", Part.CILIUM_ENDPOINTS),
        ("ciliumidentities", Part.IDENTITIES),
        ("cilium-configmap", Part.CONFIG),
    )

    @pytest.mark.parametrize(("kind", "part"), LISTS)
    def test_a_missing_list(self, kind: str, part: AnyPart, dump: Maker, baseline: Files) -> None:
        source = dump(without(baseline, rf"^{kind}-\d"))
        assert missing(source, Ask(part, whole(source.now()))).gap is Gap.NOT_IN_DUMP

    @pytest.mark.parametrize(("kind", "part"), LISTS)
    def test_an_empty_file_is_no_empty_list(self, kind: str, part: AnyPart, dump: Maker, baseline: Files) -> None:
        source = dump(changed(baseline, rf"^{kind}-\d", lambda body: b""))
        found = missing(source, Ask(part, whole(source.now())))
        assert found.gap is Gap.NOT_IN_DUMP
        assert kind in found.detail

    def test_the_log_says_why(self, dump: Maker, baseline: Files) -> None:
        found = missing(dump(baseline), Ask(Part.CIDR_GROUPS, Scope()))
        assert found.gap is Gap.NOT_IN_DUMP
        assert "no kind is registered for the type v2alpha1.CiliumCIDRGroupList" in found.detail

    def test_a_kind_that_the_cluster_does_not_know_has_no_objects(self, dump: Maker, baseline: Files) -> None:
        files = changed(baseline, r"^ciliumegressgatewaypolicies-\d", lambda body: b"")
        files = with_warning(files, f"[19] Collecting Cilium Egress Gateway policies: failed: {UNKNOWN_KIND}")
        assert known(dump(files), Ask(Part.EGRESS_GATEWAYS, Scope())) == ()

    def test_a_cluster_without_cilium_policies_is_no_cluster_without_policies(
        self, dump: Maker, baseline: Files
    ) -> None:
        files = changed(baseline, r"^ciliumnetworkpolicies-\d", lambda body: b"")
        files = with_warning(files, f"[17] Collecting Cilium network policies: failed: {UNKNOWN_KIND}")
        assert missing(dump(files), Ask(Part.POLICIES, Scope(all_namespaces=True))).gap is Gap.UNSUPPORTED

    def test_what_is_not_known_yet_is_not_asked(self, dump: Maker, baseline: Files) -> None:
        source = dump(baseline)
        for part in (Part.PODS, Part.SERVICES, Part.POLICIES, Part.CILIUM_ENDPOINTS, Part.IDENTITIES, Part.FLOWS):
            assert missing(source, Ask(part, Scope())).gap is Gap.NOT_ASKED
        assert missing(source, Ask(Part.AGENT_STATUS, Scope())).gap is Gap.NOT_ASKED

    def test_a_node_without_an_agent(self, dump: Maker, baseline: Files) -> None:
        found = missing(dump(baseline), Ask(Part.AGENT_STATUS, Scope(), "lab-node-9"))
        assert (found.gap, "lab-node-9" in found.detail) == (Gap.NOT_IN_DUMP, True)

    def test_a_quick_dump(self, dump: Maker, baseline: Files) -> None:
        source = dump(without(baseline, r"^(hubble-|cilium-bugtool-|logs-)"))
        assert source.now() == datetime(2026, 11, 20, 12, 18, 54, tzinfo=UTC)
        assert "--quick" in missing(source, flows(source.now())).remedy
        assert "--quick" in missing(source, Ask(Part.AGENT_STATUS, Scope(), "lab-node-1")).remedy
        assert len(known(source, Ask(Part.PODS, Scope(pods=(PodQuery(),))))) == 18

    def test_a_command_that_failed(self, dump: Maker, baseline: Files) -> None:
        failed = b"> Error while running 'cilium-dbg endpoint list':  exit status 1\n\n"
        source = dump(changed(baseline, r"4x6fq.*cmd/cilium-dbg-endpoint-list", lambda body: failed))
        found = missing(source, Ask(Part.AGENT_ENDPOINTS, Scope(), "lab-node-1"))
        assert (found.gap, "exit status 1" in found.detail) == (Gap.NOT_IN_DUMP, True)
        assert known(source, Ask(Part.AGENT_ENDPOINTS, Scope(), "lab-node-2"))

    def test_agents_are_found_without_the_list_of_pods(self, dump: Maker, baseline: Files) -> None:
        source = dump(without(baseline, r"^k8s-pods-"))
        assert known(source, Ask(Part.AGENT_STATUS, Scope(), "lab-node-2")).state == "Ok"
        assert known(source, Ask(Part.AGENT_ENDPOINTS, Scope(), "lab-node-2"))
        assert known(source, Ask(Part.CONFIG, Scope())).version is None

    def test_an_archive_of_something_else(self, tmp_path: Path) -> None:
        with pytest.raises(ArchiveError, match="no sysdump"):
            SysdumpSource(packed_dump(tmp_path, {"holiday.jpg": b"x"}))


class TestMalformed:
    """One object that cannot be read takes its part with it, and is named."""

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            pytest.param(
                b"items:\n- metadata: {name: a, namespace: shop}\n  spec: 5\nmetadata: {resourceVersion: '7'}\n",
                "Pod shop/a",
                id="a pod",
            ),
            pytest.param(b"items:\n- 7\nmetadata: {resourceVersion: '7'}\n", "Pod number 1", id="no object at all"),
            pytest.param(b"items: {}\n", "not a list", id="no list of items"),
            pytest.param(b"kind: Status\n", "no list", id="no list"),
            pytest.param(b"a: &a [1]\nitems: [*a]\n", "aliases", id="aliases"),
            pytest.param(b"\x80\x81", "no YAML", id="no text"),
        ],
    )
    def test_a_list(self, body: bytes, named: str, dump: Maker, baseline: Files) -> None:
        source = dump(changed(baseline, r"^k8s-pods-.*yaml", lambda _: body))
        found = missing(source, Ask(Part.PODS, Scope(pods=(PodQuery(),))))
        assert (found.gap, named in found.detail) == (Gap.MALFORMED, True)
        assert "k8s-pods" in found.detail or "Pod" in found.detail

    def test_one_policy_that_cannot_be_read_hides_all_of_them(self, dump: Maker) -> None:
        files = changed(
            files_of("02-ingress-default-deny"),
            r"^ciliumnetworkpolicies-\d",
            lambda body: body.replace(b"    name: cart-allow-frontend", b"    nickname: x"),
        )
        found = missing(dump(files), Ask(Part.POLICIES, Scope(namespaces=("shop",))))
        assert (found.gap, "CiliumNetworkPolicy" in found.detail) == (Gap.MALFORMED, True)

    def test_an_output_of_another_kind(self, dump: Maker, baseline: Files) -> None:
        source = dump(changed(baseline, r"cmd/cilium-dbg-service-list--o-json", lambda body: b"[{]"))
        assert missing(source, Ask(Part.AGENT_SERVICES, Scope(), "lab-node-1")).gap is Gap.MALFORMED


class TestWhole:
    """A list is whole by proof, or it was not read: a policy that was cut off could have denied."""

    @pytest.mark.parametrize(("kind", "part"), TestGaps.LISTS)
    def test_a_list_cut_at_any_line_is_not_read(self, kind: str, part: AnyPart, dump: Maker) -> None:
        scenario = files_of("02-ingress-default-deny")
        name = next(name for name in scenario if re.match(rf"{kind}-\d.*yaml", name))
        lines = scenario[name].splitlines(keepends=True)
        # Behind the name nothing of a ConfigMap is read.
        end = next(
            (at for at, line in enumerate(lines) if line.startswith(b"  name: cilium-config")),
            len(lines) - 1,
        )
        for kept in sorted({*range(max(0, end - 6), end + 1), *range(0, end, max(1, end // 8))}):
            source = dump({**scenario, name: b"".join(lines[:kept])})
            assert missing(source, Ask(part, whole(source.now()))).gap in (Gap.MALFORMED, Gap.NOT_IN_DUMP), kept

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            pytest.param(b"items: []\n", "was cut", id="no end"),
            pytest.param(b"metadata: {resourceVersion: '7'}\nitems: []\n", "was cut", id="an end before the items"),
            pytest.param(b"items: []\nmetadata:\n", "was cut", id="half an end"),
            pytest.param(b"items: []\nmetadata: {resourceVersion: '7', continue: abc}\n", "one page", id="a page"),
            pytest.param(
                b"items: []\nkind: NodeList\nmetadata: {resourceVersion: '7'}\n", "not a list of Pod", id="foreign"
            ),
        ],
    )
    def test_what_proves_nothing(self, body: bytes, named: str, dump: Maker, baseline: Files) -> None:
        source = dump(changed(baseline, r"^k8s-pods-.*yaml", lambda _: body))
        found = missing(source, Ask(Part.PODS, Scope(pods=(PodQuery(),))))
        assert (found.gap, named in found.detail) == (Gap.MALFORMED, True)

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b'{"metadata": {}, "kind": "PodList", "items": []}', id="JSON proves itself"),
            pytest.param(b'items: []\nkind: List\nmetadata:\n  resourceVersion: ""\n', id="as kubectl writes it"),
            pytest.param(
                b"items: null\nkind: PodList\nmetadata:\n  resourceVersion: '7'\n", id="as Go writes no items"
            ),
        ],
    )
    def test_what_is_whole(self, body: bytes, dump: Maker, baseline: Files) -> None:
        source = dump(changed(baseline, r"^k8s-pods-.*yaml", lambda _: body))
        assert known(source, Ask(Part.PODS, Scope(pods=(PodQuery(),)))) == ()


class TestNow:
    """Now is when the dump was taken, in UTC."""

    def test_the_last_flow_was_seen_while_the_dump_was_written(self, dump: Maker, baseline: Files) -> None:
        assert dump(baseline).now() == datetime(2026, 11, 20, 12, 19, 0, 68344, tzinfo=UTC)

    def test_file_names_carry_local_time(self, dump: Maker, baseline: Files) -> None:
        in_delhi = {name.replace("20261120-121854", "20261120-174854"): body for name, body in baseline.items()}
        assert dump(in_delhi).now() == dump(baseline).now()

    def test_without_a_time_in_any_name_the_flows_tell(self, dump: Maker, baseline: Files) -> None:
        source = dump({"cilium-sysdump.log": b"", "x": b""})
        assert source.now() == datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def test_nonsense_in_a_name_is_no_time(self, dump: Maker) -> None:
        source = dump({"k8s-pods-99999999-999999.yaml": b"items: []"})
        assert source.now() == datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class TestFlows:
    """Each agent's file is what its ring held."""

    def test_a_damaged_file_is_a_node_not_heard(self, tmp_path: Path, baseline: Files) -> None:
        path = packed_dump(tmp_path, baseline)
        with zipfile.ZipFile(path) as packed:
            item = next(item for item in packed.infolist() if "hubble-flows-cilium-4x6fq" in item.filename)
        body = bytearray(path.read_bytes())
        start = item.header_offset + 1000
        body[start : start + 100] = bytes(100)
        path.write_bytes(bytes(body))
        source = SysdumpSource(path)
        assert "damaged" in known(source, flows(source.now())).silent["lab-node-1"]
        source.close()

    def test_filters_take_what_a_full_read_would(self) -> None:
        source: Source = SysdumpSource(record("10-tofqdns").sysdump)
        everything: FlowLog = known(source, flows(source.now()))
        match = FlowMatch(source_pods=("payments/checkout-api-cfd74fdd9-m9n8n",), destination_ports=(53,))
        chosen: FlowLog = known(source, flows(source.now(), match))
        expected = [
            flow
            for flow in everything.flows
            if flow.source.pod == "checkout-api-cfd74fdd9-m9n8n" and flow.destination.port == 53
        ]
        assert list(chosen.flows) == expected
        assert len(expected) > 50
        assert chosen.covered_since == everything.covered_since
        source.close()

    def test_the_ring_of_each_node_reaches_back_to_its_oldest_flow(self, dump: Maker, baseline: Files) -> None:
        source = dump(baseline)
        log: FlowLog = known(source, flows(source.now()))
        assert log.covered_since == {
            "lab-node-1": datetime(2026, 11, 20, 12, 18, 38, 311789, tzinfo=UTC),
            "lab-node-2": datetime(2026, 11, 20, 12, 18, 39, 487709, tzinfo=UTC),
        }
        assert log.heard == {"lab-node-1", "lab-node-2"}

    def test_a_window_and_a_count_bound_the_answer(self, dump: Maker, baseline: Files) -> None:
        source = dump(baseline)
        log: FlowLog = known(source, flows(source.now(), limit=10))
        assert (len(log.flows), log.truncated) == (10, True)
        assert log.flows[-1].time == source.now()
        short: FlowLog = known(source, flows(source.now(), minutes=0.01))
        assert all(flow.time >= source.now() - timedelta(seconds=0.6) for flow in short.flows)

    def test_a_missing_file_is_a_node_not_heard(self, dump: Maker, baseline: Files) -> None:
        files = with_warning(
            without(baseline, r"hubble-flows-cilium-dlqn5"),
            "hubble-flows-cilium-dlqn5: failed to collect hubble flows: context deadline exceeded",
        )
        log: FlowLog = known(dump(files), flows(dump(baseline).now()))
        assert log.heard == {"lab-node-1"}
        assert "deadline exceeded" in log.silent["lab-node-2"]

    def test_an_empty_file_is_a_node_not_heard(self, dump: Maker, baseline: Files) -> None:
        source = dump(changed(baseline, r"hubble-flows-cilium-dlqn5", lambda body: b""))
        assert "empty" in known(source, flows(source.now())).silent["lab-node-2"]

    def test_lost_events_silent_nodes_and_torn_lines_are_told(self, dump: Maker, baseline: Files) -> None:
        lost = {
            "lost_events": {"source": "HUBBLE_RING_BUFFER", "num_events_lost": "1648"},
            "node_name": "lab/lab-node-1",
        }
        gone = {
            "node_status": {"state_change": "NODE_UNAVAILABLE", "node_names": ["lab/lab-node-3"], "message": "dead"}
        }
        more = "\n".join([json.dumps(lost), json.dumps(gone), '{"flow":{"time":"2026-11-20T12:18:59.1Z","verd'])
        source = dump(changed(baseline, r"hubble-flows-cilium-4x6fq", lambda body: body + more.encode()))
        log: FlowLog = known(source, flows(source.now()))
        assert [(item.node, item.source, item.count) for item in log.lost] == [
            ("lab-node-1", "HUBBLE_RING_BUFFER", 1648),
            ("lab-node-1", "unreadable line", 1),
        ]
        assert log.silent == {"lab-node-3": "dead"}

    def test_a_file_cut_at_a_line_end_ends_before_the_others_do(self, dump: Maker, baseline: Files) -> None:
        def half(body: bytes) -> bytes:
            return body[: body.index(b"\n", len(body) // 4) + 1]

        source = dump(changed(baseline, r"hubble-flows-cilium-dlqn5", half))
        lost = known(source, flows(source.now())).lost
        assert [(item.node, item.source) for item in lost] == [("lab-node-2", "end of the file")]
        assert known(dump(baseline), flows(source.now())).lost == ()

    def test_lines_of_an_older_hubble_are_flows_themselves(self, dump: Maker, baseline: Files) -> None:
        def unwrapped(body: bytes) -> bytes:
            return b"\n".join(json.dumps(json.loads(line)["flow"]).encode() for line in body.splitlines())

        source = dump(baseline)
        older = dump(changed(baseline, r"hubble-flows", unwrapped))
        assert known(older, flows(source.now())).flows == known(source, flows(source.now())).flows

    def test_without_time_nodes_are_left_out_by_name(self, dump: Maker, baseline: Files) -> None:
        source = dump(baseline)
        found = missing(source, flows(source.now()), timeout=-1.0)
        assert "no time left" in found.detail


def test_threads_read_each_file_once(dump: Maker, baseline: Files) -> None:
    source = dump(baseline)
    answers: list[object] = []
    ask = Ask(Part.CILIUM_ENDPOINTS, Scope(all_namespaces=True))
    threads = [threading.Thread(target=lambda: answers.append(known(source, ask))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = answers[0]
    assert isinstance(first, tuple)
    assert all(isinstance(other, tuple) and other[0] is first[0] for other in answers)


def test_reading_a_dump_loads_nothing_heavy() -> None:
    script = (
        "import sys; from pathlib import Path; from workers.sources.sysdump import SysdumpSource;"
        f"SysdumpSource(Path({str(record('01-baseline').sysdump)!r})).now();"
        "heavy = {'kubernetes', 'grpc', 'google', 'pydantic', 'celery', 'slack_sdk', 'aiohttp', 'redis', 'urllib3'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"
