"""What policy demands is in force at both endpoints.

A policy that is valid is not yet enforced: an endpoint that regenerates keeps the policy it had before, for ever where
it waits for something that never comes, such as an Envoy proxy that does not run.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from handlers.connection.judgement import Judged
from handlers.connection.legs import LEG_PARTS, likeness
from handlers.connection.observation import clock
from handlers.connection.places import Place
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS, policies_of
from handlers.connection.policy_findings import distinct
from handlers.connection.realized import not_realized
from handlers.connection.seen import is_at
from handlers.connection.trial import Trial
from handlers.model.decision import Decision, Verdict
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.flow import EventType, Flow, FlowVerdict
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.rule import Direction, PolicyRef, Rule
from handlers.model.snapshot import Known
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.policy.pods import agent_endpoint_of_pod, endpoint_of_pod
from handlers.probes.probe import probe

POLICY_NOT_REALIZED = code(
    "POLICY_NOT_REALIZED",
    meaning="The endpoint does not enforce the policies of now: it is not ready, behind, or reports no enforcement.",
    template="{endpoint} still enforces the policy that it had before {policies} ({state})",
    reason="{endpoint} still enforces the policy from before {names}",
    advice="Look at the endpoint in the agent's log; a policy with L7 rules needs the Envoy proxy on that node.",
)
MOST_ENDPOINTS = 60
"""Endpoints of one kind whose state is compared."""
MATCH_ALL = 4
"""The match type of an entry for every peer and port."""

POLICY_REALIZED = code(
    "POLICY_REALIZED",
    meaning="The agents report the endpoints ready, with the enforcement that policy demands.",
    template="{endpoint} is ready and enforces policy",
)


@probe(
    answers=(AboutConnection,),
    codes=(POLICY_NOT_REALIZED, POLICY_REALIZED),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, *LEG_PARTS),
    hop=Hop.AGENTS,
)
def policy_is_realized(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Compare what each endpoint ought to enforce with what its agent says."""
    trial = Trial(question.connection, facts)
    found = []
    stretches = needed(trial.stretches)
    sources = {place.title: place for part in stretches for place in part.sources}
    destinations = {place.title: place for part in stretches for place in part.destinations}
    for leg in needed(trial.judgements):
        found += [_judge(place, leg.sides.egress, leg, facts) for place in _alike(leg.leg.source, sources, facts)]
        found += [
            _judge(place, leg.sides.ingress, leg, facts) for place in _alike(leg.leg.destination, destinations, facts)
        ]
    yield from distinct(finding for finding in found if finding)


def _alike(place: Place, places: dict[str, Place], facts: Facts) -> list[Place]:
    """Return the places for which this one was judged: each has a datapath of its own."""
    mine = likeness(place, facts)
    return [other for other in places.values() if likeness(other, facts) == mine][:MOST_ENDPOINTS]


def _judge(place: Place, decision: Decision, leg: Judged, facts: Facts) -> Finding | None:
    if place.pod is None or not decision.enforced:
        return None
    agent = agent_endpoint_of_pod(place.pod, facts)
    published = endpoint_of_pod(place.pod, facts)
    state = agent.state if agent else published.state if published else None
    trouble = not_realized(agent, state, decision.direction) or _seen_otherwise(leg, decision, facts)
    if trouble:
        policies = policies_of(facts)
        party = leg.source if decision.direction is Direction.EGRESS else leg.destination
        selecting = policies.rules_selecting(party, decision.direction)
        # The rules with a proxy are named first: they are what an endpoint waits for.
        ordered = sorted(selecting, key=lambda rule: not rule.l7)
        return POLICY_NOT_REALIZED.finding(
            Outcome.PROBLEM,
            hop=Hop.AGENTS,
            evidence=[
                *(Evidence("kubernetes", str(rule.origin.policy), _l7_pointer(rule)) for rule in ordered),
                Evidence("agent" if agent else "kubernetes", f"CiliumEndpoint/{place.pod}", "/status/state"),
            ],
            endpoint=place.title,
            policies=tuple(dict.fromkeys(f"{rule.origin.policy.kind} {rule.origin.policy.short}" for rule in ordered)),
            names=tuple(dict.fromkeys(rule.origin.policy.name for rule in ordered))[:1],
            state=trouble,
        )
    if agent:
        return POLICY_REALIZED.finding(
            Outcome.FINE,
            hop=Hop.AGENTS,
            evidence=[Evidence("agent", f"CiliumEndpoint/{place.pod}", "/status/state")],
            endpoint=place.title,
        )
    return None


def _l7_pointer(rule: Rule) -> str:
    for entry in rule.ports:
        if entry.l7:
            return f"{entry.pointer}/rules/{entry.l7.parser}"
    return rule.origin.pointer


def _seen_otherwise(leg: Judged, decision: Decision, facts: Facts) -> str | None:
    """Return what flows show against the decision: a verdict event that only a datapath without these policies gives.

    Hubble's verdict for a redirect is REDIRECTED, and a packet that matched an entry for everybody (match type 4:
    Cilium, pkg/monitor/api/types.go:434-454) was under no default deny.
    """
    look = facts.look(Part.FLOWS)
    if not isinstance(look, Known):
        return None
    flows: tuple[Flow, ...] = look.value.flows
    since = max(filter(None, map(_change_time(facts), decision.selected_by)), default=None)
    newest = max(
        (flow for flow in flows if _is_verdict(flow, leg, decision.direction) and since and flow.time > since),
        key=lambda flow: flow.time,
        default=None,
    )
    if newest is None or newest.verdict is not FlowVerdict.FORWARDED or newest.allowed_by:
        return None
    is_denied = decision.verdict is Verdict.DENIED and not decision.audited
    if (is_denied and newest.policy_match_type == MATCH_ALL) or decision.redirect is not None:
        return f"Hubble shows packets allowed as under no policy, last at {clock(newest.time)}"
    return None


def _change_time(facts: Facts) -> Callable[[PolicyRef], datetime | None]:
    changed = {policy.ref: policy.changed_at for policy in facts.policies}
    return lambda policy: changed.get(str(policy))


def _is_verdict(flow: Flow, leg: Judged, direction: Direction) -> bool:
    return (
        flow.event_type == EventType.POLICY_VERDICT
        and flow.direction == str(direction).upper()
        and is_at(flow.source, leg.leg.source)
        and is_at(flow.destination, leg.leg.destination)
        and flow.destination.port == leg.traffic.port
    )
