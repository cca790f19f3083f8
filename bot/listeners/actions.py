"""The buttons under an answer: those that ask a question, and those that show what an answer rests on.

A button carries a question in normal form, an order or the id of a kept report. Pressing one twice in a
hurry counts once.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from slack_bolt import Ack, App

from bot.intake import Intake
from bot.listeners.place import of_action
from bot.orders.taken import Orders
from bot.publish import Publisher
from bot.render.evidence import evidence_text, patches_file
from bot.render.failure import failure_message, report_gone
from bot.render.patches import patches_message
from bot.render.report import ASK, EVIDENCE, PATCH
from bot.reports import Reports
from bot.where import Where
from handlers.catalogue import CATALOGUE
from handlers.commands.command import Role
from handlers.model.report import Report

_DOUBLE_CLICK = timedelta(seconds=3)

Show = Callable[[Publisher, Where, Report], None]


def listen(app: App, intake: Intake, orders: Orders, reports: Reports) -> None:
    """Register the listeners."""

    def ask(body: Mapping[str, Any], action: Mapping[str, Any]) -> None:
        where = of_action(body)
        if _is_pressed_once(intake, where, body, action):
            answer_ts = str(body.get("container", {}).get("message_ts") or "")
            text, delivery = str(action.get("value") or ""), f"action:{body.get('trigger_id')}"
            if not orders.take(text, where, delivery=delivery):
                intake.ask(
                    text,
                    where,
                    delivery=delivery,
                    attached=lambda: intake.conversations.came_with(where.channel, answer_ts),
                )

    def shower(show: Show) -> Callable[..., None]:
        def show_report(body: Mapping[str, Any], action: Mapping[str, Any]) -> None:
            where = of_action(body)

            def work() -> None:
                report = reports.load(str(action.get("value") or ""))
                if report is None:
                    intake.publisher.whisper(where, failure_message(report_gone()))
                elif objection := intake.guard.objection(where, _role_of(report), report.command):
                    intake.publisher.whisper(where, failure_message(objection))
                else:
                    show(intake.publisher, where, report)

            if _is_pressed_once(intake, where, body, action):
                intake.safely(where, work)

        return show_report

    app.action(re.compile(rf"^{ASK}_"))(ack=_acknowledge, lazy=[ask])
    for action_id, show in ((EVIDENCE, _show_evidence), (PATCH, _show_patch)):
        app.action(action_id)(ack=_acknowledge, lazy=[shower(show)])


def _show_evidence(publisher: Publisher, where: Where, report: Report) -> None:
    title = f"Evidence: {report.title}"
    publisher.attach(where, name="evidence.txt", content=evidence_text(report), title=title)


def _show_patch(publisher: Publisher, where: Where, report: Report) -> None:
    if report.patches:
        publisher.reply(where, patches_message(report))
        title = f"Patch: {report.title}"
        publisher.attach(where, name="patch.yaml", content=patches_file(report), title=title)


def _role_of(report: Report) -> Role:
    # Who may not ask the question may not see what its answer rests on either.
    declared = CATALOGUE.commands.get(report.command)
    return declared.role if declared else Role.OPERATOR


def _is_pressed_once(intake: Intake, where: Where, body: Mapping[str, Any], action: Mapping[str, Any]) -> bool:
    message = body.get("container", {}).get("message_ts") or body.get("trigger_id")
    press = f"press:{where.channel}:{message}:{action.get('action_id')}:{where.user}"
    return intake.is_first(where, press, within=_DOUBLE_CLICK)


def _acknowledge(ack: Ack) -> None:
    ack()
