"""A query of the model as Hubble's request: as much of it as the server can decide."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from handlers.model.scope import FlowMatch, FlowQuery
from workers.sources.hubble_pb import triage_hubble_pb2 as pb


def window_request(query: FlowQuery) -> pb.GetFlowsRequest:
    """Ask for a window. No count: Hubble documents ``number`` as incompatible with one, so the client counts."""
    return pb.GetFlowsRequest(
        whitelist=[flow_filter(match) for match in query.any_of],
        since=stamp(query.since),
        until=stamp(query.until),
    )


def oldest_request(node: str) -> pb.GetFlowsRequest:
    """Ask for the oldest event that the ring of a node still holds; ``node`` as relay names it."""
    return pb.GetFlowsRequest(number=1, first=True, whitelist=[pb.FlowFilter(node_name=[node])])


def newest_request() -> pb.GetFlowsRequest:
    """Ask for the newest event of whoever answers."""
    return pb.GetFlowsRequest(number=1)


def flow_filter(match: FlowMatch) -> pb.FlowFilter:
    """Return what the server shall keep: a superset, since its pod filters are prefixes."""
    known = pb.Verdict.DESCRIPTOR.values_by_name
    verdicts = [known[name].number for name in match.verdicts if name in known]
    return pb.FlowFilter(
        source_pod=match.source_pods,
        source_ip=match.source_ips,
        destination_pod=match.destination_pods,
        destination_ip=match.destination_ips,
        source_port=[str(port) for port in match.source_ports],
        destination_port=[str(port) for port in match.destination_ports],
        # A verdict that this project does not know cannot be asked for; the client then decides alone.
        verdict=verdicts if len(verdicts) == len(match.verdicts) else [],  # type: ignore[arg-type]
    )


def stamp(moment: datetime) -> Timestamp:
    """Return a protobuf time."""
    found = Timestamp()
    found.FromDatetime(moment)
    return found
