"""Laws of the declarations of parts."""

from dataclasses import fields, replace

import pytest

from handlers.model.parts import PARTS, Part
from handlers.model.scope import FlowQuery, PodQuery, Scope
from handlers.model.snapshot import AnyPart
from tests.knowledge.build import NOW

EVERYTHING = Scope(
    namespaces=("shop",),
    all_namespaces=True,
    pods=(PodQuery(),),
    nodes=("n1",),
    flows=FlowQuery((), NOW, NOW),
    identities=(),
    all_services=True,
    entrances=True,
    policy_services=True,
    all_policies=True,
    named_ports=True,
)


def test_each_part_is_called_as_it_is_spelt() -> None:
    declared = {name: part for name, part in vars(Part).items() if part in PARTS}
    assert [part.name for part in PARTS] == [name.lower() for name in declared]
    assert len(declared) == len(PARTS) == len({part.name for part in PARTS})


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_a_part_depends_on_fields_that_a_scope_has(part: AnyPart) -> None:
    assert set(part.width.fields) <= {field.name for field in fields(Scope)}
    assert part.width.is_known(EVERYTHING)
    assert not part.width.is_needless(EVERYTHING)
    assert part.width.is_known(Scope()) == (not part.width.fields)


@pytest.mark.parametrize(
    ("narrower", "wider", "is_the_same_read"),
    [
        (replace(EVERYTHING, namespaces=None), EVERYTHING, True),
        (Scope(namespaces=("shop",)), Scope(namespaces=("shop", "pay")), False),
        (Scope(namespaces=("shop",)), EVERYTHING, False),
        (Scope(namespaces=("shop",)), Scope(namespaces=("shop",), nodes=("n1",)), True),
    ],
    ids=["every namespace, some named", "one more namespace", "every namespace", "nodes besides"],
)
def test_what_makes_two_reads_of_services_the_same(narrower: Scope, wider: Scope, is_the_same_read: bool) -> None:
    width = Part.SERVICES.width
    assert (width.of(narrower) == width.of(wider)) == is_the_same_read


def test_a_condition_says_only_whether_a_part_is_read() -> None:
    width = Part.POLICY_SERVICES.width
    assert width.is_needless(Scope())
    assert width.of(Scope(policy_services=True)) == width.of(Scope()) == {}
