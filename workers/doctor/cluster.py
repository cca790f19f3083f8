"""Look at a cluster as the answers do: its API, clocks, rights, agents, relay."""

from collections.abc import Iterator
from datetime import timedelta

from handlers.agents.life import component_of
from handlers.doctor import agents as of_agents
from handlers.doctor import kinds as of_kinds
from handlers.doctor.check import Check, fine, problem, unknown
from handlers.doctor.clocks import clock_of_nodes, clock_of_server
from handlers.doctor.relay import relay_check
from handlers.doctor.rights import rights_held
from handlers.model.cluster import CiliumConfig, Pod
from handlers.model.flow import FlowLog
from handlers.model.parts import Part
from handlers.model.scope import FlowQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing
from workers.doctor.rights import rights_used, rulings, served
from workers.sources.assemble.cilium_pods import Relay
from workers.sources.assemble.resources import every_kind
from workers.sources.convert.reading import MalformedError
from workers.sources.deadline import Deadline
from workers.sources.kube_transport import ApiError
from workers.sources.live import LiveSource
from workers.sources.unread import UnreadError

API = "Kubernetes API"
SECONDS = 10.0
"""For each read."""


def cluster_checks(source: LiveSource, *, reviews: bool = False, watches: bool = False) -> Iterator[Check]:
    """Yield a check for each thing, as it is known; where the API does not answer, that alone.

    ``reviews`` and ``watches``: whether rights of people are reviewed, and warnings watched, which need rights too.
    """
    try:
        yield _version(source)
    except UnreadError as error:
        yield problem(API, error.missing.detail, error.missing.remedy)
        return
    except ApiError as error:
        if error.status == 401:
            remedy = "Log in to the cluster again, or renew the service account's token."
            yield problem(API, f"the credentials are not accepted: {error}", remedy)
            return
        yield unknown(API, f"its version could not be read: {error}")
    yield clock_of_server(source.now(), source.transport.server_time)
    pods = source.read(Ask(Part.CILIUM_PODS, Scope()), SECONDS)
    agents = _agents(pods)
    yield of_agents.agents_found(agents, pods if isinstance(pods, Missing) else None)
    if agents:
        yield from _kinds(source)
    yield from _rights(source, agents, reviews=reviews, watches=watches)
    if agents:
        yield from _settings(source)
    yield from _exec(source, agents)
    relay = source.read(Ask(Part.RELAY, Scope()), SECONDS)
    yield relay_check(relay)
    if isinstance(relay, Known):
        yield from _newest_flow(source)


def _version(source: LiveSource) -> Check:
    body = source.transport.get("/version", {}, Deadline.after(SECONDS))
    version = body.get("gitVersion") if isinstance(body, dict) else None
    return fine(API, f"Kubernetes {version}, {source.title}") if version else unknown(API, "it tells no version")


def _agents(pods: Known[object] | Missing) -> tuple[Pod, ...]:
    value = pods.value if isinstance(pods, Known) and isinstance(pods.value, tuple) else ()
    return tuple(pod for pod in value if isinstance(pod, Pod) and component_of(pod) == "agent")


def _kinds(source: LiveSource) -> Iterator[Check]:
    deadline = Deadline.after(SECONDS)
    own = [kind for kind in every_kind() if kind.group == of_kinds.GROUP]
    told = {kind.plural: served(source.transport, kind, deadline) for kind in own}
    if None in told.values():
        yield unknown("kinds", "discovery does not tell which are served", "Allow get on /apis (system:discovery).")
    else:
        yield of_kinds.kinds_served([plural for plural, is_served in told.items() if is_served])


def _rights(source: LiveSource, agents: tuple[Pod, ...], *, reviews: bool, watches: bool) -> Iterator[Check]:
    deadline = Deadline.after(SECONDS)
    namespace = agents[0].namespace if agents else source.cilium_pods.likely
    relay = _relay(source, deadline) if source.finds_relay else None
    forward = relay.namespace if relay and not source.transport.is_in_cluster else ""
    secret = relay.namespace if relay and relay.speaks_tls and not source.has_relay_files else ""
    used = list(rights_used(namespace, forward_in=forward, secret_in=secret, reviews=reviews, watches=watches))
    yield from rights_held(rulings(source.transport, used, deadline))


def _relay(source: LiveSource, deadline: Deadline) -> Relay | None:
    try:
        return source.cilium_pods.relay(source.lists(deadline))
    except (UnreadError, MalformedError):
        return None  # said where relay is asked


def _settings(source: LiveSource) -> Iterator[Check]:
    look = source.read(Ask(Part.CONFIG, Scope()), SECONDS)
    if isinstance(look, Missing):
        yield problem("settings", f"Cilium's are assumed: {look.detail}", look.remedy)
    elif isinstance(look.value, CiliumConfig):
        yield from of_agents.versions_known(look.value.versions)


def _exec(source: LiveSource, agents: tuple[Pod, ...]) -> Iterator[Check]:
    running = next((pod for pod in agents if pod.node and pod.ready), None)
    if running is None:
        return
    look = source.read(Ask(Part.AGENT_STATUS, Scope(), running.node), SECONDS)
    if isinstance(look, Known):
        yield fine("exec", f"the agent of {running.node} answers")
    elif look.gap is not Gap.FORBIDDEN:  # a right that is lacking is named among the rights
        yield unknown("exec", look.detail, look.remedy or "Ask: cilium-triage agent " + str(running.node))


def _newest_flow(source: LiveSource) -> Iterator[Check]:
    now = source.now()
    query = FlowQuery((), now - timedelta(minutes=1), now + timedelta(days=1), limit=100)
    part: AnyPart = Part.FLOWS
    look = source.read(Ask(part, Scope(flows=query)), SECONDS)
    if isinstance(look, Known) and isinstance(look.value, FlowLog):
        check = clock_of_nodes(now, max((flow.time for flow in look.value.flows), default=None))
        if check is not None:
            yield check
