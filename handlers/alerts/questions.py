"""From a signal to questions that the program can answer: those of the commands that exist, each read back."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import zip_longest

from handlers.alerts.signal import Cause, Signal
from handlers.catalogue import CATALOGUE
from handlers.commands.command import NotUnderstoodError
from handlers.model.endpoint import EndpointName, Entity, EntityName, Kind, Named

MOST_QUESTIONS = 6
"""Questions of one card."""


def questions_of(signals: Iterable[Signal], *, to_choose: bool = False) -> tuple[str, ...]:
    """Return the questions that signals ask, best first, in normal form; what no command reads is left out.

    Where one of the signals has to be chosen, ``to_choose``, the best of each comes before the second of any.
    """
    signals = tuple(signals)
    # Of drops between ends that nobody can be asked about, the whole cluster's are what there is to ask.
    is_drop = any(signal.cause in (Cause.POLICY_DROP, Cause.DROP) for signal in signals)
    asked = [(*signal.questions, *_drafts(signal)) for signal in signals]
    turns = zip_longest(*asked, fillvalue="") if to_choose else iter(asked)
    drafts = (draft for turn in turns for draft in turn)
    found: dict[str, None] = {}
    for draft in drafts:
        if question := normal_form(draft):
            found[question] = None
        if len(found) == MOST_QUESTIONS:
            break
    return tuple(found) or (("drops",) if is_drop else ())


@lru_cache(maxsize=4_096)
def normal_form(text: str) -> str:
    """Return a typed question as its command writes it, nothing where no command reads it and reads it back.

    A name that the grammar takes for something else (a namespace called ``5m``) adds or loses a word: that is refused.
    """
    name, _, rest = text.partition(" ")
    command = CATALOGUE.commands.get(name)
    if command is None:
        return ""
    try:
        question = command.parse(rest)
        again = str(question)
        is_same = again == text or command.parse(again.partition(" ")[2]) == question
        return again if is_same and len(again.split()) == len(text.split()) else ""
    except NotUnderstoodError:
        return ""


def _drafts(signal: Signal) -> Iterator[str]:
    source, destination, node = signal.source, signal.destination, signal.node
    match signal.cause:
        case Cause.UNREADY | Cause.ENDPOINT:
            if destination is not None and signal.cause is Cause.UNREADY:
                prober = f"node/{node}" if node else str(Entity(EntityName.HOST))
                yield _words("why", prober, destination, signal.port)
            if signal.cause is Cause.ENDPOINT:
                yield from (_words("endpoint", destination), _words("health", node))
            yield from _drops(signal)
            yield _words("endpoint", destination)
        case Cause.NODE:
            yield from (_words("health", node), _words("nodes", node))
        case Cause.AGENT:
            yield from (_words("health", node), _words("agent", node))
        case Cause.MAPS:
            yield from (_words("health", node), _words("maps", node))
        case Cause.MESH:
            yield from ("clustermesh", "health")
        case Cause.DNS:
            if source is not None and destination is not None:
                ports = (signal.port,) if signal.port else ("53/UDP", "53/TCP")
                yield from (_words("why", source, destination, port) for port in ports)
            yield from (_words("dns", source), "dns", "service kube-system/kube-dns")
            yield from ("drops kube-system/coredns", "health")
        case Cause.WRITTEN:
            return
        case _:
            if source is not None and destination is not None:
                yield _words("why", source, destination, signal.port)
            yield from _drops(signal)


def _drops(signal: Signal) -> Iterator[str]:
    ends = [end for end in (signal.destination, signal.source) if end is not None]
    for end in filter(_has_drops_of_its_own, ends):
        if isinstance(end, Named) and end.kind is Kind.SERVICE:
            yield f"service {end.namespace}/{end.name}"
        yield f"drops {_of_any_kind(end)}"
    if not ends:
        place = signal.namespace or (f"node/{signal.node}" if signal.node else "")
        yield f"drops {place}".strip()


def _has_drops_of_its_own(end: EndpointName) -> bool:
    """Whether drops can be asked of an end: a name alone would be a namespace, and an entity is nearly everybody."""
    is_bare = isinstance(end, Named) and end.namespace is None and end.kind is not Kind.NODE
    return not is_bare and not isinstance(end, Entity)


def _of_any_kind(end: EndpointName) -> EndpointName:
    """Return a workload without its kind: drops of the Service of that name are its own, too."""
    is_workload = isinstance(end, Named) and end.kind is not None and end.kind.is_workload
    return Named(end.namespace, end.name) if isinstance(end, Named) and is_workload else end


def _words(*words: object) -> str:
    return " ".join(str(word) for word in words if word)
