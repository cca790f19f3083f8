"""Slack's limits on blocks, texts and views, as its server enforces them.

Sources: Slack documents "Blocks", "Block elements", "Composition objects", "chat.postMessage" and "View object" for the
numbers; the wording of the complaints (``must be less than 3001 characters [json-pointer:/blocks/0/text/text]``)
follows what the server answers. ``msg_blocks_too_long`` at about 13,200 characters over all blocks is not documented;
it was reported for the JavaScript SDK (bolt-js issue 2509).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_TEXT = 40_000
MAX_UPDATE_TEXT = 4_000
MAX_BLOCKS_TEXT = 13_200
MAX_MARKDOWN = 12_000
MAX_MESSAGE_BLOCKS = 50
MAX_VIEW_BLOCKS = 100
MAX_ATTACHMENTS = 100
MAX_IDENTIFIER = 255
MAX_LOADING_MESSAGES = 10
MAX_SUGGESTIONS = 100

BUTTON_TYPES = ("button", "workflow_button")
MENUS = tuple(
    f"{many}{source}_select"
    for many in ("", "multi_")
    for source in ("static", "external", "users", "conversations", "channels")
)
PICKERS = ("datepicker", "timepicker", "datetimepicker")
CHOICES = ("radio_buttons", "checkboxes")
INPUTS = ("plain_text_input", "url_text_input", "email_text_input", "number_input", "rich_text_input", "file_input")
ACTION_ELEMENTS = frozenset((*BUTTON_TYPES, *MENUS, *PICKERS, *CHOICES, "overflow"))
ACCESSORIES = ACTION_ELEMENTS | {"image"}
INPUT_ELEMENTS = frozenset((*MENUS, *PICKERS, *CHOICES, *INPUTS))

_ELEMENT_KEYS: dict[str, frozenset[str]] = {
    "button": frozenset("text url value style confirm accessibility_label".split()),
    "workflow_button": frozenset("text workflow style accessibility_label".split()),
    "overflow": frozenset({"options", "confirm"}),
    "radio_buttons": frozenset("options initial_option confirm focus_on_load".split()),
    "checkboxes": frozenset("options initial_options confirm focus_on_load".split()),
    "image": frozenset("image_url alt_text slack_file".split()),
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One complaint of the server, with a JSON pointer into the arguments."""

    pointer: str
    complaint: str

    def __str__(self) -> str:
        return f"{self.complaint} [json-pointer:{self.pointer}]"


@dataclass(slots=True)
class _Check:
    """Collects complaints while walking the blocks of one payload."""

    violations: list[Violation] = field(default_factory=list)
    block_ids: set[str] = field(default_factory=set)
    markdown_length: int = 0

    def fail(self, pointer: str, complaint: str) -> None:
        self.violations.append(Violation(pointer, complaint))

    def mapping(self, value: object, pointer: str) -> dict[str, Any] | None:
        if isinstance(value, dict):
            return value
        self.fail(pointer, "must provide an object")
        return None

    def items(self, owner: dict[str, Any], key: str, pointer: str, most: int, least: int = 1) -> list[Any]:
        here = f"{pointer}/{key}"
        if key not in owner:
            self.fail(pointer, f"missing required field: {key}")
            return []
        value = owner[key]
        if not isinstance(value, list):
            self.fail(here, "must provide an array")
            return []
        if len(value) > most:
            self.fail(here, f"no more than {most} items allowed")
        if len(value) < least:
            self.fail(here, f"no less than {least} items allowed" if least > 1 else "must be more than 0 items")
        return value

    def string(self, owner: dict[str, Any], key: str, pointer: str, most: int, *, required: bool = False) -> None:
        if owner.get(key) is None:
            if required:
                self.fail(pointer, f"missing required field: {key}")
            return
        self.length(owner[key], f"{pointer}/{key}", most)

    def length(self, value: object, pointer: str, most: int, least: int = 1) -> None:
        if not isinstance(value, str):
            self.fail(pointer, "must be a valid string")
        elif len(value) > most:
            self.fail(pointer, f"must be less than {most + 1} characters")
        elif len(value) < least:
            self.fail(pointer, f"must be more than {least - 1} characters")

    def text(
        self,
        owner: dict[str, Any],
        key: str,
        pointer: str,
        most: int,
        *,
        plain_only: bool = False,
        required: bool = True,
    ) -> None:
        if owner.get(key) is None:
            if required:
                self.fail(pointer, f"missing required field: {key}")
            return
        self.text_object(owner[key], f"{pointer}/{key}", most, plain_only=plain_only)

    def text_object(self, value: object, pointer: str, most: int, *, plain_only: bool = False) -> None:
        nested = _Check()
        found = nested.mapping(value, pointer)
        if found is not None:
            kind = found.get("type")
            if plain_only and kind != "plain_text":
                nested.fail(f"{pointer}/type", "must be a valid enum value")
            elif kind not in ("plain_text", "mrkdwn"):
                nested.fail(f"{pointer}/type", "must be a valid enum value" if kind else "missing required field: type")
            nested.length(found.get("text", ""), f"{pointer}/text", most)
            allowed = {"type", "text", "emoji"} if kind == "plain_text" else {"type", "text", "verbatim"}
            nested.known(found, allowed, pointer)
        if nested.violations:
            self.fail(pointer, "failed to match all allowed schemas")
            self.violations.extend(nested.violations)

    def known(self, value: dict[str, Any], allowed: set[str] | frozenset[str], pointer: str) -> None:
        for key in value:
            if key not in allowed:
                self.fail(pointer, f"invalid additional property: {key}")


