"""Who is who: a person in Slack, as the user and the groups that Kubernetes is asked about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from handlers.model.manifest_yaml import ManifestError, load_manifest

MOST_ENTRIES = 10_000
_EMAIL = "{email}"
_AUTHENTICATED = "system:authenticated"
"""The group of everybody whom the API server knows (Kubernetes, Authenticating)."""


class PeopleError(ValueError):
    """The mapping says something that cannot be read; the message says where, and what to write."""


@dataclass(frozen=True, slots=True)
class Person:
    """A Kubernetes user and groups, as access is reviewed for them; nobody, who may read nothing, has neither."""

    user: str = ""
    groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Say whether it is anybody."""
        return bool(self.user or self.groups)

    @property
    def all_groups(self) -> tuple[str, ...]:
        """Return the groups with the one that every known user is in."""
        return tuple(dict.fromkeys((*self.groups, *([_AUTHENTICATED] if self.user else []))))


NOBODY = Person()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the mapping: whom it is about by one of the three, and who that is; all empty is everybody.

    ``email`` may be a pattern (``*@example.com``); ``user`` may be ``{email}``.
    """

    user: str = ""
    groups: tuple[str, ...] = ()
    slack: str = ""
    email: str = ""
    usergroup: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """The mapping. The groups of all entries about somebody count together, and the first user that one names."""

    entries: tuple[Entry, ...] = ()

    @property
    def asks_for_email(self) -> bool:
        """Whether e-mail addresses decide anything."""
        return any(entry.email or entry.user == _EMAIL for entry in self.entries)

    def person(self, slack: str, email: str, is_in: Callable[[str], bool]) -> Person:
        """Return who somebody is; ``email`` is empty where it is not known, ``is_in`` tells who is in user groups."""
        found = [entry for entry in self.entries if _is_about(entry, slack, email.casefold(), is_in)]
        users = [email.casefold() if entry.user == _EMAIL else entry.user for entry in found]
        groups = tuple(dict.fromkeys(group for entry in found for group in entry.groups))
        return Person(next(filter(None, users), ""), groups)


def read_people(text: str) -> People:
    """Return the mapping that YAML or JSON holds.

    Raises:
        PeopleError: if it holds none.
    """
    try:
        body = load_manifest(text.encode())
    except ManifestError as error:
        raise PeopleError(f"the mapping of people: {error}") from error
    if not isinstance(body, Mapping) or not isinstance(body.get("people"), list):
        raise PeopleError("the mapping of people has to be an object with a list named people")
    if extra := sorted(map(str, body.keys() - {"people", "default"})):
        raise PeopleError(f"the mapping of people has {', '.join(extra)}, which mean nothing; write people and default")
    written = body["people"]
    if len(written) > MOST_ENTRIES:
        raise PeopleError(f"the mapping of people has more than {MOST_ENTRIES} entries")
    entries = [_entry(one, f"people[{number}]", _WHO) for number, one in enumerate(written)]
    last = [_entry(body["default"], "default", frozenset())] if body.get("default") else []
    return People((*entries, *last))


_WHO = frozenset({"slack", "email", "usergroup"})


def _entry(body: Any, where: str, by: frozenset[str]) -> Entry:
    if not isinstance(body, Mapping) or not all(isinstance(key, str) for key in body):
        raise PeopleError(f"{where} has to be an object")
    if extra := sorted(body.keys() - {"user", "groups"} - by):
        raise PeopleError(f"{where} has {', '.join(extra)}; it may have {', '.join(sorted({'user', 'groups'} | by))}")
    groups = body.get("groups") or []
    texts = {key: body[key] for key in body.keys() - {"groups"}}
    if not isinstance(groups, list) or not all(isinstance(one, str) and one for one in (*groups, *texts.values())):
        raise PeopleError(f"{where}: groups is a list of names, everything else is a name")
    if len(texts.keys() & by) != bool(by):
        raise PeopleError(f"{where} has to say whom it is about by one of {', '.join(sorted(by))}")
    if not body.get("user") and not groups:
        raise PeopleError(f"{where} names neither a user nor groups")
    email = str(texts.pop("email", "")).casefold()
    return Entry(groups=tuple(groups), email=email, **texts)


def _is_about(entry: Entry, slack: str, email: str, is_in: Callable[[str], bool]) -> bool:
    if entry.user == _EMAIL and not email:
        return False
    if entry.slack:
        return entry.slack == slack
    if entry.email:
        return bool(email) and fnmatchcase(email, entry.email)
    return not entry.usergroup or is_in(entry.usergroup)
