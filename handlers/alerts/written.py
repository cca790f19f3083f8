"""Alerts as people and chats have them: a text of subjects, titles, labels and sentences.

A text has sections: each begins at a subject (``[FIRING:1] ...``) or a title (``prod - KubePodNotReady: ...``, as
PagerDuty shows it). Inside, labels stand as ``name = value`` or ``name: value``: in Grafana's list, in a template of
somebody's own, or as Datadog's tags; what kube-prometheus' descriptions say is read where labels are not given.
"""

import re
from collections.abc import Iterator

from handlers.alerts.alert import LONGEST_TEXT, MOST_ALERTS, Alert, Form, State
from handlers.alerts.described import described
from handlers.alerts.known import known_alert
from handlers.alerts.labels import canonical
from handlers.alerts.noise import spaced, why_not_network
from handlers.alerts.spoken import packet_drop, probe_failure
from handlers.alerts.subject import SUBJECT, bare_subject, readings, values_in

_TITLE = re.compile(
    r"^\W{0,20}(?:(?:triggered|acknowledged|resolved)\W{1,10})?(?:#?\d+:?\s?)?(?:\[[^\]]{1,60}\]:?\s?){0,5}"
    r"(?:(?P<cluster>[\w.-]{1,63})\s{1,5}[-–—|:]\s{1,5})?(?P<name>[A-Z][A-Za-z0-9_]{3,80})\s?[:\-–—|]\s{1,5}\S",
    re.IGNORECASE,
)
_STATES = r"(?:re-?)?(?:triggered|alert(?:ing)?|warn(?:ing)?|no data|recovered|resolved|closed)"
_TRIGGERED = re.compile(
    rf"^\W{{0,20}}(?:\[{_STATES}\b[^\]]{{0,400}}\]|{_STATES}\s?:|triggered #\d+)[:\s]{{0,5}}"
    r"(?:\[p\d\]\s?)?(?:#\d+:?\s?)?(?P<name>[^\n]{1,200})",
    re.IGNORECASE,
)
"""A monitor of Datadog, or an incident of PagerDuty."""
_RESOLVED = re.compile(
    r"^\W{0,20}(?:\[?\s?(?:auto-?)?(?:resolved|recovered|closed)\b|status\s?[:=]\s?(?:resolved|closed|ok|normal)\b"
    r"|(?:alert|incident) (?:#?\d+ )?(?:has been |was |is )?(?:resolved|closed)|(?:ok|normal)\s?$)",
    re.IGNORECASE,
)
_RESOLVED_INSIDE = re.compile(r"\[RESOLVED|\b(?:has|was|is now|been) (?:auto-?)?(?:resolved|recovered|closed)\b", re.I)
_SCOPE = re.compile(r"\s+on\s+\{?[\w.]{1,60}:\S.*$")
"""Where a monitor of Datadog fires, behind its name."""
_HEADING = re.compile(r"^\W{0,20}(?P<state>firing|resolved)\W{0,20}$", re.IGNORECASE)
_WORD = re.compile(r"\b[A-Za-z][A-Za-z0-9]{5,80}\b")
_PAIR = re.compile(
    r"(?<![\w/])(?P<name>[A-Za-z][A-Za-z0-9_.]{1,60}(?: Name)?)\s{0,3}(?P<sign>[=:])\s{0,3}[\"“'(]?"
    r"(?P<value>[^\s\"”',;|{}()<>]{1,300})"
)
_REASON = re.compile(
    r"\breason\s{0,3}=\s{0,3}[\"“]?(?P<value>[A-Za-z]\w{1,60}(?: (?!\w{1,60}\s{0,3}[=:])\w{1,60}){0,6})", re.IGNORECASE
)
"""Its value may have several words, of which none is the name of the next label."""

