"""A small new policy, where extending one that is there would reach further or is nobody's to extend."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from handlers.model.labels import NAMESPACE_LABEL, Label, LabelSet, Source
from handlers.model.policy_kind import PolicyKind
from handlers.model.rule import Direction, PolicyRef
from handlers.patch.blocked_side import BlockedSide
from handlers.patch.edits import Edit
from handlers.patch.extend import new_rule, writings
from handlers.patch.peers import Writing, name_of
from handlers.policy.entities import entity_of_kind
from handlers.policy.views import GOVERNED_KINDS, NODE_KINDS, own_labels
from handlers.reach.bits import members

_MOST_NAME = 63
_HOSTNAME = "kubernetes.io/hostname"


def new_policies(side: BlockedSide) -> Iterator[Edit]:
    """Propose new policies of the kinds that can say it, first the kind that the subject is isolated by."""
    labels = own_labels(side.subject)
    if not labels.namespace:
        yield from _cluster_wide(side, labels)
        return
    owners = {origin.policy.kind for origin in side.decision.default_deny_by}
    kinds = [PolicyKind.CILIUM]
    if owners == {PolicyKind.NETWORK_POLICY}:
        kinds.insert(0, PolicyKind.NETWORK_POLICY)
    for place, kind in enumerate(kinds):
        if kind is PolicyKind.NETWORK_POLICY and side.traffic.protocol.is_icmp:
            continue
        for writing in writings(side, kind, labels.namespace):
            yield _namespaced(side, labels, kind, writing, place)


def _namespaced(side: BlockedSide, labels: LabelSet, kind: PolicyKind, writing: Writing, place: int) -> Edit:
    peer = side.names[0] if side.names else name_of(side.peer, side.seen)
    preposition = "from" if side.direction is Direction.INGRESS else "to"
    words = f"allow {side.traffic} {preposition} {writing.words}"
    edit = new_object(side, kind, new_rule(side, kind, writing), peer, words, 10 * place + writing.rank)
    return replace(edit, needs_name=writing.is_by_name)


def new_object(
    side: BlockedSide, kind: PolicyKind, rule: Mapping[str, object], peer: str, words: str, preference: int
) -> Edit:
    """Write a namespaced policy with one rule that means the subject only, and isolates nobody who is not isolated."""
    labels = own_labels(side.subject)
    chosen = side.writer.labels(labels)
    if kind is PolicyKind.NETWORK_POLICY:
        chosen = {key: value for key, value in chosen.items() if not key.startswith("k8s:")}
    selector: dict[str, object] = {"matchLabels": chosen} if chosen else {}
    spec: dict[str, object]
    if kind is PolicyKind.NETWORK_POLICY:
        spec = {"podSelector": selector, "policyTypes": [side.direction.capitalize()], str(side.direction): [rule]}
    else:
        spec = {"endpointSelector": selector}
        if _would_isolate(side, labels, chosen):
            spec["enableDefaultDeny"] = {str(side.direction): False}
        spec[str(side.direction)] = [rule]
    return _edit(side, kind, labels, spec, peer, words, preference)


def _would_isolate(side: BlockedSide, labels: LabelSet, chosen: dict[str, str]) -> bool:
    """Tell whether the selector means somebody whom no policy isolates yet in this direction, as far as is known."""
    if not side.writer.complete:
        return True
    pods = side.writer.pods
    wanted = {NAMESPACE_LABEL: labels.namespace} | {key.removeprefix("k8s:"): value for key, value in chosen.items()}
    selected = pods.index.bearing(Label(key, Source.K8S, value) for key, value in wanted.items())
    parties = (pods.ends[number].party for number in members(selected))
    return not all(side.policies.posture(party, side.direction).default_deny for party in parties if party.managed)


def _cluster_wide(side: BlockedSide, labels: LabelSet) -> Iterator[Edit]:
    """Write for a subject outside every namespace: a node, or an endpoint of Cilium's own."""
    kind = PolicyKind.CILIUM_CLUSTERWIDE
    entity = entity_of_kind(side.subject.kind)
    if entity is not None and side.subject.kind in GOVERNED_KINDS:
        subject = {"endpointSelector": {"matchLabels": {f"reserved:{entity}": ""}}}
    elif side.subject.kind in NODE_KINDS:
        own = [label for label in labels if label.source == Source.K8S and label.value]
        hostname = [label for label in own if label.key == _HOSTNAME]
        subject = {"nodeSelector": {"matchLabels": {label.key: label.value for label in hostname or own}}}
    else:
        return
    preposition = "from" if side.direction is Direction.INGRESS else "to"
    for writing in writings(side, kind, ""):
        spec = {**subject, str(side.direction): [new_rule(side, kind, writing)]}
        peer = name_of(side.peer, side.seen)
        words = f"allow {side.traffic} {preposition} {writing.words}"
        yield _edit(side, kind, labels, spec, peer, words, writing.rank)


def _edit(
    side: BlockedSide,
    kind: PolicyKind,
    labels: LabelSet,
    spec: Mapping[str, object],
    peer: str,
    words: str,
    preference: int,
) -> Edit:
    namespace = labels.namespace
    policy = PolicyRef(str(kind), namespace, _free_name(side, kind, labels, peer))
    metadata = {"name": policy.name, "namespace": namespace} if namespace else {"name": policy.name}
    manifest = {"apiVersion": kind.api.written, "kind": str(kind), "metadata": metadata, "spec": spec}
    return Edit(policy, manifest, (), f"new {kind} {policy.short}: {words}", preference=preference)


def _free_name(side: BlockedSide, kind: PolicyKind, labels: LabelSet, peer: str) -> str:
    subject = name_of(side.subject, labels)
    preposition = "from" if side.direction is Direction.INGRESS else "to"
    words = f"{_dashed(subject)}-{preposition}-{_dashed(peer)}".strip("-")
    name, number = words[:_MOST_NAME].rstrip("-"), 1
    while PolicyRef(str(kind), labels.namespace, name) in side.manifests:
        number += 1
        ending = f"-{number}"
        name = words[: _MOST_NAME - len(ending)].rstrip("-") + ending
    return name


def _dashed(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "peer"
