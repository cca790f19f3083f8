"""The JSON form of a digest: what people and programs read of it, and the moment that the next one is compared with.

| field | meaning |
|---|---|
| ``schema`` | version of this form |
| ``at``, ``previous_at`` | the two moments, RFC 3339; the second is null for a first digest |
| ``source``, ``questions`` | where was looked, and what was asked |
| ``changes`` | what differs, worst first; ``kind`` is ``new``, ``worse``, ``cleared`` or ``better`` |
| ``problems`` | all that stand, in the same form; ``kind`` is also ``stands`` |
| ``unread`` | what could not be read, in words |
| ``causes`` | drops by cause: packets now and before, null where nobody counted |
| ``moment`` | what the next digest is compared with |
"""

from collections.abc import Mapping
from typing import Any

from handlers.digests.compare import Change, Digest
from handlers.digests.moment import Moment
from handlers.model.wire import WireError, decode, encode

SCHEMA = 1


class NotADigestError(ValueError):
    """The document is no digest that can be compared with; the message says why."""


def digest_json(digest: Digest) -> dict[str, Any]:
    """Return the digest as plain JSON values."""
    return {
        "schema": SCHEMA,
        "at": encode(digest.now.at),
        "previous_at": encode(digest.before.at) if digest.before else None,
        "source": digest.now.source,
        "questions": list(digest.now.questions),
        "changes": [_change(change) for change in digest.changes],
        "problems": [_change(problem) for problem in digest.problems],
        "unread": [str(sentence) for sentence in digest.unread],
        "causes": [{"cause": cause.name, "packets": cause.now, "before": cause.before} for cause in digest.causes],
        "moment": moment_json(digest.now),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "kind": str(change.kind),
        "text": str(change.whole),
        "evidence": [encode(item) for item in change.evidence],
        "question": change.question,
        "advice": change.advice,
    }


def moment_json(moment: Moment) -> dict[str, Any]:
    """Return a moment as plain JSON values."""
    body: dict[str, Any] = encode(moment)
    return body


def moment_from(document: object) -> Moment:
    """Return the moment of a digest's JSON form, or of a moment's own.

    Raises:
        NotADigestError: if it is none.
    """
    body = document.get("moment", document) if isinstance(document, Mapping) else document
    if isinstance(document, Mapping) and document.get("schema", SCHEMA) != SCHEMA:
        raise NotADigestError(f"it has schema {document['schema']}; this release reads schema {SCHEMA}")
    try:
        moment: Moment = decode(Moment, body)
    except (WireError, RecursionError) as error:
        raise NotADigestError(f"it is no digest in JSON: {str(error)[:200]}") from error
    if moment.at.tzinfo is None:
        raise NotADigestError("its time has no zone")
    return moment
