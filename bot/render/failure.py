"""Everything that can go wrong, in words: what happened, and what to do next. Never a stack trace, never a secret."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.render.blocks import Block, Message, actions, button, code, escape, message, section
from bot.render.clean import one_line
from bot.render.reading import duration


class FailureKind(StrEnum):
    """Why there is no answer."""

    TIMEOUT = "timeout"
    QUEUE_DOWN = "queue-down"
    LOST = "lost"
    ELSEWHERE = "elsewhere"
    RATE_LIMITED = "rate-limited"
    NOT_ALLOWED = "not-allowed"
    NOT_IN_CHANNEL = "not-in-channel"
    NOT_TAKEN = "not-taken"
    REPORT_GONE = "report-gone"
    NOTHING_ANSWERED = "nothing-answered"
    NO_DUMP = "no-dump"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Failure:
    """What happened, and what to do about it."""

    kind: FailureKind
    happened: str
    remedy: str = ""


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
        "Ask again in a minute.",
    )


def lost() -> Failure:
    """The run vanished, several times."""
    return Failure(
        FailureKind.LOST,
        "The worker that looked into this went away, and so did its replacement.",
        "Ask again; if it happens again, look at the worker's log.",
    )


def elsewhere(asked: str, looked_at: str) -> Failure:
    """The question came to a worker of another cluster."""
    other = f"looks at {looked_at}" if looked_at else "does not say which cluster it looks at"
    return Failure(
        FailureKind.ELSEWHERE,
        f"This was asked about the cluster {asked}, and the worker that took it {other}.",
        "Give bot and workers of one cluster the same `CILIUM_TRIAGE_CLUSTER`, "
        "and each bot that shares the Redis a `CILIUM_TRIAGE_KEY_PREFIX` of its own.",
    )


def not_looked_at(cluster: str, known: Iterable[str]) -> Failure:
    """The question is about a cluster that no worker looks at."""
    return Failure(
        FailureKind.ELSEWHERE,
        f"Nobody looks at a cluster {cluster}.",
        f"Ask about one of these: {', '.join(sorted(known))}.",
    )


def which_cluster(known: Iterable[str]) -> Failure:
    """There are several clusters, and nothing says which one is meant."""
    names = ", ".join(sorted(known))
    return Failure(
        FailureKind.ELSEWHERE,
        f"There are several clusters, {names}, and nothing says which one is meant.",
        "Name one (`cluster NAME`), or have an operator set the channel's: `/cilium channel cluster NAME`.",
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


def not_taken(reason: str) -> Failure:
    """Slack refuses messages where the bot was asked."""
    return Failure(
        FailureKind.NOT_TAKEN,
        f"Slack does not take my message in this channel ({reason}), so I cannot answer in it.",
        "Ask in another channel, or in a direct message.",
    )


def report_gone() -> Failure:
    """A button under an old answer was pressed."""
    return Failure(FailureKind.REPORT_GONE, "I no longer have the facts behind this answer.", "Press Ask again.")


def card_gone() -> Failure:
    """A button of a card was pressed that is kept no longer."""
    return Failure(FailureKind.REPORT_GONE, "I no longer have this card.", "Ask me: /cilium help says how.")


def nothing_to_bundle() -> Failure:
    """A report was asked for where nothing was answered, or not lately."""
    return Failure(
        FailureKind.NOTHING_ANSWERED,
        "Nothing was answered here in the last day, so there is nothing to put together.",
        "Ask first (why, health, drops, ...), then say report in the same thread or channel.",
    )


def no_dump(problem: str) -> Failure:
    """What was dropped could not be looked at."""
    return Failure(FailureKind.NO_DUMP, problem, "Drop what `cilium sysdump` wrote, or ask outside of this thread.")


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
        *again,
    ]
    return message(blocks, failure_text(failure))


def failure_text(failure: Failure) -> str:
    """Return the failure as one line of plain text."""
    return one_line(f"{failure.happened} {failure.remedy}").replace("`", "")


_WORTH_REPEATING = {
    FailureKind.TIMEOUT,
    FailureKind.QUEUE_DOWN,
    FailureKind.LOST,
    FailureKind.INTERNAL,
}


def _with_code(words: str) -> str:
    pieces = words.split("`")
    return "".join(code(piece) if index % 2 else escape(piece) for index, piece in enumerate(pieces))
