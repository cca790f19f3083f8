"""What a person in Slack, and what everybody in a channel, may see of an answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.channel_rules import Audience
from handlers.model.ownership import Owner
from handlers.rights.allowed import NOTHING, Allowed
from handlers.rights.people import NOBODY, People, PeopleError, Person, read_people
from workers.reviews import Reviews

log = structlog.get_logger(__name__)


class PeopleFile:
    """The mapping of people from a file that may change, as a mounted ConfigMap does, or from the text itself."""

    def __init__(self, written: str) -> None:
        """Read the mapping.

        Raises:
            PeopleError: if it cannot be read now. Later, nobody is known while it cannot.
        """
        self._path = None if written.lstrip().startswith("{") else Path(written)
        self._stamp: object = None
        self._people = People()
        self._read(written)

    def people(self) -> People:
        """Return the mapping as it is now."""
        try:
            self._read("")
        except PeopleError as error:
            log.error("people_not_read", problem=str(error))
            self._stamp, self._people = None, People()
        return self._people

    def _read(self, written: str) -> None:
        if self._path is None:
            self._people = read_people(written) if written else self._people
            return
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            if stamp != self._stamp:
                self._people, self._stamp = read_people(self._path.read_text("utf-8")), stamp
        except (OSError, UnicodeDecodeError) as error:
            raise PeopleError(f"{self._path} cannot be read: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True)
class Rights:
    """Puts together who somebody is and what they may read. Any thread may use it; it raises nothing.

    ``audience_of`` returns what was set of a channel, None where nobody set anything.
    """

    people: Callable[[], People]
    email_of: Callable[[str], str]
    members_of: Callable[[str], frozenset[str]]
    audience_of: Callable[[str], Audience | None]
    reviews: Reviews

    def person(self, user: str) -> Person:
        """Return who a Slack user is; nobody where that cannot be told."""
        try:
            people = self.people()
            email = self.email_of(user) if people.asks_for_email else ""
            return people.person(user, email, lambda group: user in self.members_of(group))
        except Exception as error:
            log.exception("person_not_told", user=user, error=type(error).__name__)
            return NOBODY

    def audience(self, channel: str) -> Person:
        """Return who everybody in a channel counts as: who was set of it, else whoever is known least."""
        try:
            said = self.audience_of(channel)
            return (
                self.people().person("", "", lambda _group: False) if said is None else Person(said.user, said.groups)
            )
        except Exception as error:
            log.exception("audience_not_told", channel=channel, error=type(error).__name__)
            return NOBODY

    def shared(self, channel: str, user: str, owners: Iterable[Owner]) -> Allowed:
        """Return what may stand in a place: in a direct conversation it is what that person may read."""
        return self.reviews.allowed(self.person(user) if is_direct(channel, user) else self.audience(channel), owners)

    def own(self, user: str, owners: Iterable[Owner]) -> Allowed:
        """Return what one person may read."""
        return self.reviews.allowed(self.person(user), owners)


@dataclass(frozen=True, slots=True)
class RightsOf:
    """The rights in each cluster by its name; the first is meant where nobody names one."""

    clusters: Mapping[str, Rights]

    def of(self, cluster: str) -> Rights:
        """Return the rights in a cluster.

        Raises:
            KeyError: if it is none of those.
        """
        return self.clusters[cluster] if cluster else next(iter(self.clusters.values()))

    def shared(self, cluster: str, channel: str, user: str, owners: Iterable[Owner]) -> Allowed:
        """Return what may stand in a place; nothing of a cluster that is none of those."""
        known = not cluster or cluster in self.clusters
        return self.of(cluster).shared(channel, user, owners) if known else NOTHING

    def own(self, cluster: str, user: str, owners: Iterable[Owner]) -> Allowed:
        """Return what one person may read; nothing of a cluster that is none of those."""
        return self.of(cluster).own(user, owners) if not cluster or cluster in self.clusters else NOTHING


def is_direct(channel: str, user: str) -> bool:
    """Say whether only this person reads there (https://docs.slack.dev/reference/objects/conversation-object)."""
    return bool(user) and (channel.startswith("D") or channel == user)
