"""Sentences as people write them: each is read as its question, or asked back; never as another question."""

import pytest

from handlers.catalogue import understand
from handlers.commands.command import AskBackError, NotUnderstoodError
from tests.names.sentences import SENTENCES

READ = {name: row for name, row in SENTENCES.items() if not row[1].startswith(("ask:", "no:"))}
ASKED_BACK = {name: row for name, row in SENTENCES.items() if row[1].startswith("ask:")}
REFUSED = {name: row for name, row in SENTENCES.items() if row[1].startswith("no:")}


@pytest.mark.parametrize(("says", "question"), READ.values(), ids=READ.keys())
def test_a_sentence_is_read_as_its_question(says: str, question: str) -> None:
    asked = understand(says)
    assert str(asked) == question
    assert understand(question).question == asked.question


@pytest.mark.parametrize(("says", "expected"), ASKED_BACK.values(), ids=ASKED_BACK.keys())
def test_what_can_be_read_in_several_ways_is_asked_back(says: str, expected: str) -> None:
    with pytest.raises(AskBackError) as caught:
        understand(says)
    wanted = {question.strip() for question in expected.removeprefix("ask:").split("|")} - {""}
    assert wanted <= set(caught.value.suggestions)
    for suggestion in caught.value.suggestions:
        assert str(understand(suggestion)) == suggestion


@pytest.mark.parametrize(("says", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_understood_is_refused_and_the_word_named(says: str, expected: str) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        understand(says)
    assert expected.removeprefix("no:").strip() in caught.value.problem
    for suggestion in caught.value.suggestions:
        assert str(understand(suggestion)) == suggestion
