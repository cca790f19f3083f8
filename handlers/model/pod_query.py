"""Which pods a query selects, told the way the API server tells it."""

import ipaddress
import re
from collections.abc import Callable, Mapping

from handlers.model.cluster import Pod
from handlers.model.scope import PodQuery

_TERM = re.compile(
    r"\s*(?:"
    r"(?P<set_key>[^\s,=!()]+)\s+(?P<op>in|notin)\s*\((?P<set>[^()]*)\)"
    r"|(?P<key>[^\s,=!()]+)\s*(?P<eq>==|=|!=)\s*(?P<value>[^\s,=!()]*)"
    r"|(?P<not>!?)\s*(?P<exists>[^\s,=!()]+)"
    r")\s*(?:,|$)"
)


def pod_test(query: PodQuery) -> Callable[[Pod], bool]:
    """Return the question whether a query selects a pod."""
    selects = label_test(query.labels) if query.labels else None
    address = canonical_address(query.ip) if query.ip else None

    def test(pod: Pod) -> bool:
        return (
            query.namespace in (None, pod.namespace)
            and query.node in (None, pod.node)
            and (address is None or address in {canonical_address(ip) for ip in pod.ips})
            and (selects is None or selects(pod.labels))
        )

    return test


def label_test(selector: str) -> Callable[[Mapping[str, str]], bool]:
    """Read a label selector as the API server does (kubernetes.io, labels, API): ``a=b,c in (d,e),!f``.

    Raises:
        ValueError: if the text is no label selector.
    """
    terms: list[Callable[[Mapping[str, str]], bool]] = []
    position = 0
    while position < len(selector):
        found = _TERM.match(selector, position)
        if found is None:
            raise ValueError(f"{selector!r:.80} is no label selector")
        terms.append(_term(found))
        position = found.end()
    return lambda labels: all(term(labels) for term in terms)


def _term(found: re.Match[str]) -> Callable[[Mapping[str, str]], bool]:
    key = found["set_key"] or found["key"] or found["exists"]
    if found["set_key"]:
        wanted = {item.strip() for item in found["set"].split(",")}
        if found["op"] == "in":
            return lambda labels: labels.get(key) in wanted
        return lambda labels: labels.get(key) not in wanted
    if found["key"]:
        value = found["value"]
        if found["eq"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found["not"]:
        return lambda labels: key not in labels
    return lambda labels: key in labels


def canonical_address(address: str) -> str:
    """Spell an address the one way; what is no address stays as it is."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address
