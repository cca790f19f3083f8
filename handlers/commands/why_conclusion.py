"""What ``why`` makes of its findings: one line for a tired person, from what ought to be and what was seen."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from handlers.commands.command import Conclusion
from handlers.connection.carriers import identity_notes
from handlers.connection.ends import Ends
from handlers.connection.observation import Observation
from handlers.connection.patches import Remedy, remedy_of
from handlers.connection.policies import PolicyChange, config_assumption
from handlers.connection.policy_findings import port_in_words
from handlers.connection.trial import Trial
from handlers.model.connection import Connection
from handlers.model.facts import Facts, Unread
from handlers.model.finding import Finding, Hop, Outcome, Sentence, Value
from handlers.model.question import AboutConnection
from handlers.model.report import Expected, Observed, expected_of
from handlers.names.grammar import end_of

MOST_PASSING = 4
"""Ports or pods named that pass where others are stopped."""
_AFTER_POLICY = (Hop.APPLICATION, Hop.L7)
"""Hops at which packets pass though the request fails: a proxy that refuses has opened the connection first."""


def conclude(question: AboutConnection, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Return the headline, both judgements, and who the identities are."""
    unresolved = [finding for finding in findings if finding.hop is Hop.RESOLVE and finding.outcome is Outcome.UNKNOWN]
    trial = Trial(question.connection, facts)
    ends = trial.ends
    if unresolved or isinstance(ends, Unread) or not ends.are_clear:
        return _unclear(question, unresolved, ends)
    observation = _observation(trial, findings)
    expected = expected_of(findings)
    remedy = remedy_of(trial) if expected is Expected.BLOCKED else Remedy()
    return Conclusion(
        headline=_headline(trial, ends, expected, observation, findings),
        expected=expected,
        observed=observation.observed,
        observed_detail=observation.detail,
        identities=identity_notes(trial.legs, facts),
        patches=remedy.patches,
        patch_notes=remedy.notes,
        notes=tuple(note for note in (ends.source.note, ends.destination.note) if note),
    )


def _unclear(question: AboutConnection, unresolved: list[Finding], ends: Ends | Unread) -> Conclusion:
    said = unresolved[0].sentence if unresolved else Sentence("Cannot tell: the names could not be looked up")
    return Conclusion(
        headline=said,
        expected=Expected.UNKNOWN,
        observed=Observed.NO_DATA,
        observed_detail="flows were not looked at, since it is not clear whose",
        candidates=() if isinstance(ends, Unread) else tuple(_candidates(question, ends)),
    )


def _candidates(question: AboutConnection, ends: Ends) -> Iterator[str]:
    connection = question.connection
    for candidate in ends.source.candidates:
        if name := end_of(candidate):
            yield str(replace(question, connection=replace(connection, source=name)))
    for candidate in ends.destination.candidates:
        if name := end_of(candidate):
            yield str(replace(question, connection=replace(connection, destination=name)))


def _observation(trial: Trial, findings: tuple[Finding, ...]) -> Observation:
    """Look at the connection itself; at its DNS look-up where nothing but that is in the way."""
    observation, lookup = trial.observation, trial.observed_lookup
    blocked_at = {finding.hop for finding in findings if finding.blocking and finding.outcome is Outcome.PROBLEM}
    is_lookup = blocked_at == {Hop.DNS} or (Hop.DNS in blocked_at and observation.observed is Observed.NOTHING)
    if is_lookup and isinstance(lookup, Observation) and lookup.observed is Observed.DROPPED:
        return lookup
    return observation


def _headline(
    trial: Trial,
    ends: Ends,
    expected: Expected,
    observation: Observation,
    findings: tuple[Finding, ...],
) -> Sentence:
    values = {
        "q_source": _short(ends.source.title),
        "q_destination": _short(ends.destination.title),
        "q_on": _on(trial.connection),
        "q_seen": observation.detail,
    }
    match expected:
        case Expected.BLOCKED:
            return _blocked(values, observation, findings, _change(trial), _passing(trial))
        case Expected.OPEN:
            sentence = _open(values, observation, findings, _change(trial))
            assumed = config_assumption(trial.facts)
            return (
                Sentence(f"{sentence.template} (assuming: {{q_assumed}})", {**sentence.values, "q_assumed": assumed})
                if assumed
                else sentence
            )
        case Expected.UNKNOWN:
            return _unknown(values, observation, findings)


def _change(trial: Trial) -> PolicyChange | None:
    """Return the newest change of a policy that concerns the connection, None where that cannot be told."""
    change = trial.change
    return None if isinstance(change, Unread) else change


def _passing(trial: Trial) -> tuple[str, ...]:
    """Return what policy lets pass where it stops only a part: ports, else pods; nothing where it stops all or none."""
    legs = trial.judgements
    if isinstance(legs, Unread):
        return ()
    stopped = [leg for leg in legs if leg.sides.blocking]
    passing = [leg for leg in legs if not leg.sides.blocking]
    if not stopped or not passing:
        return ()
    ports = {port_in_words(leg) for leg in passing} - {port_in_words(leg) for leg in stopped}
    pods = {str(leg.destination) for leg in passing} - {str(leg.destination) for leg in stopped}
    pods |= {str(leg.source) for leg in passing} - {str(leg.source) for leg in stopped}
    return tuple(sorted(ports or pods))[:MOST_PASSING]


