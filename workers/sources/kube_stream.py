"""Websockets to pods through the Kubernetes API: one command run in a container, one port forwarded.

The client's own exec loses impersonation headers, exit codes and timeouts, and takes over a shared connection pool;
its asyncio twin only opens the socket here, and the frames are read below (Kubernetes, v4.channel.k8s.io: the first
byte of a frame is its channel).
"""

import asyncio
import concurrent.futures
import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakSet

from handlers.model.snapshot import Gap
from workers.sources.assemble.resources import PODS
from workers.sources.deadline import Deadline
from workers.sources.kube_transport import KubeTransport
from workers.sources.unread import UnreadError

T = TypeVar("T")

MAX_OUTPUT_BYTES = 32 << 20

_STDOUT, _STDERR, _STATUS = 1, 2, 3
_HEARTBEAT_SECONDS = 10.0
_MAX_ERROR_BYTES = 64 << 10
_CHUNK = 64 << 10
_NOT_FOUND = 127
_GRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Execution:
    """What a command did. ``code`` is its exit code, 127 where the container has no such program."""

    output: bytes
    errors: str
    code: int


class PodStreams:
    """Opens streams to pods; its event loop runs in a thread of its own, so callers need none."""

    def __init__(self, transport: KubeTransport) -> None:
        """Take addresses and credentials from ``transport``; nothing is opened yet."""
        self._transport = transport
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: Any = None

    def run(self, namespace: str, pod: str, container: str, command: Sequence[str], deadline: Deadline) -> Execution:
        """Run one command without a shell and without input.

        Raises:
            UnreadError: if it cannot be started, does not end in time, prints too much, or the connection breaks
                before its exit code arrives.
        """
        query = [("container", container), ("stdout", "true"), ("stderr", "true"), ("stdin", "false"), ("tty", "false")]
        query += [("command", word) for word in command]
        url, headers = self._transport.signed("GET", f"{PODS.path(namespace, pod)}/exec", query)
        doing = f"run {command[0]} in {namespace}/{pod}"
        left = deadline.remaining(doing)
        running = self.submit(self._run(url, headers, doing, left))
        try:
            return running.result(left + _GRACE_SECONDS)
        except (TimeoutError, concurrent.futures.CancelledError) as error:
            running.cancel()
            raise UnreadError(Gap.TIMEOUT, f"{doing}: no end in time", "Ask again, or raise the budget.") from error

    async def _run(self, url: str, headers: Mapping[str, str], doing: str, seconds: float) -> Execution:
        output, errors, told = bytearray(), bytearray(), bytearray()
        async with asyncio.timeout(seconds), self.opened(url, headers, doing) as frames:
            async for frame in frames:
                body = frame.data if isinstance(frame.data, bytes) else b""
                kept = {_STDOUT: output, _STDERR: errors, _STATUS: told}.get(body[0] if body else 0)
                if kept is output or (kept is not None and len(kept) < _MAX_ERROR_BYTES):
                    kept += body[1:]
                if len(output) > MAX_OUTPUT_BYTES:
                    raise UnreadError(Gap.FAILED, f"{doing}: it printed more than {MAX_OUTPUT_BYTES >> 20} MiB")
        words = bytes(errors[:_MAX_ERROR_BYTES]).decode("utf-8", "replace").strip()
        return Execution(bytes(output), words, _exit_code(bytes(told), doing))

    def forward(self, namespace: str, pod: str, port: int) -> "PortForward":
        """Open a listener on the loopback interface whose connections end at a port of a pod.

        Raises:
            UnreadError: if this machine gives no port.
        """
        try:
            return self.submit(PortForward.listening(self, namespace, pod, port)).result(_GRACE_SECONDS)
        except (OSError, concurrent.futures.CancelledError) as error:
            raise UnreadError(Gap.FAILED, f"no local port could be opened: {error}") from error

    def submit(self, work: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
        """Let the loop do something."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="pod-streams", daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    @contextlib.asynccontextmanager
    async def opened(self, url: str, headers: Mapping[str, str], doing: str) -> AsyncIterator[Any]:
        """Open a websocket.

        Raises:
            UnreadError: if the API server refuses it, or the connection breaks while it is open.
        """
        import aiohttp
        from kubernetes.aio.stream import WsApiClient

        if self._client is None:
            settings = _aio_settings(self._transport.client().configuration)
            self._client = WsApiClient(settings, heartbeat=_HEARTBEAT_SECONDS)  # type: ignore[no-untyped-call]
        try:
            opening = await self._client.request("GET", url, headers=dict(headers), _preload_content=False)
            async with opening as open_socket:
                try:
                    yield open_socket
                except BaseException:
                    _cut(open_socket)
                    raise
        except aiohttp.WSServerHandshakeError as error:
            raise _refused(error.status, url, doing) from error
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise UnreadError(
                Gap.UNREACHABLE, f"{doing}: {type(error).__name__}: {error}"[:300], "Ask again."
            ) from error

    def signed_forward(self, namespace: str, pod: str, port: int) -> tuple[str, dict[str, str]]:
        """Return the URL and headers of a port-forward."""
        return self._transport.signed("GET", f"{PODS.path(namespace, pod)}/portforward", [("ports", str(port))])

    def close(self) -> None:
        """Break off whatever is under way."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        with contextlib.suppress(TimeoutError, concurrent.futures.CancelledError):
            asyncio.run_coroutine_threadsafe(self._stopped(), loop).result(_GRACE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_GRACE_SECONDS)
        if not thread.is_alive():
            loop.close()

    async def _stopped(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
            self._client = None


class PortForward:
    """A listener whose connections end at a port of a pod; ``last_error`` is what the last one met."""

    def __init__(self, streams: PodStreams, namespace: str, pod: str, port: int) -> None:
        """Remember where to."""
        self._streams = streams
        self._namespace, self._pod, self._port = namespace, pod, port
        self._serving: asyncio.Task[None] | None = None
        self._open: WeakSet[asyncio.StreamWriter] = WeakSet()
        self.address = ""
        self.last_error = ""

    @classmethod
    async def listening(cls, streams: PodStreams, namespace: str, pod: str, port: int) -> "PortForward":
        """Return one that listens; it does until the streams are closed."""
        found = cls(streams, namespace, pod, port)
        server = await asyncio.start_server(found._connected, "127.0.0.1", 0)
        found.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        found._serving = asyncio.create_task(found._serve(server))
        return found

    async def _serve(self, server: asyncio.Server) -> None:
        try:
            async with server:
                await server.serve_forever()
        finally:
            # What is still unsent would keep a connection open beyond its loop.
            for writer in tuple(self._open):
                writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        doing = f"reach port {self._port} of {self._namespace}/{self._pod}"
        try:
            signing = asyncio.to_thread(self._streams.signed_forward, self._namespace, self._pod, self._port)
            url, headers = await signing
            async with self._streams.opened(url, headers, doing) as frames:
                sending = asyncio.create_task(_send(reader, frames))
                try:
                    await self._receive(frames, writer)
                finally:
                    sending.cancel()
                    await asyncio.gather(sending, return_exceptions=True)
        except UnreadError as error:
            self.last_error = error.missing.detail
        except OSError as error:
            self.last_error = str(error)
        finally:
            writer.close()

    async def _receive(self, frames: Any, writer: asyncio.StreamWriter) -> None:
        """Pass data on. Channel 0 is the port's data, 1 its errors; the first frame of each only repeats the port."""
        opened: set[int] = set()
        async for frame in frames:
            if not isinstance(frame.data, bytes) or not frame.data:
                continue
            channel, body = frame.data[0], frame.data[1:]
            if channel not in opened:
                opened.add(channel)
                body = body[2:]
            if channel == 1 and body:
                self.last_error = body[:300].decode("utf-8", "replace")
                return
            if channel == 0 and body:
                writer.write(body)
                await writer.drain()


def _cut(open_socket: Any) -> None:
    """End a connection at once: the polite way waits for a peer that may be sending without end."""
    raw = open_socket.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.shutdown(socket.SHUT_RDWR)


async def _send(reader: asyncio.StreamReader, frames: Any) -> None:
    while body := await reader.read(_CHUNK):
        await frames.send_bytes(b"\x00" + body)
    await frames.close()


def _exit_code(told: bytes, doing: str) -> int:
    """Read the Status that ends an execution (apimachinery, metav1.Status; remotecommand, NonZeroExitCode)."""
    try:
        status = json.loads(told)
    except (ValueError, RecursionError) as error:
        raise UnreadError(Gap.FAILED, f"{doing}: the connection ended before the command did", "Ask again.") from error
    if not isinstance(status, dict):
        raise UnreadError(Gap.MALFORMED, f"{doing}: its end is no status")
    if status.get("status") == "Success":
        return 0
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    for cause in causes if isinstance(causes, list) else []:
        if isinstance(cause, dict) and cause.get("reason") == "ExitCode" and str(cause.get("message")).isdecimal():
            return int(cause["message"])
    message = str(status.get("message") or status.get("reason") or "no reason given")[:300]
    if any(words in message for words in ("executable file not found", "no such file or directory")):
        return _NOT_FOUND
    raise UnreadError(Gap.FAILED, f"{doing}: {message}")


def _refused(status: int, url: str, doing: str) -> UnreadError:
    if status in (401, 403):
        subresource = url.partition("?")[0].rpartition("/")[2]
        return UnreadError(
            Gap.FORBIDDEN,
            f"{doing} is not allowed (HTTP {status})",
            f'Allow it in a role: apiGroups: [""], resources: ["pods/{subresource}"], verbs: ["get", "create"].',
        )
    if status == 404:
        return UnreadError(Gap.FAILED, f"{doing}: the pod is gone, or the API serves no such call", "Ask again.")
    return UnreadError(Gap.FAILED, f"{doing}: the API server answered {status}", "Ask again.")


def _aio_settings(settings: Any) -> Any:
    """Return the connection settings for the asyncio client; credentials travel in the headers."""
    from kubernetes.aio.client import Configuration

    found = Configuration(host=settings.host)
    for name in ("ssl_ca_cert", "ca_cert_data", "cert_file", "key_file", "verify_ssl", "assert_hostname", "proxy"):
        setattr(found, name, getattr(settings, name, None))
    return found
