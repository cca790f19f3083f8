"""A cluster laid out for whole-cluster questions: its ends, its matrix and its port classes, each worked out once."""

from dataclasses import dataclass, field

from handlers.model.traffic import Traffic
from handlers.policy.policy_set import PolicySet
from handlers.reach.cluster import Cluster
from handlers.reach.matrix import Matrix, Reachability
from handlers.reach.port_classes import PortClass, port_classes
from handlers.reach.roster import Roster, roster


@dataclass(slots=True)
class State:
    """One state of a cluster. What is asked twice is worked out once."""

    cluster: Cluster
    policies: PolicySet
    roster: Roster
    matrix: Matrix
    classes: tuple[PortClass, ...]
    _reached: dict[Traffic, Reachability] = field(default_factory=dict)

    @classmethod
    def of(cls, cluster: Cluster) -> "State":
        """Lay a cluster out."""
        policies = cluster.compiled()
        ends = roster(cluster, policies)
        matrix = Matrix(policies, ends.parties)
        return cls(cluster, policies, ends, matrix, port_classes(matrix))

    def at(self, traffic: Traffic) -> Reachability:
        """Give who reaches whom with this traffic."""
        found = self._reached.get(traffic)
        if found is None:
            found = self._reached[traffic] = self.matrix.at(traffic)
        return found

    def on(self, ports: PortClass) -> Reachability:
        """Give who reaches whom on the ports of a class."""
        return self.at(ports.sample)
