"""An answer for one reader: what the reader may not read stands there by kind and count, the verdict as it is.

It goes field by field. What is said of a policy, or of objects of which the reader may read none, goes as a whole; a
name of a pod, a Service or a node goes by itself. At the end every text is looked through again, and one that still
holds a word that may not be read is left out altogether.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import Enum
from typing import Any, TypeVar

from handlers.model.finding import Evidence, Finding, Sentence, prose
from handlers.model.headline import Headline, Pair
from handlers.model.ownership import Content, Ownership
from handlers.model.report import AlsoOpens, Budget, FirstAnswer, GapNote, IdentityNote, Patch, Report
from handlers.model.standing import Standing
from handlers.model.table import Table
from handlers.model.wire import encode
from handlers.rights.allowed import Allowed
from handlers.rights.hidden import Held, Hidden
from handlers.rights.owners import owner_of_ref
from handlers.rights.words import texts_in

T = TypeVar("T")

NOT_SHOWN = "(withheld)"
_OURS = frozenset({"code", "source", "cluster", "command", "part", "gap", "schema", "withheld", "kind", "status"})
"""Fields whose words are the program's own, whatever a cluster calls its objects."""
_POLICIES = (Content.NETWORK_POLICIES, Content.CILIUM_POLICIES, Content.CLUSTER_POLICIES, Content.OBJECTS)


def redacted(report: Report, allowed: Allowed) -> Report:
    """Return the report as somebody may see it who reads what is allowed; ``withheld`` tells what was taken out.

    Of a report whose owners nobody worked out the verdict alone is left.
    """
    if report.ownership is None:
        return _bare(report)
    hidden = Hidden(report.ownership, allowed)
    shown_as = [(finding, _finding(finding, hidden)) for finding in report.findings]
    gone = tuple(finding for finding, shown in shown_as if shown is None)
    patches = tuple(filter(None, (_patch(patch, hidden) for patch in report.patches)))
    headline = _headline(report.headline, gone, hidden)
    if report.candidates and not headline.status and any(map(hidden.in_text, report.candidates)):
        headline = replace(headline, status="Which one?")
    shown = replace(
        report,
        question="" if hidden.in_text(report.question, is_prose=True) else report.question,
        read_as=hidden.without_names(report.read_as) or "",
        headline=headline,
        findings=tuple(_in_place(shown_as, hidden)),
        identities=tuple(note for note in report.identities if not _noted(_identity_texts(note), hidden)),
        gaps=tuple(_gap(gap, hidden) for gap in report.gaps),
        budget=_budget(report.budget, hidden),
        patches=patches,
        patch_notes=(*_prose_of(report.patch_notes, hidden), *_patches_gone(len(report.patches) - len(patches))),
        notes=tuple(note for note in report.notes if not _noted([note], hidden)),
        candidates=tuple(one for one in report.candidates if not _noted([one], hidden)),
        tables=tuple(_table(table, hidden) for table in report.tables),
        versions=_prose_of(report.versions, hidden),
        standing=_standing(report.standing, hidden) if report.standing else None,
        ownership=None,
    )
    shown = without_words(shown, hidden)
    return replace(shown, withheld=hidden.counted(hidden.held))


def _bare(report: Report) -> Report:
    findings = (Finding(one.code, one.outcome, prose(NOT_SHOWN), one.hop, one.blocking) for one in report.findings)
    return Report(
        question="",
        command=report.command,
        headline=Headline(prose("Nothing but the verdict can be shown"), status=report.headline.status),
        taken_at=report.taken_at,
        source=report.source,
        findings=tuple(findings),
        expected=report.expected,
        observed=report.observed,
        cluster=report.cluster,
        withheld=("everything but the verdict, since nobody worked out whose it is",),
    )


def redacted_first(first: FirstAnswer, allowed: Allowed) -> FirstAnswer:
    """Return what is certain already as somebody may see it."""
    return replace(first, report=redacted(first.report, allowed))


def redacted_value(value: T, ownership: Ownership, allowed: Allowed) -> T:
    """Return any value of ours, a digest or a card, with kinds in the place of names, or without the whole text."""
    return without_words(value, Hidden(ownership, allowed))


def without_words(value: T, hidden: Hidden) -> T:
    """Return a value of dataclasses, tuples and texts without any word that may not be read: the last look."""
    shown: T = _net(value, hidden)
    return shown


