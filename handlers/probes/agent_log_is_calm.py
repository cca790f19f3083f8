"""The agent's log tells of no trouble.

Of a run that ended, the last errors tell why; of one that goes on, what it complains of at this moment. What a healthy
agent logged long ago, or what no known cause fits, is a note.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from handlers.agents.life import component_of, ended_badly, is_down, is_recent
from handlers.agents.log_lines import LogLine, log_lines
from handlers.agents.troubles import Told, When, troubles_in
from handlers.commands.since import age_in_words
from handlers.model.cluster import Pod
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, Sentence, code
from handlers.model.log import PodLog
from handlers.model.parts import Part
from handlers.model.question import AboutAgent
from handlers.model.snapshot import Missing
from handlers.probes.probe import probe

AGENT_LOG_TELLS = code(
    "AGENT_LOG_TELLS",
    meaning="The agent's log has a line whose cause is known.",
    template="{run} says what is wrong: {cause} ({count} line{count:|s}, the newest {age}: {line})",
    reason="{cause}",
)
AGENT_LOG_ENDS = code(
    "AGENT_LOG_ENDS",
    meaning="The run before ended badly, and the end of its log holds no error whose cause is known: who is killed "
    "says nothing before.",
    template="The log of the run before tells no cause; its last line {age}: {line}",
)
AGENT_LOG_ERRORS = code(
    "AGENT_LOG_ERRORS",
    meaning="Errors of the log that no known cause fits: a note, since a healthy agent logs errors as well.",
    template="{run} has {count} error line{count:|s} that no known cause fits; the newest {age}: {line}",
)
AGENT_LOG_UNREAD = code(
    "AGENT_LOG_UNREAD",
    meaning="The log that would tell why the agent ended could not be read.",
    template="{run} could not be read: {detail}",
)

GOES_ON = timedelta(minutes=3)
"""How old the newest line of a trouble may be that an agent complains of while it runs."""
_PREVIOUS, _CURRENT = "The log of the run before", "The log"


@probe(
    answers=(AboutAgent,),
    codes=(AGENT_LOG_TELLS, AGENT_LOG_ENDS, AGENT_LOG_ERRORS, AGENT_LOG_UNREAD),
    needs=(Part.NODES, Part.CILIUM_PODS),
    uses=(Part.AGENT_LOG,),
)
def agent_log_is_calm(question: AboutAgent, facts: Facts) -> Iterator[Finding]:
    """Judge the ends of both runs' logs by whether the agent is ill."""
    node = next((one for one in facts.nodes if one.name == question.node), None)
    agents = [pod for pod in facts.cilium_pods if component_of(pod) == "agent" and pod.node == question.node]
    agent = next((pod for pod in agents if not is_down(pod, node)), agents[0] if agents else None)
    look = facts.look(Part.AGENT_LOG)
    if node is None or agent is None:
        return
    end = agent.last_exit
    is_ill = is_down(agent, node) or (ended_badly(end) and is_recent(end.at if end else None, facts.now))
    answer = look if isinstance(look, Missing) else look.value.on(question.node)
    if isinstance(answer, Missing):
        if is_ill:
            yield _unread(_CURRENT, answer.detail, answer.remedy)
        return
    log = answer.value
    before, now = log_lines(log.previous or ()), log_lines(log.lines or ())
    told = [*_why(before, _PREVIOUS, log, facts), *_why(now, _CURRENT, log, facts)] if is_ill else []
    seen = {str(finding.because) for finding in told}
    told += [one for one in _lasting(now, log, facts) if str(one.because) not in seen]
    yield from told
    if is_ill and log.previous is None and agent.restarts:
        yield _unread(_PREVIOUS, log.previous_missing or "it is not there")
    elif is_ill and not told and before:
        yield _last_word(agent, before, facts)
    if not told:
        yield from _unexplained(now, facts)


def _why(lines: Sequence[LogLine], run: str, log: PodLog, facts: Facts) -> Iterator[Finding]:
    """Yield what ended a run, or keeps it from getting ready: the newest line first, three at most."""
    for index, one in enumerate(troubles_in(lines)[:3]):
        yield _tells(one, run, log, facts, weight=90 - index)


def _lasting(lines: Sequence[LogLine], log: PodLog, facts: Facts) -> Iterator[Finding]:
    """Yield what an agent complains of at this moment."""
    for one in troubles_in(lines):
        is_now = one.line.at is not None and facts.now - one.line.at <= GOES_ON
        if one.trouble.when is When.LASTS and is_now:
            yield _tells(one, _CURRENT, log, facts, weight=70)


def _tells(told: Told, run: str, log: PodLog, facts: Facts, *, weight: int) -> Finding:
    return AGENT_LOG_TELLS.finding(
        Outcome.PROBLEM,
        evidence=[
            Evidence("agent", f"Pod/{log.namespace}/{log.pod}", "/log", at=told.line.at, excerpt=told.line.shown)
        ],
        advice=told.remedy,
        weight=weight,
        run=Sentence(run),
        cause=told.cause,
        count=told.count,
        age=age_in_words(told.line.at, facts.now),
        line=told.line.shown,
    )


def _last_word(agent: Pod, before: Sequence[LogLine], facts: Facts) -> Finding:
    last = before[-1]
    return AGENT_LOG_ENDS.finding(
        Outcome.FINE,
        evidence=[Evidence("agent", f"Pod/{agent.namespace}/{agent.name}", "/log", at=last.at, excerpt=last.shown)],
        age=age_in_words(last.at, facts.now),
        line=last.shown,
    )


def _unexplained(lines: Sequence[LogLine], facts: Facts) -> Iterator[Finding]:
    errors = [line for line in lines if line.is_grave]
    if errors:
        newest = errors[-1]
        yield AGENT_LOG_ERRORS.finding(
            Outcome.FINE,
            run=Sentence(_CURRENT),
            count=len(errors),
            age=age_in_words(newest.at, facts.now),
            line=newest.shown,
        )


def _unread(run: str, detail: str, remedy: str = "") -> Finding:
    return AGENT_LOG_UNREAD.finding(Outcome.UNKNOWN, advice=remedy, weight=40, run=Sentence(run), detail=detail)
