"""What agents said of themselves, out of the bugtool parts of a sysdump."""

import json
from collections.abc import Mapping

from handlers.model.snapshot import Gap
from workers.sources.assemble.commands import AgentCommand, Output
from workers.sources.convert.reading import without_cluster
from workers.sources.sysdump.index import SysdumpIndex
from workers.sources.unread import NotKeptError, UnreadError

_FAILED = "> Error while running"
"""How bugtool writes that a command failed (Cilium, bugtool/cmd/root.go)."""


def output_of(index: SysdumpIndex, pod: str, command: AgentCommand) -> Output:
    """Return what bugtool kept of a command.

    Raises:
        NotKeptError: if there is nothing of it.
        UnreadError: if the command failed.
        ArchiveError: if the file cannot be read.
    """
    output = index.output(pod, _spelt(command))
    if output is None:
        reason = index.reason(f"cilium-bugtool-{pod}") or f"the bugtool part of {pod} has no {_spelt(command)}"
        raise NotKeptError(Gap.NOT_IN_DUMP, reason, "Collect the sysdump without --quick.")
    if output.text.startswith(_FAILED):
        raise UnreadError(Gap.NOT_IN_DUMP, f"{output.where}: {output.text.splitlines()[0][:200]}")
    return output


def local_node(index: SysdumpIndex, pod: str) -> str | None:
    """Return the node that an agent's own health prober says it runs on, None where it does not say."""
    output = index.output(pod, _spelt(AgentCommand.HEALTH))
    try:
        body = json.loads(output.text) if output else {}
    except (ValueError, RecursionError):
        return None
    local = body.get("local") if isinstance(body, Mapping) else None
    name = local.get("name") if isinstance(local, Mapping) else None
    return without_cluster(name) if isinstance(name, str) else None


def _spelt(command: AgentCommand) -> str:
    """Return how bugtool spells a command as a file: ``status---verbose`` for ``cilium-dbg status --verbose``."""
    program, *words = command.value
    return "-".join([program.removeprefix("cilium-").removeprefix("dbg"), *words]).lstrip("-")
