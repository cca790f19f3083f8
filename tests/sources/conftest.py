"""Fixtures of the tests of sources."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.lab import Lab, lab


@pytest.fixture
def baseline(tmp_path: Path) -> Iterator[Lab]:
    """A running cluster in which everything works."""
    with lab("01-baseline", tmp_path) as found:
        yield found
