"""The whole system before a cluster that can be broken: ask, break something in mid-run, and see what is said."""

import copy
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.fake_api import Fault
from tests.cluster.lab import Lab, lab
from tests.e2e.system import Json, System, system
from tools.demo.stack import Child
from tools.playground.manifest import installed
from tools.playground.rate import RateLimits

QUESTION = "why shop/loadgen shop/cart 8080"
POLICIES = "ciliumnetworkpolicies"


@dataclass
class Broken:
    """A system that looks at a cluster that can be broken."""

    system: System
    lab: Lab
    worker: Child
    bot: Child

    def ask_and_hang(self, question: str = QUESTION) -> Json:
        """Ask a question whose run hangs in a read, and wait until it does."""
        seen = len(self.policy_reads())
        self.lab.api.faults[POLICIES] = Fault(hangs=True)
        asked = self.system.mention(f"{question} fresh")
        self.system.poll(lambda: len(self.policy_reads()) > seen)
        return asked

    def policy_reads(self) -> list[str]:
        return [path for path, _ in self.lab.api.requests if path.endswith(POLICIES)]

    def has_read_more_than(self, seen: int) -> bool:
        return len(self.policy_reads()) > seen

    def runs(self) -> int:
        """Count the runs that the workers that still live have begun."""
        return sum(child.words().count('"event": "looking"') for child in self.system.children if child.is_alive())

    def has_begun_more_than(self, seen: int) -> bool:
        return self.runs() > seen

    def kill_processes(self) -> None:
        """End the processes of the worker that work on questions, as the kernel does when memory is short."""
        for child in children_of(self.worker.pid):
            os.kill(child, signal.SIGKILL)

    def move_clocks(self, seconds: float) -> None:
        """Set how far all processes' clocks are ahead; they look a few times a second."""
        assert self.system.clock_file is not None
        self.system.clock_file.write_text(str(seconds), encoding="ascii")

    def bring_flows_up_to_date(self) -> None:
        """Move what Hubble saw to this moment, so that it lies in the window of a question."""
        hubble = self.lab.hubble
        behind = int(time.time()) - max(response.flow.time.seconds for response in hubble.flows)
        moved = copy.deepcopy(hubble.flows)
        for response in moved:
            response.time.seconds += behind
            response.flow.time.seconds += behind
        hubble.flows = moved

    def heal(self) -> None:
        self.lab.api.faults.clear()

    def one_answer(self, asked: Json) -> str:
        assert self.system.answer(asked)
        self.system.poll(self.system.is_idle)
        # A run that was thought lost may answer as well, in the place of the answer that stands.
        (text,) = self.system.answers(asked)
        assert len(self.system.playground.replies(asked)) == 1
        return text


@contextmanager
def broken(folder: Path, *, clock_file: Path | None = None) -> Iterator[Broken]:
    settings = installed(rates=RateLimits(enforced=False))
    with (
        lab("02-ingress-default-deny", folder) as cluster,
        system(
            settings=settings,
            CILIUM_TRIAGE_KUBECONFIG=str(cluster.kubeconfig),
            CILIUM_TRIAGE_BUDGET="4",
            CILIUM_TRIAGE_SOFT_LIMIT="7",
            CILIUM_TRIAGE_GRACE="1",
            HUBBLE_SERVER=cluster.hubble.address,
        ) as made,
    ):
        made.clock_file = clock_file
        worker = made.start_worker()
        yield Broken(made, cluster, worker, made.start_bot())


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
