"""The rules of the chart's roles, made of what the code reads."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import yaml

from handlers.doctor.rights import Right
from workers.doctor.rights import rights_used

_CILIUM, _RELAY = "cilium", "relay"

_OF_THE_CLUSTER = frozenset(
    {
        *(("", "namespaces"), ("", "nodes")),
        *(("networking.k8s.io", "ingressclasses"), ("gateway.networking.k8s.io", "gatewayclasses")),
        ("cilium.io", "ciliumclusterwidenetworkpolicies"),
        ("cilium.io", "ciliumidentities"),
        ("cilium.io", "ciliumnodes"),
        ("cilium.io", "ciliumendpointslices"),
        ("cilium.io", "ciliumegressgatewaypolicies"),
        ("cilium.io", "ciliumcidrgroups"),
        ("policy.networking.k8s.io", "clusternetworkpolicies"),
        ("policy.networking.k8s.io", "adminnetworkpolicies"),
        ("policy.networking.k8s.io", "baselineadminnetworkpolicies"),
        ("isovalent.com", "isovalentclusterwidenetworkpolicies"),
        ("crd.projectcalico.org", "globalnetworkpolicies"),
        ("crd.antrea.io", "clusternetworkpolicies"),
    }
)
"""Kinds that live in no namespace, so that no Role can grant them."""


def rights_file() -> str:
    """Return ``files/rights.yaml``: the rules of each role that the chart may make."""
    everywhere: list[Right] = []
    parts: dict[str, list[Right]] = defaultdict(list)
    for right in rights_used(_CILIUM, secret_in=_RELAY, reviews=True, watches=True):
        if right.namespace:
            parts["exec" if right.resource == "pods/exec" else right.namespace].append(right)
        elif right.verb == "watch":
            parts["watchEvents"].append(right)
        elif right.verb == "create":
            parts["reviews"].append(right)
        else:
            everywhere.append(right)
    parts["cluster"] = [one for one in everywhere if (one.group, one.resource) in _OF_THE_CLUSTER]
    parts["namespaced"] = [one for one in everywhere if one not in parts["cluster"]]
    rules = {name: list(_rules(rights)) for name, rights in sorted(parts.items())}
    return "# Written by `make chart-files` from what the code reads.\n" + yaml.safe_dump(rules, sort_keys=False)


def _rules(rights: Iterable[Right]) -> Iterable[Mapping[str, list[str]]]:
    # One rule for the resources of a group that share their verbs.
    verbs: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for right in rights:
        verbs[right.group, right.resource, right.name].append(right.verb)
    together: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource, name), those in verbs.items():
        together[group, name, tuple(sorted(set(those)))].append(resource)
    for (group, name, shared), resources in sorted(together.items()):
        named = {"resourceNames": [name]} if name else {}
        yield {"apiGroups": [group], "resources": sorted(resources), **named, "verbs": list(shared)}
