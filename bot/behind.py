"""What stands behind an answer's buttons: its evidence and its patches, attached where the button was pressed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.publish import Publisher
from bot.render.evidence import evidence_text, file_as_message, patches_file
from bot.render.patches import patches_message
from bot.where import Where
from handlers.model.report import Report
from handlers.model.wire import WireError, decode, encode

ALONE = "This is for you alone: not everybody here may see all of it"


class Behind(StrEnum):
    """What a button shows; the values are the buttons' action ids."""

    EVIDENCE = "evidence"
    PATCH = "patch"


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody pressed a button, and what may be shown is for a worker to tell: it reads the rights in the cluster.

    ``report_id`` is the whole report's, ``cluster`` the one that it is about, empty for that of whoever looks.
    """

    what: Behind
    report_id: str
    where: Where
    cluster: str = ""

    def to_json(self) -> str:
        """Return the text that travels."""
        return json.dumps(encode(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Look":
        """Read it.

        Raises:
            ValueError: if the text holds none.
        """
        look = decode(cls, json.loads(text))
        if not isinstance(look, cls):
            raise WireError("no look")
        return look


def attach(what: Behind, publisher: Publisher, where: Where, report: Report) -> None:
    """Attach it to the thread, for everybody there.

    Raises:
        PublishError: if Slack does not take it.
    """
    _ATTACH[what](publisher, where, report)


def whisper(what: Behind, publisher: Publisher, where: Where, report: Report) -> None:
    """Show it to who pressed the button alone, as a message: a file is everybody's.

    Raises:
        PublishError: if Slack does not take it.
    """
    if what is Behind.PATCH:
        publisher.whisper(where, patches_message(report))
    else:
        publisher.whisper(where, file_as_message(_title("Evidence", report), evidence_text(report), ALONE))


def _evidence(publisher: Publisher, where: Where, report: Report) -> None:
    publisher.attach(where, name="evidence.txt", content=evidence_text(report), title=_title("Evidence", report))


def _patch(publisher: Publisher, where: Where, report: Report) -> None:
    if report.patches:
        publisher.reply(where, patches_message(report))
        publisher.attach(where, name="patch.yaml", content=patches_file(report), title=_title("Patch", report))


def _title(what: str, report: Report) -> str:
    return f"{what}: {report.title}"


_ATTACH: Mapping[Behind, Callable[[Publisher, Where, Report], None]] = {
    Behind.EVIDENCE: _evidence,
    Behind.PATCH: _patch,
}
