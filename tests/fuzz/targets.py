"""What takes input from outside: each entrance, inputs that are right, and the errors that it may answer with.

Anything else that is raised is a defect, and so is a finding that says of itself that its probe broke.
"""

import gzip
import io
import json
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import DecodeError

from bot.channel_rules import READERS, RuleError, checked
from bot.orders import ORDERS
from bot.render.report import report_message
from bot.render.text import plain
from handlers.alerts.alert import NotAnAlertError, Received
from handlers.alerts.cards import cards_of
from handlers.alerts.received import received
from handlers.catalogue import CATALOGUE
from handlers.commands.command import NotUnderstoodError
from handlers.contract import ContractError, read_contract
from handlers.model.finding import Outcome
from handlers.model.manifest_yaml import ManifestError, load_manifests
from handlers.model.parts import Part
from handlers.model.snapshot import Gap
from handlers.policy import PolicyConfig, compile_policies
from tests.alerts.rows import ROWS
from tests.cluster.record import Record, record
from tests.fuzz.mutations import Mutation, bytes_changed, json_changed, words_changed
from tests.names.sentences import SENTENCES
from tests.policy.test_conformance import recorded
from tests.policy.test_hostile_input import ask
from tests.policy.worlds import surroundings
from tests.sources.dumps import files_of, packed_dump
from workers.origin import NotOpenedError, Recorded, Sysdump, opened
from workers.runner import run
from workers.sources.archive import ArchiveError, open_packed
from workers.sources.assemble import resources
from workers.sources.assemble.agents import agent_part
from workers.sources.assemble.commands import AgentCommand, Output
from workers.sources.assemble.resources import Resource
from workers.sources.convert.flow_json import flow_from_json
from workers.sources.convert.flow_proto import flow_from_proto
from workers.sources.convert.reading import MalformedError, each
from workers.sources.hubble_pb import triage_hubble_pb2 as pb
from workers.sources.recorded import RecordingSource
from workers.sources.sysdump import SysdumpSource
from workers.sources.unread import NotKeptError, UnreadError

SCENE = "02-ingress-default-deny"
QUESTIONS = ("why shop/loadgen shop/cart 8080", "health", "drops", "lint", "policies shop", "dns shop/loadgen")


class BrokenProbeError(AssertionError):
    """A probe broke over what was read."""


@dataclass(frozen=True, slots=True)
class Target:
    """An entrance. ``share`` is how many inputs it gets for one of the others: fewer where one takes long."""

    name: str
    seeds: Callable[[], Sequence[bytes]]
    change: Mutation
    take: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()
    share: float = 1.0


def hold(target: Target, given: bytes) -> None:
    """Give a target one input; a refusal that it may answer with is fine, and whatever else it raises comes out."""
    try:
        target.take(given)
    except target.refusals:
        return


def _text(given: bytes) -> str:
    return given.decode("utf-8", "surrogatepass" if b"\xed" in given else "replace") if _is_text(given) else ""


def _is_text(given: bytes) -> bool:
    try:
        given.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _json(given: bytes) -> Any:
    """Return decoded JSON; what cannot be decoded is refused long before."""
    try:
        return json.loads(_text(given))
    except (ValueError, RecursionError):
        return None


# What people type


def _sentence_seeds() -> list[bytes]:
    return [said.encode() for said, _ in SENTENCES.values()]


def _command_seeds() -> list[bytes]:
    return [example.encode() for one in CATALOGUE.commands.values() for example in (*one.examples, one.usage)]


def _order_seeds() -> list[bytes]:
    return [text.encode() for order in ORDERS for text in (*order.examples, order.usage)]


def _order(given: bytes) -> None:
    name, _, rest = _text(given).strip().partition(" ")
    for order in ORDERS:
        if order.name == name.casefold():
            order.parse(rest.strip())


