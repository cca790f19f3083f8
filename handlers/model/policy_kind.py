"""The kinds of policy objects that Cilium enforces, and what the API and Cilium's settings call each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class PolicyKind(StrEnum):
    """The kinds of policy objects that enforce something."""

    NETWORK_POLICY = "NetworkPolicy"
    CILIUM = "CiliumNetworkPolicy"
    CILIUM_CLUSTERWIDE = "CiliumClusterwideNetworkPolicy"

    @property
    def api(self) -> "PolicyApi":
        """Where it lives in the API."""
        return POLICY_APIS[self]


@dataclass(frozen=True, slots=True)
class PolicyApi:
    """A kind of policy in the Kubernetes API.

    ``groups`` are the API groups that may serve it, the one to write first. ``resource`` is its name in the kubectl
    commands that are printed, ``short`` are others that people type. ``switch`` is the setting of cilium-config that
    turns the kind off (pkg/option/config.go; all are on by default).
    """

    groups: tuple[str, ...]
    version: str
    resource: str
    switch: str
    short: tuple[str, ...] = ()
    is_namespaced: bool = True

    @property
    def written(self) -> str:
        """The ``apiVersion`` of a new object."""
        return f"{self.groups[0]}/{self.version}"


POLICY_APIS: Mapping[PolicyKind, PolicyApi] = MappingProxyType(
    {
        PolicyKind.NETWORK_POLICY: PolicyApi(
            ("networking.k8s.io", "extensions"), "v1", "networkpolicy", "enable-k8s-networkpolicy", ("netpol", "np")
        ),
        PolicyKind.CILIUM: PolicyApi(("cilium.io",), "v2", "cnp", "enable-cilium-network-policy"),
        PolicyKind.CILIUM_CLUSTERWIDE: PolicyApi(
            ("cilium.io",), "v2", "ccnp", "enable-cilium-clusterwide-network-policy", is_namespaced=False
        ),
    }
)


def is_policy_kind(kind: object) -> bool:
    """Whether this is the name of a kind of policy, as manifests write it."""
    return kind in tuple(PolicyKind)


def policy_kind_called(name: str) -> PolicyKind | None:
    """Return the kind that kubectl or a person calls so, in any case of letters."""
    called = name.lower()
    return next(
        (kind for kind, api in POLICY_APIS.items() if called in (kind.lower(), api.resource, *api.short)),
        None,
    )


def namespace_of(kind: object, namespace: str) -> str:
    """Return the namespace that an object of this kind is in: kubectl's default for none, empty where cluster-wide."""
    if is_policy_kind(kind) and not PolicyKind(str(kind)).api.is_namespaced:
        return ""
    return namespace or "default"
