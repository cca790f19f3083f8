"""A change that came before drops, in words: who did what how long before, and what proves that it began them."""

from handlers.changes.onset import Onset, Relabelled
from handlers.changes.suspects import Suspect
from handlers.connection.change_words import change_in_words
from handlers.connection.observation import clock
from handlers.model.finding import Evidence, Sentence, Value, prose

_MOST_POLICIES = 3


def suspect_in_words(suspect: Suspect, onset: Onset, what_began: str = "") -> Sentence:
    """Return ``Pod shop/web-1 was labelled by kubectl-label 31 s before: label tier=web → tier=edge``.

    ``what_began`` says before what, where nothing else does.
    """
    relabelled = suspect.relabelled
    # Labels that packets show need not be told as fields, too.
    with_fields = not (relabelled and relabelled.differing)
    change = None
    if suspect.change:
        change = change_in_words(suspect.change, onset.at, what_began, with_fields=with_fields)
    if relabelled is None:
        return change or prose("something changed before")
    values: dict[str, Value] = {
        "labels": relabelled.labels_told,
        "was": relabelled.before.identity,
        "becomes": relabelled.after.identity,
    }
    labels = "{labels}, " if values["labels"] else ""
    words = f"{{change}}: {labels}identity {{was}} → {{becomes}}"
    return Sentence(words, {"change": change or _seen_in_flows(relabelled, onset), **values})


def _seen_in_flows(relabelled: Relabelled, onset: Onset) -> Sentence:
    values: dict[str, Value] = {
        "pod": f"{relabelled.namespace}/{relabelled.pod}",
        "before": f"{relabelled.namespace}/{relabelled.before.pod}",
        "passed": prose(clock(onset.passed.time) if onset.passed else "an earlier time"),
    }
    if relabelled.is_same_pod:
        return Sentence("{pod} has had other labels since {passed}, who changed them is not known", values)
    return Sentence("{pod} came in the place of {before} after {passed}, with other labels", values)


def proof_in_words(suspect: Suspect, unchanged_since: str = "") -> Sentence:
    """Return that the policies let the packets pass as things were before.

    ``unchanged_since`` is when the policy that denies was last changed, where packets passed after that.
    """
    if suspect.relabelled is None:
        return prose("without it the packets pass")
    policies = policies_in_words(suspect)
    if not policies:
        return prose("with the labels before, the policies let it pass")
    values: dict[str, Value] = {"policies": policies, "count": len(policies), "since": prose(unchanged_since)}
    since = ", and {count:has|have} not changed since {since}" if unchanged_since else ""
    return Sentence(f"with the labels before {{policies}} {{count:lets|let}} it pass{since}", values)


def policies_in_words(suspect: Suspect) -> tuple[str, ...]:
    """Return the policies that deny now as people write them, the first of them."""
    return tuple(ref.replace("/", " ", 1).replace(" /", " ") for ref in suspect.denied_by[:_MOST_POLICIES])


def evidence_of_suspect(suspect: Suspect, onset: Onset) -> list[Evidence]:
    """Refer to the object that changed, the policies that deny now, and the drop."""
    change = suspect.change
    found = []
    if change is not None:
        excerpt = f"{change.manager or 'nobody named'}: {', '.join(change.fields[:3]) or 'created'}"
        pointer = "/metadata/creationTimestamp" if change.is_creation else "/metadata/managedFields"
        found.append(Evidence("kubernetes", change.ref, pointer, at=change.at, excerpt=excerpt))
    found += [Evidence("kubernetes", ref) for ref in suspect.denied_by if change is None or ref != change.ref]
    drop = onset.group
    found.append(Evidence("hubble", f"Node//{drop.example.node}", at=onset.at, excerpt=drop.reason))
    return found
