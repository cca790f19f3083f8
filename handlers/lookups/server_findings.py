"""What is said of the servers of the cluster's DNS, whoever asks."""

from handlers.connection.change_words import change_in_words
from handlers.lookups.servers import Servers
from handlers.model.finding import Evidence, Finding, Hop, Outcome, Sentence, code

DNS_SERVERS_DOWN = code(
    "DNS_SERVERS_DOWN",
    meaning="The Service of the cluster's DNS has no ready endpoint: no name resolves, addresses work.",
    template="Service {service} of the cluster's DNS has 0 ready backends ({why}): every name fails, addresses work, "
    "and no policy is the cause",
    reason="Service {service} has 0 ready backends ({why})",
    advice="Bring CoreDNS back: look at its Deployment (replicas), its pods and their events.",
)
DNS_SERVERS_RUN = code(
    "DNS_SERVERS_RUN",
    meaning="The Service of the cluster's DNS has ready endpoints.",
    template="Service {service} of the cluster's DNS has {count} ready backend{count:|s}",
)


def judged(servers: Servers) -> Finding:
    """Say whether a Service of the cluster's DNS has ready backends; where it has none, why, and who changed that."""
    service, runner = servers.service, servers.runner
    evidence = [Evidence("kubernetes", f"Service/{service.namespace}/{service.name}", "/spec")]
    if servers.ready:
        return DNS_SERVERS_RUN.finding(
            Outcome.FINE, hop=Hop.DNS, evidence=evidence, service=str(service), count=len(servers.ready)
        )
    if runner:
        ref = f"{runner.kind}/{runner.namespace}/{runner.name}"
        evidence.append(Evidence("kubernetes", ref, "/spec/replicas"))
    if change := servers.change:
        pointer = "/metadata/managedFields"
        evidence.append(Evidence("kubernetes", change.ref, pointer, at=change.at, excerpt=change.manager))
    return DNS_SERVERS_DOWN.finding(
        Outcome.PROBLEM,
        hop=Hop.DNS,
        blocking=True,
        evidence=evidence,
        weight=88,
        follow_up=f"service {service}",
        service=str(service),
        why=_why(servers),
    )


def _why(servers: Servers) -> Sentence:
    runner, change = servers.runner, servers.change
    told = change_in_words(change) if change else None
    if runner and runner.replicas == 0:
        words = Sentence("{kind} {name} wants 0 replicas", {"kind": str(runner.kind), "name": runner.name})
    elif runner:
        words = Sentence(
            "{kind} {name} has {ready} of {wanted} replicas ready",
            {"kind": str(runner.kind), "name": runner.name, "ready": runner.ready or 0, "wanted": runner.replicas},
        )
    elif servers.unready:
        words = Sentence("{count} that {count:is|are} not ready", {"count": len(servers.unready)})
    else:
        words = Sentence("no pod stands behind it")
    return Sentence("{words}; {told}", {"words": words, "told": told}) if told else words
