"""The identity has labels, and somebody carries it.

An identity is a set of labels; every pod with the same labels shares it. Numbers from 16777216 stand for addresses and
DNS names and mean something else on every node, so they are told per node and never compared.
"""

from collections.abc import Iterator

from handlers.commands.identity import IdentityOf
from handlers.model.cluster import CiliumEndpoint
from handlers.model.endpoint import Entity
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.reserved import FIRST_ALLOCATED, FIRST_WELL_KNOWN, LOCAL_SCOPE, RESERVED_IDENTITIES
from handlers.model.snapshot import Known, Missing
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, resolve
from handlers.probes.probe import probe

IDENTITY_LABELS = code(
    "IDENTITY_LABELS",
    meaning="What the identity stands for.",
    template="Identity {number} is {labels}",
)
IDENTITY_RESERVED = code(
    "IDENTITY_RESERVED",
    meaning="The number is one of the fixed identities.",
    template="Identity {number} is reserved:{name}: {meaning}",
)
IDENTITY_WELL_KNOWN = code(
    "IDENTITY_WELL_KNOWN",
    meaning="The number is set aside for well-known workloads or by configuration, not allocated by the cluster.",
    template="Identity {number} is set aside for well-known workloads such as DNS and the operator",
)
IDENTITY_CARRIERS = code(
    "IDENTITY_CARRIERS",
    meaning="Which pods carry the identity now.",
    template="{count} endpoint{count: carries|s carry} it: {pods}",
)
IDENTITY_UNUSED = code(
    "IDENTITY_UNUSED",
    meaning="No endpoint carries the identity now; it may be left over from deleted pods.",
    template="No endpoint carries identity {number} now",
)
IDENTITY_UNKNOWN = code(
    "IDENTITY_UNKNOWN",
    meaning="The cluster has no identity of this number.",
    template="There is no identity {number}",
    advice="It may have been garbage-collected after its last pod went.",
)
IDENTITY_ON_NODE = code(
    "IDENTITY_ON_NODE",
    meaning="What a node-local identity means on one node, and which addresses have it there.",
    template="On {node}, {number} is {labels} ({addresses})",
)
IDENTITY_NODE_UNREAD = code(
    "IDENTITY_NODE_UNREAD",
    meaning="A node's own identities could not be read.",
    template="What {number} means on {node} is not known: {detail}",
)
ENDPOINT_WITHOUT_IDENTITY = code(
    "ENDPOINT_WITHOUT_IDENTITY",
    meaning="The name has no endpoint with an identity: it does not exist, or Cilium does not manage it.",
    template="{name} has no endpoint with an identity",
    advice="Pods in the host's network have their node's identity.",
)

MOST_PODS = 10


@probe(
    answers=(IdentityOf,),
    codes=(
        IDENTITY_LABELS,
        IDENTITY_RESERVED,
        IDENTITY_WELL_KNOWN,
        IDENTITY_CARRIERS,
        IDENTITY_UNUSED,
        IDENTITY_UNKNOWN,
        IDENTITY_ON_NODE,
        IDENTITY_NODE_UNREAD,
        ENDPOINT_WITHOUT_IDENTITY,
    ),
    needs=(*PARTS, Part.CILIUM_ENDPOINTS, Part.IDENTITIES),
    uses=(*OPTIONAL_PARTS, Part.AGENT_IDENTITIES, Part.AGENT_ADDRESSES),
)
def identity_is_known(question: IdentityOf, facts: Facts) -> Iterator[Finding]:
    """Say what the identity is, or which ones the endpoint has."""
    if question.number is not None:
        yield from _of_number(question.number, facts)
        return
    if question.endpoint is None:
        return
    if isinstance(question.endpoint, Entity):
        numbers_by_name = {name: number for number, (name, _) in RESERVED_IDENTITIES.items()}
        yield from _of_number(numbers_by_name[question.endpoint.name], facts)
        return
    found = resolve(question.endpoint, facts, End.SOURCE, None, None)
    known = sorted(question.numbers(facts))
    for number in known:
        yield from _of_number(number, facts)
    if not known:
        yield ENDPOINT_WITHOUT_IDENTITY.finding(Outcome.UNKNOWN, name=found.title)


