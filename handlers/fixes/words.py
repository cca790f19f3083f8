"""What is said of a fix: who did what when, and what the packets show since."""

from datetime import datetime, timedelta

from handlers.connection.change_words import object_in_words
from handlers.connection.observation import clock
from handlers.fixes.changed import Changed
from handlers.model.change import Change
from handlers.model.finding import Finding, Sentence, Value, prose

_PLAIN = ("Pod", "Service")
_MOST_NAMED = 3
_FIXED = "fixed"
_OPENED = "opened"


def fixed(changed: Changed, passed: datetime | None) -> Sentence:
    """Return ``fixed by kubectl-edit of shop/cart-allow-frontend at 12:31:00 UTC, packets pass since``."""
    values: dict[str, Value] = {"by": _by(_FIXED, changed), "passed": prose(clock(passed) if passed else "")}
    if changed.is_nothing:
        return Sentence("{by}: packets pass, last at {passed}; what changed is not known", values)
    return Sentence("{by}, packets pass since, last at {passed}", values)


def opened(changed: Changed, dropped: datetime | None, yet: Sentence | None = None) -> Sentence:
    """Return that nothing stops it any more and nobody was seen to try since; and who does not enforce it so yet."""
    values: dict[str, Value] = {"by": _by(_OPENED, changed), "dropped": _at(dropped), "yet": yet}
    last = "; the last drop is of {dropped}" if dropped else ""
    last += "; {yet}" if yet else ""
    if changed.is_nothing:
        return Sentence(f"nothing that was read stops it any more, no packet seen since{last}", values)
    return Sentence(f"{{by}}, no packet seen since{last}", values)


def not_quiet_yet(changed: Changed, dropped: datetime) -> Sentence:
    """Return that packets pass, while others were dropped a moment ago."""
    values: dict[str, Value] = {"by": _by(_OPENED, changed), "dropped": prose(clock(dropped))}
    return Sentence("{by}, packets pass again; others were dropped until {dropped}", values)


def unseen(changed: Changed, seen: str) -> Sentence:
    """Return that nothing stops it any more, and that nobody could look at the packets."""
    values: dict[str, Value] = {"by": _by(_OPENED, changed), "seen": prose(seen or "flows were not read")}
    return Sentence("cannot tell whether packets pass, because {seen}; {by}", values)


def not_all_heard(nodes: tuple[str, ...], passed: datetime | None) -> Sentence:
    """Return that packets were seen to pass, and which node was not heard."""
    values: dict[str, Value] = {"nodes": nodes[:_MOST_NAMED], "passed": _at(passed)}
    return Sentence("cannot tell, because {nodes} could not be heard; packets were seen to pass at {passed}", values)


def cannot_tell(because: Sentence, passed: datetime | None) -> Sentence:
    """Return what keeps it from being told."""
    seen = "; packets were seen to pass at {passed}" if passed else ""
    return Sentence(f"cannot tell, because {{because}}{seen}", {"because": because, "passed": _at(passed)})


def passes_against(because: Sentence, passed: datetime | None) -> Sentence:
    """Return that packets pass which should not: the judgement is wrong, or the datapath has not followed."""
    values: dict[str, Value] = {"because": because, "passed": _at(passed)}
    return Sentence("cannot tell, because packets pass, last at {passed}, that should not: {because}", values)


def stopped(dropped: datetime | None) -> Sentence:
    """Return how it stands at first."""
    last = "; the last drop is of {dropped}" if dropped else ""
    return Sentence(f"blocked{last}", {"dropped": _at(dropped)})


def still_blocked(dropped: datetime | None, changed: Changed, *, is_by_book: bool = True) -> Sentence:
    """Return that nothing happened; what nothing blocks by the book gets no answer from the application."""
    still = "still blocked" if is_by_book or dropped else "still no answer"
    nothing = "nothing changed" if changed.is_known else "nothing that could be read changed"
    if dropped is None:
        return Sentence(f"{still}, {nothing}")
    return Sentence(f"{still}, {nothing}; the last drop is of {{dropped}}", {"dropped": _at(dropped)})