def _understand(given: bytes) -> None:
    asked = CATALOGUE.understand(_text(given))
    CATALOGUE.understand(str(asked))
    CATALOGUE.understand("and on 9090?", earlier=str(asked))


_RULES = (
    *("22:00-07:00 Europe/Berlin", "00:00-00:01", "all", "none", "severity=critical,team=a", "on", "off", "quiet"),
    *("user:jane groups:a,b", "U0ADA00001 U0BOB00002", "prod", "severity=~warning|critical namespace!=x", "full"),
)


def _rule(given: bytes) -> None:
    for setting in READERS:
        try:
            checked(setting, _text(given))
        except RuleError:
            continue


# What files hold


def _policy_seeds() -> list[bytes]:
    return [json.dumps(policy).encode() for case in recorded("named") for policy in case["policies"]]


def _policies(given: bytes) -> None:
    ask(compile_policies([_json(given)], config=PolicyConfig(), surroundings=surroundings()))


def _manifest_seeds() -> list[bytes]:
    return [
        b"allow:\n- shop/frontend -> shop/cart:8080\ndeny:\n- world -> shop/cart\n",
        b"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec:\n  ingress: [{}]\n",
        b"a: &x [1, 2]\nb: *x\n---\nkind: List\nitems: [{kind: Pod}]\n",
    ]


def _manifests(given: bytes) -> None:
    for document in load_manifests(given):
        try:
            read_contract(document)
        except ContractError:
            continue


def _archive_seeds() -> list[bytes]:
    return [_packed(_small_dump())]


@cache
def _small_dump() -> Mapping[str, bytes]:
    files = files_of(SCENE)
    return {name: files[name][:20_000] for name in sorted(files)[:12]}


