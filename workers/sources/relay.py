"""Find relay wherever it runs, and how it wants to be spoken to: plain or TLS, as whom, under which name."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, replace

from handlers.model.snapshot import Gap
from workers.sources.assemble.cilium_pods import PLAIN_PORT, TLS_PORT, Relay
from workers.sources.assemble.resources import SECRETS
from workers.sources.deadline import Deadline
from workers.sources.hubble_connection import HubbleAccess
from workers.sources.kube_transport import ApiError, Transport
from workers.sources.relay_tls import NotTlsError, Pems, Served, handshake, server_name
from workers.sources.unread import UnreadError

CLIENT_SECRET = "hubble-relay-client-certs"  # noqa: S105 - its name
"""The Secret beside relay with a client's certificate and the CA, as Cilium's chart, AKS and GKE name it."""

_CONTAINER = 4245

Forward = Callable[[str, str, int], str]
"""Opens a port-forward to a pod's port, and returns its address."""


@dataclass(frozen=True, slots=True)
class Way:
    """How relay is reached: with what, where, and whether its TLS has to be spoken for gRPC (no ALPN)."""

    access: HubbleAccess
    address: str
    needs_bridge: bool = False


def way_to(
    relay: Relay, access: HubbleAccess, transport: Transport, forward: Forward | None, deadline: Deadline
) -> Way:
    """Return the way to relay: its Service from inside the cluster (``forward`` None), else one of its pods.

    What ``access`` says of TLS stands; the rest is read from relay's namespace and from its certificate.

    Raises:
        UnreadError: if its certificate cannot be trusted, or nobody answers.
    """
    address = _address(relay, access, forward)
    is_plain = PLAIN_PORT in relay.ports or not relay.ports
    if not access.uses_tls and is_plain:
        return Way(access, address)
    has_own = bool(access.ca_files or access.client_certificate)
    pems, refused = (access.pems(), None) if has_own else _from_secret(relay.namespace, transport, deadline)
    try:
        served = handshake(address, pems, deadline)
    except NotTlsError:
        if access.uses_tls or TLS_PORT in relay.ports:
            raise
        return Way(access, address)
    except UnreadError as error:
        if refused is None:
            raise
        missing = error.missing
        raise UnreadError(
            missing.gap, f"{missing.detail} ({refused.missing.detail})", refused.missing.remedy
        ) from error
    return _secured(access, address, pems, served)


def _secured(access: HubbleAccess, address: str, pems: Pems, served: Served) -> Way:
    name = access.server_name or server_name(served.names)
    secured = replace(access, tls=True, server_name=name, found=pems)
    return Way(secured, address, needs_bridge=not served.chose_http2)


def _address(relay: Relay, access: HubbleAccess, forward: Forward | None) -> str:
    service, pod, ports = relay.service, relay.pods[0], relay.ports
    wanted = TLS_PORT if access.uses_tls or PLAIN_PORT not in ports else PLAIN_PORT
    port = wanted if wanted in ports or not ports else min(ports)
    if forward is None and service is not None:
        return f"{service.name}.{service.namespace}.svc:{port}"
    if forward is None:
        return f"{pod.ips[0] if pod.ips else pod.name}:{_CONTAINER}"
    targets = [one.target or one.port for one in service.ports if one.port == port] if service is not None else []
    by_name = {one.name: one.port for one in pod.ports}
    numbers = [target if isinstance(target, int) else by_name.get(target, 0) for target in targets]
    listens = {one.port for one in pod.ports}
    fallback = _CONTAINER if _CONTAINER in listens or not listens else min(listens)
    return forward(pod.namespace, pod.name, next(filter(None, numbers), fallback))


def _from_secret(namespace: str, transport: Transport, deadline: Deadline) -> tuple[Pems, UnreadError | None]:
    """Read the client's Secret beside relay; without it a relay that asks for no client is reached all the same."""
    what = f"get {SECRETS} {namespace}/{CLIENT_SECRET}"
    try:
        body = transport.get(SECRETS.path(namespace, CLIENT_SECRET), {}, deadline)
    except ApiError as error:
        if error.status in (401, 403):
            remedy = (
                f'Allow it in a Role of namespace {namespace}: resources: ["secrets"], '
                f'resourceNames: ["{CLIENT_SECRET}"], verbs: ["get"]; or give the files with HUBBLE_TLS_*.'
            )
            return Pems(), UnreadError(Gap.FORBIDDEN, f"{what} is not allowed", remedy)
        return Pems(), UnreadError(Gap.FAILED, f"{what}: {error}", "Give relay's CA with HUBBLE_TLS_CA_CERT_FILES.")
    data = body.get("data") if isinstance(body, dict) else None
    kept = (
        {name: _decoded(data.get(name)) for name in ("ca.crt", "tls.crt", "tls.key")} if isinstance(data, dict) else {}
    )
    pair = (kept.get("tls.crt"), kept.get("tls.key"))
    return Pems(kept.get("ca.crt"), *(pair if all(pair) else (None, None))), None


def _decoded(value: object) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) and value else None
    except (binascii.Error, ValueError):
        return None
