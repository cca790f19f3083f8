"""What ``why`` makes of its findings: one line for a tired person, from what ought to be and what was seen."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product

from handlers.changes.of_connection import change_behind
from handlers.commands.command import Conclusion
from handlers.connection.carriers import identity_notes
from handlers.connection.corrections import corrections_of
from handlers.connection.ends import Ends
from handlers.connection.observation import Observation
from handlers.connection.patches import Remedy, remedy_of
from handlers.connection.policies import PolicyChange, config_assumption
from handlers.connection.policy_findings import port_in_words
from handlers.connection.standing import standing_of
from handlers.connection.trial import Trial
from handlers.model.connection import Connection
from handlers.model.endpoint import EndpointName
from handlers.model.facts import Facts, Lacking
from handlers.model.finding import Finding, Hop, Outcome, Sentence, Value, prose
from handlers.model.headline import CANNOT_TELL, Headline, Pair
from handlers.model.question import AboutConnection
from handlers.model.report import Expected, Observed, expected_of
from handlers.names.grammar import end_of
from handlers.names.resolve import Meaning, Resolved
from handlers.names.spelling import MOST

MOST_PASSING = 4
"""Ports or pods named that pass where others are stopped."""
_CANNOT_REACH = Sentence("{source} cannot reach {destination}{on}")
_SHOULD_NOT_REACH = Sentence("{source} should not reach {destination}{on}")
_CAN_REACH = Sentence("{source} can reach {destination}{on}")
_CAN_REACH_NOW = Sentence("{source} can reach {destination}{on} now")
_IS_REFUSED = Sentence("{source} is refused by {destination}{on}")
_GETS_NO_ANSWER = Sentence("{source} gets no answer from {destination}{on}")
_IS_NOT_STOPPED_BY_POLICY = Sentence("{source} does not reach {destination}{on}, and no policy is to blame")
_NOTHING_STOPS = Sentence("Nothing checked stops {source} from reaching {destination}{on}")
_WAS_SEEN_REACHING = Sentence("{source} was seen reaching {destination}{on}")
_DOES_NOT_REACH = Sentence("{source} does not reach {destination}{on}")
_MAY_REACH = Sentence("whether {source} reaches {destination}{on}", lead=CANNOT_TELL)
"""Every claim about a connection; source, destination and port are set in at the end."""
_OF_APPLICATION = {"NOTHING_LISTENS": (_IS_REFUSED, "Refused"), "NO_ANSWER": (_GETS_NO_ANSWER, "No answer")}
"""What the application does to packets that reached it: claim and status."""
_IF_MEANT = (
    "If it is meant to pass, allow it before audit mode is turned off; if it is not, leave the policies as they are."
)
_WHILE_AUDITED = f"audit mode lets it pass. {_IF_MEANT}"
_NAMES_FAIL = "Names fail"
"""Status where packets to a known address pass, and nobody tells the address any more."""
_OF_POLICY = (Hop.EGRESS_POLICY, Hop.INGRESS_POLICY)
"""Hops at which packets that pass contradict the judgement; at any other they may be older, or an answer came late."""


def conclude(question: AboutConnection, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Return the headline, both judgements, and who the identities are."""
    unresolved = [finding for finding in findings if finding.hop is Hop.RESOLVE and finding.outcome is Outcome.UNKNOWN]
    trial = Trial(question.connection, facts)
    ends = trial.ends
    if unresolved or isinstance(ends, Lacking) or not ends.are_clear:
        return _unclear(question, unresolved, ends)
    observation = _observation(trial, findings)
    expected = expected_of(findings)
    remedy = _remedy(trial, expected, observation)
    return Conclusion(
        headline=_headline(trial, ends, expected, observation, findings),
        expected=expected,
        observed=observation.observed,
        identities=identity_notes(trial.legs, facts),
        patches=remedy.patches,
        patch_notes=remedy.notes,
        notes=tuple(note for note in (ends.source.note, ends.destination.note) if note),
        standing=standing_of(trial),
    )


def _remedy(trial: Trial, expected: Expected, observation: Observation) -> Remedy:
    if expected is not Expected.BLOCKED:
        return Remedy()
    if observation.observed is Observed.AUDITED:
        return Remedy(notes=(f"No patch: {_WHILE_AUDITED}",))
    remedy, corrections = remedy_of(trial), corrections_of(trial)
    return Remedy((*remedy.patches, *corrections.patches), (*remedy.notes, *corrections.notes))


def _unclear(question: AboutConnection, unresolved: list[Finding], ends: Ends | Lacking) -> Conclusion:
    first = next(iter(unresolved), None)
    headline = Headline(
        first.sentence if first else Sentence("what the names mean", lead=CANNOT_TELL),
        place=Hop.RESOLVE,
        seen="flows were not looked at, since it is not clear whose",
        remedy=first.advice if first else "",
    )
    return Conclusion(
        headline=headline,
        expected=Expected.UNKNOWN,
        observed=Observed.NO_DATA,
        candidates=() if isinstance(ends, Lacking) else tuple(islice(_candidates(question, ends), MOST)),
    )


