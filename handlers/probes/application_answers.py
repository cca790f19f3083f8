"""What runs at the destination answers on the port.

A reset in answer to a connection attempt means that the packet arrived and nothing listens. Silence after a delivered
packet means something else: the process hangs, or a filter inside the pod eats it. Policy has no part in either.
"""

from collections.abc import Iterator
from dataclasses import replace

from handlers.connection.legs import LEG_PARTS, Stretch, name_in_words
from handlers.connection.places import Place, PlaceKind
from handlers.connection.seen import Sight, sight_of
from handlers.connection.trial import Trial
from handlers.model.facts import Facts, needed
from handlers.model.finding import Code, Evidence, Finding, Hop, Outcome, Sentence, code
from handlers.model.flow import FlowLog
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.snapshot import Known, Missing
from handlers.model.traffic import Protocol
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

NOTHING_LISTENS = code(
    "NOTHING_LISTENS",
    meaning="The destination answered the connection attempt with a reset: it got the packet and nothing listens.",
    template="Nothing listens on {port} of {destination}: it answers with a reset (RST), last at {at}",
    reason="nothing listens on {port} of {name}",
    advice="Start the process, make it listen on 0.0.0.0 and this port, or dial the right port.",
)
NO_ANSWER = code(
    "NO_ANSWER",
    meaning="Packets were delivered to the destination, and no answer was seen.",
    template="{destination} was handed packets on {port}, last at {at}, and no answer was seen",
    reason="Cilium delivered the packets; no policy is in the way",
    advice="Look at the process: does it hang, or does a filter inside the pod drop? Were flows lost?",
)
PORT_IN_DOUBT = code(
    "PORT_IN_DOUBT",
    meaning="No container declares the port that packets arrive at, and no answer was seen that would settle it.",
    template="Whether anything listens on {port} of {destination} is open: its containers declare {declared}, and no "
    "answer was seen ({seen})",
    advice="Try it once, so that flows show an answer or a reset, or look at what listens in the pod.",
)
_MEND = "Name in targetPort the port that the process listens on."
ANSWERED = code(
    "ANSWERED",
    meaning="The destination answered.",
    template="{destination} answered on {port}, last at {at}",
)


@probe(
    answers=(AboutConnection,),
    codes=(NOTHING_LISTENS, NO_ANSWER, PORT_IN_DOUBT, ANSWERED),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, Part.FLOWS),
    hop=Hop.APPLICATION,
)
def application_answers(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge what came back on each leg."""
    trial = Trial(question.connection, facts)
    if not needed(trial.ends).are_clear:
        return
    said: set[tuple[Code, str]] = set()
    look = facts.look(Part.FLOWS)
    log = look.value if isinstance(look, Known) else None
    for part in (part for stretch in needed(trial.stretches) for part in stretch.by_destination()):
        sight = sight_of(part, log.flows) if log else Sight()
        destination = part.destinations[0]
        spoken = _spoken(part, destination, sight)
        if spoken and (spoken, destination.title) not in said:
            said.add((spoken, destination.title))
            yield (
                _doubt(part, destination, look)
                if spoken is PORT_IN_DOUBT
                else _finding(
                    spoken, part, destination, sight, lossy=log is None or bool(log.lost or log.truncated or log.silent)
                )
            )


def _spoken(part: Stretch, destination: Place, sight: Sight) -> Code | None:
    dropped, refused, answered = sight.dropped_at, sight.refused_at, sight.answered_at
    if refused and (not answered or refused > answered) and (not dropped or refused > dropped):
        return NOTHING_LISTENS
    if answered:
        return ANSWERED
    # A datagram needs no answer, and beyond the cluster nobody sees one arrive.
    if sight.delivered_at and part.protocol is Protocol.TCP and destination.kind is PlaceKind.POD and not dropped:
        return NO_ANSWER
    return PORT_IN_DOUBT if _declared(part, destination) and not sight.delivered_at else None


def _declared(part: Stretch, destination: Place) -> tuple[str, ...]:
    """Return the ports that the pod's containers declare, where they declare some, and not this one."""
    ports = destination.pod.ports if destination.pod and destination.kind is PlaceKind.POD else ()
    same = sorted({entry.port for entry in ports if entry.protocol == part.protocol})
    return tuple(f"{port}/{part.protocol}" for port in same) if part.port is not None and part.port not in same else ()


def _doubt(part: Stretch, destination: Place, look: Known[FlowLog] | Missing) -> Finding:
    evidence = [Evidence("kubernetes", f"Pod/{destination.pod}", "/spec/containers")]
    if part.service:
        evidence.append(Evidence("kubernetes", f"Service/{part.service}", "/spec/ports"))
    return PORT_IN_DOUBT.finding(
        Outcome.UNKNOWN,
        hop=Hop.APPLICATION,
        blocking=True,
        evidence=evidence,
        destination=destination.title,
        port=f"{part.port}/{part.protocol}",
        declared=_declared(part, destination),
        seen=f"flows could not be read: {look.detail}" if isinstance(look, Missing) else "nobody was seen trying",
    )


def _finding(spoken: Code, part: Stretch, destination: Place, sight: Sight, *, lossy: bool) -> Finding:
    at = sight.refused_at if spoken is NOTHING_LISTENS else sight.answered_at or sight.delivered_at
    pod = destination.pod
    evidence = [Evidence("hubble", f"Pod/{pod}" if pod else "", at=at)]
    if spoken is not ANSWERED and part.service:
        evidence.append(Evidence("kubernetes", f"Service/{part.service}", "/spec/ports"))
    found = spoken.finding(
        Outcome.FINE if spoken is ANSWERED else Outcome.PROBLEM,
        hop=Hop.APPLICATION,
        # One unanswered attempt may have been seen a moment too early; a repeated one is a connection that fails.
        blocking=spoken is NOTHING_LISTENS or (spoken is NO_ANSWER and sight.attempts > 1 and not lossy),
        evidence=evidence,
        destination=destination.title,
        name=name_in_words(destination),
        port="ICMP" if part.protocol.is_icmp else f"{part.port or 'any port'}/{part.protocol}",
        at=f"{at:%H:%M:%S} UTC" if at else None,
    )
    sent = _sent_elsewhere(part, destination) if spoken is NOTHING_LISTENS else None
    return replace(found, reason=sent, advice=_MEND) if sent else found


def _sent_elsewhere(part: Stretch, destination: Place) -> Sentence | None:
    """Say that the Service sends to a port that no container declares, which is why nothing listens there."""
    if not part.service or not _declared(part, destination):
        return None
    service = part.service.rpartition("/")[2]
    words = "{service} sends {dialled} to pod port {port}, where nothing listens; mend targetPort"
    return Sentence(words, {"service": service, "dialled": part.dialled, "port": part.port})
