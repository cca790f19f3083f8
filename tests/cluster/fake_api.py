"""A Kubernetes API server over a folder of recorded objects: lists, single objects, discovery, exec, port-forward.

It behaves as the real one where triage depends on it: items of built-in kinds carry no kind, selectors narrow, lists
come in pages whose tokens expire, a missing object and a missing kind are different 404s.
"""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from handlers.model.pod_query import label_test
from tests.cluster.record import Output, Record
from tests.cluster.threaded import ThreadedServer

TOKEN = "token-of-the-test"  # noqa: S105


@dataclass(frozen=True)
class Kind:
    """A kind that the server knows: its group and version, its name, whether it lives in namespaces."""

    api: str
    kind: str
    namespaced: bool = True

    @property
    def is_custom(self) -> bool:
        return "cilium.io" in self.api


KINDS: dict[str, Kind] = {
    "namespaces": Kind("v1", "Namespace", namespaced=False),
    "nodes": Kind("v1", "Node", namespaced=False),
    "pods": Kind("v1", "Pod"),
    "services": Kind("v1", "Service"),
    "events": Kind("v1", "Event"),
    "configmaps": Kind("v1", "ConfigMap"),
    "secrets": Kind("v1", "Secret"),
    "deployments": Kind("apps/v1", "Deployment"),
    "statefulsets": Kind("apps/v1", "StatefulSet"),
    "daemonsets": Kind("apps/v1", "DaemonSet"),
    "jobs": Kind("batch/v1", "Job"),
    "cronjobs": Kind("batch/v1", "CronJob"),
    "endpointslices": Kind("discovery.k8s.io/v1", "EndpointSlice"),
    "networkpolicies": Kind("networking.k8s.io/v1", "NetworkPolicy"),
    "ciliumnetworkpolicies": Kind("cilium.io/v2", "CiliumNetworkPolicy"),
    "ciliumclusterwidenetworkpolicies": Kind("cilium.io/v2", "CiliumClusterwideNetworkPolicy", namespaced=False),
    "ciliumendpoints": Kind("cilium.io/v2", "CiliumEndpoint"),
    "ciliumidentities": Kind("cilium.io/v2", "CiliumIdentity", namespaced=False),
    "ciliumnodes": Kind("cilium.io/v2", "CiliumNode", namespaced=False),
    "ciliumnodeconfigs": Kind("cilium.io/v2", "CiliumNodeConfig"),
    "ciliumcidrgroups": Kind("cilium.io/v2", "CiliumCIDRGroup", namespaced=False),
    "ciliumegressgatewaypolicies": Kind("cilium.io/v2", "CiliumEgressGatewayPolicy", namespaced=False),
    "ciliumendpointslices": Kind("cilium.io/v2alpha1", "CiliumEndpointSlice", namespaced=False),
}


@dataclass(frozen=True)
class Attempt:
    """What a request wants to do, as RBAC names it; an empty namespace is all of them."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""


@dataclass
class Fault:
    """What goes wrong with calls of one resource (``exec``, ``portforward`` and ``discovery`` are ones too).

    ``times`` None means for ever; ``page`` limits it to that page of a list (0 is the first), ``by_name`` to objects
    that are asked for by name.
    """

    status: int = 500
    message: str = "a fault of the test"
    times: int | None = None
    retry_after: str | None = None
    hangs: bool = False
    drops: bool = False
    cuts: bool = False
    """Half of what would have been said arrives, and no more."""
    page: int | None = None
    namespace: str | None = None
    by_name: bool = False


@dataclass
class Exec:
    """How the agents' containers behave."""

    binary: str = "cilium-dbg"
    """The name of the agent's command line tool; the other one does not exist."""
    sends_status: bool = True
    endless: bool = False
    overrides: dict[str, Output] = field(default_factory=dict)
    """Outputs by command line, on every node."""


