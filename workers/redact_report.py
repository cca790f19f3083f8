"""Take secrets out of an answer: it is read by a channel, and kept in Redis and in tickets of incident systems."""

from dataclasses import replace

from handlers.model.report import Report
from handlers.model.wire import decode, encode
from workers.redact import redacted

INCOMPLETE = "Values that look like secrets were left out of this patch: put them back before you apply it."


def without_secrets(report: Report) -> Report:
    """Return the same report, what looks like a secret replaced as in a recording.

    The question stays as it was asked, so that it can be asked again.
    """
    clean: Report = decode(Report, redacted(encode(report)))
    is_incomplete = clean.patches != report.patches
    notes = (*clean.patch_notes, INCOMPLETE) if is_incomplete else clean.patch_notes
    return replace(clean, question=report.question, patch_notes=notes)