def _candidates(question: AboutConnection, ends: Ends) -> Iterator[str]:
    """Yield the questions that mend every name at once: with two typos neither name alone would help."""
    connection = question.connection
    sources, destinations = _meant(connection.source, ends.source), _meant(connection.destination, ends.destination)
    pairs = sorted(product(enumerate(sources), enumerate(destinations)), key=lambda pair: pair[0][0] + pair[1][0])
    for (_, source), (_, destination) in pairs:
        if source != destination:
            yield str(replace(question, connection=replace(connection, source=source, destination=destination)))


def _meant(asked: EndpointName, end: Resolved) -> list[EndpointName]:
    """Return the names that may be meant by a name; itself where it is clear."""
    if end.obstacle is None:
        return [asked]
    return [name for candidate in end.candidates if (name := end_of(candidate))]


def _observation(trial: Trial, findings: tuple[Finding, ...]) -> Observation:
    """Look at the connection itself; at its DNS look-up where nothing but that is in the way."""
    observation, lookup = trial.observation, trial.observed_lookup
    blocked_at = {finding.hop for finding in findings if finding.blocking and finding.outcome is Outcome.PROBLEM}
    is_lookup = blocked_at == {Hop.DNS} or (Hop.DNS in blocked_at and observation.observed is Observed.NOTHING)
    if is_lookup and isinstance(lookup, Observation) and lookup.observed is Observed.DROPPED:
        return lookup
    return observation


def _headline(
    trial: Trial, ends: Ends, expected: Expected, observation: Observation, findings: tuple[Finding, ...]
) -> Headline:
    match expected:
        case Expected.BLOCKED:
            headline = _blocked(trial, observation, findings)
        case _ if refusal := _refusal(findings):
            headline = refusal
        case Expected.OPEN:
            headline = _open(trial, observation, findings)
        case Expected.UNKNOWN:
            headline = _unknown(observation, findings)
    if expected is Expected.BLOCKED:
        changed = change_behind(trial, observation, (one for one in findings if one.because is headline.reason))
        headline = replace(headline, changed=changed)
    source, destination = _short(ends.source), _short(ends.destination)
    values = {"source": source, "destination": destination, "on": _on(trial.connection)}
    return replace(
        headline,
        claim=replace(headline.claim, values=values),
        pair=_pair(ends, _port(trial.connection)),
        seen=observation.detail,
    )


def _because(claim: Sentence, finding: Finding) -> Headline:
    """Return a claim with the finding that decides it."""
    mechanism = finding.whole if finding.reason else finding.detail
    return Headline(claim, place=finding.hop, reason=finding.because, mechanism=mechanism, remedy=finding.advice)


def _blocked(trial: Trial, observation: Observation, findings: tuple[Finding, ...]) -> Headline:
    blockers = [finding for finding in findings if finding.blocking and finding.outcome is Outcome.PROBLEM]
    ends = trial.ends
    # On the way through an Ingress or a Gateway what passes is another stretch of the same way.
    is_in_stages = not isinstance(ends, Lacking) and bool(ends.destination.entrances)
    more = () if is_in_stages else tuple(_passing(trial))
    headline = replace(_because(_CANNOT_REACH, blockers[0]), others=len(blockers) - 1, more=more)
    if {blocker.hop for blocker in blockers} == {Hop.DNS} and observation.observed is Observed.FORWARDED:
        return replace(headline, more=(*headline.more, prose("by address packets pass")))
    if observation.observed in (Observed.FORWARDED, Observed.AUDITED) and blockers[0].hop in _OF_POLICY:
        why = _why_it_passes(trial, observation, findings)
        remedy = _IF_MEANT if observation.observed is Observed.AUDITED else headline.remedy
        return replace(headline, claim=_SHOULD_NOT_REACH, remedy=remedy, more=(*headline.more, why))
    return headline


def _refusal(findings: tuple[Finding, ...]) -> Headline | None:
    """Return what the application does to packets that reach it, None where it answers or nobody knows."""
    blockers = [finding for finding in findings if finding.blocking and finding.outcome is Outcome.PROBLEM]
    if not blockers or blockers[0].code not in _OF_APPLICATION:
        return None
    claim, status = _OF_APPLICATION[blockers[0].code]
    return replace(_because(claim, blockers[0]), status=status, others=len(blockers) - 1)


