"""How a scope tells how much of a part is read, and what of a longer list it means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from handlers.model.pod_query import pod_test
from handlers.model.scope import Scope

T = TypeVar("T")

Keeps = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Width:
    """Which fields of a scope tell how much of a part is read, and how a longer list is narrowed to that."""

    fields: tuple[str, ...] = ()
    """Names of fields of Scope; none means that the part is always read the same way."""
    is_condition: bool = False
    """Whether they tell only if the part is needed at all."""
    keeps: Callable[[Scope], Keeps] | None = None
    """The question whether a scope means an item of the part; None where it means every one."""

    def is_known(self, scope: Scope) -> bool:
        """Whether the scope tells by now how much to read."""
        return not self.fields or any(getattr(scope, name) not in (None, False) for name in self.fields)

    def is_needless(self, scope: Scope) -> bool:
        """Whether the scope, as it is by now, does without the part."""
        return self.is_condition and not self.is_known(scope)

    def of(self, scope: Scope) -> Mapping[str, object]:
        """Return what of a scope changes what the part holds: equal mappings, equal reads."""
        if self.is_condition:
            return {}
        every = scope.all_namespaces and "all_namespaces" in self.fields
        return {name: None if every and name == "namespaces" else getattr(scope, name) for name in self.fields}

    def narrowed(self, scope: Scope, found: tuple[T, ...]) -> tuple[T, ...]:
        """Return the items that the scope means.

        Raises:
            ValueError: if a label selector of the scope is none.
        """
        return found if self.keeps is None else tuple(filter(self.keeps(scope), found))


def _in_namespaces(scope: Scope) -> Keeps:
    # Cluster-wide objects have no namespace, and every scope means them.
    wanted = {"", *(scope.namespaces or ())}
    return lambda item: scope.all_namespaces or item.namespace in wanted


def _of_pods(scope: Scope) -> Keeps:
    tests = [pod_test(query) for query in scope.pods or ()]
    return lambda pod: any(test(pod) for test in tests)


def _of_identities(scope: Scope) -> Keeps:
    return lambda identity: not scope.identities or identity.number in scope.identities


WHOLE = Width()
IN_NAMESPACES = Width(("namespaces", "all_namespaces"), keeps=_in_namespaces)
OF_PODS = Width(("pods",), keeps=_of_pods)
OF_IDENTITIES = Width(("identities",), keeps=_of_identities)
OF_FLOWS = Width(("flows",))
IF_ADDRESSES_MATTER = Width(("all_services",), is_condition=True)
IF_HOST_NAMES_MATTER = Width(("entrances",), is_condition=True)
IF_SERVICES_MATTER = Width(("policy_services",), is_condition=True)
IF_PORT_NAMES_MATTER = Width(("named_ports",), is_condition=True)
IF_ALL_POLICIES_MATTER = Width(("all_policies",), is_condition=True)
