"""Every label of the pod that identities may have is known.

An identity has fewer labels than its pods: those that Cilium filters out, by its version and by ``labels`` of its
configuration, no policy can select.
"""

from collections.abc import Iterator

from handlers.commands.identity import IdentityOf
from handlers.connection.settings import SETTINGS_PARTS, settings_of
from handlers.endpoints.asked import ASKED_OPTIONAL_PARTS, ASKED_PARTS, pods_meant
from handlers.model.cluster import Pod
from handlers.model.endpoint import Entity
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.labels import LabelSet
from handlers.model.parts import Part
from handlers.model.question import AboutEndpoint
from handlers.model.snapshot import Known
from handlers.policy.pods import endpoint_of_pod
from handlers.probes.probe import probe

LABELS_LEFT_OUT = code(
    "LABELS_LEFT_OUT",
    meaning="Labels of the pod that Cilium leaves out of its identity, so that no policy can select them.",
    template="{labels} of {pods} pod{pods:|s} {count:is|are} no part of the identity ({why}): no policy can select"
    " {count:it|them}",
)
MOST_LABELS = 8


@probe(
    answers=(IdentityOf, AboutEndpoint),
    codes=(LABELS_LEFT_OUT,),
    needs=(*ASKED_PARTS, Part.CONFIG),
    uses=(*ASKED_OPTIONAL_PARTS, *SETTINGS_PARTS),
)
def identity_leaves_labels_out(question: IdentityOf | AboutEndpoint, facts: Facts) -> Iterator[Finding]:
    """Name the labels that the pods' identities lack by rule, those alike once."""
    alike: dict[tuple[str, ...], list[Pod]] = {}
    for pod in _pods(question, facts):
        if left_out := _left_out(pod, facts):
            alike.setdefault(left_out, []).append(pod)
    for labels, pods in alike.items():
        yield LABELS_LEFT_OUT.finding(
            Outcome.FINE,
            evidence=[Evidence("kubernetes", f"Pod/{pods[0]}", "/metadata/labels")],
            weight=4,
            labels=labels[:MOST_LABELS],
            count=len(labels),
            pods=len(pods),
            why=_why(facts),
        )


def _pods(question: IdentityOf | AboutEndpoint, facts: Facts) -> tuple[Pod, ...]:
    if isinstance(question.endpoint, Entity):
        return ()
    if question.endpoint is not None:
        return tuple(pod for pod in pods_meant(question.endpoint, facts)[1] if not pod.host_network)
    numbers = question.numbers(facts) if isinstance(question, IdentityOf) else ()
    carriers = {(one.namespace, one.name) for one in facts.cilium_endpoints if one.identity in numbers}
    return tuple(pod for pod in facts.pods if (pod.namespace, pod.name) in carriers)


def _left_out(pod: Pod, facts: Facts) -> tuple[str, ...]:
    """Return what no version at work here keeps; of labels that the identity has all the same, nothing."""
    config = settings_of(facts).config
    filters = [one.label_filter for one in (config, *(rival.config for rival in config.rivals))]
    endpoint = endpoint_of_pod(pod, facts)
    published = LabelSet.parse(endpoint.labels) if endpoint else LabelSet(())
    own = LabelSet.parse(f"k8s:{key}={value}" for key, value in pod.labels.items())
    return tuple(
        f"{label.key}={label.value}"
        for label in own
        if not any(one.keeps(label) for one in filters) and published.find("k8s", label.key) is None
    )


def _why(facts: Facts) -> str:
    look = facts.look(Part.CONFIG)
    own = look.value.options.get("labels", "") if isinstance(look, Known) else ""
    version = settings_of(facts).config.version
    return (
        f"by labels of cilium-config and the defaults of {version}" if own else f"by the defaults of Cilium {version}"
    )
