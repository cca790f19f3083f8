"""``views.*``: modals and Home tabs."""

from __future__ import annotations

import hashlib
import json

from tools.playground import limits
from tools.playground.rate import Tier
from tools.playground.stand_in import StandIn, refusal
from tools.playground.web_api import Call, SlackError, method
from tools.playground.workspace import Change, ChangeKind, Json, View

MAX_STACK = 3


@method("views.open", Tier.FOUR)
def views_open(call: Call) -> Json:
    """Open a modal for the person behind the trigger."""
    definition = _definition(call, "modal")
    user = _trigger_user(call)
    call.stand_in.workspace.open_views[user] = []
    return {"view": push(call.stand_in, user, definition).to_slack()}


@method("views.push", Tier.FOUR)
def views_push(call: Call) -> Json:
    """Lay a modal over the one that is open."""
    definition = _definition(call, "modal")
    user = _trigger_user(call)
    if len(call.stand_in.workspace.view_stack(user)) >= MAX_STACK:
        raise SlackError("push_limit_reached")
    return {"view": push(call.stand_in, user, definition).to_slack()}


@method("views.update", Tier.FOUR)
def views_update(call: Call) -> Json:
    """Replace a view in place."""
    workspace = call.stand_in.workspace
    view = workspace.views.get(call.text("view_id")) or next(
        (
            item
            for item in workspace.views.values()
            if call.given("external_id") and item.definition.get("external_id") == call.text("external_id")
        ),
        None,
    )
    if view is None:
        raise SlackError("not_found")
    if call.optional("hash") not in (None, view.hash):
        raise SlackError("hash_conflict")
    definition = _definition(call, str(view.definition["type"]))
    replace(call.stand_in, view, definition)
    return {"view": view.to_slack()}


@method("views.publish", Tier.FOUR)
def views_publish(call: Call) -> Json:
    """Set the Home tab of a user."""
    definition = _definition(call, "home")
    workspace = call.stand_in.workspace
    user = workspace.users.get(call.required("user_id"))
    if user is None:
        raise SlackError("user_not_found")
    known = workspace.views.get(workspace.homes.get(user.id, ""))
    if known is not None and call.optional("hash") not in (None, known.hash):
        raise SlackError("hash_conflict")
    if known is not None:
        replace(call.stand_in, known, definition)
        return {"view": known.to_slack()}
    view = _new_view(call.stand_in, user.id, definition, None)
    workspace.homes[user.id] = view.id
    workspace.announce(Change(kind=ChangeKind.VIEWS, user=user.id))
    return {"view": view.to_slack()}


def push(stand_in: StandIn, user: str, definition: Json) -> View:
    """Show a modal on top of the user's stack."""
    workspace = stand_in.workspace
    stack = workspace.view_stack(user)
    view = _new_view(stand_in, user, definition, stack[-1] if stack else None)
    workspace.open_views.setdefault(user, []).append(view.id)
    workspace.announce(Change(kind=ChangeKind.VIEWS, user=user))
    return view


def replace(stand_in: StandIn, view: View, definition: Json) -> None:
    """Give a view new content."""
    view.definition = _stored(stand_in, definition)
    view.hash = _hash(stand_in, definition)
    stand_in.workspace.announce(Change(kind=ChangeKind.VIEWS, user=view.user))


def check_definition(definition: object, kind: str) -> None:
    """Refuse a view that Slack would refuse."""
    violations = limits.view_violations(definition)
    if violations:
        answer = refusal("invalid_arguments", violations)
        raise SlackError("invalid_arguments", response_metadata=answer["response_metadata"])
    if isinstance(definition, dict) and definition["type"] != kind:
        raise SlackError("invalid_arguments")


def _definition(call: Call, kind: str) -> Json:
    definition = call.structure("view")
    check_definition(definition, kind)
    found: Json = definition
    return found


def _trigger_user(call: Call) -> str:
    user, error = call.stand_in.take_trigger(call.required("trigger_id"))
    if user is None:
        raise SlackError(error)
    return user


def _new_view(stand_in: StandIn, user: str, definition: Json, below: View | None) -> View:
    identifier = stand_in.workspace.next_id("V")
    return stand_in.workspace.keep_view(
        View(
            id=identifier,
            user=user,
            definition=_stored(stand_in, definition),
            hash=_hash(stand_in, definition),
            root_id=below.root_id if below else identifier,
            previous_id=below.id if below else None,
        )
    )


def _stored(stand_in: StandIn, definition: Json) -> Json:
    return definition | {"blocks": stand_in.with_identifiers(definition["blocks"])}


def _hash(stand_in: StandIn, definition: Json) -> str:
    digest = hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()[:8]
    return f"{stand_in.workspace.next_ts()}.{digest}"
