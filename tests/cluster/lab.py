"""The two-node cluster of a scenario, brought up: its API, its Hubble, and a live source that looks at them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.cluster.fake_api import FakeApi
from tests.cluster.fake_hubble import FakeHubble
from tests.cluster.record import Record, record
from workers.sources.hubble_connection import HubbleAccess
from workers.sources.live import LiveSource, open_live


@dataclass
class Lab:
    """A running fake cluster. ``now`` is when its dump was taken, or just after the newest recorded flow."""

    record: Record
    api: FakeApi
    hubble: FakeHubble
    kubeconfig: Path
    now: datetime

    def source(self, hubble: HubbleAccess | None = None, context: str | None = None) -> LiveSource:
        """Return a live source for it; close it when done."""
        return open_live(
            kubeconfig=self.kubeconfig,
            context=context,
            in_cluster=False,
            hubble=hubble or HubbleAccess(address=self.hubble.address),
            now=lambda: self.now,
        )


@contextmanager
def lab(name: str, folder: Path) -> Iterator[Lab]:
    """Bring a scenario's cluster up; ``folder`` takes its kubeconfig."""
    found = record(name)
    newest = max(item.flow.time.seconds for item in found.responses)
    with FakeHubble.of(found) as hubble, FakeApi.of(found, ("127.0.0.1", hubble.port)) as api:
        moment = found.dumped_at or datetime.fromtimestamp(newest, UTC) + timedelta(seconds=1)
        yield Lab(found, api, hubble, api.kubeconfig(folder), moment)
