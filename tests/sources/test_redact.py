"""What looks like a secret is taken out; what diagnosis needs stays."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster.record import NAMES, record
from workers.redact import REDACTED, redacted, redacted_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abcdefgh12345678", f"Authorization: {REDACTED}"),
        ("cookie=sid-4711; theme=dark", f"cookie={REDACTED}"),
        ("sent Bearer abcdefgh12345678 to x", f"sent Bearer {REDACTED} to x"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", REDACTED),
        ("xoxb-123456789012-abcdefghijkl", REDACTED),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123", REDACTED),
        ("key AKIAABCDEFGHIJKLMNOP used", f"key {REDACTED} used"),
        ("postgres://app:hunter2@db:5432/shop", f"postgres://{REDACTED}@db:5432/shop"),
        ("https://api.example/v1?key=1&b=2 failed", f"https://api.example/v1?{REDACTED} failed"),
        ("db_password=hunter2 ok", f"db_password={REDACTED} ok"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", REDACTED),
    ],
)
def test_a_secret_in_a_text(text: str, expected: str) -> None:
    assert redacted_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "k8s:app=token-service",
        "k8s:io.kubernetes.pod.namespace=secrets-store",
        "api.stripe.example",
        "10.244.0.0/16",
        "CiliumNetworkPolicy/shop/basic-auth",
        "https://api.example/v1",
        "the token expired",
        "basic authentication is off",
        "",
    ],
)
def test_words_that_diagnosis_needs_stay(text: str) -> None:
    assert redacted_text(text) == text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"password": "x"}, {"password": REDACTED}),
        ({"X-Api-Key": "x"}, {"X-Api-Key": REDACTED}),
        ({"dbPassword": "x"}, {"dbPassword": REDACTED}),
        ({"name": "DB_PASSWORD", "value": "x"}, {"name": "DB_PASSWORD", "value": REDACTED}),
        ({"terminatingTLS": {"secret": {"name": "tls"}}}, {"terminatingTLS": {"secret": {"name": "tls"}}}),
        ({"secretName": "tls"}, {"secretName": "tls"}),
        ({"annotations": {"app/env": "A=1", "note": "n"}}, {"annotations": {"app/env": REDACTED, "note": "n"}}),
        ({"token": None, "tokens": 3}, {"token": None, "tokens": 3}),
        ({"url": "/cart?user=1"}, {"url": f"/cart?{REDACTED}"}),
        ({"path": "/cart?.*"}, {"path": "/cart?.*"}),
        ({"labels": ["k8s:app=a"]}, {"labels": ["k8s:app=a"]}),
    ],
)
def test_a_secret_in_an_object(body: Any, expected: Any) -> None:
    assert redacted(body) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_cluster_without_secrets_is_not_changed(name: str) -> None:
    objects = record(name).objects
    kept = {plural: objects[plural] for plural in ("services", "endpointslices", "ciliumendpoints", "ciliumidentities")}
    assert redacted(kept) == kept


@given(st.text(max_size=200))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redacted_text(text)
    assert redacted_text(once) == once
