"""The host name that is dialled leads to a backend, or out of the cluster.

An Ingress or a Gateway takes requests for a host name and hands them on under an identity of its own: Cilium's Envoy
as ``ingress``, another controller's pods as themselves. Policy is met twice: on the way there, and on the way on.
"""

from collections.abc import Iterator

from handlers.connection.backends import backends_of
from handlers.connection.forwarding import (
    BEHIND_A_BALANCER,
    Untold,
    forwarding_of,
    frontend_of,
    is_outside,
    is_told_apart,
    untold,
)
from handlers.connection.handovers import Handover, as_end, handovers, services_of_controllers
from handlers.connection.legs import LEG_PARTS, places_of
from handlers.connection.places import Place
from handlers.connection.trial import Trial
from handlers.model.cluster import Service
from handlers.model.connection import Connection
from handlers.model.endpoint import HostName
from handlers.model.entrance import Entrance, EntranceKind, Entrances
from handlers.model.facts import Facts, needed
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.headline import CANNOT_TELL
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.snapshot import Known, Missing
from handlers.model.traffic import Protocol
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, Meaning, Resolved
from handlers.probes.probe import probe

ENTRANCE_LEADS_IN = code(
    "ENTRANCE_LEADS_IN",
    meaning="An Ingress or a Gateway takes requests for the host name and hands them to backends of its routes.",
    template="{host} is served by {entrances}, which hand{count:s|} requests to {backends} as {seen}",
)
ENTRANCE_UNTOLD = code(
    "ENTRANCE_UNTOLD",
    meaning="How requests for the host name go on depends on something that is not known.",
    template="how requests for {host} go on from {entrance}: {reason}",
    lead=CANNOT_TELL,
)
ENTRANCE_WITHOUT_BACKEND = code(
    "ENTRANCE_WITHOUT_BACKEND",
    meaning="None of the Services that the routes name has a ready backend, so that requests are answered with 503.",
    template="{entrance} hands requests for {host} to {backends}, and none of them has a ready backend",
    advice="Look at the selectors and the readiness of the pods behind them.",
)
ENTRANCES_UNREAD = code(
    "ENTRANCES_UNREAD",
    meaning="The host name may be one of an Ingress, a Gateway or a load balancer of this cluster, and those could not"
    " be read.",
    template="whether {host} is a host name of this cluster: {kinds} could not be read ({detail})",
    advice="Let them be read (get and list), or ask for the Service or the pods behind the name.",
    lead=CANNOT_TELL,
)
_ENABLED = {EntranceKind.INGRESS: "enable-ingress-controller", EntranceKind.GATEWAY: "enable-gateway-api"}


