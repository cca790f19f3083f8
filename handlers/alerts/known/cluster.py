"""Alerts about nodes, the control plane and the cluster's DNS."""

from collections.abc import Iterator

from handlers.alerts.alert import Alert, Labels
from handlers.alerts.ends import named, target_of
from handlers.alerts.known.entry import KnownAlert, node_in
from handlers.alerts.known.probing import scraper_of
from handlers.alerts.signal import Cause, Decision, Signal
from handlers.model.endpoint import Entity, EntityName, Kind, Named

_MIXIN = "kube-prometheus, kubernetesControlPlane-prometheusRule.yaml"
_COREDNS = "povilasv/coredns-mixin"
_DNS_NAMESPACE = "kube-system"

_SERVICE_OF_API = {
    "v1beta1.metrics.k8s.io": "metrics-server",
    "v1beta1.custom.metrics.k8s.io": "prometheus-adapter",
    "v1beta2.custom.metrics.k8s.io": "prometheus-adapter",
    "v1beta1.external.metrics.k8s.io": "keda-operator-metrics-apiserver",
}
"""Services that usually stand behind an APIService: the alert names the API alone."""


def _node(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    node = node_in(labels)
    yield Signal(Cause.NODE, f"node {node} is not ready" if node else "a node is not ready", node=node)


def _interface(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    target = target_of(labels.get("instance", ""))
    host = target[0].name if target is not None and isinstance(target[0], Named) else ""
    node = node_in(labels) or host
    yield Signal(Cause.NODE, f"an interface of {node or 'a node'} loses packets", node=node)


def _control_plane(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    target = target_of(labels.get("instance", ""))
    if target is None:
        yield Signal(Cause.NODE, "a part of the control plane is scraped nowhere", node=node_in(labels))
        return
    end, port = target
    if isinstance(end, Named) and end.namespace is None:
        end = Named(None, end.name, Kind.NODE)  # where node names are the addresses of scraping
    scraper = scraper_of(labels)
    yield Signal(Cause.SCRAPE, "is not scraped", scraper, end, str(port or ""), reason="it is Prometheus that asks it")


def _aggregated(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    name = labels.get("name", "")
    service = _SERVICE_OF_API.get(name.lower(), "")
    # The label is of the series' target in old versions, and that is ``default``.
    namespace = labels.get("namespace", "")
    namespace = namespace if namespace not in ("", "default") else ""
    asks = Entity(EntityName.KUBE_APISERVER)
    if service:
        usual = "monitoring" if service == "prometheus-adapter" else "kube-system"
        usual = "keda" if service.startswith("keda") else usual
        end = named(namespace or usual, service, Kind.SERVICE)
        yield Signal(Cause.REQUESTS, f"does not answer for {name}", asks, end)
    else:
        doubt = "which Service stands behind the API is not in the alert: kubectl get apiservice names it"
        yield Signal(
            Cause.REQUESTS, "an aggregated API is down", namespace=namespace, decision=Decision.ASK, reason=doubt
        )


def _coredns_forwards(_alert: Alert, labels: Labels) -> Iterator[Signal]:
    target = target_of(labels.get("to", ""))
    here = Named(labels.get("namespace") or _DNS_NAMESPACE, "coredns")
    source = named(here.namespace or "", here.name)
    if target is not None:
        # Over TLS or HTTPS it is asked at another port than 53, and by TCP alone.
        port = f"{target[1]}/TCP" if target[1] not in (None, 53) else ""
        yield Signal(Cause.DNS, "the upstream of DNS fails", source, target[0], port)
    else:
        yield Signal(Cause.DNS, "an upstream of DNS fails", namespace=_DNS_NAMESPACE)


def _coredns(_alert: Alert, _labels: Labels) -> Iterator[Signal]:
    yield Signal(Cause.DNS, "the cluster's DNS fails", namespace=_DNS_NAMESPACE)


KNOWN = (
    KnownAlert(
        (
            "KubeNodeNotReady",
            "KubeNodeUnreachable",
            "KubeNodeReadinessFlapping",
            "KubernetesNodeNotReady",
            "KubernetesNodeNetworkUnavailable",
            "NodeNetworkInterfaceFlapping",
        ),
        "A node is not ready or not reached; its agent and its way to the other nodes are looked at.",
        _MIXIN,
        _node,
        ("node",),
        also=("NodeNotReady",),
    ),
    KnownAlert(
        ("NodeNetworkReceiveErrs", "NodeNetworkTransmitErrs", "NodeBondingDegraded"),
        "An interface of a node has errors: packets are lost before policies see them.",
        "prometheus/node_exporter, docs/node-mixin",
        _interface,
    ),
    KnownAlert(
        (
            "KubeletDown",
            "KubeAPIDown",
            "KubeProxyDown",
            "KubeSchedulerDown",
            "KubeControllerManagerDown",
        ),
        "Nobody of a kind is scraped any more; the alert names no end.",
        _MIXIN,
        _control_plane,
    ),
    KnownAlert(
        (
            "KubeAPIInstanceUnreachable",
            "KubeletInstanceUnreachable",
            "KubeSchedulerInstanceUnreachable",
            "KubeControllerManagerInstanceUnreachable",
        ),
        "Prometheus does not reach a part of a node or of the control plane at its address.",
        _MIXIN,
        _control_plane,
        ("instance",),
        also=("KubeProxyInstanceUnreachable",),
    ),
    KnownAlert(
        (
            "KubeAggregatedAPIDown",
            "KubeAggregatedAPIErrors",
        ),
        "The API server does not reach the Service behind an aggregated API.",
        _MIXIN,
        _aggregated,
        ("name", "namespace"),
    ),
    KnownAlert(
        (
            "CoreDNSForwardErrorsHigh",
            "CoreDNSForwardHealthcheckFailureCount",
            "CoreDNSForwardHealthcheckBrokenCount",
            "CoreDNSForwardLatencyHigh",
        ),
        "CoreDNS does not reach a server that it forwards to; `to` is its address.",
        _COREDNS,
        _coredns_forwards,
        ("to",),
        also=("CoreDNSForwardHealthcheckFailure",),
    ),
    KnownAlert(
        (
            "CoreDNSErrorsHigh",
            "CoreDNSDown",
            "CoreDNSLatencyHigh",
            "CorednsPanicCount",
        ),
        "The cluster's DNS fails or is gone.",
        _COREDNS,
        _coredns,
        also=("KubeDNSDown",),
    ),
)
