"""Every endpoint of it is ready, and has the policy of now.

An endpoint that regenerates, or fails to, keeps the policy that it had before.
"""

from collections.abc import Iterator

from handlers.commands.endpoint import EndpointOf
from handlers.connection.observation import clock
from handlers.endpoints.asked import ASKED_OPTIONAL_PARTS, ASKED_PARTS, PodEndpoint, endpoints_asked
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, code
from handlers.probes.probe import probe

ENDPOINT_STATE_BAD = code(
    "ENDPOINT_STATE_BAD",
    meaning="An endpoint is in another state than ready, so it may enforce policies that are older than those of now.",
    template="{endpoint} is {state}: what it enforces may be older than the policies",
    advice="For a minute that is usual; if it lasts, look at the agent's log for this endpoint.",
)
ENDPOINT_BEHIND = code(
    "ENDPOINT_BEHIND",
    meaning="The agent wants a newer policy revision on the endpoint than its datapath has.",
    template="{endpoint} has policy revision {realized}, and {desired} is wanted: the newest policies are not in force",
    advice="If it lasts, look at the agent's log for this endpoint; a policy with L7 rules waits for Envoy.",
)
ENDPOINT_REGENERATION_FAILED = code(
    "ENDPOINT_REGENERATION_FAILED",
    meaning="The last regeneration of an endpoint failed, so it keeps the datapath that it had.",
    template="{endpoint}: the last regeneration failed at {at}: {message}",
    advice="Look at the agent's log for this endpoint.",
)
ENDPOINT_CONTROLLER_FAILS = code(
    "ENDPOINT_CONTROLLER_FAILS",
    meaning="A controller of an endpoint fails now.",
    template="{endpoint}: controller {controller} has failed {count} time{count:|s} in a row: {error}",
    advice="The error is the agent's own; look at its log around that time.",
)
ENDPOINT_UNHEALTHY = code(
    "ENDPOINT_UNHEALTHY",
    meaning="The agent reports an endpoint as not healthy.",
    template="The agent reports the health of {endpoint} as {health}",
    advice="Look at the agent's log for this endpoint.",
)
ENDPOINT_CURRENT = code(
    "ENDPOINT_CURRENT",
    meaning="The endpoints are ready, and their agents have nothing newer for them.",
    template="{count} endpoint{count: is|s are} ready, and {count:its agent has|their agents have} nothing newer for"
    " {count:it|them}",
)
_WELL = ("ready", "restoring")
_ILL = ("Failure", "Warning")
"""Values of an endpoint's health that are bad (Cilium, api/v1/openapi.yaml, EndpointHealthStatus)."""


@probe(
    answers=(EndpointOf,),
    codes=(
        ENDPOINT_STATE_BAD,
        ENDPOINT_BEHIND,
        ENDPOINT_REGENERATION_FAILED,
        ENDPOINT_CONTROLLER_FAILS,
        ENDPOINT_UNHEALTHY,
        ENDPOINT_CURRENT,
    ),
    needs=ASKED_PARTS,
    uses=ASKED_OPTIONAL_PARTS,
)
def endpoint_is_current(question: EndpointOf, facts: Facts) -> Iterator[Finding]:
    """Judge what each agent says of its endpoint; of a silent one only what it had published."""
    well = 0
    for one in endpoints_asked(question.endpoint, facts).made:
        troubles = list(_troubles(one))
        yield from troubles
        if not troubles and one.state in _WELL and one.of_agent:
            well += 1
    if well:
        yield ENDPOINT_CURRENT.finding(Outcome.FINE, weight=8, count=well)


def _troubles(one: PodEndpoint) -> Iterator[Finding]:
    agent, evidence = one.of_agent, [one.evidence]
    if one.state and one.state not in _WELL:
        yield ENDPOINT_STATE_BAD.finding(
            Outcome.PROBLEM, evidence=evidence, weight=40, endpoint=one.title, state=one.state
        )
    if agent is None:
        return
    if (agent.realized_revision or 0) < (agent.desired_revision or 0):
        yield ENDPOINT_BEHIND.finding(
            Outcome.PROBLEM,
            evidence=evidence,
            weight=45,
            endpoint=one.title,
            realized=agent.realized_revision or 0,
            desired=agent.desired_revision,
        )
    newest = agent.log[0] if agent.log else None
    if newest and newest.code.lower() == "failure":
        yield ENDPOINT_REGENERATION_FAILED.finding(
            Outcome.PROBLEM,
            evidence=evidence,
            weight=55,
            endpoint=one.title,
            at=clock(newest.at) if newest.at else "an unknown time",
            message=newest.message[:300],
        )
    for controller in agent.failing:
        yield ENDPOINT_CONTROLLER_FAILS.finding(
            Outcome.PROBLEM,
            evidence=evidence,
            weight=42,
            endpoint=one.title,
            controller=controller.name,
            count=controller.failures,
            error=controller.error[:300],
        )
    if agent.health in _ILL:
        yield ENDPOINT_UNHEALTHY.finding(
            Outcome.PROBLEM, evidence=evidence, weight=38, endpoint=one.title, health=agent.health
        )
