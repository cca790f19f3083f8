"""A text that came with a question."""

from dataclasses import dataclass

MOST_ATTACHED = 256 * 1024
"""Bytes of all attachments of a question together: a few hundred manifests."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text that came with a question: a manifest that was pasted, or dropped as a file."""

    name: str
    content: str
