"""YAML of a dump is plain; anything cleverer is refused before it can hurt."""

import contextlib
from math import inf
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from handlers.model.manifest_yaml import ManifestError, load_manifest

LAUGHS = b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (b"", None),
        (b"a: 1\nb: null\nc: []\n", {"a": 1, "b": None, "c": []}),
        (b"a: 2026-11-20T12:00:00Z\n", {"a": "2026-11-20T12:00:00Z"}),
        (b'a: "*"\nb: "&x"\n', {"a": "*", "b": "&x"}),
        (b"a: |\n  *not an alias\n", {"a": "*not an alias\n"}),
        (
            b"[~, yes, off, 012, 0x1f, 1_000, 1e3, 1.5, .inf, -3]",
            [None, True, False, 10, 31, 1000, "1e3", 1.5, inf, -3],
        ),
        (
            b"['~', 'yes', \"12\", !!str 12, nobody, 10.0.0.1, ]",
            ["~", "yes", "12", "12", "nobody", "10.0.0.1"],
        ),
        (b"? a\n: {1: [{}, {b: }]}\n...\n", {"a": {1: [{}, {"b": None}]}}),
    ],
)
def test_plain_yaml_is_read(written: bytes, value: Any) -> None:
    assert load_manifest(written) == value


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        pytest.param(LAUGHS, "aliases", id="billion laughs"),
        pytest.param(b"a: &a\n  b: *a\n", "aliases", id="an object that holds itself"),
        pytest.param(b"[" * 100_000, "nest", id="brackets without end"),
        pytest.param(b"{a: " * 300 + b"1" + b"}" * 300, "nest", id="objects three hundred deep"),
        pytest.param(b"- " * 5_000 + b"1", "nest", id="lists five thousand deep"),
        pytest.param(b"\xff\xfe\x00", "no YAML", id="no text"),
        pytest.param(b"a: \x00", "no YAML", id="a null byte"),
        pytest.param(b"a: b: c", "no YAML", id="no grammar"),
        pytest.param(b"!!python/object/apply:os.system [id]", "no YAML", id="a call of Python"),
        pytest.param(b"? [a]\n: b", "no YAML", id="a list as a key"),
        pytest.param(b"a: " + b"9" * 10_000, "no YAML", id="a number of ten thousand digits"),
        pytest.param(b"a: 1\n---\nb: 2\n", "no YAML", id="two documents"),
        pytest.param(b"<<: {a: 1}\nb: 2\n", "merged keys", id="merged keys"),
        pytest.param(b"a: !!set {b: }\n", "no YAML", id="a set"),
        pytest.param(b"a: [b: c: d]", "no YAML", id="no grammar inside"),
        pytest.param(b"a: [1\n", "no YAML", id="a list without an end"),
    ],
)
def test_anything_cleverer_is_refused(written: bytes, problem: str) -> None:
    with pytest.raises(ManifestError, match=problem):
        load_manifest(written)


@given(st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>?#'\" \n\t%@", max_size=120).map(str.encode))
def test_nothing_else_is_raised(written: bytes) -> None:
    with contextlib.suppress(ManifestError):
        load_manifest(written)


_PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)


@given(
    st.recursive(
        _PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    )
)
def test_what_is_written_as_yaml_is_read_again(value: Any) -> None:
    assert load_manifest(yaml.safe_dump(value).encode()) == value
