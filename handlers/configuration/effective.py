"""What is set, held against what an agent says that it goes by.

cilium-config writes ``bpf-ct-global-tcp-max``, the agent prints ``CTMapEntriesGlobalTCP``; most names are the same but
for case and dashes. Values that cannot be compared, such as a list of flags and their number, are not.
"""

import re
from collections.abc import Mapping

ALIASES: Mapping[str, str] = {
    "bpf-ct-global-tcp-max": "CTMapEntriesGlobalTCP",
    "bpf-ct-global-any-max": "CTMapEntriesGlobalAny",
    "bpf-nat-global-max": "NATMapEntriesGlobal",
    "bpf-neigh-global-max": "NeighMapEntriesGlobal",
    "bpf-map-dynamic-size-ratio": "BPFMapsDynamicSizeRatio",
    "auto-direct-node-routes": "EnableAutoDirectRouting",
    "preallocate-bpf-maps": "PreAllocateMaps",
    "tofqdns-endpoint-max-ip-per-hostname": "ToFQDNsMaxIPsPerHost",
    "install-no-conntrack-iptables-rules": "InstallNoConntrackIptRules",
}
"""Options whose field in the agent has another name (Cilium, pkg/option/config.go)."""
NOT_COMPARED = frozenset({"debug-verbose", "monitor-aggregation-flags", "labels", "identity-change-grace-period"})
"""Options whose value the agent prints in another form."""
OF_EACH_NODE = frozenset(
    "ctmapentriesglobaltcp ctmapentriesglobalany natmapentriesglobal neighmapentriesglobal sockrevnatmapentries "
    "devices ipv4nodeaddr ipv6nodeaddr ipv4range ipv6range localrouteripv4 localrouteripv6 k8sendpoint "
    "k8sconfiguration nodelabels kernelhz clocksource encryptinterface directroutingdevice creationtime "
    "bootidfile configdir addressscopemax "
    "excludelocaladdresses ipv4podsubnets ipv6podsubnets sizeofctelement sizeofnatelement sizeofneighelement "
    "sizeofsockrevelement masqueradeinterfaces debug dropnotification tracenotification "
    "policyverdictnotification monitoraggregationlevel debuglb policytracing".split()
)
"""Options, in short form, that may well differ from node to node: they follow its memory, devices and addresses, or are
turned on for a look."""
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s))")
_NANOSECONDS = {"h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_ON, _OFF = ("true", "enabled", "1"), ("false", "disabled", "0")
_SECRET = re.compile(r"password|token|credential|secret|private-?key", re.IGNORECASE)
_NO_SECRET = re.compile(r"(?:namespace|name|sync|path|file|files|enabled?)$", re.IGNORECASE)


def short(name: str) -> str:
    """Return an option's name without case and dashes."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def field_of(option: str, options: Mapping[str, str]) -> str | None:
    """Return the agent's name for an option among those that it printed, None where it has none."""
    wanted = short(ALIASES.get(option, option))
    return next((name for name in options if short(name) == wanted), None)


def agrees(option: str, wanted: str, actual: str) -> bool | None:
    """Whether a value that is set is what the agent goes by; None where the two cannot be compared."""
    wanted, actual = wanted.strip().lower(), actual.strip().strip("[]").lower()
    if option in NOT_COMPARED or not wanted or actual in ("", "<nil>"):
        return None
    if wanted == actual:
        return True
    for one, other in ((_ON, _OFF), (_OFF, _ON)):
        if wanted in one and (actual in one or actual in other):
            return actual in one
    if (numbers := (_number(wanted), _number(actual))) != (None, None):
        return None if None in numbers else numbers[0] == numbers[1]
    listed = sorted(re.split(r"[\s,]+", wanted)), sorted(re.split(r"[\s,]+", actual))
    return True if listed[0] == listed[1] else False if all(map(_is_word, (wanted, actual))) else None


def _number(text: str) -> float | None:
    """Return a number, or a duration in nanoseconds."""
    try:
        return float(text)
    except ValueError:
        pass
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text):
        return None
    return sum(float(number) * _NANOSECONDS[unit.replace("µ", "u")] for number, unit in parts)


def _is_word(text: str) -> bool:
    return re.fullmatch(r"[a-z][a-z0-9-]*", text) is not None


def shown(option: str, value: str) -> str:
    """Return a value as it may be shown: a secret is not."""
    is_secret = _SECRET.search(option) and not _NO_SECRET.search(option)
    if is_secret and value.strip().lower() not in (*_ON, *_OFF, ""):
        return "(hidden)"
    return value if len(value) <= 60 else f"{value[:59]}…"
