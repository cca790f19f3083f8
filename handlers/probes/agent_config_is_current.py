"""The agent goes by the configuration of now, and nothing was changed just before it fell ill.

Agents read cilium-config when they start (Cilium, daemon/cmd); a change waits for the next start, and a bad one shows
only then. That a change came shortly before a crash proves nothing, but is the first thing to look at.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from handlers.agents.life import component_of, is_down
from handlers.commands.since import age_in_words, span_in_words
from handlers.connection.observation import clock
from handlers.model.change import Change, newest
from handlers.model.cluster import Pod
from handlers.model.facts import Facts
from handlers.model.finding import Code, Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutAgent
from handlers.model.snapshot import Known
from handlers.probes.probe import probe

CHANGED_BEFORE_DOWN = code(
    "CHANGED_BEFORE_DOWN",
    meaning="The agents' configuration or their DaemonSet was changed shortly before the agent went down: a note where "
    "the agent was killed for want of memory.",
    template="{what} was changed at {at} by {who}, {span} before the agent went down",
    advice="Compare it with the version before (helm history, git), and take the change back if it fits the error.",
)
CONFIG_NEWER_THAN_AGENT = code(
    "CONFIG_NEWER_THAN_AGENT",
    meaning="cilium-config was changed after the agent started, so that the agent goes by the older one: a note.",
    template="{what} was changed at {at} by {who}, {age}, after the agent started: it goes by what stood there before",
)

SHORTLY = timedelta(minutes=30)


@probe(
    answers=(AboutAgent,),
    codes=(CHANGED_BEFORE_DOWN, CONFIG_NEWER_THAN_AGENT),
    needs=(Part.NODES, Part.CILIUM_PODS),
    uses=(Part.CONFIG, Part.SYSTEM_WORKLOADS),
)
def agent_config_is_current(question: AboutAgent, facts: Facts) -> Iterator[Finding]:
    """Hold the newest change against the life of the agent."""
    node = next((one for one in facts.nodes if one.name == question.node), None)
    agents = [pod for pod in facts.cilium_pods if component_of(pod) == "agent" and pod.node == question.node]
    agent = next((pod for pod in agents if not pod.deleted), None)
    change = _newest(facts)
    if agent is None or change is None:
        return
    started = _started(agent)
    if is_down(agent, node):
        down = agent.ready_since if agent.ready is False else agent.created_at
        if down and timedelta(0) <= down - change.at <= SHORTLY:
            span = span_in_words(timedelta(seconds=int((down - change.at).total_seconds())))
            is_memory = agent.last_exit is not None and agent.last_exit.reason == "OOMKilled"
            yield _told(CHANGED_BEFORE_DOWN, Outcome.FINE if is_memory else Outcome.PROBLEM, change, facts, span)
    elif started and change.kind == "ConfigMap" and change.at > started:
        yield _told(CONFIG_NEWER_THAN_AGENT, Outcome.FINE, change, facts)


def _started(agent: Pod) -> datetime | None:
    """Return a moment at which the agent ran already: it was ready then, or its last run had ended before."""
    end = agent.last_exit.at if agent.last_exit else None
    return agent.ready_since or end


def _told(spoken: Code, outcome: Outcome, change: Change, facts: Facts, span: str = "") -> Finding:
    return spoken.finding(
        outcome,
        evidence=[Evidence("kubernetes", change.ref, "/metadata/managedFields", at=change.at)],
        weight=88,
        what=f"{change.kind} {change.namespace}/{change.name}",
        at=clock(change.at),
        who=change.manager or None,
        age=age_in_words(change.at, facts.now),
        span=span,
    )


def _newest(facts: Facts) -> Change | None:
    """Return what somebody changed last of the ConfigMap or of the agents' DaemonSet, the creation aside."""
    config, workloads = facts.look(Part.CONFIG), facts.look(Part.SYSTEM_WORKLOADS)
    found = list(config.value.changes) if isinstance(config, Known) else []
    if isinstance(workloads, Known):
        found += (change for one in workloads.value if one.name == "cilium" for change in one.changes)
    return newest(change for change in found if not change.is_creation)
