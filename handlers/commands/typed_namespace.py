"""What is typed behind a command that asks of one namespace, or of the cluster."""

from datetime import timedelta

from handlers.commands.command import left_over
from handlers.names.grammar import Duration, Fresh, Item, Since, Word, is_bare_name, items, without_leads


def typed_namespace(text: str, usage: str) -> tuple[str | None, timedelta | None]:
    """Return the namespace and how far to look back, None for what is not said.

    Raises:
        NotUnderstoodError: if a word is left over.
    """
    namespace: str | None = None
    span: timedelta | None = None
    odd: list[Item] = []
    for item in without_leads(items(text)):
        match item:
            case Since(span=found) | Duration(span=found) if span is None:
                span = found
            case Fresh():
                pass
            case Word(text=word) if namespace is None and is_bare_name(item):
                namespace = word.lower()
            case _:
                odd.append(item)
    if odd:
        raise left_over(odd, usage)
    return namespace, span