_NAMES = frozenset(
    """alertname alert alert_name monitor_name namespace pod pod_name deployment statefulset daemonset job_name service
    container node instance cluster reason protocol direction traffic_direction ingress to map_name job
    prometheus target severity kube_namespace kube_deployment kube_stateful_set kube_daemon_set kube_job kube_service
    kube_node
    kube_cluster_name cluster_name kube_container_name container_name node_name kubernetes_namespace kubernetes_pod_name
    k8s.namespace.name k8s.pod.name k8s.deployment.name k8s.node.name k8s.cluster.name source destination
    source_namespace source_pod source_workload source_app source_ip destination_namespace destination_pod
    destination_workload destination_app destination_ip destination_port source_canonical_service
    destination_canonical_service destination_service_name destination_service_namespace source_workload_namespace
    destination_workload_namespace exported_namespace exported_pod exported_service exported_job exported_container
    exported_node source_cluster target_cluster module controller_namespace controller_pod""".split()
)
_MOST_LISTED = 500
"""Alerts of one section: a message of Slack has room for about as many."""
_LONGEST_SHARED = 2_000
"""Characters of what a section says that are read with each of several alerts."""
_CALLED = frozenset({"alert", "alert_name", "monitor_name"})
_ONLY_WITH_EQUALS = frozenset({"name"})
_ONLY_LOWER = frozenset(
    "service source destination to job instance reason target direction protocol module ingress".split()
)
"""Names that people also write as headings of something else: ``Service: Checkout team``, ``Source: https://...``."""
_SHARED = frozenset({"alertname", "cluster", "namespace"})
_OBJECTS = frozenset(
    "namespace pod deployment statefulset daemonset job_name service node instance source destination cluster".split()
)


def read_text(text: str, state: State | None = None) -> tuple[Alert, ...]:
    """Return the alerts of a text, none where it has none. ``state`` is what the message around it says."""
    found: list[Alert] = []
    for section in _sections(text[:LONGEST_TEXT].splitlines()):
        found.extend(_alerts_of(section, state))
        if len(found) >= MOST_ALERTS:
            break
    return tuple(found)


def says_resolved(words: str) -> bool:
    """Say whether words tell that something is over, whatever it is."""
    lines = words.splitlines()
    return any(_RESOLVED.match(line) for line in lines) or any(_RESOLVED_INSIDE.search(line) for line in lines[:3])


def _sections(lines: list[str]) -> Iterator[list[str]]:
    """Give the lines of each section; those before the first one belong to it."""
    section: list[str] = []
    has_head = False
    for line in lines:
        title = _TITLE.match(line)
        is_head = SUBJECT.search(line) is not None or (title is not None and _is_known(title["name"]))
        if is_head and has_head:
            yield section
            section = []
        has_head = has_head or is_head
        section.append(line)
    yield section


def _alerts_of(section: list[str], hint: State | None) -> Iterator[Alert]:
    text = "\n".join(section)
    name, head = _name_of(section)
    items = list(_items(section, _state_of(section, hint)))
    labelled = [(labels, state) for labels, state in items if labels]
    is_spoken = probe_failure(text, {}) is not None or packet_drop(text, {}) is not None
    if not name and not is_spoken and not any(_tells(labels) for labels, _ in labelled):
        return
    if not labelled and len(objects := _described_each(section)) > 1:
        labelled = [(labels, items[0][1]) for labels in objects]
    told_of = labelled[:_MOST_LISTED] or items[:1]
    # Each alert is read by all that is said: of a long list that is what stands above it.
    words = text if len(told_of) == 1 else text[:_LONGEST_SHARED]
    for labels, state in told_of:
        own = labels.get("alertname") or name
        told = {**head, **described(text), **labels} if len(labelled) <= 1 else {**head, **labels}
        choices = _choices(section, own, told)
        if len(choices) == 1:
            told, choices = {**choices[0], **told}, ()
        yield Alert(own, told, state, Form.WRITTEN, words, choices=choices)


def _described_each(section: list[str]) -> list[dict[str, str]]:
    """Return the objects of a kind that lines describe one after the other: a template writes a line for each alert."""
    found: list[dict[str, str]] = []
    for line in section:
        labels = described(line)
        if labels and labels not in found and (not found or labels.keys() == found[0].keys()):
            found.append(labels)
    return found


def _tells(labels: dict[str, str]) -> bool:
    return "alertname" in labels or len(_OBJECTS & labels.keys()) > 1


