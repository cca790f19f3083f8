"""How relay proves who it is: the names in its certificate, and a way to servers that gRPC's own TLS refuses."""

import asyncio
import socket
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from handlers.model.snapshot import Gap
from workers.sources.deadline import Deadline
from workers.sources.unread import UnreadError

RELAY = "hubble-relay"
_CHUNK = 64 << 10
_WRONG_PROTOCOL = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")


@dataclass(frozen=True, slots=True)
class Pems:
    """Certificates and the key of a client, as PEM; None where there are none. They appear in no message."""

    authorities: bytes | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Served:
    """What a handshake told: the names in the server's certificate, and whether it settled on HTTP/2."""

    names: tuple[str, ...]
    chose_http2: bool


class NotTlsError(UnreadError):
    """Whoever listens does not speak TLS."""


def handshake(address: str, pems: Pems, deadline: Deadline) -> Served:
    """Shake hands with ``host:port``; the chain is verified, the name is left to whoever asks.

    Raises:
        NotTlsError: if no TLS is spoken there.
        UnreadError: if the certificate cannot be trusted, or nobody answers.
    """
    host, _, port = address.rpartition(":")
    settings = context(pems)
    settings.check_hostname = False
    left = deadline.remaining("shake hands with relay")
    try:
        with (
            socket.create_connection((host.strip("[]"), int(port)), timeout=left) as plain,
            settings.wrap_socket(plain) as secured,
        ):
            shown = secured.getpeercert() or {}
            names = tuple(str(value) for kind, value in _pairs(shown.get("subjectAltName")) if kind == "DNS")
            return Served(names, secured.selected_alpn_protocol() == "h2")
    except ssl.SSLCertVerificationError as error:
        raise _untrusted(error, has_authority=pems.authorities is not None) from error
    except ssl.SSLError as error:
        kind = NotTlsError if error.reason in _WRONG_PROTOCOL else UnreadError
        raise kind(Gap.UNREACHABLE, f"relay at {address} and TLS: {error.reason or error}", _LOOK) from error
    except (OSError, ValueError) as error:
        raise UnreadError(
            Gap.UNREACHABLE, f"relay at {address} does not answer: {error or 'no answer'}", _LOOK
        ) from error


def server_name(names: Iterable[str]) -> str:
    """Return the name of a certificate by which relay is addressed; those of other servers of the same CA are none.

    Raises:
        UnreadError: if no name is relay's.
    """
    told = tuple(names)
    for name in told:
        if RELAY in name.split("."):
            return name.replace("*", "relay", 1) if name.startswith("*.") else name
    raise UnreadError(
        Gap.UNREACHABLE,
        f"relay's certificate has no name of {RELAY}; it has: {', '.join(told[:5]) or 'none'}",
        "Set HUBBLE_TLS_SERVER_NAME to the name that is right, or give relay a certificate of its own.",
    )


def context(pems: Pems) -> ssl.SSLContext:
    """Return the settings of a client.

    Raises:
        UnreadError: if a certificate or the key is none.
    """
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found.set_alpn_protocols(["h2"])
    try:
        if pems.authorities is None:
            found.load_default_certs()
        else:
            found.load_verify_locations(cadata=pems.authorities.decode("ascii"))
        if pems.certificate is not None:
            # Python takes a client's key from a file alone; the folder is this user's own, and gone at once.
            with tempfile.TemporaryDirectory(prefix="cilium-triage-") as folder:
                chain = Path(folder) / "client.pem"
                chain.write_bytes(pems.certificate + b"\n" + (pems.key or b""))
                found.load_cert_chain(chain)
    except (ssl.SSLError, ValueError) as error:
        raise UnreadError(
            Gap.MALFORMED, "the certificates for relay cannot be read", "Check the secret, or HUBBLE_TLS_*."
        ) from error
    return found


class TlsBridge:
    """A socket in a folder of this user alone, behind which plain bytes become TLS.

    gRPC's C core refuses a server that does not answer ALPN ("missing selected ALPN property"), as relays of some
    managed platforms do not; the certificate and its name are verified here no less.
    """

    def __init__(self, address: str, name: str, pems: Pems) -> None:
        """Remember where to; ``address`` is ``host:port``."""
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._name = name
        self._settings = context(pems)
        self._folder = tempfile.TemporaryDirectory(prefix="cilium-triage-")
        self._serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Return what gRPC connects to."""
        return f"unix:{self._folder.name}/relay"

    async def listen(self) -> None:
        """Listen until the loop's tasks are cancelled."""
        server = await asyncio.start_unix_server(self._connected, f"{self._folder.name}/relay")
        self._serving = asyncio.create_task(_serve(server))

    def close(self) -> None:
        """Remove the socket."""
        self._folder.cleanup()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._bridged(reader, writer)
        except (OSError, asyncio.CancelledError):
            # The stream that gRPC sees breaks, which says it; asyncio would log a cancelled callback as an error.
            pass
        finally:
            writer.transport.abort()

    async def _bridged(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, thither = await asyncio.open_connection(
            self._host.strip("[]"), self._port, ssl=self._settings, server_hostname=self._name
        )
        sending = asyncio.create_task(_pass_on(reader, thither))
        try:
            await _pass_on(there, writer)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            thither.transport.abort()


async def _serve(server: asyncio.Server) -> None:
    async with server:
        await server.serve_forever()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while body := await reader.read(_CHUNK):
        writer.write(body)
        await writer.drain()


def _pairs(value: object) -> Iterable[tuple[object, object]]:
    return [item for item in value if isinstance(item, tuple) and len(item) == 2] if isinstance(value, tuple) else []


_LOOK = "Look at relay's pods and their logs, or set HUBBLE_SERVER to where Hubble listens."


def _untrusted(error: ssl.SSLCertVerificationError, *, has_authority: bool) -> UnreadError:
    said = error.verify_message or "it cannot be verified"
    if "expired" in said or "not yet valid" in said:
        remedy = (
            "Renew Hubble's certificates: run the CronJob hubble-generate-certs, cert-manager, or the Helm upgrade."
        )
    elif has_authority:
        remedy = "Give the CA that signed it (HUBBLE_TLS_CA_CERT_FILES), or renew the secret hubble-relay-client-certs."
    else:
        remedy = "Give its CA with HUBBLE_TLS_CA_CERT_FILES, or allow reading the secret hubble-relay-client-certs."
    return UnreadError(Gap.UNREACHABLE, f"relay's certificate is not trusted: {said}", remedy)
