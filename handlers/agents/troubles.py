"""What is known to go wrong with an agent, by the words in which its log says so: the cause, and what to do.

Each entry cites where the words come from: a file of Cilium (1.17 to 1.20), of Kubernetes' client, or of Go.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from handlers.agents.log_lines import LogLine
from handlers.model.finding import Sentence


class When(Enum):
    """What a line tells by itself."""

    ENDS = auto()
    """Why a run ended, or never gets ready; of one that goes on it tells nothing."""
    LASTS = auto()
    """What is wrong while the agent runs, for as long as the line comes again."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong. ``cause`` and ``remedy`` are templates over the named groups of ``words``."""

    name: str
    words: re.Pattern[str]
    cause: str
    remedy: str
    when: When = When.ENDS


@dataclass(frozen=True, slots=True)
class Told:
    """A trouble, the newest line that tells of it, and how many lines do."""

    trouble: Trouble
    line: LogLine
    count: int

    @property
    def cause(self) -> Sentence:
        """What is wrong, with the names that the line gives."""
        return Sentence(self.trouble.cause, self._values)

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return str(Sentence(self.trouble.remedy, self._values))

    @property
    def _values(self) -> dict[str, str]:
        found = self.trouble.words.search(self.line.text)
        return {name: (value or "?").strip(" .:") for name, value in (found.groupdict() if found else {}).items()}


def _trouble(name: str, words: str, cause: str, remedy: str, when: When = When.ENDS) -> Trouble:
    return Trouble(name, re.compile(words, re.IGNORECASE), cause, remedy, when)


_CONFIG = "in ConfigMap cilium-config"

