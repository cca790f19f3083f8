"""A blocker that is certain is told before slow agents have answered; what they say is added."""

import threading

from handlers.catalogue import understand
from handlers.model.parts import Part
from handlers.model.snapshot import Ask, Known, Missing
from handlers.source import Source
from tests.scenarios.truth import FOLDER
from workers.runner import run
from workers.sources.sysdump import SysdumpSource


class _AgentsWait:
    """A source whose agents answer when somebody has been told something."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.told = threading.Event()
        self.title, self.now, self.close = source.title, source.now, source.close

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        if ask.part is Part.AGENT_STATUS:
            assert self.told.wait(30)
        return self._source.read(ask, timeout)


def test_a_blocker_is_told_while_the_agents_are_still_read() -> None:
    source = _AgentsWait(SysdumpSource(FOLDER / "02-ingress-default-deny" / "sysdump.zip"))
    words: list[str] = []

    def listen(said: str) -> None:
        words.append(said)
        if said.startswith("Blocked"):
            source.told.set()

    question = understand("why shop/loadgen shop/cart 8080")
    report = run(question, source, budget=60, progress=listen, glance_after=0.2).report
    early = next(said for said in words if said.startswith("Blocked"))
    assert early == (
        "Blocked at ingress: shop/loadgen → shop/cart 8080/TCP"
        " – cart-allow-frontend wants app=frontend; loadgen has app=loadgen · still reading"
    )
    assert "AGENTS_HEALTHY" in {finding.code for finding in report.findings}
