"""Whether this cluster is Cilium's at all: what is no policy of Cilium's is not judged as if it were."""

from enum import Enum

from handlers.model.snapshot import Gap
from workers.sources.assemble import resources as api
from workers.sources.assemble.cilium_pods import CiliumPods
from workers.sources.assemble.lists import Lists
from workers.sources.convert.reading import MalformedError
from workers.sources.unread import UnreadError

_OTHERS = {
    "retina-agent": "Retina's agents serve Hubble's flows",
    "aws-node": "the Amazon VPC CNI does the networking (DaemonSet aws-node)",
    "azure-cns": "the Azure CNI does the networking (DaemonSet azure-cns)",
    "calico-node": "Calico does the networking (DaemonSet calico-node)",
    "canal": "Canal does the networking (DaemonSet canal)",
    "ovnkube-node": "OVN-Kubernetes does the networking (DaemonSet ovnkube-node)",
    "antrea-agent": "Antrea does the networking (DaemonSet antrea-agent)",
    "kube-flannel-ds": "Flannel does the networking (DaemonSet kube-flannel-ds)",
    "kindnet": "kindnet does the networking (DaemonSet kindnet)",
    "kube-router": "kube-router does the networking (DaemonSet kube-router)",
}
"""What is said of a DaemonSet by its name, the most telling first."""


class Presence(Enum):
    """Whether agents of Cilium run in the cluster."""

    PRESENT = "present"
    ABSENT = "absent"
    UNTOLD = "untold"
    """Their pods or DaemonSets could not be listed."""


def presence(lists: Lists, cilium_pods: CiliumPods) -> Presence:
    """Tell whether there are agents; that there are none is only said where every list was read."""
    try:
        found = cilium_pods.are_there(lists)
    except (UnreadError, MalformedError):
        return Presence.UNTOLD
    return Presence.PRESENT if found else Presence.ABSENT


def not_ciliums(lists: Lists) -> UnreadError:
    """Return why policies of a cluster without agents are not judged, naming whose it is."""
    names = {one.name for kind in api.SYSTEM_WORKLOADS if kind.kind == "DaemonSet" for one in lists.every(kind)}
    said = [words for name, words in _OTHERS.items() if name in names]
    return UnreadError(
        Gap.UNSUPPORTED,
        "no agent of Cilium runs in this cluster"
        + (f", {' and '.join(said[:2])}" if said else "")
        + ": its policies are not Cilium's",
        "Ask about a cluster that runs Cilium.",
    )
