"""Takes off what Slack, editors and people put around words.

Slack writes links as ``<url|label>``, mentions as ``<@U…>`` and ``<#C…|name>``, and escapes ``&``, ``<`` and ``>``
(api.slack.com/reference/surfaces/formatting).
"""

import re
import unicodedata

MAX_TEXT = 2_000
"""Longest text that is looked at, in characters; a question is far shorter."""

_LINK = re.compile(r"<([^<>|\s]*)(?:\|([^<>]*))?>")
_SCHEME = re.compile(r"^(?P<scheme>https?|wss?|tcp|udp|grpcs?)://(?P<authority>[^/?#\s]+)[^\s]*$", re.IGNORECASE)
_SCHEME_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_QUOTES = "\"'`“”‘’«»„‚"
_AROUND = _QUOTES + "()*~,;!?¿¡"
_ARROWS = {"<->": "<->", "<=>": "<->", "->": "->", "=>": "->", "-->": "->", "<-": "<-", "<=": "<-", "<--": "<-"}
_ARROW = re.compile("|".join(sorted(map(re.escape, _ARROWS), key=len, reverse=True)))
_PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "→": " -> ", "←": " <- ", "↔": " <-> ", "—": "-", "–": "-", "\u00a0": " "}
)


def undecorated(text: str) -> str:
    """Return the words alone, separated by single spaces; at most MAX_TEXT characters of the text are read."""
    text = text[:MAX_TEXT].translate(_PLAIN)
    text = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in text)
    text = text.replace("<->", " &lt;-&gt; ")
    text = _LINK.sub(_link_words, text)
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, char)
    text = _ARROW.sub(lambda arrow: f" {_ARROWS[arrow[0]]} ", text)
    return " ".join(filter(None, (_bare(word) for word in text.split())))


def _link_words(match: re.Match[str]) -> str:
    target, label = match.group(1), match.group(2)
    if target[:1] in ("@", "#", "!"):
        return " "
    # Nothing is put around it: Slack links ``api.stripe.com`` and leaves the ``:443`` behind the link.
    return label or target.removeprefix("mailto:")


def _bare(word: str) -> str:
    if word in _ARROWS or word == ">":
        return _ARROWS.get(word, "->")
    word = word.strip(_AROUND)
    # A full stop ends a sentence; inside a host name it stays.
    word = word.rstrip(".:" + _AROUND) if not word.startswith("[") else word.rstrip(".,;!?")
    url = _SCHEME.match(word)
    if not url:
        return word
    authority = url["authority"].rpartition("@")[2]
    port = _SCHEME_PORTS.get(url["scheme"].lower())
    has_port = authority.rpartition(":")[2].isdigit() and not authority.endswith("]")
    return authority if has_port or port is None else f"{authority}:{port}"
