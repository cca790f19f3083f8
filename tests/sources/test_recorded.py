"""A recording answers what it was asked when it was made, and carries no secrets."""

import gzip
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.model import agent, cluster
from handlers.model.flow import Flow, FlowLog, HttpRecord
from handlers.model.parts import Part
from handlers.model.scope import FlowQuery, PodQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing
from handlers.model.wire import encode
from tests.cluster.record import record
from tests.sampling import examples
from tests.sources.asking import every_ask, flows, known, missing
from workers.sources.recorded import RecordingError, RecordingSource, ReplaySource
from workers.sources.sysdump import SysdumpSource

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Canned:
    """A source that answers every ask with what it was given."""

    def __init__(self, answers: dict[AnyPart, Known[Any] | Missing]) -> None:
        self.answers = answers
        self.is_closed = False

    @property
    def title(self) -> str:
        return "cluster canned"

    def now(self) -> datetime:
        return NOON

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        return self.answers.get(ask.part, Missing(Gap.NOT_ASKED, "not canned"))

    def close(self) -> None:
        self.is_closed = True


def _replayed(path: Path, answers: dict[AnyPart, Known[Any] | Missing]) -> ReplaySource:
    source = RecordingSource(Canned(answers), path)
    for ask in every_ask(NOON):
        source.read(ask, 1)
    source.close()
    return ReplaySource(path)


@pytest.mark.parametrize("name", ["01-baseline", "10-tofqdns", "22-egress-gateway"])
def test_everything_that_a_dump_told_is_told_again(name: str, tmp_path: Path) -> None:
    source = RecordingSource(SysdumpSource(record(name).sysdump), tmp_path / "record.json.gz")
    asks = every_ask(source.now())
    answers = [source.read(ask, 10) for ask in asks]
    source.close()
    replay = ReplaySource(tmp_path / "record.json.gz")
    assert [replay.read(ask, 1) for ask in asks] == answers
    assert (replay.title, replay.now()) == (f"recording of sysdump {name}", source.now())


class TestKeys:
    """The same ask is one that reads the same: only what changes a part counts."""

    ANSWERS: ClassVar[dict[AnyPart, Known[Any] | Missing]] = {
        Part.NAMESPACES: Known((cluster.Namespace("shop", {}),), NOON, "kubernetes"),
        Part.PODS: Known((), NOON),
        Part.SERVICES: Known((), NOON),
        Part.AGENT_STATUS: Known(agent.AgentStatus("1", "Ok", "", {}, (), None), NOON),
    }

    def _recording(self, path: Path, *asks: Ask) -> ReplaySource:
        source = RecordingSource(Canned(self.ANSWERS), path / "r.gz")
        for ask in asks:
            source.read(ask, 1)
        source.close()
        return ReplaySource(path / "r.gz")

    def test_fields_that_a_part_does_not_depend_on_do_not_count(self, tmp_path: Path) -> None:
        replay = self._recording(tmp_path, Ask(Part.NAMESPACES, Scope(pods=(PodQuery("shop"),), nodes=("n",))))
        assert known(replay, Ask(Part.NAMESPACES, Scope()))

    def test_another_width_is_not_in_the_recording(self, tmp_path: Path) -> None:
        replay = self._recording(tmp_path, Ask(Part.SERVICES, Scope(namespaces=("shop",))))
        assert known(replay, Ask(Part.SERVICES, Scope(namespaces=("shop",)))) == ()
        found = missing(replay, Ask(Part.SERVICES, Scope(namespaces=("payments",))))
        assert (found.gap, "not in the recording" in found.detail) == (Gap.NOT_IN_DUMP, True)

    def test_a_recording_that_kept_whole_scopes_answers_too(self, tmp_path: Path) -> None:
        asked = Scope(namespaces=("shop",), nodes=("n1",))
        self._recording(tmp_path, Ask(Part.SERVICES, asked))
        body = json.loads(gzip.decompress((tmp_path / "r.gz").read_bytes()))
        body["reads"][0]["ask"]["scope"] = encode(replace(asked, nodes=None))
        (tmp_path / "r.gz").write_bytes(gzip.compress(json.dumps(body).encode()))
        assert known(ReplaySource(tmp_path / "r.gz"), Ask(Part.SERVICES, asked)) == ()

    def test_each_node_answers_for_itself(self, tmp_path: Path) -> None:
        replay = self._recording(tmp_path, Ask(Part.AGENT_STATUS, Scope(), "n1"))
        assert known(replay, Ask(Part.AGENT_STATUS, Scope(), "n1")).state == "Ok"
        assert missing(replay, Ask(Part.AGENT_STATUS, Scope(), "n2"))

    def test_the_window_of_a_replayed_question_is_the_recorded_one(self, tmp_path: Path) -> None:
        log = FlowLog((), NOON, NOON, frozenset())
        source = RecordingSource(Canned({Part.FLOWS: Known(log, NOON)}), tmp_path / "r.gz")
        source.read(flows(source.now()), 1)
        source.close()
        replay = ReplaySource(tmp_path / "r.gz")
        assert known(replay, flows(replay.now())) == log
        assert missing(replay, flows(replay.now() + timedelta(seconds=1)))

    def test_a_gap_is_replayed_as_the_gap_it_was(self, tmp_path: Path) -> None:
        gap = Missing(Gap.FORBIDDEN, "list pods is not allowed", "Allow it.")
        assert missing(_replayed(tmp_path / "r.gz", {Part.NODES: gap}), Ask(Part.NODES, Scope())) == gap


