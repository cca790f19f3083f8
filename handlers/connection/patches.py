"""Patches for a connection: what the blocked sides need, proven over the identities of the whole cluster."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from handlers.connection.dns import name_looked_up
from handlers.connection.dropped_packets import would_profit
from handlers.connection.judgement import Judged
from handlers.connection.places import PlaceKind
from handlers.connection.policies import in_force, policies_in
from handlers.connection.trial import Trial
from handlers.model.cluster import CiliumEndpoint, CiliumIdentity, PolicyObject
from handlers.model.decision import Reason
from handlers.model.facts import Facts, Lacking, attempt, needed
from handlers.model.labels import LabelSet
from handlers.model.parts import Part
from handlers.model.party import NamedPort, Party
from handlers.model.report import Patch
from handlers.model.rule import PolicyRef
from handlers.model.snapshot import AnyPart, Known
from handlers.patch import NOT_BLOCKED, DnsSide, Proposal, propose, reference_of, with_changed
from handlers.policy.parties import named_ports, party_of_labels
from handlers.policy.policy_set import PolicySet
from handlers.reach.cluster import ClusterPod
from handlers.reach.ends import PodEnds
from handlers.reach.roster import as_seen_by

PATCH_PARTS: tuple[AnyPart, ...] = (Part.ALL_POLICIES, Part.IDENTITIES)
"""Parts that only the reach of a patch needs."""
MOST_PROPOSALS = 2
"""Distinct blocked flows for which patches are worked out; a question rarely has more."""
MOST_FOR_A_DENY = 1_000
"""Identities over which the reach of a deny rule is worked out."""
MOST_LISTED = 3
"""Flows named that patches leave closed."""
_ON_TOP = "this holds with the patches before it applied"
_REFUSED_NAME = "a DNS rule refuses the name; list it there"
_FIRST_CLUSTER_WIDE, _FIRST_LOCAL = 256, 1 << 24


@dataclass(frozen=True, slots=True)
class Remedy:
    """Patches that open the connection together, and why there is none where there is none."""

    patches: tuple[Patch, ...] = ()
    notes: tuple[str, ...] = ()


def remedy_of(trial: Trial) -> Remedy:
    """Work out patches for everything in policy that blocks the connection; a note tells what is lacking for that."""
    found = attempt(lambda: _remedy(trial))
    if isinstance(found, Lacking):
        return Remedy(notes=(f"No patch: {found.part.in_words} could not be read.",))
    return found


def _remedy(trial: Trial) -> Remedy:
    """Propose for one blocked flow after the other, each on top of the patches before, so that they hold together."""
    facts = trial.facts
    live, objects = _policies(facts)
    policies = live
    patches: list[Patch] = []
    notes: list[str] = []
    blocked = _blocked(trial)
    for leg, dns in blocked[:MOST_PROPOSALS]:
        proposal = _propose(leg, dns, policies, objects, facts)
        notes += [denial.text for denial in proposal.denials]
        notes += [f"No patch: {reason}." for reason in proposal.declined if reason != NOT_BLOCKED]
        changed = _changed(proposal)
        patched, _ = with_changed(policies, changed)
        # Pods that nobody saw trying may need a patch of their own; an identity of an address is what was seen of it.
        is_for_seen = dns is None and (not patches or not _is_of_pods(leg))
        if proposal.patches and is_for_seen and not would_profit(trial, live, policies, patched):
            notes.append(f"No patch: none of the packets seen is {leg.source} to policy, so none would pass with it.")
            continue
        on_top = (_ON_TOP,) if patches else ()
        patches += [replace(patch, checks=(*patch.checks, *on_top)) for patch in proposal.patches]
        policies, objects = patched, _with(objects, changed)
    if patches:
        notes += _still_blocked(blocked, policies)
    if not patches and not notes:
        notes += [f"No patch: {_REFUSED_NAME}." for leg in needed(trial.lookups) if leg.sides.blocking][:1]
    return Remedy(tuple(patches), tuple(dict.fromkeys(notes)))


def _is_of_pods(leg: Judged) -> bool:
    return all(place.kind is PlaceKind.POD for place in (leg.leg.source, leg.leg.destination))


def _changed(proposal: Proposal) -> list[tuple[PolicyRef, Mapping[str, object]]]:
    named = ((reference_of(manifest), manifest) for manifest in proposal.manifests)
    return [(policy, manifest) for policy, manifest in named if policy is not None]


def _with(
    objects: Sequence[PolicyObject], changed: Sequence[tuple[PolicyRef, Mapping[str, object]]]
) -> list[PolicyObject]:
    fresh = {
        str(policy): PolicyObject(policy.kind, policy.namespace, policy.name, new, None) for policy, new in changed
    }
    kept = [fresh.pop(one.ref, one) for one in objects]
    return [*kept, *fresh.values()]


def _still_blocked(blocked: Sequence[tuple[Judged, DnsSide | None]], policies: PolicySet) -> Iterator[str]:
    """Say what patches leave closed: a question without a port, or with many ends, may have more blocked flows."""
    left = [
        f"{leg.source} to {leg.destination} on {leg.traffic}"
        for leg, dns in blocked
        if dns is None
        and policies.combine(
            as_seen_by(policies, leg.source), as_seen_by(policies, leg.destination), leg.traffic
        ).blocking
    ]
    if left:
        yield f"The patches leave closed: {', '.join(left[:MOST_LISTED])}{' and others' * (len(left) > MOST_LISTED)}."


def _policies(facts: Facts) -> tuple[PolicySet, list[PolicyObject]]:
    """Return the policies of the whole cluster where they were read, else those in reach."""
    look = facts.look(Part.ALL_POLICIES)
    objects: tuple[PolicyObject, ...] = look.value if isinstance(look, Known) else facts.policies
    return policies_in(objects, facts), in_force(objects)


def _blocked(trial: Trial) -> Sequence[tuple[Judged, DnsSide | None]]:
    """Return what is blocked: flows, or where none is the look-up of the name."""
    ends, lookups = needed(trial.ends), needed(trial.lookups)
    name = name_looked_up(ends)
    dns = DnsSide(name, tuple(leg.destination for leg in lookups)) if name and not ends.destination.service else None
    found = [leg for leg in needed(trial.judgements) if leg.sides.blocking]
    if found:
        return [(leg, dns) for leg in found]
    return [(leg, None) for leg in lookups if leg.sides.blocking][:1]


def _propose(
    blocked: Judged, dns: DnsSide | None, policies: PolicySet, manifests: list[PolicyObject], facts: Facts
) -> Proposal:
    sides = policies.combine(blocked.source, blocked.destination, blocked.traffic)
    known = known_identities(facts)
    if known and len(known.ends) > MOST_FOR_A_DENY and any(side.reason is Reason.EXPLICIT_DENY for side in sides):
        # What a cluster-wide deny holds back grows with the square of the identities; an answer is due in seconds.
        known = None
    return propose(
        policies,
        [policy.manifest for policy in manifests],
        sides,
        blocked.source,
        blocked.destination,
        blocked.traffic,
        known=known,
        dns=dns,
    )


def known_identities(facts: Facts) -> PodEnds | None:
    """Return every identity in use with its carriers where they are in reach, None where identities were not read.

    Without all policies the reach of a patch cannot be told either, since the other ends' own policies count.
    """
    look = facts.look(Part.IDENTITIES)
    if not isinstance(look, Known) or not isinstance(facts.look(Part.ALL_POLICIES), Known):
        return None
    return facts.once("known identities", lambda: _known(look.value, facts))


def _known(identities: tuple[CiliumIdentity, ...], facts: Facts) -> PodEnds:
    look = facts.look(Part.CILIUM_ENDPOINTS)
    endpoints: tuple[CiliumEndpoint, ...] = look.value if isinstance(look, Known) else ()
    labels = {
        identity.number: LabelSet.parse(identity.labels)
        for identity in identities
        if _FIRST_CLUSTER_WIDE <= identity.number < _FIRST_LOCAL
    }
    ports = {(pod.namespace, pod.name): named_ports(pod.ports) for pod in facts.pods}
    carriers = [
        ClusterPod(one.namespace, one.name, _party(labels[one.identity], one, ports.get((one.namespace, one.name))))
        for one in endpoints
        if one.identity in labels
    ]
    # An identity outlives its pods for a while. Where the endpoints of its namespace were read, nobody carries it.
    read = {endpoint.namespace for endpoint in endpoints}
    carried = {endpoint.identity for endpoint in endpoints}
    out_of_reach = (
        party_of_labels(found, ports=None)
        for number, found in labels.items()
        if number not in carried and found.namespace not in read
    )
    return PodEnds.of_pods(carriers, out_of_reach)


def _party(labels: LabelSet, endpoint: CiliumEndpoint, ports: tuple[NamedPort, ...] | None) -> Party:
    return party_of_labels(labels, name=f"{endpoint.namespace}/{endpoint.name}", ports=ports)
