"""What a report says first, in plain words."""

from bot.render.headline import sentence_of
from handlers.model.report import Report


def in_words(report: Report) -> str:
    return str(sentence_of(report))
