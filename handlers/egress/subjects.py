"""Whose packets an egress gateway policy is about: pods by the labels of their identities, and by their nodes."""

from collections.abc import Mapping

from handlers.egress.policy import EgressPolicy
from handlers.egress.selectors import selector_matches
from handlers.model.cluster import Pod
from handlers.model.facts import Facts
from handlers.model.labels import NAMESPACE_LABEL, NAMESPACE_LABELS_PREFIX, LabelSet
from handlers.policy.pods import endpoint_of_pod


def is_selected(policy: EgressPolicy, pod: Pod, facts: Facts) -> bool:
    """Whether one of the policy's selectors means the pod; one on the host network is never meant."""
    if pod.host_network:
        return False
    labels, of_namespace = _labels(pod, facts)
    node = next((node for node in facts.nodes if node.name == pod.node), None)
    return any(
        selector_matches(rule.get("podSelector"), labels)
        and selector_matches(rule.get("namespaceSelector"), of_namespace)
        and selector_matches(rule.get("nodeSelector"), node.labels if node else {})
        for rule in policy.selectors
    )


def _labels(pod: Pod, facts: Facts) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the labels of a pod and of its namespace as agents match them: those of its identity, where published.

    A label that is filtered out of identities selects nobody (Cilium, pkg/egressgateway/endpoint.go).
    """
    endpoint = endpoint_of_pod(pod, facts)
    if endpoint is not None and endpoint.labels:
        own = {label.key: label.value for label in LabelSet.parse(endpoint.labels)}
        prefix = f"{NAMESPACE_LABELS_PREFIX}."
        of_namespace = {key.removeprefix(prefix): value for key, value in own.items() if key.startswith(prefix)}
    else:
        own = {**pod.labels, NAMESPACE_LABEL: pod.namespace}
        space = next((space for space in facts.namespaces if space.name == pod.namespace), None)
        of_namespace = dict(space.labels) if space else {}
    return {**own, **{f"k8s:{key}": value for key, value in own.items()}}, of_namespace
