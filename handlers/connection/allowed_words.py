"""What rules let through, as short as their author would say it: ``ledger-db 5432``, ``DNS``, ``10.0.0.0/8``."""

from collections.abc import Iterable, Sequence

from handlers.connection.judgement import ANY_OTHER_PORT, Judged
from handlers.model.labels import NAMESPACE_LABEL, NAMESPACE_LABELS_PREFIX
from handlers.model.rule import L4Protocol, LabelSelector, Operator, Peer, PeerKind, PeerScope, PortProtocol, Rule

_NAMES = ("app", "app.kubernetes.io/name", "k8s-app", "name")
"""Labels whose value is what people call the pods, the first that is there."""
_DNS_PORT = 53
_PLAIN = (L4Protocol.TCP, L4Protocol.ANY)


def allowed_in_words(rules: Iterable[Rule], home: str, *, most: int = 3) -> tuple[str, ...]:
    """Return what the rules let through, each thing once, look-ups last; ``home`` is the policies' own namespace.

    Of more than ``most`` things the rest is counted. Empty where the rules let nothing through.
    """
    listed = [words for rule in rules for words in _rule(rule, home)]
    things = sorted(dict.fromkeys(listed), key=lambda words: words == "DNS")
    shown = things[: most - 1] if len(things) > most else things
    left = len(things) - len(shown)
    return (*shown, f"{left} more") if left and shown else tuple(shown) if shown else tuple(things[:1])


def port_in_short(leg: Judged) -> str:
    """Return the port of a leg without the protocol that goes without saying."""
    traffic = leg.traffic
    if traffic.protocol.is_icmp:
        return "ping"
    if leg.guessed and traffic.port == ANY_OTHER_PORT:
        return "any other port"
    return str(traffic.port) if traffic.protocol == "TCP" else str(traffic)


def _rule(rule: Rule, home: str) -> Iterable[str]:
    if rule.scope is PeerScope.NOBODY or rule.is_empty:
        return
    ports = [port for port_rule in rule.ports for port in port_rule.ports]
    if rule.ports and not ports:
        return
    if ports and all(port.port == _DNS_PORT and not port.name for port in ports):
        yield "DNS"
        return
    on = _ports(ports)
    peers = ["everybody"] if rule.scope is PeerScope.UNRESTRICTED else [_peer(peer, home) for peer in rule.peers]
    for peer in dict.fromkeys(peers):
        yield f"{peer} {on}".strip()


def _ports(ports: Sequence[PortProtocol]) -> str:
    shown = [port.name or str(port).partition("/")[0] if port.protocol in _PLAIN else str(port) for port in ports]
    shown = list(dict.fromkeys(shown))
    return "/".join(shown[:2]) + ("/…" if len(shown) > 2 else "")


def _peer(peer: Peer, home: str) -> str:
    if peer.kind is not PeerKind.ENDPOINTS or len(peer.selectors) != 1:
        return peer.cidr or peer.written
    return _selected(peer.selectors[0], home)


def _selected(selector: LabelSelector, home: str) -> str:
    written = [one for one in selector.requirements if one.implied is None]
    plain = {one.key: one.values[0] for one in written if one.operator is Operator.EQUALS and one.values}
    namespace = plain.pop(NAMESPACE_LABEL, "")
    of_namespace = [key for key in plain if key.startswith(f"{NAMESPACE_LABELS_PREFIX}.")]
    wanted = [f"{key.removeprefix(f'{NAMESPACE_LABELS_PREFIX}.')}={plain.pop(key)}" for key in of_namespace]
    others = [str(one) for one in written if one.operator is not Operator.EQUALS]
    name = next((plain[key] for key in _NAMES if key in plain), "")
    listed = ",".join([*(f"{key}={value}" for key, value in plain.items()), *others])
    pods = name if name and len(plain) == 1 and not others else listed
    inside = namespace and namespace != home
    if wanted:
        return f"{pods or 'pods'} of namespaces {','.join(wanted)}"
    if pods:
        return f"{namespace}/{pods}" if inside else pods
    if namespace:
        return f"namespace {namespace}" if inside else "its own namespace"
    is_any = any(one.key == NAMESPACE_LABEL and one.operator is Operator.EXISTS for one in selector.requirements)
    return "every pod" if is_any else "its own namespace"
