"""More of the same: other names, labels that are missing, other versions of templates and of senders."""

from tests.alerts.payloads import POD, alert, attachment, event, events, kubernetes_event, one, section, webhook
from tests.alerts.rows import IGNORE, Row, ask, triage

_CHECKOUT = "checkout-api-5b7d76d7d7-h7ml5"
_GRAFANA = "grafana-5c6bcf4dd4-t4tn8"

VARIANTS = (
    Row(
        "Alertmanager's API has no envelope",
        [
            {
                "annotations": {},
                "startsAt": "2026-11-21T14:00:00Z",
                "fingerprint": "aa",
                "status": {"state": "active", "inhibitedBy": [], "silencedBy": []},
                "labels": {"alertname": "KubePodNotReady", "namespace": "payments", "pod": _CHECKOUT},
            }
        ],
        (triage(f"why host payments/{_CHECKOUT}", f"drops payments/{_CHECKOUT}"),),
    ),
    Row(
        "Prometheus' own list of alerts",
        {
            "status": "success",
            "data": {
                "alerts": [
                    {
                        "labels": {"alertname": "KubeNodeNotReady", "node": "lab-node-2"},
                        "annotations": {},
                        "state": "firing",
                        "activeAt": "2026-11-21T14:00:00Z",
                        "value": "1e+00",
                    }
                ]
            },
        },
        (triage("health lab-node-2"),),
    ),
    Row(
        "labels of OpenTelemetry",
        one("KubePodNotReady", **{"k8s.namespace.name": "monitoring", "k8s.pod.name": _GRAFANA}),
        (triage(f"why host monitoring/{_GRAFANA}"),),
    ),
    Row(
        "labels of an old Prometheus chart",
        one("KubernetesPodNotHealthy", kubernetes_namespace="monitoring", kubernetes_pod_name=_GRAFANA),
        (triage(f"why host monitoring/{_GRAFANA}"),),
    ),
    Row(
        "a stateful set's pod",
        one("KubePodNotReady", namespace="payments", pod="ledger-db-0", cluster="eu-1"),
        (triage("why host payments/ledger-db-0", "drops payments/ledger-db-0"),),
    ),
    Row(
        "a Probe of the operator names its exporter by the job",
        one(
            "ProbeFailed",
            instance="https://api.stripe.com",
            job="probe/monitoring/stripe",
            namespace="monitoring",
            target="https://api.stripe.com",
        ),
        (triage("why monitoring/blackbox-exporter api.stripe.com 443"),),
    ),
    Row(
        "a chart's exporter by its service",
        one(
            "BlackboxProbeFailed",
            instance="10.96.120.206:8080",
            namespace="monitoring",
            service="prometheus-blackbox-exporter",
        ),
        (triage("why monitoring/prometheus-blackbox-exporter 10.96.120.206 8080"),),
    ),
    Row(
        "an IPv6 target",
        one("BlackboxProbeFailed", instance="http://[2001:db8::7]:8443/x", namespace="monitoring"),
        (triage("why monitoring/blackbox-exporter 2001:db8::7 8443"),),
    ),
    Row(
        "a ping of the exporter",
        one("BlackboxProbeFailed", instance="198.18.10.7", job="blackbox-icmp", namespace="monitoring"),
        (triage("why monitoring/blackbox-exporter 198.18.10.7 icmp"),),
    ),
    Row(
        "hubble's verdicts, with app labels",
        one(
            "HubblePolicyDenied",
            job="hubble-metrics",
            source_namespace="payments",
            source_app="fraud-worker",
            destination_namespace="payments",
            destination_app="ledger-db",
            direction="egress",
            match="none",
            action="dropped",
        ),
        (triage("why payments/fraud-worker payments/ledger-db"),),
    ),
    Row(
        "hubble's labels by address",
        one(
            "HubbleDropsHigh",
            source_ip="10.244.0.18",
            destination_ip="10.244.0.233",
            protocol="TCP",
            reason="POLICY_DENIED",
        ),
        (triage("why 10.244.0.18 10.244.0.233"),),
    ),
    Row(
        "a reserved identity as destination",
        one("CiliumPolicyDropsSpiking", source="payments/checkout-api", destination="reserved:kube-apiserver"),
        (triage("why payments/checkout-api kube-apiserver"),),
    ),
    Row(
        "another alert's name on Hubble's metric",
        one("NetPolDropsTooHigh", source="shop/loadgen", destination="shop/frontend", reason="POLICY_DENIED"),
        (triage("why shop/loadgen shop/frontend"),),
    ),
    Row(
        "drops of another reason than policy",
        one("HubbleDropsHigh", source="shop/loadgen", destination="shop/frontend", reason="CT_MAP_INSERTION_FAILED"),
        (triage("why shop/loadgen shop/frontend", "drops shop/frontend"),),
    ),
    Row(
        "Istio's workloads with namespaces",
        one(
            "IstioHigh5xxErrorRate",
            source_workload="frontend",
            source_workload_namespace="shop",
            destination_workload="checkout-api",
            destination_workload_namespace="payments",
        ),
        (triage("why shop/frontend payments/checkout-api"),),
    ),
    Row(
        "Istio's destination by its full name",
        one(
            "IstioHigh5xxErrorRate",
            source_workload="frontend",
            source_workload_namespace="shop",
            destination_service="cart.shop.svc.cluster.local",
        ),
        (triage("why shop/frontend shop/svc/cart"),),
    ),
    Row(
        "Robusta's template of Alertmanager",
        attachment(
            "[FIRING:1] TargetDown (warning)",
            "*Summary:* One or more targets are unreachable.\n*Description:* 100% of the cart/cart targets in shop"
            " namespace are down.\n*Labels:*\n`prometheus`: monitoring/k8s",
        ),
        (triage("why monitoring/prometheus-k8s shop/svc/cart"),),
    ),
    Row(
        "fields of an attachment",
        attachment(
            "KubePodCrashLooping",
            fields=[
                {"title": "Namespace", "value": "payments", "short": True},
                {"title": "Pod", "value": _CHECKOUT, "short": True},
                {"title": "Severity", "value": "warning", "short": True},
            ],
        ),
        (triage(f"drops payments/{_CHECKOUT}"),),
    ),
    Row(
        "blocks with fields, name above value",
        event(
            {
                "text": "KubePodNotReady is firing",
                "blocks": section(
                    ":fire: *KubePodNotReady*",
                    fields=(f"*Pod*\n{_CHECKOUT}", "*Namespace*\npayments", "*Cluster*\neu-1"),
                ),
            }
        ),
        (triage(f"why host payments/{_CHECKOUT}"),),
    ),
    Row(
        "a group of two in one message, with a list",
        attachment(
            "[FIRING:2] KubePodNotReady (warning)",
            "*Alert:* KubePodNotReady\n• alertname: KubePodNotReady\n• namespace: shop\n• pod: redis-0\n"
            "• alertname: KubePodNotReady\n• namespace: payments\n• pod: ledger-db-0",
        ),
        (triage("why host shop/redis-0"), triage("why host payments/ledger-db-0")),
    ),
    Row(
        "Grafana's text with firing and resolved",
        event(
            {
                "attachments": [
                    {
                        "title": "[FIRING:1, RESOLVED:1] KubeNodeNotReady (lab)",
                        "text": "**Firing**\n\nValue: A=1\nLabels:\n - alertname = KubeNodeNotReady\n"
                        " - node = lab-node-1\n"
                        "Annotations:\nSource: https://g.example.com/x\n\n**Resolved**\n\nValue: A=0\nLabels:\n"
                        " - alertname = KubeNodeNotReady\n - node = lab-node-2\nAnnotations:\n",
                    }
                ]
            }
        ),
        (triage("health lab-node-1"), triage("health lab-node-2", state="resolved")),
    ),
    Row(
        "PagerDuty's card is resolved",
        event(
            {
                "text": "Resolved #4711",
                "blocks": section(
                    "*Resolved* by Jane\n*<https://acme.pagerduty.com/incidents/Q1|#4711>: eu-1 - KubeNodeNotReady:"
                    " lab-node-2 has been unready for more than 15 minutes.*"
                ),
            }
        ),
        (triage("health lab-node-2", state="resolved"),),
    ),
    Row(
        "PagerDuty's title without a cluster",
        event(
            {
                "attachments": [
                    {
                        "title": "[#12] KubeDeploymentReplicasMismatch: Deployment payments/checkout-api has not"
                        " matched the expected number of replicas for longer than 15 minutes.",
                        "text": "Triggered | Service: Kubernetes prod | Urgency: high",
                    }
                ]
            }
        ),
        (triage("why host payments/deploy/checkout-api", "drops payments/checkout-api"),),
    ),
    Row(
        "Opsgenie closes it",
        event(
            {
                "attachments": [
                    {
                        "title": f'Jane closed alert #81 "[Prometheus]: KubePodNotReady shop ({_CHECKOUT} warning)"',
                        "fields": [{"title": "Status", "value": "closed"}],
                    }
                ]
            }
        ),
        (triage(f"why host shop/{_CHECKOUT}", state="resolved"),),
    ),
    Row(
        "Opsgenie's description and tags",
        event(
            {
                "attachments": [
                    {
                        "title": "#82: KubeJobFailed",
                        "text": "Job payments/settle-28391 failed to complete. Removing failed job after investigation"
                        " should clear this alert.",
                        "fields": [{"title": "Tags", "value": "alertname=KubeJobFailed, cluster=eu-1"}],
                    }
                ]
            }
        ),
        (triage("drops payments/settle-28391"),),
    ),
    Row(
        "Datadog's older title",
        event(
            {
                "attachments": [
                    {
                        "title": "Triggered: [P2] Packet drops by policy on kube_namespace:payments,"
                        "kube_deployment:checkout-api",
                        "text": "cilium.drop_count.total was > 100",
                    }
                ]
            }
        ),
        (triage("drops payments/checkout-api"),),
    ),
    Row(
        "Datadog on memory",
        event(
            {
                "attachments": [
                    {
                        "title": "[Triggered on {kube_namespace:shop,pod_name:redis-0}] High memory usage",
                        "text": "Memory is above 90 %",
                    }
                ]
            }
        ),
        (IGNORE,),
    ),
    Row(
        "an event of the newer API",
        {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": "x", "namespace": "shop"},
            "regarding": {"kind": "Pod", "namespace": "shop", "name": "redis-0"},
            "reason": "Unhealthy",
            "note": 'Startup probe failed: timeout: failed to connect service "10.244.0.7:6379" within 1s:'
            " context deadline exceeded",
            "type": "Warning",
            "reportingController": "kubelet",
            "reportingInstance": "lab-node-1",
            "eventTime": "2026-11-21T14:39:52.000000Z",
        },
        (triage("why host shop/redis-0 6379"),),
    ),
    Row(
        "kubectl's list of events",
        {
            **events(
                kubernetes_event(
                    "PacketDrop",
                    "Outgoing packet dropped (policy_denied) to payments/ledger-db-0 (10.244.1.5) TCP/5432",
                    namespace="payments",
                    name="fraud-worker-6c96d6d547-nps45",
                ),
            ),
            "kind": "List",
        },
        (triage("why payments/fraud-worker-6c96d6d547-nps45 payments/ledger-db-0 5432/TCP"),),
    ),
    Row(
        "a packet without a port",
        kubernetes_event(
            "PacketDrop",
            "Incoming packet dropped (auth_required) from remote-node (10.90.0.2) SCTP",
            namespace="shop",
            name="redis-0",
        ),
        (triage("why remote-node shop/redis-0"),),
    ),
    Row(
        "a pod's sandbox gets no network",
        kubernetes_event(
            "FailedCreatePodSandBox",
            'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "3fc":'
            ' plugin type="cilium-cni" failed (add): unable to connect to Cilium agent',
            host="lab-node-2",
            namespace="shop",
            name="cart-5d94896484-bcdfg",
        ),
        (triage(),),
    ),
    Row(
        "a container restarts",
        kubernetes_event(
            "BackOff",
            "Back-off restarting failed container app in pod cart-5d94896484-bcdfg_shop(9)",
            host="lab-node-2",
            namespace="shop",
            name="cart-5d94896484-bcdfg",
        ),
        (triage("drops shop/cart-5d94896484-bcdfg"),),
    ),
    Row(
        "an image is not there",
        kubernetes_event("BackOff", "Back-off pulling image x", namespace="shop", name="cart-5d94896484-bcdfg"),
        (IGNORE,),
    ),
    Row(
        "a subject grouped by namespace, or by cluster: nobody can tell",
        f"[FIRING:1] KubePodNotReady payments (eu-1 {_CHECKOUT} monitoring/k8s warning)",
        (ask(f"why host payments/{_CHECKOUT}", f"why host eu-1/{_CHECKOUT}"),),
    ),
    Row(
        "a subject of kube-state-metrics with all its labels",
        f"[FIRING:1] KubePodCrashLooping (eu-1 checkout-api https-main 10.244.0.9:8443 kube-state-metrics payments"
        f" {_CHECKOUT} monitoring/k8s CrashLoopBackOff kube-state-metrics info b75066ca-84a7-4a8f-b414-c0ac20d1d838)",
        (triage(f"drops payments/{_CHECKOUT}"),),
    ),
    Row(
        "a subject of a node",
        "[FIRING:1] KubeNodeNotReady (Ready prod https-main 10.244.0.9:8443 kube-state-metrics lab-node-2 true info)",
        (triage("health lab-node-2"),),
    ),
    Row(
        "two subjects, a line each",
        "[FIRING:1] KubePodNotReady (prod shop redis-0 warning)\n[RESOLVED] KubeNodeNotReady lab-node-1 (warning)",
        (triage("why host shop/redis-0"), triage("health lab-node-1", state="resolved")),
    ),
    Row(
        "a probe's words that somebody pasted with the pod",
        "Pod shop/redis-0: Readiness probe failed: dial tcp 10.244.0.7:6379: i/o timeout",
        (triage("why host shop/redis-0 6379"),),
    ),
    Row(
        "a name of 300 letters and one in another script",
        webhook(
            alert("KubePodNotReady", namespace="s" * 300, pod="x" * 300), alert("KubeNodeNotReady", node="lаb-node-1")
        ),
        (ask("drops"), triage("health")),
    ),
    Row(
        "a line of kubectl's list of events",
        f"shop  3s  Warning  Unhealthy  pod/{POD}  Readiness probe failed: dial tcp 10.244.0.233:8080: i/o timeout",
        (triage(f"why host shop/{POD} 8080", f"drops shop/{POD}"),),
    ),
    Row(
        "an event as YAML",
        "apiVersion: v1\nkind: Event\nreason: Unhealthy\nmessage: 'Readiness probe failed: context deadline exceeded'\n"
        "involvedObject:\n  kind: Pod\n  namespace: shop\n  name: redis-0\ntype: Warning\n",
        (triage("why host shop/redis-0"),),
    ),
    Row(
        "a frame of a watch",
        {
            "type": "ADDED",
            "object": kubernetes_event(
                "Unhealthy",
                "Readiness probe failed: dial tcp 10.244.0.7:6379: connect: no route to host",
                namespace="shop",
                name="redis-0",
            ),
        },
        (triage("why host shop/redis-0 6379"),),
    ),
    Row(
        "namespaces alone on both sides",
        one("CiliumPolicyDropsSustained", source_namespace="shop", destination_namespace="payments"),
        (triage("drops payments", "drops shop"),),
    ),
    Row(
        "a rule of Grafana's with a name of several words",
        attachment("[FIRING:1] High packet drop rate", "Value: 30"),
        (ask("drops"),),
    ),
    Row("Grafana has no numbers", one("DatasourceNoData", rulename="x", grafana_folder="k8s"), (IGNORE,)),
    Row(
        "two clusters, a line each",
        attachment("[FIRING:2] KubeNodeNotReady", "cluster=prod node=lab-node-1\ncluster=edge node=lab-node-1"),
        (triage("health lab-node-1"), triage("health lab-node-1")),
    ),
    Row(
        "pods below their namespace",
        attachment("[FIRING:2] KubePodNotReady (shop)", "namespace: shop\npod: redis-0\npod: " + POD),
        (triage("why host shop/redis-0"), triage(f"why host shop/{POD}")),
    ),
    Row(
        "a pair in a title's words",
        "prod - CiliumPolicyDropsSpiking: Policy drops from shop/loadgen to payments/ledger-db",
        (triage("why shop/loadgen payments/ledger-db"),),
    ),
    Row("a pod without its namespace", one("KubePodNotReady", pod=POD), (ask(f"why host {POD}"),)),
    Row(
        "a pod in somebody's words",
        f"KubePodNotReady fired again for shop/{POD}, anyone looking?",
        (triage(f"why host shop/{POD}"),),
    ),
    Row(
        "a history of a channel",
        {
            "ok": True,
            "messages": [
                attachment("[FIRING:1] KubeNodeNotReady (lab-node-1 warning)")["event"],
                {"type": "message", "user": "U1", "ts": "1.2", "text": "on it"},
            ],
        },
        (triage("health lab-node-1"), IGNORE),
    ),
    Row(
        "a subject of a target",
        "[FIRING:1] TargetDown (prod https://10.244.0.233:9090 cart shop monitoring/k8s cart warning)",
        (ask("why monitoring/prometheus-k8s shop/svc/cart"),),
    ),
    Row(
        "a subject of a probe",
        "[FIRING:1] BlackboxProbeFailed (prod https://shop.example.com/health blackbox-exporter monitoring critical)",
        (triage("why blackbox-exporter shop.example.com 443"),),
    ),
    Row(
        "a subject of a node, beside a word that could be one",
        "[FIRING:1] KubeNodeNotReady (prod lab-node-2 warning)",
        (triage("health lab-node-2"),),
    ),
    Row(
        "a subject of a pair",
        f"[FIRING:1] CiliumPolicyDropsSpiking (prod payments/{_CHECKOUT} monitoring/k8s info shop/loadgen)",
        (triage(f"why shop/loadgen payments/{_CHECKOUT}"),),
    ),
    Row(
        "a subject of a forwarder",
        "[FIRING:1] CoreDNSForwardErrorsHigh (prod kube-dns kube-system coredns-7c5f44bc86-b4jlb critical 10.0.0.2:53)",
        (triage("why kube-system/coredns 10.0.0.2 53/UDP"),),
    ),
    Row(
        "a subject of an agent",
        "[FIRING:1] CiliumAgentHighDeniedRate (cilium-7cc8m Policy denied warning)",
        (triage("drops"),),
    ),
    Row(
        "a title that was cut",
        f"[FIRING:1] KubePodNotReady (prod payments {_CHECKOUT} kube-prom...",
        (triage(f"why host payments/{_CHECKOUT}"),),
    ),
    Row(
        "Datadog's recommended monitor of crashing pods",
        attachment(f"[Triggered] [kubernetes] Pod {_CHECKOUT} is CrashloopBackOff on namespace payments"),
        (triage(f"drops payments/{_CHECKOUT}"),),
    ),
    Row(
        "Datadog's recommended monitor of images",
        attachment(f"[Triggered] [kubernetes] Pod {_CHECKOUT} is ImagePullBackOff on namespace payments"),
        (IGNORE,),
    ),
    Row(
        "labels in an annotation alone",
        one("KubeJobFailed", annotations={"description": "Job payments/settle-28391 failed to complete."}),
        (triage("drops payments/settle-28391"),),
    ),
    Row(
        "a packet to the world by IPv6",
        kubernetes_event(
            "PacketDrop",
            "Outgoing packet dropped (policy_denied) to world-ipv6 (2001:db8::1) TCP/443",
            namespace="payments",
            name=_CHECKOUT,
        ),
        (triage(f"why payments/{_CHECKOUT} 2001:db8::1 443/TCP"),),
    ),
    Row(
        "a probe's words in an annotation",
        one(
            "PodUnhealthy",
            annotations={"message": "Readiness probe failed: dial tcp 10.244.0.7:6379: connect: connection refused"},
            namespace="shop",
            pod="redis-0",
        ),
        (IGNORE,),
    ),
    Row(
        "a series as Prometheus writes it",
        'KubePodNotReady{namespace="payments", pod="ledger-db-0", severity="warning"} 1',
        (triage("why host payments/ledger-db-0"),),
    ),
    Row(
        "German words",
        {"type": "message", "user": "U1", "ts": "1.2", "text": "Kann shop/frontend auf shop/cart Port 8080 zugreifen?"},
        (triage("why shop/frontend shop/cart 8080"),),
    ),
)
