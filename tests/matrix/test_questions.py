"""Questions about the whole cluster: alike from a cluster and from its archive, and in doubt without what they need."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from handlers.catalogue import understand
from handlers.engine import answer
from handlers.model.attachment import Attachment
from handlers.model.finding import Finding, Outcome
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing
from handlers.source import Source
from tests.cluster.lab import lab
from tests.policy.worlds import cnp
from tests.reading import in_words
from workers.collect import collect
from workers.sources.sysdump import SysdumpSource

ATTACHED = {
    "whatif": (
        Attachment("closed.yaml", cnp("{endpointSelector: {}, ingress: [{}]}", name="closed", namespace="payments")),
    ),
    "check": (
        Attachment(
            "contract.yaml",
            "allow: [shop/frontend -> payments/checkout-api 8443/TCP]\ndeny: [world -> payments/checkout-api]\n",
        ),
    ),
}
SCENARIO = "14-both-sides"
QUESTIONS = [
    "lint",
    "lint payments",
    "reach payments/checkout-api",
    "reach world to",
    "matrix",
    "matrix payments",
    "whatif",
    "check",
]
DEPENDS_ON_FLOWS = {"LINTED", "LINT_UNUSED_RULE", "WHATIF_FLOWS", "WHATIF_FLOW_CUT"}
"""A cluster and its archive remember different flows."""


def asked(text: str, source: Source) -> Report:
    question = understand(text, ATTACHED.get(text, ())).question
    return answer(question, collect(question, source, budget=30))


def told(report: Report) -> list[Finding]:
    return [one for one in report.findings if one.code not in DEPENDS_ON_FLOWS]


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_cluster_and_its_archive_give_the_same_findings(text: str, tmp_path: Path) -> None:
    with lab(SCENARIO, tmp_path) as running:
        live, dump = running.source(), SysdumpSource(running.record.sysdump)
        of_live, of_dump = asked(text, live), asked(text, dump)
        assert told(of_live) == told(of_dump)
        assert of_live.expected == of_dump.expected
        live.close()
        dump.close()


@dataclass
class Without:
    """A source that may not read one part."""

    inner: Source
    part: AnyPart

    @property
    def title(self) -> str:
        return self.inner.title

    def now(self):  # type: ignore[no-untyped-def]
        return self.inner.now()

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        return Missing(Gap.FORBIDDEN, "list is forbidden") if ask.part is self.part else self.inner.read(ask, timeout)

    def close(self) -> None:
        self.inner.close()


@pytest.fixture(scope="module")
def dump() -> Iterator[Source]:
    """One source for all rows: it reads each file once."""
    with closing(SysdumpSource(Path(__file__).parents[1] / "scenarios" / SCENARIO / "sysdump.zip")) as source:
        yield source


@pytest.mark.parametrize(
    "part", [Part.POLICIES, Part.NODES, Part.PODS, Part.CILIUM_ENDPOINTS, Part.NAMESPACES, Part.CONFIG]
)
@pytest.mark.parametrize("text", QUESTIONS)
def test_what_could_not_be_read_is_named_and_nothing_is_cleared(dump: Source, text: str, part: AnyPart) -> None:
    report = asked(text, Without(dump, part))
    doubts = [one for one in report.findings if one.outcome is Outcome.UNKNOWN and one.blocking]
    assert any(part.in_words in one.text for one in doubts)
    assert not in_words(report).startswith("No problem in")
