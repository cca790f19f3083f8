"""What "it" means in a conversation: an end of the question above."""

import re
from collections.abc import Iterator

from handlers.names.grammar import End, Word, end_of, is_bare_name, items, text_of

_PRONOUN = re.compile(
    r"\b(?:it|them|they|this pod|that pod|this one|that one|the (?:source|client|destination|target|server))\b",
    re.IGNORECASE,
)
_SIDES = {"source": 0, "client": 0, "destination": -1, "target": -1, "server": -1}


def with_names(text: str, earlier: str) -> Iterator[str]:
    """Yield a text with its first pronoun replaced by each end that a question in normal form names; none without one.

    "The client" and "the destination" are one of them.
    """
    found = _PRONOUN.search(text)
    if found is None:
        return
    names = [text_of(item) for item in items(earlier.partition(" ")[2]) if _is_name(item)]
    side = _SIDES.get(found[0].lower().removeprefix("the "))
    for name in names if side is None else names[side:][:1]:
        yield f"{text[: found.start()]}{name}{text[found.end() :]}"


def _is_name(item: object) -> bool:
    return isinstance(item, End) or (isinstance(item, Word) and (is_bare_name(item) or end_of(item.text) is not None))
