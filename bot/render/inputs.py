"""The pieces of a form in a modal, within Slack's limits (https://docs.slack.dev/reference/block-kit/block-elements)."""

from collections.abc import Iterable, Sequence
from typing import Any

from bot.render.blocks import Block, plain, size

OPTION_LABEL = 75
OPTION_VALUE = 150
MOST_OPTIONS = 100
TITLE = 24
METADATA = 3_000
_LABEL = 2_000
_TYPED = 200
"""Characters that a person may type into one line."""


def option(value: str, label: str = "", description: str = "") -> Block | None:
    """Return a choice of a menu, None where its value does not fit."""
    if not value or size(value) > OPTION_VALUE:
        return None
    chosen: Block = {"text": plain(label or value, OPTION_LABEL), "value": value}
    return {**chosen, "description": plain(description, OPTION_LABEL)} if description else chosen


def options(found: Iterable[Block | None]) -> list[Block]:
    """Return the choices that there are, as many as a menu holds."""
    return [one for one in found if one][:MOST_OPTIONS]


def menu(block_id: str, label: str, choices: Sequence[Block], initial: str) -> Block:
    """Return a menu with one choice taken."""
    element: Block = {"type": "static_select", "action_id": block_id, "options": list(choices)}
    taken = next((one for one in choices if one["value"] == initial), None)
    return _input(block_id, label, {**element, "initial_option": taken} if taken else element)


def suggesting(block_id: str, label: str, placeholder: str, *, hint: str = "") -> Block:
    """Return a menu whose choices are asked for as somebody types; it may be left empty."""
    element: Block = {
        "type": "external_select",
        "action_id": block_id,
        "min_query_length": 1,
        "placeholder": plain(placeholder, 150),
    }
    return _input(block_id, label, element, optional=True, hint=hint)


def line(block_id: str, label: str, placeholder: str) -> Block:
    """Return a line to type in; it may be left empty."""
    element: Block = {
        "type": "plain_text_input",
        "action_id": block_id,
        "max_length": _TYPED,
        "placeholder": plain(placeholder, 150),
    }
    return _input(block_id, label, element, optional=True)


def form(callback_id: str, title: str, submit: str, inputs: Sequence[Block], *, metadata: str) -> dict[str, Any]:
    """Return a modal (https://docs.slack.dev/reference/views/modal-views)."""
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, TITLE),
        "submit": plain(submit, TITLE),
        "close": plain("Cancel", TITLE),
        "private_metadata": metadata,
        "blocks": list(inputs),
    }


def _input(block_id: str, label: str, element: Block, *, optional: bool = False, hint: str = "") -> Block:
    made: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, _LABEL),
        "element": element,
        "optional": optional,
    }
    return {**made, "hint": plain(hint, _LABEL)} if hint else made
