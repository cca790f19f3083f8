"""What ``cilium-dbg`` prints for people, as a bugtool archive keeps it, to the model.

The tables are Go tabwriter's: each column begins where its title begins.
"""

import contextlib
import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence

from handlers.model.agent import (
    AgentEndpoint,
    AgentIdentity,
    AgentStatus,
    Controller,
    EgressGatewayEntry,
    Encryption,
    HealthProbe,
    LearntName,
    LoadBalancerEntry,
    Metric,
    PeerNode,
    PolicyMapEntry,
    ProbeWay,
)
from workers.sources.convert.agent_words import (
    address_or_none,
    address_pools,
    counted,
    gateway_or_none,
    owner_of_address,
    version_of_state,
)
from workers.sources.convert.flow_words import query_name
from workers.sources.convert.reading import MalformedError, parse_moment, without_cluster

PROTOCOL_NUMBERS = {"ANY": 0, "ICMP": 1, "TCP": 6, "UDP": 17, "ICMPv6": 58, "SCTP": 132, "VRRP": 112, "IGMP": 2}
"""Names that Cilium prints for protocols (Cilium, pkg/u8proto)."""

_COMPONENTS = {
    "KVStore": "kvstore",
    "Kubernetes": "kubernetes",
    "Container runtime": "container-runtime",
    "Cilium health daemon": "cilium-health",
    "Hubble": "hubble",
}
"""Lines of ``status --verbose`` that begin with a state, by the names of the JSON form."""

_REDIRECTS = re.compile(r"\b(\d+) redirects active\b")
_ROUND_TRIP = re.compile(r"RTT=(?P<number>\d{1,9}(?:\.\d{1,9})?)(?P<unit>ns|µs|ms|s)\b")
_UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
_ROUTING = re.compile(r"Network:\s*(?P<mode>\w+)(?:\s*\[(?P<tunnel>\w+)\])?")
_WIREGUARD = re.compile(r"Pubkey:\s*(?P<key>[^,\s]+),.*?Peers:\s*(?P<peers>\d{1,6})\)")
_ALLOCATED = re.compile(r"^\s+[0-9a-fA-F.:]+ \((.*)\)\s*$", re.MULTILINE)
_MAP_SIZE = re.compile(r"^\s+(\S.*?)\s{2,}(\d{1,12})\s*$", re.MULTILINE)
_ENDPOINT_ID = re.compile(r"Endpoint ID:\s*(\d+)\s*$")
_FRONTEND = re.compile(r"(?P<address>\S+:\d+)(?:/(?P<protocol>[A-Za-z]+))?(?P<inside>/i)?$")
_BALANCED = re.compile(r"\d+ => (?P<address>\S+:\d+)(?:/[A-Za-z]+)?(?: \((?P<state>[a-z-]+)\))?")
_MAP_PORT = re.compile(r"(?:(?P<port>\d+)(?:-\d+)?/)?(?P<protocol>[A-Za-z0-9]+)$")