def _name_of(section: list[str]) -> tuple[str, dict[str, str]]:
    """Return the name of the alert and what its title says beside: the cluster."""
    for line in section:
        if subject := SUBJECT.search(line):
            words = re.sub(r"[(),:]", " ", subject["rest"]).split()
            known = next((word for word in words if _is_known(word)), "")
            told = subject["rest"].partition("(")[0].strip()
            is_one_word = bool(words) and len(spaced(words[0]).split()) > 1
            return known or (words[0] if is_one_word else told or " ".join(words[:1])), {}
        if (title := _TITLE.match(line)) and (
            title["name"][0].isupper() and (_is_known(title["name"]) or title["cluster"])
        ):
            cluster = title["cluster"] or ""
            return title["name"], {"cluster": cluster} if cluster and not _is_known(cluster) else {}
    for line in section:
        if known := next((word for word in _WORD.findall(line) if _is_known(word)), ""):
            return known, {}
    for line in section:
        if triggered := _TRIGGERED.match(line):
            return _SCOPE.sub("", triggered["name"]).strip() or line.strip()[:200], {}
    return "", {}


def _is_known(name: str) -> bool:
    # One word in lower case is a word of a sentence ("backup"), whatever families of names begin with it.
    has_shape = name[:1].isupper() and len(spaced(name).split()) > 1
    return known_alert(name) is not None or (has_shape and bool(why_not_network(name))) or name in ("Watchdog",)


def _state_of(section: list[str], hint: State | None) -> State:
    for line in section:
        if subject := SUBJECT.search(line):
            return State(subject["state"].lower())
    if says_resolved("\n".join(section)):
        return State.RESOLVED
    return hint or State.FIRING


def _items(section: list[str], state: State) -> Iterator[tuple[dict[str, str], State]]:
    """Give the labels of each alert of a section: an object that comes again with another name begins the next one.

    That one keeps what lines before it have in common with it: the alert's name, the cluster, the namespace where a pod
    comes without one.
    """
    labels: dict[str, str] = {}
    kept: dict[str, str] = {}
    for line in section:
        if heading := _HEADING.match(line):
            if labels:
                yield {**kept, **labels}, state
                labels, kept = {}, {}
            state = State(heading["state"].lower())
            continue
        told = _pairs(line)
        if any(name in _OBJECTS and labels.get(name, value) != value for name, value in told.items()):
            yield {**kept, **labels}, state
            kept = {name: value for name, value in {**kept, **labels}.items() if name in _SHARED}
            labels = {}
        labels = {**told, **labels}
    yield {**kept, **labels}, state


def _pairs(line: str) -> dict[str, str]:
    found: list[tuple[str, str]] = []
    for pair in _PAIR.finditer(line):
        name, sign, value = pair["name"].replace(" ", "_"), pair["sign"], pair["value"].rstrip(".")
        lower = name.lower()
        if lower not in _NAMES and not (lower in _ONLY_WITH_EQUALS and sign == "="):
            continue
        if sign == ":" and lower in _ONLY_LOWER and name != lower:
            continue
        if lower in _CALLED and len(spaced(value).split()) < 2 and line[pair.end() :].strip(" .*\"'”"):
            continue  # a headline that begins with "Alert:"
        if value and not (lower in ("source", "destination") and "://" in value):
            found.append((name, value))
    if reason := _REASON.search(line):
        found = [(name, value) for name, value in found if name.lower() != "reason"]
        found.append(("reason", reason["value"].strip()))
    return canonical(found)


def _choices(section: list[str], name: str, told: dict[str, str]) -> tuple[dict[str, str], ...]:
    """Read the values of a subject line where no label says whom it is about."""
    known = known_alert(name)
    wanted = known.labels if known else ("namespace", "pod")
    if (
        not wanted
        or set(wanted) <= told.keys()
        or ({"namespace"} & set(wanted) and {"namespace", "pod"} <= told.keys())
    ):
        return ()
    rest = next((subject["rest"] for line in section if (subject := SUBJECT.search(line))), "")
    rest = rest or next((bare for line in section if (bare := bare_subject(line, name))), "")
    if not rest:
        return ()
    group, common = values_in(rest, name)
    return tuple({**told, **reading} for reading in readings(group, common, wanted, is_known=known is not None))
