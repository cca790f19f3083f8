"""Broken setups: each fault is named, and what to do about it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from bot.clusters import Clusters
from bot.doctor.kept import KeptSetups
from bot.doctor.redis import redis_state
from handlers.doctor.check import Check, Standing, standing_of
from handlers.doctor.redis import redis_checks
from tests.cluster.fake_api import Fault
from tests.cluster.lab import Lab
from tests.cluster.platforms import CILIUMS_OWN_KINDS, PLATFORMS, Platform, brought_up
from tests.cluster.relays import client_secret
from tools.embedded import EmbeddedRedis
from workers.cli import app
from workers.doctor.at_start import look_at_setup
from workers.doctor.cluster import cluster_checks
from workers.settings import WorkerSettings
from workers.sources.hubble_connection import HubbleAccess

CERTIFICATES = Path(__file__).resolve().parents[1] / "cluster" / "certificates"
CHART = PLATFORMS["Cilium's chart"]
SECURED = PLATFORMS["AKS with ACNS"]


@dataclass(frozen=True)
class Broken:
    """How a setup is broken, and what is said of it."""

    breaks: Callable[[Lab], object]
    about: str
    said: str
    remedy: str
    platform: Platform = CHART
    context: str | None = None


BROKEN = {
    "no right to one kind": Broken(
        lambda lab: lab.api.faults.update(ciliumendpoints=Fault(status=403)),
        "rights",
        "may not list ciliumendpoints.cilium.io",
        'in a ClusterRole: apiGroups: ["cilium.io"], resources: ["ciliumendpoints"], verbs: ["list"]',
    ),
    "no right to a kind of policy": Broken(
        lambda lab: lab.api.faults.update(ciliumclusterwidenetworkpolicies=Fault(status=403)),
        "rights",
        "no policy decision is made",
        'resources: ["ciliumclusterwidenetworkpolicies"]',
    ),
    "no right to exec": Broken(
        lambda lab: lab.api.faults.update(exec=Fault(status=403)),
        "rights",
        "may not get, create pods/exec in kube-system: agents cannot be asked",
        'in a Role of kube-system: apiGroups: [""], resources: ["pods/exec"], verbs: ["get", "create"]',
    ),
    "no right to relay's secret": Broken(
        lambda lab: lab.api.faults.update(secrets=Fault(status=403)),
        "rights",
        "may not get secrets hubble-relay-client-certs in kube-system",
        'resourceNames: ["hubble-relay-client-certs"]',
        SECURED,
    ),
    "no relay": Broken(
        lambda lab: None, "relay", "no ready pod of hubble-relay", "cilium hubble enable", Platform(relay=None)
    ),
    "relay's certificate is of another CA": Broken(
        lambda lab: lab.api.objects.update(secrets=[client_secret("kube-system", CERTIFICATES / "ca.crt")]),
        "relay",
        "certificate is not trusted",
        "HUBBLE_TLS_CA_CERT_FILES",
        SECURED,
    ),
    "relay's certificate is for another name": Broken(
        lambda lab: None,
        "relay",
        "no name of hubble-relay",
        "HUBBLE_TLS_SERVER_NAME",
        Platform(relay_port=443, certificate="agent"),
    ),
    "relay's certificate has expired": Broken(
        lambda lab: None,
        "relay",
        "certificate has expired",
        "hubble-generate-certs",
        Platform(relay_port=443, certificate="expired"),
    ),
    "a node that relay does not hear": Broken(
        lambda lab: lab.hubble.trouble.unavailable.update({"lab/lab-node-2": "gone"}),
        "relay",
        "not heard: lab-node-2",
        "cilium-triage nodes",
    ),
    "a version that nobody here knows": Broken(
        lambda lab: None, "versions", "Cilium 1.42.0 on 2 nodes is newer than any known", "Upgrade cilium-triage",
        Platform(image="quay.io/cilium/cilium:v1.42.0"),
    ),
    "a clock that is ten minutes off": Broken(
        lambda lab: setattr(lab.api, "clock", lab.now + timedelta(minutes=10)),
        "clock",
        "10 min behind the API server's",
        "NTP",
    ),
    "nodes whose clocks are ahead": Broken(
        lambda lab: setattr(lab, "now", lab.now - timedelta(minutes=10)), "clock", "behind the newest flow's", "NTP"
    ),
    "an API server that is gone": Broken(
        lambda lab: lab.api.close(), "Kubernetes API", "cannot be reached", "kubectl cluster-info"
    ),
    "credentials that are not accepted": Broken(
        lambda lab: None, "Kubernetes API", "the credentials are not accepted", "Log in", context="stranger"
    ),
    "the CRDs are absent": Broken(
        lambda lab: [lab.api.kinds.pop(plural) for plural in CILIUMS_OWN_KINDS],
        "kinds",
        "does not serve ciliumendpoints.cilium.io",
        "cilium-operator",
    ),
    "no Cilium": Broken(
        lambda lab: None,
        "agents",
        "the Amazon VPC CNI does the networking",
        "--context",
        PLATFORMS["EKS with the Amazon VPC CNI"],
    ),
}  # fmt: skip


def checks_of(lab: Lab, context: str | None = None) -> list[Check]:
    lab.api.clock = lab.api.clock or lab.now
    source = lab.source(hubble=HubbleAccess(), context=context)
    try:
        return list(cluster_checks(source))
    finally:
        source.close()


def test_a_setup_that_is_fine(tmp_path: Path) -> None:
    with brought_up(SECURED, tmp_path) as lab:
        found = checks_of(lab)
    assert {check.about for check in found} == {
        *("Kubernetes API", "clock", "agents", "kinds", "rights", "versions", "exec", "relay")
    }
    assert standing_of(found) is Standing.FINE, [str(check) for check in found]


@pytest.mark.parametrize("row", BROKEN)
def test_a_broken_setup(row: str, tmp_path: Path) -> None:
    broken = BROKEN[row]
    with brought_up(broken.platform, tmp_path) as lab:
        broken.breaks(lab)
        problems = [check for check in checks_of(lab, broken.context) if check.standing is Standing.PROBLEM]
    named = [check.remedy for check in problems if check.about == broken.about and broken.said in check.said]
    assert named, [str(check) for check in problems]
    assert broken.remedy in named[0]


def test_a_kind_that_is_not_served_and_may_not_be_read_is_not_missed(tmp_path: Path) -> None:
    with brought_up(CHART, tmp_path) as lab:
        lab.api.faults["adminnetworkpolicies"] = Fault(status=403)
        assert not [check for check in checks_of(lab) if check.standing is Standing.PROBLEM]


def test_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    kubeconfig = tmp_path / "absent"
    assert app.run(["doctor", "--kubeconfig", str(kubeconfig), "-o", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [(row["about"], row["standing"]) for row in told["checks"]] == [
        ("Kubernetes API", "problem"),
        ("Redis", "problem"),
    ]
    assert "REDIS_URL" in told["checks"][1]["remedy"]
    assert app.run(["doctor", "--kubeconfig", str(kubeconfig)]) == 1
    printed = capsys.readouterr().out
    assert "→ Name a context and a kubeconfig" in printed
    assert "not looked at: Slack (SLACK_BOT_TOKEN is not set)" in printed
    assert printed.endswith("2 problem\n")


def test_a_redis_as_it_is(redis_server: EmbeddedRedis, redis_client: Redis) -> None:
    Clusters(redis_client).say(["prod"])
    redis_client.lpush("cilium-triage:queue:questions.prod", "a question")
    redis_client.config_set("maxmemory", "104857600")
    redis_client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        evicting = list(redis_checks(redis_state(redis_server.url)))
        redis_client.config_set("maxmemory-policy", "noeviction")
        redis_client.config_set("maxmemory", "1")
        full = list(redis_checks(redis_state(redis_server.url)))
    finally:
        redis_client.config_set("maxmemory", "0")
    assert [str(check) for check in evicting if check.standing is Standing.FINE][-1] == (
        "workers: alive, 1 questions wait"
    )
    assert any("it evicts keys when 100 MiB are full (allkeys-lru)" in check.said for check in evicting)
    assert any("takes no writes: OOM" in check.said and "maxmemory" in check.remedy for check in full)


def test_what_a_worker_finds_at_its_start_is_kept(
    redis_server: EmbeddedRedis, redis_client: Redis, tmp_path: Path
) -> None:
    settings = WorkerSettings.model_validate(
        {"redis_url": redis_server.url, "kubeconfig": str(tmp_path / "absent"), "cluster": "prod"}
    )
    found = look_at_setup(settings, redis_client)
    assert (found[0].about, found[0].standing) == ("Kubernetes API", Standing.PROBLEM)
    with Redis.from_url(redis_server.url, decode_responses=True) as texts:
        assert KeptSetups(texts).all() == {"worker prod": tuple(found)}
