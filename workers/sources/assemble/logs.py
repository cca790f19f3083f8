"""What is made of containers' logs: the parts that hold their last lines."""

from collections.abc import Callable, Iterable, Sequence

from handlers.model.cluster import Pod
from handlers.model.log import PodLog
from handlers.model.snapshot import Gap
from workers.sources.assemble import resources as api
from workers.sources.assemble.cilium_pods import DEFAULT_NAMESPACE, CiliumPods
from workers.sources.assemble.lists import Lists
from workers.sources.assemble.resources import Select
from workers.sources.unread import UnreadError

MOST_LINES = 500
"""Lines of one log that are looked at, the newest ones."""

AGENT, OPERATOR, DNS = "cilium-agent", "cilium-operator", "coredns"
"""Names of the containers."""

_DNS_PODS = "k8s-app=kube-dns"
"""CoreDNS keeps the label of its forerunner (kubernetes, cluster/addons/dns/coredns)."""
_MOST_PODS = 6

LogOf = Callable[[Pod, str, bool], Sequence[str]]
"""Returns the last lines of a pod's container, of its previous run where that is wanted; raises UnreadError."""


def agent_log(node: str, lists: Lists, pods: CiliumPods, log_of: LogOf) -> PodLog:
    """Return the log of a node's agent.

    Raises:
        UnreadError: if the node has no agent, or the log of neither run could be had.
    """
    found = pods.agents(lists, node)
    if not found:
        raise UnreadError(Gap.UNREACHABLE, f"no Cilium agent was found on node {node}")
    agent, end = found[0], found[0].last_exit
    # Where a container before the agent's own fails, that one tells why.
    container = end.container if end and end.container and agent.waiting else AGENT
    log, error = _log(agent, container, log_of)
    if error is not None and log.previous is None:
        raise error
    return log


def operator_logs(lists: Lists, pods: CiliumPods, log_of: LogOf) -> tuple[PodLog, ...]:
    """Return the logs of Cilium's operators."""
    found = [pod for pod in pods.every(lists) if pod.labels.get("io.cilium/app") == "operator"]
    return _logs(found, OPERATOR, log_of)


def dns_logs(lists: Lists, log_of: LogOf) -> tuple[PodLog, ...]:
    """Return the logs of the cluster's DNS servers."""
    found = lists.some(api.PODS, Select(DEFAULT_NAMESPACE, labels=_DNS_PODS))
    servers = [pod for pod in found if pod.namespace == DEFAULT_NAMESPACE and pod.labels.get("k8s-app") == "kube-dns"]
    return _logs(servers, DNS, log_of)


def _logs(pods: Iterable[Pod], container: str, log_of: LogOf) -> tuple[PodLog, ...]:
    return tuple(_log(pod, container, log_of)[0] for pod in sorted(pods, key=lambda pod: pod.name)[:_MOST_PODS])


def _log(pod: Pod, container: str, log_of: LogOf) -> tuple[PodLog, UnreadError | None]:
    lines, error = _lines(pod, container, log_of, previous=False)
    before, error_before = (None, None) if pod.restarts == 0 else _lines(pod, container, log_of, previous=True)
    missing, missing_before = (one.missing.detail if one else "" for one in (error, error_before))
    return PodLog(pod.namespace, pod.name, container, lines, missing, before, missing_before), error


def _lines(
    pod: Pod, container: str, log_of: LogOf, *, previous: bool
) -> tuple[tuple[str, ...] | None, UnreadError | None]:
    try:
        return tuple(log_of(pod, container, previous))[-MOST_LINES:], None
    except UnreadError as error:
        return None, error
