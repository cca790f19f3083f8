"""A truth table: what is received, and the cards that come of it, by decision, state and first questions."""

from dataclasses import dataclass
from typing import Any

from tests.alerts.payloads import (
    FRONTEND,
    KSM,
    POD,
    alert,
    attachment,
    edited,
    event,
    events,
    grafana,
    kubernetes_event,
    one,
    section,
    webhook,
)


@dataclass(frozen=True)
class Row:
    id: str
    payload: Any
    expected: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Decision, state, and the first questions, for each card."""


def triage(*questions: str, state: str = "firing") -> tuple[str, str, tuple[str, ...]]:
    return "triage", state, questions


def ask(*questions: str) -> tuple[str, str, tuple[str, ...]]:
    return "ask", "firing", questions


IGNORE = ("ignore", "firing", ())

_SHOP_POD = {"namespace": "shop", "pod": POD}
_WHY_POD = (f"why host shop/{POD}", f"drops shop/{POD}")
_HUBBLE = {"job": "hubble-metrics", "namespace": "kube-system", "pod": "cilium-7cc8m", "service": "hubble-metrics"}

KUBERNETES = (
    Row("a pod that is not ready", one("KubePodNotReady", **_SHOP_POD, cluster="prod"), (triage(*_WHY_POD),)),
    Row(
        "exported labels win over kube-state-metrics' own",
        one(
            "KubePodNotReady",
            **KSM,
            namespace="monitoring",
            pod="kube-state-metrics-7b7c9d8d5f-x2x2x",
            exported_namespace="shop",
            exported_pod=POD,
        ),
        (triage(*_WHY_POD),),
    ),
    Row(
        "an exported namespace without exported pod leaves the exporter's pod out",
        one(
            "KubeDeploymentReplicasMismatch",
            **KSM,
            namespace="monitoring",
            pod="kube-state-metrics-7b7c9d8d5f-x2x2x",
            exported_namespace="shop",
            deployment="cart",
        ),
        (triage("why host shop/deploy/cart", "drops shop/cart"),),
    ),
    Row(
        "kube-state-metrics' container and instance are never the victim's",
        one("KubePodNotReady", **KSM, **_SHOP_POD),
        (triage(*_WHY_POD),),
    ),
    Row(
        "a crash loop looks at drops first",
        one(
            "KubePodCrashLooping", **KSM, **_SHOP_POD, reason="CrashLoopBackOff", uid="b75066ca-84a7-4a8f-b414-c0ac20d1"
        ),
        (triage(f"drops shop/{POD}"),),
    ),
    Row("killed for its memory", one("KubePodCrashLooping", **_SHOP_POD, reason="OOMKilled"), (IGNORE,)),
    Row(
        "replicas of a deployment are missing",
        one("KubeDeploymentReplicasMismatch", namespace="shop", deployment="cart"),
        (triage("why host shop/deploy/cart", "drops shop/cart"),),
    ),
    Row(
        "a rollout is stuck",
        one("KubeDeploymentRolloutStuck", namespace="shop", deployment="cart", condition="Progressing", status="false"),
        (triage("why host shop/deploy/cart", "drops shop/cart"),),
    ),
    Row(
        "replicas of a stateful set are missing",
        one("KubeStatefulSetReplicasMismatch", namespace="payments", statefulset="ledger-db"),
        (triage("why host payments/sts/ledger-db", "drops payments/ledger-db"),),
    ),
    Row(
        "a daemon set's rollout is stuck",
        one("KubeDaemonSetRolloutStuck", namespace="monitoring", daemonset="node-exporter"),
        (triage("why host monitoring/ds/node-exporter", "drops monitoring/node-exporter"),),
    ),
    Row(
        "Cilium's own daemon set is stuck",
        one("KubeDaemonSetRolloutStuck", namespace="kube-system", daemonset="cilium"),
        (triage("health"),),
    ),
    Row(
        "an agent's pod is not ready",
        one("KubePodNotReady", namespace="kube-system", pod="cilium-7cc8m", node="lab-node-1"),
        (triage("health lab-node-1"),),
    ),
    Row(
        "a job failed, and the label job is the scrape's",
        one("KubeJobFailed", **KSM, namespace="shop", job_name="import-28391"),
        (triage("drops shop/import-28391"),),
    ),
    Row("an image is not pulled", one("KubeContainerWaiting", **_SHOP_POD, reason="ImagePullBackOff"), (IGNORE,)),
    Row(
        "a container waits for its network",
        one("KubeContainerWaiting", **_SHOP_POD, reason="ContainerCreating"),
        (triage(),),
    ),
    Row(
        "a secret is missing", one("KubeContainerWaiting", **_SHOP_POD, reason="CreateContainerConfigError"), (IGNORE,)
    ),
    Row("a container waits, nobody says why", one("KubeContainerWaiting", **_SHOP_POD), (ask(f"why host shop/{POD}"),)),
    Row("an alert about a pod without its name", one("KubePodNotReady", namespace="shop"), (ask("drops shop"),)),
    Row("a node is not ready", one("KubeNodeNotReady", node="lab-node-1"), (triage("health lab-node-1"),)),
    Row("a node is unreachable", one("KubeNodeUnreachable", node="lab-node-2"), (triage("health lab-node-2"),)),
    Row("no kubelet is scraped", one("KubeletDown", cluster="prod"), (triage("health"),)),
    Row(
        "a kubelet is not reached at its address",
        one("KubeletInstanceUnreachable", instance="10.90.0.2:10250", job="kubelet", prometheus="monitoring/k8s"),
        (triage("why monitoring/prometheus-k8s 10.90.0.2 10250"),),
    ),
    Row(
        "an aggregated API is down",
        one("KubeAggregatedAPIDown", name="v1beta1.metrics.k8s.io", namespace="default"),
        (triage("why kube-apiserver kube-system/svc/metrics-server"),),
    ),
    Row("an unknown aggregated API is down", one("KubeAggregatedAPIDown", name="v1.shop.example.com"), (ask("drops"),)),
    Row("only the pod's metrics are late", one("KubePersistentVolumeFillingUp", **_SHOP_POD), (IGNORE,)),
    Row("a dead man's switch", one("Watchdog", severity="none"), (IGNORE,)),
    Row("an inhibitor", one("InfoInhibitor", namespace="shop"), (IGNORE,)),
    Row("memory is promised twice", one("KubeMemoryOvercommit"), (IGNORE,)),
    Row("a quota is nearly used", one("KubeQuotaAlmostFull", namespace="shop"), (IGNORE,)),
    Row("CPU is throttled", one("CPUThrottlingHigh", **_SHOP_POD), (IGNORE,)),
    Row("a node's disk fills", one("NodeFilesystemSpaceFillingUp", instance="10.90.0.1:9100"), (IGNORE,)),
    Row("an autoscaler is at its end", one("KubeHpaMaxedOut", namespace="shop"), (IGNORE,)),
    Row("a client certificate ends", one("KubeClientCertificateExpiration", job="apiserver"), (IGNORE,)),
    Row("Prometheus has a bad configuration", one("PrometheusBadConfig", namespace="monitoring"), (IGNORE,)),
)

PROBES = (
    Row(
        "a target is down, and its operator names who scrapes",
        one("TargetDown", job="cart", namespace="shop", service="cart", prometheus="monitoring/k8s"),
        (triage("why monitoring/prometheus-k8s shop/svc/cart"),),
    ),
    Row(
        "a target is down, and nobody names who scrapes",
        one("TargetDown", job="cart", namespace="shop", service="cart"),
        (triage("why prometheus shop/svc/cart"),),
    ),
    Row(
        "an instance is down at a pod",
        one("InstanceDown", instance="10.244.0.233:9090", namespace="shop", pod=POD, job="cart"),
        (triage(f"why prometheus shop/{POD} 9090"),),
    ),
    Row(
        "an instance is down at an address",
        one("InstanceDown", instance="10.90.0.1:9100", job="node"),
        (triage("why prometheus 10.90.0.1 9100"),),
    ),
    Row(
        "a probe of a URL fails; the namespace is the exporter's",
        one(
            "BlackboxProbeFailed",
            instance="https://shop.example.com/health",
            job="blackbox-exporter",
            namespace="monitoring",
            severity="critical",
        ),
        (triage("why monitoring/blackbox-exporter shop.example.com 443"),),
    ),
    Row(
        "a probe without a namespace",
        one("BlackboxProbeFailed", instance="http://shop.example.com:8080", job="blackbox-exporter"),
        (triage("why blackbox-exporter shop.example.com 8080"),),
    ),
    Row(
        "a probe of a Service inside",
        one("BlackboxProbeFailed", instance="http://cart.shop.svc:8080/healthz", namespace="monitoring"),
        (triage("why monitoring/blackbox-exporter shop/svc/cart 8080"),),
    ),
    Row(
        "CoreDNS does not reach its upstream, by UDP and TCP",
        one("CoreDNSForwardErrorsHigh", to="10.0.0.2:53", namespace="kube-system", pod="coredns-7c5f44bc86-b4jlb"),
        (triage("why kube-system/coredns 10.0.0.2 53/UDP", "why kube-system/coredns 10.0.0.2 53/TCP"),),
    ),
    Row("CoreDNS is down", one("CoreDNSDown", job="kube-dns"), (triage(),)),
    Row(
        "an Ingress answers with errors; its exported labels are the backend's",
        one(
            "NginxHighHttp5xxErrorRate",
            exported_namespace="shop",
            exported_service="cart",
            ingress="cart",
            namespace="ingress-nginx",
            pod="ingress-nginx-controller-6c8f7b9f5d-x7x2x",
        ),
        (triage("why ingress-nginx/ingress-nginx-controller-6c8f7b9f5d-x7x2x shop/svc/cart"),),
    ),
    Row(
        "an Ingress whose backend is not named",
        one("NginxHighHttp5xxErrorRate", exported_namespace="shop", ingress="cart"),
        (triage("drops shop"),),
    ),
    Row(
        "two services of a mesh, without namespaces",
        one(
            "IstioHighHTTPRequestErrorsCritical",
            source_canonical_service="frontend",
            destination_canonical_service="cart",
        ),
        (triage("why frontend cart"),),
    ),
)

CILIUM = (
    Row(
        "pods as source and destination; namespace and pod are the agent's",
        one("CiliumPolicyDropsSpiking", **_HUBBLE, source=f"shop/{FRONTEND}", destination=f"shop/{POD}"),
        (triage(f"why shop/{FRONTEND} shop/{POD}"),),
    ),
    Row(
        "workloads as source and destination",
        one("CiliumPolicyDropsSpiking", **_HUBBLE, source="shop/frontend", destination="shop/cart"),
        (triage("why shop/frontend shop/cart"),),
    ),
    Row(
        "the world as source",
        one("CiliumPolicyDropsSpiking", **_HUBBLE, source="reserved:world", destination="shop/frontend"),
        (triage("why world shop/frontend"),),
    ),
    Row(
        "an address as destination",
        one("CiliumPolicyDropsSpiking", source="payments/checkout-api", destination="198.18.10.7", protocol="TCP"),
        (triage("why payments/checkout-api 198.18.10.7"),),
    ),
    Row(
        "an empty destination",
        one("CiliumPolicyDropsSpiking", source="shop/frontend", destination=""),
        (triage("drops shop/frontend"),),
    ),
    Row(
        "the number of an identity",
        one("CiliumPolicyDropsSpiking", source="50404", destination="", **_HUBBLE),
        (triage("identity 50404", "drops"),),
    ),
    Row(
        "names without namespaces are asked back",
        one("CiliumPolicyDropsSpiking", source="frontend", destination="cart"),
        (ask("why frontend cart", "drops frontend", "drops cart"),),
    ),
    Row(
        "labels of a context: workload and namespace",
        one(
            "HubbleDropsHigh",
            **_HUBBLE,
            source_namespace="shop",
            source_workload="frontend",
            destination_namespace="payments",
            destination_workload="ledger-db",
            destination_port="5432",
            protocol="TCP",
        ),
        (triage("why shop/frontend payments/ledger-db 5432/TCP"),),
    ),
    Row(
        "a namespace alone is the destination's",
        one("CiliumPolicyDropsSustained", **_HUBBLE, destination_namespace="shop"),
        (triage("drops shop"),),
    ),
    Row(
        "Hubble's own namespace is nobody's",
        one("CiliumPolicyDropRateHigh", **_HUBBLE, direction="ingress", reason="POLICY_DENIED"),
        (triage("drops"),),
    ),
    Row(
        "a namespace that the rule kept",
        one("CiliumPolicyDropRateHigh", namespace="shop", direction="ingress", reason="POLICY_DENIED"),
        (triage("drops shop"),),
    ),
    Row(
        "drops on a node",
        one("CiliumPolicyDropSpike", node="lab-node-1", reason="Policy denied"),
        (triage("drops node/lab-node-1"),),
    ),
    Row(
        "denied pings are noise",
        one("CiliumPolicyDropBurst", destination_namespace="shop", reason="POLICY_DENIED", protocol="ICMPv4"),
        (IGNORE,),
    ),
    Row(
        "an agent counts drops",
        one("CiliumAgentHighDeniedRate", reason="Policy denied", pod="cilium-7cc8m"),
        (triage("drops"),),
    ),
    Row(
        "a map fills; its name may be empty",
        one("CiliumAgentPolicyMapPressure", pod="cilium-7cc8m"),
        (triage("health"),),
    ),
    Row(
        "a map fills on a node",
        one("CiliumAgentBpfMapPressure", pod="cilium-7cc8m", map_name="cilium_ct4_global", node="lab-node-2"),
        (triage("health lab-node-2"),),
    ),
    Row("endpoints fail", one("CiliumAgentEndpointFailures", pod="cilium-7cc8m"), (triage("health"),)),
    Row("nodes are unreachable", one("CiliumUnreachableNodes", pod="cilium-7cc8m"), (triage("health"),)),
    Row(
        "the conntrack table is full",
        one("CiliumAgentConntrackTableFull", pod="cilium-7cc8m"),
        (triage("health", "drops"),),
    ),
    Row(
        "a cluster of the mesh is gone",
        one("CiliumAgentRemoteClusterNotReady", source_cluster="prod", target_cluster="edge"),
        (triage("health"),),
    ),
    Row(
        "policies are refused; the namespace is Cilium's own",
        one("CiliumAgentPolicyImportErrors", namespace="d8-cni-cilium", pod="agent-2x4vz"),
        (triage("health", "lint"),),
    ),
    Row(
        "egress of a sandbox is denied",
        one("SandboxEgressPolicyDenied", source="shop/frontend", destination="api.stripe.com", **_HUBBLE),
        (triage("why shop/frontend api.stripe.com"),),
    ),
)

_TIMED_OUT = (
    'Readiness probe failed: Get "http://10.244.0.233:8080/": context deadline exceeded'
    " (Client.Timeout exceeded while awaiting headers)"
)
_REFUSED = (
    'Readiness probe failed: Get "http://10.244.0.233:8080/": dial tcp 10.244.0.233:8080: connect: connection refused'
)
_STATUS = "Readiness probe failed: HTTP probe failed with statuscode: 503"

EVENTS = (
    Row(
        "a packet of somebody whose identity is not known",
        kubernetes_event(
            "PacketDrop",
            "Incoming packet dropped (policy_denied) from unknown (198.19.50.10) TCP/443.",
            namespace="shop",
            name=POD,
        ),
        (triage(f"why 198.19.50.10 shop/{POD} 443/TCP"),),
    ),
    Row(
        "a probe timed out",
        kubernetes_event("Unhealthy", _TIMED_OUT, host="lab-node-1", namespace="shop", name=POD),
        (triage(f"why node/lab-node-1 shop/{POD} 8080", f"drops shop/{POD}"),),
    ),
    Row(
        "a probe was refused",
        kubernetes_event("Unhealthy", _REFUSED, host="lab-node-1", namespace="shop", name=POD),
        (IGNORE,),
    ),
    Row(
        "a probe was answered with 503",
        kubernetes_event("Unhealthy", _STATUS, host="lab-node-1", namespace="shop", name=POD),
        (IGNORE,),
    ),
    Row(
        "a probe's dialling timed out",
        kubernetes_event(
            "Unhealthy",
            "Liveness probe failed: dial tcp 10.244.0.233:6379: i/o timeout",
            host="lab-node-2",
            namespace="shop",
            name="redis-0",
        ),
        (triage("why node/lab-node-2 shop/redis-0 6379"),),
    ),
    Row(
        "a probe is a command",
        kubernetes_event(
            "Unhealthy", 'Readiness probe failed: command "redis-cli ping" timed out', namespace="shop", name="redis-0"
        ),
        (ask("why host shop/redis-0"),),
    ),
    Row(
        "an incoming packet is dropped",
        kubernetes_event(
            "PacketDrop",
            f"Incoming packet dropped (policy_denied) from shop/{FRONTEND} (10.244.0.18) TCP/8080",
            namespace="shop",
            name=POD,
        ),
        (triage(f"why shop/{FRONTEND} shop/{POD} 8080/TCP"),),
    ),
    Row(
        "an outgoing packet is dropped, towards the world",
        kubernetes_event(
            "PacketDrop",
            "Outgoing packet dropped (policy_denied) to world (198.18.10.7) TCP/443",
            namespace="payments",
            name="checkout-api-5b7d76d7d7-h7ml5",
        ),
        (triage("why payments/checkout-api-5b7d76d7d7-h7ml5 198.18.10.7 443/TCP"),),
    ),
    Row(
        "a ping is dropped",
        kubernetes_event(
            "PacketDrop",
            "Incoming packet dropped (policy_denied) from host (10.244.0.1) ICMPv4",
            namespace="shop",
            name=POD,
        ),
        (IGNORE,),
    ),
    Row(
        "a list of events, of one cause twice and of another",
        events(
            kubernetes_event("Unhealthy", _TIMED_OUT, host="lab-node-1", namespace="shop", name=POD),
            kubernetes_event("Unhealthy", _TIMED_OUT, host="lab-node-1", namespace="shop", name=POD),
            kubernetes_event("Pulled", "Container image already present", kind="Normal", namespace="shop", name=POD),
        ),
        (triage(f"why node/lab-node-1 shop/{POD} 8080"), IGNORE),
    ),
)

_GRAFANA_TEXT = """**Firing**

