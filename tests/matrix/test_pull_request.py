"""What a pull request shows: a change judged before it is applied, as a comment and as marks at lines of files."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from bot.render.sarif import SCHEMA
from handlers.catalogue import CATALOGUE
from tests.policy.worlds import cnp, documents
from workers.cli.app import run

DUMP = Path(__file__).parents[1] / "scenarios" / "14-both-sides" / "sysdump.zip"
CART = cnp(
    "{endpointSelector: {matchLabels: {app: cart}}, ingress: [{fromEndpoints: [{matchLabels: {app: frontend}}], "
    "toPorts: [{ports: [{port: '8080', protocol: TCP}]}]}]}",
    name="cart",
)
FOR_NOBODY = CART.replace("app: frontend", "app: frontent")
CONTRACT = "allow: [shop/frontend -> shop/cart 8080/TCP]\ndeny: [shop/redis -> shop/cart]\n"


def cluster_of_the_shop() -> dict[str, Any]:
    """A frontend, a cart and a Redis on one node, as a case has them."""
    pods = [
        {"namespace": "shop", "name": name, "labels": {"app": name}, "ip": f"10.244.0.{number}", "node": "n1"}
        for number, name in enumerate(("frontend", "cart", "redis"), start=1)
    ]
    nodes = [{"name": "n1", "ips": ["10.0.0.1"]}]
    return {"namespaces": [{"name": "shop", "labels": {}}], "nodes": nodes, "pods": pods}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cluster = cluster_of_the_shop()
    (tmp_path / "case.json").write_text(json.dumps({"id": "shop", "cluster": cluster, "policies": documents(CART)}))
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    (tmp_path / "policies").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = run(["policy", *arguments, "--case", "case.json"])
    return status, capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "status", "codes"),
    [
        pytest.param(None, 0, [], id="the cluster keeps it as it is"),
        pytest.param(CART, 0, [], id="so it does where nothing changes"),
        pytest.param(FOR_NOBODY, 1, ["CONTRACT_BROKEN"], id="a change that cuts the frontend off"),
        pytest.param(CART.replace("app: frontend", "app: redis"), 1, ["CONTRACT_BROKEN"] * 2, id="both lines broken"),
    ],
)
def test_a_contract_is_held_against_a_change(
    place: Path, capsys: pytest.CaptureFixture[str], changed: str | None, status: int, codes: list[str]
) -> None:
    apply = []
    if changed is not None:
        (place / "policies" / "cart.yaml").write_text(changed)
        apply = ["--apply", "policies"]
    assert ended(capsys, "check", "contract.yaml", *apply)[0] == status
    left, out = ended(capsys, "check", "contract.yaml", *apply, "--output", "sarif")
    found = json.loads(out)["runs"][0]["results"]
    assert (left, [one["ruleId"] for one in found]) == (status, codes)
    assert {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in found} <= {"contract.yaml"}


def test_lints_of_a_change_stand_at_the_lines_of_its_files(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "policies" / "the shop.yaml").write_text(f"# ours\n---\n{FOR_NOBODY}")
    assert ended(capsys, "lint")[0] == 0
    status, out = ended(capsys, "lint", "--apply", "policies", "--policies", "policies", "--output", "sarif")
    assert status == 1
    whole: dict[str, Any] = json.loads(out)
    (ran,) = whole["runs"]
    assert (whole["$schema"], whole["version"]) == (SCHEMA, "2.1.0")
    result = next(one for one in ran["results"] if one["ruleId"] == "LINT_PEER_SELECTS_NOBODY")
    assert "frontent" in result["message"]["text"]
    assert result["level"] in {"error", "warning"}
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "policies/the%20shop.yaml"},
        "region": {"startLine": 3},
    }
    assert location["logicalLocations"][0]["fullyQualifiedName"].startswith("CiliumNetworkPolicy/shop/cart/spec")


def test_every_result_has_its_rule_and_every_rule_a_meaning(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "policies" / "cart.yaml").write_text(FOR_NOBODY)
    (ran,) = json.loads(ended(capsys, "lint", "--apply", "policies", "--output", "sarif")[1])["runs"]
    rules = {rule["id"]: rule["shortDescription"]["text"] for rule in ran["tool"]["driver"]["rules"]}
    assert {one["ruleId"] for one in ran["results"]} == set(rules) <= set(CATALOGUE.codes)
    assert all(rules.values())


def test_a_comment_says_what_would_be_cut(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "policies" / "cart.yaml").write_text(FOR_NOBODY)
    status, out = ended(capsys, "whatif", "--apply", "policies", "--output", "markdown")
    assert status == 1
    assert "shop/frontend could not reach shop/cart on 8080/TCP any more" in out


def test_a_change_lifts_no_doubt_about_the_cluster(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(DUMP) as whole, zipfile.ZipFile("partly.zip", "w") as partly:
        for name in whole.namelist():
            if "k8s-namespaces" not in name:
                partly.writestr(name, whole.read(name))
    (place / "policies" / "other.yaml").write_text(CART.replace("app: cart", "app: catalog"))
    (place / "contract.yaml").write_text("allow: [shop/frontend -> shop/cart 8080/TCP]")
    asked = ["policy", "check", "contract.yaml", "--sysdump", "partly.zip", "--output", "markdown"]
    for changed in ([], ["--apply", "policies"]):
        assert run([*asked, *changed]) == 2
        assert "namespaces could not be read" in capsys.readouterr().out


def test_a_comment_mentions_nobody_and_has_no_markup_of_others(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    why = "<img src=x> [click](http://evil.example) @everybody `x`"
    lines = json.dumps({"allow": [{"from": "shop/redis", "to": "shop/cart", "ports": [8080], "why": why}]})
    (place / "contract.yaml").write_text(lines)
    status, out = ended(capsys, "check", "contract.yaml", "--output", "markdown")
    assert status == 1
    shown = MarkdownIt("commonmark").render(out)
    assert "@everybody" not in shown
    assert not any(tag in shown for tag in ("<a ", "<img", "<code>x"))


def test_a_comment_fits_into_one(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [{"from": "shop/redis", "to": "shop/cart", "ports": [8080], "why": "it has to " * 200}] * 40
    (place / "contract.yaml").write_text(json.dumps({"allow": lines}))
    out = ended(capsys, "check", "contract.yaml", "--output", "markdown")[1]
    assert len(out) < 65_536
    assert out.count("\n") > 3
