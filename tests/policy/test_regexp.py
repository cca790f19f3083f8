r"""Expressions of HTTP rules: what the agent (Go) compiles, and what the proxy (RE2) then matches in full."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.policy.regexp import RegexpError, check_regexp, full_match
from tests.sampling import examples


@pytest.mark.parametrize(
    ("expression", "text", "matches"),
    [
        pytest.param("/api/.*", "/api/x", True, id="a path"),
        pytest.param("/api/.*", "/v1/api/x", False, id="no match in the middle"),
        pytest.param("/api", "/api/x", False, id="no match of a beginning"),
        pytest.param("GET|HEAD", "HEAD", True, id="either of two"),
        pytest.param("GET|", "", True, id="either of two, one empty"),
        pytest.param(r".*\.example\.com", "a.example.com", True, id="an escaped dot"),
        pytest.param("[[:digit:]]{2,3}", "12", True, id="a class by its POSIX name"),
        pytest.param("(?i)get", "GeT", True, id="without regard to case"),
        pytest.param("(?i)k", "\u212a", True, id="without regard to case: the sign of Kelvin is a k"),
        pytest.param("a.b", "a\nb", False, id="a dot is no line feed"),
        pytest.param("(?s)a.b", "a\nb", True, id="a dot is a line feed where asked for"),
        pytest.param("/a$", "/a\n", False, id="a dollar is the end, not the last line feed as in Python"),
        pytest.param("(?m)a$\nb", "a\nb", True, id="a dollar is the end of a line where asked for"),
        pytest.param(r"\d", "\u0663", False, id="a digit is one of ASCII, unlike in Python"),
        pytest.param(r"\w", "é", False, id="a word is of ASCII, unlike in Python"),
        pytest.param(r"\s", "\v", False, id="a vertical tab is no space, unlike in Python"),
        pytest.param("a{,2}", "a{,2}", True, id="a count without a minimum is text, unlike in Python"),
        pytest.param(r"\Qa.b\E+", "a.bbb", True, id="quoted, the last character repeated"),
        pytest.param(r"\Q(", "(", True, id="quoted to the end"),
        pytest.param(r"\x{41}\101", "AA", True, id="hexadecimal in braces, and octal"),
        pytest.param(r"\pL+", "aé", True, id="letters"),
        pytest.param(r"\p{Tamil}", "அ", True, id="a script"),
        pytest.param(r"\p{^Tamil}", "அ", False, id="every script but one"),
        pytest.param("(?P<x>a)|(?<y>b)", "b", True, id="groups with names, in both spellings"),
        pytest.param("(?P<x>a)(?P<x>b)", "ab", True, id="a name twice, unlike in Python"),
        pytest.param("[]a]", "]", True, id="a class that begins with its bracket"),
        pytest.param("(a?){40}a{40}", "a" * 40, True, id="in linear time"),
    ],
)
def test_what_both_engines_take_matches_alike(expression: str, text: str, matches: bool) -> None:
    check_regexp(expression)
    assert full_match(expression, text) is matches


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        pytest.param("(", "missing ): (", id="an open group"),
        pytest.param(")", "unexpected ): )", id="a group that never began"),
        pytest.param("[", "missing ]: [", id="an open class"),
        pytest.param("[z-a]", "invalid character class range: z-a", id="a range backwards"),
        pytest.param("\\", "trailing \\", id="a backslash at the end"),
        pytest.param("*a", "no argument for repetition operator: *", id="nothing to repeat"),
        pytest.param("/x|{2}", "no argument for repetition operator: {2}", id="nothing to repeat behind a bar"),
        pytest.param("a**", "bad repetition operator: **", id="a repetition repeated"),
        pytest.param("x{2}{3}", "bad repetition operator: {2}{3}", id="a count counted"),
        pytest.param("a++", "bad repetition operator: ++", id="possessive"),
        pytest.param("a{2,1}", "invalid repetition size: {2,1}", id="counts backwards"),
        pytest.param("a{1001}", "invalid repetition size: {1001}", id="more than a thousand"),
        pytest.param("(a{500}){500}", "invalid repetition size: {500}", id="more than a thousand, nested"),
        pytest.param("(?=x)", "invalid perl operator: (?=", id="look-ahead"),
        pytest.param("(?<=x)", "invalid perl operator: (?<=", id="look-behind"),
        pytest.param("(?>x)", "invalid perl operator: (?>", id="atomic"),
        pytest.param(r"(a)\1", r"invalid escape sequence: \1", id="back-reference"),
        pytest.param(r"\Z", r"invalid escape sequence: \Z", id="the end as Python spells it"),
        pytest.param(r"\p{Tamil", r"invalid character class range: \p{Tamil", id="a class without its end"),
        pytest.param(r"\pX", r"invalid character class range: \pX", id="a category that there is not"),
        pytest.param(r"/\C", r"invalid escape sequence: \C", id="a byte of a character: RE2 takes it, Go does not"),
        pytest.param("(?P<é>a)", "invalid named capture: é", id="a name beyond ASCII: RE2 takes it, Go does not"),
    ],
)
def test_what_the_agent_does_not_compile_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(RegexpError, match=f"^{re.escape(reason)}$"):
        check_regexp(expression)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        pytest.param(r"\pL{1000}", "a" * 1000, id="too large for RE2"),
        pytest.param(r"\p{Letter}", "a", id="a name that Go knows since 1.25 and RE2 does not"),
        pytest.param(r"\p{Old_Italic}", "\U00010300", id="a name that some versions of Go know"),
        pytest.param("(" * 600 + "a" + ")*" * 600, "a", id="too deep for Go"),
        pytest.param("a{10000000000}", "a{10000000000}", id="a count that RE2 takes for text and Go refuses"),
    ],
)
def test_what_only_one_of_them_takes_neither_voids_the_policy_nor_allows(expression: str, text: str) -> None:
    check_regexp(expression)
    assert not full_match(expression, text)


def test_what_stands_for_itself_is_no_escape() -> None:
    for expression, text in ((r"\\C", r"\C"), (r"\Q\C\E", r"\C"), (r"[\\]C", r"\C")):
        check_regexp(expression)
        assert full_match(expression, text)


def test_a_host_is_not_checked_by_the_agent_and_allows_nothing_when_broken() -> None:
    assert not full_match("(", "(")


def test_half_a_surrogate_pair_is_read_as_the_agent_reads_json() -> None:
    assert full_match("/\ud800", "/\ufffd")


@settings(max_examples=examples(100))
@given(expression=st.text("ab(|)*+?.^$", max_size=8), text=st.text("ab", max_size=6))
def test_expressions_agree_with_the_standard_library(expression: str, text: str) -> None:
    try:
        check_regexp(expression)
        theirs = re.compile(expression)
    except (RegexpError, re.error):
        return
    assert full_match(expression, text) is bool(theirs.fullmatch(text))
