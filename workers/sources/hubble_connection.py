"""How to reach Hubble: the address and the TLS files, as settings or as the hubble CLI's environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handlers.model.snapshot import Gap
from workers.sources.relay_tls import Pems
from workers.sources.unread import UnreadError

if TYPE_CHECKING:
    import grpc

_MAX_MESSAGE_BYTES = 16 << 20
_TRUE = ("1", "t", "true", "yes", "on")


@dataclass(frozen=True, slots=True)
class HubbleAccess:
    """Where Hubble listens. ``address`` None: find relay through the Kubernetes API."""

    address: str | None = None
    tls: bool = False
    ca_files: tuple[Path, ...] = ()
    server_name: str | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    allow_insecure: bool = False
    found: Pems | None = None
    """What was found beside relay; counts where no files are named."""

    def pems(self) -> Pems:
        """Return the certificates of the files, else what was found.

        Raises:
            UnreadError: if a file cannot be read.
        """
        if self.found is not None:
            return self.found
        return Pems(
            b"\n".join(map(_file, self.ca_files)) or None,
            _file(self.client_certificate) if self.client_certificate else None,
            _file(self.client_key) if self.client_key else None,
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], address: str | None = None) -> "HubbleAccess":
        """Read the hubble CLI's variables (hubble --help: HUBBLE_SERVER, HUBBLE_TLS, ...)."""
        get = environment.get
        files = [name.strip() for name in get("HUBBLE_TLS_CA_CERT_FILES", "").split(",") if name.strip()]
        return cls(
            address=address or get("HUBBLE_SERVER") or None,
            tls=get("HUBBLE_TLS", "").lower() in _TRUE,
            ca_files=tuple(Path(name) for name in files),
            server_name=get("HUBBLE_TLS_SERVER_NAME") or None,
            client_certificate=Path(name) if (name := get("HUBBLE_TLS_CLIENT_CERT_FILE")) else None,
            client_key=Path(name) if (name := get("HUBBLE_TLS_CLIENT_KEY_FILE")) else None,
            allow_insecure=get("HUBBLE_TLS_ALLOW_INSECURE", "").lower() in _TRUE,
        )

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted: asked for, or said by the address (``tls://``)."""
        return self.tls or (self.address or "").startswith("tls://")


def open_channel(access: HubbleAccess, address: str) -> "grpc.Channel":
    """Return a channel to ``address`` (``host:port``, ``tls://host:port`` or ``unix:PATH``); nothing is sent yet.

    Raises:
        UnreadError: if a certificate file cannot be read, or verification is to be switched off.
    """
    import grpc

    target = address.removeprefix("tls://").removeprefix("tcp://").replace("unix://", "unix:", 1)
    options: list[tuple[str, Any]] = [
        # grpc.experimental.ChannelOptions: four times the throughput of the default, and deadlines still work.
        ("SingleThreadedUnaryStream", 1),
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if target.startswith(("127.", "localhost:", "[::1]", "unix:")):
        options.append(("grpc.enable_http_proxy", 0))
    if not access.uses_tls:
        return grpc.insecure_channel(target, options)
    if access.allow_insecure:
        raise UnreadError(
            Gap.UNSUPPORTED,
            "HUBBLE_TLS_ALLOW_INSECURE is set, but the server is always verified here",
            "Give its CA with HUBBLE_TLS_CA_CERT_FILES (secret hubble-ca or cilium-ca).",
        )
    if access.server_name:
        options.append(("grpc.ssl_target_name_override", access.server_name))
    pems = access.pems()
    credentials = grpc.ssl_channel_credentials(pems.authorities, pems.key, pems.certificate)
    return grpc.secure_channel(target, credentials, options)


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadError(
            Gap.UNREACHABLE, f"the certificate file {path} cannot be read: {error.strerror}", "Check HUBBLE_TLS_*."
        ) from error