def _blocked(
    values: dict[str, str],
    observation: Observation,
    findings: tuple[Finding, ...],
    change: PolicyChange | None,
    passing: tuple[str, ...],
) -> Sentence:
    blockers = [finding for finding in findings if finding.blocking and finding.outcome is Outcome.PROBLEM]
    first = _inside(blockers[0].sentence)
    more = len(blockers) - 1
    others = f", and {more} more blocker{'s' if more > 1 else ''}" if more else ""
    if passing:
        values = {**values, "q_passing": ", ".join(passing)}
        others += "; {q_passing} would pass"
    template = f"{{q_source}} cannot reach {{q_destination}}{{q_on}}: {first.template}{others}"
    all_values = {**first.values, **values}
    hops = {blocker.hop for blocker in blockers}
    if hops == {Hop.DNS} and observation.observed is Observed.FORWARDED:
        return Sentence(f"{template}; by address packets pass", all_values)
    if observation.observed in (Observed.FORWARDED, Observed.AUDITED) and blockers[0].hop not in _AFTER_POLICY:
        return _should_be_blocked(first, others, all_values, observation, findings, change)
    return Sentence(template, all_values)


def _should_be_blocked(
    first: Sentence,
    others: str,
    values: Mapping[str, Value],
    observation: Observation,
    findings: tuple[Finding, ...],
    change: PolicyChange | None,
) -> Sentence:
    """Blocked by the book, yet it passes: older than a change, audit mode, not realised, or our mistake."""
    if observation.observed is Observed.AUDITED:
        why = "it passes only because policy audit mode is on"
    elif change and observation.at and change.at > observation.at:
        values = {**values, "q_policy": change.policy}
        why = "packets passed until {q_policy} was changed"
    elif realised := next((finding for finding in findings if finding.code == "POLICY_NOT_REALIZED"), None):
        values = {**values, **realised.sentence.values}
        why = f"yet it passes: {_inside(realised.sentence).template}"
    else:
        why = "it passes all the same ({q_seen}): the datapath has not converged, or this judgement is wrong"
    return Sentence(
        f"{{q_source}} should not reach {{q_destination}}{{q_on}}: {first.template}{others}; {why}",
        values,
    )


def _open(
    values: dict[str, str],
    observation: Observation,
    findings: tuple[Finding, ...],
    change: PolicyChange | None,
) -> Sentence:
    subject = "{q_source} can reach {q_destination}{q_on}"
    doubts = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    match observation.observed:
        case Observed.FORWARDED | Observed.AUDITED if doubts:
            worst = _inside(doubts[0].sentence)
            return Sentence(f"{subject}, but {worst.template}", {**worst.values, **values})
        case Observed.FORWARDED | Observed.AUDITED:
            return Sentence(f"{subject}: {{q_seen}}", values)
        case Observed.DROPPED:
            if change and observation.at and change.at > observation.at and observation.is_by_policy:
                return Sentence(
                    f"{subject} now: the drops seen are older than the last change of {{q_policy}}; {{q_seen}}",
                    {**values, "q_policy": change.policy},
                )
            return Sentence(
                "{q_source} does not reach {q_destination}{q_on}, and no policy is to blame: {q_seen}", values
            )
        case Observed.NOTHING:
            return Sentence(
                f"Nothing checked stops {subject.replace(' can reach ', ' from reaching ')}; {{q_seen}}", values
            )
        case Observed.NO_DATA:
            return Sentence(
                f"Nothing checked stops {subject.replace(' can reach ', ' from reaching ')}, but {{q_seen}}", values
            )


def _unknown(values: dict[str, str], observation: Observation, findings: tuple[Finding, ...]) -> Sentence:
    doubts = [
        finding for finding in findings if finding.blocking and finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)
    ]
    doubt = _inside(doubts[0].sentence)
    all_values = {**doubt.values, **values}
    match observation.observed:
        case Observed.FORWARDED | Observed.AUDITED:
            start = "{q_source} was seen reaching {q_destination}{q_on} ({q_seen}), yet policy cannot be told"
        case Observed.DROPPED:
            start = "{q_source} does not reach {q_destination}{q_on} ({q_seen}); the cause cannot be told"
        case _:
            start = "Cannot tell whether {q_source} reaches {q_destination}{q_on}"
    return Sentence(f"{start}: {doubt.template}", all_values)


def _on(connection: Connection) -> str:
    if connection.protocol and connection.protocol.is_icmp:
        return " by ping"
    if connection.port is not None:
        return f" on {connection.port}/{connection.protocol or 'TCP'}"
    return ""


def _short(title: str) -> str:
    """Return a title without its kind where the kind says nothing new."""
    return title.removeprefix("pod ")


def _inside(sentence: Sentence) -> Sentence:
    """Return a sentence that stands behind a colon: its own first word loses the capital letter."""
    template = sentence.template
    if template[:1].isupper() and template[1:2].islower():
        template = template[0].lower() + template[1:]
    return Sentence(template, sentence.values)
