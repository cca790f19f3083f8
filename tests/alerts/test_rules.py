"""The rules that ``alerts rules`` prints: whole, and read by the program itself."""

import re
from typing import Any

import pytest
import yaml

from handlers.alerts.cards import cards_of
from handlers.alerts.known import known_alert
from handlers.alerts.received import of_document
from handlers.alerts.rules import rules_and_receiver
from handlers.alerts.signal import Decision
from tests.alerts.payloads import one

_OPERATOR, _ALERTMANAGER = yaml.safe_load_all(rules_and_receiver())
_RULES = [rule for group in _OPERATOR["spec"]["groups"] for rule in group["rules"]]
_VALUES = {
    "cluster": "prod",
    "source": "shop/frontend",
    "source_namespace": "shop",
    "source_workload": "frontend",
    "destination": "shop/cart",
    "destination_namespace": "shop",
    "destination_workload": "cart",
    "protocol": "TCP",
    "reason": "POLICY_DENIED",
    "node": "lab-node-1",
    "source_node_name": "lab-node-1",
    "map_name": "cilium_ct4_global",
}
_ASKS = {
    "HubblePolicyDenied": "why shop/frontend shop/cart",
    "HubbleDropsHigh": "why shop/frontend shop/cart",
    "CiliumAgentDown": "health",
    "CiliumUnreachableNodes": "health lab-node-1",
    "CiliumAgentMapPressure": "health lab-node-1",
    "CiliumAgentEndpointsNotReady": "health lab-node-1",
    "CiliumAgentPolicyImportErrors": "health",
    "CiliumAgentControllersRunsFailing": "health lab-node-1",
}


def test_it_is_a_rule_of_the_operator_and_a_receiver() -> None:
    assert (_OPERATOR["apiVersion"], _OPERATOR["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert {rule["alert"] for rule in _RULES} == set(_ASKS)
    names = {receiver["name"] for receiver in _ALERTMANAGER["receivers"]}
    assert {route["receiver"] for route in _ALERTMANAGER["route"]["routes"]} == names
    http = _ALERTMANAGER["receivers"][0]["webhook_configs"][0]["http_config"]
    assert http["authorization"]["type"] == "Bearer"


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule["alert"]) for rule in _RULES])
def test_what_a_rule_fires_is_known_and_asks_exactly(rule: dict[str, Any]) -> None:
    kept = {name.strip() for found in re.findall(r"by \(([^)]*)\)", rule["expr"]) for name in found.split(",")}
    labels = {name: _VALUES[name] for name in kept} | rule["labels"]
    assert rule["expr"].count("(") == rule["expr"].count(")")
    assert known_alert(rule["alert"]) is not None
    card = cards_of(of_document(one(rule["alert"], **labels)))[0]
    assert (card.decision, card.questions[0]) == (Decision.TRIAGE, _ASKS[rule["alert"]])
