"""What the words of a digest ask."""

import pytest

from handlers.commands.command import NotUnderstoodError
from handlers.digests.scope import USUAL, questions_in

READ = {
    "": USUAL,
    "health": ("health",),
    "health,drops,lint of shop": ("health", "drops shop", "lint shop"),
    "health, drops and lint": ("health", "drops", "lint"),
    "health drops lint": ("health", "drops", "lint"),
    "drops of namespace shop": ("drops shop",),
    "of shop": ("health", "nodes", "services shop", "drops shop", "audit shop", "maps", "config", "lint shop"),
    "health, why shop/frontend shop/cart 8080": ("health", "why shop/frontend shop/cart 8080"),
    "drops since 1h, drops since 1h": ("drops since 1h",),
    "check deny world to payments/ledger 5432/TCP": ("check deny world to payments/ledger 5432/TCP",),
}


@pytest.mark.parametrize("words", READ, ids=[words or "nothing" for words in READ])
def test_words_become_questions(words: str) -> None:
    assert tuple(map(str, questions_in(words))) == READ[words]


@pytest.mark.parametrize(
    "words",
    ["healht", "flows follow 60s", "check", ",".join(f"identity {number}" for number in range(1, 20))],
)
def test_what_a_digest_cannot_ask_is_refused(words: str) -> None:
    with pytest.raises(NotUnderstoodError):
        questions_in(words)
