"""A row that is longer than a finding shows is counted, not written out."""

import pytest

from handlers.reach.bits import bit_set, members
from handlers.whole_cluster import MOST_NAMES, names_of


@pytest.mark.parametrize("count", [0, 1, MOST_NAMES, MOST_NAMES + 1, 5_000])
def test_the_first_ends_tell_as_much_as_all(count: int) -> None:
    row = bit_set(number * 3 for number in range(count))
    told = names_of(members(row))
    assert names_of(members(row, MOST_NAMES), row.bit_count()) == told
    assert told[:2] == tuple(str(number * 3) for number in range(count))[:2]
    assert told[MOST_NAMES:] == ((f"{count - MOST_NAMES} more",) if count > MOST_NAMES else ())
