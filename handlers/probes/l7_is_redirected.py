"""Each pod that L7 rules select sends the port through the proxy, in the datapath as in the policy.

An endpoint that cannot be given its proxy keeps what it had before: where no policy was in force everything passes, and
nobody is refused. A valid policy says nothing of that, the endpoint's own state does.
"""

from collections.abc import Iterator
from typing import Any

from handlers.commands.l7 import L7OfConnection, L7OfPolicy
from handlers.connection.l7_filters import L7Filter, by_pod
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS
from handlers.connection.realized import not_realized
from handlers.model.agent import AgentEndpoint, PolicyMapEntry
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.rule import Direction
from handlers.model.snapshot import Known, Missing
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.policy.pods import agent_endpoint_of_pod, endpoint_of_pod
from handlers.probes.probe import probe

L7_NOT_IN_FORCE = code(
    "L7_NOT_IN_FORCE",
    meaning="The endpoint has not taken the L7 policy over: it enforces what it had before, maybe nothing at all.",
    template="{pod} is {state}, so that {policies} is not in force there: what passed before still passes, until the "
    "proxy runs and its agent takes the policy over",
    reason="{pod} is {state}: {policies} is not in force",
    advice="See that the proxy runs, then look at the endpoint in the agent's log; a restarted agent tries again.",
)
L7_NO_REDIRECT = code(
    "L7_NO_REDIRECT",
    meaning="The endpoint's policy map lets the port through without the proxy, though a policy has L7 rules for it.",
    template="The policy map of {pod} has no proxy port for {port}, though {policies} has L7 rules for it",
    advice="Look at the endpoint in the agent's log: the map is what the datapath does.",
)
L7_REDIRECTED = code(
    "L7_REDIRECTED",
    meaning="The endpoint's policy map sends the port to a proxy.",
    template="{pod} sends {port} to the proxy on port {proxy}",
)
L7_MAP_UNREAD = code(
    "L7_MAP_UNREAD",
    meaning="Neither the endpoint's state nor its policy map could be read, so that the redirect is not proven.",
    template="Cannot tell whether {pod} sends {port} to the proxy: {detail}",
    advice="Ask its agent: cilium-dbg endpoint list, cilium-dbg bpf policy get.",
)


@probe(
    answers=(L7OfPolicy, L7OfConnection),
    codes=(L7_NOT_IN_FORCE, L7_NO_REDIRECT, L7_REDIRECTED, L7_MAP_UNREAD),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, Part.ENDPOINT_SLICES, Part.AGENT_POLICY_MAP),
    hop=Hop.L7,
    blocking=True,
)
def l7_is_redirected(question: L7OfPolicy | L7OfConnection, facts: Facts) -> Iterator[Finding]:
    """Compare each pod's endpoint with what selects it."""
    for filters in by_pod(question.filters(facts)).values():
        for direction in Direction:
            mine = [one for one in filters if one.direction is direction]
            if mine:
                yield from _judge(mine, direction, facts)


def _judge(filters: list[L7Filter], direction: Direction, facts: Facts) -> Iterator[Finding]:
    pod = filters[0].pod
    agent, published = agent_endpoint_of_pod(pod, facts), endpoint_of_pod(pod, facts)
    policies = tuple(dict.fromkeys(str(one.rule.origin.policy) for one in filters))
    values: dict[str, Any] = {"pod": f"pod {pod}", "policies": policies}
    trouble = not_realized(agent, agent.state if agent else published.state if published else None, direction)
    if trouble:
        yield L7_NOT_IN_FORCE.finding(
            Outcome.PROBLEM,
            hop=Hop.L7,
            weight=96,
            evidence=[
                *(Evidence("kubernetes", policy) for policy in policies),
                Evidence("agent" if agent else "kubernetes", f"CiliumEndpoint/{pod}", "/status/state"),
            ],
            follow_up=f"health {pod.node}" if pod.node else "",
            state=trouble,
            **values,
        )
        return
    entries = _map_of(agent, pod.node, facts)
    for one in filters:
        yield _redirect(one, agent, entries, values)


def _map_of(agent: AgentEndpoint | None, node: str | None, facts: Facts) -> list[PolicyMapEntry] | Missing:
    look = facts.look(Part.AGENT_POLICY_MAP)
    found = look if isinstance(look, Missing) else look.value.on(node)
    if isinstance(found, Known):
        return [entry for entry in found.value if agent and entry.endpoint == agent.id]
    return found


def _redirect(
    one: L7Filter, agent: AgentEndpoint | None, entries: list[PolicyMapEntry] | Missing, values: dict[str, Any]
) -> Finding:
    said: dict[str, Any] = {"pod": values["pod"], "port": one.on, "policies": values["policies"]}
    evidence = [Evidence("agent", f"CiliumEndpoint/{one.pod}", "bpf policy get")]
    if isinstance(entries, Missing) or agent is None:
        detail = (
            entries.detail if isinstance(entries, Missing) else f"the agent of {one.pod.node} named no endpoint of it"
        )
        return L7_MAP_UNREAD.finding(Outcome.UNKNOWN, hop=Hop.L7, blocking=True, detail=detail, **said)
    incoming = one.direction is Direction.INGRESS
    proxies = {
        entry.proxy_port
        for entry in entries
        if entry.ingress is incoming
        and not entry.deny
        and entry.proxy_port
        and (entry.port in one.numbers or not one.numbers)
    }
    if proxies:
        return L7_REDIRECTED.finding(Outcome.FINE, hop=Hop.L7, evidence=evidence, proxy=min(proxies), **said)
    return L7_NO_REDIRECT.finding(Outcome.PROBLEM, hop=Hop.L7, weight=93, evidence=evidence, **said)