def _passing(trial: Trial) -> Iterator[Sentence]:
    """Say what policy lets pass where it stops only a part: ports, else pods; nothing where it stops all or none."""
    legs = trial.judgements
    if isinstance(legs, Lacking):
        return
    stopped = [leg for leg in legs if leg.sides.blocking]
    passing = [leg for leg in legs if not leg.sides.blocking]
    if not stopped:
        return
    ports = {port_in_words(leg) for leg in passing} - {port_in_words(leg) for leg in stopped}
    pods = {str(leg.destination) for leg in passing} - {str(leg.destination) for leg in stopped}
    pods |= {str(leg.source) for leg in passing} - {str(leg.source) for leg in stopped}
    told: dict[str, Value] = {"passing": tuple(sorted(ports or pods))[:MOST_PASSING]}
    if ports:
        yield Sentence("{passing} would pass", told)
    elif pods:
        # Pods of one workload that fare differently have to be told apart.
        names = {str(end) for leg in stopped for end in (leg.source, leg.destination)}
        names -= {str(end) for leg in passing for end in (leg.source, leg.destination)}
        told |= {"stopped": tuple(sorted(names))[:MOST_PASSING], "count": len(names)}
        yield Sentence("{stopped} {count:is|are} stopped, {passing} would pass", told)


def _why_it_passes(trial: Trial, observation: Observation, findings: tuple[Finding, ...]) -> Sentence:
    """Blocked by the book, yet it passes: older than a change, audit mode, not realised, or our mistake."""
    if observation.observed is Observed.AUDITED:
        return prose("it passes only because policy audit mode is on")
    if change := _change_since(observation, trial):
        return Sentence("packets passed until {policy} was changed", {"policy": change.policy})
    if realised := next((finding for finding in findings if finding.code == "POLICY_NOT_REALIZED"), None):
        return Sentence("yet it passes: {reason}", {"reason": realised.because})
    return Sentence(
        "it passes all the same ({seen}): the datapath has not converged, or this judgement is wrong",
        {"seen": observation.detail},
    )


def _change_since(observation: Observation, trial: Trial) -> PolicyChange | None:
    """Return the newest change of a policy that concerns the connection, if what was seen is older than that."""
    change = trial.change
    if change is None or isinstance(change, Lacking) or observation.at is None or change.at <= observation.at:
        return None
    return change


def _open(trial: Trial, observation: Observation, findings: tuple[Finding, ...]) -> Headline:
    doubts = [finding for finding in findings if finding.outcome is Outcome.PROBLEM]
    match observation.observed:
        case Observed.FORWARDED | Observed.AUDITED:
            headline = _because(_CAN_REACH, doubts[0]) if doubts else Headline(_CAN_REACH)
            if doubts and doubts[0].hop is Hop.DNS:
                headline = replace(headline, status=_NAMES_FAIL)
        case Observed.DROPPED:
            change = _change_since(observation, trial)
            headline = Headline(_IS_NOT_STOPPED_BY_POLICY)
            if change and observation.is_by_policy:
                older = "the drops seen are older than the last change of {policy}"
                headline = Headline(_CAN_REACH_NOW, reason=Sentence(older, {"policy": change.policy}))
        case Observed.NOTHING | Observed.NO_DATA:
            headline = Headline(_NOTHING_STOPS)
    return replace(headline, assumed=config_assumption(trial.facts) or "")


def _unknown(observation: Observation, findings: tuple[Finding, ...]) -> Headline:
    doubt = next(
        finding for finding in findings if finding.blocking and finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)
    )
    match observation.observed:
        case Observed.FORWARDED | Observed.AUDITED:
            return _because(_WAS_SEEN_REACHING, doubt)
        case Observed.DROPPED:
            return replace(_because(_DOES_NOT_REACH, doubt), status=_dropped_unexplained(observation))
    return _because(_MAY_REACH, doubt)


def _dropped_unexplained(observation: Observation) -> str:
    """Say what is known of drops whose cause is not: by whom, and on which side."""
    drops = [drop for sight in observation.sights for drop in sight.drops]
    sides = {str(drop.direction).lower() for drop in drops}
    at = f" at {sides.pop()}" if len(sides) == 1 else ""
    if not observation.is_by_policy:
        return f"Dropped{at}"
    unnamed = "" if all(drop.denied_by for drop in drops) else ", which one is unknown"
    return f"Dropped by policy{at}{unnamed}"


def _on(connection: Connection) -> str:
    if connection.protocol and connection.protocol.is_icmp:
        return " by ping"
    return f" on {_port(connection)}" if connection.port is not None else ""


def _port(connection: Connection) -> str:
    if connection.protocol and connection.protocol.is_icmp:
        return "ICMP"
    return f"{connection.port}/{connection.protocol or 'TCP'}" if connection.port is not None else ""


def _short(end: Resolved) -> str:
    """Return a title without its kind where the kind says nothing new."""
    return end.title.removeprefix("pod ").removeprefix("entity ")


def _pair(ends: Ends, port: str) -> Pair:
    """Return both ends by name alone; with their kinds where only those tell them apart."""
    source, destination = _named(ends.source), _named(ends.destination)
    if source == destination:
        source, destination = ends.source.title, ends.destination.title
    return Pair(source, destination, port)


def _named(end: Resolved) -> str:
    is_kind_plain = end.meaning in (Meaning.POD, Meaning.WORKLOAD, Meaning.SERVICE)
    return end.title.partition(" ")[2] or end.title if is_kind_plain else _short(end)
