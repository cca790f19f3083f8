"""``whatif``: what would a change of policies or labels cut and open?"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, NotUnderstoodError, Reading, left_over
from handlers.commands.since import DEFAULT_SPAN, span_in_words
from handlers.model.attachment import Attachment
from handlers.model.cluster import PolicyObject
from handlers.model.endpoint import Named
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import Headline
from handlers.model.manifest_yaml import ManifestError, load_manifests
from handlers.model.question import AboutCluster
from handlers.model.scope import Scope
from handlers.names.grammar import End, Fresh, Since, items
from handlers.reach.proposal import (
    LabelChange,
    Proposal,
    ProposalError,
    parse_reference,
    policies_among,
    reference_of,
)
from handlers.sentence.tokens import Said
from handlers.whole_cluster import whole_scope

USAGE = "whatif [delete KIND/NAMESPACE/NAME]... [label POD|NAMESPACE KEY=VALUE|KEY-...]... [since 15m] [fresh]"
_EXAMPLES = ("whatif delete cnp/shop/cart", "whatif label shop/redis-0 tier=back old-")
HOW = "Give me the policies: paste the YAML as a code block in a message that mentions me, or drop it there as a file"


@dataclass(frozen=True, slots=True)
class WhatIf(AboutCluster):
    """What would a change do? The policies to put in place come with the question; ``typed`` are its words."""

    proposal: Proposal = field(default_factory=Proposal)
    typed: str = ""
    since: timedelta = DEFAULT_SPAN

    def __str__(self) -> str:
        """Return the normal form; what came with the question comes with it again."""
        since = "" if self.since == DEFAULT_SPAN else f"since {span_in_words(self.since)}"
        return " ".join(filter(None, ("whatif", self.typed, since)))

    @property
    def proposed(self) -> tuple[PolicyObject, ...]:
        """The policies to put in place."""
        named = ((reference_of(manifest), manifest) for manifest in self.proposal.put)
        return tuple(PolicyObject(ref.kind, ref.namespace, ref.name, manifest, None) for ref, manifest in named)

    def scope(self, so_far: Facts) -> Scope:
        """Return the whole cluster."""
        return whole_scope(self, so_far, self.since)


def parse(text: str) -> WhatIf:
    """Read what is deleted and relabelled.

    Raises:
        NotUnderstoodError: if the words say something else, or in another way.
    """
    since = next((item.span for item in items(text) if isinstance(item, Since)), DEFAULT_SPAN)
    phrases: list[list[str]] = []
    for word in text.split():
        if word in ("delete", "label", "since", "last", "past"):
            phrases.append([word])
        elif not any(isinstance(item, Fresh) for item in items(word)):
            if not phrases:
                raise NotUnderstoodError(f"“{word[:40]}” is no change. {HOW}.", USAGE, _EXAMPLES)
            phrases[-1].append(word)
    spans = [phrase for phrase in phrases if phrase[0] not in ("delete", "label")]
    odd = [items(" ".join(phrase)) for phrase in spans]
    if len(odd) > 1 or any([type(item) for item in found] != [Since] for found in odd):
        raise left_over(odd[-1], USAGE)
    changes = [phrase for phrase in phrases if phrase[0] in ("delete", "label")]
    try:
        delete = tuple(parse_reference(name) for verb, *names in changes if verb == "delete" for name in names)
        labels = tuple(LabelChange.parse(" ".join(words)) for verb, *words in changes if verb == "label" and words)
    except ProposalError as error:
        raise NotUnderstoodError(f"{error}.", USAGE, _EXAMPLES) from error
    if any(len(phrase) == 1 for phrase in changes):
        raise NotUnderstoodError("Say what is deleted or labelled.", USAGE, _EXAMPLES)
    return WhatIf(Proposal((), delete, labels), " ".join(" ".join(phrase) for phrase in changes), since)


_IMAGINED = re.compile(
    r"\b(?:what|would|if|happens?)\b.*?\b(?P<verb>delet\w*|remov\w*|label\w*|relabel\w*)\s+(?:the\s+)?(?P<what>.+)",
    re.IGNORECASE,
)


_APPLIED = re.compile(
    r"\b(?:what|would|if|happens?|breaks?)\b.*\b(?:appl(?:y|ied)|roll(?:ed)? out|deploy(?:ed)?|merge[d]?|add(?:ed)?)\b"
    r".*\b(?:polic(?:y|ies)|netpols?|cnps?|ya?ml)\b",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"\bif\b.*?(?P<what>\w+/[\w.-]+(?:/[\w.-]+)?) (?:is|was|were|gets|got|be) (?:deleted|removed)", re.IGNORECASE
)
_POLICY = re.compile(r"\b(?:network ?)?(?:policy|netpol|cnp)\b", re.IGNORECASE)


def phrase(sentence: Said) -> Reading | None:
    """Read a sentence that imagines a policy deleted, an object labelled, or the policies applied that come with it."""
    found = _IMAGINED.search(sentence.text)
    if found is None and (gone := _GONE.search(sentence.text)):
        deletion = _understood(f"delete {gone['what']}")
        return Reading((deletion,), 6, reads_odd=True) if deletion else None
    if found is None:
        return Reading((WhatIf(),), 6, reads_odd=True) if _APPLIED.search(sentence.text) else None
    is_label = "label" in found["verb"].lower()
    words = [word for word in found["what"].split() if is_label or "/" in word]
    asked = _understood(f"{'label' if is_label else 'delete'} {' '.join(words)}") if words else None
    if asked is None and _POLICY.search(found["what"]):
        return Reading(tuple(_deletions(sentence)), 6, "Which kind of policy is deleted? Choose one.", reads_odd=True)
    return Reading((asked,), 6, reads_odd=True) if asked else None


def _understood(text: str) -> WhatIf | None:
    try:
        return parse(text)
    except NotUnderstoodError:
        return None


def _deletions(sentence: Said) -> Iterator[WhatIf]:
    """Yield what may be meant by a policy whose kind was not said."""
    for token in sentence.tokens:
        name = token.item.name if isinstance(token.item, End) else None
        if isinstance(name, Named) and name.namespace:
            yield from (parse(f"delete {kind}/{name.namespace}/{name.name}") for kind in ("cnp", "netpol"))


def attach(question: WhatIf, attached: Sequence[Attachment]) -> WhatIf:
    """Add the policies that came with the question.

    Raises:
        NotUnderstoodError: if there is no change at all, or one of the texts is no YAML.
    """
    documents: list[object] = []
    for one in attached:
        try:
            documents += load_manifests(one.content.encode(errors="replace"))
        except ManifestError as error:
            raise NotUnderstoodError(f"{one.name}: {error}.", USAGE, _EXAMPLES) from error
    put = policies_among(documents)
    if attached and not put:
        raise NotUnderstoodError(f"There is no policy in {attached[0].name}. {HOW}.", USAGE, _EXAMPLES)
    changed = replace(question, proposal=replace(question.proposal, put=(*question.proposal.put, *put)))
    if changed.proposal == Proposal():
        raise NotUnderstoodError(f"Nothing is changed. {HOW}.", USAGE, _EXAMPLES)
    return changed


def conclude(_question: WhatIf, _facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say what is cut and opened, and first what stands in the way of knowing."""
    blocking = [one.sentence for one in findings if one.blocking and one.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    counts = {name: sum(one.code == f"WHATIF_{name.upper()}" for one in findings) for name in _SAID}
    said = [words for name, words in _SAID.items() if counts[name]]
    claim = Sentence("; ".join(said) or "No verdict changes", counts)
    if blocking and not said:
        return Conclusion(Headline(blocking[0]))
    worst = next((name for name in _SAID if counts[name]), "")
    return Conclusion(Headline(claim, status=_STATUS.get(worst, ""), more=tuple(blocking[:1])))


_SAID = {
    "refused": "{refused} polic{refused:y|ies} would be refused",
    "flow_cut": "{flow_cut} kind{flow_cut:|s} of flows that pass today would be cut",
    "cut": "{cut} group{cut:|s} of pairs would be cut",
    "opened": "{opened} group{opened:|s} of pairs would be opened",
    "requests": "{requests} group{requests:|s} of pairs would get other application rules",
}
_STATUS = {"refused": "Refused", "flow_cut": "Cuts", "cut": "Cuts", "opened": "Opens", "requests": "Changes"}
"""The first word of the answer, by the worst of what the change does."""


COMMAND = Command(
    name="whatif",
    usage=USAGE,
    summary="What would a change of policies or labels cut and open? The policies come as a code block or a file.",
    examples=_EXAMPLES,
    question=WhatIf,
    parse=parse,
    phrase=phrase,
    attach=attach,
    conclude=conclude,
    keep=timedelta(seconds=60),
)
