"""Each pod that L7 rules select sends the port through the proxy, in the datapath as in the policy.

An endpoint that cannot be given its proxy keeps what it had before: where no policy was in force everything passes, and
nobody is refused. A valid policy says nothing of that, the endpoint's own state does.
"""

from collections.abc import Iterator
from typing import Any

from handlers.commands.l7 import L7OfConnection, L7OfPolicy
from handlers.connection.l7_filters import L7Filter, pods_in_words
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS
from handlers.connection.realized import not_realized
from handlers.model.agent import AgentEndpoint, PolicyMapEntry
from handlers.model.facts import Facts
from handlers.model.finding import Code, Evidence, Finding, Hop, Outcome, Value, code
from handlers.model.parts import Part
from handlers.model.rule import Direction
from handlers.model.snapshot import Gap, Known, Missing
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.policy.pods import agent_endpoint_of_pod, endpoint_of_pod
from handlers.probes.probe import probe

L7_NOT_IN_FORCE = code(
    "L7_NOT_IN_FORCE",
    meaning="The endpoint has not taken the L7 policy over: it enforces what it had before, maybe nothing at all.",
    template="{pods}: {state}, so that {policies} is not in force there: what passed before still passes, until the "
    "proxy runs and its agent takes the policy over",
    reason="{pods}: {state}, so that {policies} is not in force",
    advice="See that the proxy runs, then look at the endpoint in the agent's log; a restarted agent tries again.",
)
L7_NO_REDIRECT = code(
    "L7_NO_REDIRECT",
    meaning="The endpoint's policy map lets the port through without the proxy, though a policy has L7 rules for it.",
    template="The policy map of {pods} has no proxy port for {port}, though {policies} has L7 rules for it",
    advice="Look at the endpoint in the agent's log: the map is what the datapath does.",
)
L7_REDIRECTED = code(
    "L7_REDIRECTED",
    meaning="The endpoint's policy map sends the port to a proxy.",
    template="{pods}: {port} goes to the proxy on port {proxy}",
)
L7_MAP_UNREAD = code(
    "L7_MAP_UNREAD",
    meaning="Neither the endpoint's state nor its policy map could be read, so that the redirect is not proven.",
    template="Cannot tell whether {port} of {pods} goes to the proxy: {detail}",
    advice="Ask its agent: cilium-dbg endpoint list, cilium-dbg bpf policy get.",
)

_State = tuple[Code, Outcome, tuple[tuple[str, Value], ...]]
"""What is to be said of one port of one pod: the code, how it is, and what the sentence is filled with."""


@probe(
    answers=(L7OfPolicy, L7OfConnection),
    codes=(L7_NOT_IN_FORCE, L7_NO_REDIRECT, L7_REDIRECTED, L7_MAP_UNREAD),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, Part.ENDPOINT_SLICES, Part.AGENT_POLICY_MAP),
    hop=Hop.L7,
    blocking=True,
)
def l7_is_redirected(question: L7OfPolicy | L7OfConnection, facts: Facts) -> Iterator[Finding]:
    """Compare each pod's endpoint with what selects it; pods of which the same is true are one line."""
    told: dict[_State, list[L7Filter]] = {}
    for one in question.filters(facts):
        told.setdefault(_state(one, facts), []).append(one)
    for (about, outcome, values), filters in told.items():
        yield _finding(about, outcome, dict(values), filters)


def _finding(about: Code, outcome: Outcome, values: dict[str, Any], filters: list[L7Filter]) -> Finding:
    policies = tuple(dict.fromkeys(str(one.rule.origin.policy) for one in filters))
    first = filters[0].pod
    return about.finding(
        outcome,
        hop=Hop.L7,
        blocking=outcome is Outcome.UNKNOWN,
        weight=95 if outcome is Outcome.PROBLEM else 0,
        evidence=[
            *(Evidence("kubernetes", policy) for policy in policies),
            Evidence("agent", f"CiliumEndpoint/{first}", "/status"),
        ],
        follow_up=f"endpoint {first.namespace}/pod/{first.name}" if outcome is Outcome.PROBLEM else "",
        pods=pods_in_words(filters),
        policies=policies,
        **values,
    )


def _state(one: L7Filter, facts: Facts) -> _State:
    agent, published = agent_endpoint_of_pod(one.pod, facts), endpoint_of_pod(one.pod, facts)
    trouble = not_realized(agent, agent.state if agent else published.state if published else None, one.direction)
    if trouble:
        return L7_NOT_IN_FORCE, Outcome.PROBLEM, (("state", trouble),)
    entries = _map_of(agent, one.pod.node, facts)
    if isinstance(entries, Missing) or agent is None:
        detail = _why(entries) if isinstance(entries, Missing) else "its agent named no endpoint of it"
        return L7_MAP_UNREAD, Outcome.UNKNOWN, (("port", one.on), ("detail", detail))
    proxies = {entry.proxy_port for entry in entries if entry.proxy_port and _is_about(entry, one)}
    if proxies:
        return L7_REDIRECTED, Outcome.FINE, (("port", one.on), ("proxy", min(proxies)))
    return L7_NO_REDIRECT, Outcome.PROBLEM, (("port", one.on),)


def _why(missing: Missing) -> str:
    return "its agent was not asked" if missing.gap is Gap.NOT_ASKED else missing.detail


def _map_of(agent: AgentEndpoint | None, node: str | None, facts: Facts) -> list[PolicyMapEntry] | Missing:
    look = facts.look(Part.AGENT_POLICY_MAP)
    found = look if isinstance(look, Missing) else look.value.on(node)
    if isinstance(found, Known):
        return [entry for entry in found.value if agent and entry.endpoint == agent.id]
    return found


def _is_about(entry: PolicyMapEntry, one: L7Filter) -> bool:
    is_in = entry.ingress is (one.direction is Direction.INGRESS)
    return is_in and not entry.deny and (not one.numbers or entry.port in one.numbers)