def _packed(files: Mapping[str, bytes]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return packed_dump(Path(folder), dict(files)).read_bytes()


def _archive(given: bytes) -> None:
    archive = open_packed(io.BytesIO(given), "dump.zip")
    for entry in archive.entries:
        archive.read(entry.path)
    archive.close()


def _dump_seeds() -> list[bytes]:
    """Return each file of a dump behind its name: one is changed, the others are as they were."""
    return [name.encode() + b"\n" + body for name, body in files_of(SCENE).items() if body and len(body) < 400_000]


def _dump(given: bytes) -> None:
    name, _, body = given.partition(b"\n")
    files = dict(files_of(SCENE))
    if name.decode(errors="replace") not in files:
        return
    files[name.decode()] = body
    with tempfile.TemporaryDirectory() as folder, opened(Sysdump(packed_dump(Path(folder), files))) as source:
        for question in random.Random(given).sample(QUESTIONS, 2):  # noqa: S311  (no secret)
            _answered(question, source)


def _answered(question: str, source: Any) -> None:
    report = run(CATALOGUE.understand(question), source).report
    broken = [one.code for one in report.findings if one.outcome is Outcome.BROKEN]
    if broken:
        raise BrokenProbeError(f"{question}: {broken}")
    plain(report)
    report_message(report, report_id="r")


@cache
def _recording_seeds() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.gz"
        source = RecordingSource(SysdumpSource(record(SCENE).sysdump), path)
        run(CATALOGUE.understand(QUESTIONS[0]), source)
        source.close()
        return [gzip.decompress(path.read_bytes())]


def _recording(given: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.gz"
        path.write_bytes(gzip.compress(given, 1))
        with opened(Recorded(path)) as source:
            _answered(QUESTIONS[0], source)


# What Hubble, agents and the API server say


@cache
def _scene() -> Record:
    return record(SCENE)


def _flow_seeds() -> list[bytes]:
    return [MessageToJson(one.flow, preserving_proto_field_name=True).encode() for one in _scene().responses[:200]]


def _flow(given: bytes) -> None:
    each("flow", [_json(given)], flow_from_json)


def _protobuf_seeds() -> list[bytes]:
    return [one.SerializeToString() for one in _scene().responses[:200]]


def _protobuf(given: bytes) -> None:
    flow_from_proto(pb.GetFlowsResponse.FromString(given).flow)


def _agent_seeds() -> list[bytes]:
    return [
        f"{command}\n".encode() + output.text
        for (_, command), output in _scene().outputs.items()
        if command in _COMMANDS and output.text
    ] + [f"{command}\n".encode() + body for command, body in _in_words()]


_AGENT_PARTS = tuple(
    part
    for part in vars(Part).values()
    if getattr(part, "name", "").startswith("agent_") and part is not Part.AGENT_LOG
)
_COMMANDS = {str(command): command for command in AgentCommand}


def _in_words() -> list[tuple[AgentCommand, bytes]]:
    files = files_of(SCENE)
    return [
        (command, body)
        for command in AgentCommand
        for name, body in files.items()
        if name.endswith(f"/{str(command).replace(' ', '-')}.md")
    ]


def _agent(given: bytes) -> None:
    line, _, body = given.partition(b"\n")
    command = _COMMANDS.get(line.decode(errors="replace"))

    def say(asked: AgentCommand) -> Output:
        if asked is not command:
            raise NotKeptError(Gap.NOT_IN_DUMP, "not kept")
        return Output(body.decode(errors="replace"), "a test")

    for part in _AGENT_PARTS:
        try:
            agent_part(part, say, tuple)
        except UnreadError:
            continue


def _object_seeds() -> list[bytes]:
    return [
        json.dumps({"plural": plural, "object": item}).encode()
        for plural, items in _scene().objects.items()
        if plural in _RESOURCES
        for item in items[:12]
    ]


_RESOURCES: Mapping[str, Resource[Any]] = {
    one.plural: one
    for value in vars(resources).values()
    for one in (value if isinstance(value, tuple) else (value,))
    if isinstance(one, Resource)
}


def _object(given: bytes) -> None:
    document = _json(given)
    plural = document.get("plural") if isinstance(document, dict) else None
    resource = _RESOURCES.get(plural) if isinstance(plural, str) else None
    if resource is not None:
        each(resource.kind, [document.get("object")], resource.read)


# What alerts say


def _alert_seeds() -> list[bytes]:
    return [row.payload.encode() if isinstance(row.payload, str) else json.dumps(row.payload).encode() for row in ROWS]


def _alert(given: bytes) -> None:
    for alert in received(given).alerts:
        cards_of(Received((alert,)))


TARGETS: Mapping[str, Target] = {
    one.name: one
    for one in (
        Target("sentences", _sentence_seeds, words_changed, _understand, (NotUnderstoodError,)),
        Target("commands", _command_seeds, words_changed, _understand, (NotUnderstoodError,)),
        Target("orders", _order_seeds, words_changed, _order, (NotUnderstoodError,)),
        Target("rules of channels", lambda: [rule.encode() for rule in _RULES], words_changed, _rule),
        Target("policies", _policy_seeds, json_changed, _policies),
        Target("manifests and contracts", _manifest_seeds, bytes_changed, _manifests, (ManifestError,)),
        Target("archives", _archive_seeds, bytes_changed, _archive, (ArchiveError,)),
        Target("files of dumps", _dump_seeds, bytes_changed, _dump, (NotOpenedError,), 0.005),
        Target("recordings", _recording_seeds, json_changed, _recording, (NotOpenedError,), 0.01),
        Target("flows in JSON", _flow_seeds, json_changed, _flow, (MalformedError,)),
        Target("flows in protobuf", _protobuf_seeds, bytes_changed, _protobuf, (DecodeError, MalformedError)),
        Target("outputs of agents", _agent_seeds, bytes_changed, _agent, (), 0.3),
        Target("objects of the API", _object_seeds, json_changed, _object, (MalformedError,)),
        Target("alerts", _alert_seeds, json_changed, _alert, (NotAnAlertError,)),
    )
}
