"""Who somebody in Slack is for Kubernetes."""

import pytest

from handlers.rights.people import NOBODY, PeopleError, Person, read_people

WRITTEN = """
people:
  - slack: U1
    user: jane
    groups: [shop]
  - email: "*@example.com"
    user: "{email}"
    groups: [staff]
  - usergroup: S9
    groups: [oncall]
default:
  groups: [guests]
"""


@pytest.mark.parametrize(
    ("slack", "email", "groups", "person"),
    [
        pytest.param("U1", "", (), Person("jane", ("shop", "guests")), id="by the id in Slack"),
        pytest.param(
            "U2", "Ada@Example.com", (), Person("ada@example.com", ("staff", "guests")), id="by a pattern of the e-mail"
        ),
        pytest.param(
            "U1", "jane@example.com", ("S9",), Person("jane", ("shop", "staff", "oncall", "guests")), id="by all three"
        ),
        pytest.param(
            "U3", "mallory@example.com.evil.org", (), Person("", ("guests",)), id="by the end of a pattern only"
        ),
        pytest.param("U3", "", (), Person("", ("guests",)), id="everybody else"),
    ],
)
def test_who_somebody_is(slack: str, email: str, groups: tuple[str, ...], person: Person) -> None:
    assert read_people(WRITTEN).person(slack, email, lambda group: group in groups) == person


def test_without_a_default_whoever_is_not_named_is_nobody() -> None:
    people = read_people('{"people": [{"slack": "U1", "user": "jane"}]}')
    assert people.person("U2", "jane@example.com", lambda _: True) == NOBODY
    assert not NOBODY
    assert not people.asks_for_email


def test_a_user_by_the_email_is_nobody_while_slack_does_not_tell_it() -> None:
    people = read_people('{"people": [], "default": {"user": "{email}", "groups": ["staff"]}}')
    assert people.person("U1", "", lambda _: False) == NOBODY


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        pytest.param("[]", "has to be an object with a list named people", id="a list"),
        pytest.param("{people: [], owners: []}", "has owners, which mean nothing", id="a word that means nothing"),
        pytest.param("people: [{user: jane}]", "has to say whom it is about", id="nobody in Slack"),
        pytest.param("people: [{slack: U1, email: a@b, user: jane}]", "whom it is about by one of", id="two at once"),
        pytest.param("people: [{slack: U1}]", "names neither a user nor groups", id="nobody in Kubernetes"),
        pytest.param("people: [{slack: U1, groups: sre}]", "groups is a list of names", id="a group for a list"),
        pytest.param("people: [{slack: '', user: jane}]", "everything else is a name", id="an empty id"),
        pytest.param("a: &a [*a]", "YAML aliases", id="aliases"),
    ],
)
def test_a_mapping_that_says_something_else_is_refused(written: str, problem: str) -> None:
    with pytest.raises(PeopleError, match=problem):
        read_people(written)