class FakeApi(ThreadedServer):
    """The server. Change ``objects``, ``faults`` and ``exec`` at any time; look at ``requests`` afterwards."""

    def __init__(
        self,
        objects: Mapping[str, list[dict[str, Any]]],
        outputs: Mapping[tuple[str, str], Output] | None = None,
        forward_to: tuple[str, int] | None = None,
    ) -> None:
        super().__init__()
        self.objects: dict[str, list[dict[str, Any]]] = {plural: list(items) for plural, items in objects.items()}
        self.kinds = dict(KINDS)
        self.faults: dict[str, Fault] = {}
        self.exec = Exec()
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.commands: list[tuple[str, str]] = []
        self.forward_to = forward_to
        self.page_size: int | None = None
        """Pages are no longer than this, whatever the client allows."""
        self.has_discovery = True
        self.grants: set[tuple[str, str, tuple[str, str, str]]] = set()
        """What is granted: a user or a group, a namespace or ``*``, and verb, group and resource."""
        self.reviews: list[tuple[tuple[str, ...], str, str, str, str]] = []
        """Reviews that were asked for: who, the namespace, verb, group and resource."""
        self.frames: list[dict[str, Any]] = []
        """What a watch is told before it ends."""
        self.allows: Callable[[Attempt], bool] = lambda _attempt: True
        """What roles let this client do; looking at versions and kinds is everybody's."""
        self.attempts: set[Attempt] = set()
        self._outputs = dict(outputs or {})
        self.clock: datetime | None = None
        """What the server says the time is, None for the time of this machine."""
        self.logs: dict[str, str] = {}
        """Logs by pod and container; those of a previous run end in ``-previous``."""

    @classmethod
    def of(cls, record: Record, forward_to: tuple[str, int] | None = None) -> "FakeApi":
        """Serve a recorded moment."""
        found = cls(record.objects, record.outputs, forward_to)
        found.logs = dict(record.logs)
        return found

    def kubeconfig(self, folder: Path) -> Path:
        """Write a kubeconfig for this server, with two contexts of which ``lab`` is current."""
        path = folder / "kubeconfig"
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "lab",
                    "clusters": [{"name": "lab", "cluster": {"server": self.url}}],
                    "users": [{"name": "me", "user": {"token": TOKEN}}, {"name": "nobody", "user": {"token": "wrong"}}],
                    "contexts": [
                        {"name": "lab", "context": {"cluster": "lab", "user": "me"}},
                        {"name": "stranger", "context": {"cluster": "lab", "user": "nobody"}},
                    ],
                }
            ),
            "utf-8",
        )
        return path

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/version", self._version)
        app.router.add_get("/apis", self._groups)
        for prefix in ("/api/{version}", "/apis/{group}/{version}"):
            app.router.add_get(prefix, self._discovery)
            app.router.add_get(prefix + "/namespaces/{namespace}/pods/{name}/exec", self._exec)
            app.router.add_get(prefix + "/namespaces/{namespace}/pods/{name}/log", self._log)
            app.router.add_get(prefix + "/namespaces/{namespace}/pods/{name}/portforward", self._portforward)
            app.router.add_get(prefix + "/namespaces/{namespace}/{plural}/{name}", self._one)
            app.router.add_get(prefix + "/namespaces/{namespace}/{plural}", self._list)
            app.router.add_get(prefix + "/{plural}/{name}", self._one)
            app.router.add_get(prefix + "/{plural}", self._list)
        app.router.add_post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", self._review)
        app.router.add_post("/apis/authorization.k8s.io/v1/subjectaccessreviews", self._review_of_somebody)
        return app

    # What every request goes through

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append((request.path, dict(request.query)))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _status(401, "Unauthorized")
        attempt = _attempt(request)
        if attempt is not None:
            self.attempts.add(attempt)
            if not self.allows(attempt):
                return _status(403, f"{attempt.resource} is forbidden: cannot {attempt.verb} it")
        fault = self._fault(request)
        if fault is None:
            answer: web.StreamResponse = await handler(request)
            if self.clock is not None and not answer.prepared:
                answer.headers["Date"] = format_datetime(self.clock, usegmt=True)
            return answer
        if fault.times is not None:
            fault.times -= 1
        if fault.hangs:
            await asyncio.sleep(3600)
        if fault.drops:
            assert request.transport is not None
            request.transport.abort()
        if fault.cuts:
            return await _half(request, await handler(request))
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        return _status(fault.status, fault.message, headers=headers)

    def _fault(self, request: web.Request) -> Fault | None:
        last = request.path.rpartition("/")[2]
        found = request.match_info
        resource = last if last in ("exec", "portforward", "log") else found.get("plural") or "discovery"
        if resource == "namespaces" and "namespace" in found:
            resource = "pods"
        fault = self.faults.get(resource)
        if fault is None or fault.times == 0:
            return None
        if fault.page is not None and fault.page != _offset(request.query.get("continue"))[1]:
            return None
        if fault.namespace is not None and fault.namespace != found.get("namespace"):
            return None
        if fault.by_name and "name" not in found:
            return None
        return fault

    # Objects

    async def _version(self, request: web.Request) -> web.Response:
        return web.json_response({"gitVersion": "v1.36.2"})

    async def _groups(self, request: web.Request) -> web.Response:
        versions: dict[str, set[str]] = {}
        for kind in self.kinds.values():
            group, _, version = kind.api.partition("/")
            if version:
                versions.setdefault(group, set()).add(version)
        groups = [
            {"name": name, "versions": [{"groupVersion": f"{name}/{one}", "version": one} for one in sorted(served)]}
            for name, served in sorted(versions.items())
        ]
        return web.json_response({"kind": "APIGroupList", "groups": groups})

    async def _discovery(self, request: web.Request) -> web.Response:
        api = _api(request)
        served = [
            {"name": plural, "kind": kind.kind, "namespaced": kind.namespaced, "verbs": ["get", "list"]}
            for plural, kind in self.kinds.items()
            if kind.api == api
        ]
        if not self.has_discovery or not served:
            return _status(404, "the server could not find the requested resource")
        return web.json_response({"kind": "APIResourceList", "groupVersion": api, "resources": served})

    def _served(self, request: web.Request) -> Kind | None:
        kind = self.kinds.get(request.match_info["plural"])
        if kind is None or kind.api != _api(request) or ("namespace" in request.match_info and not kind.namespaced):
            return None
        return kind

    async def _list(self, request: web.Request) -> web.Response:
        kind = self._served(request)
        if kind is None:
            return _status(404, "the server could not find the requested resource")
        if request.query.get("watch"):
            return web.Response(text="".join(f"{json.dumps(frame)}\n" for frame in self.frames))
        namespace = request.match_info.get("namespace")
        try:
            found = [
                item
                for item in self.objects.get(request.match_info["plural"], [])
                if namespace in (None, item["metadata"].get("namespace"))
                and _fields_match(request.query.get("fieldSelector", ""), item)
                and label_test(request.query.get("labelSelector", ""))(item["metadata"].get("labels") or {})
            ]
        except ValueError as error:
            return _status(400, str(error))
        offset, page = _offset(request.query.get("continue"))
        limit = min(int(request.query.get("limit", "0")) or len(found) or 1, self.page_size or 1 << 30)
        more = offset + limit < len(found)
        token = base64.b64encode(f"{offset + limit}:{page + 1}".encode()).decode() if more else ""
        return web.json_response(
            {
                "kind": f"{kind.kind}List",
                "apiVersion": kind.api,
                "metadata": {"resourceVersion": "1", **({"continue": token} if token else {})},
                "items": [_listed(item, kind) for item in found[offset : offset + limit]],
            }
        )

    async def _one(self, request: web.Request) -> web.Response:
        kind, plural, name = self._served(request), request.match_info["plural"], request.match_info["name"]
        if kind is None:
            return _status(404, "the server could not find the requested resource")
        for item in self.objects.get(plural, []):
            if item["metadata"]["name"] == name and request.match_info.get("namespace") == item["metadata"].get(
                "namespace"
            ):
                return web.json_response(item)
        return _status(404, f'{plural} "{name}" not found', details={"name": name, "kind": plural})

    async def _review(self, request: web.Request) -> web.Response:
        wanted = (await request.json())["spec"]["resourceAttributes"]
        resource = wanted.get("subresource") or wanted["resource"]
        fault = self.faults.get(resource)
        full = "/".join(filter(None, (wanted["resource"], wanted.get("subresource"))))
        names = (wanted.get("namespace", ""), wanted.get("name", ""))
        may = self.allows(Attempt(wanted["verb"], wanted.get("group", ""), full, *names))
        return web.json_response({"status": {"allowed": may and (fault is None or fault.status != 403)}}, status=201)

    async def _review_of_somebody(self, request: web.Request) -> web.Response:
        spec = (await request.json())["spec"]
        wanted = spec["resourceAttributes"]
        who = {spec.get("user", ""), *spec.get("groups", ())} - {""}
        resource = "/".join(filter(None, (wanted["resource"], wanted.get("subresource"))))
        asked = (wanted["verb"], wanted["group"], resource)
        namespaces = {wanted.get("namespace", ""), "*"}
        is_allowed = any((one, namespace, asked) in self.grants for one in who for namespace in namespaces)
        self.reviews.append((tuple(sorted(who)), wanted.get("namespace", ""), *asked))
        return web.json_response({"kind": "SubjectAccessReview", "status": {"allowed": is_allowed}}, status=201)

    # Pods

    def _node_of(self, request: web.Request) -> str | None:
        name, namespace = request.match_info["name"], request.match_info["namespace"]
        for pod in self.objects.get("pods", []):
            if (pod["metadata"]["namespace"], pod["metadata"]["name"]) == (namespace, name):
                return str(pod["spec"]["nodeName"])
        return None

    async def _log(self, request: web.Request) -> web.Response:
        if self._node_of(request) is None:
            return _status(404, "pods not found")
        name, container = request.match_info["name"], request.query["container"]
        is_previous = request.query.get("previous") == "true"
        text = self.logs.get(f"{name}-{container}{'-previous' if is_previous else ''}")
        if text is None and is_previous:
            return _status(400, f'previous terminated container "{container}" in pod "{name}" not found')
        lines = (text or "").splitlines(keepends=True)
        return web.Response(text="".join(lines[-int(request.query["tailLines"]) :]))

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        node = self._node_of(request)
        if node is None:
            return _status(404, "pods not found")
        words = request.query.getall("command")
        self.commands.append((node, " ".join(words)))
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        if words[0] in ("cilium", "cilium-dbg"):
            if words[0] != self.exec.binary:
                await _end(socket, 126, "")
                return socket
            words = ["cilium-dbg", *words[1:]]
        line = " ".join(words)
        output = self.exec.overrides.get(line) or self._outputs.get((node, line))
        if output is None:
            output = Output(b"", 1, f"Error: nothing was recorded for {line}")
        while self.exec.endless:
            await socket.send_bytes(b"\x01" + bytes(1 << 20))
        for start in range(0, len(output.text), 32 << 10):
            await socket.send_bytes(b"\x01" + output.text[start : start + (32 << 10)])
        if output.errors:
            await socket.send_bytes(b"\x02" + output.errors.encode())
        if self.exec.sends_status:
            await _end(socket, output.code, output.errors)
        else:
            await socket.close()
        return socket

    async def _portforward(self, request: web.Request) -> web.StreamResponse:
        if self._node_of(request) is None or self.forward_to is None:
            return _status(404, "pods not found")
        port = int(request.query["ports"]).to_bytes(2, "little")
        reader, writer = await asyncio.open_connection(*self.forward_to)
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        await socket.send_bytes(b"\x00" + port)
        await socket.send_bytes(b"\x01" + port)

        async def back() -> None:
            while body := await reader.read(65536):
                await socket.send_bytes(b"\x00" + body)
            await socket.close()

        backwards = asyncio.create_task(back())
        try:
            async for message in socket:
                if message.type is WSMsgType.BINARY and message.data[0] == 0:
                    writer.write(message.data[1:])
                    await writer.drain()
        finally:
            backwards.cancel()
            writer.transport.abort()
        return socket


