"""Take any one part away: every question is answered all the same, and names what it lacks where it matters."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

import pytest

from handlers.catalogue import CATALOGUE
from handlers.model.finding import Outcome
from handlers.model.parts import PARTS
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing
from handlers.source import Source
from tests.cluster.record import record
from tests.sampling import one_in
from workers.runner import run
from workers.sources.sysdump import SysdumpSource

ASKED = (
    *("why shop/loadgen shop/cart 8080", "health", "drops", "drops shop", "drops shop/cart", "lint", "policies shop"),
    *("nodes", "config", "maps", "audit", "changes", "flows", "flows shop/cart", "talkers", "services", "matrix shop"),
    *("dns shop/loadgen", "agent lab-node-1", "identity shop/cart", "endpoint shop/cart", "service shop/cart"),
)


@dataclass(frozen=True)
class Without:
    """A source that lacks one part."""

    inner: Source
    part: AnyPart

    @property
    def title(self) -> str:
        return self.inner.title

    def now(self) -> datetime:
        return self.inner.now()

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        return Missing(Gap.FORBIDDEN, "it was taken away") if ask.part is self.part else self.inner.read(ask, timeout)

    def close(self) -> None:
        self.inner.close()


@pytest.fixture(scope="module")
def whole() -> Iterator[Source]:
    with closing(SysdumpSource(record("02-ingress-default-deny").sysdump)) as opened:
        yield opened


@pytest.mark.parametrize("part", one_in(14, PARTS), ids=str)
def test_every_question_is_answered_without(whole: Source, part: AnyPart) -> None:
    for question in ASKED:
        report = run(CATALOGUE.understand(question), Without(whole, part)).report
        assert [one.code for one in report.findings if one.outcome is Outcome.BROKEN] == [], question
        assert report.headline.claim
