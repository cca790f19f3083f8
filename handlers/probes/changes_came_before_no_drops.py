"""No packets began to be dropped after something changed.

Drops are held against what touches them: the policies that select their end, the labels of both ends, the Services
before them. A change only came before; it is proven to have begun them where the policies, asked again as things were
before it, let the packets pass.
"""

from collections.abc import Iterator
from dataclasses import replace

from handlers.changes.history import changes_known
from handlers.changes.onset import Onset, onset_of
from handlers.changes.suspect_words import evidence_of_suspect, proof_in_words, suspect_in_words
from handlers.changes.suspects import Suspect, suspects_of
from handlers.commands.changes import Changes
from handlers.commands.since import span_in_words
from handlers.connection.drop_causes import owners_of
from handlers.connection.drop_groups import drop_groups, is_neighbour_noise
from handlers.connection.drop_words import follow_up_of, told
from handlers.connection.observation import clock
from handlers.connection.policies import POLICY_OPTIONAL_PARTS
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, Sentence, code, prose
from handlers.model.flow import FlowDirection
from handlers.model.parts import Part
from handlers.model.snapshot import Known
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

CHANGE_BEGAN_DROPS = code(
    "CHANGE_BEGAN_DROPS",
    meaning=(
        "Packets of one pair passed until something changed, and without that the policies would still let them pass: "
        "a new policy, or other labels of an end."
    ),
    template="{count} × {source} → {destination} on {port} dropped, {began}: {change}",
    advice="Take the change back, or open the why for the clause and a patch.",
    reason="{change}",
)
CHANGE_BEFORE_DROPS = code(
    "CHANGE_BEFORE_DROPS",
    meaning="Packets of one pair are dropped, and something that touches them changed before: no proof.",
    template="{count} × {source} → {destination} on {port} dropped, {began}: {change}",
    advice="Look at that change first; that it came before proves nothing. The why has the clause that denies.",
    reason="{change}",
)
DROPS_WITHOUT_CHANGE = code(
    "DROPS_WITHOUT_CHANGE",
    meaning="Packets of one pair are dropped, and nothing that touches them is known to have changed before.",
    template=(
        "{count} × {source} → {destination} on {port} dropped, {began}: "
        "nothing that touches it is known to have changed in the last {span} before"
    ),
    advice="Look further back (since 24h), and at what was deleted: that leaves no trace in the objects that are left.",
)
CHANGES_OF_WHOM = code(
    "CHANGES_OF_WHOM",
    meaning="The name is that of no namespace.",
    template="There is no namespace {name}",
    advice="Check the spelling.",
)
CHANGES_UNREAD = code(
    "CHANGES_UNREAD",
    meaning="Objects of some kinds could not be listed, so who changed them is not known.",
    template="Changes of {kinds} could not be read",
)

_MOST_GROUPS = 10
_MOST_REASONS = 2


@probe(
    answers=(Changes,),
    codes=(CHANGE_BEGAN_DROPS, CHANGE_BEFORE_DROPS, DROPS_WITHOUT_CHANGE, CHANGES_OF_WHOM, CHANGES_UNREAD),
    needs=(*PARTS, Part.FLOWS, Part.CHANGES),
    uses=(Part.CILIUM_PODS, Part.SYSTEM_WORKLOADS, Part.POLICIES, *OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS),
    blocking=True,
)
def changes_came_before_no_drops(question: Changes, facts: Facts) -> Iterator[Finding]:
    """Yield a finding for each group of drops, and what could not be read."""
    if question.namespace and all(space.name != question.namespace for space in facts.namespaces):
        yield CHANGES_OF_WHOM.finding(Outcome.UNKNOWN, blocking=True, name=question.namespace)
        return
    about, owners = question.about, owners_of(facts)
    flows = [flow for flow in facts.flows.flows if about.means(flow) and not is_neighbour_noise(flow)]
    groups = [group for group in drop_groups(flows, owners) if not group.is_audit]
    since = facts.now - question.since
    for group in groups[:_MOST_GROUPS]:
        onset = onset_of(group, flows, owners)
        suspects = suspects_of(onset, changes_known(facts), since, facts)
        yield _accused(onset, suspects, facts) if suspects else _unexplained(onset, question)
    unread = facts.changes.unread
    if unread:
        why = "; ".join(sorted(set(unread.values()))[:_MOST_REASONS])
        yield replace(
            CHANGES_UNREAD.finding(Outcome.NOT_APPLICABLE, kinds=tuple(sorted(unread))),
            detail=Sentence("{why}", {"why": why}),
        )


def _accused(onset: Onset, suspects: tuple[Suspect, ...], facts: Facts) -> Finding:
    first, *others = suspects
    group = onset.group
    pair = told(group)
    spoken = CHANGE_BEGAN_DROPS if first.is_proven else CHANGE_BEFORE_DROPS
    finding = spoken.finding(
        Outcome.PROBLEM,
        hop=Hop.EGRESS_POLICY if group.direction is FlowDirection.EGRESS else Hop.INGRESS_POLICY,
        evidence=evidence_of_suspect(first, onset),
        follow_up=follow_up_of(group),
        weight=group.count,
        count=group.count,
        source=pair.source,
        destination=pair.destination,
        port=pair.port,
        began=prose(_began(onset)),
        change=_told(first, onset, facts),
    )
    also = next((one for one in others if one.change not in (None, first.change)), None)
    if also is None or first.is_proven:
        return finding
    return replace(finding, detail=Sentence("besides, {change}", {"change": _told(also, onset, facts)}))


def _told(suspect: Suspect, onset: Onset, facts: Facts) -> Sentence:
    change = suspect_in_words(suspect, onset)
    if not suspect.passes_without:
        return change
    proof = proof_in_words(suspect, _unchanged_since(suspect, onset, facts))
    return Sentence("{change}; {proof}", {"change": change, "proof": proof})


def _unchanged_since(suspect: Suspect, onset: Onset, facts: Facts) -> str:
    """Return when the policies that deny were last changed, empty where packets did not pass after that."""
    look = facts.look(Part.POLICIES)
    policies = look.value if isinstance(look, Known) else ()
    times = [policy.changed_at for policy in policies if policy.ref in suspect.denied_by and policy.changed_at]
    newest = max(times, default=None)
    return clock(newest) if newest and onset.passed and newest < onset.passed.time else ""


def _began(onset: Onset) -> str:
    """Say that drops began there only where packets were seen to pass before."""
    return f"since {clock(onset.at)}" if onset.passed else f"first seen at {clock(onset.at)}"


def _unexplained(onset: Onset, question: Changes) -> Finding:
    group = onset.group
    pair = told(group)
    return DROPS_WITHOUT_CHANGE.finding(
        Outcome.UNKNOWN,
        blocking=True,
        evidence=[Evidence("hubble", f"Node//{group.example.node}", at=group.first_at, excerpt=group.reason)],
        follow_up=follow_up_of(group),
        weight=group.count,
        count=group.count,
        source=pair.source,
        destination=pair.destination,
        port=pair.port,
        began=prose(_began(onset)),
        span=span_in_words(question.since),
    )
