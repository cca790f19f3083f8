"""How an asker names one end of a flow, before anybody looked whether it exists."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind of object that can be one end of a flow, by its Kubernetes name."""

    POD = "Pod"
    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"
    DAEMON_SET = "DaemonSet"
    REPLICA_SET = "ReplicaSet"
    JOB = "Job"
    CRON_JOB = "CronJob"
    SERVICE = "Service"
    NODE = "Node"

    @property
    def is_workload(self) -> bool:
        """Whether pods carry the name of this kind through their owner references."""
        return self not in (Kind.POD, Kind.SERVICE, Kind.NODE)


KUBECTL_SHORT_NAMES: dict[str, Kind] = {
    "po": Kind.POD,
    "pod": Kind.POD,
    "pods": Kind.POD,
    "deploy": Kind.DEPLOYMENT,
    "deployment": Kind.DEPLOYMENT,
    "deployments": Kind.DEPLOYMENT,
    "sts": Kind.STATEFUL_SET,
    "statefulset": Kind.STATEFUL_SET,
    "statefulsets": Kind.STATEFUL_SET,
    "ds": Kind.DAEMON_SET,
    "daemonset": Kind.DAEMON_SET,
    "daemonsets": Kind.DAEMON_SET,
    "rs": Kind.REPLICA_SET,
    "replicaset": Kind.REPLICA_SET,
    "replicasets": Kind.REPLICA_SET,
    "job": Kind.JOB,
    "jobs": Kind.JOB,
    "cj": Kind.CRON_JOB,
    "cronjob": Kind.CRON_JOB,
    "cronjobs": Kind.CRON_JOB,
    "svc": Kind.SERVICE,
    "service": Kind.SERVICE,
    "services": Kind.SERVICE,
    "no": Kind.NODE,
    "node": Kind.NODE,
    "nodes": Kind.NODE,
}
"""kubectl's names and short names (``kubectl api-resources``) for the kinds above."""

SHORT_NAME: dict[Kind, str] = {
    Kind.POD: "pod",
    Kind.DEPLOYMENT: "deploy",
    Kind.STATEFUL_SET: "sts",
    Kind.DAEMON_SET: "ds",
    Kind.REPLICA_SET: "rs",
    Kind.JOB: "job",
    Kind.CRON_JOB: "cj",
    Kind.SERVICE: "svc",
    Kind.NODE: "node",
}
"""How a name of each kind is written back to the asker."""


class EntityName(StrEnum):
    """An entity that can be asked about (Cilium, pkg/policy/api/entity.go:15-90)."""

    WORLD = "world"
    HOST = "host"
    REMOTE_NODE = "remote-node"
    KUBE_APISERVER = "kube-apiserver"
    HEALTH = "health"
    INIT = "init"
    INGRESS = "ingress"
    UNMANAGED = "unmanaged"


@dataclass(frozen=True, slots=True)
class Named:
    """A Kubernetes object by name; ``namespace`` and ``kind`` are None where the asker left them out."""

    namespace: str | None
    name: str
    kind: Kind | None = None

    def __str__(self) -> str:
        """Write it so that the grammar reads the same thing back."""
        parts = [self.namespace] if self.namespace else []
        parts += [SHORT_NAME[self.kind]] if self.kind else []
        return "/".join([*parts, self.name])


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address or a CIDR, in its canonical spelling."""

    cidr: str

    def __str__(self) -> str:
        """Write the address alone."""
        return self.cidr


@dataclass(frozen=True, slots=True)
class HostName:
    """A DNS name, lower case, without the trailing dot."""

    name: str

    def __str__(self) -> str:
        """Write the name alone."""
        return self.name


@dataclass(frozen=True, slots=True)
class Entity:
    """One of Cilium's entities."""

    name: EntityName

    def __str__(self) -> str:
        """Write the entity as policies do."""
        return str(self.name)


EndpointName = Named | Address | HostName | Entity
"""What the grammar makes of ``A`` and ``B``."""