def block_violations(blocks: object, *, most: int = MAX_MESSAGE_BLOCKS, pointer: str = "/blocks") -> list[Violation]:
    """Return what Slack would complain about in ``blocks``."""
    check = _Check()
    if not isinstance(blocks, list):
        return [Violation(pointer, "must provide an array")]
    if len(blocks) > most:
        check.fail(pointer, f"no more than {most} items allowed")
    for index, block in enumerate(blocks[: most + 1]):
        _block(check, block, f"{pointer}/{index}")
    tables = [index for index, block in enumerate(blocks) if isinstance(block, dict) and block.get("type") == "table"]
    if len(tables) > 1:
        check.fail(f"{pointer}/{tables[1]}", "only one table is allowed")
    if check.markdown_length > MAX_MARKDOWN:
        check.fail(pointer, f"markdown blocks must be less than {MAX_MARKDOWN + 1} characters together")
    return check.violations


def total_text(blocks: object) -> int:
    """Return how many characters of text all blocks hold together."""
    return sum(len(text) for text in _texts(blocks))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ("text", "alt_text") and isinstance(item, str):
                yield item
            elif isinstance(item, (dict, list)):
                yield from _texts(item)


def view_violations(view: object) -> list[Violation]:
    """Return what Slack would complain about in a modal or Home view (Slack document: "View object")."""
    check = _Check()
    found = check.mapping(view, "/view")
    if found is None:
        return check.violations
    kind = found.get("type")
    if kind not in ("modal", "home"):
        check.fail("/view/type", "must be a valid enum value")
    if kind == "modal":
        check.text(found, "title", "/view", 24, plain_only=True)
        check.text(found, "submit", "/view", 24, plain_only=True, required=False)
        check.text(found, "close", "/view", 24, plain_only=True, required=False)
    check.string(found, "callback_id", "/view", MAX_IDENTIFIER)
    check.string(found, "external_id", "/view", MAX_IDENTIFIER)
    if found.get("private_metadata"):
        check.length(found["private_metadata"], "/view/private_metadata", 3000)
    blocks = found.get("blocks")
    check.violations.extend(block_violations(blocks, most=MAX_VIEW_BLOCKS, pointer="/view/blocks"))
    has_input = isinstance(blocks, list) and any(
        isinstance(item, dict) and item.get("type") == "input" for item in blocks
    )
    if kind == "modal" and has_input and not found.get("submit"):
        check.fail("/view/submit", "missing required field: submit")
    return check.violations


# -- blocks ---------------------------------------------------------------------------------------------------------


def _block(check: _Check, block: object, pointer: str) -> None:
    found = check.mapping(block, pointer)
    if found is None:
        return
    kind = found.get("type")
    if kind is None:
        check.fail(pointer, "missing required field: type")
        return
    rule = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if rule is None:
        check.fail(f"{pointer}/type", f"unsupported type: {kind}")
        return
    if rule.keys is not None:
        check.known(found, rule.keys | {"type", "block_id"}, pointer)
    identifier = found.get("block_id")
    if identifier is not None:
        check.length(identifier, f"{pointer}/block_id", MAX_IDENTIFIER, least=0)
        if identifier and identifier in check.block_ids:
            check.fail(f"{pointer}/block_id", f"block_id {identifier} already exists")
        check.block_ids.add(str(identifier))
    rule.check(check, found, pointer)


