"""Regular expressions as the proxy runs them: RE2 syntax, matched in full, in time linear in the text.

Python's ``re`` would accept expressions that the agent refuses (look-around, back-references) and can be made to run
for ever by a hostile expression, so HTTP rules are parsed here (Go's regexp/syntax with Perl flags) and run as a
non-deterministic automaton.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

_MAX_REPEAT = 1000
_MAX_DEPTH = 200
_MAX_SIZE = 20_000

Test = Callable[[str], bool]


class RegexpError(ValueError):
    """The expression is none that RE2 accepts."""


@dataclass(slots=True)
class _Node:
    """A piece of a parsed expression; ``size`` estimates the states it needs, ``repeat`` the product of its counts."""

    kind: str
    test: Test | None = None
    parts: list["_Node"] = field(default_factory=list)
    low: int = 0
    high: int | None = None
    size: int = 1
    repeat: int = 1


@dataclass(frozen=True, slots=True)
class _Flags:
    ignore_case: bool = False
    multi_line: bool = False
    dot_all: bool = False


_POSIX: dict[str, Test] = {
    "alnum": lambda c: c.isascii() and c.isalnum(),
    "alpha": lambda c: c.isascii() and c.isalpha(),
    "ascii": str.isascii,
    "blank": lambda c: c in "\t ",
    "cntrl": lambda c: ord(c) < 32 or ord(c) == 127,
    "digit": lambda c: c in "0123456789",
    "graph": lambda c: "!" <= c <= "~",
    "lower": lambda c: "a" <= c <= "z",
    "print": lambda c: " " <= c <= "~",
    "punct": lambda c: "!" <= c <= "~" and not c.isalnum(),
    "space": lambda c: c in "\t\n\v\f\r ",
    "upper": lambda c: "A" <= c <= "Z",
    "word": lambda c: c.isascii() and (c.isalnum() or c == "_"),
    "xdigit": lambda c: c in "0123456789abcdefABCDEF",
}
_PERL: dict[str, Test] = {
    "d": _POSIX["digit"],
    "s": lambda c: c in "\t\n\f\r ",
    "w": _POSIX["word"],
}
_SIMPLE_ESCAPES = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_CATEGORIES = frozenset(
    "C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs".split()
)
_SCRIPTS = {
    name: name.upper() + " "
    for name in "Latin Greek Cyrillic Hebrew Arabic Hiragana Katakana Hangul Thai Devanagari Armenian Georgian".split()
} | {"Han": "CJK "}


def _negate(test: Test) -> Test:
    return lambda c: not test(c)


def _literal(character: str, flags: _Flags) -> Test:
    if flags.ignore_case:
        folded = {character, character.lower(), character.upper(), character.casefold()}
        return lambda c: c in folded or c.casefold() in folded
    return lambda c: c == character


def _unicode_class(name: str) -> Test:
    if name == "Any":
        return lambda c: True
    if name in _CATEGORIES:
        return lambda c: unicodedata.category(c).startswith(name)
    prefix = _SCRIPTS.get(name)
    if prefix is None:
        raise RegexpError("invalid character class range")
    return lambda c: unicodedata.name(c, "").startswith(prefix)


class _Parser:
    """Recursive descent over Go's syntax; every refusal is a RegexpError."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.names: set[str] = set()

    def parse(self) -> _Node:
        node, _ = self.alternation(_Flags())
        if self.at < len(self.text):
            raise RegexpError("unexpected )")
        return node

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def alternation(self, flags: _Flags) -> tuple[_Node, _Flags]:
        branches = []
        while True:
            branch, flags = self.sequence(flags)
            branches.append(branch)
            if self.peek() != "|":
                break
            self.at += 1
        if len(branches) == 1:
            return branches[0], flags
        size = 1 + sum(one.size for one in branches)
        return _Node("either", parts=branches, size=size, repeat=max(one.repeat for one in branches)), flags

    def sequence(self, flags: _Flags) -> tuple[_Node, _Flags]:
        parts: list[_Node] = []
        while self.peek() not in ("", "|", ")"):
            start = self.at
            if self.text.startswith("\\Q", self.at):
                end = self.text.find("\\E", self.at + 2)
                quoted = self.text[self.at + 2 : end if end >= 0 else len(self.text)]
                self.at = end + 2 if end >= 0 else len(self.text)
                parts.extend(_Node("char", test=_literal(character, flags)) for character in quoted)
                if not quoted:
                    continue
            elif self.peek() in "*+?":
                raise RegexpError("missing argument to repetition operator")
            elif self.text.startswith("(?", self.at):
                node, flags = self.special_group(flags)
                if node is None:
                    continue
                parts.append(node)
            else:
                parts.append(self.atom(flags))
            parts[-1] = self.repetition(parts[-1], start)
        size = 1 + sum(one.size for one in parts)
        if size > _MAX_SIZE:
            raise RegexpError("expression too large")
        return _Node("row", parts=parts, size=size, repeat=max((one.repeat for one in parts), default=1)), flags

    def special_group(self, flags: _Flags) -> tuple[_Node | None, _Flags]:
        for opening in ("(?P<", "(?<"):
            if self.text.startswith(opening, self.at):
                end = self.text.find(">", self.at)
                name = self.text[self.at + len(opening) : end]
                if end < 0 or not name or not all(c.isalnum() or c == "_" for c in name) or not name.isascii():
                    raise RegexpError("invalid named capture")
                if name in self.names:
                    raise RegexpError("duplicate capture group name")
                self.names.add(name)
                self.at = end + 1
                return self.group(flags), flags
        self.at += 2
        sign, changed, seen = True, flags, False
        while True:
            character = self.peek()
            self.at += 1
            if character == "i":
                changed, seen = _Flags(sign, changed.multi_line, changed.dot_all), True
            elif character == "m":
                changed, seen = _Flags(changed.ignore_case, sign, changed.dot_all), True
            elif character == "s":
                changed, seen = _Flags(changed.ignore_case, changed.multi_line, sign), True
            elif character == "U":
                seen = True
            elif character == "-" and sign:
                sign, seen = False, False
            elif character in (":", ")") and (seen or sign) and character:
                if character == ")":
                    if not seen:
                        raise RegexpError("missing argument to repetition operator")
                    return None, changed
                return self.group(changed), flags
            else:
                raise RegexpError("invalid or unsupported Perl syntax")

    def group(self, flags: _Flags) -> _Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise RegexpError("expression nests too deeply")
        node, _ = self.alternation(flags)
        if self.peek() != ")":
            raise RegexpError("missing closing )")
        self.at += 1
        self.depth -= 1
        return node

    def atom(self, flags: _Flags) -> _Node:
        character = self.peek()
        self.at += 1
        if character == "(":
            return self.group(flags)
        if character == "[":
            return _Node("char", test=self.character_class(flags))
        if character == ".":
            return _Node("char", test=(lambda c: True) if flags.dot_all else (lambda c: c != "\n"))
        if character == "^":
            return _Node("line-start" if flags.multi_line else "start")
        if character == "$":
            return _Node("line-end" if flags.multi_line else "end")
        if character == "\\":
            return self.escape(flags)
        return _Node("char", test=_literal(character, flags))

    def escape(self, flags: _Flags) -> _Node:
        character = self.peek()
        zero_width = {"A": "start", "z": "end", "b": "boundary", "B": "no-boundary"}.get(character)
        if zero_width:
            self.at += 1
            return _Node(zero_width)
        test = self.class_escape(flags)
        if test is None:
            test = _literal(self.escaped_character(), flags)
        return _Node("char", test=test)

    def class_escape(self, flags: _Flags) -> Test | None:
        """Read \\d, \\S, \\pL and the like, standing after the backslash; None when it is something else."""
        character = self.peek()
        if character and character in "dswDSW":
            self.at += 1
            test = _PERL[character.lower()]
            return test if character.islower() else _negate(test)
        if character and character in "pP":
            self.at += 1
            if self.peek() == "{":
                end = self.text.find("}", self.at)
                if end < 0:
                    raise RegexpError("invalid character class range")
                name, self.at = self.text[self.at + 1 : end], end + 1
            else:
                name, self.at = self.peek(), self.at + 1
            negated = (character == "P") != name.startswith("^")
            test = _unicode_class(name.removeprefix("^"))
            if flags.ignore_case:
                plain = test
                test = lambda c: plain(c) or any(plain(x) for x in (c.lower(), c.upper()) if len(x) == 1)  # noqa: E731
            return _negate(test) if negated else test
        return None

    def escaped_character(self) -> str:
        """Read one escaped character, standing after the backslash."""
        character = self.peek()
        if not character:
            raise RegexpError("trailing backslash at end of expression")
        self.at += 1
        if character in _SIMPLE_ESCAPES:
            return _SIMPLE_ESCAPES[character]
        if character in "1234567" and (not self.peek() or self.peek() not in "01234567"):
            raise RegexpError("invalid escape sequence")
        if character in "01234567":
            digits = character
            while len(digits) < 3 and self.peek() and self.peek() in "01234567":
                digits += self.peek()
                self.at += 1
            return chr(int(digits, 8))
        if character == "x":
            return self.hexadecimal()
        if character.isascii() and not character.isalnum():
            return character
        raise RegexpError("invalid escape sequence")

    def hexadecimal(self) -> str:
        if self.peek() == "{":
            end = self.text.find("}", self.at)
            digits, self.at = self.text[self.at + 1 : end], end + 1
            if end < 0 or not 0 < len(digits) <= 8:
                raise RegexpError("invalid escape sequence")
        else:
            digits, self.at = self.text[self.at : self.at + 2], self.at + 2
            if len(digits) != 2:
                raise RegexpError("invalid escape sequence")
        if not all(_POSIX["xdigit"](digit) for digit in digits) or int(digits, 16) > 0x10FFFF:
            raise RegexpError("invalid escape sequence")
        return chr(int(digits, 16))

    def character_class(self, flags: _Flags) -> Test:
        negated = self.peek() == "^"
        if negated:
            self.at += 1
        tests: list[Test] = []
        first = True
        while first or self.peek() != "]":
            if not self.peek():
                raise RegexpError("missing closing ]")
            # A dash may stand first or last, or after a range; elsewhere Perl's grammar accepts it and so does RE2.
            first = False
            if self.text.startswith("[:", self.at):
                end = self.text.find(":]", self.at + 2)
                if end >= 0:
                    name = self.text[self.at + 2 : end]
                    test = _POSIX.get(name.removeprefix("^"))
                    if test is None:
                        raise RegexpError("invalid character class range")
                    tests.append(_negate(test) if name.startswith("^") else test)
                    self.at = end + 2
                    continue
            if self.peek() == "\\":
                self.at += 1
                test = self.class_escape(flags)
                if test is not None:
                    tests.append(test)
                    continue
                low = self.escaped_character()
            else:
                low = self.peek()
                self.at += 1
            high = low
            if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self.peek()
                self.at += 1
                if high == "\\":
                    high = self.escaped_character()
                if high < low:
                    raise RegexpError("invalid character class range")
            tests.append(_range(low, high, flags))
        self.at += 1
        chosen = tuple(tests)
        return (lambda c: not any(t(c) for t in chosen)) if negated else (lambda c: any(t(c) for t in chosen))

    def repetition(self, node: _Node, start: int) -> _Node:
        repeated = False
        while True:
            character = self.peek()
            if character and character in "*+?":
                low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
                self.at += 1
            elif character == "{":
                bounds = self.bounds()
                if bounds is None:
                    return node
                low, high = bounds
            else:
                return node
            if repeated:
                raise RegexpError("invalid nested repetition operator")
            repeated = True
            if self.peek() == "?":
                self.at += 1
            count = max(low, high or 0, 1)
            product = node.repeat * count
            if count > _MAX_REPEAT or (count > 1 and product > _MAX_REPEAT):
                raise RegexpError("invalid repeat count")
            size = node.size * count + 1
            if size > _MAX_SIZE:
                raise RegexpError("expression too large")
            node = _Node("repeat", parts=[node], low=low, high=high, size=size, repeat=product)

    def bounds(self) -> tuple[int, int | None] | None:
        """Read {n}, {n,} or {n,m}; a brace that is none of these is a literal."""
        end = self.text.find("}", self.at)
        if end < 0:
            return None
        low, comma, high = self.text[self.at + 1 : end].partition(",")
        if not _count(low) or (comma and high and not _count(high)):
            return None
        self.at = end + 1
        least = min(int(low[:6]), _MAX_REPEAT + 1)
        most = least if not comma else (min(int(high[:6]), _MAX_REPEAT + 1) if high else None)
        if most is not None and most < least:
            raise RegexpError("invalid repeat count")
        return least, most


