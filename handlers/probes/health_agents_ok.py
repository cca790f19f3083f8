"""Every agent says that it is well, and none of its controllers fails.

A controller is a task that the agent repeats until it succeeds; one that fails for long is a part of the wanted state
that never arrives in the datapath.
"""

from collections.abc import Iterator

from handlers.commands.health import how_to_ask
from handlers.connection.coverage import nodes_in_words, unread_alike
from handlers.model.agent import AgentStatus
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutAgent, AboutNodes
from handlers.model.snapshot import Missing
from handlers.probes.probe import probe

AGENT_STATE_BAD = code(
    "AGENT_STATE_BAD",
    meaning="An agent reports a state other than Ok.",
    template="The agent of {node} reports {state}: {message}",
    advice="Run cilium-dbg status --verbose in the agent, and look at its log.",
)
AGENT_COMPONENT_BAD = code(
    "AGENT_COMPONENT_BAD",
    meaning="A part of the agent reports a failure.",
    template="{component} of the agent of {node} reports {state}: {message}",
    advice="Look at the agent's log for this part.",
)
CONTROLLER_FAILS = code(
    "CONTROLLER_FAILS",
    meaning="A controller of the agent fails again and again.",
    template="Controller {controller} on {node} has failed {count} time{count:|s}: {error}",
    advice="The error says what the agent cannot do; until it can, the state stays as it was.",
)
AGENT_UNREAD = code(
    "AGENT_UNREAD",
    meaning="An agent could not be asked.",
    template="{count} agent{count:|s} {count:was|were} not read ({nodes}): {detail}",
)
AGENTS_OK = code(
    "AGENTS_OK",
    meaning="Every agent asked is well.",
    template="{count} agent{count:|s} report{count:s|} Ok, no controller fails",
)

_FAILURES = ("failure", "warning", "error")


@probe(
    answers=(AboutNodes, AboutAgent),
    codes=(AGENT_STATE_BAD, AGENT_COMPONENT_BAD, CONTROLLER_FAILS, AGENT_UNREAD, AGENTS_OK),
    needs=(Part.NODES, Part.AGENT_STATUS),
    blocking=True,
)
def health_agents_ok(question: AboutNodes | AboutAgent, facts: Facts) -> Iterator[Finding]:
    """Judge what each agent says of itself."""
    nodes = [node.name for node in facts.nodes if question.node in (None, node.name)]
    well, unread = 0, dict[str, Missing]()
    for node in nodes:
        answer = facts.agent_status.on(node)
        if isinstance(answer, Missing):
            unread[node] = answer
            continue
        troubles = list(_troubles(node, answer.value))
        yield from troubles
        well += not troubles
    for alike, missing in unread_alike(unread):
        yield AGENT_UNREAD.finding(
            Outcome.UNKNOWN,
            blocking=True,
            advice=missing.remedy or how_to_ask(missing),
            weight=50,
            count=len(alike),
            nodes=nodes_in_words(alike),
            detail=missing.detail,
        )
    if well and well == len(nodes):
        yield AGENTS_OK.finding(Outcome.FINE, count=well)


def _troubles(node: str, status: AgentStatus) -> Iterator[Finding]:
    evidence = [Evidence("agent", f"Node//{node}")]
    if status.state.lower() != "ok":
        yield AGENT_STATE_BAD.finding(
            Outcome.PROBLEM, evidence=evidence, weight=85, node=node, state=status.state, message=status.message
        )
    for component, (state, message) in sorted(status.components.items()):
        if state.lower() in _FAILURES:
            yield AGENT_COMPONENT_BAD.finding(
                Outcome.PROBLEM,
                evidence=evidence,
                weight=60,
                component=component,
                node=node,
                state=state,
                message=message or "no message",
            )
    for controller in status.failing:
        yield CONTROLLER_FAILS.finding(
            Outcome.PROBLEM,
            evidence=evidence,
            weight=50,
            node=node,
            controller=controller.name,
            count=controller.failures,
            error=controller.error or "no message",
        )