def _section(check: _Check, block: dict[str, Any], pointer: str) -> None:
    if block.get("text") is None and block.get("fields") is None:
        check.fail(pointer, "missing required field: text or fields")
    check.text(block, "text", pointer, 3000, required=False)
    if block.get("fields") is not None:
        for index, item in enumerate(check.items(block, "fields", pointer, 10)):
            check.text_object(item, f"{pointer}/fields/{index}", 2000)
    if block.get("accessory") is not None:
        _element(check, block["accessory"], f"{pointer}/accessory", ACCESSORIES)


def _header(check: _Check, block: dict[str, Any], pointer: str) -> None:
    check.text(block, "text", pointer, 150, plain_only=True)


def _divider(check: _Check, block: dict[str, Any], pointer: str) -> None:
    """A divider holds nothing."""


def _context(check: _Check, block: dict[str, Any], pointer: str) -> None:
    for index, item in enumerate(check.items(block, "elements", pointer, 10)):
        here = f"{pointer}/elements/{index}"
        if isinstance(item, dict) and item.get("type") == "image":
            _element(check, item, here, frozenset({"image"}))
        else:
            check.text_object(item, here, 3000)


def _actions(check: _Check, block: dict[str, Any], pointer: str) -> None:
    seen: set[str] = set()
    for index, item in enumerate(check.items(block, "elements", pointer, 25)):
        here = f"{pointer}/elements/{index}"
        _element(check, item, here, ACTION_ELEMENTS)
        identifier = item.get("action_id") if isinstance(item, dict) else None
        if isinstance(identifier, str) and identifier:
            if identifier in seen:
                check.fail(f"{here}/action_id", f"action_id {identifier} already exists in this block")
            seen.add(identifier)


def _context_actions(check: _Check, block: dict[str, Any], pointer: str) -> None:
    for index, item in enumerate(check.items(block, "elements", pointer, 5)):
        _element(check, item, f"{pointer}/elements/{index}", frozenset({"feedback_buttons", "icon_button"}))


def _image(check: _Check, block: dict[str, Any], pointer: str) -> None:
    check.string(block, "alt_text", pointer, 2000, required=True)
    check.text(block, "title", pointer, 2000, plain_only=True, required=False)
    _image_source(check, block, pointer)


def _image_source(check: _Check, owner: dict[str, Any], pointer: str) -> None:
    if owner.get("image_url") is None and owner.get("slack_file") is None:
        check.fail(pointer, "missing required field: image_url")
    check.string(owner, "image_url", pointer, 3000)
    url = owner.get("image_url")
    if isinstance(url, str) and not url.startswith(("http://", "https://")):
        check.fail(f"{pointer}/image_url", "invalid url")


def _input(check: _Check, block: dict[str, Any], pointer: str) -> None:
    check.text(block, "label", pointer, 2000, plain_only=True)
    check.text(block, "hint", pointer, 2000, plain_only=True, required=False)
    if block.get("element") is None:
        check.fail(pointer, "missing required field: element")
    else:
        _element(check, block["element"], f"{pointer}/element", INPUT_ELEMENTS)


def _markdown(check: _Check, block: dict[str, Any], pointer: str) -> None:
    if not isinstance(block.get("text"), str):
        check.fail(pointer, "missing required field: text")
        return
    check.length(block["text"], f"{pointer}/text", MAX_MARKDOWN)
    check.markdown_length += len(block["text"])


RICH_TEXT_PARTS = ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
RICH_TEXT_LEAVES = frozenset("text link user usergroup channel emoji broadcast color date team".split())


def _rich_text(check: _Check, block: dict[str, Any], pointer: str) -> None:
    for index, part in enumerate(check.items(block, "elements", pointer, 1000, least=0)):
        _rich_text_part(check, part, f"{pointer}/elements/{index}")


def _rich_text_part(check: _Check, part: object, pointer: str) -> None:
    found = check.mapping(part, pointer)
    if found is None:
        return
    kind = found.get("type")
    if kind not in RICH_TEXT_PARTS:
        check.fail(f"{pointer}/type", f"unsupported type: {kind}")
        return
    for index, leaf in enumerate(check.items(found, "elements", pointer, 10_000, least=0)):
        here = f"{pointer}/elements/{index}"
        if kind == "rich_text_list":
            _rich_text_part(check, leaf, here)
            continue
        inner = check.mapping(leaf, here)
        if inner is None:
            continue
        if inner.get("type") not in RICH_TEXT_LEAVES:
            check.fail(f"{here}/type", f"unsupported type: {inner.get('type')}")
        elif inner["type"] == "text" and not isinstance(inner.get("text"), str):
            check.fail(here, "missing required field: text")
        elif inner["type"] == "text":
            check.length(inner["text"], f"{here}/text", MAX_TEXT)


