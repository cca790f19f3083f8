"""The page about metrics, from their declarations."""

from collections.abc import Iterable, Iterator

from bot.metrics import Kind, Metric

_COMMANDS = "a subcommand, or `other`"
_MOST_NAMED = 15


def metrics_page(metrics: Iterable[Metric]) -> Iterator[str]:
    """Yield the paragraphs of the page."""
    yield "# Metrics"
    yield (
        "With `CILIUM_TRIAGE_METRICS_PORT` set, the web process and every worker answer `/metrics` there, on the"
        " address `CILIUM_TRIAGE_METRICS_HOST`, a port of its own: a NetworkPolicy can leave it to Prometheus. Nothing"
        " is sent anywhere; the program has no telemetry."
    )
    yield (
        "Every value of every label is declared. None is a name of a pod, a namespace, a cluster, a channel or a"
        " person, and every series is there from the start, at zero."
    )
    yield (
        "A worker answers for all of its processes; one that was killed has not forgotten what it counted"
        " ([decision 16](adr/0016-processes-count-in-memory-that-they-share.md)). Counters begin again at zero when the"
        " worker itself does. Gauges are told by web processes, all but the first of them from Redis when Prometheus"
        " asks: each tells the same, so take `max`, never `sum`."
    )
    yield (
        "`deploy/monitoring` has a dashboard for Grafana and alerts made of these;"
        " [operations.md](operations.md#alerts-on-the-bot-itself) says what to do about each alert."
    )
    listed = tuple(metrics)
    for kind in Kind:
        yield f"## {kind.capitalize()}s"
        rows = "\n".join(_row(one) for one in listed if one.kind is kind)
        yield f"| metric | labels | meaning |\n|---|---|---|\n{rows}"


def _row(metric: Metric) -> str:
    labels = "; ".join(f"`{name}`: {_values(values)}" for name, values in metric.labels.items())
    unit = " In seconds." if metric.kind is Kind.HISTOGRAM else ""
    return f"| `{metric.full_name}` | {labels} | {metric.meaning}{unit} |"


def _values(values: Iterable[str]) -> str:
    found = tuple(values)
    return ", ".join(found) if len(found) <= _MOST_NAMED else _COMMANDS