def _count(text: str) -> bool:
    return text.isascii() and text.isdigit() and (len(text) == 1 or text[0] != "0")


def _range(low: str, high: str, flags: _Flags) -> Test:
    if not flags.ignore_case:
        return lambda c: low <= c <= high
    return lambda c: low <= c <= high or any(low <= x <= high for x in (c.lower(), c.upper()) if len(x) == 1)


@dataclass(slots=True)
class _State:
    """A state of the automaton: a character test, a zero-width condition, or a plain fork."""

    test: Test | None = None
    condition: str = ""
    targets: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Regexp:
    """A compiled expression."""

    states: tuple[_State, ...]
    start: int
    accept: int

    def fullmatch(self, text: str) -> bool:
        """Tell whether the whole text matches (Envoy's safe_regex is RE2::FullMatch)."""
        current = self._closure({self.start}, text, 0)
        for position, character in enumerate(text):
            following = set()
            for index in current:
                state = self.states[index]
                if state.test is not None and state.test(character):
                    following.update(state.targets)
            if not following:
                return False
            current = self._closure(following, text, position + 1)
        return self.accept in current

    def _closure(self, indices: set[int], text: str, position: int) -> set[int]:
        reached, waiting = set(), list(indices)
        while waiting:
            index = waiting.pop()
            if index in reached:
                continue
            reached.add(index)
            state = self.states[index]
            if state.test is None and (not state.condition or _holds(state.condition, text, position)):
                waiting.extend(state.targets)
        return reached