def _net(value: Any, hidden: Hidden) -> Any:
    match value:
        case Enum():
            return value
        case str():
            if not hidden.in_text(value, is_prose=True):
                return value
            return hidden.without_names(value) or NOT_SHOWN
        case Sentence():
            if not hidden.in_sentence(value):
                return value
            return hidden.sentence_without_names(value) or prose(NOT_SHOWN)
        case tuple():
            return tuple(_net(item, hidden) for item in value)
        case dict():
            return {_net(key, hidden): _net(item, hidden) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [item.name for item in dataclasses.fields(value) if item.name not in _OURS]
        return replace(value, **{name: _net(getattr(value, name), hidden) for name in names})
    return value


# -- findings --------------------------------------------------------------------------------------------------------


def _finding(finding: Finding, hidden: Hidden) -> Finding | None:
    """Return the finding as it may be seen; None where nothing of what it says may be."""
    owners = {item.ref: owner_of_ref(item.ref) for item in finding.evidence}
    forbidden = {ref for ref in owners if hidden.ref(ref)}
    of_namespaces = [ref for ref, owner in owners.items() if owner and not owner.content.is_of_cluster]
    is_about_policy = any((owner := owners[ref]) and owner.content in _POLICIES for ref in forbidden)
    refs = of_namespaces or [ref for ref, owner in owners.items() if owner]
    if is_about_policy or (refs and forbidden.issuperset(refs)):
        return None
    sentence = hidden.sentence_without_names(finding.sentence)
    if sentence is None or (sentence is not finding.sentence and not refs):
        return None
    return replace(
        finding,
        sentence=sentence,
        evidence=tuple(_evidence(item, hidden) for item in finding.evidence if not _is_forbidden(item, hidden)),
        assumptions=_prose_of(finding.assumptions, hidden),
        advice=hidden.without_names(finding.advice) or "",
        follow_up="" if hidden.in_text(finding.follow_up, is_prose=True) else finding.follow_up,
        detail=hidden.sentence_without_names(finding.detail) if finding.detail else None,
        reason=hidden.sentence_without_names(finding.reason) if finding.reason else None,
    )


def _is_forbidden(item: Evidence, hidden: Hidden) -> bool:
    held = hidden.ref(item.ref)
    if held:
        hidden.held.add(held)
    return bool(held) or hidden.in_text(item.ref)


def _evidence(item: Evidence, hidden: Hidden) -> Evidence:
    # What an agent printed, or a log, may name whatever there is in the cluster: also what nobody else read.
    is_told = item.source == "agent" or "log" in item.pointer
    is_free = is_told and Content.PODS not in hidden.allowed.everywhere
    hides = is_free or hidden.in_text(item.excerpt) or hidden.in_text(item.pointer)
    return replace(item, excerpt="", pointer="" if hidden.in_text(item.pointer) else item.pointer) if hides else item


def _in_place(shown_as: list[tuple[Finding, Finding | None]], hidden: Hidden) -> Iterator[Finding]:
    """Return what is shown, and what stands for findings that are not: one for all that come to the same."""
    alike: dict[tuple[Any, ...], list[Finding]] = {}
    for finding, shown in shown_as:
        if shown is None:
            alike.setdefault((finding.hop, finding.outcome, finding.blocking), []).append(finding)
    for finding, shown in shown_as:
        if shown is not None:
            yield shown
        elif found := alike.pop((finding.hop, finding.outcome, finding.blocking), None):
            held = {one for other in found for one in _held_by(other, hidden)}
            words = prose(hidden.told(held))
            yield Finding(
                finding.code, finding.outcome, words, hop=finding.hop, blocking=finding.blocking, weight=finding.weight
            )


def _held_by(finding: Finding, hidden: Hidden) -> set[Held]:
    held = {one for item in finding.evidence if (one := hidden.ref(item.ref))}
    return held | hidden.named_in([str(finding.sentence)])


# -- the headline ----------------------------------------------------------------------------------------------------


def _headline(headline: Headline, gone: tuple[Finding, ...], hidden: Hidden) -> Headline:
    told = [one for finding in gone for one in (finding.sentence, finding.because, finding.whole)]
    held = {one for finding in gone for one in _held_by(finding, hidden) if _is_said(headline.reason, finding)}

    def allowed(sentence: Sentence | None) -> Sentence | None:
        if sentence is None or any(sentence == one or sentence.says(one) for one in told):
            return None
        return hidden.sentence_without_names(sentence)

    reason = allowed(headline.reason)
    is_gone = headline.reason is not None and reason is None
    if is_gone and headline.reason is not None:
        reason = prose(hidden.told(held | hidden.named_in([str(headline.reason)])))
    claim = allowed(headline.claim) or replace(prose("What it is about you may not read"), lead=headline.claim.lead)
    return replace(
        headline,
        claim=claim,
        pair=_pair(headline.pair, hidden) if headline.pair else None,
        reason=reason,
        mechanism=None if is_gone else allowed(headline.mechanism),
        seen=hidden.without_names(headline.seen) or "",
        remedy="" if is_gone else hidden.without_names(headline.remedy) or "",
        more=() if is_gone else tuple(filter(None, map(allowed, headline.more))),
        changed=None if is_gone else allowed(headline.changed),
        assumed=hidden.without_names(headline.assumed) or "",
    )


def _is_said(sentence: Sentence | None, finding: Finding) -> bool:
    said = (finding.sentence, finding.because, finding.whole)
    return sentence is not None and any(sentence == one or sentence.says(one) for one in said)


def _pair(pair: Pair, hidden: Hidden) -> Pair:
    source, destination = (hidden.without_names(end) or NOT_SHOWN for end in (pair.source, pair.destination))
    return Pair(source, destination, pair.port)


# -- everything else -------------------------------------------------------------------------------------------------


def _noted(texts: Iterable[str], hidden: Hidden) -> bool:
    """Say whether texts hold what may not be read, and count the objects that they name."""
    listed = [text for text in texts if hidden.in_text(text)]
    hidden.note(*listed)
    return bool(listed)


def _identity_texts(note: IdentityNote) -> Iterator[str]:
    return texts_in(encode(note))


def _prose_of(texts: Iterable[str], hidden: Hidden) -> tuple[str, ...]:
    return tuple(filter(None, (hidden.without_names(text) for text in texts)))


def _gap(gap: GapNote, hidden: Hidden) -> GapNote:
    node = hidden.without_names(gap.node) if gap.node else gap.node
    return replace(
        gap,
        node=node,
        detail=hidden.without_names(gap.detail) or NOT_SHOWN if gap.detail else "",
        remedy=hidden.without_names(gap.remedy) or "",
    )


def _budget(budget: Budget, hidden: Hidden) -> Budget:
    def named(nodes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(hidden.without_names(node) or NOT_SHOWN for node in nodes)

    return replace(budget, nodes_heard=named(budget.nodes_heard), nodes_silent=named(budget.nodes_silent))


def _patch(patch: Patch, hidden: Hidden) -> Patch | None:
    texts = (patch.policy, patch.title, patch.manifest, patch.diff, patch.json_patch, patch.command)
    if held := hidden.ref(patch.policy):
        hidden.held.add(held)
        return None
    if _noted(texts, hidden):
        return None
    also = tuple(
        AlsoOpens(
            hidden.without_names(flow.source) or NOT_SHOWN,
            hidden.without_names(flow.destination) or NOT_SHOWN,
            flow.port,
            flow.count,
        )
        for flow in patch.also_opens
    )
    return replace(patch, also_opens=also, checks=_prose_of(patch.checks, hidden))


def _standing(standing: Standing, hidden: Hidden) -> Standing:
    """Return how it stood, of what may be read; where policies are left out, nobody may conclude that one is gone."""
    policies = tuple(ref for ref in standing.policies if not hidden.ref(ref))
    return replace(
        standing,
        selecting=tuple(ref for ref in standing.selecting if not hidden.ref(ref)),
        policies=policies,
        is_whole=standing.is_whole and len(policies) == len(standing.policies),
        changes=tuple(one for one in standing.changes if not hidden.ref(one.ref) and not hidden.in_text(one.ref)),
        pods=tuple(pod for pod in standing.pods if not hidden.in_text(pod)),
        unheard=tuple(hidden.without_names(node) or NOT_SHOWN for node in standing.unheard),
        ways=tuple(
            replace(
                way,
                source=hidden.without_names(way.source) or NOT_SHOWN,
                destination=hidden.without_names(way.destination) or NOT_SHOWN,
            )
            for way in standing.ways
        ),
    )


def _patches_gone(count: int) -> Iterator[str]:
    if count:
        which = "A patch is" if count == 1 else f"{count} patches are"
        yield f"{which} not shown, for what you may not read there."


def _table(table: Table, hidden: Hidden) -> Table:
    if any(map(hidden.in_text, table.columns)):
        return Table(hidden.without_names(table.title) or NOT_SHOWN, (), (), table.left_out + len(table.rows))
    rows = tuple(row for row in table.rows if not _noted((str(cell) for cell in row if cell is not None), hidden))
    gone = len(table.rows) - len(rows)
    title = hidden.without_names(table.title) or NOT_SHOWN
    more = f" ({gone} row{'s' if gone > 1 else ''} about what you may not read left out)" if gone else ""
    return replace(table, title=f"{title}{more}", rows=rows)
