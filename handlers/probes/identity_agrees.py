"""Pod, CiliumEndpoint and CiliumIdentity tell one story.

Policy goes by the identity that the agent published, not by the labels that the pod has this second. A pod without a
CiliumEndpoint is not managed by Cilium, or not yet; labels that changed lately reach the identity with some delay.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from handlers.connection.legs import LEG_PARTS
from handlers.connection.places import PlaceKind
from handlers.connection.settings import SETTINGS_PARTS, settings_of
from handlers.connection.trial import Trial
from handlers.endpoints.asked import endpoints_asked
from handlers.model.cluster import CiliumEndpoint, CiliumIdentity, Pod
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.labels import LabelSet
from handlers.model.parts import Part
from handlers.model.question import AboutConnection, AboutEndpoint
from handlers.model.snapshot import Known
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.policy.pods import endpoint_of_pod
from handlers.probes.probe import probe

ENDPOINT_MISSING = code(
    "ENDPOINT_MISSING",
    meaning="The pod has no CiliumEndpoint: Cilium does not manage it, or not yet.",
    template="{pod} has no CiliumEndpoint, so Cilium does not manage it (yet); it started at {since}",
    advice="If the pod is older than the agent, restart it; else look at the agent of its node.",
)
IDENTITY_STALE = code(
    "IDENTITY_STALE",
    meaning="The pod's labels are not those of its identity: policy still goes by the old ones.",
    template="{pod} has {labels} now, but its identity {number} was made without that",
    advice="Wait a few seconds; if it lasts, look at the agent of its node.",
)
IDENTITY_FOLLOWS = code(
    "IDENTITY_FOLLOWS",
    meaning="The pod's labels changed a moment ago and its identity has not followed yet: policy goes by the old ones.",
    template="{pod} has {labels} since {seconds} s, and its identity {number} is still the one of before",
    advice="It follows within half a minute; ask again then.",
)
IDENTITY_DISAGREES = code(
    "IDENTITY_DISAGREES",
    meaning="CiliumEndpoint and CiliumIdentity give one number different labels.",
    template="Identity {number} of {pod} has other labels in its CiliumIdentity than in the CiliumEndpoint",
    advice="Look at the operator and at the agent of the node: an identity never changes its labels.",
)
IDENTITY_GONE = code(
    "IDENTITY_GONE",
    meaning="The endpoint's identity does not exist in the cluster.",
    template="Identity {number} of {pod} has no CiliumIdentity",
    advice="Other nodes cannot know this identity; restart the agent of the node, or the pod.",
)
IDENTITY_AGREES = code(
    "IDENTITY_AGREES",
    meaning="The pod's labels, its CiliumEndpoint and its CiliumIdentity agree.",
    template="{pod} has identity {number}",
)

MOST_TROUBLES = 10
FOLLOWS_WITHIN = timedelta(seconds=60)
"""How long a changed label may take to become another identity: it was seen to take up to 31 s."""


@probe(
    answers=(AboutConnection, AboutEndpoint),
    codes=(ENDPOINT_MISSING, IDENTITY_STALE, IDENTITY_FOLLOWS, IDENTITY_DISAGREES, IDENTITY_GONE, IDENTITY_AGREES),
    needs=(*PARTS, Part.CILIUM_ENDPOINTS),
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.IDENTITIES, *SETTINGS_PARTS),
    hop=Hop.IDENTITY,
)
def identity_agrees(question: AboutConnection | AboutEndpoint, facts: Facts) -> Iterator[Finding]:
    """Compare the three for every pod that is asked about."""
    if isinstance(question, AboutConnection):
        pods = _on_the_path(question, facts)
    else:
        pods = [one.pod for one in endpoints_asked(question.endpoint, facts).made]
    findings = [_judge(pod, facts) for pod in pods]
    troubles = [finding for finding in findings if finding.outcome is not Outcome.FINE]
    yield from troubles[:MOST_TROUBLES]
    # Of the pods that are well one stands for each identity.
    yield from {finding.values["number"]: finding for finding in findings if finding.outcome is Outcome.FINE}.values()


def _on_the_path(question: AboutConnection, facts: Facts) -> list[Pod]:
    stretches = needed(Trial(question.connection, facts).stretches)
    places = {place.title: place for part in stretches for place in (*part.sources, *part.destinations)}
    return [place.pod for place in places.values() if place.kind is PlaceKind.POD and place.pod]


def _judge(pod: Pod, facts: Facts) -> Finding:
    endpoint = endpoint_of_pod(pod, facts)
    if endpoint is None:
        return ENDPOINT_MISSING.finding(
            Outcome.PROBLEM,
            hop=Hop.IDENTITY,
            evidence=[Evidence("kubernetes", f"Pod/{pod}")],
            pod=str(pod),
            since=f"{pod.created_at:%H:%M:%S} UTC" if pod.created_at else None,
        )
    evidence = [Evidence("kubernetes", f"CiliumEndpoint/{pod}", "/status/identity")]
    missing = _labels_missing(pod, endpoint, facts)
    age = _age_of_labels(pod, facts.now)
    if missing and age is not None and age <= FOLLOWS_WITHIN:
        return IDENTITY_FOLLOWS.finding(
            Outcome.UNKNOWN,
            hop=Hop.IDENTITY,
            evidence=[*evidence, Evidence("kubernetes", f"Pod/{pod}", "/metadata/labels", at=facts.now - age)],
            pod=str(pod),
            labels=tuple(missing),
            seconds=int(age.total_seconds()),
            number=endpoint.identity,
        )
    if missing:
        return IDENTITY_STALE.finding(
            Outcome.PROBLEM,
            hop=Hop.IDENTITY,
            evidence=evidence,
            pod=str(pod),
            labels=tuple(missing),
            number=endpoint.identity,
        )
    return _against_identity(pod, endpoint, facts, evidence)


def _age_of_labels(pod: Pod, now: datetime) -> timedelta | None:
    """Return how long ago somebody changed the pod's labels, None where nothing tells."""
    times = [one.at for one in pod.changes if any(field.startswith("metadata.labels") for field in one.fields)]
    return max(timedelta(0), now - max(times)) if times else None


