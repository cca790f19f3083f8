"""The small cluster of the recorded stories: its pods, its policies, and the question that is asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from handlers.model.decision import BothSides, Verdict
from handlers.model.party import NamedPort, Party
from handlers.model.policy_kind import PolicyKind
from handlers.model.report import Patch
from handlers.model.traffic import Traffic
from handlers.patch import DnsSide, Proposal, propose
from handlers.policy import PolicyConfig, PolicySet, compile_policies
from handlers.reach.ends import PodEnds
from handlers.reach.roster import as_seen_by
from tests.policy.worlds import pod, surroundings

MANIFESTS = Path(__file__).parent / "manifests"
AROUND = surroundings(fqdn_cache={})

FRONTEND = pod("shop/frontend", node="n1")
LOADGEN = pod("shop/loadgen", node="n1", pod_template_hash="7d654f56fb")
CART = pod("shop/cart", node="n2", ports=[NamedPort("http", 8080)])
REDIS = pod("shop/redis", node="n2", tier="db")
CATALOG = pod("shop/catalog", node="n1", ports=[NamedPort("http", 8080)])
CHECKOUT = pod("payments/checkout-api", node="n1")
PROMETHEUS = pod("monitoring/prometheus", node="n2")
DNS = pod("kube-system/kube-dns", node="n2", k8s_app="kube-dns")
PODS = (FRONTEND, LOADGEN, CART, REDIS, CATALOG, CHECKOUT, PROMETHEUS, DNS, pod("monitoring/grafana"))


@dataclass(frozen=True)
class Answer:
    """What was asked, and what was proposed."""

    proposal: Proposal
    old: PolicySet
    manifests: list[Any]

    @property
    def patch(self) -> Patch:
        """The only patch."""
        (patch,) = self.proposal.patches
        return patch

    def patched(self) -> list[Any]:
        """Give every object as it is with the patches, the manifests read back from their text."""
        objects = {key_of(manifest): manifest for manifest in self.manifests}
        for patch in self.proposal.patches:
            manifest = yaml.safe_load(patch.manifest)
            assert (key_of(manifest) in objects) is not patch.is_new
            objects[key_of(manifest)] = manifest
        return list(objects.values())

    def again(self) -> PolicySet:
        """Compile the patched objects from nothing."""
        return compile_policies(self.patched(), config=self.old.config, surroundings=self.old.surroundings)

    def sides(self, source: Party, destination: Party, traffic: Traffic, names: tuple[str, ...] = ()) -> BothSides:
        """Decide a flow under the patched policies."""
        new = self.again()
        return new.combine(as_seen_by(new, source), as_seen_by(new, destination, names), traffic)


def key_of(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    wide = manifest["kind"] == PolicyKind.CILIUM_CLUSTERWIDE
    return manifest["kind"], "" if wide else metadata.get("namespace", "default"), metadata["name"]


def recorded(name: str) -> list[Any]:
    text = (MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8")
    return [document for document in yaml.safe_load_all(text) if document]


def ask(
    manifests: list[Any],
    source: Party,
    destination: Party | str,
    traffic: Traffic,
    *,
    pods: Iterable[Party] | None = PODS,
    dns: DnsSide | None = None,
    config: PolicyConfig | None = None,
    names: tuple[str, ...] = (),
) -> Answer:
    """Propose patches for a flow; a destination given as text is an outside address."""
    old = compile_policies(manifests, config=config or PolicyConfig(), surroundings=AROUND)
    peer = old.party_of_ip(destination, names) if isinstance(destination, str) else destination
    sides = old.combine(source, peer, traffic)
    known = PodEnds.of_parties(pods) if pods is not None else None
    proposal = propose(old, manifests, sides, source, peer, traffic, known=known, dns=dns)
    return Answer(proposal, old, manifests)


def is_open(sides: BothSides) -> bool:
    return sides.verdict is Verdict.ALLOWED
