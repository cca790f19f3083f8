"""Every endpoint is ready: it enforces the policy of now.

An endpoint that keeps regenerating enforces the policy that it had before.
"""

from collections.abc import Iterator

from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutAgent, AboutNodes
from handlers.probes.probe import probe

ENDPOINT_NOT_READY = code(
    "ENDPOINT_NOT_READY",
    meaning="An endpoint is not in the state ready, so what it enforces may be older than the policies.",
    template="Endpoint {endpoint} on {node} is {state}",
    advice="If it lasts for more than a minute, look at the agent's log for this endpoint.",
)
ENDPOINTS_READY = code(
    "ENDPOINTS_READY",
    meaning="Every endpoint is ready.",
    template="{count} endpoint{count: is|s are} ready",
)


@probe(
    answers=(AboutNodes, AboutAgent),
    codes=(ENDPOINT_NOT_READY, ENDPOINTS_READY),
    needs=(Part.AGENT_ENDPOINTS,),
    blocking=True,
)
def health_endpoints_ready(_question: AboutNodes | AboutAgent, facts: Facts) -> Iterator[Finding]:
    """Judge the state of each endpoint of each agent asked."""
    ready, troubles = 0, 0
    for node, endpoints in facts.agent_endpoints.known():
        for endpoint in endpoints:
            if endpoint.state == "ready":
                ready += 1
                continue
            troubles += 1
            name = f"{endpoint.namespace}/{endpoint.pod}" if endpoint.pod else str(endpoint.id)
            yield ENDPOINT_NOT_READY.finding(
                Outcome.PROBLEM,
                evidence=[Evidence("agent", f"CiliumEndpoint/{name}" if endpoint.pod else f"Node//{node}")],
                weight=58,
                endpoint=name,
                node=node,
                state=endpoint.state,
            )
    if ready and not troubles:
        yield ENDPOINTS_READY.finding(Outcome.FINE, count=ready)
