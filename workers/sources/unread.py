"""How a reader deep inside a source says that something was not read."""

from handlers.model.snapshot import Gap, Missing


class UnreadError(Exception):
    """A part was not read; ``missing`` says why. Raised inside sources only, never out of ``read``."""

    def __init__(self, gap: Gap, detail: str, remedy: str = "") -> None:
        super().__init__(detail)
        self.missing = Missing(gap, detail, remedy)


class NotKeptError(UnreadError):
    """An archive does not hold the output of this command; it may hold that of another with the same answer."""


class ExpiredError(UnreadError):
    """A list that is read page by page changed too much meanwhile; read from its start it may come whole."""


class UnprovenError(UnreadError):
    """One object was not found, by an answer that does not prove that it does not exist."""
