"""Every endpoint is ready: it enforces the policy of now.

An endpoint that keeps regenerating, or waits for its identity, enforces the policy that it had before. Each does so for
a moment: with a new label, a new policy, a new start of the agent.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from handlers.commands.since import age_in_words
from handlers.connection.coverage import MOST_NAMED, nodes_in_words
from handlers.model.agent import AgentEndpoint
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, Sentence, Value, code
from handlers.model.parts import Part
from handlers.model.question import AboutAgent, AboutNodes
from handlers.probes.probe import probe

ENDPOINT_NOT_READY = code(
    "ENDPOINT_NOT_READY",
    meaning="Endpoints are not in the state ready, and have not been for a while or nobody tells since when: what they "
    "enforce may be older than the policies.",
    template="{who} {count:is|are} {state}{since}",
    advice="If it lasts for more than a minute, look at the agent's log for the endpoint.",
)
ENDPOINT_CHANGES = code(
    "ENDPOINT_CHANGES",
    meaning="Endpoints have left the state ready a moment ago, as with every new identity and policy: a note.",
    template="{who} {count:is|are} {state} for the moment{since}",
)
ENDPOINTS_READY = code(
    "ENDPOINTS_READY",
    meaning="Every endpoint is ready.",
    template="{count} endpoint{count: is|s are} ready",
)

_MOMENT = timedelta(seconds=60)
"""How long a change may take: a new label became a new identity after 22 to 31 s on a cluster of two nodes."""
_PASSING = ("regenerating", "restoring", "creating")
"""States that end by themselves, beside those that begin with ``waiting-`` (Cilium, pkg/endpoint/api.go)."""


@probe(
    answers=(AboutNodes, AboutAgent),
    codes=(ENDPOINT_NOT_READY, ENDPOINT_CHANGES, ENDPOINTS_READY),
    needs=(Part.AGENT_ENDPOINTS,),
    blocking=True,
)
def health_endpoints_ready(_question: AboutNodes | AboutAgent, facts: Facts) -> Iterator[Finding]:
    """Judge the state of each endpoint of each agent asked; those that are alike are one line."""
    ready = 0
    alike: dict[tuple[str, bool], list[tuple[str, AgentEndpoint]]] = {}
    for node, endpoints in facts.agent_endpoints.known():
        for endpoint in endpoints:
            ready += endpoint.state == "ready"
            if endpoint.state != "ready":
                alike.setdefault((endpoint.state, _passes(endpoint, facts.now)), []).append((node, endpoint))
    for (state, passes), those in alike.items():
        yield _told(state, those, facts, passes=passes)
    if ready and not any(not passes for _, passes in alike):
        yield ENDPOINTS_READY.finding(Outcome.FINE, count=ready)


def _since(endpoint: AgentEndpoint) -> datetime | None:
    """Return since when an endpoint is in its state, as far as its log tells."""
    since = None
    for entry in endpoint.log:
        if entry.state != endpoint.state:
            break
        since = entry.at
    return since


def _passes(endpoint: AgentEndpoint, now: datetime) -> bool:
    since = _since(endpoint)
    is_passing = endpoint.state in _PASSING or endpoint.state.startswith("waiting-")
    return is_passing and not endpoint.failing and since is not None and now - since <= _MOMENT


def _told(state: str, those: Sequence[tuple[str, AgentEndpoint]], facts: Facts, *, passes: bool) -> Finding:
    names = [f"{one.namespace}/{one.pod}" if one.pod else str(one.id) for _, one in those]
    node, first = those[0]
    who = Sentence("Endpoint {endpoint} on {node}", {"endpoint": names[0], "node": node})
    since: Value = Sentence("")
    if len(those) > 1:
        nodes = nodes_in_words({node for node, _ in those})
        values: dict[str, Value] = {"count": len(those), "endpoints": nodes_in_words(names), "nodes": nodes}
        who = Sentence("{count} endpoints on {nodes} ({endpoints})", values)
    elif at := _since(first):
        since = Sentence(" ({age})", {"age": Sentence(age_in_words(at, facts.now))})
    return (ENDPOINT_CHANGES if passes else ENDPOINT_NOT_READY).finding(
        Outcome.FINE if passes else Outcome.PROBLEM,
        evidence=[
            Evidence("agent", f"CiliumEndpoint/{name}" if one.pod else f"Node//{node}", at=_since(one))
            for name, (node, one) in list(zip(names, those, strict=True))[:MOST_NAMED]
        ],
        weight=58,
        who=who,
        count=len(those),
        state=state,
        since=since,
    )
