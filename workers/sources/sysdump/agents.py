"""What agents said of themselves, out of the bugtool parts of a sysdump."""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from handlers.model.agent import AgentEndpoint
from handlers.model.cluster import Pod
from handlers.model.parts import Part
from handlers.model.snapshot import AnyPart, Gap
from workers.sources.convert import agent_json, agent_text
from workers.sources.convert.reading import MalformedError, without_cluster
from workers.sources.sysdump.index import Output, SysdumpIndex
from workers.sources.unread import UnreadError

_FAILED = "> Error while running"
"""How bugtool writes that a command failed (Cilium, bugtool/cmd/root.go)."""

Reader = Callable[[Any], object]


@dataclasses.dataclass(frozen=True, slots=True)
class _Form:
    """One form in which an answer may be there: the file of a command, and what reads it."""

    command: str
    read: Reader
    is_json: bool = True


_FORMS: dict[AnyPart, tuple[_Form, ...]] = {
    Part.AGENT_STATUS: (_Form("status---verbose", agent_text.status, is_json=False),),
    Part.AGENT_ENDPOINTS: (
        _Form("endpoint-list--o-json", agent_json.endpoints),
        _Form("endpoint-list", agent_text.endpoints, is_json=False),
    ),
    Part.AGENT_IDENTITIES: (
        _Form("identity-list--o-json", agent_json.identities),
        _Form("identity-list", agent_text.identities, is_json=False),
    ),
    Part.AGENT_ADDRESSES: (
        _Form("ip-list--n--o-json", agent_json.addresses),
        _Form("ip-list--o-json", agent_json.addresses),
    ),
    Part.AGENT_NAMES: (
        _Form("fqdn-cache-list--o-json", agent_json.learnt_names),
        _Form("fqdn-cache-list", agent_text.learnt_names, is_json=False),
    ),
    Part.AGENT_POLICY_MAP: (
        _Form("bpf-policy-get---all---numeric", agent_text.policy_map, is_json=False),
        _Form("bpf-policy-get---all--n", agent_text.policy_map, is_json=False),
    ),
    Part.AGENT_EGRESS: (
        _Form("bpf-egress-list--o-json", agent_json.egress_gateways),
        _Form("bpf-egress-list", agent_text.egress_gateways, is_json=False),
    ),
    Part.AGENT_SERVICES: (_Form("service-list--o-json", agent_json.services),),
    Part.AGENT_METRICS: (
        _Form("metrics-list--o-json", agent_json.metrics),
        _Form("metrics-list", agent_text.metrics, is_json=False),
    ),
}


def read_agent(index: SysdumpIndex, part: AnyPart, pod: str) -> tuple[object, str]:
    """Return the value of a per-node part as one agent's bugtool has it, and the file it came from.

    Raises:
        UnreadError: if no form of it is there, the command failed, or the output is another than expected.
        ArchiveError: if the file cannot be read.
    """
    for form in _FORMS[part]:
        output = index.output(pod, form.command)
        if output is None:
            continue
        if output.text.startswith(_FAILED):
            raise UnreadError(Gap.NOT_IN_DUMP, f"{output.path}: {output.text.splitlines()[0][:200]}")
        try:
            return form.read(json.loads(output.text) if form.is_json else output.text), output.path
        except (MalformedError, ValueError, RecursionError) as error:
            raise UnreadError(Gap.MALFORMED, f"{output.path}: {error or type(error).__name__}") from error
    reason = index.reason(f"cilium-bugtool-{pod}")
    raise UnreadError(
        Gap.NOT_IN_DUMP,
        reason or f"the bugtool part of {pod} has no {_FORMS[part][-1].command}",
        "Collect the sysdump without --quick.",
    )


def local_node(index: SysdumpIndex, pod: str) -> str | None:
    """Return the node that an agent's own health prober says it runs on, None where it does not say."""
    output: Output | None = index.output(pod, "health-status--o-json")
    try:
        body = json.loads(output.text) if output else {}
    except (ValueError, RecursionError):
        return None
    local = body.get("local") if isinstance(body, Mapping) else None
    name = local.get("name") if isinstance(local, Mapping) else None
    return without_cluster(name) if isinstance(name, str) else None


def with_pods(endpoints: Sequence[AgentEndpoint], pods: Sequence[Pod], node: str) -> tuple[AgentEndpoint, ...]:
    """Add the pods' names, which the text form leaves out, by the addresses of the node's running pods."""
    by_ip = {ip: pod for pod in pods if pod.node == node and pod.is_running and not pod.host_network for ip in pod.ips}

    def named(endpoint: AgentEndpoint) -> AgentEndpoint:
        pod = next((by_ip[ip] for ip in endpoint.ips if ip in by_ip), None)
        if endpoint.pod or pod is None or pod.namespace != endpoint.namespace:
            return endpoint
        return dataclasses.replace(endpoint, pod=pod.name)

    return tuple(named(endpoint) for endpoint in endpoints)
