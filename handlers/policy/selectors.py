"""From the selectors of manifests to label selectors over identities: sources, namespaces, clusters."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from handlers.model.labels import CLUSTER_LABEL, NAMESPACE_LABEL, NAMESPACE_LABELS_PREFIX, Source
from handlers.model.rule import Implied, LabelSelector, Operator, Requirement
from handlers.policy.shapes import PolicyError, as_mapping, as_text, list_of, text_map, text_of
from handlers.policy.syntax import label_key_fault, label_value_fault

KeyExtender = Callable[[str], str]
"""From a key as written to ``source.key``."""

_OPERATORS = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.DOES_NOT_EXIST,
}


@dataclass(frozen=True, slots=True)
class RawRequirement:
    """One clause as written: the key unchanged, and where it stands."""

    key: str
    operator: Operator
    values: tuple[str, ...]
    pointer: str


def read_selector(value: object, pointer: str) -> tuple[RawRequirement, ...]:
    """Read ``matchLabels`` and ``matchExpressions``; raises PolicyError for a wrong type or operator."""
    selector = as_mapping(value, pointer)
    wanted = [
        RawRequirement(key, Operator.EQUALS, (label,), f"{pointer}/matchLabels/{_step(key)}")
        for key, label in text_map(selector, "matchLabels", pointer).items()
    ]
    for index, item in enumerate(list_of(selector, "matchExpressions", pointer)):
        here = f"{pointer}/matchExpressions/{index}"
        expression = as_mapping(item, here)
        name = text_of(expression, "operator", here)
        operator = _OPERATORS.get(name)
        if operator is None:
            raise PolicyError(f"invalid label selector: {here}/operator is not a valid selector operator")
        values = tuple(
            as_text(entry, f"{here}/values/{position}")
            for position, entry in enumerate(list_of(expression, "values", here))
        )
        if operator in (Operator.IN, Operator.NOT_IN) and not values:
            raise PolicyError(f"invalid label selector: {here}/values must be specified when operator is In or NotIn")
        if operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST) and values:
            raise PolicyError(f"invalid label selector: {here}/values may not be specified with {operator}")
        wanted.append(RawRequirement(text_of(expression, "key", here), operator, values, here))
    return tuple(wanted)


def _step(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def extended_key(key: str) -> str:
    """Write ``source:key`` as ``source.key``, without a source as ``any.key``.

    Source: pkg/labels/labels.go, GetExtendedKeyFrom.
    """
    if ":" not in key and key.startswith("reserved."):
        return f"{Source.RESERVED}.{key.removeprefix('reserved.').partition('=')[0]}"
    return extended_key_with_colon(key)


def extended_key_with_colon(key: str) -> str:
    """Write the same where a dot makes no reserved label (version fact ``reserved-needs-colon``)."""
    if key.startswith("$"):
        source, rest = str(Source.RESERVED), key[1:]
    elif ":" in key:
        source, _, rest = key.partition(":")
    else:
        source, rest = "", key
    return f"{source or Source.ANY}.{rest.partition('=')[0]}"


def split_key(extended: str) -> tuple[str, str]:
    """Take ``source.key`` apart the way matching does (pkg/labels/labels.go, parseSelectLabel with a dot)."""
    source, separator, key = extended.partition(".")
    if not separator:
        return str(Source.ANY), extended
    key = key.partition("=")[0]
    return source or str(Source.ANY), key


def check_selector(raw: Iterable[RawRequirement], extend: KeyExtender) -> None:
    """Check keys and values as the agent does, on the key with its source (slim meta/v1/validation).

    Raises PolicyError: "invalid label selector".
    """
    for requirement in raw:
        fault = label_key_fault(extend(requirement.key))
        if fault:
            raise PolicyError(f"invalid label selector: {requirement.pointer}: the key {fault}")
        for value in requirement.values:
            fault = label_value_fault(value)
            if fault:
                raise PolicyError(f"invalid label selector: {requirement.pointer}: a value {fault}")


def compile_requirements(
    raw: Iterable[RawRequirement], extend: KeyExtender, implied: Implied | None = None
) -> list[Requirement]:
    """Turn clauses as written into requirements on identity labels."""
    compiled = []
    for requirement in raw:
        source, key = split_key(extend(requirement.key))
        compiled.append(
            Requirement(
                source=source,
                key=key,
                operator=requirement.operator,
                values=requirement.values,
                implied=implied,
                pointer=requirement.pointer,
            )
        )
    return compiled


def selector_of(requirements: Iterable[Requirement]) -> LabelSelector:
    """Make a selector; the order in which the clauses were written does not make two of one."""
    return LabelSelector(tuple(sorted(requirements, key=lambda one: (one.key, one.source, one.operator, one.values))))


def has_key(requirements: Iterable[Requirement], key: str) -> bool:
    """Tell whether a clause names this Kubernetes label, with source k8s or any."""
    return any(one.key == key and one.source in (Source.K8S, Source.ANY) for one in requirements)


def _names_namespace_label(requirements: Iterable[Requirement]) -> bool:
    return any(
        one.key.startswith(f"{NAMESPACE_LABELS_PREFIX}.") and one.source in (Source.K8S, Source.ANY)
        for one in requirements
    )


def equals(key: str, value: str, implied: Implied | None, source: str = Source.K8S, pointer: str = "") -> Requirement:
    """Make a requirement that a label has this value."""
    return Requirement(source, key, Operator.EQUALS, (value,), implied=implied, pointer=pointer)


def exists(key: str, implied: Implied | None, source: str = Source.K8S, pointer: str = "") -> Requirement:
    """Make a requirement that a label is there."""
    return Requirement(source, key, Operator.EXISTS, (), implied=implied, pointer=pointer)


def add_cluster(requirements: list[Requirement], cluster: str, pointer: str) -> None:
    """Add the local cluster, unless a clause names a cluster (pkg/k8s/apis/cilium.io/utils/utils.go:76-80)."""
    if cluster and not has_key(requirements, CLUSTER_LABEL):
        requirements.append(equals(CLUSTER_LABEL, cluster, Implied.LOCAL_CLUSTER, pointer=pointer))


def cilium_peer(
    raw: tuple[RawRequirement, ...],
    *,
    namespace: str,
    cluster: str,
    subject_is_init: bool,
    extend: KeyExtender,
    pointer: str,
    reserved_exempt: bool = True,
) -> LabelSelector:
    """Compile an entry of ``fromEndpoints`` or ``toEndpoints``.

    Without a namespace clause it means the policy's namespace; in a cluster-wide policy, all Kubernetes pods.
    Reserved labels are exempt (pkg/k8s/apis/cilium.io/utils/utils.go:86-123).
    """
    requirements = compile_requirements(raw, extend)
    if reserved_exempt and any(one.source == Source.RESERVED for one in requirements):
        return selector_of(requirements)
    if not has_key(requirements, NAMESPACE_LABEL):
        if not namespace:
            if not subject_is_init:
                requirements.append(exists(NAMESPACE_LABEL, Implied.ANY_NAMESPACE, pointer=pointer))
        elif not _names_namespace_label(requirements):
            requirements.append(equals(NAMESPACE_LABEL, namespace, Implied.POLICY_NAMESPACE, pointer=pointer))
    add_cluster(requirements, cluster, pointer)
    return selector_of(requirements)


def cilium_subject(
    raw: tuple[RawRequirement, ...], *, namespace: str, extend: KeyExtender, pointer: str
) -> LabelSelector:
    """Compile an ``endpointSelector``: a namespaced policy selects in its own namespace, whatever else it says.

    A namespace clause with source k8s is overwritten, one with another source stays beside it
    (pkg/k8s/apis/cilium.io/utils/utils.go:355-369).
    """
    requirements = compile_requirements(raw, extend)
    if namespace:
        requirements = [
            one
            for one in requirements
            if not (one.source == Source.K8S and one.key == NAMESPACE_LABEL and one.operator is Operator.EQUALS)
        ]
        requirements.append(equals(NAMESPACE_LABEL, namespace, Implied.POLICY_NAMESPACE, pointer=pointer))
    return selector_of(requirements)


def node_peer(raw: tuple[RawRequirement, ...], *, cluster: str, extend: KeyExtender, pointer: str) -> LabelSelector:
    """Compile an entry of ``fromNodes`` or ``toNodes``.

    Remote nodes only (pkg/k8s/apis/cilium.io/utils/utils.go:137-145).
    """
    requirements = compile_requirements(raw, extend)
    requirements.append(exists("remote-node", Implied.REMOTE_NODE, Source.RESERVED, pointer))
    add_cluster(requirements, cluster, pointer)
    return selector_of(requirements)


def kubernetes_key(key: str) -> str:
    """Give a pod label's key its source."""
    return f"{Source.K8S}.{key}"


