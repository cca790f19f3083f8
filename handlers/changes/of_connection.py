"""The change that came before what stops a connection, of objects that were read to judge it: no more is read."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from handlers.changes.onset import Onset, onset_of
from handlers.changes.suspect_words import suspect_in_words
from handlers.changes.suspects import suspects_of
from handlers.connection.change_words import change_in_words
from handlers.connection.drop_causes import owners_of
from handlers.connection.drop_groups import drop_groups
from handlers.connection.observation import Observation
from handlers.connection.seen import both_ways
from handlers.connection.trial import Trial
from handlers.model.change import Change, newest
from handlers.model.facts import Facts, Lacking
from handlers.model.finding import Finding, Sentence
from handlers.model.parts import Part
from handlers.model.report import Observed
from handlers.model.snapshot import Known

LONGEST_AGO = timedelta(hours=24)
"""An older change is hardly news."""
_FIRST_DROP = "the first drop seen"


def change_behind(trial: Trial, observation: Observation, blockers: Iterable[Finding]) -> Sentence | None:
    """Return who changed what before the drops began, or last changed what stops it where nothing was seen to drop.

    None where nothing that touches it changed lately, as far as the objects tell.
    """
    if observation.observed is Observed.DROPPED and observation.is_by_policy:
        onset = _onset(trial)
        if onset is None:
            return None
        suspects = suspects_of(onset, _of_objects(trial.facts), onset.at - LONGEST_AGO, trial.facts)
        return suspect_in_words(suspects[0], onset, _FIRST_DROP) if suspects else None
    return _of_blocker(trial.facts, blockers)


def _of_blocker(facts: Facts, blockers: Iterable[Finding]) -> Sentence | None:
    refs = {one.ref for finding in blockers for one in finding.evidence if one.source == "kubernetes"}
    touching = (change for change in _of_objects(facts) if change.ref in refs)
    # A Service that is new stops nobody; a policy that is new does.
    last = newest(change for change in touching if not (change.is_creation and change.kind == "Service"))
    return change_in_words(last) if last and facts.now - last.at <= LONGEST_AGO else None


def _onset(trial: Trial) -> Onset | None:
    """Return when the largest group of these drops began."""
    look, stretches = trial.facts.look(Part.FLOWS), trial.stretches
    if not isinstance(look, Known) or isinstance(stretches, Lacking):
        return None
    flows = [flow for stretch in stretches for flow in both_ways(stretch, look.value.flows)[0]]
    owners = owners_of(trial.facts)
    dropped = [group for group in drop_groups(flows, owners) if not group.is_audit]
    return onset_of(dropped[0], flows, owners) if dropped else None


def _of_objects(facts: Facts) -> Iterator[Change]:
    policies, pods, services = facts.look(Part.POLICIES), facts.look(Part.PODS), facts.look(Part.SERVICES)
    for policy in policies.value if isinstance(policies, Known) else ():
        yield from policy.changes
    for pod in pods.value if isinstance(pods, Known) else ():
        yield from pod.changes
    for service in services.value if isinstance(services, Known) else ():
        yield from service.changes
