"""What the other side sees as the source of the traffic is what egress gateway policies make of it.

Traffic that no policy takes leaves from the pod's node, with an address of that node where Cilium masquerades, else
with the pod's own. A mesh may lead it elsewhere before it leaves: what its sidecar does is not seen here.
"""

from collections.abc import Iterator, Sequence

from handlers.commands.egress import Egress
from handlers.connection.ends import Ends
from handlers.connection.observation import clock
from handlers.connection.outbound import OUTBOUND_PARTS, Outbound, outbound_of
from handlers.connection.trial import Trial
from handlers.egress.policy import EgressPolicy, read_policy
from handlers.egress.subjects import is_selected
from handlers.model.agent import EgressGatewayEntry
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.flow import Flow
from handlers.model.parts import Part
from handlers.model.snapshot import Known
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, Meaning
from handlers.probes.probe import probe

EGRESS_SEEN_AS = code(
    "EGRESS_SEEN_AS",
    meaning="The address that the other side sees as the source, and the node that the traffic leaves from.",
    template="The other side sees {source} as {address}, from {node}{seen}",
)
EGRESS_NOT_TAKEN = code(
    "EGRESS_NOT_TAKEN",
    meaning="An egress gateway policy is about the pod or about the destination, but not about both.",
    template="{policy} does not take it: its {field} {verb} {what}",
)
EGRESS_STAYS_INSIDE = code(
    "EGRESS_STAYS_INSIDE",
    meaning="The destination is inside the cluster: egress gateways have no part in the traffic.",
    template="{end} is inside the cluster, so that no egress gateway has a part in it",
)
EGRESS_OF_NO_POD = code(
    "EGRESS_OF_NO_POD",
    meaning="Egress gateways take traffic of pods with an address of their own, and nobody else's.",
    template="Egress gateways take only traffic of pods with an address of their own, and {end} has none",
)
EGRESS_MESH = code(
    "EGRESS_MESH",
    meaning="The pod has the sidecar of a service mesh, which may lead its traffic elsewhere.",
    template="{source} has the sidecar {sidecar}: the mesh may send its traffic to a gateway of its own",
)
EGRESS_GATEWAY_API = code(
    "EGRESS_GATEWAY_API",
    meaning="Cilium's Gateway API is on: what pods send to a Gateway leaves from Envoy on a node, not from the pod.",
    template="Gateway API is on: what {source} sends through a Gateway leaves from a node's Envoy",
)
_SIDECARS = (
    "istio/proxyv2",
    "istio-proxy",
    "linkerd/proxy",
    "linkerd2-proxy",
    "kuma-dp",
    "consul-dataplane",
    "osm-sidecar",
)
"""Parts of images by which sidecars are known."""
MOST_NEAR = 5
"""Policies named that do not take the traffic."""


@probe(
    answers=(Egress,),
    codes=(EGRESS_SEEN_AS, EGRESS_NOT_TAKEN, EGRESS_STAYS_INSIDE, EGRESS_OF_NO_POD, EGRESS_MESH, EGRESS_GATEWAY_API),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *OUTBOUND_PARTS),
    hop=Hop.EGRESS_GATEWAY,
)
def egress_seen_as(question: Egress, facts: Facts) -> Iterator[Finding]:
    """Say it of each pod, with the policies that come near."""
    trial = Trial(question.connection, facts)
    if not needed(trial.ends).are_clear:
        return
    outbounds = outbound_of(trial)
    if not outbounds:
        yield _untouched(needed(trial.ends))
    said: set[str] = set()
    for outbound in outbounds:
        for finding in (*_seen_as(outbound), *_near(outbound), *_mesh(outbound), *_gateway_api(outbound)):
            if finding.text not in said:
                said.add(finding.text)
                yield finding


def _untouched(ends: Ends) -> Finding:
    """Say why egress gateways have no part in the traffic: it stays inside, or no pod of its own address sends it."""
    outside = (Meaning.OUTSIDE, Meaning.HOST_NAME, Meaning.ENTITY)
    leaves = ends.destination.meaning in outside
    about, title = (EGRESS_OF_NO_POD, ends.source.title) if leaves else (EGRESS_STAYS_INSIDE, ends.destination.title)
    return about.finding(Outcome.NOT_APPLICABLE, hop=Hop.EGRESS_GATEWAY, end=title)