async def _half(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
    assert isinstance(whole, web.Response)
    assert isinstance(whole.body, bytes)
    assert request.transport is not None
    cut = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(whole.body))})
    await cut.prepare(request)
    await cut.write(whole.body[: len(whole.body) // 2])
    request.transport.abort()
    return cut


async def _end(socket: web.WebSocketResponse, code: int, errors: str) -> None:
    if code == 0:
        status: dict[str, Any] = {"status": "Success"}
    else:
        status = {
            "status": "Failure",
            "reason": "NonZeroExitCode",
            "message": f"command terminated with non-zero exit code: {errors}",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
        }
    await socket.send_bytes(b"\x03" + json.dumps(status).encode())
    await socket.close()


def _attempt(request: web.Request) -> Attempt | None:
    found = request.match_info
    if "version" not in found or request.method != "GET":
        return None
    plural, name, namespace = found.get("plural"), found.get("name", ""), found.get("namespace", "")
    subresource = request.path.rpartition("/")[2] if plural is None and name else ""
    if plural is None and not subresource:
        return None
    resource = plural or f"pods/{subresource}"
    return Attempt("get" if name else "list", found.get("group", ""), resource, namespace, name)


def _api(request: web.Request) -> str:
    group, version = request.match_info.get("group"), request.match_info["version"]
    return f"{group}/{version}" if group else version


def _offset(token: str | None) -> tuple[int, int]:
    if not token:
        return 0, 0
    offset, _, page = base64.b64decode(token).decode().partition(":")
    return int(offset), int(page)


def _listed(item: dict[str, Any], kind: Kind) -> dict[str, Any]:
    if kind.is_custom:
        return item
    return {key: value for key, value in item.items() if key not in ("kind", "apiVersion")}


def _fields_match(selector: str, item: dict[str, Any]) -> bool:
    known = {
        "metadata.name": item["metadata"]["name"],
        "metadata.namespace": item["metadata"].get("namespace", ""),
        "spec.nodeName": item.get("spec", {}).get("nodeName", ""),
        "status.podIP": item.get("status", {}).get("podIP", ""),
        "type": item.get("type", ""),
        "status.phase": item.get("status", {}).get("phase", ""),
    }
    for term in filter(None, selector.split(",")):
        field_name, _, value = term.partition("=")
        if field_name not in known:
            raise ValueError(f"field label not supported: {field_name}")
        if known[field_name] != value.removeprefix("="):
            return False
    return True


def _status(
    code: int, message: str, details: dict[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return web.json_response(body | ({"details": details} if details else {}), status=code, headers=headers)
