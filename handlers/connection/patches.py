"""Patches for a connection: what the blocked sides need, proven over the identities of the whole cluster."""

from collections.abc import Iterator
from dataclasses import dataclass

from handlers.connection.dns import name_looked_up
from handlers.connection.judgement import Judged
from handlers.connection.policies import in_force, policies_in
from handlers.connection.trial import Trial
from handlers.model.cluster import CiliumEndpoint, CiliumIdentity, PolicyObject
from handlers.model.decision import Reason
from handlers.model.facts import Facts, Lacking, attempt, needed
from handlers.model.labels import LabelSet
from handlers.model.parts import Part
from handlers.model.party import NamedPort, Party
from handlers.model.report import Patch
from handlers.model.snapshot import AnyPart, Known
from handlers.patch import DnsSide, Proposal, propose
from handlers.policy.parties import named_ports, party_of_labels
from handlers.policy.policy_set import PolicySet
from handlers.reach.cluster import ClusterPod
from handlers.reach.ends import PodEnds

PATCH_PARTS: tuple[AnyPart, ...] = (Part.ALL_POLICIES, Part.IDENTITIES)
"""Parts that only the reach of a patch needs."""
MOST_PROPOSALS = 2
"""Distinct blocked flows for which patches are worked out; a question rarely has more."""
MOST_FOR_A_DENY = 1_000
"""Identities over which the reach of a deny rule is worked out."""
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
    facts = trial.facts
    policies, manifests = _policies(facts)
    proposals = [
        proposal
        for blocked, dns in _blocked(trial)
        for proposal in [_propose(blocked, dns, policies, manifests, facts)]
    ]
    patches = {patch.json_patch or patch.manifest: patch for proposal in proposals for patch in proposal.patches}
    notes = [denial.text for proposal in proposals for denial in proposal.denials]
    notes += [f"No patch: {reason}." for proposal in proposals for reason in proposal.declined]
    return Remedy(tuple(patches.values()), tuple(dict.fromkeys(notes)))


def _policies(facts: Facts) -> tuple[PolicySet, list[PolicyObject]]:
    """Return the policies of the whole cluster where they were read, else those in reach."""
    look = facts.look(Part.ALL_POLICIES)
    objects: tuple[PolicyObject, ...] = look.value if isinstance(look, Known) else facts.policies
    return policies_in(objects, facts), in_force(objects)


def _blocked(trial: Trial) -> Iterator[tuple[Judged, DnsSide | None]]:
    ends, lookups = needed(trial.ends), needed(trial.lookups)
    name = name_looked_up(ends)
    dns = DnsSide(name, tuple(leg.destination for leg in lookups)) if name and not ends.destination.service else None
    found = [leg for leg in needed(trial.judgements) if leg.sides.blocking]
    yield from ((leg, dns) for leg in found[:MOST_PROPOSALS])
    if not found:
        # The path is open and its name cannot be looked up: open the look-up.
        yield from ((leg, None) for leg in [leg for leg in lookups if leg.sides.blocking][:1])


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
