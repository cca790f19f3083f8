"""What incident tools hand on to webhooks of their own, and other ways in which the same alerts are dressed."""

import json
from typing import Any

from tests.alerts.payloads import alert, attachment, event, grafana, kubernetes_event, one, webhook
from tests.alerts.rows import IGNORE, Row, ask, triage

CART, LOADGEN = "cart-55ccff755-852ks", "loadgen-7d654f56fb-ddrcg"
_NOT_READY = f"prod - KubePodNotReady: Pod shop/{CART} has been in a non-ready state for longer than 15 minutes."
_DROP = kubernetes_event(
    "PacketDrop",
    f"Incoming packet dropped (policy_denied) from shop/{LOADGEN} (10.0.0.1) TCP/6379",
    namespace="shop",
    name="redis-0",
)


def _pagerduty(kind: str, title: str, details: Any = None) -> Any:
    incident = {"id": "P1", "type": "incident", "title": title, "service": {"summary": "Kubernetes prod"}}
    body = {"body": {"type": "incident_body", "details": details}} if details else {}
    return {"event": {"event_type": kind, "resource_type": "incident", "data": {**incident, **body}}}


def grafana_value(name: str, series: str, **labels: str) -> Any:
    """A webhook of Grafana's whose rule kept these labels, and looked at that series."""
    made = grafana(alert(name, **labels))
    made["alerts"][0]["valueString"] = f"[ var='B' labels={{{series}}} value=12 ]"
    return made


def _opsgenie(action: str, message: str, **details: str) -> Any:
    inner = {"message": message, "tags": ["prod"], "details": details, "description": "", "priority": "P2"}
    return {"action": action, "alert": inner, "integrationName": "Alertmanager"}


def _datadog(title: str, transition: str, tags: str) -> Any:
    return {"id": "1", "title": title, "body": "%%%\n%%%", "alert_transition": transition, "tags": tags}


