"""The answers that are pictured: recorded clusters, and what somebody asks about each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import cast

from handlers.agents.life import component_of
from handlers.catalogue import understand
from handlers.model.cluster import Node, Pod
from handlers.model.parts import Part
from handlers.model.report import Report
from handlers.model.snapshot import AnyPart, Ask, Gap, Known, Missing
from handlers.source import Source
from workers.runner import run
from workers.sources.sysdump import SysdumpSource

_RECORDED = Path("tests/scenarios")
_NOT_IN_TIME = Missing(Gap.TIMEOUT, "the API server gave no answer in 10 s", "Ask again, or give it more time.")
_REFUSED = Missing(Gap.FORBIDDEN, "the API server refuses exec", "grant create on pods/exec in kube-system")


@dataclass(frozen=True, slots=True)
class Scene:
    """A question about a recorded cluster. ``unread`` are parts that its source fails to read."""

    name: str
    title: str
    recorded: str
    question: str
    unread: tuple[AnyPart, ...] = ()
    nodes: int = 0
    """How many nodes the cluster is given, all but the recorded ones with agents that refuse."""

    @property
    def is_blocked(self) -> bool:
        """Whether the picture is of a blocked connection, which has to fit the screen of a phone."""
        return self.name.startswith("blocked")

    def report(self) -> Report:
        """Answer the question."""
        source = SysdumpSource(_RECORDED / self.recorded / "sysdump.zip")
        try:
            return run(understand(self.question), _Impaired(source, self)).report
        finally:
            source.close()


SCENES = (
    Scene("open", "Open", "01-baseline", "why shop/frontend shop/cart 8080"),
    Scene("blocked-dns", "Blocked at DNS", "11-tofqdns-dns-denied", "why payments/checkout-api api.stripe.example:443"),
    Scene(
        "blocked-service",
        "Blocked at the Service",
        "08-service-no-backends",
        "why shop/frontend shop/recommendations 80",
    ),
    Scene("blocked-egress", "Blocked at egress", "12-egress-cidr", "why shop/frontend shop/cart 8080"),
    Scene("blocked-gateway", "Blocked at the egress gateway", "22-egress-gateway", "why shop/redis 198.19.50.7 443"),
    Scene("blocked-ingress", "Blocked at ingress", "02-ingress-default-deny", "why shop/loadgen shop/cart 8080"),
    Scene("blocked-on-purpose", "Denied on purpose", "04-ingress-deny-ccnp", "why shop/cart payments/ledger-db 5432"),
    Scene("blocked-both-sides", "Blocked on both sides", "14-both-sides", "why shop/loadgen payments/checkout-api 443"),
    Scene("refused", "Refused by the application", "07-not-listening", "why shop/frontend shop/deploy/catalog 8082"),
    Scene(
        "unknown",
        "Cannot tell: policies were not read",
        "12-egress-cidr",
        "why shop/frontend shop/cart 8080",
        unread=(Part.POLICIES, Part.ALL_POLICIES),
    ),
    Scene("gap", "Flows were not read", "01-baseline", "drops shop", unread=(Part.FLOWS,)),
    Scene("candidates", "A name that is nobody", "01-baseline", "why shop/fronted shop/cart 8080"),
    Scene("drops", "Drops", "14-both-sides", "drops"),
    Scene("flows", "Flows as a table", "02-ingress-default-deny", "flows shop"),
    Scene("talkers", "Top talkers", "01-baseline", "talkers"),
    Scene("health", "Health", "01-baseline", "health"),
    Scene("big-cluster", "A big cluster whose agents refuse", "01-baseline", "health", nodes=500),
)


class _Impaired:
    """A source that fails to read some parts, or has many more nodes than were recorded."""

    def __init__(self, source: Source, scene: Scene) -> None:
        self._source = source
        self._scene = scene

    @property
    def title(self) -> str:
        """Name the recording."""
        return self._source.title

    def now(self) -> datetime:
        """Return the moment of the recording."""
        return self._source.now()

    def read(self, ask: Ask, timeout: float) -> Known[object] | Missing:
        """Read the part, unless this scene lacks it."""
        if ask.part in self._scene.unread:
            return _NOT_IN_TIME
        if ask.node is not None and ask.node.startswith("node-"):
            return _REFUSED
        found = self._source.read(ask, timeout)
        if not isinstance(found, Known) or not self._scene.nodes:
            return found
        if ask.part is Part.NODES:
            return replace(found, value=tuple(self._nodes(cast("tuple[Node, ...]", found.value))))
        if ask.part is Part.CILIUM_PODS:
            return replace(found, value=tuple(self._agents(cast("tuple[Pod, ...]", found.value))))
        return found

    def close(self) -> None:
        """Leave closing to who opened."""

    def _nodes(self, nodes: tuple[Node, ...]) -> Iterator[Node]:
        yield from nodes
        for number in range(self._scene.nodes - len(nodes)):
            yield replace(nodes[0], name=f"node-{number:03}", ips=(f"10.91.{number // 256}.{number % 256}",))

    def _agents(self, pods: tuple[Pod, ...]) -> Iterator[Pod]:
        yield from pods
        agent = next(pod for pod in pods if component_of(pod) == "agent")
        recorded = sum(component_of(pod) == "agent" for pod in pods)
        for number in range(self._scene.nodes - recorded):
            yield replace(agent, name=f"cilium-{number:03}", node=f"node-{number:03}")
