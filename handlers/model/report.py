"""The answer to one question, as values: what ought to happen, what was seen, why, and what nobody could see."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from handlers.model.finding import Finding, Hop, Outcome
from handlers.model.headline import Headline
from handlers.model.ownership import Ownership
from handlers.model.standing import Standing
from handlers.model.table import Table

SCHEMA = 5
"""Version of the report's JSON form (docs/report-schema.json)."""


class Expected(StrEnum):
    """What ought to happen, judged from configuration and state."""

    OPEN = "open"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class Observed(StrEnum):
    """What flows showed. NOTHING: looked everywhere and nobody tried; NO_DATA: could not look."""

    FORWARDED = "forwarded"
    DROPPED = "dropped"
    AUDITED = "audited"
    NOTHING = "nothing"
    NO_DATA = "no-data"


def expected_of(findings: Iterable[Finding]) -> Expected:
    """Derive the expectation: a blocking problem blocks; else a blocking unknown or broken probe leaves doubt.

    What the application at the end refuses, or keeps silent about, the network lets through all the same.
    """
    blocking = [finding for finding in findings if finding.blocking]
    if any(finding.outcome is Outcome.PROBLEM and finding.hop is not Hop.APPLICATION for finding in blocking):
        return Expected.BLOCKED
    if any(finding.outcome in (Outcome.UNKNOWN, Outcome.BROKEN) for finding in blocking):
        return Expected.UNKNOWN
    return Expected.OPEN


@dataclass(frozen=True, slots=True)
class IdentityNote:
    """A numeric identity that the report mentions, resolved. ``node`` is set where the number is node-local."""

    number: int
    labels: tuple[str, ...]
    carriers: tuple[str, ...]
    """Pods that carry it now, ``namespace/name``; at most a handful, ``more`` counts the rest."""
    more: int = 0
    node: str | None = None


@dataclass(frozen=True, slots=True)
class GapNote:
    """Something that could not be looked at."""

    part: str
    node: str | None
    gap: str
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much was seen. Times are None and counts zero where no flows were asked for.

    ``covered_since`` is the oldest moment that every node heard still remembered.
    """

    nodes_heard: tuple[str, ...] = ()
    nodes_silent: tuple[str, ...] = ()
    asked_since: datetime | None = None
    covered_since: datetime | None = None
    until: datetime | None = None
    flows_seen: int = 0
    events_lost: int = 0
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class AlsoOpens:
    """A flow besides the asked one that a patch would open: identity pair, port, and who that is now."""

    source: str
    destination: str
    port: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Patch:
    """A change of policy that was re-decided and opens the asked flow.

    ``also_opens`` is complete when ``blast_radius_known``; else ``blast_radius_gap`` says what could not be read.
    """

    title: str
    policy: str
    """``Kind/namespace/name`` of the object that is changed or made."""
    is_new: bool
    manifest: str
    diff: str
    json_patch: str
    command: str
    also_opens: tuple[AlsoOpens, ...]
    blast_radius_known: bool
    blast_radius_gap: str = ""
    checks: tuple[str, ...] = ()
    """What was proven, in words."""


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer. Findings stand in hop order (or the command's own order), worst first within a hop."""

    question: str
    """The question in normal form; typed after ``/cilium`` it asks the same again."""
    command: str
    headline: Headline
    taken_at: datetime
    source: str
    findings: tuple[Finding, ...]
    expected: Expected | None = None
    """None for commands that ask no reachability question."""
    observed: Observed | None = None
    identities: tuple[IdentityNote, ...] = ()
    gaps: tuple[GapNote, ...] = ()
    budget: Budget = field(default_factory=Budget)
    patches: tuple[Patch, ...] = ()
    patch_notes: tuple[str, ...] = ()
    """Why there is no patch, or what narrowing a deny rule would open."""
    notes: tuple[str, ...] = ()
    """How the names of the question were understood."""
    candidates: tuple[str, ...] = ()
    """Questions the asker may have meant, when a name was not clear."""
    tables: tuple[Table, ...] = ()
    versions: tuple[str, ...] = ()
    """What ran: Cilium, Kubernetes and the kernels, as far as the answer read them."""
    read_as: str = ""
    """The question as it is shown to who asked: ``shop/frontend → shop/cart 8080``."""
    standing: Standing | None = None
    """How the connection stood, for a later answer to be held against; None for questions that are about none."""
    cluster: str = ""
    """The cluster that was looked at, where there are several; empty where there is one."""
    withheld: tuple[str, ...] = ()
    """What was taken out because the reader may not read it, by kind and count: ``2 policies in a namespace …``."""
    ownership: Ownership | None = None
    """Whose its words are, for taking out what a reader may not read; None where nobody worked it out."""
    schema: int = SCHEMA

    @property
    def title(self) -> str:
        """What to call it: its question, or its command where the reader may not see all of the question."""
        return self.asking(self.question or self.command)

    def asking(self, question: str) -> str:
        """Return a question about the same cluster, as it is asked."""
        return f"{question} cluster {self.cluster}" if question and self.cluster else question

    def blockers(self) -> tuple[Finding, ...]:
        """Every blocking problem, in hop order: with one the connection does not work, whatever is expected."""
        return tuple(finding for finding in self.findings if finding.blocking and finding.outcome is Outcome.PROBLEM)

    def first_failing_hop(self) -> Hop | None:
        """Where the traffic stops first, if it does."""
        return next((finding.hop for finding in self.blockers()), None)


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What is certain while slow reads go on: the whole report holds all of it, and adds to it.

    ``awaited`` names the parts that are still read.
    """

    report: Report
    awaited: tuple[str, ...]

    def as_last(self) -> Report:
        """Return the answer where nothing more comes."""
        late = (GapNote(part, None, "timeout", "no answer in time") for part in self.awaited)
        return replace(self.report, gaps=(*self.report.gaps, *late))
