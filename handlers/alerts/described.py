"""The objects that a description names: kube-prometheus writes ``Pod shop/cart-0 has been in a non-ready state``."""

import re

from handlers.alerts.ends import named

_KINDS = {
    "pod": "pod",
    "deployment": "deployment",
    "statefulset": "statefulset",
    "daemonset": "daemonset",
    "job": "job_name",
    "service": "service",
}
_NAME = r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?"
_QUALIFIED = re.compile(
    rf"\b(?P<kind>pod|deployment|statefulset|daemonset|job|service)s?[ :]\s*"
    rf"(?P<namespace>[a-z0-9-]{{1,63}})/(?P<name>{_NAME})",
    re.IGNORECASE,
)
_IN_NAMESPACE = re.compile(
    rf"\b(?P<kind>pod|deployment|statefulset|daemonset|job|service)[ /:]\s*(?P<name>{_NAME})\s+(?:\([^)]{{0,80}}\)\s+)?"
    r"(?:in|of|from) (?:the )?(?:namespace )?(?P<namespace>[a-z0-9-]{1,63})\b(?! namespaces)",
    re.IGNORECASE,
)
_ON_NAMESPACE = re.compile(
    rf"\b(?P<kind>pod|deployment|statefulset|daemonset|job|service)[ :]\s*(?P<name>{_NAME})\b[^.\n]{{0,80}}?"
    r"\b(?:on|in) (?:the )?namespace (?P<namespace>[a-z0-9-]{1,63})\b",
    re.IGNORECASE,
)
_TARGETS = re.compile(
    r"of the (?P<job>[\w./-]{1,120})/(?P<service>[a-z0-9.-]{0,63}) targets in "
    r"(?:the )?(?P<namespace>[a-z0-9-]{1,63})? ?namespace"
)
_NODE = re.compile(
    rf"(?:^|\n|: |\bnode )(?P<node>{_NAME}) "
    r"(?:has been unready|is unreachable and|is not ready|has been not ready|is unready)",
    re.IGNORECASE,
)
_HOST = re.compile(
    rf"\b(?:node|host) (?P<node>{_NAME}) (?:is|has been) (?:unreachable|unready|not ready|down)\b", re.IGNORECASE
)
_GENERATED_IN = re.compile(
    r"(?<![\w/.-])(?P<name>[a-z0-9][-a-z0-9.]{0,200}-[bcdf-hj-np-tv-z2-9]{6,10}-[bcdf-hj-np-tv-z2-9]{5})\s+"
    r"(?:in|of|on) (?:the )?namespace (?P<namespace>[a-z0-9-]{1,63})\b"
)
_NAMESPACE = re.compile(r"\b(?:in|of) (?:the )?namespace (?P<namespace>[a-z0-9-]{1,63})\b")
_CONTAINER_OF = re.compile(rf"\bpod/(?P<name>{_NAME}) in namespace (?P<namespace>[a-z0-9-]{{1,63}})")
_IN_A_LIST = re.compile(
    rf"^(?P<namespace>[a-z0-9-]{{1,63}})\s+\S{{1,40}}(?:\s+\([^)]{{1,40}}\))?\s+(?:Warning|Normal)\s+\w+\s+"
    rf"pod/(?P<name>{_NAME})\s",
    re.MULTILINE | re.IGNORECASE,
)
"""A line of ``kubectl get events -A``."""
_POD_IN_A_LIST = re.compile(rf"\s(?:Warning|Normal)\s+\w+\s+pod/(?P<name>{_NAME})\s", re.IGNORECASE)
_GENERATED = re.compile(
    r"(?<![\w/.-])(?P<namespace>[a-z0-9-]{1,63})/"
    r"(?P<name>[a-z0-9][-a-z0-9.]{0,200}-[bcdf-hj-np-tv-z2-9]{6,10}-[bcdf-hj-np-tv-z2-9]{5})(?![\w/-])"
)
_END = r"(?:[a-z0-9-]{1,63}/[a-z0-9][-a-z0-9.]{0,251}|reserved:[a-z-]{2,30}|world|\d{1,3}(?:\.\d{1,3}){3})"
_PAIR = re.compile(
    rf"(?<![\w/:.-])(?P<source>{_END})\s+(?:to|->|=>|→|-->)\s+(?P<destination>{_END}(?:\.\w+)*)", re.IGNORECASE
)
_NO_NAMES = frozenset("the a an this that it all node pod namespace status state condition one which".split())


def described(words: str) -> dict[str, str]:
    """Return the labels that sentences stand for: a pair, and the first object that is named, or the node."""
    pair = _PAIR.search(words)
    sides = {side: end.rstrip(".").lower() for side, end in pair.groupdict().items()} if pair else {}
    return {**_object(words), **sides}


def _object(words: str) -> dict[str, str]:
    for pattern in (_IN_A_LIST, _CONTAINER_OF, _QUALIFIED, _IN_NAMESPACE, _ON_NAMESPACE, _GENERATED_IN):
        for found in pattern.finditer(words):
            kind = _KINDS[found["kind"].lower()] if "kind" in found.groupdict() else "pod"
            name, namespace = found["name"].lower(), found["namespace"].lower()
            if named(namespace, name) and not {name, namespace} & _NO_NAMES:
                return {"namespace": namespace, kind: name}
    if targets := _TARGETS.search(words):
        return {name: value for name, value in targets.groupdict().items() if value}
    if (node := _HOST.search(words) or _NODE.search(words)) and node["node"].lower() not in _NO_NAMES:
        return {"node": node["node"].lower()}
    if len(pods := {(found["namespace"], found["name"]) for found in _GENERATED.finditer(words)}) == 1:
        return dict(zip(("namespace", "pod"), pods.pop(), strict=True))
    if pod_alone := _POD_IN_A_LIST.search(words):
        return {"pod": pod_alone["name"]}
    if (namespace_alone := _NAMESPACE.search(words)) and namespace_alone["namespace"] not in _NO_NAMES:
        return {"namespace": namespace_alone["namespace"]}
    return {}