TROUBLES = (
    # pkg/option/config.go: validateConfigMap, InitConfig; the value is quoted by strconv.
    _trouble(
        "config-value",
        r'Incorrect config-map flag.{0,40}option (?P<key>[\w.-]{1,80}): .{0,120}parsing "(?P<value>[^"]{0,60})"',
        f"{{key}} {_CONFIG} has the value {{value}}, which this version does not take",
        f"Set {{key}} {_CONFIG} to a value that this version takes, and restart the agents: releases remove values.",
    ),
    _trouble(
        "config-value",
        r"Incorrect config-map flag(?: value)?[: ]+(?:option )?(?P<key>[\w.-]{1,80})",
        f"{{key}} {_CONFIG} has a value that this version does not take",
        f"Set {{key}} {_CONFIG} to a value that this version takes, and restart the agents: releases remove values.",
    ),
    # daemon/cmd/root.go, daemon_main.go; github.com/cilium/hive (keys that no cell knows).
    _trouble(
        "config-keys",
        r"has invalid keys: (?P<key>[\w., -]{1,120})",
        f"{{key}} {_CONFIG} is not known to this version",
        f"Take {{key}} out {_CONFIG}, or use the chart of the version that runs.",
    ),
    _trouble(
        "flag",
        r"unknown (?:shorthand )?flag: (?P<key>\S{1,80})",
        "it is started with {key}, which this version does not know",
        "Take {key} out of the arguments of container cilium-agent: use the chart of the version that runs.",
    ),
    _trouble(
        "config-conflict",
        r"(?P<detail>invalid daemon configuration: .{1,160}|Invalid setting for .{1,120}|Cannot specify .{1,120}"
        r"|[\w-]{1,60} cannot be used with tunneling|L7 proxy requires iptables rules.{0,60}"
        r"|Either IPv4 or IPv6 addressing must be enabled|Unknown IPAM backend .{1,40}"
        r"|Unsupported identity allocation mode .{1,40}|Invalid datapath mode.{0,60}"
        r"|requires (?:BPF masquerade|IPv[46]|the agent to run).{0,80}|Unable to merge configuration.{0,120})",
        f"settings {_CONFIG} do not go together: {{detail}}",
        f"Correct the setting {_CONFIG} and restart the agents.",
    ),
    # pkg/datapath/linux/requirements.go, probes.go; pkg/kpr/initializer/kube_proxy_replacement.go.
    _trouble(
        "kernel",
        r"(?P<detail>Require support for .{1,140}|needs kernel .{1,80}|kernel version.{0,20}NOT OK.{0,80}"
        r"|minimal supported .{0,20}kernel.{0,60}|(?:wireguard|netkit) .{0,30}not supported.{0,60}"
        r"|kernel: ipv6 is enabled in agent but.{0,80})",
        "the kernel of the node lacks what this version or its settings need: {detail}",
        "Use a newer kernel on the node, or turn off the feature that needs it.",
    ),
    _trouble(
        "iptables",
        r"(?P<detail>ip6?tables.{0,80}(?:can't initialize|Table does not exist|modprobe|not found|not exist).{0,60})",
        "the kernel of the node has no iptables modules: {detail}",
        "Load the iptables modules on the node (ip_tables, iptable_nat, iptable_mangle, iptable_raw, xt_socket).",
    ),
    # pkg/bpf/bpffs_linux.go
    _trouble(
        "bpffs",
        r"Could not find BPF map root|Unable to mount BPF filesystem|different filesystem than BPFFS"
        r"|BPF filesystem is going to be mounted automatically",
        "the BPF file system is not mounted on the node as it has to be",
        "Mount bpffs on the node at /sys/fs/bpf (mount bpffs /sys/fs/bpf -t bpf), and give it to the pod.",
    ),
    _trouble(
        "programs",
        r"(?P<detail>(?:failed to compile|alignment check failed|load program: |verifier).{0,160})",
        "its BPF programs do not load: {detail}",
        "Compare the kernel with those that this version supports; a sysdump helps Cilium's makers.",
    ),
    # pkg/k8s/client/cell.go: the first connection, and the heartbeat; pkg/status/status.go.
    _trouble(
        "api-server",
        r"Unable to contact k8s api-server|Failed to (?:connect to|reach) .{0,20}api-?server"
        r"|timeout waiting for .{0,20}api-?server",
        "it does not reach the API server",
        "Check k8sServiceHost and k8sServicePort of the chart (needed without kube-proxy), routes and firewalls from "
        "the node to the API server.",
    ),
    _trouble(
        "api-server-lost",
        r"Heartbeat timed out, restarting client connections|Network status error received, restarting client"
        r"|No response from probe.{0,80}kubernetes",
        "it lost the API server: it learns of no new policy, pod or Service, while its status may still say Ok",
        "Check the network and firewalls from the node to the API server.",
        When.LASTS,
    ),
    _trouble(
        "api-rights",
        r'(?P<detail>is forbidden: User "[^"]{1,100}" cannot \w+ resource "[^"]{1,60}"|Unauthorized\b)',
        "the API server refuses what it asks: {detail}",
        "Bring the ClusterRole and ServiceAccount of Cilium to the version that runs (Helm upgrades them together).",
    ),
    # pkg/k8s/synced/crd.go; pkg/k8s/watchers/watcher.go
    _trouble(
        "crds",
        r"(?:Unable to find all Cilium CRDs|CRDs? .{0,40}(?:missing|not (?:found|installed|available))"
        r"|timed out waiting for .{0,30}CRDs|waiting for (?:all )?Cilium .{0,20}CRDs)",
        "kinds of objects that it needs (CRDs) are missing",
        "Look at the operator, which registers them: cilium-operator has to run, in the same version.",
    ),
    # pkg/kvstore/etcd.go; pkg/allocator/allocator.go
    _trouble(
        "kvstore",
        r"(?:kvstore|\betcd\b).{0,120}(?:time(?:d )?-?out|not (?:ready|able|healthy)|unable|fail|refused|no leader)"
        r"|(?:unable|failed) to .{0,60}(?:kvstore|\betcd\b)|quorum check failed",
        "it does not reach the key-value store",
        "Check etcd (quorum, certificates, its Service), and the network from the node to it.",
        When.LASTS,
    ),
    _trouble(
        "identities",
        r"Timeout while waiting for initial allocator state|Unable to initialize .{0,40}identity allocation",
        "it could not list the identities of the cluster",
        "Look at the API server, or at the key-value store where identities live there.",
    ),
    # Go, crypto/x509 and crypto/tls
    _trouble(
        "certificate",
        r"(?P<detail>x509: .{1,160}|certificate (?:has expired|is not valid|signed by unknown).{0,80}"
        r"|tls: (?:bad certificate|failed to verify|unknown certificate).{0,100})",
        "a certificate is not accepted: {detail}",
        "Renew the certificates (Hubble, clustermesh, etcd or the API server's), and check the node's clock.",
        When.LASTS,
    ),
    # pkg/ipam, plugins/cilium-cni
    _trouble(
        "addresses",
        r"range is full|No more IPs available|no (?:free |more )?IP(?:v[46])? addresses? (?:is |are )?available"
        r"|all CIDR ranges are exhausted",
        "the node has no address left for pods",
        "Give the node a larger or a second pod range, or run fewer pods on it; nodes NODE tells how many are given.",
        When.LASTS,
    ),
    _trouble(
        "pod-cidr",
        r"required IPv[46] PodCIDR not available|(?:waiting|timed out).{0,60}PodCIDR"
        r"|pod ?CIDR.{0,40}not (?:set|available|found)",
        "its node has been given no range of pod addresses",
        "Let the controller manager give node CIDRs (--allocate-node-cidrs), or choose an IPAM mode that does without.",
    ),
    # pkg/maps/policymap: ENOSPC of the map
    _trouble(
        "policy-map",
        r"(?:policy.{0,160}no space left on device|no space left on device.{0,160}policy)",
        "a policy map is full: rules of an endpoint are missing in the datapath",
        f"Raise bpf-policy-map-max {_CONFIG}, or write fewer and wider rules; maps NODE tells how full they are.",
        When.LASTS,
    ),
    _trouble(
        "full",
        r"no space left on device|argument list too long",
        "a map of the datapath, or the disk of the node, is full",
        "maps NODE tells how full the maps are; look at the disk of the node as well.",
        When.LASTS,
    ),
    # Linux: EADDRINUSE, EEXIST, EBUSY
    _trouble(
        "tunnel-taken",
        r"(?:vxlan|geneve|tunnel).{0,160}(?:already in use|file exists|device or resource busy)",
        "another program holds the tunnel's device or port, often another CNI",
        "Remove what another CNI left on the node (flannel.1, vxlan.calico, its configuration in /etc/cni/net.d), or "
        "choose another tunnel-port.",
    ),
    _trouble(
        "port-taken",
        r"(?P<where>[^\s:]{0,60}:\d{1,5}): (?:bind: )?address already in use",
        "another program of the node listens on {where}, which the agent needs",
        "Stop the other program, an agent left from before among them, or move the port.",
    ),
    _trouble(
        "other-cni",
        r"(?:calico|flannel|weave|kube-router|aws-cni|antrea).{0,60}(?:conflict|is active|already)"
        r"|another CNI.{0,40}(?:found|installed|active|running)|CNI configuration.{0,60}(?:overwritten|replaced by)",
        "another CNI is on the node",
        "Remove the other CNI, or set cni-exclusive; only one may own /etc/cni/net.d.",
    ),
    # pkg/datapath/linux/devices; pkg/node
    _trouble(
        "devices",
        r"unable to (?:determine|detect|find).{0,60}(?:device|interface)"
        r"|direct routing device.{0,40}(?:not|required|missing)|no (?:network )?devices? (?:found|detected)",
        "it finds no network device of the node to work with",
        f"Name the devices {_CONFIG} (devices, direct-routing-device).",
    ),
    # pkg/datapath/linux/ipsec
    _trouble(
        "ipsec-key",
        r"(?:ipsec|xfrm).{0,120}(?:no such file|invalid|unable|fail)"
        r"|(?:invalid|missing|unable to load).{0,40}ipsec.{0,20}key",
        "the IPsec key is missing or not understood",
        "Check the secret cilium-ipsec-keys: its form, and that every node has the same.",
        When.LASTS,
    ),
    _trouble(
        "memory-lock",
        r"unable to set memory resource limits",
        "it may not lock memory for its maps",
        "Give the container the rights of the chart (CAP_SYS_RESOURCE, or privileged).",
    ),
    _trouble(
        "rights",
        r"(?P<detail>operation not permitted|read-only file system)",
        "the node does not let it do what it has to: {detail}",
        "Compare the container's security context with the chart's (capabilities, SELinux, AppArmor, mounts).",
    ),
    # pkg/k8s/watchers/watcher.go, pkg/nodediscovery, github.com/cilium/hive
    _trouble(
        "slow-start",
        r"Timed out waiting for pre-existing resources|Unable to initialize local node due to timeout"
        r"|(?:Start hook failed|Failed to start|Start failed).{0,200}(?:deadline exceeded|timed? ?out)",
        "it did not get what it needs to start in the time that it has",
        "Look at how fast the API server answers, and at what else its log waited for.",
    ),
    # Go
    _trouble(
        "crash",
        r"(?P<detail>^panic: .{1,160}|^fatal error: .{1,160}|runtime error: .{1,120})",
        "it crashed, which is a defect of Cilium: {detail}",
        "Try the newest patch release; a sysdump and this line help Cilium's makers.",
    ),
)


_MOST_JUDGED = 200
"""Lines of warning and worse that are looked at, the newest ones: of a log that is full of errors the end tells why."""


def troubles_in(lines: Iterable[LogLine]) -> tuple[Told, ...]:
    """Return what lines of warning and worse tell, each trouble once by its newest line; the newest trouble first."""
    newest: dict[str, Told] = {}
    grave = [line for line in lines if line.level not in ("info", "debug", "trace")]
    for line in grave[-_MOST_JUDGED:]:
        trouble = next((one for one in TROUBLES if _tells(one, line)), None)
        if trouble is not None:
            earlier = newest.pop(trouble.name, None)
            newest[trouble.name] = Told(trouble, line, earlier.count + 1 if earlier else 1)
    return tuple(reversed(newest.values()))


def _tells(trouble: Trouble, line: LogLine) -> bool:
    """Whether a line tells of a trouble; what only warns never ended a run."""
    return (trouble.when is When.LASTS or line.level != "warning") and trouble.words.search(line.text) is not None
