"""From a blocked flow to patches: the smallest proven edit of each blocked side, proven together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product

from handlers.model.decision import BothSides, Decision, Reason, Verdict
from handlers.model.party import Party, PartyKind
from handlers.model.report import AlsoOpens, Patch
from handlers.model.rule import Direction, PeerKind, PolicyRef
from handlers.model.traffic import Traffic
from handlers.patch.also_opens import (
    OpenedFlow,
    also_opens,
    besides,
    opened_flows,
    requests_in_words,
    requests_listed,
)
from handlers.patch.blocked_side import BlockedSide
from handlers.patch.choose import Choice, choices, difference_of, edits_of
from handlers.patch.deny import DenyExplanation, explain_deny
from handlers.patch.dns import DnsSide, dns_side, learns, with_learning
from handlers.patch.edits import Edit, applied, guard
from handlers.patch.manifest import (
    APPLY_COMMAND,
    clean,
    json_text,
    patch_command,
    reference_of,
    to_yaml,
)
from handlers.patch.peers import Writer
from handlers.patch.proof import Proof, Question, opens, prove
from handlers.patch.scene import Compared, Scene
from handlers.policy.policy_set import PolicySet
from handlers.reach.access import Widening
from handlers.reach.bits import members
from handlers.reach.ends import PodEnds
from handlers.reach.roster import as_seen_by

_MOST_COMBINATIONS = 8
_MOST_CHOICES = 4
_MOST_NAMED_EDITS = 6
NOT_BLOCKED = "policy does not block the flow"
_NOT_READ = "the identities in use were not read"


@dataclass(frozen=True, slots=True)
class Opening:
    """Everything that the patches open together, besides the asked flow, in a form to check it by."""

    compared: Compared
    flows: tuple[OpenedFlow, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What can be done about a blocked flow.

    ``patches`` belong together: applied all, they open the flow; ``manifests`` are the objects they make, in the same
    order. ``denials`` explain deny rules in the way. ``declined`` says why there is no patch, where there is none.
    """

    patches: tuple[Patch, ...] = ()
    denials: tuple[DenyExplanation, ...] = ()
    declined: tuple[str, ...] = ()
    manifests: tuple[Mapping[str, object], ...] = ()
    opening: Opening | None = None


def propose(
    policies: PolicySet,
    manifests: Sequence[Mapping[str, object]],
    sides: BothSides,
    source: Party,
    destination: Party,
    traffic: Traffic,
    *,
    known: PodEnds | None,
    dns: DnsSide | None = None,
) -> Proposal:
    """Propose patches for a blocked flow, or say why there are none.

    ``manifests`` are the live objects that ``policies`` was compiled from, ``sides`` its decision on the flow.
    ``known`` are the identities in use with the pods that carry them; None means that they were not read: then patches
    are proven for the asked flow only. ``dns`` tells how the source looks up the name by which it asks for an outside
    address.

    Never raises for what is inside manifests; what cannot be shown is not edited.
    """
    scene = Scene(PodEnds(()) if known is None else known, policies, source, destination)
    names = _names(policies, source, destination, dns)
    question = Question(policies, source, destination, traffic, scene, known is not None, names, dns)
    writer = Writer(scene.pods, policies.config, complete=known is not None)
    objects = _by_reference(manifests)
    by_name = dns is not None and destination.kind is PartyKind.OUTSIDE
    is_learnt = dns is not None and by_name and learns(policies, source, dns)
    if is_learnt:
        sides = policies.combine(source, as_seen_by(policies, destination, names), traffic)
    refused = _refused(question, sides)
    if refused is not None:
        return refused
    if traffic.port == 0 and not traffic.protocol.is_icmp:
        return Proposal(declined=("port 0 is no port that traffic is sent to",))
    blocking = {decision.direction: decision for decision in sides.blocking}
    lookup = dns_side(policies, objects, source, dns, writer) if dns and by_name and not is_learnt else None
    if lookup is not None and Direction.EGRESS not in blocking:
        blocking[Direction.EGRESS] = sides.egress
    is_open = sides.verdict is Verdict.ALLOWED
    if not blocking or (is_open and (lookup is None or lookup.decision.passes)):
        return Proposal(declined=(NOT_BLOCKED,))
    blocked = [
        BlockedSide(policies, objects, decision, writer, names if direction is Direction.EGRESS else ())
        for direction, decision in sorted(blocking.items())
    ]
    proposal = Proposal()
    for thorough in (False, True):
        proposal = _attempt(question, blocked, lookup, thorough=thorough)
        if proposal.patches:
            break
    return proposal


def _attempt(
    question: Question,
    blocked: Sequence[BlockedSide],
    lookup: BlockedSide | None,
    *,
    thorough: bool,
) -> Proposal:
    ranked: list[list[Choice]] = []
    for side in blocked:
        candidates: Iterable[tuple[Edit, ...]] = ((edit,) for edit in edits_of(side))
        if side.direction is Direction.EGRESS and lookup is not None and question.dns is not None:
            candidates = _with_look_up(question, side, lookup, question.dns)
        found = choices(question, side, candidates, thorough=thorough)
        if not found:
            return Proposal(declined=(_hopeless(question.policies, side.decision),))
        ranked.append(found[:_MOST_CHOICES])
    return _together(question, blocked[0].manifests, ranked)


