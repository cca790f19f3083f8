"""How a reader deep inside a source says that a part was not read."""

from handlers.model.snapshot import Gap, Missing


class UnreadError(Exception):
    """A part was not read; ``missing`` says why. Raised inside sources only, never out of ``read``."""

    def __init__(self, gap: Gap, detail: str, remedy: str = "") -> None:
        super().__init__(detail)
        self.missing = Missing(gap, detail, remedy)
