"""Ingresses and Gateways, live and in a sysdump: which host names lead where, and what could not be listed."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from handlers.model.entrance import Entrance, EntranceKind, HostRoute, RouteBackend
from handlers.model.parts import Part
from handlers.model.scope import Scope
from handlers.model.snapshot import Ask
from tests.cluster.fake_api import Fault
from tests.cluster.fake_api import Kind as Served
from tests.cluster.lab import Lab
from tests.sources.asking import known
from tests.sources.dumps import Files, changed, files_of, packed_dump, without
from workers.sources.live import LiveSource
from workers.sources.sysdump import SysdumpSource

ENTRANCES = Ask(Part.ENTRANCES, Scope(entrances=True))
NETWORKING, GATEWAY_API = "networking.k8s.io/v1", "gateway.networking.k8s.io/v1"

INGRESS_CLASS = {
    "metadata": {"name": "edge", "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}},
    "spec": {"controller": "k8s.io/ingress-nginx"},
}
INGRESS = {
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "defaultBackend": {"service": {"name": "fallback", "port": {"number": 80}}},
        "rules": [
            {
                "host": "Shop.example.com",
                "http": {
                    "paths": [
                        {"path": "/", "backend": {"service": {"name": "cart", "port": {"name": "http"}}}},
                        {"path": "/f", "backend": {"resource": {"kind": "StorageBucket", "name": "files"}}},
                    ]
                },
            },
            {"host": "bare.example.com"},
        ],
    },
    "status": {"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}, {"hostname": "LB.cloud.example"}]}},
}
GATEWAY = {
    "metadata": {"name": "door", "namespace": "edge"},
    "spec": {
        "gatewayClassName": "cilium",
        "listeners": [
            {"name": "web", "hostname": "*.example.com", "port": 443, "protocol": "HTTPS"},
            {"name": "plain", "port": 80, "protocol": "HTTP"},
            {"name": "idle", "hostname": "idle.example.com", "port": 80, "protocol": "HTTP"},
        ],
    },
    "status": {
        "addresses": [{"type": "IPAddress", "value": "198.51.100.8"}, {"type": "Hostname", "value": "gw.example"}]
    },
}
GATEWAY_CLASS = {"metadata": {"name": "cilium"}, "spec": {"controllerName": "io.cilium/gateway-controller"}}
ROUTE = {
    "metadata": {"name": "cart", "namespace": "shop"},
    "spec": {
        "parentRefs": [{"name": "door", "namespace": "edge", "sectionName": "web"}],
        "hostnames": ["shop.example.com", "shop.other.example"],
        "rules": [
            {
                "backendRefs": [
                    {"name": "cart", "port": 80},
                    {"name": "ledger", "namespace": "payments", "port": 81, "weight": 9},
                    {"name": "nobody", "port": 80, "weight": 0},
                ]
            }
        ],
    },
}
OF_ANY_NAME = {
    "metadata": {"name": "rest", "namespace": "edge"},
    "spec": {
        "parentRefs": [{"name": "door", "sectionName": "plain"}, {"kind": "Service", "name": "door"}],
        "rules": [{"backendRefs": [{"name": "rest", "port": 80}]}],
    },
}

OF_INGRESS = Entrance(
    EntranceKind.INGRESS,
    "shop",
    "web",
    "k8s.io/ingress-nginx",
    ("198.51.100.7",),
    ("lb.cloud.example",),
    (
        HostRoute(
            ("shop.example.com",),
            (RouteBackend("shop", "cart", "http"), RouteBackend("shop", "files", None, "StorageBucket")),
        ),
        HostRoute(("bare.example.com",), (RouteBackend("shop", "fallback", 80),)),
        HostRoute((), (RouteBackend("shop", "fallback", 80),)),
    ),
)
OF_GATEWAY = Entrance(
    EntranceKind.GATEWAY,
    "edge",
    "door",
    "io.cilium/gateway-controller",
    ("198.51.100.8",),
    ("gw.example",),
    (
        HostRoute(("shop.example.com",), (RouteBackend("shop", "cart", 80), RouteBackend("payments", "ledger", 81))),
        HostRoute((), (RouteBackend("edge", "rest", 80),)),
        HostRoute(("idle.example.com",), ()),
    ),
)

KINDS: Mapping[str, tuple[str, str, bool, list[dict[str, Any]]]] = {
    "ingresses": (NETWORKING, "Ingress", True, [INGRESS]),
    "ingressclasses": (NETWORKING, "IngressClass", False, [INGRESS_CLASS]),
    "gateways": (GATEWAY_API, "Gateway", True, [GATEWAY]),
    "gatewayclasses": (GATEWAY_API, "GatewayClass", False, [GATEWAY_CLASS]),
    "httproutes": (GATEWAY_API, "HTTPRoute", True, [ROUTE, OF_ANY_NAME]),
    "grpcroutes": (GATEWAY_API, "GRPCRoute", True, []),
    "tlsroutes": ("gateway.networking.k8s.io/v1alpha3", "TLSRoute", True, []),
}


@pytest.fixture
def live(baseline: Lab) -> Iterator[LiveSource]:
    for plural, (version, kind, namespaced, objects) in KINDS.items():
        baseline.api.kinds[plural] = Served(version, kind, namespaced=namespaced)
        baseline.api.objects[plural] = list(objects)
    found = baseline.source()
    yield found
    found.close()


def test_a_cluster_is_asked_for_both(live: LiveSource) -> None:
    found = known(live, ENTRANCES)
    assert found.found == (OF_INGRESS, OF_GATEWAY)
    assert (found.unlisted, found.untold) == ({}, ())


@pytest.mark.parametrize("plural", KINDS)
@pytest.mark.parametrize("status", [403, 500])
def test_a_kind_that_could_not_be_listed_is_named(plural: str, status: int, baseline: Lab, live: LiveSource) -> None:
    baseline.api.faults[plural] = Fault(status=status)
    assert KINDS[plural][1] in known(live, ENTRANCES).unlisted


def test_a_cluster_without_the_kinds_has_no_entrances(baseline: Lab) -> None:
    source = baseline.source()
    found = known(source, ENTRANCES)
    source.close()
    assert (found.found, found.unlisted, found.untold) == ((), {}, ())


def dumped(tmp_path: Path, files: Files) -> Any:
    source = SysdumpSource(packed_dump(tmp_path, files))
    found = known(source, ENTRANCES)
    source.close()
    return found


def listed(kind: str, *objects: Mapping[str, Any], version: str = NETWORKING) -> bytes:
    body = {"apiVersion": version, "items": objects, "kind": f"{kind}List", "metadata": {"resourceVersion": "7"}}
    return yaml.safe_dump(body).encode()


@pytest.fixture(scope="module")
def plain() -> Files:
    return files_of("01-baseline")


def test_an_archive_holds_ingresses(tmp_path: Path, plain: Files) -> None:
    files = changed(plain, r"^ciliumingresses-\d", lambda _: listed("Ingress", INGRESS))
    files = changed(files, r"^ingressclasses-\d", lambda _: listed("IngressClass", INGRESS_CLASS))
    assert dumped(tmp_path, files).found == (OF_INGRESS,)


def test_an_archive_without_gateways_says_so(tmp_path: Path, plain: Files) -> None:
    found = dumped(tmp_path, plain)
    assert (found.found, found.unlisted, found.untold) == ((), {}, ("Gateway",))


@pytest.mark.parametrize("loss", ["left out", "empty", "cut"])
def test_an_archive_that_lost_its_ingresses_names_them(loss: str, tmp_path: Path, plain: Files) -> None:
    lost = {
        "left out": lambda: without(plain, r"^ciliumingresses-\d"),
        "empty": lambda: changed(plain, r"^ciliumingresses-\d", lambda _: b""),
        "cut": lambda: changed(
            plain, r"^ciliumingresses-\d", lambda _: listed("Ingress", INGRESS).partition(b"kind: IngressList")[0]
        ),
    }
    assert list(dumped(tmp_path, lost[loss]()).unlisted) == ["Ingress"]
