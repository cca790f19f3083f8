"""Alerts about requests that fail: behind an Ingress, or between workloads of a mesh."""

from collections.abc import Iterator

from handlers.alerts.alert import Alert, Labels
from handlers.alerts.ends import named, side_of
from handlers.alerts.known.entry import KnownAlert
from handlers.alerts.signal import Cause, Signal
from handlers.model.endpoint import Kind, Named

_CONTROLLER = Named("ingress-nginx", "ingress-nginx-controller")
"""What the chart of ingress-nginx calls it."""


def _behind_nginx(alert: Alert, labels: Labels) -> Iterator[Signal]:
    """The controller measures: its own names are those that are not exported; the backend's are."""
    namespace = labels.get("namespace", "")
    controller = _controller(alert.labels)
    service = labels.get("service", "")
    if service and (end := named(namespace, service, Kind.SERVICE)):
        yield Signal(Cause.REQUESTS, "answers with errors behind its Ingress", controller, end)
    elif ingress := named(namespace, labels.get("ingress", "")):
        why = "the alert names no backend: the Ingress does"
        claim = f"the backend of Ingress {ingress} answers with errors"
        # Mostly the Service is called as its Ingress is; what a namespace drops is asked first.
        asked = (f"drops {ingress.namespace}", f"service {ingress.namespace}/svc/{ingress.name}")
        questions = asked if ingress.namespace else ()
        yield Signal(Cause.REQUESTS, claim, namespace=ingress.namespace or "", reason=why, questions=questions)


def _controller(raw: Labels) -> Named:
    namespace, pod = raw.get("controller_namespace", ""), raw.get("controller_pod", "")
    if any(name.startswith("exported_") for name in raw):
        namespace = namespace or raw.get("namespace", "")
        pod = pod or raw.get("pod", "")
    return (named(namespace, pod) if pod else None) or _CONTROLLER


def _in_a_mesh(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    source, destination = side_of(labels, "source"), side_of(labels, "destination")
    if destination is None:
        return
    if source is None:
        yield Signal(Cause.REQUESTS, "fails requests", destination=destination)
        return
    bare = [str(end) for end in (source, destination) if isinstance(end, Named) and end.namespace is None]
    reason = (
        f"no namespace is given for {' and '.join(bare)}: each is found where only one is so called" if bare else ""
    )
    yield Signal(Cause.REQUESTS, "requests fail", source, destination, reason=reason)


KNOWN = (
    KnownAlert(
        (
            "NginxHighHttp5xxErrorRate",
            "NGINXTooMany500s",
            "NginxHighHttp4xxErrorRate",
            "NginxLatencyHigh",
        ),
        "What stands behind an Ingress answers with errors, or not at all.",
        "monitoring-mixins, nginx; kubernetes/ingress-nginx",
        _behind_nginx,
        ("ingress", "namespace"),
        also=(
            "NginxIngressHigh5xxRate",
            "IngressNginxHigh5xx",
        ),
    ),
    KnownAlert(
        (
            "IstioHighHTTPRequestErrorsCritical",
            "IstioHighHTTPRequestErrorsWarning",
            "IstioHigh5xxErrorRate",
            "IstioHigh4xxErrorRate",
            "IstioHighRequestLatency",
        ),
        "Requests between two workloads fail; their names come without namespaces.",
        "monitoring-mixins, istio; samber/awesome-prometheus-alerts, Istio",
        _in_a_mesh,
        ("destination_canonical_service", "source_canonical_service"),
        also=("IstioHighHTTPRequestErrors",),
    ),
)
