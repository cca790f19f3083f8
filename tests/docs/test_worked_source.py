"""The worked source of CONTRIBUTING.md: one file that lists objects, and every part made of them is there."""

import json
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.model.parts import Part
from handlers.model.report import Expected
from handlers.model.scope import Scope
from handlers.model.snapshot import Ask, Gap
from handlers.source import Source
from tests.cluster.fake_api import KINDS
from tests.cluster.lab import lab
from tests.cluster.record import record
from tests.sources.asking import every_ask, known, missing
from workers.runner import run
from workers.sources.sysdump import SysdumpSource

SCENARIO = "02-ingress-default-deny"
TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text("utf-8")

Maker = Callable[[Path], Source]


@pytest.fixture(scope="module")
def source_of() -> Maker:
    """The example, as it stands in the text."""
    (code,) = re.findall(r"^`workers/sources/folder\.py`:\n\n```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    names: dict[str, Maker] = {}
    exec(compile(code, "folder.py", "exec"), names)  # noqa: S102  (the example is ours)
    return names["FolderSource"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The recorded lists of a scenario, written as kubectl would."""
    for plural in KINDS:
        objects = record(SCENARIO).objects.get(plural, [])
        (tmp_path / f"{plural}.yaml").write_text(json.dumps({"kind": "List", "items": objects}), "utf-8")
    return tmp_path


def test_it_reads_every_part_that_is_made_of_lists_like_the_running_cluster(
    source_of: Maker, folder: Path, tmp_path: Path
) -> None:
    with lab(SCENARIO, tmp_path) as running:
        live, source = running.source(), source_of(folder)
        # Of kinds that it keeps no list of, such a source tells nothing.
        logs = (Part.OPERATOR_LOGS, Part.DNS_LOGS)
        others = (Part.FLOWS, Part.RELAY, Part.FOREIGN_POLICIES, Part.ENTRANCES, *logs)
        asks = [ask for ask in every_ask(running.now) if ask.part not in others and not ask.node]
        assert len(asks) > 20
        for ask in asks:
            assert known(source, ask) == known(live, ask), ask
        live.close()


def test_what_it_cannot_read_is_missing_with_a_reason(source_of: Maker, folder: Path) -> None:
    source = source_of(folder)
    for ask in every_ask(source.now()):
        if ask.node or ask.part in (Part.FLOWS, Part.RELAY):
            assert missing(source, ask).gap is Gap.NOT_IN_DUMP
    (folder / "services.yaml").unlink()
    (folder / "namespaces.yaml").write_text("kind: List", "utf-8")
    found = missing(source, Ask(Part.SERVICES, Scope(all_namespaces=True)))
    assert (found.detail, found.remedy) == (
        "there is no services.yaml",
        "kubectl get services -A -o yaml > services.yaml",
    )
    assert missing(source, Ask(Part.NAMESPACES, Scope())).gap is Gap.MALFORMED


def test_a_question_is_answered_from_it_as_from_the_sysdump(source_of: Maker, folder: Path) -> None:
    asked = understand("why shop/loadgen shop/cart 8080")
    from_folder = run(asked, source_of(folder)).report
    with closing(SysdumpSource(record(SCENARIO).sysdump)) as dump:
        from_dump = run(asked, dump).report
    assert from_folder.expected is from_dump.expected is Expected.BLOCKED
    blocking = [
        {finding.code for finding in report.findings if finding.blocking and finding.outcome.value == "problem"}
        for report in (from_folder, from_dump)
    ]
    assert blocking[0] == blocking[1] != set()
