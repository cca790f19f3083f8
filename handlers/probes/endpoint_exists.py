"""Every pod of it has an endpoint.

Kubelet asks for one when it sets up a pod's network: it needs a node, the node's agent, and an address. A pod that runs
in the network of its node has none, and neither has one that has finished.
"""

from collections.abc import Iterator

from handlers.commands.endpoint import EndpointOf
from handlers.connection.coverage import nodes_in_words
from handlers.connection.observation import clock
from handlers.endpoints.absence import Absence, Cause, absence_of
from handlers.endpoints.asked import ASKED_OPTIONAL_PARTS, ASKED_PARTS, Asked, PodEndpoint, endpoints_asked
from handlers.model.cluster import Node, Pod, Workload
from handlers.model.event import Event
from handlers.model.facts import Facts
from handlers.model.finding import Code, Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.snapshot import Known, Missing
from handlers.names.resolve import Meaning
from handlers.probes.probe import probe

ENDPOINT_MADE = code(
    "ENDPOINT_MADE",
    meaning="Which endpoints there are, and what identity they have.",
    template="{count} endpoint{count: has|s have} identity {identity}: {endpoints}",
)
POD_NOT_SCHEDULED = code(
    "POD_NOT_SCHEDULED",
    meaning="The scheduler found no node for the pod, so it has no network yet and no endpoint.",
    template="{pods}: no node takes {count:it|them} ({words}){taints}",
    reason="No node takes {pods}{taints}",
    advice="Look at the taints: node.cilium.io/agent-not-ready is Cilium's own, and goes when the agent is ready.",
)
ENDPOINT_WITHOUT_ADDRESS = code(
    "ENDPOINT_WITHOUT_ADDRESS",
    meaning="The node's agent has no address left for the pod (IPAM), so its network was not set up.",
    template="{pods} on {node}: no address left for {count:it|them} (pod CIDR {cidrs}): {words}; last at {at}."
    " {holding} other pod{holding:|s} of it there {holding:has|have} one",
    reason="{node} has no address left (pod CIDR {cidrs})",
    advice="Scale something on that node down, let the pods run on another, or give nodes a larger pod CIDR;"
    " pods that have an address are not affected.",
)
ENDPOINT_NOT_SERVED = code(
    "ENDPOINT_NOT_SERVED",
    meaning="The node's agent did not answer when kubelet asked it for the pod's network.",
    template="{pods} on {node}: the agent of the node did not answer kubelet ({words}); last at {at}",
    reason="The agent of {node} did not answer when the network was set up",
    advice="Look at the agent of that node; kubelet tries again by itself.",
)
ENDPOINT_NOT_MADE = code(
    "ENDPOINT_NOT_MADE",
    meaning="Kubelet could not set up the pod, for a reason that it quotes.",
    template="{pods} on {node}: not set up ({cause}): {words}; last at {at}",
    advice="The words are kubelet's own; look at the log of the node's agent for the same moment.",
)
ENDPOINT_ABSENT = code(
    "ENDPOINT_ABSENT",
    meaning="The pod has no endpoint, and no warning about it tells why.",
    template="{pods} on {node} {count:has|have} no endpoint ({state}), and {why}",
    advice="A pod that is older than Cilium on its node has to be started again; else look at the node's agent.",
)
ENDPOINT_OF_HOST = code(
    "ENDPOINT_OF_HOST",
    meaning="The pods run in the network of their node: to policy they are the host, and no endpoints of their own.",
    template="{pods} run{count:s|} in the host's network, without endpoints: host policies alone apply",
)
ENDPOINT_OF_FINISHED = code(
    "ENDPOINT_OF_FINISHED",
    meaning="The pods have finished, and their endpoints went with them.",
    template="{pods} {count:has|have} finished: no endpoint is left",
)
ENDPOINT_OF_NOBODY = code(
    "ENDPOINT_OF_NOBODY",
    meaning="What was asked about has no pods, so that there is no endpoint.",
    template="{title} has no pods now{wanted}",
    advice="Look at the workload's events: quotas and admission keep pods from being made.",
)
ENDPOINT_OF_WHAT = code(
    "ENDPOINT_OF_WHAT",
    meaning="The name means nothing, several things, or something that is no pod.",
    template="{title} is no pod, workload or Service of which endpoints could be told",
    advice="Ask for a pod, a workload or a Service.",
)

_CITED = 3
MOST_TAINTED = 3
"""Nodes with taints that are named."""
_CODES = {Cause.NO_ADDRESS: ENDPOINT_WITHOUT_ADDRESS, Cause.AGENT_SILENT: ENDPOINT_NOT_SERVED}


@probe(
    answers=(EndpointOf,),
    codes=(
        ENDPOINT_MADE,
        POD_NOT_SCHEDULED,
        ENDPOINT_WITHOUT_ADDRESS,
        ENDPOINT_NOT_SERVED,
        ENDPOINT_NOT_MADE,
        ENDPOINT_ABSENT,
        ENDPOINT_OF_HOST,
        ENDPOINT_OF_FINISHED,
        ENDPOINT_OF_NOBODY,
        ENDPOINT_OF_WHAT,
    ),
    needs=ASKED_PARTS,
    uses=(*ASKED_OPTIONAL_PARTS, Part.EVENTS),
    blocking=True,
)
def endpoint_exists(question: EndpointOf, facts: Facts) -> Iterator[Finding]:
    """Tell the endpoints that are there, and why the others are not."""
    asked = endpoints_asked(question.endpoint, facts)
    is_of_pods = asked.found.meaning in (Meaning.POD, Meaning.WORKLOAD, Meaning.SERVICE)
    if asked.found.obstacle is not None or not is_of_pods:
        yield ENDPOINT_OF_WHAT.finding(Outcome.UNKNOWN, blocking=True, title=asked.found.title)
        return
    yield from _made(asked)
    if asked.of_host:
        pods, count = _named(asked.of_host), len(asked.of_host)
        yield ENDPOINT_OF_HOST.finding(Outcome.NOT_APPLICABLE, weight=3, pods=pods, count=count)
    if asked.finished:
        pods, count = _named(asked.finished), len(asked.finished)
        yield ENDPOINT_OF_FINISHED.finding(Outcome.NOT_APPLICABLE, weight=2, pods=pods, count=count)
    if not (asked.endpoints or asked.of_host or asked.finished):
        yield _nobody(asked, facts)
    yield from _absent(asked, facts)


