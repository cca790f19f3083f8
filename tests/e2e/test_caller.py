"""A caller asks a worker through the list of waiters, and fetches the answer: no web process, no Slack."""

import uuid
from datetime import UTC, datetime

import pytest

from bot.dispatch import Dispatcher
from bot.surface import Answer
from bot.surfaces.kept import ADDRESS, KeptSurface
from bot.ticket import Ticket
from bot.waiters import Waiters
from bot.watch import Watch
from handlers.model.report import Expected
from tests.e2e.system import TIMEOUT, system
from tools.demo import QUESTION, SAMPLE

pytestmark = pytest.mark.timeout(90)


def test_a_caller_fetches_what_a_worker_found() -> None:
    with system(CILIUM_TRIAGE_SOURCE=f"sysdump:{SAMPLE}") as running, running.client() as client:
        running.start_worker()
        dispatcher = Dispatcher(running.redis.url)
        ticket = Ticket(uuid.uuid4().hex, QUESTION, "why", False, ADDRESS, datetime.now(UTC))
        Watch(Waiters(client), dispatcher).enter(ticket)
        kept = KeptSurface(client).wait(ticket.id, TIMEOUT)
        dispatcher.close()
        assert isinstance(kept, Answer)
        assert kept.report.expected is Expected.BLOCKED
        assert running.playground.calls() == []
