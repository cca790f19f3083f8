"""The Celery application.

``celery -A workers.app worker`` and ``celery -A workers.app beat -S redbeat.RedBeatScheduler`` start here.

Its configuration is read from the environment when it is first needed, not when this module is imported.
"""

import sys
from typing import Any

import structlog
from billiard import current_process
from celery import Celery
from celery.signals import (
    setup_logging,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutting_down,
)
from kombu import Queue
from kombu.exceptions import OperationalError

from bot.clusters import SAY_EVERY
from bot.dispatch import QUEUE, SETUP, queue_of, queue_prefix
from bot.log import configure_logging
from bot.measured import measured
from bot.otel import trace
from bot.spans import spans
from workers.broker import TRANSPORT
from workers.schedule import beat_schedule
from workers.settings import NotConfiguredError, WorkerSettings, load_settings

USAGE_ERROR = 64
"""EX_USAGE of sysexits.h: the exit status when a setting is missing or wrong."""

_SIGN_OF_LIFE_EVERY = 10.0
_SETUP_EXPIRES = 60
"""Seconds after which a look at the setup is no longer worth the time of a worker."""

log = structlog.get_logger(__name__)

app = Celery("cilium-triage", include=["workers.tasks"])


def configuration(settings: WorkerSettings) -> dict[str, Any]:
    """Return Celery's configuration.

    A message is gone once a worker has it: who must still be answered stands in ``bot.waiters``, and is sent again from
    there. So the broker keeps no list of its own (``ack_emulation``), and a worker takes no message for which it has no
    idle process. Only a killed process is replaced by its parent, which knows of it at once.
    """
    url = settings.redis_url.get_secret_value()
    return {
        "broker_url": url,
        "broker_transport": TRANSPORT,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": {
            "ack_emulation": False,
            "global_keyprefix": queue_prefix(settings.key_prefix),
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 25,
        },
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_default_queue": QUEUE,
        "task_queues": [Queue(queue_of(name)) for name in dict.fromkeys(("", *(one.name for one in settings.served)))],
        "task_soft_time_limit": settings.soft_limit,
        "task_time_limit": settings.hard_limit,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "worker_max_tasks_per_child": 1000,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_send_task_events": False,
        "enable_utc": True,
        "timezone": "UTC",
        "beat_schedule": beat_schedule(settings.digests),
        "beat_max_loop_interval": 30,
        "redbeat_redis_url": url,
        "redbeat_key_prefix": f"{settings.key_prefix}:redbeat:",
        "redbeat_lock_timeout": 120,
    }


def _settings() -> WorkerSettings:
    try:
        return load_settings()
    except NotConfiguredError as error:
        raise _refusal(error) from None


def _refusal(error: NotConfiguredError) -> SystemExit:
    # Celery goes on after any other exception of a signal handler, and shows a stack for one of the configuration.
    sys.stderr.write(f"cilium-triage worker: {error}\n")
    return SystemExit(USAGE_ERROR)


app.add_defaults(lambda: configuration(_settings()))


@setup_logging.connect
def _logs(**_: object) -> None:
    configure_logging(_settings().log_level)


@worker_init.connect
def _load_before_the_fork(**_: object) -> None:
    # The children share the memory of what is loaded here, and the first question does not wait for it.
    from workers import deps

    try:
        deps.preload(_settings())
    except NotConfiguredError as error:
        raise _refusal(error) from None


@worker_ready.connect
def _show_signs_of_life(sender: Any, **_: object) -> None:
    alive = _settings().alive_file
    if alive is not None:
        alive.touch()
        # On the timer of the loop that takes questions: when that hangs, the signs stop.
        sender.timer.call_repeatedly(_SIGN_OF_LIFE_EVERY, alive.touch)


@worker_ready.connect
def _say_what_is_looked_at(sender: Any, **_: object) -> None:
    from workers import deps

    names = [one.name for one in _settings().served]
    clusters = deps.clusters(_settings())
    clusters.say(names)
    sender.timer.call_repeatedly(SAY_EVERY, clusters.say, (names,))


@worker_ready.connect
def _look_at_setup(**_: object) -> None:
    try:
        # In a child: the clients that it needs must not be open in a process that forks.
        app.send_task(SETUP, queue=queue_of(_settings().served[0].name), expires=_SETUP_EXPIRES)
    except OperationalError as error:
        log.warning("setup_not_looked_at", error=type(error).__name__)


@worker_process_init.connect
def _count_in_a_row_of_its_own(**_: object) -> None:
    measured.in_row(getattr(current_process(), "index", 0))


@worker_process_init.connect
def _trace(**_: object) -> None:
    trace("cilium-triage-worker", with_questions=_settings().trace_questions)


@worker_process_shutdown.connect
def _send_spans(**_: object) -> None:
    spans.end()


@worker_ready.connect
def _show_metrics(**_: object) -> None:
    from bot.metrics_server import served

    settings = _settings()
    server = served(settings.metrics_host, settings.metrics_port)
    if server is not None:
        log.info("metrics_served", host=settings.metrics_host, port=server.port)
        worker_shutting_down.connect(lambda **_: server.close(), weak=False)


@worker_ready.connect
def _watch(**_: object) -> None:
    from workers import deps

    deps.watch(_settings()).start()


@worker_ready.connect
def _hear_events(**_: object) -> None:
    from workers.events.wiring import event_watches

    for watch in event_watches(_settings()):
        watch.start()
        worker_shutting_down.connect(lambda watch=watch, **_: watch.stop(), weak=False)
