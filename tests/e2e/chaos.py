"""Every fault of operation, one row each: what breaks while a question is asked or answered, and when it ends.

A fault is a context: what is inside it happens while the fault stands. ``tried`` asks one question under one fault and
says what came of it. The seed chooses the question, and for how long a passing fault stands.
"""

import os
import random
import re
import resource
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial

import grpc

from bot.waiters import Waiters
from tests.cluster.fake_api import Fault as ApiFault
from tests.e2e.broken import POLICIES, Broken, children_of
from tests.e2e.system import TIMEOUT, Json
from workers.sources.hubble_pb import triage_hubble_pb2 as pb

BLOCKED = tuple(f"why shop/loadgen shop/cart {port}" for port in (8080, 9090, 6379, 443))
"""Questions whose true answer is "blocked": the recorded cluster lets nobody but the frontend in, and at 8080 alone."""

LONGEST = 90.0
"""Seconds for the last word on a question."""

Strike = Callable[[Broken], AbstractContextManager[None]]


class When(Enum):
    """When a fault strikes, and whether it is over before the answer."""

    ASKED = "stands from before the question until the answer"
    PASSES = "stands when the question is asked, and passes"
    RUNS = "strikes while a worker reads, and passes"


@dataclass(frozen=True, slots=True)
class Fault:
    """One row."""

    name: str
    when: When
    strike: Strike


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one question: how many answers too few and too many, whether one says "open", and its words."""

    fault: str
    when: str
    lost: int
    doubled: int
    wrongly_open: int
    words: str


def tried(broken: Broken, fault: Fault, seed: int) -> Outcome:
    """Ask under a fault, let it pass, wait until nothing is under way, and count what stands in the thread."""
    chosen = random.Random(f"{seed} {fault.name}")  # noqa: S311  (no secret)
    question, outage = chosen.choice(BLOCKED), chosen.uniform(1.0, 4.0)
    broken.bring_flows_up_to_date()
    if fault.when is When.RUNS:
        asked = broken.ask_and_hang(question)
        with fault.strike(broken):
            broken.heal()
            threading.Event().wait(outage)
    else:
        with fault.strike(broken):
            asked = broken.system.mention(f"{question} fresh")
            if fault.when is When.ASKED:
                broken.system.wait_for(partial(broken.system.answers, asked), LONGEST)
            else:
                threading.Event().wait(outage)
    return _outcome(broken, fault, asked)


def _outcome(broken: Broken, fault: Fault, asked: Json) -> Outcome:
    system = broken.system
    try:
        system.wait_for(partial(system.answers, asked), LONGEST)
        system.poll(partial(_is_over, broken), LONGEST)
        is_lost = False
    except AssertionError:
        is_lost = True
    said = system.answers(asked)
    words = " · ".join(line.strip() for line in said[-1].splitlines()[:3]) if said else "nothing"
    return Outcome(
        fault.name,
        fault.when.value,
        lost=int(is_lost or not said),
        doubled=max(0, len(system.playground.replies(asked)) - 1),
        wrongly_open=sum(bool(re.search(r"\bOpen\b|nothing stops", text, re.IGNORECASE)) for text in said),
        words=words,
    )


def _is_over(broken: Broken) -> bool:
    with broken.system.client() as client:
        return broken.system.is_idle() and not Waiters(client).listed()


# Processes


@contextmanager
def _worker_child_killed(broken: Broken) -> Iterator[None]:
    broken.kill_processes()
    yield


@contextmanager
def _worker_parent_killed(broken: Broken) -> Iterator[None]:
    os.kill(broken.worker.pid, signal.SIGKILL)
    yield
    broken.worker.kill()
    broken.worker = broken.system.start_worker()


@contextmanager
def _worker_killed_whole(broken: Broken) -> Iterator[None]:
    broken.worker.kill()
    yield
    broken.worker = broken.system.start_worker()


@contextmanager
def _web_killed(broken: Broken) -> Iterator[None]:
    connections = broken.system.playground.connections()
    broken.bot.kill()
    yield
    broken.system.wait_for(lambda: broken.system.playground.connections() < connections)
    broken.bot = broken.system.start_bot()


@contextmanager
def _beat_killed(broken: Broken) -> Iterator[None]:
    beat = broken.system.start_beat()
    broken.system.poll(lambda: "beat: Starting" in beat.words())
    beat.kill()
    yield


# Redis


@contextmanager
def _redis_restarts(broken: Broken) -> Iterator[None]:
    broken.system.redis.kill()
    yield
    broken.system.redis.start()


@contextmanager
def _redis_forgets(broken: Broken) -> Iterator[None]:
    broken.system.redis.kill()
    shutil.rmtree(broken.system.redis.directory / "appendonlydir")
    yield
    broken.system.redis.start()


@contextmanager
def _redis_full(broken: Broken) -> Iterator[None]:
    with broken.system.client() as client:
        client.config_set("maxmemory", "1")
        yield
        client.config_set("maxmemory", "0")


@contextmanager
def _redis_read_only(broken: Broken) -> Iterator[None]:
    with broken.system.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        yield
        client.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def _redis_disk_full(broken: Broken) -> Iterator[None]:
    pid = broken.system.redis.pid
    assert pid is not None
    with _no_file_grows(pid):
        yield


@contextmanager
def _redis_hangs(broken: Broken) -> Iterator[None]:
    pid = broken.system.redis.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


@contextmanager
def _logs_disk_full(broken: Broken) -> Iterator[None]:
    pids = [broken.worker.pid, *children_of(broken.worker.pid), broken.bot.pid]
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY)) for pid in pids}
    yield
    for pid, limits in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


@contextmanager
def _no_file_grows(pid: int) -> Iterator[None]:
    # What the kernel says is another error than that of a full disk; who writes meets both at the same place.
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


# The cluster


def _api(fault: ApiFault, *resources: str) -> Strike:
    @contextmanager
    def strike(broken: Broken) -> Iterator[None]:
        broken.lab.api.faults.update(dict.fromkeys(resources or (POLICIES,), fault))
        yield
        broken.heal()

    return strike


@contextmanager
def _token_refused(broken: Broken) -> Iterator[None]:
    everything = (*broken.lab.api.kinds, "exec", "discovery", "portforward", "log")
    with _api(ApiFault(status=401, message="Unauthorized"), *everything)(broken):
        yield


@contextmanager
def _relay_dead(broken: Broken) -> Iterator[None]:
    broken.lab.hubble.trouble.refuses = grpc.StatusCode.UNAVAILABLE
    yield
    broken.lab.hubble.trouble.refuses = None


@contextmanager
def _relay_hangs(broken: Broken) -> Iterator[None]:
    broken.lab.hubble.trouble.hangs = True
    yield
    broken.lab.hubble.trouble.hangs = False


@contextmanager
def _relay_breaks_off(broken: Broken) -> Iterator[None]:
    broken.lab.hubble.trouble.dies_after = 1
    yield
    broken.lab.hubble.trouble.dies_after = None


@contextmanager
def _relay_loses_events(broken: Broken) -> Iterator[None]:
    lost = pb.LostEvent(source=pb.HUBBLE_RING_BUFFER, num_events_lost=10_000)
    broken.lab.hubble.trouble.lost = [pb.GetFlowsResponse(lost_events=lost, node_name="lab-node-1")]
    yield
    broken.lab.hubble.trouble.lost = []


@contextmanager
def _relay_misnames_nodes(broken: Broken) -> Iterator[None]:
    hubble = broken.lab.hubble
    flows, nodes = hubble.flows, hubble.nodes
    hubble.nodes = ["elsewhere/a-node-of-nobody"]
    hubble.flows = [_of_node(flow, "elsewhere/a-node-of-nobody") for flow in flows]
    yield
    hubble.flows, hubble.nodes = flows, nodes


@contextmanager
def _relay_forwards_everything(broken: Broken) -> Iterator[None]:
    """Relay claims of every packet that it passed."""
    hubble = broken.lab.hubble
    flows = hubble.flows
    hubble.flows = [_of_verdict(flow, pb.FORWARDED) for flow in flows]
    yield
    hubble.flows = flows


@contextmanager
def _relay_lacks_a_node(broken: Broken) -> Iterator[None]:
    broken.lab.hubble.trouble.unavailable = {"lab-node-1": "connection refused"}
    yield
    broken.lab.hubble.trouble.unavailable = {}


def _of_node(flow: pb.GetFlowsResponse, node: str) -> pb.GetFlowsResponse:
    copy = pb.GetFlowsResponse()
    copy.CopyFrom(flow)
    copy.node_name = copy.flow.node_name = node
    return copy


def _of_verdict(flow: pb.GetFlowsResponse, verdict: "pb.Verdict") -> pb.GetFlowsResponse:
    copy = pb.GetFlowsResponse()
    copy.CopyFrom(flow)
    copy.flow.verdict = verdict
    copy.flow.ClearField("drop_reason_desc")
    return copy


# Slack


def _slack(**faults: dict[str, int]) -> Strike:
    @contextmanager
    def strike(broken: Broken) -> Iterator[None]:
        slack = broken.system.playground
        slack.cause(**faults)
        yield
        slack.cause(**{name: {method: -count for method, count in left.items()} for name, left in faults.items()})

    return strike


@contextmanager
def _sockets_cut(broken: Broken) -> Iterator[None]:
    broken.system.playground.cut_sockets()
    yield
    broken.system.playground.wait_connected(timeout=TIMEOUT)


@contextmanager
def _sockets_renewed(broken: Broken) -> Iterator[None]:
    broken.system.playground.refresh_sockets()
    yield
    broken.system.playground.wait_connected(timeout=TIMEOUT)


@contextmanager
def _delivered_behind_a_later_one(broken: Broken) -> Iterator[None]:
    """The acknowledgement of the question is lost, and Slack delivers it again behind another one."""
    with _slack(dropped_acks={"event": 1})(broken):
        yield
        broken.system.mention("help")


# Clocks


def _clocks(seconds: float) -> Strike:
    @contextmanager
    def strike(broken: Broken) -> Iterator[None]:
        broken.move_clocks(seconds)
        yield
        broken.move_clocks(0.0)

    return strike


_API_SAYS = {
    "401 to everything": _token_refused,
    "403": _api(ApiFault(status=403, message="forbidden")),
    "404": _api(ApiFault(status=404, message="the server could not find the requested resource")),
    "410 at every page": _api(ApiFault(status=410, message="the provided continue parameter is too old")),
    "429 for ever": _api(ApiFault(status=429, retry_after="1")),
    "429 once": _api(ApiFault(status=429, retry_after="1", times=1)),
    "500": _api(ApiFault(status=500)),
    "half of a list, and no more": _api(ApiFault(cuts=True)),
    "nothing: the connection is cut": _api(ApiFault(drops=True)),
    "nothing for ever": _api(ApiFault(hangs=True)),
    "403 for every list but policies": _api(
        ApiFault(status=403, message="forbidden"), "pods", "services", "ciliumendpoints", "ciliumidentities", "exec"
    ),
}

_MANY = 1_000

FAULTS: tuple[Fault, ...] = (
    Fault("a worker's child is killed", When.RUNS, _worker_child_killed),
    Fault("a worker's parent is killed, its children are left", When.RUNS, _worker_parent_killed),
    Fault("a worker is killed whole", When.RUNS, _worker_killed_whole),
    Fault("the web process is killed", When.RUNS, _web_killed),
    Fault("the scheduler is killed", When.RUNS, _beat_killed),
    Fault("Redis restarts on its file", When.RUNS, _redis_restarts),
    Fault("Redis is away", When.PASSES, _redis_restarts),
    Fault("Redis restarts without its file", When.RUNS, _redis_forgets),
    Fault("Redis is full", When.PASSES, _redis_full),
    Fault("Redis becomes full", When.RUNS, _redis_full),
    Fault("Redis is read-only, a replica", When.PASSES, _redis_read_only),
    Fault("Redis becomes read-only, a replica", When.RUNS, _redis_read_only),
    Fault("the disk of Redis is full", When.PASSES, _redis_disk_full),
    Fault("the disk of Redis becomes full", When.RUNS, _redis_disk_full),
    Fault("Redis hangs", When.PASSES, _redis_hangs),
    Fault("Redis falls silent", When.RUNS, _redis_hangs),
    Fault("the disk that logs go to is full", When.ASKED, _logs_disk_full),
    Fault("the disk that logs go to becomes full", When.RUNS, _logs_disk_full),
    *(Fault(f"the API says {what}", When.ASKED, strike) for what, strike in _API_SAYS.items()),
    Fault("relay is dead", When.ASKED, _relay_dead),
    Fault("relay hangs", When.ASKED, _relay_hangs),
    Fault("relay breaks off after a flow", When.ASKED, _relay_breaks_off),
    Fault("relay cannot reach a node", When.ASKED, _relay_lacks_a_node),
    Fault("relay lost 10,000 events", When.ASKED, _relay_loses_events),
    Fault("relay calls nodes by wrong names", When.ASKED, _relay_misnames_nodes),
    Fault("relay says of every packet that it passed", When.ASKED, _relay_forwards_everything),
    Fault("Slack is busy (429) three times", When.ASKED, _slack(rate_limited={"*": 3})),
    Fault("Slack fails (500) at three calls", When.ASKED, _slack(server_errors={"*": 3})),
    Fault("Slack takes no edit", When.RUNS, _slack(server_errors={"chat.update": _MANY})),
    Fault("Slack takes no message", When.PASSES, _slack(server_errors={"chat.postMessage": _MANY})),
    Fault("Slack's replies to two posts are lost", When.ASKED, _slack(lost_replies={"chat.postMessage": 2})),
    Fault("Slack's replies to two edits are lost", When.ASKED, _slack(lost_replies={"chat.update": 2})),
    Fault("Slack delivers twice", When.ASKED, _slack(duplicates={"event": 1})),
    Fault("Slack delivers again behind a later message", When.ASKED, _delivered_behind_a_later_one),
    Fault("the socket is cut", When.RUNS, _sockets_cut),
    Fault("the socket is cut when somebody asks", When.PASSES, _sockets_cut),
    Fault("Slack asks for a new socket", When.RUNS, _sockets_renewed),
    Fault("all clocks jump a day ahead", When.RUNS, _clocks(86_400)),
    Fault("all clocks jump an hour back", When.RUNS, _clocks(-3_600)),
    Fault("clocks are two hours ahead", When.PASSES, _clocks(7_200)),
)
