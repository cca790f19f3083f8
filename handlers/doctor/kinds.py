"""Whether the API serves Cilium's own kinds."""

from collections.abc import Collection

from handlers.doctor.check import Check, fine, problem

GROUP = "cilium.io"
_NEEDED = ("ciliumendpoints", "ciliumidentities", "ciliumnodes")
_POLICIES = ("ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies")


def kinds_served(served: Collection[str]) -> Check:
    """Judge the plural names that are served of the group cilium.io, with agents in the cluster."""
    lacking = [name for name in _NEEDED if name not in served]
    if lacking:
        return problem(
            "kinds",
            f"the API does not serve {', '.join(f'{name}.{GROUP}' for name in lacking)}",
            "cilium-operator makes these CRDs when it starts: look at its logs, and at its right to create "
            "customresourcedefinitions. Where they are turned off, answers rest on agents and flows.",
        )
    absent = [name for name in _POLICIES if name not in served]
    if absent:
        return fine("kinds", f"there are no {' and no '.join(absent)} on this platform, and so no such policies")
    return fine("kinds", f"{len(served)} of {GROUP} are served")
