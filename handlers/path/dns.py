"""The cluster's own DNS: where names are looked up before anything is dialled."""

DNS_NAMESPACE = "kube-system"
"""Namespace of the cluster DNS (Kubernetes, Using CoreDNS for Service Discovery)."""
DNS_SERVICE = "kube-dns"
"""Name of its Service, for CoreDNS as well."""
DNS_LABELS = "k8s-app=kube-dns"
"""Label selector of its pods."""
DNS_PORT = 53
