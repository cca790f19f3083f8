"""An answer holds no secrets, whatever the cluster holds; what is left out of a patch is said."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, Sentence
from handlers.model.report import Patch
from handlers.model.wire import encode
from tests.workers.canary import Canary, Script, asked, catalogue_of_canary
from workers.redact_report import INCOMPLETE, without_secrets
from workers.runner import run

SECRETS = {
    "a header of a flow": "GET /pay Authorization: Bearer abc.hunter2",
    "a header rule of a policy": "X-Api-Key: hunter2",
    "a credential in a description": "allows the batch job, password=hunter2",
    "a credential in a URL": "https://ada:hunter2@shop.example/cart?token=hunter2",
    "a key in an annotation": "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
}


def saying(words: str) -> Iterator[Finding]:
    evidence = [Evidence("kubernetes", "CiliumNetworkPolicy/shop/cart", "/spec", excerpt=words)]
    yield Finding("CANARY", Outcome.FINE, Sentence("it says {words}", {"words": words}), evidence=tuple(evidence))


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_nothing_secret_is_in_an_answer(secret: str) -> None:
    def check(question: Canary, facts: Facts) -> Iterator[Finding]:
        return saying(secret)

    report = run(asked(), Script(), catalogue=catalogue_of_canary(check=check)).report
    assert "hunter2" not in json.dumps(encode(report))
    assert "[redacted]" in json.dumps(encode(report))


def test_a_question_stays_as_it_was_asked() -> None:
    report = run(asked("token=abc"), Script(), catalogue=catalogue_of_canary()).report
    assert report.question == "canary token=abc"


@pytest.mark.parametrize(
    ("manifest", "notes"), [("kind: NetworkPolicy", ()), ("x-api-key: hunter2", (INCOMPLETE,))], ids=["whole", "cut"]
)
def test_a_patch_that_lost_a_value_says_so(manifest: str, notes: tuple[str, ...]) -> None:
    report = run(asked(), Script(), catalogue=catalogue_of_canary()).report
    patch = Patch("Allow it", "shop/cart", False, manifest, "", "", "kubectl apply -f -", (), True)
    assert without_secrets(replace(report, patches=(patch,))).patch_notes == notes
