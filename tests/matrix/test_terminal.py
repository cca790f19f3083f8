"""The commands in the terminal: what they print, how they end, and what they do with hostile files."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.policy.worlds import cnp, documents
from workers.cli.app import run

DUMP = Path(__file__).parents[1] / "scenarios" / "14-both-sides" / "sysdump.zip"
CART = cnp(
    "{endpointSelector: {matchLabels: {app: cart}}, ingress: [{fromEndpoints: [{matchLabels: {app: frontend}}], "
    "toPorts: [{ports: [{port: '8080', protocol: TCP}]}]}]}",
    name="cart",
)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    pods = [
        {"namespace": "shop", "name": name, "labels": {"app": name}, "ip": f"10.244.0.{number}", "node": "n1"}
        for number, name in enumerate(("frontend", "cart", "redis"), start=1)
    ]
    cluster = {
        "namespaces": [{"name": "shop", "labels": {}}],
        "nodes": [{"name": "n1", "ips": ["10.0.0.1"]}],
        "pods": pods,
    }
    path = tmp_path / "case.json"
    path.write_text(json.dumps({"id": "shop", "cluster": cluster, "policies": documents(CART)}))
    return path


def ended(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = run(["policy", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_the_matrix_as_table_json_and_dot(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, table, _ = ended(capsys, "matrix", "--case", case)
    assert status == 0
    assert "shop/frontend" in table
    assert "8080/TCP" in table
    whole: dict[str, Any] = json.loads(ended(capsys, "matrix", "--case", case, "-o", "json")[1])
    titles = [end["title"] for end in whole["ends"]]
    frontend, cart = titles.index("shop/frontend"), titles.index("shop/cart")
    by_ports = {one["ports"]: one["allowed"] for one in whole["classes"]}
    assert cart in by_ports["8080/TCP"][str(frontend)]
    assert cart not in by_ports["every other port"][str(frontend)]
    dot = ended(capsys, "matrix", "--case", case, "-o", "dot")[1]
    assert dot.startswith("digraph reachability {")
    assert f'n{frontend} -> n{cart} [label="8080/TCP"];' in dot


def test_reach_names_ports_and_rules(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, text, _ = ended(capsys, "reach", "shop/cart", "--way", "from", "--case", case)
    assert status == 0
    assert "8080/TCP by egress: no policy selects it; ingress: shop/cart/spec/ingress/0" in text
    assert "it can reach" not in text
    rows = json.loads(ended(capsys, "reach", "shop/cart", "--case", case, "-o", "json")[1])
    assert rows[0]["end"] == "shop/cart"
    assert {"from", "to"} <= set(rows[0])


@pytest.mark.parametrize(("end", "status"), [("shop/none", 2), ("cart", 64), ("/", 64)])
def test_reach_of_nobody(case: Path, capsys: pytest.CaptureFixture[str], end: str, status: int) -> None:
    assert ended(capsys, "reach", end, "--case", case)[0] == status


@pytest.mark.parametrize(
    ("changed", "options", "status"),
    [
        (CART, [], 0),
        (CART.replace("8080", "9090"), [], 1),
        (CART.replace("8080", "9090"), ["--fail-on", "cut"], 1),
        (CART.replace("protocol: TCP}]}]", "protocol: TCP}]}, {ports: [{port: '9090'}]}]"), ["--fail-on", "cut"], 0),
        (CART.replace("protocol: TCP}]}]", "protocol: TCP}]}, {ports: [{port: '9090'}]}]"), ["--fail-on", "opened"], 1),
        (CART.replace("8080", "9090"), ["--fail-on", "flows"], 2),
        (cnp("{endpointSelector: {}, ingress: []}", name="new"), [], 1),
    ],
)
def test_whatif_ends_as_a_gate_needs_it(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: str, options: list[str], status: int
) -> None:
    proposal = tmp_path / "proposal.yaml"
    proposal.write_text(f"# a comment\n---\n{changed}")
    assert ended(capsys, "whatif", "-f", proposal, "--case", case, *options)[0] == status


def test_whatif_from_a_folder_labels_and_deletions(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "a.yaml").write_text("kind: ConfigMap\nmetadata: {name: other}\n")
    (folder / "b.yml").write_text(CART.replace("8080", "9090"))
    status, text, _ = ended(capsys, "whatif", "-f", folder, "--case", case)
    assert status == 1
    assert "shop/frontend -> shop/cart on 8080/TCP" in text
    status, text, _ = ended(capsys, "whatif", "--label", "shop/redis app=frontend", "--case", case, "-o", "json")
    assert status == 1
    assert [(one["kind"], one["sources"]) for one in json.loads(text)["changes"]] == [("opened", ["shop/redis"])]
    assert ended(capsys, "whatif", "--delete", "cnp/shop/cart", "--case", case)[0] == 1
    assert ended(capsys, "whatif", "--delete", "cnp/shop/none", "--case", case)[0] == 64
    assert ended(capsys, "whatif", "--case", case)[0] == 64


def git(repository: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=repository, check=True, capture_output=True)


def test_whatif_of_a_range_of_commits(case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    written = repository / "spaces and ünicode.yaml"
    for text in (CART, CART.replace("8080", "9090"), CART.replace("name: cart", "name: other")):
        written.write_text(text)
        git(repository, "add", "-A")
        git(repository, "commit", "-qm", "change")
    there = ["--repository", repository, "--case", case]
    assert ended(capsys, "whatif", "--git", "HEAD~2..HEAD~1", *there)[0] == 1
    status, text, _ = ended(capsys, "whatif", "--git", "HEAD~2...HEAD", *there)
    assert (status, "No verdict changes" in text) == (0, True)
    for wrong in ("--output=/tmp/x", "HEAD..none", "..-x", "a b", "HEAD~2..HEAD..HEAD"):
        assert ended(capsys, "whatif", f"--git={wrong}", *there)[0] == 64, wrong
    assert ended(capsys, "whatif", "--git", "HEAD", "--repository", tmp_path / "none", "--case", case)[0] == 64


def test_lint_and_check(case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(capsys, "lint", "--case", case)[0] == 0
    contract = tmp_path / "contract.yaml"
    for text, status in (
        ("allow: [shop/frontend -> shop/cart 8080/TCP]", 0),
        ("deny: [shop/frontend -> shop/cart 8080/TCP]", 1),
        ("allow: [shop/none -> shop/cart 8080/TCP]", 2),
        ("allow: [shop/frontend to shop/cart]", 64),
        ("allow: [", 64),
        ("a: &a [1]\nallow: *a", 64),
    ):
        contract.write_text(text)
        assert ended(capsys, "check", contract, "--case", case)[0] == status, text
    contract.write_text("deny: [shop/frontend -> shop/cart 8080/TCP]")
    rows = json.loads(ended(capsys, "check", contract, "--case", case, "-o", "json")[1])
    assert rows[0]["breaches"][0]["source"] == "shop/frontend"


HOSTILE = {
    "aliases": "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "deep": "[" * 100_000,
    "no yaml": "{{ .Values.policy }}: : :\n",
    "tag": "!!python/object/apply:os.system [ls]\n",
    "bytes": "\x00\x01",
    "second document": "a: 1\n---\n&x [*x]\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_named_and_nothing_else_happens(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(text)
    status, out, err = ended(capsys, "whatif", "-f", path, "--case", case)
    assert status == 2
    assert out == ""
    assert "hostile.yaml" in err


@pytest.mark.parametrize(
    "spec",
    [
        "7",
        "[1]",
        "{endpointSelector: 3}",
        "{endpointSelector: {matchLabels: [a]}, ingress: {}}",
        "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: {}}]}]}]}",
        "{endpointSelector: {}, ingress: [{fromEndpoints: [[[]]]}]}",
    ],
)
def test_a_policy_that_is_none_is_refused_and_no_accident(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spec: str
) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(cnp(spec, name="odd"))
    status, out, _ = ended(capsys, "whatif", "-f", path, "--case", case)
    assert status == 1
    assert "would be refused" in out


@pytest.mark.parametrize("metadata", ["7", "[]", "{name: [1], namespace: {}}", "null"])
def test_a_policy_without_a_sound_name(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], metadata: str
) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(f"{{kind: CiliumNetworkPolicy, metadata: {metadata}, spec: {{endpointSelector: {{}}}}}}\n")
    status, out, _ = ended(capsys, "whatif", "-f", path, "--case", case)
    assert (status, "would be refused" in out) == (1, True)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cluster": 3}', "{" * 99_999, '{"cluster": {"pods": [3]}}'])
def test_a_case_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    path = tmp_path / "case.json"
    path.write_text(text)
    assert ended(capsys, "matrix", "--case", path)[0] in (0 if text == "{}" else 2, 2, 64)


def test_a_whole_sysdump(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, text, _ = ended(capsys, "reach", "payments/checkout-api", "--way", "from", "--sysdump", DUMP)
    assert status == 0
    assert "8443/TCP" in text
    assert ended(capsys, "lint", "--sysdump", DUMP)[0] == 0
    contract = tmp_path / "contract.yaml"
    contract.write_text(
        "allow: [shop/frontend -> payments/checkout-api 8443/TCP]\ndeny: [world -> payments/checkout-api]\n"
    )
    assert ended(capsys, "check", contract, "--sysdump", DUMP)[0] == 0
    assert ended(capsys, "matrix", "--sysdump", DUMP, "--case", DUMP)[0] == 64
