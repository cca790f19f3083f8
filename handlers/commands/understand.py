"""From the words of an asker to a question: by the name of a subcommand, or as a plain sentence."""

from collections.abc import Mapping, Sequence

from handlers.commands.command import Asked, Command, NotUnderstoodError
from handlers.model.attachment import Attachment
from handlers.names.decorations import undecorated
from handlers.names.grammar import Fresh, items
from handlers.names.spelling import nearest


def understood(text: str, commands: Mapping[str, Command], attached: Sequence[Attachment] = ()) -> Asked:
    """Return what is asked by ``why shop/frontend shop/cart 8080`` or "can shop/frontend reach shop/cart?".

    Slack's decorations are taken off first. The text may be anything. ``attached`` is what came with it.

    Raises:
        NotUnderstoodError: with the usage line, or the nearest subcommands.
    """
    words = undecorated(text)
    first, _, rest = words.partition(" ")
    command = commands.get(first.lower())
    fresh = any(isinstance(item, Fresh) for item in items(words))
    if command:
        question = command.parse(rest)
        return Asked(command, command.attach(question, attached) if command.attach else question, fresh)
    for candidate in commands.values():
        question = candidate.phrase(words) if candidate.phrase else None
        if question is not None:
            return Asked(candidate, question, fresh)
    if not words:
        raise NotUnderstoodError("Nothing was asked.", suggestions=tuple(_examples(commands)))
    close = nearest(first.lower()[:40], commands)
    raise NotUnderstoodError(
        f"“{first[:40]}” is no subcommand, and the sentence names no two ends of a connection.",
        suggestions=tuple(commands[name].usage for name in close) or tuple(_examples(commands)),
    )


def _examples(commands: Mapping[str, Command]) -> list[str]:
    return [command.examples[0] for command in commands.values()]
