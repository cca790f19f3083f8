"""What stands in the place of an answer until there is one."""

from bot.render.blocks import Message, code, context, escape, message, section

LOOKING = "is looking into it …"
"""What is said where Slack shows a status of the app, behind its name, in the place of a placeholder."""


def looking(question: str, *, asked_by: str = "", ahead: int = 0) -> Message:
    """Return the placeholder for a question.

    ``asked_by`` is a Slack user id, where nobody else says who asked; ``ahead`` counts the questions that wait already.
    """
    who = f"<@{asked_by}> asked. " if asked_by.isalnum() else ""
    queued = f" {ahead} {'question' if ahead == 1 else 'questions'} before yours" if ahead else ""
    return message([section(f"🔎 {who}Looking into {code(question)} …{queued}")], f"Looking into {question} …{queued}")


def slack_is_slow(question: str) -> Message:
    """Return what the asker is told where the placeholder could not be posted."""
    words = "Slack does not take my message now; the answer comes as soon as it does."
    return message(
        [section(f"🔎 Looking into {code(question)} … {escape(words)}")], f"Looking into {question} … {words}"
    )


def progress(question: str, steps: str) -> Message:
    """Return the placeholder with what has been read so far: ``flows: 3 of 5 nodes``."""
    return message(
        [section(f"🔎 Looking into {code(question)} …"), context(escape(steps))], f"Looking into {question} … {steps}"
    )


def counted(part: str, done: int, total: int, unit: str = "nodes") -> str:
    """Return a step in words: ``flows: 3 of 5 nodes``."""
    return f"{part}: {done} of {total} {unit}"
