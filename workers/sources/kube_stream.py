"""Websockets to pods through the Kubernetes API: one command run in a container, one port forwarded.

The client's own exec loses impersonation headers, exit codes and timeouts, and takes over a shared connection pool;
its asyncio twin only opens the socket here, and the frames are read below (Kubernetes, v4.channel.k8s.io: the first
byte of a frame is its channel).
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.model.snapshot import Gap
from workers.sources.deadline import Deadline
from workers.sources.kube_resources import PODS
from workers.sources.kube_transport import KubeTransport
from workers.sources.unread import UnreadError

MAX_OUTPUT_BYTES = 32 << 20

_STDOUT, _STDERR, _STATUS = 1, 2, 3
_HEARTBEAT_SECONDS = 10.0
_MAX_FRAME_BYTES = 4 << 20
_MAX_ERROR_BYTES = 64 << 10
_CHUNK = 64 << 10
_NOT_FOUND = 127


@dataclass(frozen=True, slots=True)
class Execution:
    """What a command did. ``code`` is its exit code, 127 where the container has no such program."""

    output: bytes
    errors: str
    code: int


def run_in_pod(
    transport: KubeTransport, namespace: str, pod: str, container: str, command: Sequence[str], deadline: Deadline
) -> Execution:
    """Run one command without a shell and without input.

    Raises:
        UnreadError: if it cannot be started, does not end in time, prints too much, or the connection breaks before
            its exit code arrives.
    """
    query = [("container", container), ("stdout", "true"), ("stderr", "true"), ("stdin", "false"), ("tty", "false")]
    query += [("command", word) for word in command]
    url, headers = transport.signed("GET", f"{PODS.path(namespace, pod)}/exec", query)
    doing = f"run {command[0]} in {namespace}/{pod}"
    return asyncio.run(_run(transport, url, headers, doing, deadline))


async def _run(
    transport: KubeTransport, url: str, headers: Mapping[str, str], doing: str, deadline: Deadline
) -> Execution:
    output, errors, told = bytearray(), bytearray(), bytearray()
    try:
        async with asyncio.timeout(deadline.remaining(doing)), _socket(transport, url, headers, doing) as socket:
            async for frame in socket:
                body = frame.data if isinstance(frame.data, bytes) else b""
                kept = {_STDOUT: output, _STDERR: errors, _STATUS: told}.get(body[0] if body else 0)
                if kept is None:
                    continue
                if kept is output or len(kept) < _MAX_ERROR_BYTES:
                    kept += body[1:]
                if len(output) > MAX_OUTPUT_BYTES:
                    raise UnreadError(Gap.FAILED, f"{doing}: it printed more than {MAX_OUTPUT_BYTES >> 20} MiB")
    except TimeoutError as error:
        raise UnreadError(Gap.TIMEOUT, f"{doing}: no end in time", "Ask again, or raise the budget.") from error
    words = bytes(errors[:_MAX_ERROR_BYTES]).decode("utf-8", "replace").strip()
    return Execution(bytes(output), words, _exit_code(bytes(told), doing))


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


@contextlib.asynccontextmanager
async def _socket(transport: KubeTransport, url: str, headers: Mapping[str, str], doing: str) -> AsyncIterator[Any]:
    import aiohttp
    from kubernetes.aio.stream import WsApiClient

    settings = _aio_settings(transport.client().configuration)
    client: Any = WsApiClient(settings, heartbeat=_HEARTBEAT_SECONDS)  # type: ignore[no-untyped-call]
    try:
        opening = await client.request("GET", url, headers=dict(headers), _preload_content=False)
        async with opening as socket:
            yield socket
    except aiohttp.WSServerHandshakeError as error:
        raise _refused(error.status, url, doing) from error
    except (aiohttp.ClientError, OSError) as error:
        raise UnreadError(Gap.UNREACHABLE, f"{doing}: {type(error).__name__}: {error}"[:300], "Ask again.") from error
    finally:
        await client.close()


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


class PortForward:
    """A listener on the loopback interface whose connections end at a port of a pod."""

    def __init__(self, transport: KubeTransport, namespace: str, pod: str, port: int) -> None:
        """Remember where to; ``start`` opens the listener."""
        self._transport = transport
        self._namespace, self._pod, self._port = namespace, pod, port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None
        self._port_open: int = 0
        self.last_error: str = ""

    def start(self) -> str:
        """Open the listener and return its address as ``host:port``.

        Raises:
            UnreadError: if this machine gives no port.
        """
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), name="port-forward", daemon=True)
        self._thread.start()
        ready.wait(timeout=5.0)
        if not self._port_open:
            raise UnreadError(Gap.FAILED, f"no local port could be opened: {self.last_error or 'it took too long'}")
        return f"127.0.0.1:{self._port_open}"

    def close(self) -> None:
        """Close the listener and every connection."""
        if self._loop is not None and self._stop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def _serve(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._listen(ready))
        except OSError as error:
            self.last_error = str(error)
        finally:
            ready.set()

    async def _listen(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self._port_open = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        doing = f"reach port {self._port} of {self._namespace}/{self._pod}"
        try:
            path = f"{PODS.path(self._namespace, self._pod)}/portforward"
            signed = asyncio.to_thread(self._transport.signed, "GET", path, [("ports", str(self._port))])
            url, headers = await signed
            async with _socket(self._transport, url, headers, doing) as socket:
                sending = asyncio.create_task(_send(reader, socket))
                try:
                    await self._receive(socket, writer)
                finally:
                    sending.cancel()
                    await asyncio.gather(sending, return_exceptions=True)
        except UnreadError as error:
            self.last_error = error.missing.detail
        except OSError as error:
            self.last_error = str(error)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _receive(self, socket: Any, writer: asyncio.StreamWriter) -> None:
        """Pass data on. Channel 0 is the port's data, 1 its errors; the first frame of each only repeats the port."""
        opened: set[int] = set()
        async for frame in socket:
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


async def _send(reader: asyncio.StreamReader, socket: Any) -> None:
    while body := await reader.read(_CHUNK):
        await socket.send_bytes(b"\x00" + body)
    await socket.close()
