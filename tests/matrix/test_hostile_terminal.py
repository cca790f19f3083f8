"""Names and labels of a cluster, of a contract and of policies never move a terminal's cursor, in whatever form."""

import json
import unicodedata
from pathlib import Path

import pytest

from tests.policy.worlds import cnp, documents
from workers.cli.app import run

EVIL = "x\x1b]0;owned\x07\x9b31m\u202egnp\u2066\ud800\U000e0041\n::error::no"
WRITTEN = EVIL.replace("\ud800", "").replace("\U000e0041", "")
"""As much of it as YAML can hold."""
POLICY = cnp("{endpointSelector: {}, ingress: [{fromEndpoints: [{matchLabels: {app: nobody}}]}]}", name="NAME")
FORMS = {
    ("matrix",): ("table", "json", "dot"),
    ("reach", "shop/*"): ("text", "json"),
    ("lint",): ("text", "json", "markdown", "sarif"),
    ("check", "contract.json"): ("text", "json", "markdown", "sarif"),
    ("whatif", "--delete", "cnp/shop/NAME"): ("text", "json", "markdown"),
}


@pytest.fixture(autouse=True)
def _hostile_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pods = [
        {"namespace": "shop", "name": f"{name}{EVIL}", "labels": {"app": EVIL + name}, "ip": ip, "node": "n1"}
        for name, ip in (("a", "10.244.0.1"), ("b", "10.244.0.2"))
    ]
    nodes = [{"name": f"n1{EVIL}", "ips": ["10.0.0.1"]}]
    cluster = {"namespaces": [{"name": "shop", "labels": {"team": EVIL}}], "nodes": nodes, "pods": pods}
    policies = [*documents(POLICY), *documents(POLICY.replace("NAME", "other"))]
    policies[1]["metadata"]["name"] = EVIL
    (tmp_path / "case.json").write_text(json.dumps({"id": "shop", "cluster": cluster, "policies": policies}))
    contract = {"allow": [{"from": "shop/*", "to": "shop/*", "why": WRITTEN}], "deny": ["world -> shop/*"]}
    (tmp_path / "contract.json").write_text(json.dumps(contract))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "form"), [(words, form) for words, forms in FORMS.items() for form in forms], ids=lambda one: str(one)
)
def test_nothing_that_a_terminal_obeys_is_printed(
    words: tuple[str, ...], form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["policy", *words, "--case", "case.json", "--output", form])
    said = capsys.readouterr()
    assert said.out
    assert {one for one in said.out + said.err if unicodedata.category(one) in {"Cc", "Cf", "Cs"}} == {"\n"}
    assert not any(line.lstrip().startswith("::") for line in (said.out + said.err).splitlines())
    if form in {"json", "sarif"}:
        assert json.loads(said.out)


def test_json_says_the_name_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    run(["policy", "matrix", "--case", "case.json", "--output", "json"])
    ends = json.loads(capsys.readouterr().out)["ends"]
    assert any(EVIL in pod for end in ends for pod in end["pods"])


def test_an_error_is_one_line_without_controls(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "check", f"no-such-{EVIL.replace(chr(0xD800), '')}", "--case", "case.json"]) == 64
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "\x1b" not in said
