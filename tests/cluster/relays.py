"""Relays with certificates as platforms give them, and one whose TLS settles on no protocol."""

import asyncio
import base64
import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

_FOLDER = Path(__file__).parent / "certificates" / "relays"
_KEY = _FOLDER / "relay.key"
CA = _FOLDER / "ca.crt"


def credentials(name: str) -> grpc.ServerCredentials:
    """Return what a relay with this certificate (``aks``, ``gke``, ``agent``, ``expired``) serves clients of its CA."""
    pair = (_KEY.read_bytes(), (_FOLDER / f"{name}.crt").read_bytes())
    return grpc.ssl_server_credentials([pair], CA.read_bytes(), require_client_auth=True)


def client_secret(namespace: str, authority: Path = CA) -> dict[str, Any]:
    """Return the Secret beside relay: the CA, and a client's certificate of it."""
    files = {"ca.crt": authority, "tls.crt": _FOLDER / "aks.crt", "tls.key": _KEY}
    data = {name: base64.b64encode(path.read_bytes()).decode() for name, path in files.items()}
    return {"metadata": {"name": "hubble-relay-client-certs", "namespace": namespace}, "data": data}


@contextmanager
def without_alpn(name: str, behind: int) -> Iterator[int]:
    """Serve mutual TLS that answers no ALPN before a plain port, and give the port where it listens."""
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_cert_chain(_FOLDER / f"{name}.crt", _KEY)
    settings.load_verify_locations(CA)
    settings.verify_mode = ssl.CERT_REQUIRED

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, thither = await asyncio.open_connection("127.0.0.1", behind)
        try:
            await asyncio.gather(_copy(reader, thither), _copy(there, writer))
        finally:
            thither.transport.abort()
            writer.transport.abort()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    serving = asyncio.start_server(connected, "127.0.0.1", 0, ssl=settings)
    server = asyncio.run_coroutine_threadsafe(serving, loop).result(timeout=5)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_stopped(server), loop).result(timeout=5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=5)
        loop.close()


async def _stopped(server: asyncio.Server) -> None:
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    # Transports that were aborted say goodbye in the next turns of the loop.
    for _ in range(5):
        await asyncio.sleep(0)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while body := await reader.read(1 << 16):
            writer.write(body)
            await writer.drain()
    writer.close()
