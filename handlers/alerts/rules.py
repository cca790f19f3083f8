"""Rules for Prometheus and a receiver for Alertmanager: what makes an alert name exactly whom it is about.

Metrics and labels: Cilium, Documentation/observability/metrics.rst. Names are of known alerts, so that they are read.
"""

import json

RULES = """\
# Hubble's metrics name both ends of a dropped packet only when they are told to. In the values of Cilium's chart:
#
#   hubble:
#     metrics:
#       enabled:
#         - "drop:sourceContext=workload|reserved-identity|ip;destinationContext=workload|reserved-identity|dns|ip;\\
#           labelsContext=source_namespace,source_workload,destination_namespace,destination_workload,traffic_direction"
#       serviceMonitor: {enabled: true}
#   prometheus: {enabled: true, serviceMonitor: {enabled: true}}
#
# The chart's ServiceMonitors add the label node. Denied pings are left out: they come with restarts and stop nothing.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: cilium-triage
  namespace: monitoring
  labels:
    role: alert-rules
spec:
  groups:
    - name: cilium-triage.flows
      rules:
        - alert: HubblePolicyDenied
          expr: |
            sum by (cluster, source, source_namespace, source_workload, destination, destination_namespace,
                    destination_workload, protocol) (
              increase(hubble_drop_total{reason=~"POLICY_DENIED|POLICY_DENY", protocol!~"ICMPv4|ICMPv6"}[5m])
            ) > 10
          for: 2m
          labels:
            severity: warning
            reason: POLICY_DENIED
          annotations:
            summary: Policy denies packets from {{ $labels.source }} to {{ $labels.destination }}.
        - alert: HubbleDropsHigh
          expr: |
            sum by (cluster, reason, source, source_namespace, source_workload, destination, destination_namespace,
                    destination_workload, protocol) (
              increase(hubble_drop_total{reason!~"POLICY_DENIED|POLICY_DENY|UNSUPPORTED_L3_PROTOCOL",
                                         protocol!~"ICMPv4|ICMPv6"}[5m])
            ) > 100
          for: 5m
          labels:
            severity: warning
          annotations:
            summary: >-
              Packets from {{ $labels.source }} to {{ $labels.destination }} are dropped: {{ $labels.reason }}.
    - name: cilium-triage.agents
      rules:
        - alert: CiliumAgentDown
          expr: kube_daemonset_status_number_unavailable{daemonset="cilium"} > 0
          for: 5m
          labels:
            severity: critical
          annotations:
            summary: Agents of Cilium are not available.
        - alert: CiliumUnreachableNodes
          expr: |
            max by (cluster, node) (cilium_unreachable_nodes) > 0
            or max by (cluster, source_node_name) (cilium_node_health_connectivity_status{status="unreachable"}) > 0
          for: 5m
          labels:
            severity: critical
          annotations:
            summary: The agent of {{ $labels.node }}{{ $labels.source_node_name }} does not reach other nodes.
        - alert: CiliumAgentMapPressure
          expr: max by (cluster, node, map_name) (cilium_bpf_map_pressure) > 0.9
          for: 5m
          labels:
            severity: warning
          annotations:
            summary: Map {{ $labels.map_name }} of {{ $labels.node }} is {{ $value | humanizePercentage }} full.
        - alert: CiliumAgentEndpointsNotReady
          expr: |
            sum by (cluster, node) (
              cilium_endpoint_state{endpoint_state=~"invalid|not-ready|waiting-for-identity|waiting-to-regenerate"}
            ) > 0
          for: 10m
          labels:
            severity: warning
          annotations:
            summary: Endpoints of {{ $labels.node }} do not become ready.
        - alert: CiliumAgentPolicyImportErrors
          expr: sum by (cluster, node) (increase(cilium_policy_change_total{outcome="fail"}[10m])) > 0
          labels:
            severity: warning
          annotations:
            summary: The agent of {{ $labels.node }} refuses policies.
        - alert: CiliumAgentControllersRunsFailing
          expr: sum by (cluster, node) (cilium_controllers_failing) > 0
          for: 15m
          labels:
            severity: warning
          annotations:
            summary: Controllers of the agent of {{ $labels.node }} fail.
"""
"""A PrometheusRule."""

URL = "http://cilium-triage-web.cilium-triage.svc:3000/alerts"
"""Where the web process of the published manifests takes alerts."""

_RECEIVER = """\
# A part of Alertmanager's configuration. The token is the one that the web process is given; any path will do.
route:
  routes:
    - receiver: cilium-triage
      matchers: ['severity=~"warning|critical"']
      group_by: [cluster, alertname]
      group_wait: 10s
      group_interval: 1m
      continue: true
receivers:
  - name: cilium-triage
    webhook_configs:
      - url: %URL%
        send_resolved: true
        max_alerts: 0
        http_config:
          authorization:
            type: Bearer
            credentials_file: /etc/alertmanager/secrets/cilium-triage/token
"""


def receiver(url: str = URL) -> str:
    """Return a part of Alertmanager's configuration that posts to an address."""
    return _RECEIVER.replace("%URL%", json.dumps(url))


def rules_and_receiver() -> str:
    """Return both as two documents of YAML."""
    return f"{RULES}---\n{receiver()}"
