"""What the kubelet and Cilium say in the messages of their events.

The kubelet's probes: Kubernetes, pkg/kubelet/prober and pkg/probe. Cilium's ``PacketDrop``: 1.20.2,
pkg/hubble/dropeventemitter/dropeventemitter.go. The same words come in alerts and in what people paste.
"""

import re
from dataclasses import replace

from handlers.alerts.alert import Labels
from handlers.alerts.dialled import URL, dialled
from handlers.alerts.ends import end_of_value, victim_of
from handlers.alerts.known.entry import node_in
from handlers.alerts.labels import is_agent
from handlers.alerts.signal import Cause, Decision, Signal
from handlers.model.endpoint import Address, EndpointName

_PROBE = re.compile(
    r"(?P<kind>readiness|liveness|startup) probe (?:failed|errored)[^:]{0,40}:(?P<why>.{0,2000})", re.I | re.S
)
_DROP = re.compile(
    r"(?P<way>incoming|outgoing) packet dropped \((?P<reason>[\w ]{1,60})\) (?:from|to) (?P<end>\S{1,300})"
    r"(?: \((?P<ip>[0-9a-f.:]{2,45})\))?(?: (?P<protocol>[a-z0-9]{3,8})(?:/(?P<port>\d{1,5}))?)?",
    re.I,
)
_STATUS = re.compile(r"status ?code:? ?(\d{3})", re.I)
_REFUSED = re.compile(r"connection refused|ECONNREFUSED", re.I)
_ANSWERED_BADLY = re.compile(
    r"connection reset by peer|\bEOF\b|malformed HTTP|x509|tls:|server gave HTTP response", re.I
)
_TIMED_OUT = re.compile(
    r"i/o timeout|client\.timeout|context deadline exceeded|timed? ?-?out|no route to host|network is unreachable"
    r"|host is unreachable|within \d",
    re.I,
)
_RUNS_A_COMMAND = re.compile(r"\bcommand\b|rpc error|\bexec\b|exit (?:status|code)|OCI runtime", re.I)


def probe_failure(words: str, labels: Labels) -> Signal | None:
    """Read a kubelet's probe that failed, None where the words are none.

    What was refused, or answered with an error, arrived: no policy stopped it. What timed out may have been stopped.
    """
    found = _PROBE.search(words)
    if not found:
        return None
    victim, node, why = victim_of(labels), node_in(labels), found["why"]
    claim = f"fails its {found['kind'].lower()} probe"
    address, port = dialled(why) or (None, "")
    # The name in a probe's URL is no end of its own: the kubelet sends it to the pod.
    address = address if isinstance(address, Address) else None
    signal = Signal(Cause.UNREADY, claim, destination=victim or address, port=port, node=node)
    if is_agent(labels):
        return replace(signal, cause=Cause.AGENT, claim=f"{claim}: Cilium's own")
    if status := _STATUS.search(why):
        return _innocent(signal, f"the probe was answered with status {status[1]}: it arrived, so no policy stopped it")
    if _REFUSED.search(why):
        return _innocent(signal, "the connection was refused: the packet arrived, and nothing listens on the port")
    if _RUNS_A_COMMAND.search(why) and not URL.search(why):
        doubt = "the probe is a command inside the pod: whether it goes over the network is not said"
        return replace(signal, decision=Decision.ASK, reason=doubt, port="")
    if _TIMED_OUT.search(why):
        return replace(signal, reason="the probe got no answer: it may have been dropped")
    if _ANSWERED_BADLY.search(why):
        return _innocent(signal, "somebody answered the probe, and badly: it arrived, so no policy stopped it")
    return replace(signal, decision=Decision.ASK, reason="why the probe failed is not said in words that are known")


def _innocent(signal: Signal, reason: str) -> Signal:
    return replace(signal, decision=Decision.IGNORE, reason=reason)


def packet_drop(words: str, labels: Labels) -> Signal | None:
    """Read a packet that Cilium says it dropped at a pod, None where the words are none."""
    found = _DROP.search(words)
    if not found:
        return None
    here, there = victim_of(labels), _other_end(found)
    reason, protocol = found["reason"].lower(), (found["protocol"] or "").upper()
    is_policy = reason.replace(" ", "_") in ("policy_denied", "policy_deny", "auth_required")
    port = _port(protocol, found["port"])
    source, destination = (there, here) if found["way"].lower() == "incoming" else (here, there)
    claim = "packets are denied by policy" if is_policy else f"packets are dropped: {reason.replace('_', ' ')}"
    signal = Signal(Cause.POLICY_DROP if is_policy else Cause.DROP, claim, source, destination, port)
    if here is None:
        doubt = "the message names one end; the other is the pod of the event, which is not given"
        return replace(signal, decision=Decision.ASK, reason=doubt)
    if protocol.startswith("ICMP"):
        noise = "pings that are denied come with restarts and scans, and stop no service"
        return replace(signal, decision=Decision.IGNORE, reason=noise)
    return signal


def _other_end(found: re.Match[str]) -> EndpointName | None:
    ip = found["ip"] or ""
    value = found["end"].rstrip(".,")
    if value in ("unmanaged", "unknown") or value.isdigit():
        return end_of_value(ip)
    if value.startswith("world") and ip:
        return end_of_value(ip)  # an address outside says more than that it is outside
    return end_of_value(value) or end_of_value(ip)


def _port(protocol: str, port: str | None) -> str:
    if protocol.startswith("ICMP"):
        return "icmp"
    is_port = port is not None and 0 < int(port) < 65_536
    if not is_port:
        return ""
    return f"{port}/{protocol}" if protocol in ("TCP", "UDP", "SCTP") else str(port)