Value: A=1
Labels:
 - alertname = KubePodNotReady
 - namespace = shop
 - pod = cart-5d94896484-hfqfl
Annotations:
 - summary = Pod has been in a non-ready state for more than 15 minutes.
Source: https://grafana.example.com/alerting/grafana/x/view
Silence: https://grafana.example.com/alerting/silence/new?matcher=alertname%3DKubePodNotReady
"""
_FIRING = attachment(f"[FIRING:1] KubePodNotReady (prod shop {POD} kube-prometheus/k8s warning)")

CHATS = (
    Row(
        "a monitor's own words for a pod that is not ready",
        attachment(f"Triggered: Pod {POD} is not ready on kube_namespace:shop,pod_name:{POD}"),
        (triage(*_WHY_POD),),
    ),
    Row(
        "labels in a row: a reason ends where the next label begins",
        attachment(
            "[FIRING:1] DropsSeen", "reason=POLICY_DENIED source=shop/loadgen destination=shop/cart cluster=lab"
        ),
        (triage("why shop/loadgen shop/cart"),),
    ),
    Row("a subject with values alone, of one reading", _FIRING, (triage(*_WHY_POD),)),
    Row(
        "a subject that is edited to resolved",
        edited(
            attachment(f"[RESOLVED] KubePodNotReady (prod shop {POD} kube-prometheus/k8s warning)", color="good"),
            _FIRING,
        ),
        (triage(*_WHY_POD, state="resolved"),),
    ),
    Row(
        "a subject of a deployment, of several readings",
        attachment("[FIRING:1] KubeDeploymentReplicasMismatch (prod cart shop warning)"),
        (ask("why host shop/deploy/cart", "why host shop/deploy/prod"),),
    ),
    Row(
        "a subject with a template's text that has the names",
        attachment(
            "[FIRING:1] KubeDeploymentReplicasMismatch (prod cart shop warning)",
            "*Details:*\n • *alertname:* `KubeDeploymentReplicasMismatch`\n • *deployment:* `cart`"
            "\n • *namespace:* `shop`",
        ),
        (triage("why host shop/deploy/cart", "drops shop/cart"),),
    ),
    Row(
        "a subject with kube-prometheus' description",
        attachment(
            "[FIRING:1] KubeStatefulSetReplicasMismatch (warning)",
            "StatefulSet payments/ledger-db has not matched the expected number of replicas for longer than 15m.",
        ),
        (triage("why host payments/sts/ledger-db"),),
    ),
    Row(
        "a subject that is not about the network",
        attachment("[FIRING:1] CPUThrottlingHigh (shop cart info)"),
        (IGNORE,),
    ),
    Row(
        "Grafana's list of labels",
        event(
            {
                "attachments": [
                    {
                        "title": "[FIRING:1] KubePodNotReady Shop (shop)",
                        "text": _GRAFANA_TEXT,
                        "color": "#D63232",
                        "footer": "Grafana v12.1.0",
                    }
                ]
            }
        ),
        (triage(*_WHY_POD),),
    ),
    Row("Grafana's webhook", grafana(alert("KubePodNotReady", **_SHOP_POD)), (triage(*_WHY_POD),)),
    Row(
        "PagerDuty's title",
        event(
            {
                "text": "Triggered #4711",
                "blocks": section(
                    "*<https://acme.pagerduty.com/incidents/Q1|#4711>: prod - KubePodNotReady: Pod"
                    f" shop/{POD} has been in a non-ready state for longer than 15 minutes.*",
                    fields=("*Service:*\nKubernetes", "*Urgency:*\nHigh", "*Assigned:*\n<@U1>"),
                ),
            }
        ),
        (triage(*_WHY_POD),),
    ),
    Row(
        "Opsgenie's message",
        event(
            {
                "attachments": [
                    {
                        "title": f"#81: [Prometheus]: [FIRING:1] KubePodNotReady (prod shop {POD} warning)",
                        "fields": [{"title": "Priority", "value": "P3"}, {"title": "Tags", "value": "prod"}],
                    }
                ]
            }
        ),
        (triage(*_WHY_POD),),
    ),
    Row(
        "Datadog's tags",
        event(
            {
                "attachments": [
                    {
                        "title": f"[Triggered on {{kube_namespace:shop,pod_name:{POD}}}] Connection timeouts to cart",
                        "text": "More than 10 connection timeouts. @slack-oncall",
                        "color": "#a30200",
                    }
                ]
            }
        ),
        (triage(f"drops shop/{POD}"),),
    ),
    Row(
        "Datadog's recovery",
        event(
            {
                "attachments": [
                    {
                        "title": f"[Recovered on {{kube_namespace:shop,pod_name:{POD}}}] Connection timeouts to cart",
                        "color": "#2eb886",
                    }
                ]
            }
        ),
        (triage(f"drops shop/{POD}", state="resolved"),),
    ),
    Row("somebody says hello", event({"text": "lunch?"}), (IGNORE,)),
    Row(
        "somebody asks",
        {"type": "message", "user": "U1", "ts": "1.2", "text": "can shop/frontend reach shop/cart on 8080?"},
        (triage("why shop/frontend shop/cart 8080"),),
    ),
    Row(
        "a program writes what reads like a question",
        event({"text": "can shop/frontend reach shop/cart on 8080?"}),
        (ask("drops"),),
    ),
    Row(
        "a written line with values alone",
        "[FIRING:2] KubePodNotReady (prod shop cart-5d4 kube-prometheus/k8s warning)",
        (triage("why host shop/cart-5d4", "drops shop/cart-5d4"),),
    ),
    Row(
        "a written line without the pod",
        "[FIRING:2] KubePodNotReady (prod shop kube-prometheus/k8s warning)",
        (ask("drops shop"),),
    ),
    Row(
        "a pasted title",
        f"prod - KubePodCrashLooping: Pod shop/{POD} (cart) is in waiting state (reason: CrashLoopBackOff).",
        (triage(f"drops shop/{POD}"),),
    ),
    Row("a written question", "why shop/frontend shop/cart 8080", (triage("why shop/frontend shop/cart 8080"),)),
)

GROUPS = (
    Row(
        "several clusters are several causes",
        webhook(
            alert("KubePodNotReady", **_SHOP_POD, cluster="prod"),
            alert("KubePodNotReady", **_SHOP_POD, cluster="stage"),
        ),
        (triage(*_WHY_POD), triage(*_WHY_POD)),
    ),
    Row(
        "pods of one workload, and the workload, are one cause",
        webhook(
            alert("KubePodNotReady", **_SHOP_POD),
            alert("KubePodNotReady", namespace="shop", pod="cart-5d94896484-zzzzz"),
            alert("KubeDeploymentReplicasMismatch", namespace="shop", deployment="cart"),
        ),
        (triage(*_WHY_POD),),
    ),
    Row(
        "Hubble's and the agent's name of a reason are one cause",
        webhook(
            alert("HubbleDropsHigh", source="shop/frontend", destination="shop/cart", reason="POLICY_DENIED"),
            alert("CiliumDropsHigh", source="shop/frontend", destination="shop/cart", reason="Policy denied"),
        ),
        (triage("why shop/frontend shop/cart"),),
    ),
    Row(
        "a cause holds while one of its alerts does",
        webhook(
            alert("KubePodNotReady", "resolved", **_SHOP_POD),
            alert("KubePodNotReady", namespace="shop", pod="cart-5d94896484-zzzzz"),
        ),
        (triage("why host shop/cart-5d94896484-zzzzz"),),
    ),
    Row("resolved", one("KubePodNotReady", "resolved", **_SHOP_POD), (triage(*_WHY_POD, state="resolved"),)),
    Row(
        "common labels are of every alert",
        webhook(
            {"status": "firing", "labels": {"pod": POD}, "annotations": {}},
            commonLabels={"alertname": "KubePodNotReady", "namespace": "shop"},
        ),
        (triage(*_WHY_POD),),
    ),
    Row("an empty group", webhook(), ()),
)

UNKNOWN = (
    Row(
        "the words of an error say whom the workload dialled",
        one("CheckoutErrors", annotations={"summary": "dial tcp 10.0.0.1:5432: i/o timeout"}, **_SHOP_POD),
        (triage(f"why shop/{POD} 10.0.0.1 5432"),),
    ),
    Row(
        "the words of an error say which URL did not answer",
        one(
            "CartErrors", annotations={"m": 'Get "http://redis.shop.svc:6379/": context deadline exceeded'}, **_SHOP_POD
        ),
        (triage(f"why shop/{POD} shop/svc/redis 6379"),),
    ),
    Row(
        "the words of an error say which server was asked for a name",
        one(
            "CartErrors",
            annotations={"m": "dial tcp: lookup api.example.com on 10.96.0.10:53: read udp: i/o timeout"},
            **_SHOP_POD,
        ),
        (triage(f"why shop/{POD} 10.96.0.10 53/UDP"),),
    ),
    Row(
        "a link to a runbook is nobody that was dialled",
        one("CartTimeouts", annotations={"runbook_url": "https://runbooks.example.com/cart"}, **_SHOP_POD),
        (triage(f"drops shop/{POD}"),),
    ),
    Row(
        "an unknown alert with a pair",
        one(
            "CartCallsFail",
            source_namespace="shop",
            source_pod=FRONTEND,
            destination_namespace="shop",
            destination_pod=POD,
        ),
        (triage(f"why shop/{FRONTEND} shop/{POD}"),),
    ),
    Row(
        "an unknown alert that speaks of the network",
        one("CartConnectionTimeouts", **_SHOP_POD),
        (triage(f"drops shop/{POD}"),),
    ),
    Row("an unknown alert that says nothing", one("CartBusinessRule", **_SHOP_POD), (ask(f"drops shop/{POD}"),)),
    Row("an unknown alert about memory", one("CartMemoryHigh", **_SHOP_POD), (IGNORE,)),
    Row("an unknown alert about nobody", one("OrdersBelowForecast", team="sales"), (IGNORE,)),
    Row(
        "a service that is down",
        one("CartDown", namespace="shop", service="cart"),
        (ask("service shop/svc/cart", "drops shop/svc/cart"),),
    ),
    Row(
        "a name that Kubernetes cannot have never reaches a question",
        one("KubePodNotReady", namespace="shop; rm -rf /", pod="$(reboot)"),
        (ask("drops"),),
    ),
    Row(
        "a namespace that reads as a time is left out",
        one("CiliumPolicyDropsSustained", destination_namespace="5m"),
        (triage(),),
    ),
)

ROWS = (*KUBERNETES, *PROBES, *CILIUM, *EVENTS, *CHATS, *GROUPS, *UNKNOWN)
