"""What policies refer to is found by their fields, wherever they stand, and by nothing else."""

from typing import Any

import pytest

from handlers.model.cluster import PolicyObject
from handlers.policy.mentions import CIDR_GROUPS, TO_NAMES, TO_SERVICES, some_policy_has

SERVICES = {"egress": [{"toServices": [{"k8sService": {"serviceName": "x"}}]}]}
GROUP = {"ingress": [{"fromCIDRSet": [{"cidrGroupRef": "office"}]}]}
GROUPS_BY_LABEL = {"egressDeny": [{"toCIDRSet": [{"cidrGroupSelector": {"matchLabels": {"a": "b"}}}]}]}
SPOKEN_OF = {"description": "toServices and toFQDNs", "endpointSelector": {"matchLabels": {"app": "toServices"}}}


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        pytest.param({"spec": SERVICES}, TO_SERVICES, id="a Service"),
        pytest.param({"specs": [{}, SERVICES]}, TO_SERVICES, id="a Service in the second of several specs"),
        pytest.param({"spec": GROUP}, CIDR_GROUPS, id="a CIDR group by name"),
        pytest.param({"spec": GROUPS_BY_LABEL}, CIDR_GROUPS, id="CIDR groups by label, denied"),
        pytest.param({"spec": {"egress": [{"toFQDNs": []}]}}, TO_NAMES, id="no name at all is still the field"),
        pytest.param({"spec": SPOKEN_OF}, frozenset(), id="words in a description and in a label's value"),
        pytest.param({"metadata": {"annotations": {"toServices": "x"}}, "spec": {}}, frozenset(), id="an annotation"),
        pytest.param({"spec": None, "specs": "toServices"}, frozenset(), id="no specification"),
    ],
)
def test_a_field_of_the_specification(manifest: dict[str, Any], found: frozenset[str]) -> None:
    policies = [PolicyObject("CiliumNetworkPolicy", "shop", "other", {}, None)]
    policies.append(PolicyObject("CiliumNetworkPolicy", "shop", "this", manifest, None))
    assert {fields for fields in (TO_SERVICES, TO_NAMES, CIDR_GROUPS) if some_policy_has(fields, policies)} == {
        fields for fields in (TO_SERVICES, TO_NAMES, CIDR_GROUPS) if fields == found
    }
