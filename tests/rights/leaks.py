"""What an answer gives away: every name of a namespace, looked for in every form in which an answer is shown."""

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from bot.audit import Act, Reader, entry_of
from bot.render import digest_text
from bot.render.bundle import Bundle, bundle_markdown, bundle_zip
from bot.render.card import diagnosis_of
from bot.render.digest import digest_message
from bot.render.evidence import evidence_text, patches_file
from bot.render.patches import patches_message
from bot.render.report import first_message, long_tables, report_message
from bot.render.table import csv_of
from bot.render.text import brief, first_words, markdown, plain
from handlers.digests.compare import compare
from handlers.digests.form import digest_json
from handlers.digests.moment import moment_of
from handlers.model.ownership import Content, Owner
from handlers.model.parts import Part
from handlers.model.report import FirstAnswer, Report
from handlers.model.scope import PodQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Known, Snapshot
from handlers.model.wire import encode
from handlers.rights.allowed import Allowed
from workers.report_json import report_json
from workers.sources.sysdump import SysdumpSource

EVERY_CLUSTER_HAS = frozenset(
    "default kube-system kube-public kube-node-lease kubernetes kube-dns coredns cilium cilium-agent cilium-config "
    "cilium-operator hubble hubble-relay".split()
)
"""Names that tell nothing."""
_NAMED: tuple[AnyPart, ...] = (
    Part.PODS,
    Part.SERVICES,
    Part.ENDPOINT_SLICES,
    Part.POLICIES,
    Part.WORKLOADS,
    Part.CILIUM_ENDPOINTS,
)


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Names:
    """The names and addresses of the objects of each namespace."""

    of: dict[str, frozenset[str]]
    said: dict[str, frozenset[str]]
    """Words that the policies of a namespace hold themselves: whoever may read those knows them."""

    def forbidden_to(self, readable: Iterable[str]) -> frozenset[str]:
        mine = set(readable)
        known = {name for namespace in mine for name in self.of.get(namespace, ())}
        others = {name for namespace in self.of.keys() - mine for name in self.of[namespace]}
        known |= {word for namespace in mine for word in self.said.get(namespace, ())}
        return frozenset(others - known - mine - EVERY_CLUSTER_HAS)


@cache
def names_in(dump: Path) -> Names:
    """Return all names of a recorded moment, read without what the product knows of owners."""
    source = SysdumpSource(dump)
    wide = Scope(all_namespaces=True, pods=(PodQuery(),))
    read = {part: source.read(Ask(part, wide), 30) for part in (*_NAMED, Part.NODES)}
    source.close()
    snapshot = Snapshot(source.now(), "", read)
    found: dict[str, set[str]] = {}
    for part in _NAMED:
        known = snapshot.get(part)
        for thing in _values(known):
            if thing.namespace:
                addresses = getattr(thing, "ips", ()) or getattr(thing, "cluster_ips", ())
                held = found.setdefault(thing.namespace, {thing.namespace})
                held.update({thing.name, *addresses} - {"None", ""})
    said: dict[str, set[str]] = {}
    for policy in _values(snapshot.get(Part.POLICIES)):
        said.setdefault(policy.namespace, set()).update(re.findall(r"[A-Za-z0-9.-]+", json.dumps(policy.manifest)))
    shared = {name for part in (Part.NODES,) for node in _values(snapshot.get(part)) for name in node.ips}
    return Names(
        {namespace: frozenset(names - shared) for namespace, names in found.items()},
        {namespace: frozenset(words) for namespace, words in said.items() if namespace},
    )


def _values(known: object) -> tuple[Any, ...]:
    return known.value if isinstance(known, Known) else ()


def reader_of(*namespaces: str, but: frozenset[Content] = frozenset()) -> Allowed:
    """Return the rights of somebody who may read these namespaces, and nothing of the cluster."""
    contents = [one for one in Content if not one.is_of_cluster and one not in but]
    return Allowed(frozenset(Owner(content, namespace) for content in contents for namespace in namespaces))


def surfaces(report: Report) -> Iterator[tuple[str, str]]:
    """Yield every form in which an answer leaves the program, by its name."""
    yield "report", json.dumps(encode(report))
    yield "json of the command line", json.dumps(report_json(report))
    shown = report_message(report, report_id="0123456789abcdef01234567", asked_by="U1")
    yield "answer", json.dumps([shown.text, shown.blocks, shown.plainer])
    first = FirstAnswer(report, ("flows",))
    shown = first_message(first, asked_by="U1")
    yield "first answer", json.dumps([shown.text, shown.blocks, shown.plainer])
    yield "progress", first_words(first)
    yield "notification", brief(report)
    yield "text", plain(report)
    yield "markdown", markdown(report)
    yield "evidence file", evidence_text(report)
    yield "patch file", patches_file(report)
    shown = patches_message(report)
    yield "patch button", json.dumps([shown.text, shown.blocks])
    for table in (*long_tables(report), *report.tables):
        yield "csv", csv_of(table)
    yield "audit line", json.dumps(encode(entry_of(Act.ANSWERED, report.title, Reader("U1", "T1", "C1"), report)))
    yield "card", json.dumps(encode(diagnosis_of(report, "1", NOON)))
    digest = compare(None, moment_of([report]))
    shown = digest_message(digest, note="digest 1")
    yield "digest", json.dumps([shown.text, shown.blocks, shown.plainer])
    yield "digest of the command line", json.dumps(digest_json(digest)) + digest_text.markdown(digest)
    bundle = Bundle((report,), NOON, "cilium-triage")
    yield "bundle", bundle_markdown(bundle)
    with zipfile.ZipFile(io.BytesIO(bundle_zip(bundle))) as packed:
        for name in packed.namelist():
            yield f"bundle {name}", name + packed.read(name).decode()


def leaked(report: Report, forbidden: frozenset[str]) -> list[tuple[str, str]]:
    """Return each form with a name in it that may not be there."""
    return [(surface, found) for surface, text in surfaces(report) for found in names_said(text, forbidden)]


def names_said(text: str, forbidden: frozenset[str]) -> list[str]:
    """Return the names that a text says."""
    if not forbidden:
        return []
    names = "|".join(map(re.escape, sorted(forbidden, key=len, reverse=True)))
    return sorted(set(re.findall(rf"(?<![A-Za-z0-9-])(?:{names})(?![A-Za-z0-9-])", text)))
