"""Names for those who type: which a list holds, and which fit."""

import pytest

from handlers.model.cluster import Namespace
from handlers.model.parts import Part
from handlers.model.scope import PodQuery, Scope
from handlers.model.snapshot import Ask, Known
from handlers.names.listed import ListedName, NameKind, fitting, listed
from tests.knowledge.build import shop

NAMES = (
    ListedName("shop", NameKind.NAMESPACE),
    ListedName("shop/cart", NameKind.WORKLOAD),
    ListedName("shop/svc/cart", NameKind.SERVICE),
    ListedName("shop/cart-db", NameKind.WORKLOAD),
    ListedName("carting/api", NameKind.WORKLOAD),
    ListedName("shop/discard", NameKind.WORKLOAD),
    ListedName("node/cart-1", NameKind.NODE),
)

TYPED = {
    "nothing: what is short first": ("", ["shop", "shop/cart", "carting/api"]),
    "the beginning of the whole, then of the last part": ("cart", ["carting/api", "shop/cart", "node/cart-1"]),
    "capitals": ("Shop/C", ["shop/cart", "shop/cart-db"]),
    "the middle": ("iscard", ["shop/discard"]),
    "nobody": ("payments", []),
}


@pytest.mark.parametrize(("typed", "expected"), TYPED.values(), ids=TYPED.keys())
def test_names_fit_what_is_typed(typed: str, expected: list[str]) -> None:
    assert [name.text for name in fitting(NAMES, typed, 3)] == expected


def test_each_kind_is_written_as_a_question_writes_it() -> None:
    cluster = shop().source()
    asked = (Part.PODS, Part.SERVICES, Part.NODES, Part.NAMESPACES)
    read = (cluster.read(Ask(part, Scope(all_namespaces=True, pods=(PodQuery(),))), 1.0) for part in asked)
    found = {name for answer in read if isinstance(answer, Known) for name in listed(answer.value)}
    assert {(name.text, name.kind.value, name.namespace) for name in found} >= {
        ("shop/cart", "workload", "shop"),
        ("shop/svc/cart", "service", "shop"),
        ("node/n1", "node", ""),
        ("shop", "namespace", "shop"),
    }


def test_what_is_no_name_is_left_out() -> None:
    assert list(listed((Namespace("<!here>", {}), Namespace("x" * 151, {})))) == []
    assert list(listed("shop")) == []