def _table(check: _Check, block: dict[str, Any], pointer: str) -> None:
    _rows(check, block, pointer, most_rows=100, least_rows=1, cells=("raw_text", "raw_number", "rich_text"))
    if block.get("column_settings") is not None:
        check.items(block, "column_settings", pointer, 20)


def _data_table(check: _Check, block: dict[str, Any], pointer: str) -> None:
    check.string(block, "caption", pointer, 3000, required=True)
    rows = _rows(check, block, pointer, most_rows=101, least_rows=2, cells=("raw_text", "raw_number", "rich_text"))
    for index, cell in enumerate(rows[0] if rows and isinstance(rows[0], list) else []):
        if isinstance(cell, dict) and cell.get("type") == "rich_text":
            check.fail(f"{pointer}/rows/0/{index}/type", "unsupported type: rich_text")
    size = block.get("page_size", 5)
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 100:
        check.fail(f"{pointer}/page_size", "must be between 1 and 100")


def _rows(
    check: _Check, block: dict[str, Any], pointer: str, *, most_rows: int, least_rows: int, cells: tuple[str, ...]
) -> list[Any]:
    rows = check.items(block, "rows", pointer, most_rows, least_rows)
    for row_index, row in enumerate(rows):
        here = f"{pointer}/rows/{row_index}"
        if not isinstance(row, list):
            check.fail(here, "must provide an array")
            continue
        if len(row) > 20:
            check.fail(here, "no more than 20 items allowed")
        for index, cell in enumerate(row):
            found = check.mapping(cell, f"{here}/{index}")
            if found is None:
                continue
            if found.get("type") not in cells:
                check.fail(f"{here}/{index}/type", f"unsupported type: {found.get('type')}")
            elif found["type"] == "rich_text":
                _rich_text(check, found, f"{here}/{index}")
            elif found["type"] == "raw_text":
                check.length(found.get("text"), f"{here}/{index}/text", 3000)
    return rows


def _data_visualization(check: _Check, block: dict[str, Any], pointer: str) -> None:
    check.string(block, "title", pointer, 50, required=True)
    chart = check.mapping(block.get("chart"), f"{pointer}/chart")
    if chart is None:
        return
    here = f"{pointer}/chart"
    if chart.get("type") == "pie":
        check.items(chart, "segments", here, 6)
    elif chart.get("type") in ("line", "bar", "area"):
        for index, series in enumerate(check.items(chart, "series", here, 6)):
            inner = check.mapping(series, f"{here}/series/{index}")
            if inner is not None:
                check.string(inner, "name", f"{here}/series/{index}", 20, required=True)
                check.items(inner, "data", f"{here}/series/{index}", 20)
    else:
        check.fail(f"{here}/type", "must be a valid enum value")


def _file(check: _Check, block: dict[str, Any], pointer: str) -> None:
    check.string(block, "external_id", pointer, MAX_IDENTIFIER, required=True)
    if block.get("source") != "remote":
        check.fail(f"{pointer}/source", "must be a valid enum value")


def _video(check: _Check, block: dict[str, Any], pointer: str) -> None:
    check.string(block, "alt_text", pointer, 2000, required=True)
    check.text(block, "title", pointer, 200, plain_only=True)
    check.string(block, "thumbnail_url", pointer, 3000, required=True)
    check.string(block, "video_url", pointer, 3000, required=True)


def _plan(check: _Check, block: dict[str, Any], pointer: str) -> None:
    for index, task in enumerate(check.items(block, "tasks", pointer, MAX_MESSAGE_BLOCKS, least=0)):
        inner = check.mapping(task, f"{pointer}/tasks/{index}")
        if inner is not None:
            _task_card(check, inner, f"{pointer}/tasks/{index}")


def _task_card(check: _Check, block: dict[str, Any], pointer: str) -> None:
    check.string(block, "task_id", pointer, MAX_IDENTIFIER, required=True)
    check.string(block, "title", pointer, 3000, required=True)
    if block.get("status", "pending") not in ("pending", "in_progress", "complete", "error"):
        check.fail(f"{pointer}/status", "must be a valid enum value")


@dataclass(frozen=True, slots=True)
class _BlockRule:
    check: Callable[[_Check, dict[str, Any], str], None]
    keys: frozenset[str] | None = None