def _of_number(number: int, facts: Facts) -> Iterator[Finding]:
    if number in RESERVED_IDENTITIES:
        name, meaning = RESERVED_IDENTITIES[number]
        yield IDENTITY_RESERVED.finding(Outcome.FINE, weight=100, number=number, name=name, meaning=meaning)
    elif FIRST_WELL_KNOWN <= number < FIRST_ALLOCATED:
        yield IDENTITY_WELL_KNOWN.finding(Outcome.FINE, weight=100, number=number)
    elif number >= LOCAL_SCOPE:
        yield from _on_each_node(number, facts)
    else:
        yield from _cluster_wide(number, facts)


def _cluster_wide(number: int, facts: Facts) -> Iterator[Finding]:
    carriers = [entry for entry in facts.cilium_endpoints if entry.identity == number]
    labels = next((entry.labels for entry in facts.identities if entry.number == number), None)
    if labels is None and not carriers:
        yield IDENTITY_UNKNOWN.finding(Outcome.UNKNOWN, weight=100, number=number)
        return
    all_labels = labels if labels is not None else carriers[0].labels
    yield IDENTITY_LABELS.finding(
        Outcome.FINE,
        evidence=[
            Evidence("kubernetes", f"CiliumIdentity//{number}", "/security-labels", excerpt="\n".join(all_labels))
        ],
        weight=100,
        number=number,
        labels=_telling(all_labels),
    )
    if carriers:
        yield _carried_by(carriers)
    else:
        yield IDENTITY_UNUSED.finding(Outcome.NOT_APPLICABLE, weight=90, number=number)


def _telling(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels that people know a workload by, without those that follow from its namespace and cluster."""
    derived = ("k8s:io.cilium.k8s.namespace.labels.", "k8s:io.cilium.k8s.policy.cluster=")
    short = {
        "k8s:io.kubernetes.pod.namespace=": "namespace=",
        "k8s:io.cilium.k8s.policy.serviceaccount=": "serviceaccount=",
    }
    told = []
    for label in labels:
        if label.startswith(derived):
            continue
        for prefix, word in short.items():
            label = label.replace(prefix, word) if label.startswith(prefix) else label
        told.append(label.removeprefix("k8s:"))
    return tuple(sorted(told, key=lambda label: not label.startswith("namespace=")))


def _carried_by(carriers: list[CiliumEndpoint]) -> Finding:
    pods = sorted(f"{entry.namespace}/{entry.name}" for entry in carriers)
    shown = pods[:MOST_PODS] + ([f"and {len(pods) - MOST_PODS} more"] if len(pods) > MOST_PODS else [])
    return IDENTITY_CARRIERS.finding(
        Outcome.FINE,
        evidence=[Evidence("kubernetes", f"CiliumEndpoint/{pod}", "/status/identity") for pod in pods[:MOST_PODS]],
        weight=90,
        count=len(pods),
        pods=tuple(shown),
    )


def _on_each_node(number: int, facts: Facts) -> Iterator[Finding]:
    look = facts.look(Part.AGENT_IDENTITIES)
    addresses = facts.look(Part.AGENT_ADDRESSES)
    is_told = False
    for node in (node.name for node in facts.nodes):
        answer = look.value.on(node) if isinstance(look, Known) else look
        is_told = is_told or isinstance(answer, Missing) or any(entry.number == number for entry in answer.value)
        if isinstance(answer, Missing):
            yield IDENTITY_NODE_UNREAD.finding(
                Outcome.UNKNOWN, advice=answer.remedy, weight=50, number=number, node=node, detail=answer.detail
            )
            continue
        labels = next((entry.labels for entry in answer.value if entry.number == number), None)
        if labels is None:
            continue
        known = addresses.value.on(node) if isinstance(addresses, Known) else addresses
        cidrs = (
            tuple(entry.cidr for entry in known.value if entry.identity == number)[:MOST_PODS]
            if isinstance(known, Known)
            else (f"addresses not read: {known.detail}",)
        )
        yield IDENTITY_ON_NODE.finding(
            Outcome.FINE,
            evidence=[Evidence("agent", f"Node//{node}")],
            weight=80,
            number=number,
            node=node,
            labels=labels,
            addresses=cidrs,
        )
    if not is_told:
        yield IDENTITY_UNKNOWN.finding(Outcome.UNKNOWN, weight=100, number=number)
