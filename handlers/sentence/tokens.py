"""A sentence word by word: names, ports and times that can only be that, cues that say who is who, and the rest."""

from dataclasses import dataclass

from handlers.model.endpoint import Named
from handlers.model.traffic import HttpRequest
from handlers.names.grammar import End, Fresh, Item, Since, Word, end_of
from handlers.names.lexicon import Cue


@dataclass(frozen=True, slots=True)
class Token:
    """One word or what a few words mean together. ``item`` is None for a word that is a cue or nothing."""

    text: str
    item: Item | None = None
    cues: frozenset[Cue] = frozenset()
    is_qualified: bool = False
    """Whether it is a bare word whose namespace stands elsewhere: cart in shop."""

    @property
    def is_end(self) -> bool:
        """Whether it can only be one end of a flow."""
        return isinstance(self.item, End)

    @property
    def end(self) -> End:
        """The end that it names, a bare word as one without namespace.

        Raises:
            LookupError: if it can name none.
        """
        match self.item:
            case End():
                return self.item
            case Word(text=text, port=port):
                return End(end_of(text) or Named(None, text.lower()), port)
        raise LookupError(f"{self.text} names no end")

    @property
    def is_bare(self) -> bool:
        """Whether it is a word that means nothing here, so that it can be a bare name."""
        return isinstance(self.item, Word)

    def does(self, *cues: Cue) -> bool:
        """Whether the word does one of these things."""
        return not self.cues.isdisjoint(cues)


@dataclass(frozen=True, slots=True)
class Said:
    """What was understood of a sentence, in order; ``odd`` are words that may matter and mean nothing."""

    text: str
    language: str
    tokens: tuple[Token, ...]
    namespaces: tuple[str, ...]
    odd: tuple[str, ...]

    def has(self, *cues: Cue) -> bool:
        """Whether some word does one of these things."""
        return any(token.does(*cues) for token in self.tokens)

    @property
    def words(self) -> frozenset[str]:
        """Every word, in lower case."""
        return frozenset(token.text.lower() for token in self.tokens)

    @property
    def ends(self) -> tuple[int, ...]:
        """Where names stand that can only be ends."""
        return tuple(index for index, token in enumerate(self.tokens) if token.is_end)

    @property
    def bare(self) -> tuple[int, ...]:
        """Where words stand that can be bare names."""
        return tuple(index for index, token in enumerate(self.tokens) if token.is_bare)

    @property
    def span(self) -> Since | None:
        """How far back was asked for."""
        return next((token.item for token in self.tokens if isinstance(token.item, Since)), None)

    @property
    def requests(self) -> tuple[HttpRequest, ...]:
        """The HTTP requests that were named."""
        return tuple(dict.fromkeys(token.item for token in self.tokens if isinstance(token.item, HttpRequest)))

    @property
    def is_fresh(self) -> bool:
        """Whether no cached answer is wanted."""
        return any(isinstance(token.item, Fresh) for token in self.tokens)