def namespace_label_key(key: str) -> str:
    """Give the identity label that stands for a label of the pod's namespace."""
    return f"{Source.K8S}.{NAMESPACE_LABELS_PREFIX}.{key}"


def reserved_selector(name: str) -> LabelSelector:
    """Select the identities with ``reserved:name``."""
    return LabelSelector((Requirement(Source.RESERVED, name, Operator.EQUALS, ("",)),))


def cluster_selector(cluster: str) -> LabelSelector:
    """Select the pods of a cluster by their label."""
    return LabelSelector((Requirement(Source.K8S, CLUSTER_LABEL, Operator.EQUALS, (cluster,)),))


def service_selector(
    selector: Mapping[str, str], *, namespace: str, cluster: str, loses_dots: bool, pointer: str
) -> LabelSelector:
    """Compile the selector of a Service that ``toServices`` names (pkg/policy/k8s/service.go, appendSelector)."""
    requirements = []
    for key, value in selector.items():
        source, name = split_key(key) if loses_dots else (str(Source.K8S), key)
        requirements.append(equals(name, value, Implied.SERVICE, source, pointer))
    requirements = [one for one in requirements if one.key != NAMESPACE_LABEL]
    requirements.append(equals(NAMESPACE_LABEL, namespace, Implied.SERVICE, pointer=pointer))
    add_cluster(requirements, cluster, pointer)
    return selector_of(requirements)
