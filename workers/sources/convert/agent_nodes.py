"""What an agent knows of the other nodes, and what it goes by: ``node list`` and ``config``, to the model."""

import contextlib
import re
from typing import Any

from handlers.model.agent import AgentConfig, KnownNode
from workers.sources.convert.agent_text import table
from workers.sources.convert.reading import Body, MalformedError, each, parse_moment, rows, struct, text, values

_OPTION = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)\s*:(?:\s(?P<value>.*))?$")


def known_nodes(body: Any) -> tuple[KnownNode, ...]:
    """Read ``node list -o json``."""
    return each("node", values({"the output": body}, "the output"), _known_node)


def _known_node(body: Body) -> KnownNode:
    address, health = struct(body, "primary-address"), struct(body, "health-endpoint-address")
    families = [struct(address, family) for family in ("ipv4", "ipv6")]
    others = (text(item, "ip") for item in rows(body, "secondary-addresses"))
    cluster, _, name = (text(body, "name") or "").rpartition("/")
    if not name:
        raise MalformedError("name is missing")
    return KnownNode(
        name=name,
        ips=tuple(ip for ip in (*(text(family, "ip") for family in families), *others) if ip),
        pod_cidrs=tuple(cidr for family in families if (cidr := text(family, "alloc-range"))),
        health_ips=tuple(ip for family in ("ipv4", "ipv6") if (ip := text(struct(health, family), "ip"))),
        source=text(body, "source") or "",
        cluster=cluster,
    )


def nodes_in_words(output: str) -> tuple[KnownNode, ...]:
    """Read ``node list``; the output leaves out health endpoints and all but the first address of each family."""
    titles = ("Name", "IPv4 Address", "Endpoint CIDR", "IPv6 Address", "Source")
    if not all(title in output for title in titles):
        raise MalformedError("the output is not a node list")
    found = []
    for row in table(output, titles):
        cluster, _, name = row["Name"].rpartition("/")
        # The second column of CIDRs has the title of the first.
        ipv6, _, cidr6 = row["IPv6 Address"].partition(" ")
        ips, cidrs = (row["IPv4 Address"], ipv6), (row["Endpoint CIDR"], cidr6.strip())
        found.append(
            KnownNode(name, tuple(filter(None, ips)), tuple(filter(None, cidrs)), (), row["Source"], cluster=cluster)
        )
    return tuple(found)


def config(output: str) -> AgentConfig:
    """Read ``config --all``: a line for each option; those of a table, which are indented, are left out."""
    pairs = (_OPTION.match(line) for line in output.splitlines())
    options: dict[str, str] = {}
    for pair in filter(None, pairs):
        # Of an option that can be changed while the agent runs the later line tells what it is now.
        options[pair["name"]] = (pair["value"] or "").strip()
    if not options:
        raise MalformedError("the output is not an agent's configuration")
    started = options.pop("CreationTime", "")
    at = None
    with contextlib.suppress(MalformedError):
        at = parse_moment(started) if started else None
    return AgentConfig(options, at)
