"""Recorded moments in which policy stops a connection, and the same clusters after the proposed patch was applied."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
import yaml

from handlers.catalogue import understand
from handlers.engine import answer
from handlers.fixes.judge import FixState, judge
from handlers.model.change import Change
from handlers.model.cluster import PolicyObject
from handlers.model.flow import EventType, Flow, FlowVerdict
from handlers.model.parts import Part
from handlers.model.report import Patch, Report
from handlers.model.snapshot import AnyPart, Known, Snapshot
from tests.scenarios.snapshots import whole

APPLIED, TRIED, LOOKED = timedelta(minutes=2), timedelta(minutes=3), timedelta(minutes=4)
"""After the recorded moment: when the patches were applied, packets were sent, and the cluster was asked again."""
STOPPED = {
    "a default deny of the destination": ("02-ingress-default-deny", "why shop/loadgen shop/cart 8080"),
    "a port that is not listed": ("06-wrong-port", "why shop/cart shop/redis 6379"),
    "a range that is not listed": ("12-egress-cidr", "why shop/frontend 198.19.50.7 80"),
    "both sides": ("14-both-sides", "why shop/loadgen payments/checkout-api 443"),
}


@cache
def asked(scenario: str, question: str) -> Report:
    """Return the report that proposes the patches."""
    return answer(understand(question).question, whole(scenario))


def asked_later(
    scenario: str, question: str, patches: Iterable[Patch], tried: Sequence[Flow] = (), *, port: str = ""
) -> Report:
    """Return the answer after patches were applied, with another ``port`` in the place of 8080 where one is given."""
    then = whole(scenario)
    at = then.taken_at + APPLIED
    changed = {patch.policy: _object(patch, at, port) for patch in patches}
    flows = recorded(then, Part.FLOWS)
    log = replace(flows, flows=(*flows.flows, *tried), until=then.taken_at + LOOKED)
    parts: dict[AnyPart, Any] = {**then.parts, Part.FLOWS: Known(log, log.until)}
    for part in (Part.POLICIES, Part.ALL_POLICIES):
        kept = [policy for policy in recorded(then, part) if policy.ref not in changed]
        parts[part] = Known((*kept, *changed.values()), log.until)
    return answer(understand(question).question, Snapshot(log.until, then.source, parts))


def recorded(then: Snapshot, part: AnyPart) -> Any:
    """Return what was read of a part."""
    look = then.parts[part]
    assert isinstance(look, Known)
    return look.value


def _object(patch: Patch, at: Any, port: str) -> PolicyObject:
    manifest = yaml.safe_load(patch.manifest)
    if port:
        manifest["spec"] = yaml.safe_load(yaml.safe_dump(manifest["spec"]).replace("8080", port))
    kind, namespace, name = patch.policy.split("/")
    change = Change(kind, namespace, name, "kubectl-patch", at, patch.is_new, ("spec.ingress",))
    return PolicyObject(kind, namespace, name, manifest, at, (change,))


def tries(scenario: str, question: str, *, pass_: bool) -> tuple[Flow, ...]:
    """Return the packets that were dropped as if they were sent again: delivered and answered, or dropped."""
    then = whole(scenario)
    sender = question.split()[1].partition("/")[2]
    dropped = [
        one
        for one in recorded(then, Part.FLOWS).flows
        if one.drop_reason and one.source.pod.startswith(sender) and one.destination.port != 53
    ]
    return tuple(_again(dropped, then.taken_at + TRIED, pass_=pass_))


def _again(dropped: Iterable[Flow], at: Any, *, pass_: bool) -> Iterator[Flow]:
    for flow in dropped:
        if not pass_:
            yield replace(flow, time=at)
            continue
        sent = replace(
            flow,
            time=at,
            verdict=FlowVerdict.FORWARDED,
            event_type=EventType.TRACE,
            drop_reason=None,
            is_reply=False,
            observation_point="TO_ENDPOINT",
            denied_by=(),
        )
        yield sent
        yield replace(
            sent, is_reply=True, source=flow.destination, destination=flow.source, tcp_flags=frozenset({"ACK"})
        )


@pytest.mark.parametrize(("scenario", "question"), STOPPED.values(), ids=STOPPED)
def test_the_proposed_patch_is_seen_to_work(scenario: str, question: str) -> None:
    before = asked(scenario, question)
    fix = judge(before, asked_later(scenario, question, before.patches, tries(scenario, question, pass_=True)))
    assert fix.state is FixState.FIXED, str(fix.sentence)
    applied = f"{whole(scenario).taken_at + APPLIED:%H:%M:%S} UTC"
    names = {patch.policy.partition("/")[2] for patch in before.patches}
    assert any(
        f"fixed by kubectl-patch of {name} at {applied}, packets pass since" in str(fix.sentence) for name in names
    )


NOT_YET: dict[str, tuple[str, dict[str, Any], FixState, str]] = {
    "nothing was applied": (
        "02-ingress-default-deny",
        {"applied": 0},
        FixState.STILL_BLOCKED,
        "still blocked, nothing",
    ),
    "applied to the wrong port": (
        "02-ingress-default-deny",
        {"port": "9999"},
        FixState.APPLIED_STILL_BLOCKED,
        "applied, still dropped, because ",
    ),
    "one of two patches": (
        "14-both-sides",
        {"applied": 1},
        FixState.APPLIED_STILL_BLOCKED,
        "applied, still dropped, because another blocker is left: ",
    ),
}


@pytest.mark.parametrize(("scenario", "how", "state", "words"), NOT_YET.values(), ids=NOT_YET)
def test_what_is_not_mended_is_not_called_so(scenario: str, how: dict[str, Any], state: FixState, words: str) -> None:
    question = next(asked_of for recorded, asked_of in STOPPED.values() if recorded == scenario)
    before = asked(scenario, question)
    patches = before.patches[: how.get("applied", len(before.patches))]
    dropped = tries(scenario, question, pass_=False)
    fix = judge(before, asked_later(scenario, question, patches, dropped, port=how.get("port", "")))
    assert fix.state is state, str(fix.sentence)
    assert words in str(fix.sentence)
