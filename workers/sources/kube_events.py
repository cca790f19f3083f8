"""Events of Kubernetes as they happen: one list to know where to begin, then the API server's watch.

Kubernetes, API concepts, efficient detection of changes: a watch continues at a resource version, and is answered with
410 where the server has forgotten what was before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.model.snapshot import Gap
from workers.sources.deadline import Deadline
from workers.sources.kube_transport import ApiError, KubeTransport
from workers.sources.unread import UnreadError

PATH = "/api/v1/events"
SELECTED = "type=Warning"
MOST_LISTED = 500
_CONNECT_SECONDS, _GRACE = 4.0, 10.0
_GONE = 410

Event = Mapping[str, Any]


class GoneError(Exception):
    """The server no longer knows what happened since that version."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Events that the server has, at most ``MOST_LISTED``, and the version from which a watch goes on."""

    version: str
    events: tuple[Event, ...]
    is_whole: bool


class KubeEvents:
    """Warnings of one cluster."""

    def __init__(self, transport: KubeTransport) -> None:
        self._transport = transport

    def listed(self, seconds: float) -> Listed:
        """Return what there is.

        Raises:
            ApiError: if the server refuses.
            UnreadError: if it does not answer.
        """
        query = {"fieldSelector": SELECTED, "limit": str(MOST_LISTED)}
        body = self._transport.get(PATH, query, Deadline.after(seconds))
        metadata = body.get("metadata") if isinstance(body, dict) else None
        if not isinstance(metadata, dict) or not metadata.get("resourceVersion"):
            raise UnreadError(Gap.MALFORMED, f"{PATH} is no list")
        found = tuple(one for one in body.get("items") or () if isinstance(one, dict))
        return Listed(str(metadata["resourceVersion"]), found, not metadata.get("continue"))

    def since(self, version: str, seconds: int) -> Iterator[tuple[str, Event | None]]:
        """Yield each new or changed event with the version after it, for some seconds; None for a mere version.

        Raises:
            GoneError: if the server has forgotten that version.
            ApiError: if it refuses.
            UnreadError: if it cannot be reached.
        """
        from kubernetes import client, watch

        api = client.CoreV1Api(self._transport.client())
        frames: Any = watch.Watch(return_type=object)  # type: ignore[no-untyped-call]
        try:
            for frame in frames.stream(
                api.list_event_for_all_namespaces,
                field_selector=SELECTED,
                resource_version=version,
                allow_watch_bookmarks=True,
                timeout_seconds=seconds,
                _request_timeout=(_CONNECT_SECONDS, seconds + _GRACE),
            ):
                at = str(frames.resource_version or version)
                event = frame.get("object") if isinstance(frame, dict) else None
                is_news = isinstance(event, dict) and frame.get("type") in ("ADDED", "MODIFIED")
                yield at, event if is_news else None
        except client.ApiException as error:
            if error.status == _GONE:
                raise GoneError(version) from error
            raise ApiError(error.status or 0, str(error.reason)) from error
        except UnreadError:
            raise
        except Exception as error:
            # urllib3's, of a connection that broke or was never made
            raise UnreadError(Gap.UNREACHABLE, f"events are not heard: {type(error).__name__}") from error
