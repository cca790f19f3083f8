"""Namespaces that stand apart from the names in them: "in shop", "in the shop namespace", "-n shop"."""

from dataclasses import replace

from handlers.model.endpoint import KUBECTL_SHORT_NAMES, HostName, Named
from handlers.names.grammar import End, Word, is_label
from handlers.names.lexicon import Cue
from handlers.sentence.tokens import Token

_NO_NAMESPACES = frozenset(
    """a an the this that these those it its my your our their any some all every each other here there last first
    second one two three both general place same another new about only between terms case fact order
    total particular progress theory practice question time charge short addition""".split()
)

_ANYBODY = frozenset("anything anyone anybody something somebody someone everything everybody everyone".split())
"""Who is every pod of the namespace behind: that is then one end, and not where the other one lives."""


def with_namespaces(tokens: list[Token]) -> tuple[list[Token], list[str]]:
    """Take ``in shop``, ``in the shop namespace`` and ``-n shop`` out, and give the names before them, or all, it."""
    kept: list[Token] = []
    namespaces: list[str] = []
    default = ""
    index = 0
    while index < len(tokens):
        length, namespace, is_for_all = _namespace_at(tokens, index)
        if not length:
            kept.append(tokens[index])
        elif kept and kept[-1].text.lower() in _ANYBODY:
            namespaces.append(namespace)
        elif is_for_all or not any(token.is_end or token.is_bare for token in kept):
            default = namespace
        elif (place := _named_before(kept)) is not None:
            kept[place] = _qualified(kept[place], namespace)
        elif not _is_in(kept[-1], namespace):
            namespaces.append(namespace)
        index += length or 1
    if default and not any(token.is_bare for token in kept):
        namespaces.append(default)
    return [_qualified(token, default) if default and token.is_bare else token for token in kept], namespaces


def _named_before(kept: list[Token]) -> int | None:
    """Return where the bare name is that stands last, a kind behind it let pass: the cart pod in shop."""
    last = len(kept) - 1
    if last > 0 and kept[last].text.lower() in KUBECTL_SHORT_NAMES:
        last -= 1
    return last if kept[last].is_bare else None


def _namespace_at(tokens: list[Token], index: int) -> tuple[int, str, bool]:
    """Return how many tokens from here say a namespace, which, and whether it is for all bare names."""

    def bare(offset: int) -> str:
        at = index + offset
        return tokens[at].text.lower() if at < len(tokens) and tokens[at].is_bare else ""

    def does(offset: int, cue: Cue) -> bool:
        return index + offset < len(tokens) and tokens[index + offset].does(cue)

    if does(0, Cue.FLAG) and bare(1):
        return 2, bare(1), True
    flag, _, named = tokens[index].text.partition("=")
    if named and flag in ("-n", "--namespace") and is_label(named.lower()):
        return 1, named.lower(), True
    start = 1 if does(0, Cue.IN) or does(0, Cue.OF) or does(0, Cue.FOR) else 0
    article = 1 if start + index < len(tokens) and tokens[start + index].text.lower() == "the" else 0
    named_at = start + article
    if does(named_at, Cue.NAMESPACE) and bare(named_at + 1):
        return named_at + 2, bare(named_at + 1), False
    if bare(named_at) and does(named_at + 1, Cue.NAMESPACE):
        return named_at + 2, bare(named_at), False
    if does(0, Cue.IN) and (name := bare(named_at) or _filler(tokens, index + named_at)):
        return named_at + 1, name, False
    return 0, "", False


def _filler(tokens: list[Token], at: int) -> str:
    """Return a word that means nothing elsewhere and behind "in" may be a namespace: prod, data, team."""
    token = tokens[at] if at < len(tokens) else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    leads = after is not None and (after.is_end or after.does(Cue.TO, Cue.FROM))
    # "logging" is a namespace as often as a verb.
    is_noun = token is not None and token.text.lower().endswith("ing") and token.item is None and not leads
    text = token.text.lower() if token and (token.cues == {Cue.FILLER} or is_noun) else ""
    return text if is_label(text) and not text.isdigit() and text not in _NO_NAMESPACES else ""


def _qualified(token: Token, namespace: str) -> Token:
    word = token.item
    if not isinstance(word, Word):
        return token
    return replace(token, item=End(Named(namespace, word.text.lower()), word.port), is_qualified=True)


def _is_in(token: Token, namespace: str) -> bool:
    name = token.item.name if isinstance(token.item, End) else None
    return (isinstance(name, Named) and name.namespace == namespace) or (
        isinstance(name, HostName) and name.name.endswith(f".{namespace}")
    )
