"""What a question is read as, without looking at any cluster: ``--dry-run``.

The JSON form, each field always there:

| field | meaning |
|---|---|
| ``decision`` | ``question``, ``ask-back`` (it can be read in several ways) or ``not-understood`` |
| ``questions`` | the question in normal form, as a list of one; empty unless the decision is ``question`` |
| ``read_as`` | the same in words: ``shop/loadgen → shop/cart 8080/TCP``; empty unless the decision is ``question`` |
| ``readings`` | the questions to choose from where the decision is ``ask-back``, in normal form |
| ``problem`` | what is wrong with the words, empty for a question |
| ``suggestions`` | questions that may have been meant where nothing could be read |

The exit status is 0 for a question and 64 for anything else.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from handlers.catalogue import Catalogue
from handlers.commands.command import AskBackError, NotUnderstoodError
from handlers.model.attachment import Attachment
from workers.cli.json_text import json_text
from workers.status import Status


def dry_run(
    text: str, attached: Sequence[Attachment], catalogue: Catalogue, *, as_json: bool, now: datetime | None
) -> tuple[str, Status]:
    """Return what to print, and the exit status; ``now`` is as for ``Catalogue.understand``."""
    reading = reading_of(text, attached, catalogue, now)
    status = Status.FINE if reading["questions"] else Status.USAGE
    if as_json:
        return json_text(reading), status
    return "\n".join(_lines(reading)) + "\n", status


def reading_of(
    text: str, attached: Sequence[Attachment], catalogue: Catalogue, now: datetime | None = None
) -> dict[str, Any]:
    """Return the reading of a text, in the fields of the table above."""
    reading: dict[str, Any] = {
        "decision": "question",
        "questions": [],
        "read_as": "",
        "readings": [],
        "problem": "",
        "suggestions": [],
    }
    try:
        asked = catalogue.understand(text, attached, now=now)
    except AskBackError as error:
        return reading | {"decision": "ask-back", "readings": list(error.suggestions), "problem": error.problem}
    except NotUnderstoodError as error:
        said = {"problem": error.problem, "suggestions": list(error.suggestions)}
        return reading | {"decision": "not-understood"} | said
    return reading | {"questions": [str(asked)], "read_as": asked.read_as}


def _lines(reading: dict[str, Any]) -> list[str]:
    if reading["questions"]:
        return [*reading["questions"], f"read as: {reading['read_as']}"]
    offered = reading["readings"] or reading["suggestions"]
    return [reading["problem"], *(f"  {question}" for question in offered)]
