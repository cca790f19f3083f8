"""Every node has addresses left for new pods.

A node whose range is used up starts no pod that needs an address; those that have one are fine. The agent counts what
it has given (IPAM), and the network plugin's refusals come as events of the pods that wait.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

from handlers.commands.since import age_in_words
from handlers.connection.node_pairs import status_of_agent
from handlers.model.agent import AddressPool
from handlers.model.cluster import Pod
from handlers.model.event import Event
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutNodes, BetweenNodes
from handlers.model.snapshot import Known
from handlers.probes.probe import probe

ADDRESSES_EXHAUSTED = code(
    "ADDRESSES_EXHAUSTED",
    meaning="Every address that a node may give to pods is given: no new pod that needs one starts there.",
    template="Node {node} has no address left for pods: {given} of {size} of its pod CIDR {cidr} are given (IPAM)"
    "{takers}{waiting}; pods that have an address are fine",
    reason="node {node} has no address left for pods: {given} of {size} of {cidr} are given",
    advice="Let fewer pods run there, or give the node a larger range: a changed mask of cluster-pool, or podCIDR of"
    " Kubernetes, counts for nodes that join later.",
)
ADDRESSES_REFUSED = code(
    "ADDRESSES_REFUSED",
    meaning="Pods did not start for lack of an address a short while ago, and the agent's own count does not show it.",
    template="Pods on {node} get no address (IPAM){waiting}",
    advice="Ask the agent of the node how many addresses it has left: nodes NODE.",
)
ADDRESSES_NEARLY_GONE = code(
    "ADDRESSES_NEARLY_GONE",
    meaning="More than nine of ten addresses of a node are given: a note, since nothing fails yet.",
    template="Node {node} has {left} address{left:|es} left of {size} of {cidr}",
)
ADDRESSES_LEFT = code(
    "ADDRESSES_LEFT",
    meaning="The nodes have addresses left for pods.",
    template="{count} node{count: has|s have} addresses left for pods",
)

_LACKING = re.compile(
    r"range is full|no more IPs|no available IP|not enough IPs|IP(?:v[46])? pool .{0,40}(?:exhausted|full)|"
    r"all .{0,40}allocated",
    re.IGNORECASE,
)
"""How the network plugin, the agent's API and delegated IPAM say that there is no address."""
_RECENT = timedelta(minutes=2)
"""How old the last refusal may be to count by itself: kubelet tries again several times a minute."""
_NEARLY = 0.9
_MOST_TAKERS = 3
_HASHED = re.compile(r"^(?P<name>.+?)(?:-[bcdf0-9]{6,10}[a-z0-9]{0,2})?-[a-z0-9]{5}$")
"""A pod's name as a ReplicaSet or a DaemonSet makes it."""


@probe(
    answers=(AboutNodes, BetweenNodes),
    codes=(ADDRESSES_EXHAUSTED, ADDRESSES_REFUSED, ADDRESSES_NEARLY_GONE, ADDRESSES_LEFT),
    needs=(Part.NODES, Part.AGENT_STATUS),
    uses=(Part.EVENTS, Part.PODS),
)
def nodes_have_addresses(question: AboutNodes | BetweenNodes, facts: Facts) -> Iterator[Finding]:
    """Judge what each agent has given, and the refusals that pods met."""
    named = (question.node, question.peer if isinstance(question, BetweenNodes) else None)
    nodes = [node.name for node in facts.nodes if not any(named) or node.name in named]
    refusals, well = _refusals(facts), 0
    for node in nodes:
        found = list(_judge(node, refusals.get(node, []), facts))
        yield from found
        status = status_of_agent(node, facts)
        well += not found and status is not None and bool(status.pools)
    if well:
        yield ADDRESSES_LEFT.finding(Outcome.FINE, count=well)


