"""Shows the metrics to Prometheus, on a port of its own: who may read them is then said by a NetworkPolicy.

Nothing is sent anywhere. No metric has a name of the cluster or of a person (``bot.metrics``).
"""

import os
from collections.abc import Callable, Iterator, Mapping

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from bot.measured import Measured, Series, measured
from bot.metrics import Kind, Metric

Gauges = Callable[[], Mapping[Metric, float]]
"""Reads how things are now; must not raise."""

log = structlog.get_logger(__name__)


class MetricsServer:
    """Answers ``/metrics`` (and every other path) in threads of its own, from the making to ``close``."""

    def __init__(self, host: str, port: int, gauges: Gauges = dict, counted: Measured = measured) -> None:
        """Listen.

        Raises:
            OSError: if the port is taken.
        """
        registry = CollectorRegistry()
        registry.register(_Everything(gauges, counted))
        self._server, self._thread = start_http_server(port, host, registry)
        # A process that is forked would keep the port after its parent has gone.
        os.register_at_fork(after_in_child=self._server.socket.close)

    @property
    def port(self) -> int:
        """The port, also where any was asked for."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def served(host: str, port: int | None, gauges: Gauges = dict) -> MetricsServer | None:
    """Return the server; None where nobody wants one, or the port is taken: answers matter more than figures."""
    if port is None:
        return None
    try:
        return MetricsServer(host, port, gauges)
    except OSError as error:
        log.error("metrics_not_served", host=host, port=port, error=type(error).__name__, reason=error.strerror)
        return None


class _Everything(Collector):
    def __init__(self, gauges: Gauges, counted: Measured) -> None:
        self._gauges = gauges
        self._counted = counted

    def describe(self) -> list[Family]:
        """Return nothing: asked for at registration, it would read Redis."""
        return []

    def collect(self) -> Iterator[Family]:
        families: dict[str, CounterMetricFamily | HistogramMetricFamily] = {}
        for series in self._counted.series():
            name = series.metric.name
            families[name] = families.get(name) or _family(series.metric)
            _add(families[name], series)
        yield from families.values()
        for metric, value in self._gauges().items():
            yield GaugeMetricFamily(metric.full_name, metric.meaning, value=value)


def _family(metric: Metric) -> CounterMetricFamily | HistogramMetricFamily:
    make = HistogramMetricFamily if metric.kind is Kind.HISTOGRAM else CounterMetricFamily
    return make(metric.full_name, metric.meaning, labels=tuple(metric.labels))


def _add(family: CounterMetricFamily | HistogramMetricFamily, series: Series) -> None:
    if isinstance(family, HistogramMetricFamily):
        *counts, total = series.values
        ends = (*map(str, map(float, series.metric.buckets)), "+Inf")
        family.add_metric(series.labels, list(zip(ends, counts, strict=True)), total)
    else:
        family.add_metric(series.labels, series.values[0])
