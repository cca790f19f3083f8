"""How a connection stands now, bounded, for a later answer to be held against."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from handlers.connection.legs import Stretch
from handlers.connection.places import Place
from handlers.connection.seen import sight_of
from handlers.connection.trial import Trial
from handlers.model.change import Change
from handlers.model.facts import Facts, Lacking
from handlers.model.flow import Flow, FlowLog
from handlers.model.parts import Part
from handlers.model.report import Observed
from handlers.model.snapshot import Known
from handlers.model.standing import Standing, Way
from handlers.model.traffic import Protocol

MOST_CHANGES = 40
MOST_POLICIES = 500
MOST_PODS = 100
MOST_WAYS = 16


def standing_of(trial: Trial) -> Standing:
    """Return how the connection stands; what was not read is left empty, and ``is_whole`` tells it of policies."""
    facts, stretches = trial.facts, trial.stretches
    parts = () if isinstance(stretches, Lacking) else stretches
    places = [place for part in parts for place in (*part.sources, *part.destinations)]
    look = facts.look(Part.POLICIES)
    policies = sorted(policy.ref for policy in look.value) if isinstance(look, Known) else []
    observation = trial.observation
    sights = observation.sights
    passed = [sight.passed_at for sight in sights]
    passed += [observation.at] if observation.observed is Observed.FORWARDED else []
    pods = sorted({f"{place.pod.namespace}/{place.pod.name}" for place in places if place.pod})
    return Standing(
        passed_at=max(filter(None, passed), default=None),
        ways=tuple(islice(_ways(trial, parts, max(filter(None, passed), default=None)), MOST_WAYS)),
        dropped_at=max(filter(None, (sight.dropped_at for sight in sights)), default=None),
        selecting=_selecting(trial),
        policies=tuple(policies[:MOST_POLICIES]),
        is_whole=isinstance(look, Known) and len(policies) <= MOST_POLICIES,
        changes=_newest(_changes(places, {part.service for part in parts}, facts)),
        pods=tuple(pods[:MOST_PODS]),
        unheard=_unheard(places, facts),
    )


def _ways(trial: Trial, stretches: Sequence[Stretch], passed: datetime | None) -> Iterator[Way]:
    """Yield each way: workloads, not pods, for pods come and go."""
    look, legs = trial.facts.look(Part.FLOWS), trial.judgements
    flows: tuple[Flow, ...] = look.value.flows if isinstance(look, Known) else ()
    blocked = {
        (_name(leg.leg.source), _name(leg.leg.destination), _port(leg.leg.protocol, leg.leg.port))
        for leg in (() if isinstance(legs, Lacking) else legs)
        if leg.sides.blocking
    }
    parts = [
        (source, destination, stretch)
        for stretch in stretches
        for source in dict.fromkeys(map(_name, stretch.sources))
        for destination in dict.fromkeys(map(_name, stretch.destinations))
    ]
    for source, destination, stretch in parts:
        key = (source, destination, _port(stretch.protocol, stretch.port))
        seen = passed if len(parts) == 1 else sight_of(_limited(stretch, source, destination), flows).passed_at
        yield Way(*key, key in blocked, seen)


def _limited(stretch: Stretch, source: str, destination: str) -> Stretch:
    destinations = tuple(place for place in stretch.destinations if _name(place) == destination)
    return replace(
        stretch,
        sources=tuple(place for place in stretch.sources if _name(place) == source),
        destinations=destinations,
        # What is seen at the Service's own address may be of any backend.
        service_ips=stretch.service_ips if len(destinations) == len(stretch.destinations) else (),
    )


def _name(place: Place) -> str:
    owner = place.pod.owner if place.pod else None
    return f"{place.pod.namespace}/{owner.name}" if place.pod and owner else place.title


def _port(protocol: Protocol, port: int | None) -> str:
    return f"{port or 'any'}/{protocol}"


def _selecting(trial: Trial) -> tuple[str, ...]:
    legs = trial.judgements
    found = () if isinstance(legs, Lacking) else (str(policy) for leg in legs for policy in leg.selected_by)
    return tuple(sorted(set(found)))[:MOST_POLICIES]


def _changes(places: Iterable[Place], services: set[str], facts: Facts) -> Iterator[Change]:
    policies, known = facts.look(Part.POLICIES), facts.look(Part.SERVICES)
    for policy in policies.value if isinstance(policies, Known) else ():
        yield from policy.changes
    for place in places:
        yield from place.pod.changes if place.pod else ()
    for service in known.value if isinstance(known, Known) else ():
        if f"{service.namespace}/{service.name}" in services:
            yield from service.changes


def _newest(changes: Iterable[Change]) -> tuple[Change, ...]:
    told = {change for change in changes if change.is_own_will and change.is_of_substance}
    return tuple(sorted(told, key=lambda one: (-one.at.timestamp(), one.ref, one.manager))[:MOST_CHANGES])


def _unheard(places: Iterable[Place], facts: Facts) -> tuple[str, ...]:
    look = facts.look(Part.FLOWS)
    log: FlowLog | None = look.value if isinstance(look, Known) else None
    heard = log.heard if log else frozenset()
    return tuple(sorted({place.node for place in places if place.node} - heard))
