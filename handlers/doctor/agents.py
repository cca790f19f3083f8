"""Agents and their versions: that they were found, that they can be asked, and that their meaning is known."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from handlers.doctor.check import Check, fine, problem, unknown
from handlers.model.cluster import Pod
from handlers.model.snapshot import Gap, Missing
from handlers.policy.versions import NEWEST_OF_EACH, Version

_OLDEST, _NEWEST = NEWEST_OF_EACH[0], NEWEST_OF_EACH[-1]


def agents_found(agents: Sequence[Pod], unread: Missing | None) -> Check:
    """Judge whether there are agents; ``unread`` says why none were read, such as whose the cluster is instead."""
    if unread is not None and unread.gap is not Gap.UNSUPPORTED:
        return unknown("agents", unread.detail, unread.remedy)
    if unread is not None or not agents:
        said = unread.detail if unread is not None else "the DaemonSet of Cilium's agents has no pods"
        remedy = "Name a cluster that runs Cilium: --context, or CILIUM_TRIAGE_CONTEXT; or look at the DaemonSet."
        return problem("agents", said, remedy)
    ready = sum(pod.ready is True for pod in agents)
    said = f"{len(agents)} in namespace {agents[0].namespace}, {ready} ready"
    if ready < len(agents):
        return problem("agents", said, "Ask: cilium-triage health")
    return fine("agents", said)


def versions_known(versions: Mapping[str, str]) -> Iterator[Check]:
    """Judge each version that runs: newer or older ones than the engine knows may mean something else by a policy."""
    if not versions:
        yield unknown(
            "versions",
            "no image of an agent tells its version; two meanings are tried where versions differ",
            "Name it: --cilium-version 1.19.6.",
        )
        return
    for text, count in sorted(Counter(versions.values()).items()):
        on = f"on {count} node{'s' if count > 1 else ''}"
        try:
            version = Version.parse(text)
        except ValueError:
            yield unknown("versions", f"{text} {on} is no version of Cilium", "Name it: --cilium-version 1.19.6.")
            continue
        if version.line > _NEWEST.line:
            remedy = "Upgrade cilium-triage; until then, what newer versions changed makes answers unknown."
            yield problem("versions", f"Cilium {text} {on} is newer than any known here ({_NEWEST})", remedy)
        elif version.line < _OLDEST.line:
            remedy = f"Upgrade Cilium: answers are made for {_OLDEST.major}.{_OLDEST.minor} and newer."
            yield problem("versions", f"Cilium {text} {on} is older than any known here ({_OLDEST})", remedy)
        else:
            yield fine("versions", f"Cilium {text} {on}")
