"""The form of a question: opened by ``/cilium`` alone, by a shortcut or in App Home; its names come as somebody types.

A modal is opened within three seconds of what a person did, and suggestions are given within three
(https://docs.slack.dev/surfaces/modals, https://docs.slack.dev/reference/interaction-payloads/block_suggestion-payload):
names come out of Redis, never from the cluster.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog
from slack_bolt import Ack, App

from bot.dispatch import Dispatcher, QueueDownError
from bot.intake import Intake
from bot.listeners.place import of_form, of_shortcut
from bot.names import Names
from bot.orders import ORDERS
from bot.publish import PublishError
from bot.render.failure import failure_message
from bot.render.help import help_message
from bot.render.question_form import COMMAND, ENDS, FORM, MOST_SUGGESTED, blamed, question_form, suggestions, words_of
from bot.where import Where
from handlers.catalogue import CATALOGUE
from handlers.commands.command import NotUnderstoodError, Role
from handlers.model.wire import encode
from handlers.names.which_cluster import cluster_named

SHORTCUT = "ask"
"""Callback id of the shortcut in the manifest, and action id of the button in App Home."""
_PROBLEM = 150
"""Characters of what is said under a field."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Form:
    """Opens the form, and fills its menus."""

    intake: Intake
    names: Callable[[str], Names]
    """The names of a cluster, empty for the only one that there is."""
    dispatcher: Dispatcher

    def open(self, where: Where, trigger_id: str) -> None:
        """Show the form to who asked for it; where Slack does not take it, help instead. Raises nothing."""
        self.intake.safely(where, lambda: self._open(where, trigger_id))

    def _open(self, where: Where, trigger_id: str) -> None:
        if objection := self.intake.guard.bars(where, Role.VIEWER, "questions"):
            self.intake.tell(where, failure_message(objection))
            return
        metadata = json.dumps(encode(where), separators=(",", ":"))
        try:
            self.intake.publisher.open_modal(trigger_id, question_form(CATALOGUE.commands, metadata=metadata))
        except PublishError as error:
            log.warning("form not opened", reason=str(error))
            self.intake.tell(where, help_message(CATALOGUE.commands, ORDERS))
        cluster = self._cluster(where)
        if self.names(cluster).is_wished():
            try:
                self.dispatcher.wish_names(cluster)
            except QueueDownError as error:
                log.warning("names not wished for", error=str(error))

    def _cluster(self, where: Where) -> str:
        """Return the cluster that a question asked there is about, else the only one that somebody looks at."""
        told = self.intake.cluster_for(where)
        looked_at = () if told else tuple(self.intake.clusters())
        return told or (looked_at[0] if len(looked_at) == 1 else "")

    def suggested(self, where: Where, typed: str) -> list[dict[str, Any]]:
        """Return the choices for what was typed; of somebody who may not ask, the words as they stand alone."""
        if not typed.strip():
            return []
        barred = self.intake.guard.bars(where, Role.VIEWER, "questions") is not None
        return suggestions(typed, () if barred else self.names(self._cluster(where)).like(typed, most=MOST_SUGGESTED))


def listen(app: App, form: Form) -> None:
    """Register the listeners."""

    def used(body: Mapping[str, Any]) -> None:
        form.open(of_shortcut(body), str(body.get("trigger_id") or ""))

    def suggest(ack: Ack, body: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        where = of_form(body)
        ack(options=form.suggested(where, str(payload.get("value") or "")) if where else [])

    def check(ack: Ack, body: Mapping[str, Any], view: Mapping[str, Any]) -> None:
        values = _values(view)
        try:
            CATALOGUE.understand(cluster_named(words_of(values), form.intake.clusters()).text)
        except NotUnderstoodError as error:
            ack(response_action="errors", errors={blamed(values): error.problem[:_PROBLEM]})
        else:
            ack()

    def ask(body: Mapping[str, Any], view: Mapping[str, Any]) -> None:
        where, words = of_form(body), words_of(_values(view))
        if where is not None:
            form.intake.ask(words, replace(where, thread_ts=None), delivery=f"form:{view.get('id')}:{view.get('hash')}")

    app.shortcut(SHORTCUT)(ack=_acknowledge, lazy=[used])
    app.action(SHORTCUT)(ack=_acknowledge, lazy=[used])
    for end in ENDS:
        app.options(end)(suggest)
    app.view(FORM)(ack=check, lazy=[ask])


def _values(view: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    state = view.get("state")
    values = state.get("values") if isinstance(state, Mapping) else None
    return values if isinstance(values, Mapping) else {COMMAND: {}}


def _acknowledge(ack: Ack) -> None:
    ack()
