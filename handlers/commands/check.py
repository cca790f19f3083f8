"""``check``: does the cluster keep a reachability contract?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, NotUnderstoodError, Reading
from handlers.commands.since import DEFAULT_SPAN
from handlers.contract import ContractError, Demand, Line, read_contract
from handlers.model.attachment import Attachment
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, Sentence
from handlers.model.headline import Headline
from handlers.model.manifest_yaml import ManifestError, load_manifests
from handlers.model.question import AboutCluster
from handlers.model.scope import Scope
from handlers.names.grammar import Fresh, items
from handlers.reach.end_names import EndNameError, ends_named
from handlers.reach.roster import Roster
from handlers.sentence.connections import connections_in
from handlers.sentence.tokens import Said
from handlers.whole_cluster import whole_scope

USAGE = "check [allow|deny FROM to TO [PORTS]] [fresh]"
HOW = (
    "Give me a contract: one line, or YAML with the lists allow and deny, pasted as a code block or dropped as a file."
)
_EXAMPLE = "check deny world to payments/ledger 5432/TCP"


@dataclass(frozen=True, slots=True)
class CheckContract(AboutCluster):
    """Does every line of a contract hold? ``typed`` is the line that was typed, the others came with the question."""

    lines: tuple[Line, ...] = ()
    typed: str = ""

    def __str__(self) -> str:
        """Return the normal form; what came with the question comes with it again."""
        return f"check {self.typed}".strip()

    def scope(self, so_far: Facts) -> Scope:
        """Return the whole cluster."""
        return whole_scope(self, so_far, DEFAULT_SPAN)


def parse(text: str) -> CheckContract:
    """Read a line of a contract, or nothing where the contract comes with the question.

    Raises:
        NotUnderstoodError: if the words are no line of a contract.
    """
    words = [word for word in text.split() if not any(isinstance(item, Fresh) for item in items(word))]
    if not words:
        return CheckContract()
    demand, *line = words
    if demand not in tuple(Demand):
        raise NotUnderstoodError("A line says allow or deny first.", USAGE, (_EXAMPLE,))
    # An arrow means something to a shell, so that a line may be typed without one.
    written = " ".join("->" if word == "to" else word for word in line)
    return CheckContract(_understood({demand: [written]}), f"{demand} {written.replace(' -> ', ' to ')}")


_DEMANDED = re.compile(
    r"\b(?:make sure|ensure|assert|guarantee|contract|supposed to)\b"
    r"|\bmust\b|\b(?:should|may|ought)(?:n't| not| never)\b"
    r"|\b(?:verify|check|confirm) that\b.*(?:n't|not|\bnever)\b",
    re.IGNORECASE,
)
"""Words of a demand. "Verify that A can reach B" is no more than a question."""
_ASKED = re.compile(r"\b(?:why|how come)\b|\b(?:does|can|is|do|did) (?:it|they)\W*$", re.IGNORECASE)
_FORBIDDEN = re.compile(r"\b(?:can ?not|can't|cant|not|never|nobody|no one|unable|n't)\b|n't\b", re.IGNORECASE)


def phrase(sentence: Said) -> Reading | None:
    """Read a sentence that demands that one end reaches another, or does not; it may ask ``why`` as well."""
    found = connections_in(sentence)
    demanded = _DEMANDED.search(sentence.text)
    if demanded is None or _ASKED.search(sentence.text) or found is None:
        return None
    demand = Demand.DENY if _FORBIDDEN.search(sentence.text) else Demand.ALLOW
    asked: list[CheckContract] = []
    for one in found.asked:
        traffic = " ".join(str(one).split()[2:])
        try:
            asked.append(parse(f"{demand} {one.source} to {one.destination} {traffic}".strip()))
        except NotUnderstoodError:
            continue
    return Reading(tuple(asked), 4, found.problem) if asked else None


def attach(question: CheckContract, attached: Sequence[Attachment]) -> CheckContract:
    """Add the contracts that came with the question.

    Raises:
        NotUnderstoodError: if there is no line at all, or one of the texts is no contract.
    """
    lines = question.lines
    for one in attached:
        try:
            documents = load_manifests(one.content.encode(errors="replace"))
        except ManifestError as error:
            raise NotUnderstoodError(f"{one.name}: {error}.", USAGE, (_EXAMPLE,)) from error
        for document in documents:
            lines = (*lines, *_understood(document, f"{one.name}: "))
    if not lines:
        problem = (
            "Give me a contract: a line, or a YAML with the lists allow and deny, pasted as a code block or as a file"
        )
        raise NotUnderstoodError(f"{problem}.", USAGE, (_EXAMPLE,))
    return replace(question, lines=lines)


def _understood(document: object, where: str = "") -> tuple[Line, ...]:
    try:
        lines = read_contract(document)
        for line in lines:
            for name in (line.source, line.destination):
                ends_named(name, Roster(()))
    except (ContractError, EndNameError) as error:
        raise NotUnderstoodError(f"{where}{error}.", USAGE, (_EXAMPLE,)) from error
    return lines


def conclude(_question: CheckContract, _facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Say how many lines hold, and the first that does not."""
    lines = [finding for finding in findings if finding.code.startswith("CONTRACT_")]
    held = sum(finding.outcome is Outcome.FINE for finding in lines)
    worst = [finding.sentence for finding in findings if finding.outcome is not Outcome.FINE][:1]
    claim = Sentence("{held} of {count} line{count:|s} hold", {"held": held, "count": len(lines)})
    return Conclusion(Headline(claim, more=tuple(worst)))


COMMAND = Command(
    name="check",
    usage=USAGE,
    summary="Does the cluster keep a reachability contract: who must reach whom, and who must not?",
    examples=("check allow shop/frontend to shop/cart 8080/TCP", _EXAMPLE),
    question=CheckContract,
    parse=parse,
    phrase=phrase,
    attach=attach,
    conclude=conclude,
    keep=timedelta(seconds=60),
)
