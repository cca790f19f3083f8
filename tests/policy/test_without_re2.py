"""Where RE2 is not installed, what hangs on an expression is unknown, and everything else is judged as ever."""

import itertools
import subprocess
import sys

import pytest

from handlers.model.decision import Verdict
from handlers.model.party import MissingFact, Party
from handlers.model.traffic import Traffic
from handlers.policy import regexp
from handlers.policy.cases import Case
from tests.matrix.test_agreement import differences
from tests.policy.test_conformance import recorded
from tests.policy.worlds import CART, FRONTEND, LEDGER, PROMETHEUS, cnp, into, out_of, policies, request, tcp

UNKNOWN = (Verdict.UNKNOWN, (MissingFact.EXPRESSIONS,))
OPEN = (Verdict.ALLOWED, ())
DENIED = (Verdict.DENIED, ())


@pytest.fixture
def without_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regexp, "re2", None)


def of_cart(rules: str, name: str = "rule") -> str:
    return cnp(f"{{endpointSelector: {{matchLabels: {{app: cart}}}}, {rules}}}", name)


def http(rule: str) -> str:
    return (
        "ingress: [{fromEndpoints: [{matchLabels: {app: frontend}}], "
        f"toPorts: [{{ports: [{{port: '8080', protocol: TCP}}], rules: {{http: [{rule}]}}}}]}}]"
    )


SLASH = http("{path: /}")
PATH = of_cart(http("{path: '/api/.*'}"), "by-path")
TO_ALL = "egress: [{toEntities: [all]}]"
LEDGERS = "{matchLabels: {app: ledger, 'k8s:io.kubernetes.pod.namespace': payments}}"
FROM_LEDGER = of_cart(f"ingress: [{{fromEndpoints: [{LEDGERS}]}}]", "plain")
STOP = of_cart("ingressDeny: [{fromEndpoints: [{matchLabels: {app: frontend}}]}]", "stop")


@pytest.mark.parametrize(
    ("text", "peer", "traffic", "says"),
    [
        pytest.param(PATH, FRONTEND, tcp(8080), UNKNOWN, id="a path: the policy may be refused"),
        pytest.param(PATH, FRONTEND, tcp(8080, request("/api/x")), UNKNOWN, id="a request that would match"),
        pytest.param(PATH, FRONTEND, tcp(8080, request("/x")), UNKNOWN, id="a request that would not"),
        pytest.param(PATH, LEDGER, tcp(8080), UNKNOWN, id="another peer: denied only if the policy is valid"),
        pytest.param(of_cart(http("{method: GET}")), FRONTEND, tcp(8080), UNKNOWN, id="a method"),
        pytest.param(of_cart(http("{host: a}")), FRONTEND, tcp(8080, request("/")), UNKNOWN, id="a host"),
        pytest.param(of_cart(http("{path: '('}")), FRONTEND, tcp(8080), UNKNOWN, id="one that the agent refuses"),
        pytest.param(PATH + STOP, FRONTEND, tcp(8080), DENIED, id="a deny beside it decides"),
        pytest.param(PATH + FROM_LEDGER, PROMETHEUS, tcp(8080), DENIED, id="nothing allows it, and another isolates"),
        pytest.param(PATH + FROM_LEDGER, FRONTEND, tcp(8080), UNKNOWN, id="only the doubtful rule could allow it"),
        pytest.param(of_cart(http("{headers: [X-Ok]}")), FRONTEND, tcp(8080), OPEN, id="headers are no expressions"),
        pytest.param(of_cart(http("{}")), FRONTEND, tcp(8080), OPEN, id="every request"),
        pytest.param(FROM_LEDGER, LEDGER, tcp(8080), OPEN, id="no expression, allowed"),
        pytest.param(FROM_LEDGER, FRONTEND, tcp(8080), DENIED, id="no expression, denied"),
    ],
)
@pytest.mark.usefixtures("without_re2")
def test_only_what_hangs_on_expressions_is_unknown(
    text: str, peer: Party, traffic: Traffic, says: tuple[Verdict, tuple[MissingFact, ...]]
) -> None:
    decision = into(CART, peer, traffic, text)
    assert (decision.verdict, decision.missing) == says


@pytest.mark.usefixtures("without_re2")
def test_the_other_direction_of_the_same_policy_hangs_on_them_too() -> None:
    both = of_cart(f"{SLASH}, {TO_ALL}")
    assert out_of(CART, LEDGER, tcp(443), both).verdict is Verdict.UNKNOWN
    assert out_of(CART, LEDGER, tcp(443), PATH).verdict is Verdict.ALLOWED


@pytest.mark.usefixtures("without_re2")
def test_a_policy_that_the_agent_refuses_for_another_reason_is_invalid_all_the_same() -> None:
    text = of_cart(f"{SLASH}, egress: [{{toEntities: [nobody]}}]")
    (status,) = policies(text).statuses
    assert (status.valid, status.unjudged) == (False, "")


@pytest.mark.usefixtures("without_re2")
def test_a_status_names_what_is_lacking() -> None:
    (doubtful, sound) = policies(PATH + FROM_LEDGER).statuses
    assert (doubtful.valid, doubtful.unjudged) == (True, "expressions cannot be judged without re2")
    assert sound.unjudged == ""


@pytest.mark.usefixtures("without_re2")
def test_the_matrix_says_of_each_pair_what_deciding_it_says() -> None:
    ends = (CART, FRONTEND, LEDGER, PROMETHEUS)
    for texts in itertools.combinations((PATH, FROM_LEDGER, STOP, of_cart(f"{SLASH}, {TO_ALL}", "two")), 2):
        assert differences(policies("".join(texts)), ends, (tcp(8080), tcp(443))) == []


@pytest.mark.parametrize(("name", "every"), [("named", 1), ("train", 8)])
@pytest.mark.usefixtures("without_re2")
def test_no_recorded_verdict_turns_into_another_one(name: str, every: int) -> None:
    turned, unknown = [], 0
    cases = [one for one in recorded(name)[::every] if '"http"' in str(one).replace("'", '"')]
    for case in cases:
        answers = Case(case).answers()
        for query, theirs, mine in zip(case["queries"], case["answers"], answers, strict=True):
            unknown += mine["verdict"] == "unknown"
            if mine["verdict"] not in (theirs["verdict"], "unknown"):
                turned.append((case["id"], query, theirs["verdict"], mine["verdict"]))
    assert turned == []
    assert unknown > 0


def test_the_command_line_starts_without_it() -> None:
    hidden = "import sys; sys.modules['re2'] = None; sys.argv[1:] = ['--version']; from workers.cli import main; main()"
    ran = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
