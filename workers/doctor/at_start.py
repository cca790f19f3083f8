"""A worker looks at its setup when it starts: what is not as it should be is logged, and kept for App Home."""

from collections.abc import Iterator

import redis
import structlog

from bot.doctor.kept import KeptSetups
from bot.doctor.redis import redis_state
from handlers.doctor.check import Check, Standing
from handlers.doctor.redis import redis_checks
from workers.doctor.cluster import cluster_checks
from workers.origin import Live, NotOpenedError, open_cluster
from workers.settings import WorkerSettings

WORKER = "worker"

log = structlog.get_logger(__name__)


def look_at_setup(settings: WorkerSettings, client: redis.Redis) -> list[Check]:
    """Look at every live cluster that the worker serves, and at Redis; return all checks."""
    found = list(_checks(settings))
    for check in found:
        if check.standing is not Standing.FINE:
            log.warning("setup", about=check.about, standing=check.standing, said=check.said, remedy=check.remedy)
    try:
        KeptSetups(client, prefix=settings.key_prefix).keep(f"{WORKER} {settings.cluster}".strip(), found)
    except redis.RedisError as error:
        log.warning("setup_not_kept", error=type(error).__name__)
    return found


def _checks(settings: WorkerSettings) -> Iterator[Check]:
    for one in settings.served:
        if isinstance(one.origin, Live):
            yield from _of_cluster(one.origin, reviews=bool(settings.rights), watches=settings.watch_events)
    yield from redis_checks(redis_state(settings.redis_url.get_secret_value(), prefix=settings.key_prefix))


def _of_cluster(live: Live, *, reviews: bool, watches: bool) -> Iterator[Check]:
    try:
        source = open_cluster(live)
    except NotOpenedError as error:
        yield Check("Kubernetes API", Standing.PROBLEM, str(error), "Set CILIUM_TRIAGE_CONTEXT to one that is there.")
        return
    try:
        yield from cluster_checks(source, reviews=reviews, watches=watches)
    finally:
        source.close()
