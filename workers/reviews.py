"""What somebody may read in the cluster: asked of the API server by SubjectAccessReviews, remembered for a moment.

A review changes nothing; it is the one thing that is ever created. Whatever goes wrong with one is a no, and a no of
that kind is not remembered.
"""

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Protocol

import redis
import structlog

from handlers.model.ownership import Content, Owner
from handlers.rights.allowed import NOTHING, Allowed, reviewed
from handlers.rights.people import Person
from handlers.rights.reviews import is_allowed, review_of
from workers.sources.deadline import Deadline
from workers.sources.kube_transport import ApiError, ClusterAccess, KubeTransport
from workers.sources.unread import UnreadError

PATH = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
REMEMBER = timedelta(seconds=45)
MOST_REVIEWS = 400
"""Namespaces and contents that are asked about for one answer; what is beyond is a no."""
_SECONDS = 6.0
"""For all reviews of one answer."""
_AT_ONCE = 8

log = structlog.get_logger(__name__)


class ReviewError(Exception):
    """Nobody could say whether it is allowed."""


class Reviewer(Protocol):
    """Says whether somebody may read something."""

    def review(self, person: Person, owner: Owner, deadline: Deadline) -> bool:
        """Return the decision.

        Raises:
            ReviewError: if there is none.
        """
        ...


class ClusterReviewer:
    """Asks the API server of a cluster."""

    def __init__(self, access: ClusterAccess) -> None:
        self._transport = KubeTransport(access)

    def review(self, person: Person, owner: Owner, deadline: Deadline) -> bool:
        """Return the decision."""
        try:
            return is_allowed(self._transport.post(PATH, review_of(person, owner), deadline))
        except (ApiError, UnreadError) as error:
            raise ReviewError(str(error)) from error


class NoReviewer:
    """Stands where there is no API server to ask: in front of an archive, of which no context was named."""

    def review(self, person: Person, owner: Owner, deadline: Deadline) -> bool:
        """Decide nothing."""
        raise ReviewError("an archive has no API server; name a context, or a kubeconfig")


def reviewer_of(access: ClusterAccess | None) -> Reviewer:
    """Return who decides about a cluster."""
    return NoReviewer() if access is None else ClusterReviewer(access)


class Reviews:
    """Decisions, by way of Redis. One for a process; any of its threads may use it.

    ``cluster`` tells clusters apart that share a Redis.
    """

    def __init__(
        self, reviewer: Reviewer, client: redis.Redis, *, cluster: str = "", prefix: str = "cilium-triage"
    ) -> None:
        self._reviewer = reviewer
        self._redis = client
        self._cluster = cluster
        self._prefix = prefix

    def allowed(self, person: Person, owners: Iterable[Owner]) -> Allowed:
        """Return what of this somebody may read. Never raises: what could not be asked is not allowed."""
        wanted = sorted(reviewed(owners))
        if not person or not wanted:
            return NOTHING
        # Who may read something in all namespaces is asked about none by itself.
        whole = sorted({Owner(owner.content) for owner in wanted})
        try:
            deadline = Deadline.after(_SECONDS)
            known = self._decided(person, whole, deadline)
            everywhere = frozenset(owner.content for owner in whole if known.get(owner))
            left = [one for one in wanted if one.namespace and one.content not in everywhere]
            if len(left) > MOST_REVIEWS:
                log.warning("reviews_cut", asked=len(left), most=MOST_REVIEWS)
            known = self._decided(person, left[:MOST_REVIEWS], deadline)
        except Exception as error:
            log.exception("reviews_failed", error=type(error).__name__)
            return NOTHING
        return Allowed(frozenset(owner for owner, is_so in known.items() if is_so), everywhere)

    def _decided(self, person: Person, owners: list[Owner], deadline: Deadline) -> dict[Owner, bool]:
        kept = self._kept(person, owners)
        left = [owner for owner in owners if owner not in kept]
        if not left:
            return kept
        with ThreadPoolExecutor(min(_AT_ONCE, len(left)), thread_name_prefix="review") as calls:
            asked = dict(zip(left, calls.map(lambda owner: self._ask(person, owner, deadline), left), strict=True))
        found = {owner: decision for owner, decision in asked.items() if decision is not None}
        self._keep(person, found)
        return kept | found

    def _ask(self, person: Person, owner: Owner, deadline: Deadline) -> bool | None:
        try:
            return self._reviewer.review(person, owner, deadline)
        except ReviewError as error:
            log.warning("review_failed", content=owner.content.value, namespace=owner.namespace, reason=str(error))
            return None

    def _kept(self, person: Person, owners: list[Owner]) -> dict[Owner, bool]:
        if not owners:
            return {}
        try:
            found = self._redis.hmget(self._key(person), [_field(owner) for owner in owners])
        except redis.RedisError as error:
            log.warning("decisions_not_read", error=type(error).__name__)
            return {}
        pairs = zip(owners, found, strict=True)
        return {owner: text in ("1", b"1") for owner, text in pairs if text is not None}

    def _keep(self, person: Person, found: Mapping[Owner, bool]) -> None:
        if not found:
            return
        try:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(self._key(person), mapping={_field(owner): int(is_so) for owner, is_so in found.items()})
                # From the first decision on: a later one must not keep an old one alive.
                pipe.expire(self._key(person), REMEMBER, nx=True)
                pipe.execute()
        except redis.RedisError as error:
            log.warning("decisions_not_kept", error=type(error).__name__)

    def _key(self, person: Person) -> str:
        who = "\0".join((self._cluster, person.user, *sorted(person.groups)))
        return f"{self._prefix}:review:{hashlib.sha256(who.encode(errors='replace')).hexdigest()[:32]}"


def _field(owner: Owner) -> str:
    return f"{Content(owner.content).value} {owner.namespace}"
