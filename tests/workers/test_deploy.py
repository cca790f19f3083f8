"""The manifests: they parse, they grant what the live source reads, and nothing that changes anything."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from workers.reviews import PATH
from workers.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "deploy" / "kubernetes"

READING = {"get", "list", "watch"}
MAY_CREATE = {"pods/exec", "pods/portforward"}


def objects() -> Iterator[dict[str, Any]]:
    for path in sorted(MANIFESTS.glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def rules(kind: str) -> list[dict[str, Any]]:
    return [rule for item in objects() if item["kind"] == kind for rule in item["rules"]]


def test_kustomization_names_every_manifest() -> None:
    kustomization = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text(encoding="utf-8"))
    assert set(kustomization["resources"]) == {path.name for path in MANIFESTS.glob("*.yaml")} - {"kustomization.yaml"}


def test_the_optional_role_reviews_access_and_does_nothing_else() -> None:
    (role, _binding) = yaml.safe_load_all((MANIFESTS / "rights/review-access.yaml").read_text(encoding="utf-8"))
    (rule,) = role["rules"]
    assert f"/apis/{rule['apiGroups'][0]}/v1/{rule['resources'][0]}" == PATH
    assert rule["verbs"] == ["create"]


def test_roles_stand_where_cilium_is() -> None:
    assert {item["metadata"]["namespace"] for item in objects() if item["kind"] == "Role"} == {"kube-system"}
    assert "namespace" not in yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("rule", rules("ClusterRole") + rules("Role"), ids=lambda rule: ",".join(rule["resources"]))
def test_rights_are_for_reading(rule: dict[str, Any]) -> None:
    assert "*" not in rule["resources"] + rule["apiGroups"] + rule["verbs"]
    assert "secrets" not in rule["resources"] or rule["resourceNames"] == ["hubble-relay-client-certs"]
    assert set(rule["verbs"]) <= READING or set(rule["resources"]) <= MAY_CREATE


@pytest.mark.parametrize("item", [item for item in objects() if item["kind"] == "Deployment"])
def test_pods_are_restricted(item: dict[str, Any]) -> None:
    pod = item["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    assert item["spec"]["selector"]["matchLabels"] == item["spec"]["template"]["metadata"]["labels"]


def test_only_the_worker_has_a_token() -> None:
    accounts = {item["metadata"]["name"]: item for item in objects() if item["kind"] == "ServiceAccount"}
    users = {
        item["metadata"]["name"]: accounts[item["spec"]["template"]["spec"]["serviceAccountName"]]
        for item in objects()
        if item["kind"] == "Deployment"
    }
    with_token = {name for name, account in users.items() if account.get("automountServiceAccountToken", True)}
    assert with_token == {"cilium-triage-worker"}


def test_a_worker_is_given_time_to_finish() -> None:
    (worker,) = [
        item
        for item in objects()
        if item["kind"] == "Deployment" and item["metadata"]["name"] == "cilium-triage-worker"
    ]
    grace = worker["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= WorkerSettings.model_validate({"redis_url": "redis://redis"}).hard_limit


def test_the_procfile_names_the_three_processes() -> None:
    names = [line.partition(":")[0] for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()]
    assert names == ["web", "worker", "beat"]


def test_the_wheel_and_the_image_hold_the_product_and_nothing_beside_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copied = re.findall(r"^COPY (\w+) \1$", (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert set(wheel) == set(copied) == {"bot", "handlers", "workers"}
    assert ignored[0] == "*"
    assert "hatch_build.py" in (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    assert "!hatch_build.py" in ignored
    assert {f"!{name}" for name in ("tools", "tests")}.isdisjoint(ignored)
