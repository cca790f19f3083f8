"""Agents are asked by a fixed list of commands; exit codes, bounds and refusals come back as reasons."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handlers.model.agent import EgressGatewayEntry, Encryption, KnownNode, LoadBalancerEntry, PolicyMapEntry
from handlers.model.parts import Part
from handlers.model.scope import Scope
from handlers.model.snapshot import Ask, Gap
from tests.cluster.fake_api import Fault
from tests.cluster.lab import Lab
from tests.cluster.record import NAMES, Output, record
from tests.sources.asking import known, missing
from workers.sources.assemble.commands import AgentCommand
from workers.sources.convert import agent_json, agent_nodes, agent_text
from workers.sources.convert.reading import MalformedError
from workers.sources.kube_stream import MAX_OUTPUT_BYTES
from workers.sources.live import LiveSource

ENDPOINTS = Ask(Part.AGENT_ENDPOINTS, Scope(), "lab-node-2")
STATUS = Ask(Part.AGENT_STATUS, Scope(), "lab-node-2")
LINE = "cilium-dbg endpoint list -o json"


@pytest.fixture
def source(baseline: Lab) -> Iterator[LiveSource]:
    found = baseline.source()
    yield found
    found.close()


def test_every_command_reads_and_none_writes() -> None:
    reading = {"status", "list", "get"}
    for command in AgentCommand:
        assert command.value[0] in ("cilium-dbg", "cilium-health")
        # `config` writes where a word with "=" follows, and only there.
        assert reading & set(command.value) or command.value[1:] in (("config", "--all"), ("config", "-a"))
        assert all(word.replace("-", "").isalnum() for word in command.value)


class TestExec:
    """One command in the agent's container."""

    def test_the_agent_of_the_right_node_is_asked(self, baseline: Lab, source: LiveSource) -> None:
        found = known(source, ENDPOINTS)
        assert {item.pod for item in found if item.pod} == {
            "checkout-api-cfd74fdd9-m9n8n",
            "prometheus-f685c85b7-89c4s",
        }
        assert baseline.api.commands == [("lab-node-2", LINE)]

    def test_an_endpoint_tells_its_ports_and_what_became_of_it(self, source: LiveSource) -> None:
        of_pod = next(item for item in known(source, ENDPOINTS) if item.pod.startswith("prometheus-"))
        assert [(port.name, port.port) for port in of_pod.named_ports] == [("web", 9090)]
        assert {entry.code for entry in of_pod.log} == {"OK"}
        assert of_pod.failing == ()

    def test_a_node_without_an_agent(self, source: LiveSource) -> None:
        found = missing(source, Ask(Part.AGENT_STATUS, Scope(), "lab-node-9"))
        assert (found.gap, "lab-node-9" in found.detail) == (Gap.UNREACHABLE, True)

    def test_an_agent_with_the_older_name_of_the_tool(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.exec.binary = "cilium"
        assert known(source, ENDPOINTS)
        assert [line.split()[0] for _, line in baseline.api.commands] == ["cilium-dbg", "cilium"]

    def test_a_command_that_fails(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.exec.overrides[LINE] = Output(b"", 3, "Error: agent is not ready")
        found = missing(source, ENDPOINTS)
        assert found.gap is Gap.FAILED
        assert "exited 3: Error: agent is not ready" in found.detail

    def test_a_connection_that_ends_before_the_command(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.exec.sends_status = False
        found = missing(source, ENDPOINTS)
        assert (found.gap, "ended before" in found.detail) == (Gap.FAILED, True)

    def test_output_without_end_is_bounded(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.exec.endless = True
        found = missing(source, ENDPOINTS)
        assert (found.gap, f"{MAX_OUTPUT_BYTES >> 20} MiB" in found.detail) == (Gap.FAILED, True)

    def test_output_that_is_no_json(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.exec.overrides[LINE] = Output(b"ENDPOINT   POLICY", 0, "")
        assert missing(source, ENDPOINTS).gap is Gap.MALFORMED

    def test_output_of_another_shape(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.exec.overrides[LINE] = Output(b'[{"status": {}}]', 0, "")
        assert missing(source, ENDPOINTS).gap is Gap.MALFORMED

    def test_a_refused_exec_names_the_right(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.faults["exec"] = Fault(status=403)
        found = missing(source, ENDPOINTS)
        assert (found.gap, "pods/exec" in found.remedy) == (Gap.FORBIDDEN, True)

    @pytest.mark.parametrize("status", [404, 500])
    def test_an_api_that_serves_no_exec(self, status: int, baseline: Lab, source: LiveSource) -> None:
        baseline.api.faults["exec"] = Fault(status=status)
        assert missing(source, ENDPOINTS).gap is Gap.FAILED

    def test_an_exec_that_hangs_is_left_in_time(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.faults["exec"] = Fault(hangs=True)
        known(source, Ask(Part.NAMESPACES, Scope()))
        before = time.monotonic()
        assert missing(source, ENDPOINTS, timeout=0.5).gap is Gap.TIMEOUT
        assert time.monotonic() - before < 2.0

    def test_peers_are_told_by_the_prober_else_by_the_long_status(self, baseline: Lab, source: LiveSource) -> None:
        (by_words,) = known(source, STATUS).peers
        assert (by_words.name, by_words.host_reachable) == ("lab-node-1", True)
        health = json.loads(record("01-baseline").outputs["lab-node-1", "cilium-health status -o json"].text)
        health["local"]["name"] = "lab/lab-node-2"
        first = next(node for node in health["nodes"] if node["name"] == "lab/lab-node-1")
        for way in ("icmp", "http"):
            first["host"]["primary-address"][way]["status"] = "Connection timed out"
        baseline.api.exec.overrides["cilium-health status -o json"] = Output(json.dumps(health).encode(), 0, "")
        (by_prober,) = known(source, STATUS).peers
        assert (by_prober.host_reachable, by_prober.endpoint_reachable) == (False, True)
        assert [probe.error for probe in by_prober.probes] == ["Connection timed out", "Connection timed out", "", ""]
        assert {probe.at is None for probe in (*by_prober.probes, *by_words.probes)} == {False}

    def test_a_status_without_any_prober_is_still_a_status(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.exec.overrides["cilium-dbg status --verbose"] = Output(b"", 1, "no")
        assert known(source, STATUS).peers is None


class TestForms:
    """JSON and text tell the same, and "nothing" is told as None."""

    @pytest.mark.parametrize("name", NAMES)
    def test_status_in_words_and_in_json(self, name: str) -> None:
        for node in ("lab-node-1", "lab-node-2"):
            in_json = agent_json.status(json.loads(record(name).outputs[node, "cilium-dbg status -o json"].text))
            in_words = agent_text.status(record(name).outputs[node, "cilium-dbg status --verbose"].text.decode())
            told = "version state message proxy_redirects kube_proxy_replacement failing pools given_to routing tunnel"
            for part in (*told.split(), "encryption", "host_firewall", "map_sizes"):
                assert getattr(in_json, part) == getattr(in_words, part)
            for component, (state, _) in in_words.components.items():
                assert in_json.components[component][0] == state

    def test_failing_controllers_in_words(self) -> None:
        text = (
            "Cilium:                 Warning   1.18.1 (v1.18.1-abc)\n"
            "Controller Status:      1/2 healthy\n"
            "  Name            Last success   Last error   Count   Message\n"
            "  endpoint-gc     3m50s ago      never        0       no error   \n"
            "  sync-policymap  5m ago         2s ago       7       map is full\n"
            "Proxy Status:   No managed proxy redirect\n"
        )
        found = agent_text.status(text)
        assert (found.state, found.version, found.peers) == ("Warning", "1.18.1", None)
        ((name, failures, error),) = [(item.name, item.failures, item.error) for item in found.failing]
        assert (name, failures, error) == ("sync-policymap", 7, "map is full")

    def test_failing_controllers_in_json(self) -> None:
        state = {
            "consecutive-failure-count": 3,
            "last-failure-msg": "no",
            "last-failure-timestamp": "2026-11-20T12:00:00.000Z",
        }
        body: dict[str, Any] = {"cilium": {"state": "Warning"}, "controllers": [{"name": "c", "status": state}]}
        (found,) = agent_json.status(body).failing
        assert (found.failures, found.error, found.last_failure_at is not None) == (3, "no", True)

    def test_an_unreachable_peer_in_words(self) -> None:
        text = (
            "Cluster health:   1/2 reachable   (2026-11-20T12:22:51Z)\n"
            "Name              IP              Node                     Endpoints\n"
            "  lab/lab-node-1 (localhost):\n"
            "    Host connectivity to 10.90.0.1:\n"
            "      ICMP to stack:   OK, RTT=303.429µs   (Last probed: 2026-11-20T12:22:03Z)\n"
            "  lab/lab-node-2:\n"
            "    Host connectivity to 10.90.0.2:\n"
            "      ICMP to stack:   Connection timed out   (Last probed: 2026-11-20T12:22:03Z)\n"
            '      HTTP to agent:   Get "http://10.90.0.2:4240/hello": context deadline exceeded\n'
            "Modules Health:\n"
        )
        (peer,) = agent_text.peers(text) or ()
        assert (peer.name, peer.host_reachable, peer.endpoint_reachable) == ("lab-node-2", False, None)
        assert [(probe.way, probe.error[:20], probe.at is None) for probe in peer.probes] == [
            ("ICMP", "Connection timed out", False),
            ("HTTP", 'Get "http://10.90.0.', True),
        ]

    def test_nodes_that_an_agent_knows_in_words_and_in_json(self) -> None:
        outputs = record("34-healthy-busy").outputs
        in_json = agent_nodes.known_nodes(json.loads(outputs["lab-node-2", "cilium-dbg node list -o json"].text))
        words = (
            "Name             IPv4 Address   Endpoint CIDR   IPv6 Address   Endpoint CIDR   Source\n"
            "lab/lab-node-1   10.90.0.1      10.244.0.0/24                                  custom-resource\n"
            "lab/lab-node-2   10.90.0.2      10.244.1.0/27   fd00::2        fd00:10::/64    local\n"
        )
        first, second = agent_nodes.nodes_in_words(words)
        assert [(one.name, one.cluster, one.ips[0], one.pod_cidrs[0]) for one in in_json] == [
            (one.name, one.cluster, one.ips[0], one.pod_cidrs[0]) for one in (first, second)
        ]
        assert (second.ips, second.pod_cidrs) == (("10.90.0.2", "fd00::2"), ("10.244.1.0/27", "fd00:10::/64"))
        assert in_json[0] == KnownNode(
            "lab-node-1",
            ("10.90.0.1", "10.244.0.37"),
            ("10.244.0.0/24",),
            ("10.244.0.147",),
            "custom-resource",
            cluster="lab",
        )

    def test_a_configuration_in_words(self) -> None:
        words = (
            "#### Read-only configurations ####\n"
            "CTMapEntriesGlobalTCP             : 221723\n"
            "CreationTime                      : 2026-11-21T14:09:05.709121046Z\n"
            "EnableCiliumClusterwideNetworkPolicy: true\n"
            "HTTP403Message                    : \n"
            "IPAMMultiPoolPreAllocation\n"
            "\tdefault                   : 8\n"
            "PolicyAuditMode                   : false\n"
            "##### Read-write configurations #####\n"
            "PolicyAuditMode                   : Enabled\n"
        )
        found = agent_nodes.config(words)
        assert found.options == {
            "CTMapEntriesGlobalTCP": "221723",
            "EnableCiliumClusterwideNetworkPolicy": "true",
            "HTTP403Message": "",
            "PolicyAuditMode": "Enabled",
        }
        assert found.started_at is not None
        assert f"{found.started_at:%H:%M:%S}" == "14:09:05"

    @pytest.mark.parametrize("read", [agent_nodes.nodes_in_words, agent_nodes.config])
    def test_another_output_is_no_empty_list(self, read: Callable[[str], object]) -> None:
        with pytest.raises(MalformedError):
            read("Error: the agent is gone\n".replace(":", ""))

    def test_encryption_in_words_and_in_json(self) -> None:
        words = (
            "Cilium:       Ok   1.19.6 (v1.19.6-release)\n"
            "Encryption:   Wireguard  [NodeEncryption: Disabled, cilium_wg0 (Pubkey: ab+c/d=, Port: 51871, Peers: 4)]\n"
        )
        body = {
            "cilium": {"state": "Ok"},
            "encryption": {
                "mode": "Wireguard",
                "wireguard": {"interfaces": [{"name": "cilium_wg0", "public-key": "ab+c/d=", "peer-count": 4}]},
            },
        }
        expected = Encryption("Wireguard", "ab+c/d=", 4)
        assert (agent_text.status(words).encryption, agent_json.status(body).encryption) == (expected, expected)

    def test_ports_of_a_policy_map_in_json_and_in_words(self) -> None:
        key = {"Prefixlen": 60, "Identity": 50404, "TrafficDirection": 0, "Nexthdr": 6, "DestPortNetwork": 12405}
        entry = {"Key": key, "Flags": 161, "ProxyPortNetwork": 20878, "Packets": 18446744073709551615}
        expected = PolicyMapEntry(1994, True, True, 50404, 6, 30000, 20, 36433, None)
        assert agent_json.policy_map([{"EndpointID": "1994", "Content": [entry]}]) == (expected,)
        text = (
            "Endpoint ID: 1994\nPath: /sys/fs/bpf/x\n\n"
            "POLICY   DIRECTION   IDENTITY   PORT/PROTO        PROXY PORT   AUTH TYPE   BYTES   PACKETS   PREFIX\n"
            "Deny     Ingress     50404      30000-30015/TCP   36433        disabled    -       -         20    \n"
        )
        assert agent_text.policy_map(text) == (expected,)

    def test_addresses_that_mean_none(self) -> None:
        body = [{"SourceIP": "10.0.0.1", "DestCIDR": "198.18.0.0/15", "EgressIP": "0.0.0.0", "GatewayIP": "Not Found"}]
        assert agent_json.egress_gateways(body) == (EgressGatewayEntry("10.0.0.1", "198.18.0.0/15", None, None),)
        text = (
            "Source IP   Destination CIDR   Egress IP   Gateway IP\n"
            "10.0.0.1    198.18.0.0/15      0.0.0.0     Not Found\n"
        )
        assert agent_text.egress_gateways(text) == agent_json.egress_gateways(body)
        assert agent_text.egress_gateways("No entries found.\n") == ()

    @pytest.mark.parametrize(
        ("mode", "enforcing"),
        [
            ("none", (False, False)),
            ("ingress", (True, False)),
            ("audit-egress", (False, True)),
            ("both", (True, True)),
            (None, (None, None)),
        ],
    )
    def test_enforcement(self, mode: str | None, enforcing: tuple[bool | None, bool | None]) -> None:
        body = [{"id": 1, "status": {"policy": {"realized": {"policy-enabled": mode}}}}]
        (found,) = agent_json.endpoints(body)
        assert (found.ingress_enforcing, found.egress_enforcing) == enforcing

    def test_null_is_how_go_writes_an_empty_list(self) -> None:
        assert agent_json.endpoints(None) == ()
        assert agent_json.learnt_names(None) == ()


SERVICES_IN_WORDS = """\
ID   Frontend                 Service Type   Backend
7    10.96.156.197:443/TCP    ClusterIP      1 => 10.244.1.20:8443/TCP (maintenance)
                                             2 => 10.244.0.77:8443/TCP (active)
16   0.0.0.0:30876/TCP        NodePort
18   0.0.0.0:30876/TCP/i      NodePort       1 => 10.244.0.199:8080/TCP (active)
19   [fd00::a]:53/UDP         ClusterIP      1 => [fd01::7]:5353/UDP (active)
"""


def test_the_table_of_services_in_words() -> None:
    assert agent_text.services(SERVICES_IN_WORDS) == (
        LoadBalancerEntry(
            "10.96.156.197:443", "TCP", ("10.244.0.77:8443",), "", "", "ClusterIP", idle=("10.244.1.20:8443",)
        ),
        LoadBalancerEntry("0.0.0.0:30876", "TCP", (), "", "", "NodePort"),
        LoadBalancerEntry("0.0.0.0:30876", "TCP", ("10.244.0.199:8080",), "", "", "NodePort", for_inside=True),
        LoadBalancerEntry("[fd00::a]:53", "UDP", ("[fd01::7]:5353",), "", "", "ClusterIP"),
    )
    with pytest.raises(MalformedError):
        agent_text.services("command not found")


def test_a_metric_without_a_value_is_zero() -> None:
    (found,) = agent_json.metrics([{"name": "cilium_policy_change_total", "labels": {"outcome": "fail"}}])
    assert found.value == 0.0
