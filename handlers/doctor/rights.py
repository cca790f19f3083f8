"""What a right is for, and what a setup loses without it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from handlers.doctor.check import Check, fine, problem, unknown


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One thing that is asked of the API, as RBAC names it. An empty namespace is all of them."""

    verb: str
    group: str
    resource: str
    """With its subresource: ``pods/exec``."""
    namespace: str = ""
    name: str = ""

    @property
    def on(self) -> str:
        """Write what it is on: ``ciliumendpoints.cilium.io``, or ``pods/exec in kube-system``."""
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        named = f" {self.name}" if self.name else ""
        return f"{kind}{named}" + (f" in {self.namespace}" if self.namespace else "")

    def __str__(self) -> str:
        """Write ``list ciliumendpoints.cilium.io``."""
        return f"{self.verb} {self.on}"


class Ruling(Enum):
    """What the API server says about a right."""

    GRANTED = "granted"
    REFUSED = "refused"
    UNSERVED = "unserved"
    """The kind is none of this cluster's: nobody needs a right to it."""
    UNTOLD = "untold"


_LOSSES = {
    "pods/exec": "agents cannot be asked: what they enforce, learnt of DNS and hold in their maps is not told, and a "
    "computed answer is not checked against the datapath; policies, endpoints and flows are read all the same",
    "pods/portforward": "relay is not reached from outside of the cluster: no flows, unless HUBBLE_SERVER is set",
    "pods/log": "logs of agents, operator and DNS are not read: why one ended is not told",
    "secrets": "a relay that speaks TLS is not reached, unless HUBBLE_TLS_* name the files",
    "subjectaccessreviews": "nobody's rights can be reviewed, so nothing that rights decide about is shown",
    "configmaps": "Cilium's settings are assumed",
    "events": "warnings of Kubernetes are not told",
    "ciliumidentities": "blast radius and what a patch opens besides are not told",
}
_POLICIES = "policies"
_OF_POLICIES = "no policy decision is made: one unseen policy could turn an answer round"
_ELSE = "answers that rest on it say that they cannot tell"


def rights_held(rulings: Collection[tuple[Right, Ruling]]) -> Iterator[Check]:
    """Judge every right; one line for all that are there, one for each that is not."""
    held = [right for right, ruling in rulings if ruling is Ruling.GRANTED]
    unserved = sorted({right.resource for right, ruling in rulings if ruling is Ruling.UNSERVED})
    if held:
        more = f"; not served here, and not missed: {', '.join(unserved)}" if unserved else ""
        yield fine("rights", f"{len(held)} of {len(held) + _short(rulings)} that are used{more}")
    refused: dict[str, list[Right]] = {}
    for right, ruling in rulings:
        if ruling is Ruling.REFUSED:
            refused.setdefault(right.on, []).append(right)
    for on, rights in refused.items():
        verbs = ", ".join(right.verb for right in rights)
        yield problem("rights", f"may not {verbs} {on}: {_loss(rights[0])}", f"Allow it {_rule(rights)}.")
    untold = [str(right) for right, ruling in rulings if ruling is Ruling.UNTOLD]
    if untold:
        yield unknown("rights", f"could not be asked about: {', '.join(untold[:5])}", "Ask again.")


def _rule(rights: Sequence[Right]) -> str:
    """Write the rule that grants rights on one thing, and where it belongs."""
    one = rights[0]
    where = f"in a Role of {one.namespace}" if one.namespace else "in a ClusterRole"
    names = f', resourceNames: ["{one.name}"]' if one.name else ""
    verbs = ", ".join(f'"{right.verb}"' for right in rights)
    return f'{where}: apiGroups: ["{one.group}"], resources: ["{one.resource}"]{names}, verbs: [{verbs}]'


def _short(rulings: Collection[tuple[Right, Ruling]]) -> int:
    return sum(ruling in (Ruling.REFUSED, Ruling.UNTOLD) for _, ruling in rulings)


def _loss(right: Right) -> str:
    return _LOSSES.get(right.resource) or (_OF_POLICIES if right.resource.endswith(_POLICIES) else _ELSE)
