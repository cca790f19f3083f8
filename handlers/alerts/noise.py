"""Alerts that are not about the network: they stay silent."""

import re

from handlers.alerts.known.entry import plain_name

_FAMILIES: tuple[tuple[str, str], ...] = (
    ("watchdog|infoinhibitor|deadmansswitch|alwaysfiring", "it always fires, to show that alerts arrive"),
    ("kubecpu|kubememory|kubequota|kubernetes(?:out)?ofcapacity", "it is about the capacity that is promised"),
    ("nodefilesystem|nodedisk|nodemdraid|noderaid|hostoutofdisk|hostdisk|hostinode", "it is about a disk"),
    ("nodecpu|nodememory|nodesystem|nodeclock|nodefiledescriptor|nodetextfile|nodesystemd|hostoutofmemory|hosthighcpu"
     "|hostcpu|hostmemory|hostswap|hostoomkill|hostclock|hostsystemd", "it is about a node's own resources"),
    ("cputhrottling|containerhighcpu|containercpu|containermemory|containerhighmemory|containerhighthrottle|highcpu"
     "|highmemory|memoryusage|cpuusage", "it is about CPU or memory"),
    ("kubepersistentvolume|kubernetesvolume|kubernetespersistentvolume|containervolume|persistentvolume|pvc"
     "|volume(?:full|space)", "it is about a volume"),
    ("kubehpa|kuberneteshpa|keda|kubepdb|kubepoddisruption", "it is about how many replicas are wanted"),
    ("kubeclientcert|kubeletclientcert|kubeletservercert|blackboxssl|certificate|certmanager|x509|sslcert|tlscert"
     "|kubernetesclientcert", "it is about a certificate's age"),
    ("datasource(?:nodata|error)|prometheus(?!target|job|notconnected|remote|errorsending)|alertmanager(?!failedtosend|clusterdown)|thanos"
     "|configreloader|kubestatemetrics(?!down)", "it is about the monitoring itself"),
    ("kubeversionmismatch|kubeapiterminated|kubeclienterrors|kubelettoomanypods|kubeletpodstartup|kubeletplegduration"
     "|kubenodepressure|kubenodeeviction|kubernetesnode(?:memory|disk|outof)|kubernetesjobsuspended|kubecronjob"
     "|kubernetescronjob", "it is about the control plane's own work"),
    ("kubecontaineroom|kubernetescontaineroom|oomkill|kubepodoom", "something is killed for its memory"),
    ("etcd(?:high)?(?:fsync|commit|database|excessive|high)|velero|backup", "it is about storage"),
)  # fmt: skip
_BY_NAME = [(re.compile(names), why) for names, why in _FAMILIES]

_OTHER_MATTERS = re.compile(
    r"\b(?:cpu|memory|mem|oom|oomkill\w*|disk|filesystem|inodes?|volume|pvc|(?<!remote )storage|quota|certificates?"
    r"|certs?|expir\w+|backups?|throttl\w+|hpa|autoscal\w+|swap|raid|clock|overcommit\w*|evict\w+|licen[cs]e|heap|vacuum"
    r"|deadlocks?|replication lag|queue)\b",
    re.IGNORECASE,
)
_NETWORK = re.compile(
    r"\b(?:drop(?:s|ped|ping)?|den(?:y|ied|ies|ials?)|polic(?:y|ies)|unreachable|unreached|timed? ?-?outs?|timeouts?"
    r"|connect(?:s|ed|ing|ions?|ivity)?|disconnect\w*|refused|dns|nxdomain|servfail|packets?|networks?|egress|ingress"
    r"|cni|cilium|hubble|i/o|no route|reset by peer|reach(?:es|ed|ing|able)?|deadline exceeded|econn\w+|upstream"
    r"|handshake)\b",
    re.IGNORECASE,
)
_DROPS = re.compile(r"\b(?:drop(?:s|ped|ping)?|den(?:y|ied|ies|ials?)|polic(?:y|ies)|blocked)\b", re.IGNORECASE)
_PERHAPS = re.compile(
    r"\b(?:down|unavailable|not available|5xx|50[0234]|errors?|latency|slow|not ready|unready|unhealthy|probes?"
    r"|health ?check\w*|fail(?:s|ed|ing|ures?)?|absent|missing|lost)\b",
    re.IGNORECASE,
)


def why_not_network(name: str) -> str:
    """Return why an alert of this name is not about the network, nothing where that cannot be told by the name."""
    plain = plain_name(name)
    return next((why for names, why in _BY_NAME if names.match(plain)), "")


def is_about_the_network(words: str) -> bool:
    """Whether words speak of the network by its own terms."""
    return _NETWORK.search(words) is not None


def is_about_drops(words: str) -> bool:
    """Whether words speak of packets that are dropped or denied."""
    return _DROPS.search(words) is not None


def may_be_about_the_network(words: str) -> bool:
    """Whether words speak of something that the network can cause, among others."""
    return _PERHAPS.search(words) is not None


def is_about_other_matters(words: str) -> bool:
    """Whether words speak of what the network has no part in: memory, disks, certificates."""
    return _OTHER_MATTERS.search(words) is not None


def spaced(name: str) -> str:
    """Return ``HighDeniedRate`` or ``high_denied_rate`` as words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-/.]+", " ", name)