def _labels_missing(pod: Pod, endpoint: CiliumEndpoint, facts: Facts) -> list[str]:
    """Return the pod's labels that its identity ought to have and lacks."""
    # Without the configuration nobody can say what ought to be there, and where versions differ, only what all keep.
    if not isinstance(facts.look(Part.CONFIG), Known):
        return []
    config = settings_of(facts).config
    filters = [one.label_filter for one in (config, *(rival.config for rival in config.rivals))]
    published = LabelSet.parse(endpoint.labels)
    labels = LabelSet.parse(_k8s(pod.labels.items()))
    wanted = [label for label in labels if all(one.keeps(label) for one in filters)]
    return [f"{label.key}={label.value}" for label in wanted if published.find("k8s", label.key) != label]


def _k8s(labels: Iterable[tuple[str, str]]) -> list[str]:
    return [f"k8s:{key}={value}" for key, value in labels if not key.startswith("io.cilium.k8s")]


def _against_identity(pod: Pod, endpoint: CiliumEndpoint, facts: Facts, evidence: list[Evidence]) -> Finding:
    look = facts.look(Part.IDENTITIES)
    number = endpoint.identity
    if isinstance(look, Known) and number is not None and 256 <= number < 1 << 24:
        identities: tuple[CiliumIdentity, ...] = look.value
        known = next((entry for entry in identities if entry.number == number), None)
        if known is None:
            return IDENTITY_GONE.finding(
                Outcome.PROBLEM, hop=Hop.IDENTITY, evidence=evidence, pod=str(pod), number=number
            )
        if set(known.labels) != set(endpoint.labels):
            return IDENTITY_DISAGREES.finding(
                Outcome.PROBLEM,
                hop=Hop.IDENTITY,
                evidence=[*evidence, Evidence("kubernetes", f"CiliumIdentity//{number}", "/security-labels")],
                pod=str(pod),
                number=number,
            )
    return IDENTITY_AGREES.finding(Outcome.FINE, hop=Hop.IDENTITY, evidence=evidence, pod=str(pod), number=number)
