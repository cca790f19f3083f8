"""Law: the flows that are read from the lines of a dump are those that would be chosen after converting every line."""

import json
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.model.flow import Flow, LostEvents
from handlers.model.scope import FlowMatch, FlowQuery
from tests.cluster.record import NAMES, record
from tests.sampling import examples
from workers.sources.convert.flow_json import flow_from_json
from workers.sources.convert.flow_window import in_window, key_of, wanted_by
from workers.sources.deadline import Deadline
from workers.sources.sysdump.source import SysdumpSource


@cache
def _flows_of(name: str) -> list[Flow]:
    """Convert every line of a dump, in the order in which its files are read."""
    with zipfile.ZipFile(record(name).sysdump) as packed:
        files = sorted(name for name in packed.namelist() if "hubble-flows-" in name and name.endswith(".json"))
        lines = [json.loads(line) for name in files for line in packed.read(name).splitlines() if line.strip()]
    return [flow_from_json(line["flow"]) for line in lines if "flow" in line]


def _matches(flows: Sequence[Flow]) -> st.SearchStrategy[FlowMatch]:
    ends = [end for flow in flows for end in (flow.source, flow.destination)]

    def some(values: set[str]) -> st.SearchStrategy[tuple[str, ...]]:
        return st.lists(st.sampled_from(sorted(values)), max_size=2).map(tuple)

    pods = {f"{end.namespace}/{end.pod}" for end in ends if end.pod} | {f"{end.namespace}/" for end in ends if end.pod}
    ips = {end.ip for end in ends if end.ip} | {"10.0.0.0/8"}
    ports = st.lists(st.sampled_from(sorted({end.port for end in ends if end.port})), max_size=1).map(tuple)
    return st.builds(
        FlowMatch,
        source_pods=some(pods),
        source_ips=some(ips),
        destination_pods=some(pods),
        destination_ips=some(ips),
        source_ports=ports,
        destination_ports=ports,
        verdicts=some({flow.verdict for flow in flows}),
    )


@pytest.mark.parametrize("name", NAMES[::4])
@given(drawn=st.data())
@settings(max_examples=examples(3), deadline=None)
def test_what_is_chosen_by_a_few_fields_is_what_is_chosen_by_whole_flows(name: str, drawn: st.DataObject) -> None:
    every = _flows_of(name)
    newest = max(flow.time for flow in every)
    query = FlowQuery(
        any_of=tuple(drawn.draw(st.lists(_matches(every), max_size=2))),
        since=newest - timedelta(seconds=drawn.draw(st.integers(0, 600))),
        until=newest,
        limit=drawn.draw(st.sampled_from([1, 7, 20_000])),
    )
    wanted = wanted_by(query)
    expected = sorted(
        (flow for flow in every if wanted(key_of(flow)) and in_window(query, flow.time)), key=lambda flow: flow.time
    )
    source = SysdumpSource(record(name).sysdump)
    log = source.flows(query, (), Deadline.after(60))
    source.close()
    assert log.flows == tuple(expected[-query.limit :])
    assert log.truncated == (len(expected) > query.limit)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('[{"time": "2026-01-01T12:00:00Z"}]', id="a list"),
        pytest.param('{"flow": {"time": "2026-01-01T12:00:00Z", "source": 5}}', id="a field that queries compare"),
        pytest.param('{"flow": {"time": "2026-01-01T12:00:00Z", "uuid": 5}}', id="a field that only answers show"),
        pytest.param('{"flow": {"time": "2026-01-01T12:00:00Z", "source": {"labels": [{}]}}}', id="labels"),
        pytest.param('{"flow": {"time": "2026-01-01T12:00:00Z", "verdict": "DROPPED"', id="a torn end"),
    ],
)
def test_a_line_that_is_no_flow_is_counted(line: str, tmp_path: Path) -> None:
    (tmp_path / "cilium-sysdump.log").write_text("taken\n")
    good = '{"flow": {"time": "2026-01-01T12:00:00Z", "verdict": "DROPPED", "node_name": "one"}}'
    (tmp_path / "hubble-flows-cilium-abcde-20260101-120000.json").write_text(f"{good}\n{line}\n")
    source = SysdumpSource(tmp_path)
    log = source.flows(FlowQuery((), source.now() - timedelta(days=900), source.now()), (), Deadline.after(60))
    assert len(log.flows) == 1
    assert log.lost == (LostEvents("one", "unreadable line", 1),)
