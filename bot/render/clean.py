"""Text from a cluster is hostile until shown otherwise: no control or invisible characters, no tricks of direction.

A pod's log line or a label may carry terminal escapes, right-to-left overrides (CVE-2021-42574) or half of a surrogate
pair, which no JSON in UTF-8 can hold.
"""

import re

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 controls but tab and line feed
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, and direction marks
    "\ue000\ue001"  # kept free for the renderer's own marks
    "\ud800-\udfff\U000e0000-\U000e007f]"  # lone surrogates, and tags that spell text nobody sees
)
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """Return the text with every unsafe character shown as U+FFFD. Line feeds and tabs stay."""
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n"))


def in_json(text: str) -> str:
    """Return JSON that says the same, with its unsafe characters written as escapes."""
    return _UNSAFE.sub(lambda found: "".join(f"\\u{unit:04x}" for unit in _utf16(found[0])), text)


def _utf16(character: str) -> list[int]:
    units = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)]


def one_line(text: str) -> str:
    """Return the cleaned text on one line."""
    return _SPACE.sub(" ", clean(text)).strip()


def in_markdown(text: str) -> str:
    """Return one line that Markdown shows as it stands."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>#|~!" else character for character in one_line(text))
