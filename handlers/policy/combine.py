"""Both sides of a flow: egress at the source and ingress at the destination, each enforced on its own node."""

from handlers.model.decision import BothSides, Decision, Verdict
from handlers.model.party import Party, PartyKind


def is_same_endpoint(source: Party, destination: Party) -> bool:
    """Tell whether an endpoint talks to itself.

    Through a Service, that traffic skips policy (bpf/bpf_lxc.c:967-974).
    """
    if source.kind is not PartyKind.ENDPOINT or destination.kind is not PartyKind.ENDPOINT:
        return False
    return bool(source.ips) and bool(set(source.ips) & set(destination.ips))


def both_sides(egress: Decision, ingress: Decision, source: Party, destination: Party) -> BothSides:
    """Combine two decisions: what stops the packet first counts, then what stops the request, then what is not known.

    The verdict is that of the policies, whatever audit mode or the endpoint's own loop makes of it.
    """
    loops_back = is_same_endpoint(source, destination)
    for side in (egress, ingress):
        if side.verdict in (Verdict.ERROR, Verdict.DENIED):
            return BothSides(side.verdict, egress, ingress, loops_back)
    for verdict in (Verdict.DENIED_L7, Verdict.UNKNOWN):
        if verdict in (egress.verdict, ingress.verdict):
            return BothSides(verdict, egress, ingress, loops_back)
    return BothSides(Verdict.ALLOWED, egress, ingress, loops_back)
