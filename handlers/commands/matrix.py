"""``matrix``: who reaches whom?"""

from dataclasses import dataclass
from datetime import timedelta

from handlers.commands.command import Command, Conclusion, Reading, left_over
from handlers.commands.since import DEFAULT_SPAN
from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, Sentence, prose
from handlers.model.headline import CANNOT_TELL, Headline
from handlers.model.question import AboutCluster
from handlers.model.scope import Scope
from handlers.names.grammar import Fresh, Word, is_bare_name, items, without_leads
from handlers.names.lexicon import Cue
from handlers.reach.grid import grid
from handlers.sentence.subject import several, subjects_in
from handlers.sentence.tokens import Said
from handlers.whole_cluster import state_of, whole_scope

USAGE = "matrix [NAMESPACE] [fresh]"


@dataclass(frozen=True, slots=True)
class MatrixOf(AboutCluster):
    """Who reaches whom, from and to the pods of ``namespace``, or in the whole cluster where it is None?"""

    namespace: str | None = None

    def __str__(self) -> str:
        """Return the normal form."""
        return f"matrix {self.namespace}" if self.namespace else "matrix"

    def scope(self, so_far: Facts) -> Scope:
        """Return the whole cluster."""
        return whole_scope(self, so_far, DEFAULT_SPAN)


def parse(text: str) -> MatrixOf:
    """Read an optional namespace.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    match [item for item in without_leads(items(text)) if not isinstance(item, Fresh)]:
        case []:
            return MatrixOf()
        case [Word(text=name, port=None) as word, *odd] if is_bare_name(word):
            question = MatrixOf(name.lower())
        case odd:
            pass
    if odd:
        raise left_over(odd, USAGE)
    return question


def phrase(sentence: Said) -> Reading | None:
    """Read a sentence that asks who reaches whom."""
    whom = sum(token.does(Cue.WHO) for token in sentence.tokens)
    if not (sentence.has(Cue.MATRIX) or (whom > 1 and sentence.has(Cue.REQUEST))):
        return None
    asked = tuple(MatrixOf(subject.namespace) for subject in subjects_in(sentence) if subject.endpoint is None)
    return Reading(asked, 3, several(len(asked))) if asked else None


def conclude(question: MatrixOf, facts: Facts, findings: tuple[Finding, ...]) -> Conclusion:
    """Let the count of pairs speak, and what is not known before it; few ends are shown side by side."""
    counted = next((finding.sentence for finding in findings if finding.code == "MATRIX"), None)
    doubts = [f.sentence for f in findings if f.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    if counted is None or doubts:
        about = {"about": question.namespace or "the cluster"}
        claim = Sentence("everything about who reaches whom in {about}", about, lead=CANNOT_TELL)
        return Conclusion(Headline(claim, reason=doubts[0] if doubts else prose("nothing was worked out")))
    table = grid(state_of(question, facts), question.namespace)
    return Conclusion(Headline(counted), tables=(table,) if table else ())


COMMAND = Command(
    name="matrix",
    usage=USAGE,
    summary="Who reaches whom, by identity and port, in the whole cluster or from and to one namespace?",
    examples=("matrix", "matrix shop"),
    question=MatrixOf,
    parse=parse,
    phrase=phrase,
    conclude=conclude,
    keep=timedelta(seconds=60),
)