def _names(policies: PolicySet, source: Party, destination: Party, dns: DnsSide | None) -> tuple[str, ...]:
    """Give the names by which an outside address may be written.

    Names that were learnt by chance, for others on the node, are no base for a rule: unless the flow is asked by name,
    they count only where the source's policies already allow by name, so that its look-ups are learnt from.
    """
    if destination.kind is not PartyKind.OUTSIDE:
        return ()
    if dns is not None:
        return (dns.name,)
    rules = policies.rules_selecting(source, Direction.EGRESS)
    uses_names = any(peer.kind is PeerKind.FQDN for rule in rules for peer in rule.peers)
    return tuple(destination.fqdn_names or ()) if uses_names else ()


def _by_reference(manifests: Sequence[Mapping[str, object]]) -> dict[PolicyRef, Mapping[str, object]]:
    """Index the objects that can be edited and shown; one that stands twice cannot be told apart."""
    found: dict[PolicyRef, Mapping[str, object]] = {}
    twice: set[PolicyRef] = set()
    for manifest in manifests:
        ref = reference_of(manifest)
        if ref is None:
            continue
        if ref in found:
            twice.add(ref)
        found[ref] = manifest
    return {ref: manifest for ref, manifest in found.items() if ref not in twice}


def _refused(question: Question, sides: BothSides) -> Proposal | None:
    """Say why there can be no patch: nothing is blocked, a deny stands in the way, or a side cannot be judged."""
    if not sides.blocking and question.dns is None:
        return Proposal(declined=(NOT_BLOCKED,))
    denials = [side for side in sides.blocking if side.reason is Reason.EXPLICIT_DENY]
    if denials:
        return Proposal(denials=tuple(explain_deny(question, side) for side in denials))
    reasons = tuple(filter(None, map(_cannot_judge, sides)))
    return Proposal(declined=reasons) if reasons else None


def _cannot_judge(side: Decision) -> str:
    if side.verdict is Verdict.ERROR:
        return f"rules for {side.subject} contradict each other; they have to agree first"
    if side.verdict is Verdict.UNKNOWN:
        missing = ", ".join(str(fact).replace("-", " ") for fact in side.missing)
        return f"{side.direction} of {side.subject} depends on {missing}, which was not read"
    return ""


def _hopeless(policies: PolicySet, decision: Decision) -> str:
    """Say why no edit opens a side, as far as that is known."""
    rules = policies.rules_selecting(decision.subject, decision.direction)
    narrowing = next((rule for rule in rules if rule.requires), None)
    if narrowing is not None:
        place = f"{narrowing.origin.policy.kind} {narrowing.origin.policy.short} at {narrowing.origin.pointer}"
        return f"{place} narrows every rule for {decision.subject} (fromRequires or toRequires); it has to change first"
    return f"no edit could be proven to open {decision.direction} of {decision.subject} and to close nothing"


def _with_look_up(
    question: Question, side: BlockedSide, lookup: BlockedSide, dns: DnsSide
) -> Iterator[tuple[Edit, ...]]:
    """Edits that allow the name and let it be learnt; failing that, those that allow the address."""
    named = as_seen_by(question.policies, question.destination, question.names)
    decision = question.policies.decide(Direction.EGRESS, question.source, named, question.traffic)
    edits = list(edits_of(side)) if side.decision.verdict in (Verdict.DENIED, Verdict.DENIED_L7) else []
    if decision.verdict is Verdict.ALLOWED:
        yield from with_learning(lookup, dns, ())
    else:
        yield from with_learning(lookup, dns, islice((edit for edit in edits if edit.needs_name), _MOST_NAMED_EDITS))
    yield from ((edit,) for edit in edits if not edit.needs_name)


def _together(
    question: Question,
    objects: Mapping[PolicyRef, Mapping[str, object]],
    ranked: Sequence[Sequence[Choice]],
) -> Proposal:
    """Prove the best edits of all sides in combination; falls back to the next best."""
    combinations = sorted(product(*ranked), key=lambda chosen: [choice.rank for choice in chosen])
    for chosen in combinations[:_MOST_COMBINATIONS]:
        edits = _merged(objects, [edit for choice in chosen for edit in choice.edits])
        if edits is None:
            continue
        proof = _already(question, chosen[0]) if len(chosen) == 1 else prove(question, edits)
        if proof is not None:
            return _proposal(question, objects, proof)
    return Proposal(declined=("no edits could be proven to open both sides together",))


def _already(question: Question, choice: Choice) -> Proof | None:
    """A single side was compared whole when it was chosen; what is left is that the other side is open too."""
    if len(choice.edits) != len({edit.policy for edit in choice.edits}):
        return prove(question, choice.edits)
    proof = choice.proof
    names = question.names if any(edit.needs_name for edit in choice.edits) else ()
    source = as_seen_by(proof.policies, question.source)
    destination = as_seen_by(proof.policies, question.destination, names)
    return proof if opens(proof.policies, source, destination, question.traffic, None) else None


