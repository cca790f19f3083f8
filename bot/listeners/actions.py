"""The buttons under an answer: those that ask a question, and those that show what an answer rests on.

A button carries a question in normal form, an order or the id of a kept report. Pressing one twice in a
hurry counts once.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import Ack, App

from bot.audit import Act, Reader, entry_of
from bot.behind import Behind, Look, attach
from bot.intake import Intake
from bot.listeners.place import of_action
from bot.listeners.pressed import is_pressed_once
from bot.orders.taken import Orders
from bot.render.failure import failure_message, report_gone
from bot.render.report import ASK
from bot.reports import Reports
from handlers.catalogue import CATALOGUE
from handlers.commands.command import Role
from handlers.model.report import Report


def listen(app: App, intake: Intake, orders: Orders, reports: Reports, look: Callable[[Look], None]) -> None:
    """Register the listeners. ``look`` hands to a worker what a person's rights decide."""

    def ask(body: Mapping[str, Any], action: Mapping[str, Any]) -> None:
        where = of_action(body)
        if is_pressed_once(intake, where, body, action):
            answer_ts = str(body.get("container", {}).get("message_ts") or "")
            text, delivery = str(action.get("value") or ""), f"action:{body.get('trigger_id')}"
            if not orders.take(text, where, delivery=delivery):
                intake.ask(
                    text,
                    where,
                    delivery=delivery,
                    attached=lambda: intake.conversations.came_with(where.channel, answer_ts),
                )

    def shower(what: Behind) -> Callable[..., None]:
        def show_report(body: Mapping[str, Any], action: Mapping[str, Any]) -> None:
            where = of_action(body)

            def work() -> None:
                report_id = str(action.get("value") or "")
                report = reports.load(report_id)
                if report is None:
                    intake.publisher.whisper(where, failure_message(report_gone()))
                elif objection := intake.guard.objection(where, _role_of(report), report.command):
                    intake.publisher.whisper(where, failure_message(objection))
                    intake.audited(Act.REFUSED, f"{what.value} of {report.title}", where, report.cluster)
                elif whole := reports.whole_of(report_id):
                    # What of it this person may see is told by rights in the cluster, and this process has none.
                    look(Look(what, whole, where, report.cluster))
                else:
                    attach(what, intake.publisher, where, report)
                    reader = Reader(where.user, where.team, where.channel)
                    intake.note(entry_of(Act.SHOWN, f"{what.value} of {report.title}", reader, report))

            if is_pressed_once(intake, where, body, action):
                intake.safely(where, work)

        return show_report

    app.action(re.compile(rf"^{ASK}_"))(ack=_acknowledge, lazy=[ask])
    for what in Behind:
        app.action(what.value)(ack=_acknowledge, lazy=[shower(what)])


def _role_of(report: Report) -> Role:
    # Who may not ask the question may not see what its answer rests on either.
    declared = CATALOGUE.commands.get(report.command)
    return declared.role if declared else Role.OPERATOR


def _acknowledge(ack: Ack) -> None:
    ack()
