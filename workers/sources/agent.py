"""Ask the agent of a node: a fixed list of read-only commands, run in its pod."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar

from handlers.model.agent import AgentStatus
from handlers.model.parts import Part
from handlers.model.snapshot import AnyPart, Gap
from workers.sources.convert import agent_json, agent_text
from workers.sources.convert.reading import MalformedError
from workers.sources.deadline import Deadline
from workers.sources.kube import KubeReader
from workers.sources.kube_stream import Execution, PodStreams
from workers.sources.unread import UnreadError

T = TypeVar("T")

CONTAINER = "cilium-agent"
_BINARY, _BINARY_BEFORE_1_15 = "cilium-dbg", "cilium"
_NO_SUCH_PROGRAM = (126, 127)


class AgentCommand(Enum):
    """Every command that can be run; none takes an argument from outside, none changes anything."""

    STATUS = (_BINARY, "status", "-o", "json")
    STATUS_IN_WORDS = (_BINARY, "status", "--verbose")
    HEALTH = ("cilium-health", "status", "-o", "json")
    ENDPOINTS = (_BINARY, "endpoint", "list", "-o", "json")
    IDENTITIES = (_BINARY, "identity", "list", "-o", "json")
    ADDRESSES = (_BINARY, "ip", "list", "-o", "json")
    NAMES = (_BINARY, "fqdn", "cache", "list", "-o", "json")
    POLICY_MAP = (_BINARY, "bpf", "policy", "get", "--all", "-o", "json")
    EGRESS = (_BINARY, "bpf", "egress", "list", "-o", "json")
    SERVICES = (_BINARY, "service", "list", "-o", "json")
    METRICS = (_BINARY, "metrics", "list", "-o", "json")


_READ: Mapping[AnyPart, tuple[AgentCommand, Callable[[Any], object]]] = MappingProxyType(
    {
        Part.AGENT_ENDPOINTS: (AgentCommand.ENDPOINTS, agent_json.endpoints),
        Part.AGENT_IDENTITIES: (AgentCommand.IDENTITIES, agent_json.identities),
        Part.AGENT_ADDRESSES: (AgentCommand.ADDRESSES, agent_json.addresses),
        Part.AGENT_NAMES: (AgentCommand.NAMES, agent_json.learnt_names),
        Part.AGENT_POLICY_MAP: (AgentCommand.POLICY_MAP, agent_json.policy_map),
        Part.AGENT_EGRESS: (AgentCommand.EGRESS, agent_json.egress_gateways),
        Part.AGENT_SERVICES: (AgentCommand.SERVICES, agent_json.services),
        Part.AGENT_METRICS: (AgentCommand.METRICS, agent_json.metrics),
    }
)


class AgentReader:
    """Runs commands in the agents' pods."""

    def __init__(self, streams: PodStreams, kube: KubeReader) -> None:
        """Find pods through ``kube``, run commands through ``streams``."""
        self._streams = streams
        self._kube = kube
        self._found: dict[str, tuple[str, str]] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def read(self, part: AnyPart, node: str, deadline: Deadline) -> object:
        """Return the value of a per-node part.

        Raises:
            UnreadError: if there is no agent on the node, or the command cannot be run or fails.
        """
        where = self._where(node, deadline)
        if part is Part.AGENT_STATUS:
            return self._status(where, deadline)
        command, read = _READ[part]
        return _understood(command, read, self._json(where, command, deadline))

    def _where(self, node: str, deadline: Deadline) -> tuple[str, str]:
        """Return namespace and name of a node's agent; the parts of one node, read side by side, look once."""
        with self._locks[node]:
            if node not in self._found:
                pods = self._kube.agents(node, deadline)
                if not pods:
                    raise UnreadError(
                        Gap.UNREACHABLE,
                        f"no Cilium agent was found on node {node}",
                        "Check the DaemonSet: kubectl get pods -A -l k8s-app=cilium -o wide.",
                    )
                self._found[node] = (pods[0].namespace, pods[0].name)
            return self._found[node]

    def _status(self, where: tuple[str, str], deadline: Deadline) -> AgentStatus:
        told = self._json(where, AgentCommand.STATUS, deadline)
        try:
            health = self._json(where, AgentCommand.HEALTH, deadline)
            return _understood(AgentCommand.HEALTH, lambda body: agent_json.status(told, body), health)
        except UnreadError:
            pass
        status = _understood(AgentCommand.STATUS, lambda body: agent_json.status(body, None), told)
        try:
            written = self._run(where, AgentCommand.STATUS_IN_WORDS, deadline).output.decode("utf-8", "replace")
        except UnreadError:
            return status
        return replace(status, peers=agent_text.peers(written))

    def _json(self, where: tuple[str, str], command: AgentCommand, deadline: Deadline) -> Any:
        execution = self._run(where, command, deadline)
        try:
            return json.loads(execution.output)
        except (ValueError, RecursionError) as error:
            raise UnreadError(
                Gap.MALFORMED, f"{' '.join(command.value)} in {'/'.join(where)} printed no JSON"
            ) from error

    def _run(self, where: tuple[str, str], command: AgentCommand, deadline: Deadline) -> Execution:
        namespace, pod = where
        words = command.value
        execution = self._streams.run(namespace, pod, CONTAINER, words, deadline)
        if execution.code in _NO_SUCH_PROGRAM and words[0] == _BINARY:
            words = (_BINARY_BEFORE_1_15, *words[1:])
            execution = self._streams.run(namespace, pod, CONTAINER, words, deadline)
        if execution.code != 0:
            why = execution.errors.splitlines()[0][:200] if execution.errors else "no reason given"
            raise UnreadError(Gap.FAILED, f"{' '.join(words)} in {namespace}/{pod} exited {execution.code}: {why}")
        return execution


def _understood(command: AgentCommand, read: Callable[[Any], T], body: Any) -> T:
    try:
        return read(body)
    except MalformedError as error:
        raise UnreadError(Gap.MALFORMED, f"the output of {' '.join(command.value)}: {error}") from error
