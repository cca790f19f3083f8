"""Whether an endpoint's datapath has the policy that its agent was told, one judgement for every question."""

from handlers.model.agent import AgentEndpoint
from handlers.model.rule import Direction


def not_realized(agent: AgentEndpoint | None, state: str | None, direction: Direction) -> str | None:
    """Return what is wrong with the endpoint, in the agent's words; None where nothing is, or nothing is known."""
    if agent and (agent.realized_revision or 0) < (agent.desired_revision or 0):
        return f"{agent.state}, policy revision {agent.realized_revision} of {agent.desired_revision}"
    if agent:
        enforcing = agent.ingress_enforcing if direction is Direction.INGRESS else agent.egress_enforcing
        if enforcing is False:
            return f"{agent.state}, and the agent reports no {str(direction).lower()} enforcement"
    if state and state not in ("ready", "restoring"):
        return state
    return None
