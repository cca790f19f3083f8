"""Manifests that somebody wrote to do harm: no exception, and nothing of them runs."""

import shlex
from typing import Any

import pytest

from handlers.patch.edits import EditError, add, applied, look
from handlers.patch.manifest import ManifestError, clean, reference_of
from tests.patch.lab import CART, LOADGEN, ask, recorded
from tests.policy.worlds import tcp


def nested(depth: int) -> Any:
    value: Any = "end"
    for _ in range(depth):
        value = {"in": value}
    return value


def cyclic() -> Any:
    value: dict[str, Any] = {}
    value["self"] = value
    return value


HARMFUL = {
    "deeply nested": nested(3000),
    "refers to itself": cyclic(),
    "huge": ["x"] * 30_000,
    "not JSON": {"when": object()},
    "keys that are no texts": {1: "one"},
}


@pytest.mark.parametrize("value", HARMFUL.values(), ids=HARMFUL)
def test_an_object_that_cannot_be_shown_is_not_edited(value: Any) -> None:
    live = recorded("02-ingress-default-deny")[0]
    live["metadata"]["annotations"] = value
    answer = ask([live], LOADGEN, CART, tcp(8080))
    with pytest.raises(ManifestError):
        clean(live)
    assert all(patch.is_new for patch in answer.proposal.patches)


def test_words_of_a_manifest_do_not_leave_their_quotes() -> None:
    live = recorded("02-ingress-default-deny")[0]
    live["spec"]["ingress"][0]["fromEndpoints"][0]["matchLabels"] = {"app": "frontend"}
    live["spec"]["ingress"][0]["note"] = "'; rm -rf / #\n$(id)`id`"
    command = ask([live], LOADGEN, CART, tcp(8080)).patch.command
    words = shlex.split(command)
    assert len(words) == 9
    assert "rm -rf" in words[-1]


@pytest.mark.parametrize("name", ["", "-n", "a b", "a;b", "A", "x" * 300, 7, None])
def test_an_object_without_a_proper_name_is_not_edited(name: object) -> None:
    assert reference_of({"kind": "CiliumNetworkPolicy", "metadata": {"name": name, "namespace": "shop"}}) is None


def test_objects_with_one_name_are_not_edited() -> None:
    twice = recorded("02-ingress-default-deny") * 2
    answer = ask(twice, LOADGEN, CART, tcp(8080))
    assert all(patch.is_new for patch in answer.proposal.patches)


def test_operations_that_do_not_fit_are_refused() -> None:
    document = {"spec": {"ingress": [{"a": 1}]}}
    with pytest.raises(EditError):
        applied(document, [add("/spec/egress/-", {})])
    with pytest.raises(EditError):
        applied(document, [{"op": "test", "path": "/spec/ingress/0", "value": {"a": 2}}])
    with pytest.raises(EditError):
        look(document, "/spec/ingress/-1")
    assert applied(document, [add("/spec/ingress/-", {"b": 2})]) == {"spec": {"ingress": [{"a": 1}, {"b": 2}]}}
    assert document == {"spec": {"ingress": [{"a": 1}]}}