def _named(pods: tuple[Pod, ...]) -> tuple[str, ...]:
    return nodes_in_words(map(str, pods))


def _made(asked: Asked) -> Iterator[Finding]:
    by_identity: dict[int | None, list[PodEndpoint]] = {}
    for one in asked.made:
        by_identity.setdefault(one.identity, []).append(one)
    for identity, alike in by_identity.items():
        yield ENDPOINT_MADE.finding(
            Outcome.FINE,
            evidence=[one.evidence for one in alike[:_CITED]],
            weight=10,
            follow_up="" if identity is None else f"identity {identity}",
            count=len(alike),
            identity=None if identity is None else str(identity),
            endpoints=nodes_in_words(one.title.removeprefix("endpoint ") for one in alike),
        )


def _nobody(asked: Asked, facts: Facts) -> Finding:
    look = facts.look(Part.WORKLOADS)
    workloads: tuple[Workload, ...] = look.value if isinstance(look, Known) else ()
    wanted = next(
        (one.replicas for one in workloads if f"{one.kind}/{one.namespace}/{one.name}" == asked.found.ref), None
    )
    return ENDPOINT_OF_NOBODY.finding(
        Outcome.PROBLEM if wanted else Outcome.NOT_APPLICABLE,
        evidence=[Evidence("kubernetes", asked.found.ref)],
        title=asked.found.title,
        wanted="" if wanted is None else f", {wanted} wanted",
    )


def _absent(asked: Asked, facts: Facts) -> Iterator[Finding]:
    """Yield one finding for all pods that lack an endpoint for one reason on one node."""
    look = facts.look(Part.EVENTS)
    events: tuple[Event, ...] = look.value if isinstance(look, Known) else ()
    alike: dict[object, list[tuple[Pod, Absence]]] = {}
    for one in asked.endpoints:
        if not one.is_made and not one.pod.deleted:
            absence = absence_of(one.pod, events)
            alike.setdefault((one.pod.node, absence.cause, absence.words), []).append((one.pod, absence))
    for group in alike.values():
        pods = [pod for pod, _ in group]
        newest = max((absence for _, absence in group), key=_when)
        yield _why(pods, newest, asked, facts, look if isinstance(look, Missing) else None)


def _when(absence: Absence) -> float:
    return absence.event.last_at.timestamp() if absence.event and absence.event.last_at else 0


def _why(pods: list[Pod], absence: Absence, asked: Asked, facts: Facts, unread: Missing | None) -> Finding:
    first, event = pods[0], absence.event
    evidence = [Evidence("kubernetes", f"Pod/{pod}", "/status") for pod in pods[:_CITED]]
    if event:
        evidence.append(
            Evidence("kubernetes", f"Event/{first}", at=event.last_at, excerpt=f"{event.reason}: {absence.words}")
        )
    names = nodes_in_words(map(str, pods))
    if absence.cause is Cause.NOT_SCHEDULED:
        return POD_NOT_SCHEDULED.finding(
            Outcome.PROBLEM,
            evidence=[*evidence, *_taint_evidence(facts)],
            weight=60,
            pods=names,
            count=len(pods),
            words=absence.words or "nothing says why",
            taints=_taints(facts),
        )
    if absence.cause is Cause.UNTOLD:
        age = "no warning about it is kept" if unread is None else f"events could not be read: {unread.detail}"
        return ENDPOINT_ABSENT.finding(
            Outcome.UNKNOWN if unread or not first.ips else Outcome.PROBLEM,
            blocking=True,
            evidence=evidence,
            weight=50,
            pods=names,
            count=len(pods),
            node=first.node,
            state=first.waiting or first.phase,
            why=age,
        )
    holding = sum(1 for one in asked.made if one.pod.node == first.node and one.pod.ips)
    spoken: Code = _CODES.get(absence.cause, ENDPOINT_NOT_MADE)
    node = next((node for node in facts.nodes if node.name == first.node), None)
    if spoken is ENDPOINT_WITHOUT_ADDRESS:
        evidence.append(Evidence("kubernetes", f"CiliumNode//{first.node}", "/spec/ipam"))
    return spoken.finding(
        Outcome.PROBLEM,
        evidence=evidence,
        follow_up=f"health {first.node}",
        weight=70,
        pods=names,
        count=len(pods),
        node=first.node,
        cidrs=node.pod_cidrs if node else (),
        words=absence.words,
        cause=str(absence.cause),
        holding=holding,
        at=clock(event.last_at) if event and event.last_at else "an unknown time",
    )


def _tainted(facts: Facts) -> list[Node]:
    return [node for node in facts.nodes if node.taints][:MOST_TAINTED]


def _taint_evidence(facts: Facts) -> Iterator[Evidence]:
    yield from (Evidence("kubernetes", f"Node//{node.name}", "/spec/taints") for node in _tainted(facts))


def _taints(facts: Facts) -> str:
    told = [f"{node.name} has {', '.join(node.taints)}" for node in _tainted(facts)]
    return f"; {'; '.join(told)}" if told else ""