_BLOCKS: dict[str, _BlockRule] = {
    "section": _BlockRule(_section, frozenset({"text", "fields", "accessory", "expand"})),
    "header": _BlockRule(_header, frozenset({"text", "level"})),
    "divider": _BlockRule(_divider, frozenset()),
    "context": _BlockRule(_context, frozenset({"elements"})),
    "actions": _BlockRule(_actions, frozenset({"elements"})),
    "context_actions": _BlockRule(_context_actions, frozenset({"elements"})),
    "image": _BlockRule(_image, frozenset({"image_url", "slack_file", "alt_text", "title"})),
    "input": _BlockRule(_input, frozenset({"label", "element", "hint", "optional", "dispatch_action"})),
    "markdown": _BlockRule(_markdown, frozenset({"text"})),
    "rich_text": _BlockRule(_rich_text, frozenset({"elements"})),
    "table": _BlockRule(_table, frozenset({"rows", "column_settings"})),
    "data_table": _BlockRule(_data_table),
    "data_visualization": _BlockRule(_data_visualization),
    "file": _BlockRule(_file, frozenset({"external_id", "source"})),
    "video": _BlockRule(_video),
    "plan": _BlockRule(_plan),
    "task_card": _BlockRule(_task_card),
}


# -- elements -------------------------------------------------------------------------------------------------------


def _element(check: _Check, element: object, pointer: str, allowed: frozenset[str]) -> None:
    found = check.mapping(element, pointer)
    if found is None:
        return
    kind = found.get("type")
    if kind not in allowed:
        check.fail(f"{pointer}/type", f"unsupported type: {kind}" if kind else "missing required field: type")
        return
    if kind in _ELEMENT_KEYS:
        check.known(found, _ELEMENT_KEYS[kind] | {"type", "action_id"}, pointer)
    check.string(found, "action_id", pointer, MAX_IDENTIFIER)
    if kind in BUTTON_TYPES:
        _button(check, found, pointer)
    elif kind == "image":
        check.string(found, "alt_text", pointer, 2000, required=True)
        _image_source(check, found, pointer)
    elif kind == "overflow":
        _options(check, found, pointer, 5, value_most=150)
    elif kind in CHOICES:
        _options(check, found, pointer, 10, value_most=150)
    elif kind in ("static_select", "multi_static_select"):
        _menu_options(check, found, pointer)
    check.text(found, "placeholder", pointer, 150, plain_only=True, required=False)
    if found.get("confirm") is not None:
        _confirm(check, found["confirm"], f"{pointer}/confirm")


def _button(check: _Check, button: dict[str, Any], pointer: str) -> None:
    check.text(button, "text", pointer, 75, plain_only=True)
    if button.get("value"):
        check.length(button["value"], f"{pointer}/value", 2000)
    check.string(button, "url", pointer, 3000)
    check.string(button, "accessibility_label", pointer, 75)
    if button.get("style") not in (None, "primary", "danger"):
        check.fail(f"{pointer}/style", "must be a valid enum value")


def _menu_options(check: _Check, menu: dict[str, Any], pointer: str) -> None:
    if menu.get("option_groups") is None:
        _options(check, menu, pointer, 100, value_most=150)
        return
    for index, group in enumerate(check.items(menu, "option_groups", pointer, 100)):
        here = f"{pointer}/option_groups/{index}"
        inner = check.mapping(group, here)
        if inner is not None:
            check.text(inner, "label", here, 75, plain_only=True)
            _options(check, inner, here, 100, value_most=150)


def _options(check: _Check, owner: dict[str, Any], pointer: str, most: int, *, value_most: int) -> None:
    for index, option in enumerate(check.items(owner, "options", pointer, most)):
        here = f"{pointer}/options/{index}"
        inner = check.mapping(option, here)
        if inner is None:
            continue
        check.text(inner, "text", here, 75)
        check.string(inner, "value", here, value_most, required=True)
        check.text(inner, "description", here, 75, required=False)


def option_violations(options: object) -> list[Violation]:
    """Return what Slack objects to in suggestions for an external menu; no suggestion at all is fine."""
    check = _Check()
    if options != []:
        _options(check, {"options": options}, "", MAX_SUGGESTIONS, value_most=150)
    return check.violations


def _confirm(check: _Check, value: object, pointer: str) -> None:
    found = check.mapping(value, pointer)
    if found is None:
        return
    check.text(found, "title", pointer, 100, plain_only=True, required=False)
    check.text(found, "text", pointer, 300, required=False)
    check.text(found, "confirm", pointer, 30, plain_only=True, required=False)
    check.text(found, "deny", pointer, 30, plain_only=True, required=False)
