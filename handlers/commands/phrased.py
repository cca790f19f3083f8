"""What a sentence asks of a command by the phrases that the command declares."""

from typing import Any

from handlers.commands.command import Command, NotUnderstoodError, Reading
from handlers.sentence.phrases import Typed, matched, typed
from handlers.sentence.tokens import Said

_ONE_WORD, _MORE_WORDS = 3, 5
"""One word weighs what a word about drops or policies does; more weigh more than two ends alone."""


def phrased(command: Command, text: str, sentence: Said) -> Reading | None:
    """Return what a text asks of a command, None where it is not about it; ``sentence`` is how the text is read.

    The command's own ``phrase`` and its ``phrases`` are both weighed.
    """
    readings = (command.phrase(sentence) if command.phrase else None, _by_phrases(command, text))
    return max(filter(None, readings), key=lambda reading: reading.weight, default=None)


def _by_phrases(command: Command, text: str) -> Reading | None:
    match = matched(command.phrases, text)
    if match is None:
        return None
    weight = _MORE_WORDS if match.asked_for > 1 else _ONE_WORD
    said = typed(text, match, command.keywords)
    # What the command does not take is left away, and then the asker has to choose: nothing is dropped in silence.
    for left, shorter in (
        ("", said),
        (" ".join(said.rest), Typed(said.ends, ())),
        (" ".join((*said.ends, *said.rest)), Typed(("",), ())),
    ):
        questions = tuple(filter(None, (_parsed(command, " ".join((end, *shorter.rest))) for end in shorter.ends)))
        if questions:
            problem = f"{command.name} is not asked about “{left[:80]}”." if left else said.problem
            return Reading(questions, weight, problem, reads_odd=True)
    return Reading((), weight, f"I cannot read what {command.name} is asked: {command.usage}", reads_odd=True)


def _parsed(command: Command, text: str) -> Any:
    try:
        return command.parse(text.strip())
    except NotUnderstoodError:
        return None