def _merged(objects: Mapping[PolicyRef, Mapping[str, object]], edits: Sequence[Edit]) -> tuple[Edit, ...] | None:
    """Join edits of one object into one, the operations of the later ones on top of those before."""
    found: dict[PolicyRef, Edit] = {}
    for edit in edits:
        before = found.get(edit.policy)
        if before is None:
            found[edit.policy] = edit
            continue
        if before.is_new or edit.is_new:
            return None
        manifest: Mapping[str, object] = before.manifest
        operations = list(before.operations)
        for operation in edit.operations:
            one = guard(manifest, str(operation["path"])) if operation["op"] == "test" else operation
            manifest = applied(manifest, (one,))
            operations.append(one)
        title = f"{before.title}; {edit.title}"
        needs_name = before.needs_name or edit.needs_name
        found[edit.policy] = Edit(edit.policy, manifest, tuple(operations), title, needs_name=needs_name)
    return tuple(found.values())


def _proposal(question: Question, objects: Mapping[PolicyRef, Mapping[str, object]], proof: Proof) -> Proposal:
    compared, change = proof.compared, proof.compared.change
    everything = opened_flows(change)
    rest = besides(everything, compared, question.traffic)
    asked = (flow for flow in everything if compared.is_asked(flow.source, flow.destination))
    limits = requests_in_words(flow for flow in asked if flow.ports.holds(question.traffic))
    patches = []
    for edit in proof.edits:
        directions = {rule.direction for rule in change.changed if rule.origin.policy == edit.policy}
        mine = [flow for flow in rest if any(change.touches(one, flow.source, flow.destination) for one in directions)]
        listed = also_opens(change, mine, complete=question.complete)
        patches.append(_patch(question, objects, proof, edit, listed, limits))
    return Proposal(
        patches=tuple(patches),
        manifests=tuple(clean(edit.manifest) for edit in proof.edits),
        opening=Opening(compared, rest),
    )


def _patch(
    question: Question,
    objects: Mapping[PolicyRef, Mapping[str, object]],
    proof: Proof,
    edit: Edit,
    listed: tuple[AlsoOpens, ...],
    limits: tuple[str, ...],
) -> Patch:
    manifest = clean(edit.manifest)
    gap = "" if question.complete else _NOT_READ
    unknowable = (change for change in proof.sides if change.widening is Widening.UNKNOWABLE)
    doubtful = (side for change in unknowable for side in (change.before, change.after))
    missing = sorted({str(fact) for side in doubtful for fact in side.missing})
    if missing and not gap:
        gap = f"{', '.join(one.replace('-', ' ') for one in missing)} were not read"
    return Patch(
        title=edit.title,
        policy=str(edit.policy),
        is_new=edit.is_new,
        manifest=to_yaml(manifest),
        diff=difference_of(objects, edit),
        json_patch="" if edit.is_new else json_text(edit.operations),
        command=APPLY_COMMAND if edit.is_new else patch_command(edit.policy, edit.operations),
        also_opens=listed,
        blast_radius_known=not gap,
        blast_radius_gap=gap,
        checks=tuple(_checks(question, proof, edit, limits)),
    )


def _checks(question: Question, proof: Proof, edit: Edit, limits: tuple[str, ...]) -> Iterator[str]:
    together = " with all patches applied" if len(proof.edits) > 1 else ""
    flow = f"{question.source} to {question.destination} on {question.traffic}"
    yield f"decided again{together}: {flow} is open" + (f" for {requests_listed(limits)}" if limits else "")
    if edit.needs_name:
        yield f"this holds for every address that DNS answers for {', '.join(question.names)}, once it was looked up"
    change = proof.compared.change
    subjects = 0
    for direction in Direction:
        subjects |= change.subjects(direction)
    if question.complete:
        pairs = subjects.bit_count() * len(change.rosters[0].ends)
        yield f"nothing that was open is closed, over {pairs} pairs of identities and every port that policies name"
    else:
        yield f"nothing that was open between the asked ends is closed ({_NOT_READ})"
    waiting = _waiting(proof.compared)
    if waiting:
        pairs_or_pair = "pair" if waiting == 1 else "pairs"
        yield f"the changed rules also fit {waiting} {pairs_or_pair} of identities that their other side still stops"
    yield "valid as the agent judges it"


def _waiting(compared: Compared) -> int:
    """Count the pairs that open on one side while their other side lets nothing through on those ports."""
    change = compared.change
    fitting: set[tuple[int, int]] = set()
    for side in change.sides:
        if side.widening is Widening.OPENED:
            pairs = product(members(side.subjects), members(side.peers))
            fitting.update(pairs if side.direction is Direction.EGRESS else ((peer, one) for one, peer in pairs))
    return len(fitting - {(flow.source, flow.destination) for flow in opened_flows(change)})