def _judge(node: str, refusals: list[Event], facts: Facts) -> Iterator[Finding]:
    status = status_of_agent(node, facts)
    pools = status.pools if status else ()
    waiting = _waiting(refusals, facts)
    evidence = [Evidence("agent", f"Node//{node}")] if status else []
    evidence += [
        Evidence("kubernetes", f"{event.kind}/{event.namespace}/{event.name}", at=event.last_at, excerpt=event.message)
        for event in refusals[:3]
    ]
    full = [pool for pool in pools if pool.is_full]
    for pool in full:
        takers = _takers(status.given_to if status else (), node, facts)
        yield ADDRESSES_EXHAUSTED.finding(
            Outcome.PROBLEM,
            evidence=evidence,
            follow_up=f"nodes {node}",
            weight=82,
            node=node,
            given=pool.given,
            size=pool.size,
            cidr=pool.cidr or "the addresses that it was assigned",
            takers=f", {takers}" if takers else "",
            waiting=waiting,
        )
    recent = [event for event in refusals if event.last_at and facts.now - event.last_at <= _RECENT]
    if not full and recent and not any(map(_has_plenty, pools)):
        yield ADDRESSES_REFUSED.finding(
            Outcome.PROBLEM, evidence=evidence, follow_up=f"nodes {node}", weight=78, node=node, waiting=waiting
        )
    for pool in pools:
        if not pool.is_full and pool.size and pool.given >= pool.size * _NEARLY:
            left = pool.size - pool.given
            yield ADDRESSES_NEARLY_GONE.finding(
                Outcome.FINE, evidence=evidence[:1], weight=10, node=node, left=left, size=pool.size, cidr=pool.cidr
            )


def _has_plenty(pool: AddressPool) -> bool:
    return pool.size > 0 and pool.given < pool.size * _NEARLY


def _refusals(facts: Facts) -> dict[str, list[Event]]:
    """Return the events of pods that got no address, by node, the newest first."""
    look, pods = facts.look(Part.EVENTS), facts.look(Part.PODS)
    if not isinstance(look, Known):
        return {}
    homes = {(pod.namespace, pod.name): pod.node for pod in pods.value} if isinstance(pods, Known) else {}
    found: dict[str, list[Event]] = {}
    for event in look.value:
        node = event.node or homes.get((event.namespace, event.name))
        if event.kind == "Pod" and node and _LACKING.search(event.message):
            found.setdefault(node, []).append(event)
    for events in found.values():
        events.sort(key=lambda event: str(event.last_at), reverse=True)
    return found


def _waiting(refusals: list[Event], facts: Facts) -> str:
    if not refusals:
        return ""
    pods = {(event.namespace, event.name) for event in refusals}
    said = _LACKING.search(refusals[0].message)
    s = "" if len(pods) == 1 else "s"
    return (
        f"; {len(pods)} pod{s} could not start ({refusals[0].reason}: {said.group() if said else 'no address'}, last"
        f" {age_in_words(refusals[0].last_at, facts.now)})"
    )


def _takers(given_to: Iterable[str], node: str, facts: Facts) -> str:
    """Return who holds most of the addresses: ``most to Deployment payments/settlement-batch (26, 32 pods in all)``."""
    look = facts.look(Part.PODS)
    on_node = [pod for pod in look.value if pod.node == node] if isinstance(look, Known) else []
    by_name = {str(pod): _workload(pod) for pod in on_node}
    counts = Counter(by_name.get(name) or _by_name(name) for name in given_to if "/" in name)
    pods = Counter(by_name.values())
    shown = [
        f"{name} ({count}{f', of {pods[name]} pods there' if pods[name] > count else ''})"
        for name, count in counts.most_common(_MOST_TAKERS)
    ]
    return f"most to {', '.join(shown)}" if shown else ""


def _workload(pod: Pod) -> str:
    return f"{pod.owner.kind} {pod.namespace}/{pod.owner.name}" if pod.owner else str(pod)


def _by_name(pod: str) -> str:
    """Return a pod's workload as far as its name tells."""
    found = _HASHED.match(pod)
    return found["name"] if found else pod
