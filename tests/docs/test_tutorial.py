"""The tutorial prints what its commands print."""

from pathlib import Path

import pytest

from tools.tutorial import PAGE, refreshed


def test_the_tutorial_shows_what_its_commands_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PAGE.parents[1])
    page = Path(PAGE).read_text(encoding="utf-8")
    assert "$ cilium-triage why shop/loadgen shop/cart 8080" in page
    assert refreshed(page) == page, "run make tutorial"