def test_the_other_source_is_closed_even_if_the_file_cannot_be_written(tmp_path: Path) -> None:
    inner = Canned({})
    source = RecordingSource(inner, tmp_path / "nowhere" / "r.gz")
    with pytest.raises(OSError, match="nowhere"):
        source.close()
    assert inner.is_closed


def test_threads_record_side_by_side(tmp_path: Path) -> None:
    source = RecordingSource(Canned(TestKeys.ANSWERS), tmp_path / "r.gz")
    asks = [Ask(Part.AGENT_STATUS, Scope(), f"n{number}") for number in range(50)]
    threads = [threading.Thread(target=source.read, args=(ask, 1)) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    source.close()
    replay = ReplaySource(tmp_path / "r.gz")
    assert all(known(replay, ask) for ask in asks)


class TestHostileFiles:
    """A file that is no recording is told so."""

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"hello", id="a text"),
            pytest.param(gzip.compress(b"hello"), id="no JSON"),
            pytest.param(gzip.compress(b"[]"), id="no object"),
            pytest.param(gzip.compress(b'{"schema": 99}'), id="another schema"),
            pytest.param(gzip.compress(b'{"schema": 1}'), id="nothing in it"),
            pytest.param(gzip.compress(b'{"schema":1,"title":"x","now":"x","reads":[]}'), id="no time"),
            pytest.param(
                gzip.compress(b'{"schema":1,"title":"x","now":"2026-11-20T12:00:00Z","reads":{}}'), id="no reads"
            ),
            pytest.param(
                gzip.compress(b'{"schema":1,"title":"x","now":"2026-11-20T12:00:00Z","reads":[7]}'), id="odd reads"
            ),
            pytest.param(gzip.compress(b"[" * 200_000), id="nested without end"),
            pytest.param(gzip.compress(b"{}" * 1000)[:30], id="torn"),
        ],
    )
    def test_what_is_no_recording_is_told_so(self, body: bytes, tmp_path: Path) -> None:
        path = tmp_path / "r.gz"
        path.write_bytes(body)
        with pytest.raises(RecordingError) as refused:
            ReplaySource(path)
        assert refused.value.remedy

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingError, match="cannot be read"):
            ReplaySource(tmp_path / "r.gz")

    def test_a_bomb(self, tmp_path: Path) -> None:
        (tmp_path / "r.gz").write_bytes(gzip.compress(bytes(10_000)))
        with pytest.raises(RecordingError, match="unpacks"):
            ReplaySource(tmp_path / "r.gz", most_unpacked=1000)

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda answer: answer["known"].update(value=7), id="another type"),
            pytest.param(lambda answer: answer["known"].pop("observed_at"), id="no time"),
            pytest.param(lambda answer: answer.pop("known"), id="no answer"),
            pytest.param(lambda answer: answer["known"]["value"][0].update(more=1), id="a field of a newer version"),
        ],
    )
    def test_an_answer_that_cannot_be_read_is_a_gap(
        self, change: Callable[[dict[str, Any]], Any], tmp_path: Path
    ) -> None:
        path = tmp_path / "r.gz"
        _replayed(path, TestKeys.ANSWERS)
        body = json.loads(gzip.decompress(path.read_bytes()))
        change(next(item["answer"] for item in body["reads"] if item["ask"]["part"] == "namespaces"))
        path.write_bytes(gzip.compress(json.dumps(body).encode()))
        assert missing(ReplaySource(path), Ask(Part.NAMESPACES, Scope())).gap is Gap.MALFORMED