def applied(because: Sentence, changed: Changed, *, is_patch: bool, is_dropped: bool) -> Sentence:
    """Return ``applied, still dropped, because …``, and what was done."""
    done = "applied" if is_patch else "changed"
    still = "dropped" if is_dropped else "blocked"
    if changed.is_nothing:
        return Sentence(f"still {still}, because {{because}}", {"because": because})
    values: dict[str, Value] = {"because": because, "what": _what(changed)}
    return Sentence(f"{done}, still {still}, because {{because}} ({{what}})", values)


def another_blocker(because: Sentence) -> Sentence:
    """Return that what stopped it before is mended, and something else is left."""
    return Sentence("another blocker is left: {because}", {"because": because})


def audited(because: Sentence) -> Sentence:
    """Return that packets pass for as long as nobody enforces."""
    return Sentence("packets pass in audit mode only: {because}", {"because": because})


def not_realized(finding: Finding) -> Sentence:
    """Return which endpoint does not enforce it yet."""
    return Sentence("{endpoint} does not enforce it yet ({state})", finding.values)


def dropped_all_the_same(seen: str) -> Sentence:
    """Return what was seen, where no policy that was read stops it."""
    return Sentence("no policy that was read stops it, yet {seen}", {"seen": prose(seen)})


def gone(end: Finding) -> Sentence:
    """Return that an end of the connection is no more."""
    return Sentence("nothing is left to watch: {gone}", {"gone": end.because})


def passes(passed: datetime | None) -> Sentence:
    """Return that nothing stops it, as before."""
    if passed is None:
        return prose("nothing stops it, no packet seen")
    return Sentence("passes, last at {passed}", {"passed": _at(passed)})


def broke(because: Sentence, changed: Changed) -> Sentence:
    """Return that it passed when the watch began, and is stopped now."""
    if changed.is_nothing:
        return Sentence("stopped since: {because}", {"because": because})
    return Sentence("stopped since: {because} ({what})", {"because": because, "what": _what(changed)})


def watched_for(span: timedelta, last: Sentence) -> Sentence:
    """Return the last word of a watch: for how long, and how things stand."""
    minutes = max(1, round(span.total_seconds() / 60))
    return Sentence("watched for {minutes} minute{minutes:|s}: {last}", {"minutes": minutes, "last": last})


def _by(verb: str, changed: Changed) -> Sentence:
    """Return ``fixed by kubectl-edit of shop/cart-allow-frontend at 12:31:00 UTC``."""
    if changed.gone:
        gone = tuple(ref.replace("/", " ", 1).replace(" /", " ") for ref in changed.gone[:_MOST_NAMED])
        told: dict[str, Value] = {"gone": gone, "count": len(gone)}
        return Sentence(f"{verb}: {{gone}} {{count:was|were}} deleted, nothing tells by whom", told)
    change = next(iter(changed.changes), None)
    if change is None:
        if not changed.new_pods:
            return prose(verb)
        return Sentence(f"{verb} since {{pods}} came", {"pods": changed.new_pods[:_MOST_NAMED]})
    values: dict[str, Value] = {"object": _object(change), "manager": change.manager, "at": _at(change.at)}
    by = "{manager} of {object}" if change.manager else "a change of {object}"
    return Sentence(f"{verb} by {by} at {{at}}", values)


def _what(changed: Changed) -> Sentence:
    """Return ``shop/cart-allow-frontend by kubectl-edit at 12:31:00 UTC``."""
    change = None if changed.gone else next(iter(changed.changes), None)
    if change is None:
        gone = tuple(ref.replace("/", " ", 1).replace(" /", " ") for ref in changed.gone)
        return Sentence(
            "{what} {done}",
            {"what": (gone or changed.new_pods)[:_MOST_NAMED], "done": prose("deleted" if gone else "new")},
        )
    by = " by {manager}" if change.manager else ""
    values: dict[str, Value] = {"object": _object(change), "manager": change.manager, "at": _at(change.at)}
    return Sentence(f"{{object}}{by} at {{at}}", values)


def _object(change: Change) -> str:
    """Return a policy by its name alone, anything else with its kind."""
    told = object_in_words(change)
    return told if change.kind in _PLAIN or not change.namespace else f"{change.namespace}/{change.name}"


def _at(time: datetime | None) -> Sentence:
    return prose(clock(time) if time else "an unknown time")
