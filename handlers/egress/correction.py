"""An egress gateway policy with one thing corrected: the least that makes it do what it seems meant to."""

import json
import shlex
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from handlers.egress.policy import EgressPolicy, Gateway
from handlers.egress.selectors import selector_matches
from handlers.model.cluster import Node, PolicyObject
from handlers.model.report import Patch
from handlers.model.rule import PolicyRef
from handlers.names.spelling import nearest
from handlers.patch.manifest import clean, json_text, to_yaml, unified

_HOST_NAME = "kubernetes.io/hostname"
_RESOURCE = "ciliumegressgatewaypolicies"
_ALIKE = 0.7
"""How much alike two label keys or values are for one to stand for the other, as difflib counts."""


class NoCorrectionError(Exception):
    """Nothing tells what was meant; the text says what a person has to choose."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One change of one policy, as JSON patch operations. ``also`` says what else it changes."""

    policy: EgressPolicy
    title: str
    operations: tuple[Mapping[str, Any], ...]
    corrected: PolicyObject
    also: tuple[str, ...] = ()

    def as_patch(self, checks: tuple[str, ...]) -> Patch:
        """Return it with what applies it; network policies have no part in it, so that it opens nothing."""
        found = self.policy.object
        old, new = to_yaml(clean(found.manifest)), to_yaml(clean(self.corrected.manifest))
        operations = json_text(self.operations)
        return Patch(
            title=self.title,
            policy=found.ref,
            is_new=False,
            manifest=new,
            diff=unified(old, new, PolicyRef(found.kind, found.namespace, found.name)),
            json_patch=operations,
            command=shlex.join(["kubectl", "patch", _RESOURCE, found.name, "--type=json", "-p", operations]),
            also_opens=(),
            blast_radius_known=True,
            checks=checks,
        )


def without_exclusion(policy: EgressPolicy, cidr: str) -> Correction:
    """Take a range out of excludedCIDRs."""
    manifest = _copy(policy)
    kept = [one for one in manifest["spec"]["excludedCIDRs"] if str(one) != cidr]
    operation = {"op": "replace", "path": "/spec/excludedCIDRs", "value": kept}
    manifest["spec"]["excludedCIDRs"] = kept
    also = f"all of {cidr} then leaves through the gateway, for every pod that the policy selects"
    return _correction(policy, f"take {cidr} out of excludedCIDRs of {policy.name}", manifest, operation, also)


def another_selector(policy: EgressPolicy, gateway: Gateway, nodes: Iterable[Node]) -> Correction:
    """Put the nearest label that nodes have in the place of one that none has.

    Raises:
        NoCorrectionError: if no label is near enough, or the selector is more than labels.
    """
    nodes = tuple(nodes)
    selector = gateway.node_selector if isinstance(gateway.node_selector, Mapping) else {}
    labels = {str(key): str(value) for key, value in (selector.get("matchLabels") or {}).items()}
    if holder := next((node for node in nodes if gateway.egress_ip and gateway.egress_ip in node.ips), None):
        return _at(policy, gateway, holder)
    for key, value in labels.items():
        for other in _near(key, value, nodes):
            changed = {**{one: labels[one] for one in labels if one != key}, **dict([other])}
            corrected = {**selector, "matchLabels": changed}
            if any(selector_matches(corrected, node.labels) for node in nodes):
                return _with_selector(policy, gateway, corrected, f"{other[0]}={other[1]}")
    raise NoCorrectionError(f"no node has a label like {_wish(gateway, labels)}.")


def _wish(gateway: Gateway, labels: Mapping[str, str]) -> str:
    wanted = gateway.selector_in_words
    # Labels of Kubernetes' own are not for people to set.
    is_own = len(labels) == 1 and not any("kubernetes.io/" in key for key in labels)
    return f"{wanted}; kubectl label node NODE {wanted} makes a node the gateway" if is_own else wanted


def at_node(policy: EgressPolicy, gateway: Gateway, nodes: Iterable[Node]) -> Correction:
    """Select the node that has the policy's egressIP.

    Raises:
        NoCorrectionError: if no node is known to have it.
    """
    for node in nodes:
        if gateway.egress_ip and gateway.egress_ip in node.ips:
            return _at(policy, gateway, node)
    what = gateway.egress_ip or f"interface {gateway.interface}"
    raise NoCorrectionError(f"no node is known to have {what}; put it on the gateway, or name an address that it has.")


def _at(policy: EgressPolicy, gateway: Gateway, node: Node) -> Correction:
    name = node.labels.get(_HOST_NAME)
    if name is None:
        raise NoCorrectionError(f"{node.name} has {gateway.egress_ip}, but no label {_HOST_NAME} to select it by.")
    return _with_selector(policy, gateway, {"matchLabels": {_HOST_NAME: name}}, f"{_HOST_NAME}={name}")


def _near(key: str, value: str, nodes: tuple[Node, ...]) -> list[tuple[str, str]]:
    """Return labels of nodes that may be meant, the nearest first: another value of the key, another key alike."""
    values = {node.labels[key] for node in nodes if key in node.labels}
    found = [(key, other) for other in (values if len(values) == 1 else nearest(value, values, cutoff=_ALIKE))]
    keys = {other for node in nodes for other, own in node.labels.items() if own == value}
    return [*found, *((other, value) for other in nearest(key, keys, cutoff=_ALIKE))]


def _with_selector(policy: EgressPolicy, gateway: Gateway, selector: Mapping[str, Any], words: str) -> Correction:
    manifest = _copy(policy)
    place = manifest
    for step in gateway.pointer.split("/")[1:]:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place["nodeSelector"] = selector
    operation = {"op": "replace", "path": f"{gateway.pointer}/nodeSelector", "value": selector}
    also = "every pod that the policy selects then leaves through that node"
    return _correction(policy, f"select the gateway of {policy.name} by {words}", manifest, operation, also)


def _correction(
    policy: EgressPolicy, title: str, manifest: Mapping[str, Any], operation: Mapping[str, Any], also: str
) -> Correction:
    return Correction(policy, title, (operation,), replace(policy.object, manifest=manifest), (also,))


def _copy(policy: EgressPolicy) -> Any:
    copied = json.loads(json.dumps(clean(policy.object.manifest)))
    return deepcopy(copied)
