"""The Kubernetes API as bytes and plain JSON: the official client for addresses and credentials, nothing of its models.

Building the client's models costs four times the time of the JSON (measured on 5,000 pods), and they refuse objects
that are newer or sloppier than they are.
"""

import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol

from handlers.model.snapshot import Gap
from workers.sources.deadline import Deadline
from workers.sources.unread import UnreadError

PAGE = 500
"""Objects per page, as kubectl and client-go ask for."""

_MAX_BODY_BYTES = 256 << 20
_MAX_PAGES = 2_000
_CONNECT_SECONDS = 4.0
_POOL = 16
_ATTEMPTS = 4
_LONGEST_PAUSE = 5.0
_ATTEMPT_AGAIN = (429, 502, 503, 504)
_USER_AGENT = "cilium-triage"


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """Which cluster, and as whom. Without a path the client's own rules apply (KUBECONFIG, ~/.kube/config)."""

    context: str | None = None
    kubeconfig: Path | None = None
    in_cluster: bool | None = None
    """None: in the cluster if there is a service account's token, and neither a context nor a file was named."""


class ApiError(Exception):
    """The API server answered with an error."""

    def __init__(self, status: int, message: str, retry_after: float | None = None, body: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.body = body


class Transport(Protocol):
    """What readers need of the API."""

    def get(self, path: str, query: Mapping[str, str], deadline: Deadline) -> Any:
        """Return the JSON at a path."""
        ...

    def text(self, path: str, query: Mapping[str, str], deadline: Deadline) -> str:
        """Return the text at a path."""
        ...

    def pages(self, path: str, query: Mapping[str, str], deadline: Deadline) -> Iterator[list[Any]]:
        """Yield the items of a list, page by page."""
        ...


class KubeTransport:
    """One connection pool to one cluster; configuration is read at the first use."""

    def __init__(self, access: ClusterAccess) -> None:
        """Remember what to connect to."""
        self._access = access
        self._client: Any = None
        self._lock = threading.Lock()
        self.server_time: datetime | None = None
        """The server's clock when it last answered, to the second (header Date)."""

    @property
    def is_in_cluster(self) -> bool:
        """Whether this process runs in the cluster that it reads."""
        return _is_in_cluster(self._access)

    def client(self) -> Any:
        """Return the official ApiClient.

        Raises:
            UnreadError: if there is no usable configuration.
        """
        with self._lock:
            if self._client is None:
                self._client = _connected(self._access)
            return self._client

    def signed(self, method: str, path: str, query: list[tuple[str, str]]) -> tuple[str, dict[str, str]]:
        """Return the URL and headers of a request, credentials included, for a transport of another kind."""
        client = self.client()
        try:
            _, url, headers, _, _ = client.param_serialize(
                method, path, query_params=query, header_params={}, auth_settings=["BearerToken"]
            )
        except Exception as error:
            raise UnreadError(
                Gap.FORBIDDEN, f"the credentials could not be renewed: {_words(error)}", "Log in to the cluster again."
            ) from error
        return url, headers

    def get(self, path: str, query: Mapping[str, str], deadline: Deadline) -> Any:
        """Return the JSON at a path; throttled and interrupted requests are tried again while there is time.

        Raises:
            ApiError: if the server answers with an error.
            UnreadError: if it does not answer, or not with JSON.
        """
        return _parsed(self._bytes(path, query, deadline), path)

    def text(self, path: str, query: Mapping[str, str], deadline: Deadline) -> str:
        """Return the text at a path, such as a log.

        Raises:
            ApiError: if the server answers with an error.
            UnreadError: if it does not answer.
        """
        return self._bytes(path, query, deadline).decode("utf-8", "replace")

    def post(self, path: str, body: Mapping[str, Any], deadline: Deadline) -> Any:
        """Return the JSON that answers an object: a review, which the server answers and does not keep.

        Raises:
            ApiError: if the server answers with an error.
            UnreadError: if it does not answer, or not with JSON.
        """
        return _parsed(self._once("POST", path, {}, deadline, body), path)

    def _bytes(self, path: str, query: Mapping[str, str], deadline: Deadline) -> bytearray:
        import tenacity

        def pause(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            told = error.retry_after if isinstance(error, ApiError) else None
            return 0.1 * 2.0**state.attempt_number if told is None else told

        def is_worth_it(state: tenacity.RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            passing = isinstance(error, _BrokenConnectionError) or (
                isinstance(error, ApiError) and error.status in _ATTEMPT_AGAIN
            )
            return passing and pause(state) < min(deadline.left, _LONGEST_PAUSE)

        attempts = tenacity.Retrying(
            retry=is_worth_it, wait=pause, stop=tenacity.stop_after_attempt(_ATTEMPTS), reraise=True
        )
        return attempts(self._once, "GET", path, query, deadline)

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        deadline: Deadline,
        body: Mapping[str, Any] | None = None,
    ) -> bytearray:
        import urllib3

        url, headers = self.signed(method, path, list(query.items()))
        left = deadline.remaining(f"read {path}")
        headers |= {"Accept": "application/json, */*", "Accept-Encoding": "gzip", "Content-Type": "application/json"}
        try:
            answer = self.client().rest_client.request(
                method, url, headers=headers, body=body, _request_timeout=(min(left, _CONNECT_SECONDS), left)
            )
            written = _read_bounded(answer.response, deadline, path)
        except (urllib3.exceptions.TimeoutError, TimeoutError) as error:
            if isinstance(error, urllib3.exceptions.NewConnectionError):
                raise _unreachable(self.client().configuration.host, error) from error
            raise UnreadError(Gap.TIMEOUT, f"the API server did not answer in time: {path}", _SLOW) from error
        except (urllib3.exceptions.ProtocolError, ConnectionError) as error:
            raise _BrokenConnectionError(f"the connection to the API server broke: {_words(error)}") from error
        except Exception as error:
            if isinstance(error, UnreadError):
                raise
            raise _unreachable(self.client().configuration.host, error) from error
        self.server_time = _date(answer.headers.get("Date", "")) or self.server_time
        if not 200 <= answer.status < 300:
            raise _api_error(answer, written)
        return written

    def pages(self, path: str, query: Mapping[str, str], deadline: Deadline) -> Iterator[list[Any]]:
        """Yield the items of a list, page by page; only a list that ends without an error is whole.

        Raises:
            ApiError: if the server answers with an error.
            UnreadError: if it does not answer, or not with a list.
        """
        token = ""
        for _ in range(_MAX_PAGES):
            body = self.get(path, {**query, "limit": str(PAGE), **({"continue": token} if token else {})}, deadline)
            if not isinstance(body, dict) or not isinstance(body.get("items", []), list | None):
                raise UnreadError(Gap.MALFORMED, f"{path} is no list")
            if "items" not in body:
                raise UnreadError(Gap.MALFORMED, f"{path} is no list: it has no items")
            yield body["items"] or []
            metadata = body.get("metadata")
            token = metadata.get("continue") or "" if isinstance(metadata, dict) else ""
            if not token:
                return
        raise UnreadError(Gap.FAILED, f"{path} does not end after {_MAX_PAGES} pages")

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None


class _BrokenConnectionError(UnreadError):
    def __init__(self, detail: str) -> None:
        super().__init__(Gap.UNREACHABLE, detail, _NOT_THERE)


_SLOW = "Ask again, or raise the budget."
_NOT_THERE = "Check that the cluster is up and that the context points to it: kubectl cluster-info."


def _connected(access: ClusterAccess) -> Any:
    import urllib3
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    settings = client.Configuration()
    # Retries are ours (they must end with the read's budget), so the pool makes none.
    settings.retries = False
    settings.connection_pool_maxsize = _POOL
    try:
        if _is_in_cluster(access):
            config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
        else:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=str(access.kubeconfig) if access.kubeconfig else os.environ.get("KUBECONFIG") or None,
                context=access.context,
                client_configuration=settings,
                persist_config=False,
            )
    except (ConfigException, OSError, ValueError, TypeError, KeyError) as error:
        raise UnreadError(
            Gap.UNREACHABLE,
            f"there is no usable cluster configuration: {_words(error)}",
            "Name a context and a kubeconfig, or run inside the cluster with a service account.",
        ) from error
    if not settings.verify_ssl:
        # The kubeconfig says so; saying it again on every call helps nobody.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    found = client.ApiClient(settings)
    found.user_agent = _USER_AGENT
    return found


def _is_in_cluster(access: ClusterAccess) -> bool:
    if access.in_cluster is not None:
        return access.in_cluster
    named = access.context is not None or access.kubeconfig is not None or bool(os.environ.get("KUBECONFIG"))
    return not named and Path("/var/run/secrets/kubernetes.io/serviceaccount/token").is_file()


def _read_bounded(response: Any, deadline: Deadline, path: str) -> bytearray:
    """Read a body to its end; a server that drips, or never ends, is left."""
    found = bytearray()
    try:
        for chunk in response.stream(1 << 20, decode_content=True):
            found += chunk
            if len(found) > _MAX_BODY_BYTES:
                raise UnreadError(Gap.FAILED, f"{path} answered with more than {_MAX_BODY_BYTES >> 20} MiB")
            deadline.remaining(f"read {path}")
    except BaseException:
        response.close()
        raise
    response.release_conn()
    return found


def _date(told: str) -> datetime | None:
    try:
        return parsedate_to_datetime(told) if told else None
    except ValueError:
        return None


def _api_error(answer: Any, written: bytearray) -> ApiError:
    try:
        body = json.loads(written)
    except (ValueError, RecursionError):
        body = None
    message = body.get("message") if isinstance(body, dict) else None
    told = answer.headers.get("Retry-After", "")
    return ApiError(
        answer.status,
        message[:400] if isinstance(message, str) and message else f"HTTP {answer.status}",
        float(told) if told.isdecimal() and len(told) < 6 else None,
        body,
    )


def _parsed(written: bytearray, path: str) -> Any:
    try:
        return json.loads(written)
    except (ValueError, RecursionError) as error:
        raise UnreadError(Gap.MALFORMED, f"{path} did not answer with JSON: {_words(error)}", _NOT_THERE) from error


def _unreachable(host: str, error: Exception) -> UnreadError:
    # The layers of HTTP clients each add their own words in front of what the system said.
    said = re.sub(r"^\[Errno -?\d+\] ", "", _words(error).rpartition(": ")[2])
    return UnreadError(Gap.UNREACHABLE, f"the API server {host} cannot be reached: {said}", _NOT_THERE)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".split("\n", 1)[0][:300]