def _seen_as(outbound: Outbound) -> Iterator[Finding]:
    choice = outbound.choice
    if newest := _translated(outbound):
        evidence = [Evidence("hubble", f"Node//{newest.node}", at=newest.time)]
        yield _at(
            outbound, newest.source_translated or "", newest.node, evidence, f" (seen, last at {clock(newest.time)})"
        )
        return
    if choice.is_open or choice.is_conflict:
        return
    if not outbound.is_on or not choice.taken:
        yield _at(outbound, outbound.address_at_home, outbound.source.node)
        return
    ways = outbound.ways(choice.taken[0])
    for way in ways if len(ways) == 1 else ():
        if way.node is None:
            continue
        told = outbound.entry_on(way.node.name)
        address = told.egress_ip if isinstance(told, EgressGatewayEntry) else way.source
        if address is not None:
            yield _at(outbound, address, way.node.name)


def _translated(outbound: Outbound) -> Flow | None:
    """Return the newest packet that was seen to leave with another source, since the policies were last changed."""
    look = outbound.facts.look(Part.FLOWS)
    changes = (entry.policy.object.changed_at for entry in (*outbound.choice.deciding, *outbound.choice.overruled))
    changed = max(filter(None, changes), default=None)
    flows: tuple[Flow, ...] = look.value.flows if isinstance(look, Known) else ()
    leaving = (
        flow
        for flow in flows
        if flow.source_translated
        and flow.is_reply is not True
        and flow.source.ip in outbound.source.ips
        and flow.destination.ip == outbound.choice.address
        and (changed is None or flow.time > changed)
    )
    return max(leaving, key=lambda flow: flow.time, default=None)


def _at(
    outbound: Outbound, address: str, node: str | None, evidence: Sequence[Evidence] = (), seen: str = ""
) -> Finding:
    by_map = [Evidence("agent", f"Node//{node}", "bpf egress list")] if outbound.choice.taken else []
    return EGRESS_SEEN_AS.finding(
        Outcome.FINE,
        hop=Hop.EGRESS_GATEWAY,
        evidence=evidence or by_map,
        source=outbound.source.title,
        address=address,
        node=node or "its node",
        seen=seen,
    )


def _near(outbound: Outbound) -> Iterator[Finding]:
    """Name policies that are about one of the two ends, where none takes the traffic."""
    pod = outbound.source.pod
    if pod is None or outbound.choice.deciding or outbound.choice.is_open:
        return
    found = 0
    for policy in map(read_policy, outbound.facts.egress_gateways):
        selects, reaches = is_selected(policy, pod, outbound.facts), outbound.reaches(policy)
        if selects != reaches and found < MOST_NEAR:
            found += 1
            yield _not_taken(policy, outbound, selects=selects)


def _not_taken(policy: EgressPolicy, outbound: Outbound, *, selects: bool) -> Finding:
    field, verb = ("destinationCIDRs", "do not hold") if selects else ("selectors", "do not mean")
    return EGRESS_NOT_TAKEN.finding(
        Outcome.NOT_APPLICABLE,
        hop=Hop.EGRESS_GATEWAY,
        evidence=[Evidence("kubernetes", policy.ref, f"/spec/{field}")],
        policy=policy.ref,
        field=field,
        verb=verb,
        what=outbound.choice.address if selects else outbound.source.title,
    )


def _mesh(outbound: Outbound) -> Iterator[Finding]:
    images = outbound.source.pod.images if outbound.source.pod else ()
    for image in (image for image in images if any(part in image for part in _SIDECARS)):
        yield EGRESS_MESH.finding(
            Outcome.NOT_APPLICABLE, hop=Hop.EGRESS_GATEWAY, source=outbound.source.title, sidecar=image[:80]
        )


def _gateway_api(outbound: Outbound) -> Iterator[Finding]:
    config = outbound.facts.look(Part.CONFIG)
    if isinstance(config, Known) and config.value.options.get("enable-gateway-api", "").lower() == "true":
        yield EGRESS_GATEWAY_API.finding(Outcome.NOT_APPLICABLE, hop=Hop.EGRESS_GATEWAY, source=outbound.source.title)