def _holds(condition: str, text: str, position: int) -> bool:
    if condition == "start":
        return position == 0
    if condition == "end":
        return position == len(text)
    if condition == "line-start":
        return position == 0 or text[position - 1] == "\n"
    if condition == "line-end":
        return position == len(text) or text[position] == "\n"
    word = _POSIX["word"]
    before = position > 0 and word(text[position - 1])
    after = position < len(text) and word(text[position])
    return (before != after) == (condition == "boundary")


class _Builder:
    def __init__(self) -> None:
        self.states: list[_State] = []

    def new(self, test: Test | None = None, condition: str = "") -> int:
        self.states.append(_State(test, condition))
        return len(self.states) - 1

    def link(self, start: int, end: int) -> None:
        self.states[start].targets.append(end)

    def build(self, node: _Node) -> tuple[int, int]:
        """Add the states of a node; gives its first and last state (Thompson's construction)."""
        if node.kind == "row":
            first = last = self.new()
            for part in node.parts:
                start, end = self.build(part)
                self.link(last, start)
                last = end
            return first, last
        if node.kind == "either":
            first, last = self.new(), self.new()
            for part in node.parts:
                start, end = self.build(part)
                self.link(first, start)
                self.link(end, last)
            return first, last
        if node.kind == "repeat":
            return self.repeat(node)
        first, last = self.new(node.test, "" if node.kind == "char" else node.kind), self.new()
        self.link(first, last)
        return first, last

    def repeat(self, node: _Node) -> tuple[int, int]:
        part = node.parts[0]
        first = last = self.new()
        for _ in range(node.low):
            start, end = self.build(part)
            self.link(last, start)
            last = end
        final = self.new()
        if node.high is None:
            loop = self.new()
            start, end = self.build(part)
            self.link(last, loop)
            self.link(loop, start)
            self.link(end, loop)
            self.link(loop, final)
            return first, final
        for _ in range(node.high - node.low):
            start, end = self.build(part)
            self.link(last, final)
            self.link(last, start)
            last = end
        self.link(last, final)
        return first, final


def check_regexp(text: str) -> None:
    """Check an expression without compiling it; raises RegexpError."""
    _Parser(text).parse()


@lru_cache(maxsize=512)
def compile_regexp(text: str) -> Regexp:
    """Compile an expression; raises RegexpError."""
    builder = _Builder()
    first, last = builder.build(_Parser(text).parse())
    return Regexp(tuple(builder.states), first, last)