RELAYED = (
    Row("PagerDuty's webhook", _pagerduty("incident.triggered", _NOT_READY), (triage(f"why host shop/{CART}"),)),
    Row(
        "PagerDuty's webhook, resolved",
        _pagerduty("incident.resolved", _NOT_READY),
        (triage(f"why host shop/{CART}", state="resolved"),),
    ),
    Row(
        "PagerDuty's webhook with details",
        _pagerduty("incident.triggered", "KubeNodeNotReady", {"alertname": "KubeNodeNotReady", "node": "lab-node-2"}),
        (triage("health lab-node-2"),),
    ),
    Row(
        "PagerDuty's webhook about a disk",
        _pagerduty("incident.triggered", "[FIRING:1] NodeFilesystemSpaceFillingUp (10.90.0.1:9100 /dev/sda1)"),
        (IGNORE,),
    ),
    Row(
        "what Alertmanager sends to PagerDuty",
        {
            "event_action": "trigger",
            "dedup_key": "abc",
            "payload": {
                "summary": "[FIRING:1] CiliumPolicyDropsSpiking (shop/frontend shop/cart)",
                "severity": "critical",
                "custom_details": {
                    "firing": "Labels:\n - alertname = CiliumPolicyDropsSpiking\n - source = shop/frontend\n"
                    " - destination = shop/cart\nAnnotations:\nSource: http://p\n",
                    "num_firing": "1",
                    "resolved": "",
                },
            },
        },
        (triage("why shop/frontend shop/cart"),),
    ),
    Row(
        "Opsgenie's webhook",
        _opsgenie(
            "Create",
            "[FIRING:1] KubeDeploymentReplicasMismatch (checkout-api payments warning)",
            namespace="payments",
            deployment="checkout-api",
        ),
        (triage("why host payments/deploy/checkout-api"),),
    ),
    Row(
        "Opsgenie's webhook, closed",
        _opsgenie("Close", "KubeNodeUnreachable", node="lab-node-1"),
        (triage("health lab-node-1", state="resolved"),),
    ),
    Row(
        "Datadog's webhook",
        _datadog(
            "[Triggered on {kube_namespace:shop,kube_deployment:cart}] TCP connection timeouts",
            "Triggered",
            "kube_namespace:shop,kube_deployment:cart,monitor",
        ),
        (triage("drops shop/cart"),),
    ),
    Row(
        "Datadog's webhook, recovered",
        _datadog("[Recovered on {kube_namespace:shop,kube_deployment:cart}] TCP connection timeouts", "Recovered", ""),
        (triage("drops shop/cart", state="resolved"),),
    ),
    Row(
        "Datadog's node that is not ready",
        attachment("[Triggered] [kubernetes] Node lab-node-2 is not ready", "Node status is not Ready."),
        (triage("health lab-node-2"),),
    ),
    Row(
        "Grafana's former webhook",
        {
            "evalMatches": [
                {"value": 22, "metric": "drops", "tags": {"source": "shop/frontend", "destination": "shop/cart"}}
            ],
            "message": "policy drops",
            "ruleName": "Policy drops",
            "state": "alerting",
            "title": "[Alerting] Policy drops",
        },
        (triage("why shop/frontend shop/cart"),),
    ),
    Row(
        "a title, a status and metadata",
        {"title": "KubePodNotReady", "status": "firing", "metadata": {"namespace": "shop", "pod": CART}},
        (triage(f"why host shop/{CART}"),),
    ),
    Row(
        "a title, a state and labels",
        {"title": "KubePodNotReady", "state": "CREATED", "labels": {"namespace": "shop", "pod": "redis-0"}},
        (triage("why host shop/redis-0"),),
    ),
    Row(
        "Splunk On-Call's recovery",
        {
            "message_type": "RECOVERY",
            "entity_display_name": "KubeNodeNotReady",
            "state_message": "Node lab-node-2 has been unready for more than 15 minutes",
        },
        (triage("health lab-node-2", state="resolved"),),
    ),
    Row(
        "a description for each alert, and no labels",
        attachment(
            "[FIRING:2] KubePodNotReady (prod shop kube-prometheus/k8s warning)",
            f"*Alert:* Pod not ready\n*Description:* Pod shop/{CART} has been in a non-ready state.\n"
            "*Alert:* Pod not ready\n*Description:* Pod shop/redis-0 has been in a non-ready state.",
        ),
        (triage(f"why host shop/{CART}"), triage("why host shop/redis-0")),
    ),
    Row(
        "an identity by its labels",
        one(
            "CiliumPolicyDropsSpiking",
            source="k8s:app=frontend,k8s:io.kubernetes.pod.namespace=shop",
            destination="k8s:app.kubernetes.io/name=cart,k8s:app=x,k8s:io.kubernetes.pod.namespace=shop",
        ),
        (triage("why shop/frontend shop/cart"),),
    ),
    Row(
        "a kubelet by its node's name",
        one("KubeletInstanceUnreachable", instance="lab-node-2:10250", job="kubelet"),
        (triage("why prometheus node/lab-node-2 10250"),),
    ),
    Row(
        "a probe of a Service by its short name",
        one("BlackboxProbeFailed", instance="http://frontend.shop:8080/", namespace="monitoring"),
        (triage("why monitoring/blackbox-exporter shop/svc/frontend 8080"),),
    ),
    Row(
        "a probe of a web site with a port of its own",
        one("BlackboxProbeFailed", instance="http://example.com:8080/", namespace="monitoring"),
        (triage("why monitoring/blackbox-exporter example.com 8080"),),
    ),
    Row(
        "one node in two clusters, in a list of labels",
        attachment(
            "[FIRING:2] KubeNodeNotReady",
            "Labels:\n - cluster = prod\n - node = lab-node-1\n\nLabels:\n - cluster = edge\n - node = lab-node-1",
        ),
        (triage("health lab-node-1"), triage("health lab-node-1")),
    ),
    Row(
        "kubectl's other list of events",
        f"shop  60s (x5 over 3m)  Warning  Unhealthy  Pod/{CART}  "
        "Readiness probe failed: dial tcp 10.0.0.9:8080: i/o timeout",
        (triage(f"why host shop/{CART} 8080"),),
    ),
    Row(
        "Grafana's values have the labels that its rule did not keep",
        grafana_value("Policy drops", "destination=shop/cart, source=shop/frontend"),
        (triage("why shop/frontend shop/cart"),),
    ),
    Row(
        "values of another series are left alone",
        grafana_value("KubePodNotReady", "namespace=kube-system, pod=cilium-7cc8m", namespace="shop", pod="redis-0"),
        (triage("why host shop/redis-0"),),
    ),
    Row(
        "a list of what several senders said",
        [one("KubeNodeNotReady", node="lab-node-1"), _DROP, {"something": "else"}],
        (triage("health lab-node-1"), triage(f"why shop/{LOADGEN} shop/redis-0 6379/TCP")),
    ),
    Row(
        "a webhook that a gateway wrapped",
        {"headers": {}, "body": json.dumps(one("KubeNodeNotReady", node="lab-node-1"))},
        (triage("health lab-node-1"),),
    ),
    Row(
        "an event as YAML, behind a comment and with its keys in another order",
        "# what kubectl said\ncount: 3\ninvolvedObject:\n  kind: Pod\n  name: redis-0\n  namespace: shop\nkind: Event\n"
        "message: 'Readiness probe failed: dial tcp 10.0.0.9:6379: i/o timeout'\nreason: Unhealthy\n",
        (triage("why host shop/redis-0 6379"),),
    ),
    Row(
        "a forwarder that is asked over TLS",
        one("CoreDNSForwardErrorsHigh", to="tls://198.18.10.53:853"),
        (triage("why kube-system/coredns 198.18.10.53 853/TCP", "dns kube-system/coredns"),),
    ),
    Row(
        "drops between ends that nobody can be asked about",
        one("CiliumPolicyDropsSpiking", source="reserved:unknown", destination="reserved:unmanaged"),
        (triage("drops"),),
    ),
    Row(
        "an event without its kind, as it stands in a list",
        {key: value for key, value in _DROP.items() if key not in ("kind", "apiVersion")},
        (triage(f"why shop/{LOADGEN} shop/redis-0 6379/TCP"),),
    ),
    Row(
        "a pod by its generated name, and its namespace in words",
        event({"text": f"*#991* prod - PodNotReady: {CART} in namespace shop is not ready"}),
        (triage(f"why host shop/{CART}"),),
    ),
    Row(
        "Datadog's recommended monitor of replicas",
        attachment("[Triggered] [kubernetes] Deployment cart has less replicas than desired on namespace shop"),
        (triage("why host shop/deploy/cart"),),
    ),
    Row(
        "Datadog's host",
        attachment("[Triggered on {host:lab-node-2}] Host lab-node-2 is unreachable"),
        (triage("health lab-node-2"),),
    ),
    Row(
        "an interface of a node",
        one("NodeNetworkReceiveErrs", instance="lab-node-1:9100"),
        (triage("health lab-node-1"),),
    ),
    Row(
        "three clusters, one of them resolved",
        webhook(
            alert("KubeNodeNotReady", node="lab-node-1", cluster="a"),
            alert("KubeNodeNotReady", node="lab-node-1", cluster="b"),
            alert("KubeNodeNotReady", "resolved", node="lab-node-1", cluster="c"),
        ),
        (triage("health lab-node-1"), triage("health lab-node-1"), triage("health lab-node-1", state="resolved")),
    ),
    Row(
        "a watch of events, one behind the other",
        "\n".join([json.dumps(_DROP, indent=2)] * 2),
        (triage(f"why shop/{LOADGEN} shop/redis-0 6379/TCP"),),
    ),
    Row(
        "events as documents of YAML",
        "apiVersion: v1\nkind: Event\nreason: Unhealthy\nmessage: 'Readiness probe failed: dial tcp 10.0.0.9:6379: i/o"
        " timeout'\ninvolvedObject: {kind: Pod, namespace: shop, name: redis-0}\n---\napiVersion: v1\nkind: Event\n"
        "reason: NodeNotReady\nmessage: Node is not ready\ninvolvedObject: {kind: Node, name: lab-node-2}\n",
        (triage("why host shop/redis-0 6379"), triage("health lab-node-2")),
    ),
    Row(
        "kubectl describe names no pod, but dials one",
        "  Warning  Unhealthy  3s (x12)  kubelet  Readiness probe failed: dial tcp 10.244.0.21:8080: i/o timeout",
        (triage("why host 10.244.0.21 8080"),),
    ),
    Row(
        "somebody names one end",
        {"type": "message", "user": "U1", "ts": "1.2", "text": "hello shop/cart"},
        (ask("drops shop/cart", "reach shop/cart from"),),
    ),
    Row(
        "text in rich text",
        event(
            {
                "text": "Triggered",
                "blocks": [
                    {
                        "type": "rich_text",
                        "elements": [
                            {
                                "type": "rich_text_section",
                                "elements": [
                                    {"type": "emoji", "name": "fire"},
                                    {"type": "text", "text": "prod - KubeNodeNotReady: lab-node-2 has been unready"},
                                ],
                            }
                        ],
                    }
                ],
            }
        ),
        (triage("health lab-node-2"),),
    ),
)

NO_ALERTS = {
    "a greeting": "hello world",
    "an entity": "world",
    "an empty object": "{}",
    "an empty list": "[]",
    "an issue of a tracker": '{"title": "x", "status": "open"}',
    "an event of something else": '{"event": {"data": {}}}',
    "brackets without an end": "[" * 100_000,
    "objects without an end": '{"alerts":' * 50_000,
    "empty objects, one behind the other": "{}\n" * 1_000,
    "a manifest that is none": "apiVersion: v1\nkind: Event\nx: &a [1]\ny: *b\n",
}
