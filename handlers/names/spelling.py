"""Nearest spellings, for "did you mean"."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST = 5
"""Candidates shown at the most: one row of Slack buttons."""


def nearest(word: str, known: Iterable[str], most: int = MOST, *, cutoff: float = 0.6) -> tuple[str, ...]:
    """Return the known words nearest to ``word``, best first; those that contain it come before mere look-alikes."""
    words = sorted(set(known))
    containing = [known_word for known_word in words if word and word in known_word]
    similar = get_close_matches(word, words, n=most, cutoff=cutoff)
    return tuple(dict.fromkeys([*similar, *containing]))[:most]
