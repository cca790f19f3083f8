"""The answer in one sentence, made of the headline's parts: the first line of every surface."""

from dataclasses import replace

from handlers.model.finding import Hop, Sentence, Value
from handlers.model.report import Expected, Observed, Report

_BUT = "{claim}, but {reason}"
_SEEN_YET = "{claim} ({seen}), yet policy cannot be told: {reason}"
_WITH_REASON: dict[tuple[Expected | None, Observed | None], str] = {
    (Expected.OPEN, Observed.FORWARDED): _BUT,
    (Expected.OPEN, Observed.AUDITED): _BUT,
    (Expected.OPEN, Observed.DROPPED): "{claim}: {reason}; {seen}",
    (Expected.UNKNOWN, Observed.FORWARDED): _SEEN_YET,
    (Expected.UNKNOWN, Observed.AUDITED): _SEEN_YET,
    (Expected.UNKNOWN, Observed.DROPPED): "{claim} ({seen}); the cause cannot be told: {reason}",
}
"""How claim and reason are joined, where not by a colon: some answers rest on what was seen as well."""
_WITHOUT_REASON: dict[tuple[Expected | None, Observed | None], str] = {
    (Expected.OPEN, Observed.FORWARDED): "{claim}: {seen}",
    (Expected.OPEN, Observed.AUDITED): "{claim}: {seen}",
    (Expected.OPEN, Observed.DROPPED): "{claim}: {seen}",
    (Expected.OPEN, Observed.NOTHING): "{claim}; {seen}",
    (Expected.OPEN, Observed.NO_DATA): "{claim}, but {seen}",
}
"""Where nothing but the flows speaks for the claim, or against it."""


def sentence_of(report: Report, *, status: str = "") -> Sentence:
    """Return the answer as a sentence; behind a status that says what the claim's lead says, without that lead."""
    headline = report.headline
    claim = replace(headline.claim, lead="") if headline.claim.lead == status else headline.claim
    state = (report.expected, report.observed)
    is_refused = headline.place is Hop.APPLICATION and headline.status
    joined = "{claim}: {reason}" if is_refused else _WITH_REASON.get(state, "{claim}: {reason}")
    words = joined if headline.reason else _WITHOUT_REASON.get(state, "{claim}")
    values: dict[str, Value] = {
        "claim": claim,
        "reason": headline.reason,
        "seen": headline.seen,
        "others": headline.others,
        "changed": headline.changed,
        "assumed": headline.assumed,
    }
    if headline.others:
        words += ", and {others} more blocker{others:|s}"
    for number, more in enumerate(headline.more):
        words += f"; {{more_{number}}}"
        values[f"more_{number}"] = more
    if headline.changed:
        words += "; {changed}"
    if headline.assumed:
        words += " (assuming: {assumed})"
    return Sentence(words, values)
