"""Sets of small numbers, kept in the bits of one integer: union is ``|``, intersection ``&``, size ``bit_count``."""

from collections.abc import Iterable


def bit_set(numbers: Iterable[int]) -> int:
    """Give the set of these numbers."""
    found = list(numbers)
    if not found:
        return 0
    octets = bytearray((max(found) >> 3) + 1)
    for number in found:
        octets[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(octets, "little")


def members(bits: int, most: int | None = None) -> list[int]:
    """Give the numbers in a set, in order; only the first ones, where no more than ``most`` are wanted."""
    text = f"{bits:b}"[::-1]
    found: list[int] = []
    position = text.find("1")
    while position >= 0 and len(found) != most:
        found.append(position)
        position = text.find("1", position + 1)
    return found


def everything(size: int) -> int:
    """Give the set of all numbers below ``size``."""
    return (1 << size) - 1


def partition(within: int, masks: Iterable[int]) -> list[int]:
    """Split a set into groups that none of the masks tells apart."""
    groups = [within] if within else []
    for mask in masks:
        split = []
        for group in groups:
            inside = group & mask
            if inside == group or not inside:
                split.append(group)
            else:
                split += [inside, group ^ inside]
        groups = split
    return groups
