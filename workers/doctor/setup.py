"""A whole setup: the cluster, and of Redis and Slack what the environment names; looked at, and put into words.

Redis and Slack need the extra ``slack``; a cluster is looked at without.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.render.clean import one_line
from handlers.doctor.check import Check, Standing, standing_of, unknown
from workers.doctor.cluster import cluster_checks
from workers.origin import Live, open_cluster

REDIS, SLACK = "REDIS_URL", "SLACK_BOT_TOKEN"
_REVIEWING = "CILIUM_TRIAGE_RIGHTS"


def checks_of(live: Live, environment: Mapping[str, str] = os.environ) -> Iterator[Check]:
    """Yield a check for each thing, as it is known.

    Raises:
        NotOpenedError: if the kubeconfig does not have the context.
    """
    source = open_cluster(live)
    try:
        yield from cluster_checks(source, reviews=bool(environment.get(_REVIEWING)))
    finally:
        source.close()
    if environment.get(REDIS) or environment.get(SLACK):
        try:
            from workers.doctor.around import around_checks
        except ModuleNotFoundError as error:
            yield unknown("Redis and Slack", f"{error.name} is not installed", "pip install 'cilium-triage[slack]'")
        else:
            yield from around_checks(environment)


def checks_json(checks: Sequence[Check]) -> dict[str, Any]:
    """Return the checks as plain JSON values."""
    rows = [
        {"about": one.about, "standing": one.standing.value, "said": one.said, "remedy": one.remedy or None}
        for one in checks
    ]
    return {"schema": 1, "standing": standing_of(checks).value, "checks": rows}


def lines_of(check: Check) -> str:
    """Return a check for a terminal: how it stands, and below what to do."""
    first = f"{check.standing.value:<12}{one_line(check.about)}: {one_line(check.said)}"
    return first + (f"\n{'':<12}→ {one_line(check.remedy)}" if check.remedy else "")


def last_lines(checks: Sequence[Check], environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Yield what was not looked at, and how many checks stand how."""
    of = (("Redis", REDIS), ("Slack", SLACK))
    absent = [f"{what} ({variable} is not set)" for what, variable in of if not environment.get(variable)]
    if absent:
        yield f"not looked at: {', '.join(absent)}"
    counts = [(sum(one.standing is standing for one in checks), standing) for standing in Standing]
    yield ", ".join(f"{count} {standing.value}" for count, standing in counts if count)
