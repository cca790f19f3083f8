"""Exit statuses of the command line.

| status | a reachability question (``why``, ...) | any other question |
|---|---|---|
| 0 | open | no problem found |
| 1 | blocked, or refused or ignored by the application | a problem found |
| 2 | cannot tell, or names fail | something that matters was not read, or the answer not written |
| 64 | the question, an option or the archive was not understood (EX_USAGE of sysexits.h) | the same |
"""

from enum import IntEnum

from handlers.model.finding import Finding, Outcome
from handlers.model.report import Expected, Report


class Status(IntEnum):
    """What the process says when it ends."""

    FINE = 0
    PROBLEM = 1
    UNKNOWN = 2
    USAGE = 64
    INTERRUPTED = 130


_OF_EXPECTED = {Expected.OPEN: Status.FINE, Expected.BLOCKED: Status.PROBLEM, Expected.UNKNOWN: Status.UNKNOWN}


def status_of(report: Report) -> Status:
    """Return the exit status for a report; a name that meant several things, or nothing, cannot be told."""
    if report.blockers():
        return Status.PROBLEM
    if report.expected is Expected.OPEN and report.headline.status:
        return Status.UNKNOWN  # what passes now may not pass again, and the headline says why
    if report.expected is not None:
        return _OF_EXPECTED[report.expected]
    if any(finding.outcome is Outcome.PROBLEM for finding in report.findings):
        return Status.PROBLEM
    if report.candidates or not _says_enough(report.findings):
        return Status.UNKNOWN
    return Status.FINE


def _says_enough(findings: tuple[Finding, ...]) -> bool:
    in_doubt = [finding for finding in findings if finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN)]
    return not any(finding.blocking for finding in in_doubt) and (
        not in_doubt or any(finding.outcome is Outcome.FINE for finding in findings)
    )