def table(text: str, titles: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the rows below the line that holds all titles, as title to cell; nothing where that line is missing."""
    lines = iter(text.splitlines())
    header = next((line for line in lines if all(title in line for title in titles)), None)
    if header is None:
        return
    starts = [header.index(title) for title in titles]
    if starts != sorted(starts):
        raise MalformedError("the columns stand in another order")
    ends = [*starts[1:], None]
    for line in lines:
        if line.strip():
            yield {title: line[start:end].strip() for title, start, end in zip(titles, starts, ends, strict=True)}


def endpoints(text: str) -> tuple[AgentEndpoint, ...]:
    """Read ``endpoint list``. The text names no pod and no revision; the namespace is taken from the labels."""
    titles = ("ENDPOINT", "POLICY (ingress)", "POLICY (egress)", "IDENTITY", "LABELS", "IPv6", "IPv4", "STATUS")
    found: list[tuple[dict[str, str], list[str]]] = []
    for row in table(text, titles):
        if row["ENDPOINT"].isdecimal():
            found.append((row, []))
        if found and ":" in row["LABELS"]:
            found[-1][1].append(row["LABELS"])
    _expect(found or "ENDPOINT" in text, "an endpoint list")
    return tuple(_endpoint(row, tuple(sorted(labels))) for row, labels in found)


def _endpoint(row: Mapping[str, str], labels: tuple[str, ...]) -> AgentEndpoint:
    modes = row["POLICY (ingress)"], row["POLICY (egress)"]
    namespace = next((item for item in labels if item.startswith("k8s:io.kubernetes.pod.namespace=")), "")
    return AgentEndpoint(
        id=_number(row["ENDPOINT"]),
        namespace=namespace.partition("=")[2],
        pod="",
        identity=_number(row["IDENTITY"]) if row["IDENTITY"].isdecimal() else 0,
        labels=labels,
        ips=tuple(ip for ip in (row["IPv4"], row["IPv6"]) if ip),
        state=row["STATUS"],
        ingress_enforcing=_enforcing(modes[0]),
        egress_enforcing=_enforcing(modes[1]),
        audit=any("Audit" in mode for mode in modes),
    )


def _enforcing(mode: str) -> bool | None:
    """Audited policy is not enforced, but the column says ``Disabled (Audit)`` where enforcement is meant."""
    return None if not mode else mode.startswith("Enabled") or "Audit" in mode


def identities(text: str) -> tuple[AgentIdentity, ...]:
    """Read ``identity list``."""
    found: list[tuple[int, list[str]]] = []
    for row in table(text, ("ID", "LABELS")):
        if row["ID"].isdecimal():
            found.append((_number(row["ID"]), []))
        if found and row["LABELS"]:
            found[-1][1].append(row["LABELS"])
    _expect(found, "an identity list")
    return tuple(AgentIdentity(number=number, labels=tuple(sorted(labels))) for number, labels in found)


def learnt_names(text: str) -> tuple[LearntName, ...]:
    """Read ``fqdn cache list``."""
    titles = ("Endpoint", "Source", "FQDN", "TTL", "ExpirationTime", "IPs")
    _expect(all(title in text for title in titles), "a DNS cache list")
    return tuple(
        LearntName(
            name=query_name(row["FQDN"]),
            ips=tuple(ip for ip in re.split(r"[,\s]+", row["IPs"]) if ip),
            endpoint=_number(row["Endpoint"]) or None,
            expires_at=parse_moment(row["ExpirationTime"]),
        )
        for row in table(text, titles)
    )


def policy_map(text: str) -> tuple[PolicyMapEntry, ...]:
    """Read ``bpf policy get --all --numeric``: a block of lines per endpoint."""
    titles = ("POLICY", "DIRECTION", "IDENTITY", "PORT/PROTO", "PROXY PORT", "PACKETS", "PREFIX")
    blocks = re.split(r"(?m)^(?=Endpoint ID:)", text)
    found: list[PolicyMapEntry] = []
    for block in blocks[1:]:
        head = _ENDPOINT_ID.match(block.split("\n", 1)[0])
        _expect(head, "a policy map")
        endpoint = _number(head.group(1)) if head else 0
        found += [_map_entry(endpoint, row) for row in table(block, titles) if row["POLICY"] in ("Allow", "Deny")]
    _expect(len(blocks) > 1 or not text.strip(), "policy maps")
    return tuple(found)


def _map_entry(endpoint: int, row: Mapping[str, str]) -> PolicyMapEntry:
    where = _MAP_PORT.match(row["PORT/PROTO"])
    if where is None or (where["protocol"] not in PROTOCOL_NUMBERS and not where["protocol"].isdecimal()):
        raise MalformedError(f"{row['PORT/PROTO']!r:.40} is no port and protocol")
    protocol = PROTOCOL_NUMBERS.get(where["protocol"])
    packets, prefix = row["PACKETS"].split(), row["PREFIX"].split()
    return PolicyMapEntry(
        endpoint=endpoint,
        ingress=row["DIRECTION"] == "Ingress",
        deny=row["POLICY"] == "Deny",
        identity=_number(row["IDENTITY"]),
        protocol=_number(where["protocol"]) if protocol is None else protocol,
        port=int(where["port"] or 0),
        prefix=_number(prefix[0]) if prefix else None,
        proxy_port=_number(row["PROXY PORT"].split()[0]) if row["PROXY PORT"][:1].isdecimal() else 0,
        packets=counted(_number(packets[0])) if packets and packets[0].isdecimal() else None,
    )


def egress_gateways(text: str) -> tuple[EgressGatewayEntry, ...]:
    """Read ``bpf egress list``."""
    titles = ("Source IP", "Destination CIDR", "Egress IP", "Gateway IP")
    _expect("No entries found" in text or all(title in text for title in titles), "an egress gateway list")
    return tuple(
        EgressGatewayEntry(
            source_ip=row["Source IP"],
            # A column that newer agents put between the two is cut off.
            destination_cidr=row["Destination CIDR"].split()[0] if row["Destination CIDR"] else "",
            egress_ip=address_or_none(row["Egress IP"]),
            gateway_ip=gateway_or_none(row["Gateway IP"]),
        )
        for row in table(text, titles)
    )


def services(text: str) -> tuple[LoadBalancerEntry, ...]:
    """Read ``service list``. The text does not name the Services; a backend without a state is active."""
    found: list[LoadBalancerEntry] = []
    for row in table(text, ("ID", "Frontend", "Service Type", "Backend")):
        if row["ID"].isdecimal():
            front = _FRONTEND.match(row["Frontend"])
            if front is None:
                raise MalformedError(f"{row['Frontend']!r:.40} is no frontend")
            protocol, inside = (front["protocol"] or "TCP").upper(), front["inside"] is not None
            found.append(LoadBalancerEntry(front["address"], protocol, (), "", "", row["Service Type"], inside))
        backend = _BALANCED.match(row["Backend"])
        if found and backend:
            found[-1] = _with_backend(found[-1], backend["address"], backend["state"] or "active")
    _expect("Frontend" in text, "a list of services")
    return tuple(found)


def _with_backend(entry: LoadBalancerEntry, address: str, state: str) -> LoadBalancerEntry:
    if state == "active":
        return dataclasses.replace(entry, backends=(*entry.backends, address))
    return dataclasses.replace(entry, idle=(*entry.idle, address))


def metrics(text: str) -> tuple[Metric, ...]:
    """Read ``metrics list``. Histograms are printed as three quantiles with units and are left out."""
    rows = list(table(text, ("Metric", "Labels", "Value")))
    _expect(rows, "a metrics list")
    found: list[Metric] = []
    for row in rows:
        try:
            value = float(row["Value"])
        except ValueError:
            continue
        pairs = (pair.partition("=") for pair in row["Labels"].split() if "=" in pair)
        found.append(Metric(name=row["Metric"], labels={key: text for key, _, text in pairs}, value=value))
    return tuple(found)


def status(text: str) -> AgentStatus:
    """Read ``status --verbose``, controllers and cluster health included."""
    fields = {
        key.strip(): value.strip() for line in text.splitlines() if (parts := _field(line)) for key, value in [parts]
    }
    own = fields.get("Cilium")
    _expect(own, "an agent's status")
    state, _, message = (own or "").partition(" ")
    redirects = _REDIRECTS.search(fields.get("Proxy Status", ""))
    routing = _ROUTING.search(fields.get("Routing", ""))
    return AgentStatus(
        version=version_of_state(message.strip()),
        state=state,
        message=message.strip(),
        components={
            name: _state_and_message(fields[title]) for title, name in _COMPONENTS.items() if fields.get(title)
        },
        failing=_failing(text),
        peers=peers(text),
        proxy_redirects=int(redirects.group(1)) if redirects else (0 if "Proxy Status" in fields else None),
        kube_proxy_replacement=next(iter(fields.get("KubeProxyReplacement", "").split()), None),
        pools=address_pools(fields.get("IPAM", "")),
        given_to=tuple(sorted(owner_of_address(found) for found in _ALLOCATED.findall(_below(text, "Allocated addr")))),
        routing=routing["mode"] if routing else "",
        tunnel=(routing["tunnel"] or "") if routing else "",
        encryption=_encryption(fields.get("Encryption", "")),
        host_firewall=firewall.startswith("Enabled") if (firewall := fields.get("Host firewall")) else None,
        masquerading=next(iter(fields.get("Masquerading", "").split()), ""),
        map_sizes={name.strip(): int(size) for name, size in _MAP_SIZE.findall(_below(text, "BPF Maps"))},
    )


def _below(text: str, title: str) -> str:
    """Return the indented lines below the line that begins with a title."""
    _, _, rest = text.partition(f"\n{title}")
    lines = rest.splitlines()[1:]
    end = next((index for index, line in enumerate(lines) if not line.startswith(" ")), len(lines))
    return "\n".join(lines[:end])


def _encryption(said: str) -> Encryption | None:
    mode = next(iter(said.split()), None)
    if mode is None:
        return None
    interface = _WIREGUARD.search(said)
    return Encryption(
        mode, interface["key"] if interface else "", int(interface["peers"]) if interface else None, keys_in_use=None
    )


def _field(line: str) -> tuple[str, str] | None:
    if line[:1].isspace() or ":" not in line:
        return None
    key, _, value = line.partition(":")
    return key, value


def _state_and_message(value: str) -> tuple[str, str]:
    state, _, message = value.partition(" ")
    return state, message.strip()


def _failing(text: str) -> tuple[Controller, ...]:
    section = text.partition("Controller Status:")[2]
    titles = ("Name", "Last success", "Last error", "Count", "Message")
    found: list[Controller] = []
    for row in table(section, titles):
        if not row["Count"].isdecimal():
            break
        if int(row["Count"]) > 0:
            found.append(Controller(row["Name"], int(row["Count"]), row["Message"], last_failure_at=None))
    return tuple(found)


def peers(text: str) -> tuple[PeerNode, ...] | None:
    """Read the section ``Cluster health:``; None where it is missing or in its short form, which hides the reasons."""
    section = text.partition("Cluster health:")[2]
    found: list[PeerNode] = []
    of_endpoint = False
    for line in section.splitlines()[1:]:
        if not line.startswith(" "):
            if line.startswith("Name"):
                continue
            break
        words = line.strip()
        if words.startswith(("Host connectivity", "Endpoint connectivity")) and found:
            of_endpoint = words.startswith("Endpoint")
        elif words.startswith(("ICMP to stack:", "HTTP to agent:")) and found:
            way, _, told = words.partition(":")
            probe = _probe(ProbeWay(way.split()[0]), told, of_endpoint=of_endpoint)
            found[-1] = dataclasses.replace(found[-1], probes=(*found[-1].probes, probe))
        elif words.endswith(":"):
            found.append(PeerNode(without_cluster(words.removesuffix(":"))))
    return tuple(peer for peer in found if not peer.name.endswith("(localhost)")) if found else None


def _probe(way: ProbeWay, told: str, *, of_endpoint: bool) -> HealthProbe:
    said, _, probed = told.partition("(Last probed:")
    at = None
    with contextlib.suppress(MalformedError):
        at = parse_moment(probed.strip().rstrip(")")) if probed else None
    words, is_fine = said.strip(), said.strip().startswith("OK")
    return HealthProbe(way, of_endpoint, "" if is_fine else words, at, _seconds(words) if is_fine else None)


def _seconds(words: str) -> float | None:
    """Return the time in ``OK, RTT=80.029µs``, None where there is none."""
    found = _ROUND_TRIP.search(words)
    return round(float(found["number"]) * _UNITS[found["unit"]], 9) if found else None


def _number(cell: str) -> int:
    if not cell.isdecimal() or len(cell) > 20:
        raise MalformedError(f"{cell!r:.40} is no number")
    return int(cell)


def _expect(holds: object, what: str) -> None:
    if not holds:
        raise MalformedError(f"the output is not {what}")
