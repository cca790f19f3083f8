"""The Kubernetes API: whole lists or a reason, as narrow as asked, patient with throttling, never past its time."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from handlers.model.endpoint import Kind
from handlers.model.parts import Part
from handlers.model.scope import PodQuery, Scope
from handlers.model.snapshot import AnyPart, Ask, Gap
from tests.cluster.fake_api import Fault
from tests.cluster.fake_api import Kind as Served
from tests.cluster.lab import Lab
from tests.sources.asking import known, missing
from workers.sources.live import LiveSource, open_live

SHOP = Scope(namespaces=("shop",))
ALL = Scope(all_namespaces=True, pods=(PodQuery(),), identities=())


@pytest.fixture
def source(baseline: Lab) -> Iterator[LiveSource]:
    found = baseline.source()
    yield found
    found.close()


def _paths(lab: Lab) -> list[str]:
    return [path for path, _ in lab.api.requests]


class TestNarrow:
    """The cost of a question does not grow with the cluster."""

    def test_namespaces_are_listed_by_themselves(self, baseline: Lab, source: LiveSource) -> None:
        services = known(source, Ask(Part.SERVICES, Scope(namespaces=("shop", "payments"))))
        assert {item.namespace for item in services} == {"shop", "payments"}
        assert set(_paths(baseline)) == {
            "/api/v1/namespaces/shop/services",
            "/api/v1/namespaces/payments/services",
        }

    def test_policies_of_namespaces_come_with_the_clusterwide_ones(self, baseline: Lab, source: LiveSource) -> None:
        known(source, Ask(Part.POLICIES, SHOP))
        assert set(_paths(baseline)) == {
            "/api/v1/namespaces/kube-system/pods",  # whether agents run
            "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
            "/apis/cilium.io/v2/namespaces/shop/ciliumnetworkpolicies",
            "/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies",
        }

    def test_no_namespace_means_clusterwide_objects_alone(self, baseline: Lab, source: LiveSource) -> None:
        known(source, Ask(Part.POLICIES, Scope(namespaces=())))
        assert set(_paths(baseline)) == {
            "/api/v1/namespaces/kube-system/pods",  # whether agents run
            "/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies",
        }

    @pytest.mark.parametrize(
        ("query", "pods", "sent"),
        [
            pytest.param(PodQuery("shop"), 5, {}, id="a namespace"),
            pytest.param(PodQuery("shop", labels="app=cart"), 1, {"labelSelector": "app=cart"}, id="labels"),
            pytest.param(
                PodQuery(ip="10.244.0.166"), 1, {"fieldSelector": "status.podIP=10.244.0.166"}, id="an address"
            ),
            pytest.param(PodQuery(node="lab-node-2"), 3, {"fieldSelector": "spec.nodeName=lab-node-2"}, id="a node"),
        ],
    )
    def test_pods(self, query: PodQuery, pods: int, sent: dict[str, str], baseline: Lab, source: LiveSource) -> None:
        found = known(source, Ask(Part.PODS, Scope(pods=(query,))))
        assert len(found) == pods
        ((_, params),) = baseline.api.requests
        assert {key: value for key, value in params.items() if key != "limit"} == sent

    def test_parts_that_are_made_of_one_list_read_it_once_when_they_are_read_together(
        self, baseline: Lab, source: LiveSource
    ) -> None:
        # A call that is refused for a second is still under way when the other part comes to it.
        baseline.api.faults["ciliumendpoints"] = Fault(status=429, times=1, retry_after="1")
        scope = Scope(all_namespaces=True, named_ports=True)
        with ThreadPoolExecutor(2) as threads:
            asks = [Ask(part, scope) for part in (Part.CILIUM_ENDPOINTS, Part.NAMED_PORTS)]
            assert all(threads.map(lambda ask: known(source, ask), asks))
        assert _paths(baseline) == ["/apis/cilium.io/v2/ciliumendpoints"] * 2

    def test_a_list_is_read_anew_for_whoever_asks_later(self, baseline: Lab, source: LiveSource) -> None:
        for _ in range(2):
            known(source, Ask(Part.CILIUM_ENDPOINTS, Scope(namespaces=("shop",))))
        assert len(_paths(baseline)) == 2

    def test_a_second_address_is_looked_for_among_all_pods(self, baseline: Lab, source: LiveSource) -> None:
        pod = {**baseline.api.objects["pods"][0]}
        pod["status"] = {**pod["status"], "podIPs": [{"ip": "10.244.0.107"}, {"ip": "2001:db8::7"}]}
        baseline.api.objects["pods"][0] = pod
        (found,) = known(source, Ask(Part.PODS, Scope(pods=(PodQuery(ip="2001:db8:0::7"),))))
        assert found.ips == ("10.244.0.107", "2001:db8::7")

    def test_identities_by_number_are_got_one_by_one(self, baseline: Lab, source: LiveSource) -> None:
        wanted = (50404, 23279, 99999, 1, 16777217)
        found = known(source, Ask(Part.IDENTITIES, Scope(identities=wanted)))
        assert [item.number for item in found] == [50404, 23279]
        assert len(baseline.api.requests) == 3

    def test_identities_where_a_404_says_nothing(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.objects["ciliumidentities"] = [
            item for item in baseline.api.objects["ciliumidentities"] if item["metadata"]["name"] != "23279"
        ]
        baseline.api.faults["ciliumidentities"] = Fault(status=404, message="not found", by_name=True)
        found = known(source, Ask(Part.IDENTITIES, Scope(identities=(50404, 23279))))
        assert [item.number for item in found] == [50404]

    def test_workloads_of_all_kinds(self, source: LiveSource) -> None:
        found = known(source, Ask(Part.WORKLOADS, SHOP))
        assert {(item.kind, item.name) for item in found} == {
            (Kind.DEPLOYMENT, "cart"),
            (Kind.DEPLOYMENT, "catalog"),
            (Kind.DEPLOYMENT, "frontend"),
            (Kind.DEPLOYMENT, "loadgen"),
            (Kind.STATEFUL_SET, "redis"),
        }

    def test_what_is_not_known_yet_is_not_asked(self, baseline: Lab, source: LiveSource) -> None:
        for part in (Part.PODS, Part.SERVICES, Part.POLICIES, Part.CILIUM_ENDPOINTS, Part.IDENTITIES, Part.FLOWS):
            assert missing(source, Ask(part, Scope())).gap is Gap.NOT_ASKED
        assert missing(source, Ask(Part.AGENT_STATUS, Scope())).gap is Gap.NOT_ASKED
        assert baseline.api.requests == []


class TestPages:
    """Long lists come in pages."""

    def test_pages_are_put_together(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.page_size = 4
        assert len(known(source, Ask(Part.PODS, ALL))) == 18
        assert len(baseline.api.requests) == 5
        assert all(params["limit"] == "500" for _, params in baseline.api.requests)

    def test_a_list_that_expires_half_way_is_read_again(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.page_size = 4
        baseline.api.faults["pods"] = Fault(status=410, message="continue token expired", page=2, times=1)
        assert len(known(source, Ask(Part.PODS, ALL))) == 18

    def test_a_list_that_expires_every_time_is_a_gap(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.page_size = 4
        baseline.api.faults["pods"] = Fault(status=410, page=2)
        assert missing(source, Ask(Part.PODS, ALL)).gap is Gap.FAILED

    def test_a_list_that_is_gone_half_way_is_a_gap_though_clusters_may_lack_its_kind(
        self, baseline: Lab, source: LiveSource
    ) -> None:
        baseline.api.page_size = 4
        baseline.api.faults["deployments"] = Fault(status=404, page=1)
        assert missing(source, Ask(Part.WORKLOADS, ALL)).gap is Gap.FAILED

    def test_a_failing_page_hides_the_whole_list(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.page_size = 4
        baseline.api.faults["pods"] = Fault(status=500, page=1)
        assert missing(source, Ask(Part.PODS, ALL)).gap is Gap.FAILED


class TestPatience:
    """What passes is waited for, within the time."""

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_throttled_call_is_made_again(self, status: int, baseline: Lab, source: LiveSource) -> None:
        baseline.api.faults["namespaces"] = Fault(status=status, times=2, retry_after="0")
        assert len(known(source, Ask(Part.NAMESPACES, Scope()))) == 7

    def test_a_server_that_asks_for_more_time_than_there_is_gets_none(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.faults["namespaces"] = Fault(status=429, retry_after="600")
        before = time.monotonic()
        assert "throttles" in missing(source, Ask(Part.NAMESPACES, Scope()), timeout=3.0).detail
        assert time.monotonic() - before < 2.0

    def test_a_broken_connection_is_opened_again(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.faults["namespaces"] = Fault(drops=True, times=1)
        assert len(known(source, Ask(Part.NAMESPACES, Scope()))) == 7

    def test_a_server_that_hangs_is_left_in_time(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.faults["namespaces"] = Fault(hangs=True)
        before = time.monotonic()
        assert missing(source, Ask(Part.NAMESPACES, Scope()), timeout=0.5).gap is Gap.TIMEOUT
        assert time.monotonic() - before < 2.0

    def test_a_server_that_is_not_there(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.close()
        found = missing(source, Ask(Part.NAMESPACES, Scope()))
        assert (found.gap, "127.0.0.1" in found.detail) == (Gap.UNREACHABLE, True)
        assert found.remedy


class TestRefusals:
    """A refusal says which verb on which resource, and what to do."""

    def test_forbidden(self, baseline: Lab, source: LiveSource) -> None:
        message = 'ciliumnetworkpolicies.cilium.io is forbidden: User "x" cannot list resource'
        baseline.api.faults["ciliumnetworkpolicies"] = Fault(status=403, message=message)
        found = missing(source, Ask(Part.POLICIES, SHOP))
        assert found.gap is Gap.FORBIDDEN
        assert "list ciliumnetworkpolicies.cilium.io in namespace shop" in found.detail
        assert 'apiGroups: ["cilium.io"], resources: ["ciliumnetworkpolicies"]' in found.remedy

    def test_credentials_that_are_not_accepted(self, baseline: Lab) -> None:
        stranger = baseline.source(context="stranger")
        found = missing(stranger, Ask(Part.NAMESPACES, Scope()))
        assert (found.gap, "credentials" in found.detail) == (Gap.FORBIDDEN, True)
        stranger.close()

    def test_a_context_that_does_not_exist(self, baseline: Lab) -> None:
        nowhere = baseline.source(context="nowhere")
        found = missing(nowhere, Ask(Part.NAMESPACES, Scope()))
        assert (found.gap, "nowhere" in found.detail) == (Gap.UNREACHABLE, True)
        nowhere.close()

    def test_the_kubeconfig_of_the_environment(self, baseline: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUBECONFIG", str(baseline.kubeconfig))
        source = open_live()
        assert len(known(source, Ask(Part.NAMESPACES, Scope()))) == 7
        source.close()

    def test_one_forbidden_namespace_hides_the_part(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.faults["services"] = Fault(status=403, namespace="payments")
        assert missing(source, Ask(Part.SERVICES, Scope(namespaces=("shop", "payments")))).gap is Gap.FORBIDDEN
        assert known(source, Ask(Part.SERVICES, SHOP))

    def test_an_error_of_the_server(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.faults["nodes"] = Fault(status=500, message="etcd is gone")
        found = missing(source, Ask(Part.NODES, Scope()))
        assert (found.gap, "etcd is gone" in found.detail) == (Gap.FAILED, True)

    def test_an_object_that_cannot_be_understood_is_named(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.objects["services"].append(
            {"metadata": {"name": "odd", "namespace": "shop"}, "spec": {"ports": 5}}
        )
        found = missing(source, Ask(Part.SERVICES, SHOP))
        assert (found.gap, "Service shop/odd" in found.detail) == (Gap.MALFORMED, True)


class TestPoliciesOfOtherMakers:
    """Which exist is told by discovery; nothing that exists is passed over."""

    @pytest.mark.parametrize("version", ["v1", "v1alpha1"], ids=["a version that is known", "another version"])
    def test_a_kind_that_is_served(self, version: str, baseline: Lab, source: LiveSource) -> None:
        kinds, objects = baseline.api.kinds, baseline.api.objects
        kinds["isovalentnetworkpolicies"] = Served(f"isovalent.com/{version}", "IsovalentNetworkPolicy")
        kinds["isovalentclusterwidenetworkpolicies"] = Served(
            f"isovalent.com/{version}", "IsovalentClusterwideNetworkPolicy", namespaced=False
        )
        objects["isovalentnetworkpolicies"] = [{"metadata": {"namespace": "shop", "name": "stars"}, "spec": {}}]
        found = known(source, Ask(Part.FOREIGN_POLICIES, Scope()))
        assert found.found == (("IsovalentNetworkPolicy", "shop", "stars"),)
        assert (found.unlisted, found.untold) == ({}, ())

    def test_a_kind_that_may_not_be_listed_may_have_objects(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.kinds["fqdnnetworkpolicies"] = Served("networking.gke.io/v1alpha1", "FQDNNetworkPolicy")
        baseline.api.faults["fqdnnetworkpolicies"] = Fault(status=403)
        found = known(source, Ask(Part.FOREIGN_POLICIES, Scope()))
        assert (found.found, list(found.unlisted)) == ((), ["FQDNNetworkPolicy"])

    def test_a_cluster_without_any(self, source: LiveSource) -> None:
        found = known(source, Ask(Part.FOREIGN_POLICIES, Scope()))
        assert (found.found, found.unlisted, found.untold) == ((), {}, ())


class TestKindsThatAreNotThere:
    """A kind that the API does not serve has no objects, if Cilium runs without it."""

    @pytest.mark.parametrize("has_discovery", [True, False])
    @pytest.mark.parametrize(
        ("plural", "part"),
        [("ciliumcidrgroups", Part.CIDR_GROUPS), ("ciliumegressgatewaypolicies", Part.EGRESS_GATEWAYS)],
    )
    def test_optional(self, plural: str, part: AnyPart, has_discovery: bool, baseline: Lab, source: LiveSource) -> None:
        del baseline.api.kinds[plural]
        baseline.api.has_discovery = has_discovery
        assert known(source, Ask(part, Scope())) == ()

    def test_a_404_of_a_kind_that_discovery_lists_is_no_empty_list(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.faults["ciliumegressgatewaypolicies"] = Fault(status=404)
        assert missing(source, Ask(Part.EGRESS_GATEWAYS, Scope())).gap is Gap.UNSUPPORTED

    def test_a_group_of_an_older_cilium(self, baseline: Lab, source: LiveSource) -> None:
        kind = baseline.api.kinds["ciliumcidrgroups"]
        baseline.api.kinds["ciliumcidrgroups"] = type(kind)("cilium.io/v2alpha1", kind.kind, namespaced=False)
        group = {"metadata": {"name": "g"}, "spec": {"externalCIDRs": ["198.18.0.0/15"]}}
        baseline.api.objects["ciliumcidrgroups"] = [group]
        (found,) = known(source, Ask(Part.CIDR_GROUPS, Scope()))
        assert (found.ref, found.manifest["apiVersion"]) == ("CiliumCIDRGroup//g", "cilium.io/v2alpha1")

    def test_agents_without_their_own_kind_of_policy(self, baseline: Lab, source: LiveSource) -> None:
        del baseline.api.kinds["ciliumnetworkpolicies"]
        assert known(source, Ask(Part.POLICIES, SHOP)) == ()

    def test_without_discovery_no_kind_of_policy_is_called_absent(self, baseline: Lab, source: LiveSource) -> None:
        del baseline.api.kinds["ciliumnetworkpolicies"]
        baseline.api.has_discovery = False
        assert missing(source, Ask(Part.POLICIES, SHOP)).gap is Gap.UNSUPPORTED

    def test_a_cluster_whose_agents_cannot_be_seen_needs_every_kind(self, baseline: Lab, source: LiveSource) -> None:
        del baseline.api.kinds["ciliumnetworkpolicies"]
        baseline.api.faults["pods"] = Fault(status=403)
        found = missing(source, Ask(Part.POLICIES, SHOP))
        assert (found.gap, "Cilium is installed" in found.remedy) == (Gap.UNSUPPORTED, True)

    def test_endpoints_kept_in_slices(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.objects["ciliumendpoints"] = []
        core = {"name": "cart", "id": 23279, "networking": {"addressing": [{"ipv4": "10.244.0.166"}]}}
        baseline.api.objects["ciliumendpointslices"] = [
            {"metadata": {"name": "ces-1"}, "namespace": "shop", "endpoints": [core]},
            {"metadata": {"name": "ces-2"}, "namespace": "payments", "endpoints": [core]},
        ]
        (found,) = known(source, Ask(Part.CILIUM_ENDPOINTS, SHOP))
        assert (found.namespace, found.identity, found.id) == ("shop", 23279, None)


class TestConfig:
    """Cilium's own namespace and settings."""

    def test_it_is_found_where_cilium_runs(self, baseline: Lab, source: LiveSource) -> None:
        for plural in ("configmaps", "pods"):
            baseline.api.objects[plural] = [
                {**item, "metadata": {**item["metadata"], "namespace": "cilium"}}
                for item in baseline.api.objects[plural]
                if item["metadata"]["namespace"] == "kube-system"
            ]
        config = known(source, Ask(Part.CONFIG, Scope()))
        assert (config.cluster_name, config.version) == ("lab", "1.19.0-dev")
        assert {pod.namespace for pod in known(source, Ask(Part.CILIUM_PODS, Scope()))} == {"cilium"}

    def test_without_a_configmap(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.objects["configmaps"] = []
        found = missing(source, Ask(Part.CONFIG, Scope()))
        assert (found.gap, "cilium-config" in found.detail) == (Gap.UNSUPPORTED, True)

    def test_without_the_agents_pods_the_version_is_not_known(self, baseline: Lab, source: LiveSource) -> None:
        baseline.api.faults["pods"] = Fault(status=403)
        assert known(source, Ask(Part.CONFIG, Scope())).version is None
