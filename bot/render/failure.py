"""Everything that can go wrong, in words: what happened, and what to do next. Never a stack trace, never a secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.render.blocks import Block, Message, actions, button, code, escape, message, section
from bot.render.candidates import candidate_buttons
from bot.render.clean import one_line
from bot.render.reading import duration


class FailureKind(StrEnum):
    """Why there is no answer."""

    FORBIDDEN = "forbidden"
    NO_SUCH_NAMESPACE = "no-such-namespace"
    RELAY_UNREACHABLE = "relay-unreachable"
    CLUSTER_UNREACHABLE = "cluster-unreachable"
    TIMEOUT = "timeout"
    QUEUE_DOWN = "queue-down"
    LOST = "lost"
    RATE_LIMITED = "rate-limited"
    NOT_ALLOWED = "not-allowed"
    NOT_IN_CHANNEL = "not-in-channel"
    REPORT_GONE = "report-gone"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Failure:
    """What happened, what to do about it, and questions that may help, as buttons."""

    kind: FailureKind
    happened: str
    remedy: str = ""
    questions: tuple[str, ...] = ()


def forbidden(verb: str, resource: str, namespace: str | None = None) -> Failure:
    """The cluster refused a read."""
    place = f" in namespace {_name(namespace)}" if namespace else " in the whole cluster"
    return Failure(
        FailureKind.FORBIDDEN,
        f"I may not {_name(verb)} {_name(resource)}{place}.",
        f"Grant my service account {_name(verb)} on {_name(resource)}; the chart's ClusterRole lists all that I read.",
    )


def no_such_namespace(namespace: str, nearest: Sequence[str] = (), questions: Sequence[str] = ()) -> Failure:
    """A namespace of the question is not there."""
    meant = f" Did you mean {' or '.join(map(_name, nearest))}?" if nearest else ""
    return Failure(
        FailureKind.NO_SUCH_NAMESPACE,
        f"There is no namespace {_name(namespace)} in this cluster.{meant}",
        "" if nearest else "Check the spelling, and that this bot watches the cluster you mean.",
        tuple(questions),
    )


def relay_unreachable(address: str, reason: str = "") -> Failure:
    """Hubble relay does not answer and the question is about nothing but flows."""
    why = f" ({reason})" if reason else ""
    return Failure(
        FailureKind.RELAY_UNREACHABLE,
        f"Hubble relay at {_name(address)} does not answer{why}, so I cannot see flows.",
        "Check it with `cilium hubble port-forward` and `hubble status`; `cilium status` shows whether relay runs. "
        "`HUBBLE_SERVER` says where I look for it.",
    )


def cluster_unreachable(address: str, reason: str = "") -> Failure:
    """The Kubernetes API does not answer."""
    why = f" ({reason})" if reason else ""
    return Failure(
        FailureKind.CLUSTER_UNREACHABLE,
        f"The Kubernetes API at {_name(address)} does not answer{why}.",
        "Ask again in a minute; if it stays so, check the API server, and my worker's credentials and network policy.",
    )


def timeout(after: timedelta, waiting_for: str = "") -> Failure:
    """The run took too long."""
    what = f" I was still waiting for {waiting_for}." if waiting_for else ""
    return Failure(
        FailureKind.TIMEOUT,
        f"I gave up after {duration(after)}.{what}",
        "Ask again, narrower if you can: one port, a shorter `since`.",
    )


def queue_down() -> Failure:
    """Redis, the queue between the bot and its workers, does not answer."""
    return Failure(
        FailureKind.QUEUE_DOWN,
        "I could not hand your question to a worker: the queue (Redis) does not answer.",
        "Ask again in a minute; `cilium-triage why …` in a terminal works without it.",
    )


def lost() -> Failure:
    """The run vanished, several times."""
    return Failure(
        FailureKind.LOST,
        "The worker that looked into this went away, and so did its replacement.",
        "Ask again; if it happens again, look at the worker's log.",
    )


def rate_limited(limit: int, wait: timedelta) -> Failure:
    """One person asks too much."""
    return Failure(
        FailureKind.RATE_LIMITED,
        f"That is more than {limit} questions in a minute from you.",
        f"Ask again in {duration(wait)}.",
    )


def not_allowed(what: str, who_may: str) -> Failure:
    """The asker may not ask this here."""
    return Failure(FailureKind.NOT_ALLOWED, f"I may not answer {what}.", who_may)


def not_in_channel(bot_name: str = "cilium-triage") -> Failure:
    """The bot cannot post where it was asked."""
    return Failure(
        FailureKind.NOT_IN_CHANNEL,
        "I am not a member of this channel, so I cannot answer in it.",
        f"Type `/invite @{bot_name}` and ask again, or ask me in a direct message.",
    )


def report_gone() -> Failure:
    """A button under an old answer was pressed."""
    return Failure(
        FailureKind.REPORT_GONE, "I no longer have the facts behind this answer.", "Press Ask again without cache."
    )


def internal(failure_id: str) -> Failure:
    """Our own mistake."""
    return Failure(
        FailureKind.INTERNAL,
        f"Something of mine broke (error {failure_id}).",
        "Ask again; if it stays broken, report it with that id: the log has the details.",
    )


def failure_message(failure: Failure, question: str = "") -> Message:
    """Return the failure for Slack, with a button to ask again where asking again can help."""
    about = f"\n{code(question)}" if question else ""
    remedy = f"\n*Do:* {_with_code(failure.remedy)}" if failure.remedy else ""
    again: list[Block] = (
        actions([button("Ask again", "ask_again", question)]) if question and failure.kind in _WORTH_REPEATING else []
    )
    blocks = [
        section(f"⚠️ {_with_code(failure.happened)}{remedy}{about}"),
        *candidate_buttons(failure.questions),
        *again,
    ]
    return message(blocks, failure_text(failure))


def failure_text(failure: Failure) -> str:
    """Return the failure as one line of plain text."""
    return one_line(f"{failure.happened} {failure.remedy}").replace("`", "")


_WORTH_REPEATING = {
    FailureKind.RELAY_UNREACHABLE,
    FailureKind.CLUSTER_UNREACHABLE,
    FailureKind.TIMEOUT,
    FailureKind.QUEUE_DOWN,
    FailureKind.LOST,
    FailureKind.INTERNAL,
}


def _name(value: str) -> str:
    # Back-ticks mark what is shown as code; a value brings none of its own.
    return f"`{value.replace('`', '')}`"


def _with_code(words: str) -> str:
    pieces = words.split("`")
    return "".join(code(piece) if index % 2 else escape(piece) for index, piece in enumerate(pieces))
