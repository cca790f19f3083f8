"""The nodes send packets to each other in the same way: the same tunnel, the same encryption, the same keys.

A node that encrypts and one that does not, or two with different keys, lose what they send each other.
"""

from collections.abc import Iterator

from handlers.connection.coverage import nodes_in_words
from handlers.connection.node_pairs import path_from, status_of_agent
from handlers.model.cluster import Node
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import BetweenNodes
from handlers.probes.probe import probe

NODES_SEND_OTHERWISE = code(
    "NODES_SEND_OTHERWISE",
    meaning="Nodes send packets to each other in different ways, so that those of one are not taken by another.",
    template="Nodes differ in {what}: {values}",
    advice="Set it alike on all nodes (config tells what each agent goes by), and start the agents again.",
)
WIREGUARD_KEY_STALE = code(
    "WIREGUARD_KEY_STALE",
    meaning="The public key that a CiliumNode tells others is not the one that its agent has.",
    template="Node {node} has another WireGuard key than its CiliumNode tells the others",
    advice="Start the agent of the node again, so that it writes its key anew.",
)
WIREGUARD_PEERS_FEWER = code(
    "WIREGUARD_PEERS_FEWER",
    meaning="An agent has fewer WireGuard peers than there are other nodes.",
    template="Node {node} has {count} WireGuard peer{count:|s}, and there are {others} other nodes",
    advice="Look for the CiliumNode without a public key (annotation network.cilium.io/wg-pub-key).",
)
NODES_SEND_ALIKE = code(
    "NODES_SEND_ALIKE",
    meaning="The nodes send packets to each other in the same way.",
    template="{count} nodes send to each other through {path}{encryption}",
)


@probe(
    answers=(BetweenNodes,),
    codes=(NODES_SEND_OTHERWISE, WIREGUARD_KEY_STALE, WIREGUARD_PEERS_FEWER, NODES_SEND_ALIKE),
    needs=(Part.NODES, Part.AGENT_STATUS),
    uses=(Part.CONFIG,),
)
def nodes_encrypt_alike(question: BetweenNodes, facts: Facts) -> Iterator[Finding]:
    """Compare the nodes that the question names, else all."""
    named = {name for name in (question.node, question.peer) if name}
    nodes = [node for node in facts.nodes if len(named) < 2 or node.name in named]
    paths = {node.name: str(path) for node in nodes if (path := path_from(node.name, facts))}
    modes = {
        node.name: status.encryption.mode
        for node in nodes
        if (status := status_of_agent(node.name, facts)) and status.encryption
    }
    keys = {node.name: str(node.ipsec_key) for node in nodes if node.ipsec_key is not None}
    found = [
        *_differing("the path to others", paths),
        *_differing("encryption", modes),
        *_differing("the IPsec key in use", keys),
        *(finding for node in nodes for finding in _wireguard(node, facts)),
    ]
    yield from found
    if len(paths) > 1 and not found:
        mode = next(iter(modes.values()), "Disabled")
        yield NODES_SEND_ALIKE.finding(
            Outcome.FINE,
            count=len(paths),
            path=next(iter(paths.values())),
            encryption="" if mode == "Disabled" else f", encrypted by {mode}",
        )


def _differing(what: str, by_node: dict[str, str]) -> Iterator[Finding]:
    values: dict[str, list[str]] = {}
    for node, value in by_node.items():
        values.setdefault(value, []).append(node)
    if len(values) > 1:
        yield NODES_SEND_OTHERWISE.finding(
            Outcome.PROBLEM,
            evidence=[Evidence("agent", f"Node//{names[0]}", excerpt=value) for value, names in values.items()],
            follow_up="config",
            weight=80,
            what=what,
            values="; ".join(f"{value} on {', '.join(nodes_in_words(names))}" for value, names in values.items()),
        )


def _wireguard(node: Node, facts: Facts) -> Iterator[Finding]:
    status = status_of_agent(node.name, facts)
    encryption = status.encryption if status else None
    if encryption is None or encryption.mode.lower() != "wireguard":
        return
    evidence = [Evidence("agent", f"Node//{node.name}"), Evidence("kubernetes", f"CiliumNode//{node.name}")]
    if encryption.public_key and node.wireguard_key and encryption.public_key != node.wireguard_key:
        yield WIREGUARD_KEY_STALE.finding(Outcome.PROBLEM, evidence=evidence, weight=83, node=node.name)
    others = len([other for other in facts.nodes if other.name != node.name and other.tunnel_ips])
    if encryption.peers is not None and encryption.peers < others:
        yield WIREGUARD_PEERS_FEWER.finding(
            Outcome.PROBLEM, evidence=evidence, weight=81, node=node.name, count=encryption.peers, others=others
        )
