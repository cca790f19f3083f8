"""Edits for a request that the HTTP proxy refuses: its method and path beside the rules that are there."""

import re
from collections.abc import Iterator, Mapping

from handlers.model.traffic import HttpRequest
from handlers.patch.blocked_side import BlockedSide, cilium_port
from handlers.patch.edits import Edit, EditError, add, look
from handlers.patch.extend import made, writings

_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")
_METHOD = re.compile(r"[A-Za-z]{1,20}")
_MOST_PATH = 1024


def request_rules(side: BlockedSide) -> Iterator[Edit]:
    """Propose the request beside the HTTP rules that refused it, and in a rule of its own."""
    request = side.traffic.http
    rule = http_rule(request) if request is not None else None
    if rule is None:
        return
    lists = dict.fromkeys(
        (one.origin.policy, one.origin.pointer.rpartition("/")[0])
        for one in side.decision.http_rules
        if one.origin is not None and one.origin.policy in side.manifests
    )
    words = f"{rule['method']} {rule['path']}"
    for policy, pointer in lists:
        title = f"add {words} to the HTTP rules of {policy.name}"
        yield from made(side, policy, (add(f"{pointer}/-", rule),), title, guarded=pointer)
    for policy, base in dict.fromkeys((policy, "/".join(pointer.split("/")[:-5])) for policy, pointer in lists):
        # .../ingress/0/toPorts/0/rules/http: the section is five steps up.
        try:
            section = look(side.manifests[policy], base)
        except EditError:
            continue
        if not isinstance(section, (list, tuple)):
            continue
        for writing in writings(side, policy.kind, policy.namespace):
            item: Mapping[str, object] = {
                f"{side.side}{writing.suffix}": [writing.value],
                "toPorts": [{"ports": [cilium_port(side.traffic)], "rules": {"http": [rule]}}],
            }
            title = f"add a rule for {words} of {writing.words} to {policy.name}"
            yield from made(side, policy, (add(f"{base}/-", item),), title, writing=writing)


def http_rule(request: HttpRequest) -> dict[str, str] | None:
    """Write the rule that means one request: method and path, special characters escaped; None for what is no request.

    Rules are regular expressions matched in full (pkg/envoy/policy/envoy_l7_rules_translator.go, getHTTPRule).
    """
    path = request.path.partition("#")[0]
    if not _METHOD.fullmatch(request.method) or not path.startswith("/") or len(path) > _MOST_PATH:
        return None
    if not path.isprintable():
        return None
    return {"method": request.method, "path": _SPECIAL.sub(r"\\\1", path)}
