"""Everything that an answer about the whole cluster depends on was read.

A list that is missing could hold what changes the answer, so that no such answer is a clean bill without it.
"""

from collections.abc import Iterator

from handlers.model.facts import Facts
from handlers.model.finding import Finding, Outcome, code
from handlers.model.question import AboutCluster
from handlers.probes.probe import probe
from handlers.whole_cluster import CLUSTER_PARTS, whole_of

PART_UNREAD = code(
    "PART_UNREAD",
    meaning="A part of the cluster that policies depend on could not be read, so that the answer may lack something.",
    template="The answer may lack something, for {part} could not be read: {detail}",
    advice="Let it be read: by more time, by a right in the cluster, or by an archive that holds it.",
)


@probe(answers=(AboutCluster,), codes=(PART_UNREAD,), uses=CLUSTER_PARTS, blocking=True)
def everything_is_read(question: AboutCluster, facts: Facts) -> Iterator[Finding]:
    """Name what was not read."""
    for unread in whole_of(question, facts).unread:
        advice = unread.remedy or PART_UNREAD.advice
        yield PART_UNREAD.finding(Outcome.UNKNOWN, blocking=True, advice=advice, part=unread.part, detail=unread.detail)
