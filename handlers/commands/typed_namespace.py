"""What is typed behind a command that asks of one namespace, or of the cluster."""

from datetime import timedelta

from handlers.commands.command import left_over
from handlers.commands.typed_span import without_span
from handlers.names.grammar import Word, is_bare_name, items, without_leads


def typed_namespace(text: str, usage: str) -> tuple[str | None, timedelta | None]:
    """Return the namespace and how far to look back, None for what is not said.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    span, words = without_span(without_leads(items(text)))
    match words:
        case [Word(text=name, port=None) as word, *odd] if is_bare_name(word):
            namespace = name.lower()
        case odd:
            namespace = ""
    if odd:
        raise left_over(odd, usage)
    return namespace or None, span
