"""Questions that may have been meant, as buttons: one click instead of typing again at night."""

from collections.abc import Sequence

from bot.render.blocks import Block, Message, actions, button, code, escape, message, section

_MOST = 10
_FIRST_NUMBER = 100
"""Numbers of candidate buttons start above those of other buttons that ask."""


def candidate_buttons(questions: Sequence[str]) -> list[Block]:
    """Return a row of buttons that ask these questions, best first."""
    shown = list(dict.fromkeys(questions))[:_MOST]
    return actions(
        button(short(question), f"ask_{_FIRST_NUMBER + index}", question, primary=index == 0 and len(shown) > 1)
        for index, question in enumerate(shown)
    )


def short(question: str) -> str:
    """Return a question as a button says it: of a connection, its two ends and an arrow."""
    match question.split():
        case ["why", source, destination, *rest]:
            return " ".join([f"{source} → {destination}", *rest])
    return question


def not_understood(problem: str, usage: str, suggestions: Sequence[str]) -> Message:
    """Return what is wrong with the words, how to ask, and what may have been meant."""
    how = f"\nAsk like this: {code('/cilium ' + usage.removeprefix('/cilium '))}" if usage else ""
    lead = "\nDid you mean:" if suggestions else ""
    hint = "" if usage or suggestions else f"\n{code('/cilium help')} shows what I can answer."
    plain_how = f" Ask like this: {usage}." if usage else ""
    plain_lead = f" Did you mean: {' | '.join(suggestions[:_MOST])}?" if suggestions else ""
    return message(
        [section(f"❓ {escape(problem)}{how}{lead}{hint}"), *candidate_buttons(suggestions)],
        f"{problem}{plain_how}{plain_lead}",
    )
