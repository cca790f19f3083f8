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


def one_line(text: str) -> str:
    """Return the cleaned text on one line."""
    return _SPACE.sub(" ", clean(text)).strip()


def in_markdown(text: str) -> str:
    """Return one line that Markdown shows as it stands."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>#|~!" else character for character in one_line(text))
