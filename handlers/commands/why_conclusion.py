"""placeholder"""

from handlers.commands.command import Conclusion
from handlers.model.finding import Sentence


def conclude(question, facts, findings):
    return Conclusion(Sentence("x"))
