"""Where kube-proxy can run without a pod of its own to see."""

from handlers.model.cluster import Node

_EMBEDDED = ("+k3s", "+rke2")
"""Kubelets of distributions whose own process can hold kube-proxy."""
_MARKS = ("microk8s.io/", "node.openshift.io/")
"""Labels of nodes of distributions that do likewise, or run it in a namespace of their own."""


def may_be_hidden(node: Node) -> bool:
    """Whether the node's distribution may run kube-proxy inside another process."""
    return any(mark in node.kubelet for mark in _EMBEDDED) or any(key.startswith(_MARKS) for key in node.labels)
