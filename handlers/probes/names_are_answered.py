"""Somebody answers for the name that is dialled.

Without a server of the cluster's DNS no name resolves, while a client that still knows an address goes on with it: what
was seen to pass a moment ago says nothing of the next look-up.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from handlers.connection.dns import name_looked_up
from handlers.connection.legs import LEG_PARTS, places_of
from handlers.connection.observation import Observation
from handlers.connection.trial import Trial
from handlers.lookups.resolver import resolver_of
from handlers.lookups.server_findings import DNS_SERVERS_DOWN, judged
from handlers.lookups.servers import dns_servers
from handlers.model.facts import Facts, needed
from handlers.model.finding import Finding, Hop
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.report import Observed
from handlers.model.snapshot import Missing
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

_STILL_KNOWN = timedelta(minutes=1)
"""For how long a client may go on with an address that it looked up before (CoreDNS answers with a TTL of 30 s)."""


@probe(
    answers=(AboutConnection,),
    codes=(DNS_SERVERS_DOWN,),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.CLUSTER_DNS, Part.SYSTEM_WORKLOADS, Part.FLOWS),
    hop=Hop.DNS,
)
def names_are_answered(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Tell only what stops a connection: that nobody answers the look-up which its source begins with."""
    trial = Trial(question.connection, facts)
    ends = needed(trial.ends)
    if isinstance(facts.look(Part.CLUSTER_DNS), Missing) or not ends.are_clear or name_looked_up(ends) is None:
        return
    found = dns_servers(facts)
    if ends.destination.service in [servers.service for servers in found]:
        return  # the Service itself is asked about, and judged as one
    addresses = {ip for servers in found for ip in servers.service.cluster_ips}
    pods = [place.pod for place in places_of(ends.source, facts) if place.pod]
    asked = {ip for pod in pods for ip in resolver_of(pod, found[0].service).servers} if found else set()
    if asked & addresses and not any(servers.ready for servers in found):
        passes = _has_just_passed(needed(trial.observation), facts)
        yield from (replace(judged(servers), blocking=not passes) for servers in found)


def _has_just_passed(seen: Observation, facts: Facts) -> bool:
    """Whether packets of the connection were answered so lately that its client may still know the address."""
    return seen.observed is Observed.FORWARDED and seen.at is not None and facts.now - seen.at <= _STILL_KNOWN
