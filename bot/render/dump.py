"""What stands above an answer about a dump: that it is about that, of which time, and not about the cluster."""

from dataclasses import replace
from datetime import datetime

from bot.render.blocks import FALLBACK, MOST_BLOCKS, Message, clip, code, context, escape
from bot.render.reading import moment


def about_dump(shown: Message, name: str, taken_at: datetime) -> Message:
    """Return a message with a first line that says which dump it is about."""
    line = context(f"📦 About the dump {code(name)} of {moment(taken_at)}, not about the cluster as it is now")
    words = f"About the dump {escape(name)} of {moment(taken_at)}, not about the cluster as it is now.\n"
    return replace(
        shown,
        text=clip(words + shown.text, FALLBACK),
        blocks=(line, *shown.blocks)[:MOST_BLOCKS] if shown.blocks else (),
        plainer=tuple((line, *blocks)[:MOST_BLOCKS] for blocks in shown.plainer),
    )
