"""What people type behind ``flows``, word by word: ends, what was sent, what became of it, and times."""

from dataclasses import dataclass, field
from datetime import timedelta

from handlers.flows.connections import Fate
from handlers.flows.kind import Kind
from handlers.model.traffic import Protocol
from handlers.names.grammar import Duration, End, Fresh, Item, PortAsked, Since, Word, end_of, is_bare_name
from handlers.sentence.subject import Subject

LONGEST_FOLLOW = timedelta(seconds=120)
_FOLLOW = timedelta(seconds=60)
_ENDS = 2
_FATES = {**{fate.value: fate for fate in Fate}, "drop": Fate.DROPPED, "denied": Fate.DROPPED, "audited": Fate.AUDIT}
_FOLLOWS = frozenset({"follow", "tail", "watch", "live"})
KEYWORDS = frozenset({*Kind, *_FATES, *_FOLLOWS})
"""Words that say what is listed, and are the name of nothing."""
_MARKS = frozenset({"from", "to", "->", "between", "and", "with"})
_LEADS = frozenset({"proto", "protocol", "verdict"})


@dataclass(slots=True)
class TypedFlows:
    """What the words said so far."""

    subjects: list[Subject] = field(default_factory=list)
    kind: Kind | None = None
    port: int | None = None
    fate: Fate | None = None
    since: timedelta | None = None
    follow: timedelta | None = None
    waits_for_span: bool = False
    """Whether a time that comes next says for how long to follow."""

    def takes(self, item: Item, *, is_last: bool) -> bool:
        """Take an item for what it can be; say whether it is anything."""
        waits, self.waits_for_span = self.waits_for_span, False
        match item:
            case Fresh():
                return True
            case Duration(span=span) if waits:
                self.follow = min(span, LONGEST_FOLLOW)
                return True
            case Since(span=span) | Duration(span=span) if self.since is None:
                self.since = span
                return True
            case PortAsked(port=port, protocol=protocol):
                return self._takes_port(port, protocol)
            case Word(text=text, port=None):
                return self._takes_word(text.lower(), item, is_last=is_last)
            case End(name=name, port=asked):
                return self._takes_end(Subject(endpoint=name), asked)
            case Word(text=text, port=asked) if is_bare_name(item):
                return self._takes_end(Subject(endpoint=end_of(text), namespace=text.lower()), asked)
        return False

    def _takes_word(self, word: str, item: Word, *, is_last: bool) -> bool:
        if word in _FOLLOWS and self.follow is None:
            self.follow, self.waits_for_span = _FOLLOW, True
        elif word in _FATES and self.fate is None:
            self.fate = _FATES[word]
        elif word in tuple(Kind) and self.kind is None:
            self.kind = Kind(word)
        elif word in _MARKS | _LEADS and not is_last:
            pass
        elif end_of(word):
            return self._takes_end(Subject(endpoint=end_of(word)), None)
        elif is_bare_name(item):
            return self._takes_end(Subject(namespace=word), None)
        else:
            return False
        return True

    def _takes_end(self, subject: Subject, asked: PortAsked | None) -> bool:
        if len(self.subjects) == _ENDS:
            return False
        self.subjects.append(subject)
        return asked is None or self._takes_port(asked.port, asked.protocol)

    def _takes_port(self, port: int | None, protocol: Protocol | None) -> bool:
        kind = Kind.of(protocol) if protocol else None
        if (port or self.port) != (self.port or port) or (kind or self.kind) != (self.kind or kind):
            return False
        self.port, self.kind = self.port or port, self.kind or kind
        return True
