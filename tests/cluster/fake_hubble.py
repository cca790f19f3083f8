"""A Hubble relay over recorded responses: filters, windows and counts as the real one, and its ways to fail."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Self

import grpc
from google.protobuf.json_format import ParseDict

from tests.cluster.record import Record
from workers.sources.hubble_pb import triage_hubble_pb2 as pb


@dataclass
class Trouble:
    """What goes wrong."""

    unavailable: dict[str, str] = field(default_factory=dict)
    """Nodes that relay cannot reach, and what it says of each."""
    frozen: set[str] = field(default_factory=set)
    """Nodes listed as connected that never answer: streams do not end, GetNodes hangs."""
    lost: list[pb.GetFlowsResponse] = field(default_factory=list)
    hangs: bool = False
    dies_after: int | None = None
    """Flows after which the stream breaks."""
    refuses: grpc.StatusCode | None = None


class FakeHubble:
    """The server. Change ``trouble`` at any time; look at ``requests`` afterwards. Use it as a context manager."""

    def __init__(
        self,
        responses: Sequence[pb.GetFlowsResponse],
        status: dict[str, Any] | None = None,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        self.flows = [response for response in responses if response.WhichOneof("response_types") == "flow"]
        self.nodes = list(
            dict.fromkeys(
                name
                for response in responses
                for name in (*response.node_status.node_names, response.flow.node_name)
                if name
            )
        )
        self.script: list[pb.GetFlowsResponse] | None = None
        """What a window is answered with, as it was recorded, instead of what fits it."""
        self.trouble = Trouble()
        self.requests: list[pb.GetFlowsRequest] = []
        self.is_relay = True
        """An agent's own server sends no node status and has no GetNodes."""
        self.status = status or {}
        self._threads = ThreadPoolExecutor(8)
        self._closed = threading.Event()
        self._server = grpc.server(self._threads)
        self._server.add_generic_rpc_handlers([_handlers(self)])
        address = "127.0.0.1:0"
        self.port = (
            self._server.add_secure_port(address, credentials)
            if credentials
            else self._server.add_insecure_port(address)
        )

    @classmethod
    def of(cls, record: Record, credentials: grpc.ServerCredentials | None = None) -> "FakeHubble":
        """Serve a recorded moment."""
        return cls(record.responses, record.hubble_status, credentials)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop at once; calls under way break."""
        self._closed.set()
        self._server.stop(grace=None).wait(timeout=5)
        self._threads.shutdown(wait=True, cancel_futures=True)

    # The service

    def get_flows(self, request: pb.GetFlowsRequest, context: grpc.ServicerContext) -> Iterator[pb.GetFlowsResponse]:
        self.requests.append(request)
        trouble = self.trouble
        if trouble.refuses is not None:
            context.abort(trouble.refuses, "refused by the test")
        if trouble.hangs:
            self._hang(context)
            return
        if self.script is not None and not request.number:
            yield from self.script
            return
        if self.is_relay:
            yield from self._node_status()
        yield from trouble.lost
        mute = set(trouble.unavailable) | trouble.frozen
        found = [flow for flow in self.flows if flow.flow.node_name not in mute and _is_wanted(request, flow.flow)]
        if request.number:
            found = found[: request.number] if request.first else found[-request.number :]
        for sent, flow in enumerate(found):
            if trouble.dies_after == sent:
                context.abort(grpc.StatusCode.UNAVAILABLE, "relay was stopped")
            yield flow
        if trouble.frozen & {name for item in request.whitelist for name in item.node_name or self.nodes} or (
            trouble.frozen and not request.whitelist
        ):
            self._hang(context)

    def _node_status(self) -> Iterator[pb.GetFlowsResponse]:
        connected = [name for name in self.nodes if name not in self.trouble.unavailable]
        if connected:
            status = pb.NodeStatusEvent(state_change=pb.NODE_CONNECTED, node_names=connected)
            yield pb.GetFlowsResponse(node_status=status, node_name="relay")
        for name, message in self.trouble.unavailable.items():
            status = pb.NodeStatusEvent(state_change=pb.NODE_UNAVAILABLE, node_names=[name], message=message)
            yield pb.GetFlowsResponse(node_status=status, node_name="relay")

    def get_nodes(self, request: pb.GetNodesRequest, context: grpc.ServicerContext) -> pb.GetNodesResponse:
        if not self.is_relay:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "no relay")
        if self.trouble.hangs or self.trouble.frozen:
            self._hang(context)
        found = ParseDict(self.status.get("get_nodes", {}), pb.GetNodesResponse(), ignore_unknown_fields=True)
        for node in found.nodes:
            if node.name in self.trouble.unavailable:
                node.CopyFrom(pb.Node(name=node.name, address=node.address, state=pb.NODE_UNAVAILABLE))
        return found

    def server_status(self, request: pb.ServerStatusRequest, context: grpc.ServicerContext) -> pb.ServerStatusResponse:
        if self.trouble.hangs or self.trouble.frozen:
            self._hang(context)
        return ParseDict(self.status.get("server_status", {}), pb.ServerStatusResponse(), ignore_unknown_fields=True)

    def _hang(self, context: grpc.ServicerContext) -> None:
        gone = threading.Event()
        if context.add_callback(gone.set):
            while not gone.wait(0.02) and not self._closed.is_set():
                pass


def _handlers(hubble: FakeHubble) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        "observer.Observer",
        {
            "GetFlows": grpc.unary_stream_rpc_method_handler(
                hubble.get_flows, pb.GetFlowsRequest.FromString, pb.GetFlowsResponse.SerializeToString
            ),
            "GetNodes": grpc.unary_unary_rpc_method_handler(
                hubble.get_nodes, pb.GetNodesRequest.FromString, pb.GetNodesResponse.SerializeToString
            ),
            "ServerStatus": grpc.unary_unary_rpc_method_handler(
                hubble.server_status, pb.ServerStatusRequest.FromString, pb.ServerStatusResponse.SerializeToString
            ),
        },
    )


def _is_wanted(request: pb.GetFlowsRequest, flow: pb.Flow) -> bool:
    time = (flow.time.seconds, flow.time.nanos)
    if request.HasField("since") and time < (request.since.seconds, request.since.nanos):
        return False
    if request.HasField("until") and time > (request.until.seconds, request.until.nanos):
        return False
    return not request.whitelist or any(_matches(item, flow) for item in request.whitelist)


def _matches(wanted: pb.FlowFilter, flow: pb.Flow) -> bool:
    """Filters as Hubble has them (Cilium, pkg/hubble/filters): pods by prefix, the rest whole."""
    which = flow.l4.WhichOneof("protocol")
    layer4 = getattr(flow.l4, which) if which else None
    return (
        _is_prefix(wanted.source_pod, flow.source)
        and _is_prefix(wanted.destination_pod, flow.destination)
        and (not wanted.source_ip or flow.IP.source in wanted.source_ip)
        and (not wanted.destination_ip or flow.IP.destination in wanted.destination_ip)
        and (not wanted.source_port or str(getattr(layer4, "source_port", "")) in wanted.source_port)
        and (not wanted.destination_port or str(getattr(layer4, "destination_port", "")) in wanted.destination_port)
        and (not wanted.verdict or flow.verdict in wanted.verdict)
        and (not wanted.node_name or flow.node_name in wanted.node_name)
    )


def _is_prefix(pods: Sequence[str], end: pb.Endpoint) -> bool:
    return not pods or any(f"{end.namespace}/{end.pod_name}".startswith(pod) for pod in pods if end.pod_name)
