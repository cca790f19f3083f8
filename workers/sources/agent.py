"""Run the allowed commands in the agents' pods."""

import threading
from collections import defaultdict

from handlers.model.cluster import Pod
from handlers.model.snapshot import Gap
from workers.sources.assemble.cilium_pods import CiliumPods
from workers.sources.assemble.commands import BINARY, AgentCommand, Output
from workers.sources.assemble.lists import Lists
from workers.sources.deadline import Deadline
from workers.sources.kube_stream import PodStreams
from workers.sources.unread import UnreadError

CONTAINER = "cilium-agent"
_BINARY_BEFORE_1_15 = "cilium"
_NO_SUCH_PROGRAM = (126, 127)


class Agents:
    """Runs commands in the agents' pods, each found once."""

    def __init__(self, streams: PodStreams, cilium_pods: CiliumPods) -> None:
        self._streams = streams
        self._cilium_pods = cilium_pods
        self._found: dict[str, Pod] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def output(self, node: str, command: AgentCommand, lists: Lists, deadline: Deadline) -> Output:
        """Return what a command prints.

        Raises:
            UnreadError: if there is no agent on the node, or the command cannot be run or fails.
        """
        pod = self._on(node, lists)
        words = command.value
        execution = self._streams.run(pod.namespace, pod.name, CONTAINER, words, deadline)
        if execution.code in _NO_SUCH_PROGRAM and words[0] == BINARY:
            words = (_BINARY_BEFORE_1_15, *words[1:])
            execution = self._streams.run(pod.namespace, pod.name, CONTAINER, words, deadline)
        where = f"{' '.join(words)} in {pod.namespace}/{pod.name}"
        if execution.code != 0:
            why = execution.errors.splitlines()[0][:200] if execution.errors else "no reason given"
            raise UnreadError(Gap.FAILED, f"{where} exited {execution.code}: {why}")
        return Output(execution.output.decode("utf-8", "replace"), where)

    def _on(self, node: str, lists: Lists) -> Pod:
        """Return a node's agent; the parts of one node, read side by side, look once."""
        with self._locks[node]:
            if node not in self._found:
                pods = self._cilium_pods.agents(lists, node)
                if not pods:
                    raise UnreadError(
                        Gap.UNREACHABLE,
                        f"no Cilium agent was found on node {node}",
                        "Check the DaemonSet: kubectl get pods -A -l k8s-app=cilium -o wide.",
                    )
                self._found[node] = pods[0]
            return self._found[node]
