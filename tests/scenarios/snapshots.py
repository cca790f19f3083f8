"""A recorded moment as one snapshot: everything that its dump has."""

from datetime import timedelta
from functools import cache
from typing import Any

from handlers.model.parts import PARTS, Part
from handlers.model.scope import FlowQuery, PodQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Known, PerNode, Snapshot
from tests.scenarios.truth import FOLDER
from workers.sources.sysdump import SysdumpSource


@cache
def whole(scenario: str) -> Snapshot:
    """Read all that the dump has."""
    source = SysdumpSource(FOLDER / scenario / "sysdump.zip")
    now = source.now()
    wide = Scope(
        all_namespaces=True,
        pods=(PodQuery(),),
        identities=(),
        flows=FlowQuery((), now - timedelta(days=1), now, 1_000_000),
        policy_services=True,
        named_ports=True,
    )
    parts: dict[AnyPart, Any] = {part: source.read(Ask(part, wide), 30) for part in PARTS if not part.is_per_node}
    nodes = [node.name for node in parts[Part.NODES].value]
    for part in PARTS:
        if part.is_per_node:
            parts[part] = Known(PerNode({node: source.read(Ask(part, wide, node), 30) for node in nodes}), now)
    source.close()
    return Snapshot(now, scenario, parts)