TEXT = st.text(alphabet="abcxyz0123456789-./:", max_size=12)
LABELS = st.dictionaries(TEXT, TEXT, max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
VALUES: dict[AnyPart, st.SearchStrategy[Any]] = {
    Part.SERVICES: st.lists(
        st.builds(
            cluster.Service,
            namespace=TEXT,
            name=TEXT,
            labels=LABELS,
            selector=st.none() | LABELS,
            type=TEXT,
            cluster_ips=st.tuples(TEXT),
            ports=st.tuples(st.builds(cluster.ServicePort, st.none() | TEXT, st.integers(0, 65535), TEXT, TEXT)),
        ),
        max_size=3,
    ).map(tuple),
    Part.POLICIES: st.lists(
        st.builds(cluster.PolicyObject, TEXT, TEXT, TEXT, st.dictionaries(TEXT, JSON, max_size=3), st.none() | MOMENTS),
        max_size=3,
    ).map(tuple),
    Part.AGENT_NAMES: st.lists(
        st.builds(agent.LearntName, TEXT, st.tuples(TEXT, TEXT), st.none() | st.integers(0, 9), st.none() | MOMENTS),
        max_size=3,
    ).map(tuple),
}


@settings(max_examples=examples(15))
@given(part=st.sampled_from(sorted(VALUES, key=str)), data=st.data(), observed_at=MOMENTS)
def test_whatever_is_recorded_is_replayed(
    part: AnyPart, data: st.DataObject, observed_at: datetime, tmp_path_factory: pytest.TempPathFactory
) -> None:
    answer = Known(data.draw(VALUES[part]), observed_at, "kubernetes")
    replay = _replayed(tmp_path_factory.mktemp("recording") / "r.gz", {part: answer})
    ask = next(ask for ask in every_ask(NOON) if ask.part is part)
    assert replay.read(ask, 1) == answer


def test_secrets_do_not_reach_the_file(tmp_path: Path) -> None:
    secret = "hunter2hunter2"  # noqa: S105
    source = SysdumpSource(record("10-tofqdns").sysdump)
    flow: Flow = known(source, flows(source.now())).flows[0]
    source.close()
    url = f"http://shop.example/cart?token={secret}"
    log = FlowLog((replace(flow, http=HttpRecord("GET", url, 200)),), NOON, NOON, frozenset())
    rule = {"http": [{"path": "/a?b", "headers": [f"Authorization: Bearer {secret}", "X-Zone: a"]}]}
    manifest = {"metadata": {"annotations": {"env/DB": secret, "note": "ok"}}, "spec": {"rules": rule}}
    policy = cluster.PolicyObject("CiliumNetworkPolicy", "shop", "p", manifest, NOON)
    config = cluster.CiliumConfig({"kvstore-password": secret, "cluster-name": "lab"}, "1.19")
    replay = _replayed(
        tmp_path / "r.gz",
        {
            Part.FLOWS: Known(log, NOON),
            Part.POLICIES: Known((policy,), NOON),
            Part.CONFIG: Known(config, NOON),
            Part.NODES: Missing(Gap.FAILED, f"GET https://api/?access_token={secret} failed"),
        },
    )
    assert secret.encode() not in gzip.decompress((tmp_path / "r.gz").read_bytes())
    assert known(replay, Ask(Part.CONFIG, Scope())).options["cluster-name"] == "lab"
    asked = Ask(Part.FLOWS, Scope(flows=FlowQuery((), NOON - timedelta(minutes=15), NOON + timedelta(minutes=1))))
    (kept,) = known(replay, asked).flows
    assert kept.http.url == "http://shop.example/cart?[redacted]"
    (found,) = known(replay, Ask(Part.POLICIES, Scope(all_namespaces=True)))
    assert found.manifest["spec"]["rules"]["http"][0] == {
        "path": "/a?b",
        "headers": ["Authorization: [redacted]", "X-Zone: a"],
    }


def test_a_recording_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "recording.gz"
    path.touch(mode=0o644)
    RecordingSource(Canned({}), path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_device_without_an_end_is_no_recording() -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        ReplaySource(Path("/dev/zero"))