@probe(
    answers=(AboutConnection,),
    codes=(ENTRANCE_LEADS_IN, ENTRANCE_UNTOLD, ENTRANCE_WITHOUT_BACKEND, ENTRANCES_UNREAD),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS),
    hop=Hop.SERVICE,
    blocking=True,
)
def host_name_leads_in(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Follow a host name through what serves it; say nothing of other names."""
    connection, ends = question.connection, needed(Trial(question.connection, facts).ends)
    if not ends.are_clear:
        return
    end = ends.destination
    if end.meaning is Meaning.HOST_NAME or end.entrances:
        yield from _unread(end, facts)
    if end.entrances and isinstance(end.asked, HostName):
        yield from _followed(end, end.asked.name, connection, places_of(ends.source, facts), facts)


def _unread(end: Resolved, facts: Facts) -> Iterator[Finding]:
    look = facts.look(Part.ENTRANCES)
    if isinstance(look, Missing):
        yield _unread_finding(end, (Part.ENTRANCES.in_words,), look.detail)
    else:
        entrances: Entrances = look.value
        if entrances.unlisted:
            yield _unread_finding(end, tuple(entrances.unlisted), next(iter(entrances.unlisted.values())))
        elif entrances.untold and _is_on("enable-gateway-api", facts) is not False:
            yield _unread_finding(end, entrances.untold, "the archive does not hold them")
    services = facts.look(Part.ALL_SERVICES)
    if isinstance(services, Missing) and isinstance(facts.look(Part.POLICY_SERVICES), Missing):
        yield _unread_finding(end, (Part.ALL_SERVICES.in_words,), services.detail)


def _unread_finding(end: Resolved, kinds: tuple[str, ...], detail: str) -> Finding:
    return ENTRANCES_UNREAD.finding(
        Outcome.UNKNOWN, hop=Hop.SERVICE, blocking=True, host=str(end.asked), kinds=kinds, detail=detail
    )


def _is_on(option: str, facts: Facts) -> bool | None:
    """Whether cilium-config switches something on, None where it was not read."""
    look = facts.look(Part.CONFIG)
    return look.value.options.get(option, "").strip().lower() in ("true", "1", "t") if isinstance(look, Known) else None


def _followed(
    end: Resolved, host: str, connection: Connection, sources: tuple[Place, ...], facts: Facts
) -> Iterator[Finding]:
    found = handovers(end, facts)
    for entrance, doubt in _doubts(end, connection, sources, found, facts):
        yield ENTRANCE_UNTOLD.finding(
            Outcome.UNKNOWN,
            hop=Hop.SERVICE,
            blocking=True,
            evidence=[_evidence(entrance)],
            advice=doubt.remedy,
            host=host,
            entrance=str(entrance),
            reason=doubt.reason,
        )
    backends = tuple(dict.fromkeys(str(one.backend) for one in found))
    told = [one for one in found if not one.doubt]
    if told and len(told) == len(found) and not any(target.ready for one in told for target in one.targets):
        yield ENTRANCE_WITHOUT_BACKEND.finding(
            Outcome.PROBLEM,
            hop=Hop.SERVICE,
            blocking=True,
            evidence=[_evidence(entrance) for entrance in end.entrances],
            entrance=str(end.entrances[0]),
            host=host,
            backends=backends,
        )
    elif told:
        yield ENTRANCE_LEADS_IN.finding(
            Outcome.FINE,
            hop=Hop.SERVICE,
            blocking=True,
            evidence=[_evidence(entrance) for entrance in end.entrances],
            host=host,
            entrances=tuple(map(str, end.entrances)),
            count=len(end.entrances),
            backends=backends,
            seen=tuple(dict.fromkeys(_served_by(end, facts))),
        )


def _served_by(end: Resolved, facts: Facts) -> Iterator[str]:
    if any(entrance.is_ciliums for entrance in end.entrances):
        yield "entity ingress"
    yield from (f"the pods of Service {service}" for _, service in services_of_controllers(end, facts) if service)


def _doubts(
    end: Resolved,
    connection: Connection,
    sources: tuple[Place, ...],
    found: tuple[Handover, ...],
    facts: Facts,
) -> Iterator[tuple[Entrance, Untold]]:
    first = end.entrances[0]
    if connection.protocol not in (None, Protocol.TCP):
        yield first, Untold(f"routes are for TCP, not {connection.protocol}", "Ask with the port of a listener.")
    if not found:
        yield first, Untold("no route of it names a backend for this host", "Look at its routes.")
    for one in found:
        if one.doubt:
            yield first, Untold(one.doubt, f"Ask from the entity ingress, or the controller's pods, to {one.backend}.")
    for entrance in end.entrances:
        if not entrance.addresses and entrance.names and any(map(is_told_apart, sources)):
            yield entrance, BEHIND_A_BALANCER
        if entrance.is_ciliums:
            yield from ((entrance, doubt) for doubt in _doubts_of_cilium(entrance, sources, found, facts))
    for entrance, service in services_of_controllers(end, facts):
        if doubt := _doubt_of_controller(entrance, service, connection, sources, found, facts):
            yield entrance, doubt


def _doubts_of_cilium(
    entrance: Entrance, sources: tuple[Place, ...], found: tuple[Handover, ...], facts: Facts
) -> Iterator[Untold]:
    option = _ENABLED[entrance.kind]
    if not _is_on(option, facts):
        yield Untold(f"cilium-config does not say that Cilium serves it ({option})", "Look at the Cilium operator.")
    inside = [place.title for place in sources if not is_outside(place)]
    if inside:
        asked = ", ".join(f"`why ingress {one.backend}`" for one in found[:2])
        yield Untold(
            f"Cilium's Envoy meets {inside[0]} before its egress policy does, and how that is held against the request"
            " is not known here",
            f"Ask for the way on: {asked}; and for {inside[0]} to the backend itself.",
        )


def _doubt_of_controller(
    entrance: Entrance,
    service: Service | None,
    connection: Connection,
    sources: tuple[Place, ...],
    found: tuple[Handover, ...],
    facts: Facts,
) -> Untold | None:
    named = entrance.controller or "a controller that no class names"
    ask = f"Ask from the controller's pods to the backend: `why NAMESPACE/POD {found[0].backend if found else '...'}`."
    if service is None:
        return Untold(f"{named} serves it, and its Service was not found by the addresses of the status", ask)
    controller = as_end(service, from_outside=any(map(is_outside, sources)))
    targets = [target for target in backends_of(connection, controller, facts) if target.ready]
    if not targets:
        return Untold(f"{named} serves it by Service {service}, which has no ready backend for this port", ask)
    frontend = frontend_of(controller, sources)
    if frontend is not None:
        return untold(sources, frontend, targets, facts)
    if forwarding_of(facts) is None:
        return Untold("cilium-config could not be read, which says how its address is balanced", ask)
    return None


def _evidence(entrance: Entrance) -> Evidence:
    return Evidence("kubernetes", f"{entrance.kind}/{entrance.namespace}/{entrance.name}", "/spec")
