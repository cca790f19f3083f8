"""What stands in the place of an answer until there is one."""

from bot.render.blocks import Message, code, context, escape, message, section


def looking(question: str, *, asked_by: str = "", shared: bool = False) -> Message:
    """Return the placeholder for a question. ``shared``: somebody asked the same, and one run answers both."""
    who = f"<@{asked_by}> asked. " if asked_by.isalnum() else ""
    how = " Somebody just asked the same; you share the answer." if shared else ""
    return message([section(f"🔎 {who}Looking into {code(question)} …{how}")], f"Looking into {question} …{how}")


def progress(question: str, steps: str) -> Message:
    """Return the placeholder with what has been read so far: ``flows: 3 of 5 nodes``."""
    return message(
        [section(f"🔎 Looking into {code(question)} …"), context(escape(steps))], f"Looking into {question} … {steps}"
    )


def counted(part: str, done: int, total: int, unit: str = "nodes") -> str:
    """Return a step in words: ``flows: 3 of 5 nodes``."""
    return f"{part}: {done} of {total} {unit}"
