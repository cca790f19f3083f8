"""Everything that whole-cluster answers need: policies, what they refer to, the pods, and who else there is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from handlers.model.endpoint import EntityName
from handlers.model.labels import NAMESPACE_LABELS_PREFIX, Label, LabelSet
from handlers.model.party import Party
from handlers.model.rule import Manifest, PolicyStatus
from handlers.policy.config import PolicyConfig
from handlers.policy.policy_set import PolicySet, compile_policies
from handlers.policy.surroundings import Surroundings

_APP_KEYS = ("app.kubernetes.io/name", "k8s-app", "app", "name")


@dataclass(frozen=True, slots=True)
class ClusterPod:
    """A pod: as policy sees it, and by the names that people use for it.

    ``host_network`` pods have no identity of their own; ``party`` is then their node's.
    """

    namespace: str
    name: str
    party: Party
    workload: str = ""
    host_network: bool = False

    def __str__(self) -> str:
        """Write ``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def app(self) -> str:
        """What the pod's labels call the application, or nothing."""
        labels = dict(self.party.unfiltered)
        return next((labels[key] for key in _APP_KEYS if labels.get(key)), "")


@dataclass(frozen=True, slots=True)
class ExposedPort:
    """A port of a Service, and the numbers that it stands for at the pods: what policy sees."""

    port: int
    protocol: str
    targets: frozenset[int]


@dataclass(frozen=True, slots=True)
class ExposedService:
    """A Service with its ports, for comparing policies with what people call them."""

    namespace: str
    name: str
    selector: Mapping[str, str]
    ports: tuple[ExposedPort, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster at one moment.

    ``learnt`` are the DNS names of outside addresses that some agent's proxy has learnt. ``assumptions`` say what was
    taken for granted because it could not be read. ``refused`` are policies that the agents themselves refuse, and that
    are not among the manifests.
    """

    manifests: tuple[Manifest, ...]
    config: PolicyConfig
    surroundings: Surroundings
    pods: tuple[ClusterPod, ...]
    learnt: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    services: tuple[ExposedService, ...] | None = None
    assumptions: tuple[str, ...] = ()
    refused: tuple[PolicyStatus, ...] = ()
    ready: PolicySet | None = field(default=None, compare=False, repr=False)
    """The policies compiled, where somebody did that already: of big clusters it takes seconds."""

    def compiled(self) -> PolicySet:
        """Compile the policies."""
        if self.ready is not None:
            return self.ready
        return compile_policies(self.manifests, config=self.config, surroundings=self.surroundings)

    def with_manifests(self, manifests: Iterable[Manifest]) -> "Cluster":
        """Give the same cluster under other policies."""
        return replace(self, manifests=tuple(manifests), ready=None)

    def assuming(self, assumption: str) -> "Cluster":
        """Give the same cluster with one thing more taken for granted."""
        return replace(self, assumptions=(*self.assumptions, assumption))

    def with_pod_labels(self, pod: str, changes: Mapping[str, str | None]) -> "Cluster":
        """Give the cluster with labels of a pod changed; None takes a label away. Raises KeyError for no such pod."""
        if not any(str(one) == pod for one in self.pods):
            raise KeyError(pod)
        return self._relabelled((str(one) == pod for one in self.pods), changes, "")

    def with_namespace_labels(self, namespace: str, changes: Mapping[str, str | None]) -> "Cluster":
        """Give the cluster with labels of a namespace changed. Raises KeyError for a namespace without pods."""
        if not any(one.namespace == namespace for one in self.pods):
            raise KeyError(namespace)
        prefix = f"{NAMESPACE_LABELS_PREFIX}."
        return self._relabelled((one.namespace == namespace for one in self.pods), changes, prefix)

    def _relabelled(self, affected: Iterable[bool], changes: Mapping[str, str | None], prefix: str) -> "Cluster":
        pods = tuple(
            replace(pod, party=self._with_labels(pod.party, changes, prefix))
            if is_affected and not pod.host_network
            else pod
            for pod, is_affected in zip(self.pods, affected, strict=True)
        )
        return replace(self, pods=pods)

    def _with_labels(self, party: Party, changes: Mapping[str, str | None], prefix: str) -> Party:
        kept = [label for label in party.labels if label.key not in {f"{prefix}{key}" for key in changes}]
        added = [Label(f"{prefix}{key}", value=value) for key, value in changes.items() if value is not None]
        labels = LabelSet((*kept, *self.config.label_filter.apply(added)))
        if prefix:
            return replace(party, labels=labels, identity=None)
        unfiltered = {**dict(party.unfiltered), **changes}
        written = tuple(sorted((key, value) for key, value in unfiltered.items() if value is not None))
        return replace(party, labels=labels, identity=None, unfiltered=written)


def reserved_parties(policies: PolicySet) -> Iterator[Party]:
    """Give a party for each entity of which every cluster has one: no pod, no particular node and nobody outside."""
    for entity in (EntityName.REMOTE_NODE, EntityName.KUBE_APISERVER, EntityName.INGRESS, EntityName.HEALTH):
        yield policies.party_of_entity(entity)
