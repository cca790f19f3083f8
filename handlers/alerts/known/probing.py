"""Alerts of who asks from outside of a workload: Prometheus that scrapes, an exporter that probes."""

import re
from collections.abc import Iterator

from handlers.alerts.alert import Alert, Labels
from handlers.alerts.ends import named, target_of, victim_of
from handlers.alerts.known.entry import KnownAlert
from handlers.alerts.signal import Cause, Signal
from handlers.model.endpoint import Kind, Named

_PROMETHEUS = "kube-prometheus, kubePrometheus-prometheusRule.yaml"
_BLACKBOX = "monitoring-mixins, blackbox_exporter/alerts.yaml"
_EXPORTER = re.compile(r"[a-z0-9-]*blackbox-?exporter[a-z0-9-]*")
_JOB_OF_SERVICE = re.compile(r"(?:(?:serviceMonitor|podMonitor|probe)/)?[a-z0-9-]+(?:/[a-z0-9.-]+)*(?:/\d+)?")


def scraper_of(labels: Labels) -> Named:
    """Return who scrapes: the operator's label ``prometheus=NAMESPACE/NAME`` is of StatefulSet ``prometheus-NAME``.

    Without it the name alone: exactly one workload of it is found, or it is asked back.
    """
    namespace, _, name = labels.get("prometheus", "").partition("/")
    if name and (found := named(namespace, name if name.startswith("prometheus") else f"prometheus-{name}")):
        return found
    return Named(None, "prometheus")


def _target_is_down(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    scraper, namespace = scraper_of(labels), labels.get("namespace", "")
    reason = "" if scraper.namespace else "the alert does not name who scrapes: taken for prometheus"
    target = target_of(labels.get("instance", ""))
    port = str(target[1] or "") if target else ""
    end = victim_of(labels) if labels.get("pod") else None
    if end is None and (service := labels.get("service", "")):
        end = named(namespace, service, Kind.SERVICE)
        # The port of the Service may be another than that of the pods, which the instance tells.
        port = ""
    if end is None and target is not None:
        yield Signal(Cause.SCRAPE, "is not scraped", scraper, target[0], port, reason=reason)
    elif end is None and namespace and (job := _name_in_job(labels)):
        yield Signal(Cause.SCRAPE, "is not scraped", scraper, named(namespace, job), reason=reason)
    elif end is not None:
        yield Signal(Cause.SCRAPE, "is not scraped", scraper, end, port, reason=reason)


def _name_in_job(labels: Labels) -> str:
    job = labels.get("job", "")
    parts = [part for part in job.split("/") if part and not part.isdigit()]
    return parts[-1] if parts and _JOB_OF_SERVICE.fullmatch(job) else ""


def _probe_fails(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    target = target_of(labels.get("target") or labels.get("instance", ""))
    if target is None:
        return
    end, port = target
    module = labels.get("module", "") + labels.get("job", "")
    asked = "icmp" if port is None and "icmp" in module.lower() else str(port or "")
    yield Signal(Cause.PROBE, "is not reached by the probe", _prober(labels), end, asked)


def _prober(labels: Labels) -> Named:
    """Return the exporter: ``namespace`` is where it, or its Probe, lives; the instance is what it asks."""
    namespace = labels.get("namespace", "")
    for label in ("service", "container", "job"):
        value = labels.get(label, "")
        if _EXPORTER.fullmatch(value) and (found := named(namespace, value)):
            return found
    return named(namespace, "blackbox-exporter") or Named(None, "blackbox-exporter")


KNOWN = (
    KnownAlert(
        (
            "TargetDown",
            "InstanceDown",
            "PrometheusTargetMissing",
            "PrometheusJobMissing",
        ),
        "Prometheus does not reach what it scrapes.",
        f"{_PROMETHEUS}; prometheus.io, alerting rules",
        _target_is_down,
        ("namespace", "service"),
        also=(
            "EndpointDown",
            "ScrapeFailed",
        ),
    ),
    KnownAlert(
        (
            "BlackboxProbeFailed",
            "BlackboxProbeHttpFailure",
            "BlackboxProbeSlowHttp",
            "BlackboxProbeSlowPing",
        ),
        "The blackbox exporter does not reach an address; the exporter is the source.",
        f"{_BLACKBOX}; samber/awesome-prometheus-alerts, Blackbox",
        _probe_fails,
        ("instance",),
        also=(
            "ProbeFailed",
            "BlackboxProbeSlowProbe",
            "BlackboxHttpProbeFailed",
            "EndpointProbeFailed",
            "ProbeFailure",
        ),
    ),
)
