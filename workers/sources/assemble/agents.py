"""What is made of the outputs of one agent: every part that is read per node."""

import contextlib
import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from handlers.model.agent import AgentEndpoint, AgentStatus, PeerNode
from handlers.model.cluster import Pod
from handlers.model.parts import Part
from handlers.model.snapshot import AnyPart, Gap, PartOf, PerNode
from workers.sources.assemble.commands import AgentCommand, Output
from workers.sources.convert import agent_json, agent_nodes, agent_text
from workers.sources.convert.reading import MalformedError
from workers.sources.unread import NotKeptError, UnreadError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Ask = Callable[[AgentCommand], Output]
"""Asks the agent of one node. Raises UnreadError; NotKeptError where an archive lacks just this output."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Form(Generic[T_co]):
    """One form in which an answer may be had: the command, and what reads its output."""

    command: AgentCommand
    read: Callable[[Any], T_co]


def _forms(part: PartOf[PerNode[T]], *forms: _Form[T]) -> tuple[AnyPart, tuple[_Form[object], ...]]:
    return part, forms


_ENDPOINTS_IN_WORDS = _Form(AgentCommand.ENDPOINTS_IN_WORDS, agent_text.endpoints)

_FORMS: Mapping[AnyPart, tuple[_Form[object], ...]] = dict(
    (
        _forms(
            Part.AGENT_ENDPOINTS,
            _Form(AgentCommand.ENDPOINTS, agent_json.endpoints),
            _ENDPOINTS_IN_WORDS,
        ),
        _forms(
            Part.AGENT_IDENTITIES,
            _Form(AgentCommand.IDENTITIES, agent_json.identities),
            _Form(AgentCommand.IDENTITIES_IN_WORDS, agent_text.identities),
        ),
        _forms(
            Part.AGENT_ADDRESSES,
            _Form(AgentCommand.ADDRESSES, agent_json.addresses),
            _Form(AgentCommand.ADDRESSES_IN_NUMBERS, agent_json.addresses),
        ),
        _forms(
            Part.AGENT_NAMES,
            _Form(AgentCommand.NAMES, agent_json.learnt_names),
            _Form(AgentCommand.NAMES_IN_WORDS, agent_text.learnt_names),
        ),
        _forms(
            Part.AGENT_POLICY_MAP,
            _Form(AgentCommand.POLICY_MAP, agent_json.policy_map),
            _Form(AgentCommand.POLICY_MAP_IN_WORDS, agent_text.policy_map),
            _Form(AgentCommand.POLICY_MAP_IN_WORDS_TOO, agent_text.policy_map),
        ),
        _forms(
            Part.AGENT_EGRESS,
            _Form(AgentCommand.EGRESS, agent_json.egress_gateways),
            _Form(AgentCommand.EGRESS_IN_WORDS, agent_text.egress_gateways),
        ),
        _forms(
            Part.AGENT_SERVICES,
            _Form(AgentCommand.SERVICES, agent_json.services),
            _Form(AgentCommand.SERVICES_IN_WORDS, agent_text.services),
        ),
        _forms(
            Part.AGENT_NODES,
            _Form(AgentCommand.NODES, agent_nodes.known_nodes),
            _Form(AgentCommand.NODES_IN_WORDS, agent_nodes.nodes_in_words),
        ),
        _forms(
            Part.AGENT_CONFIG,
            _Form(AgentCommand.CONFIG, agent_nodes.config),
            _Form(AgentCommand.CONFIG_BY_SHORT_FLAG, agent_nodes.config),
        ),
        _forms(
            Part.AGENT_METRICS,
            _Form(AgentCommand.METRICS, agent_json.metrics),
            _Form(AgentCommand.METRICS_IN_WORDS, agent_text.metrics),
        ),
    )
)


def agent_part(part: AnyPart, ask: Ask, pods: Callable[[], Sequence[Pod]]) -> tuple[object, str]:
    """Return what one agent says of a per-node part, and where it says it; ``pods`` lists those of its node.

    Raises:
        UnreadError: if it cannot be asked, or says something else than was expected.
    """
    if part is Part.AGENT_STATUS:
        return _status(ask)
    *others, last = _FORMS[part]
    for form in others:
        with contextlib.suppress(NotKeptError):
            return _said(form, ask)
    if last is _ENDPOINTS_IN_WORDS:
        endpoints, where = _said(_ENDPOINTS_IN_WORDS, ask)
        return _with_pods(endpoints, pods), where
    return _said(last, ask)


def _said(form: _Form[T], ask: Ask) -> tuple[T, str]:
    output = ask(form.command)
    try:
        return form.read(json.loads(output.text) if form.command.prints_json else output.text), output.where
    except (MalformedError, ValueError, RecursionError) as error:
        raise UnreadError(Gap.MALFORMED, f"{output.where}: {error or type(error).__name__}") from error


_STATUS = _Form(AgentCommand.STATUS, agent_json.status)
_STATUS_IN_WORDS = _Form(AgentCommand.STATUS_IN_WORDS, agent_text.status)
_PEERS: tuple[_Form[tuple[PeerNode, ...] | None], ...] = (
    _Form(AgentCommand.HEALTH, agent_json.peers),
    _Form(AgentCommand.STATUS_IN_WORDS, agent_text.peers),
)


def _status(ask: Ask) -> tuple[AgentStatus, str]:
    """Read the status, with the peers as the prober tells them, else as the status in words does."""
    try:
        status, where = _said(_STATUS, ask)
    except NotKeptError:
        return _said(_STATUS_IN_WORDS, ask)
    for form in _PEERS:
        with contextlib.suppress(UnreadError):
            return dataclasses.replace(status, peers=_said(form, ask)[0]), where
    return status, where


def _with_pods(endpoints: tuple[AgentEndpoint, ...], pods: Callable[[], Sequence[Pod]]) -> tuple[AgentEndpoint, ...]:
    """Add the pods' names, which the text leaves out, by the addresses of the node's running pods."""
    try:
        by_ip = {ip: pod for pod in pods() if pod.is_running and not pod.host_network for ip in pod.ips}
    except (UnreadError, MalformedError):
        return endpoints

    def named(endpoint: AgentEndpoint) -> AgentEndpoint:
        pod = next((by_ip[ip] for ip in endpoint.ips if ip in by_ip), None)
        if endpoint.pod or pod is None or pod.namespace != endpoint.namespace:
            return endpoint
        return dataclasses.replace(endpoint, pod=pod.name)

    return tuple(map(named, endpoints))
