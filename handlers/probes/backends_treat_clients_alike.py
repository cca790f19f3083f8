"""No backend of the Service drops what others let through.

A Service spreads connections over its backends, so one backend that denies a client makes the client fail now and
then: a policy that selects some of the pods only, by a label such as ``track``, is the usual reason.
"""

from collections.abc import Iterator

from handlers.connection.backends import Target, backends_of
from handlers.connection.coverage import coverage_of, nodes_in_words
from handlers.connection.drop_causes import cause_of, owners_of, told_with_change
from handlers.connection.drop_groups import DropGroup, drop_groups, is_neighbour_noise
from handlers.connection.legs import LEG_PARTS
from handlers.connection.observation import clock
from handlers.connection.policies import POLICY_OPTIONAL_PARTS
from handlers.model.cluster import Service
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.flow import Flow, FlowDirection, FlowVerdict
from handlers.model.parts import Part
from handlers.model.question import AboutService
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, resolve
from handlers.probes.probe import probe

SOME_BACKENDS_DROP = code(
    "SOME_BACKENDS_DROP",
    meaning="Some backends of the Service drop a client's packets, and others do not: the client fails now and then.",
    template="{count} packet{count:|s} of {source} {count:was|were} dropped at {pod} on {node} ({why}), last at {at}; "
    "{bad} of {all} backends of {service} {bad:drops|drop}, so the client fails now and then",
    reason="{pod} on {node} drops packets of {source} ({why}), the other backends do not: it fails now and then",
    advice="Let the policy of that backend allow the client, or take the backend out of the Service; why has a patch.",
)
EVERY_BACKEND_DROPS = code(
    "EVERY_BACKEND_DROPS",
    meaning="Every backend of the Service drops a client's packets.",
    template="{count} packet{count:|s} of {source} {count:was|were} dropped at {pod} on {node} ({why}), last at {at}; "
    "all {all} backend{all:|s} of {service} {all:drops|drop} them",
    advice="Open the why for the clause and a patch.",
)
BACKENDS_NOT_HEARD = code(
    "BACKENDS_NOT_HEARD",
    meaning="No drop was seen at the Service's backends, and the flows of some of their nodes were not heard.",
    template="No drop was seen at the backends of {service}, but {nodes} {count:was|were} not heard",
    advice="Look at the agents of these nodes and at hubble-relay (health), then ask again.",
)
BACKENDS_DROP_NOTHING = code(
    "BACKENDS_DROP_NOTHING",
    meaning="No drop was seen at the Service's backends.",
    template="No drop was seen at the backends of {service}",
)


@probe(
    answers=(AboutService,),
    codes=(SOME_BACKENDS_DROP, EVERY_BACKEND_DROPS, BACKENDS_NOT_HEARD, BACKENDS_DROP_NOTHING),
    needs=(*PARTS, Part.FLOWS),
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, *POLICY_OPTIONAL_PARTS, Part.POLICIES, Part.CHANGES),
    hop=Hop.INGRESS_POLICY,
    blocking=True,
)
def backends_treat_clients_alike(question: AboutService, facts: Facts) -> Iterator[Finding]:
    """Group the drops at the backends by client and pod; one that a later packet of the client outdates is history."""
    found = resolve(question.service, facts, End.DESTINATION, question.port, question.protocol)
    if found.service is None or found.service.type == "ExternalName":
        return
    targets = [one for one in backends_of(question, found, facts) if one.ready and one.pod]
    if not targets:
        return
    ports = {(target.pod, target.port, target.protocol) for target in targets}
    mine = [
        flow
        for flow in facts.flows.flows
        if (_pod_of(flow), flow.destination.port, flow.protocol) in ports and not is_neighbour_noise(flow)
    ]
    groups = [
        group
        for pod in sorted({target.pod for target in targets if target.pod})
        for group in drop_groups((flow for flow in mine if _is_stopped_at(flow, pod)), owners_of(facts))
        if not _is_history(group, pod, mine)
    ]
    for group in groups:
        yield _finding(group, groups, targets, found.service, facts)
    silent = coverage_of(facts.flows, {target.node for target in targets if target.node}).silent
    if silent and not groups:
        yield BACKENDS_NOT_HEARD.finding(
            Outcome.UNKNOWN,
            hop=Hop.INGRESS_POLICY,
            blocking=True,
            service=f"Service {found.service}",
            nodes=nodes_in_words(silent),
            count=len(silent),
        )
    elif not groups:
        yield BACKENDS_DROP_NOTHING.finding(Outcome.FINE, hop=Hop.INGRESS_POLICY, service=f"Service {found.service}")


def _pod_of(flow: Flow) -> str:
    return f"{flow.destination.namespace}/{flow.destination.pod}"


def _is_stopped_at(flow: Flow, pod: str) -> bool:
    return flow.verdict is FlowVerdict.DROPPED and _pod_of(flow) == pod and flow.direction is not FlowDirection.EGRESS


def _is_history(group: DropGroup, pod: str, flows: list[Flow]) -> bool:
    """Whether a packet of the same client reached the same pod after the last drop."""
    source = group.example.source
    return any(
        flow.time > group.last_at
        and flow.verdict in (FlowVerdict.FORWARDED, FlowVerdict.REDIRECTED)
        and flow.observation_point == "TO_ENDPOINT"
        and _pod_of(flow) == pod
        and (flow.source.ip, flow.source.identity) == (source.ip, source.identity)
        for flow in flows
    )


def _finding(
    group: DropGroup, groups: list[DropGroup], targets: list[Target], service: Service, facts: Facts
) -> Finding:
    every = {target.pod for target in targets}
    bad = {_pod_of(other.example) for other in groups if other.source == group.source}
    cause = cause_of(group, facts)
    chosen = SOME_BACKENDS_DROP if bad != every else EVERY_BACKEND_DROPS
    pod = _pod_of(group.example)
    return chosen.finding(
        Outcome.PROBLEM,
        hop=Hop.INGRESS_POLICY,
        evidence=[
            *(Evidence("kubernetes", ref) for ref in cause.policies),
            Evidence("hubble", f"Pod/{pod}", at=group.last_at, excerpt=group.reason),
            Evidence("kubernetes", f"Service/{service.namespace}/{service.name}", "/spec/selector"),
        ],
        weight=45,
        follow_up=_why(group, pod),
        count=group.count,
        source=group.source,
        pod=pod,
        node=group.example.node,
        why=told_with_change(cause, facts),
        at=clock(group.last_at),
        bad=len(bad),
        all=len(every),
        service=f"Service {service}",
    )


def _why(group: DropGroup, pod: str) -> str:
    port = f" {group.port}/{group.protocol}" if group.port and group.protocol else ""
    namespace, _, name = pod.partition("/")
    return f"why {group.source} {namespace}/pod/{name}{port}" if group.example.source.pod else ""
