"""Where a text falls apart into two questions, and whether it is a sentence at all."""

import re
from collections.abc import Iterator

from handlers.names.lexicon import is_known

_MOST = 6
_JOINT = re.compile(r"\b(?:and|und|et|y|also)\b|[;?]\s", re.IGNORECASE)


def halves(text: str) -> Iterator[str]:
    """Yield the two parts of a text at each place where a second question can begin."""
    for joint in list(_JOINT.finditer(text))[:_MOST]:
        yield from (text[: joint.start()], text[joint.end() :])


def is_typed(rest: str) -> bool:
    """Whether the words behind a subcommand are names and numbers one after another, as people type; no sentence."""
    words = rest.split()
    return bool(words) and not any(is_known(word) for word in words[:1]) and not any(map(_relates, words[1:2]))


def _relates(word: str) -> bool:
    return is_known(word)
