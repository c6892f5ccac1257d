"""What NumPy could say in a line, as loops: in a kernel its copies and sorts cost seconds to compile."""

import numpy as np

from fecnn.jit import kernel


@kernel(borrows=True)
def copy(source, target):
    """The first entries of ``source`` to all of ``target`` (one-dimensional)."""
    for i in range(len(target)):
        target[i] = source[i]


@kernel(borrows=True)
def all_within(values, limit):
    """Whether no magnitude of ``values`` (B, n) exceeds the limit, and none is NaN."""
    flat, inside = values.reshape(-1), True
    for i in range(len(flat)):
        inside &= abs(flat[i]) <= limit
    return inside


@kernel(borrows=True)
def to_int8(values, out):
    """Values (B, n) f4, none NaN, rounded to integers, halves to even, of -127 to 127: out (B, n) i1."""
    flat, rounded, most = values.reshape(-1), out.reshape(-1), np.float32(127)
    for i in range(len(flat)):
        rounded[i] = np.int8(np.rint(min(max(flat[i], -most), most)))


@kernel(borrows=True)
def any_set(words):
    """Whether a word has a one: words (W,) u8."""
    ones = np.uint64(0)
    for word in words:
        ones |= word
    return ones != np.uint64(0)


@kernel(borrows=True)
def sort_places(values, places, spare):
    """Places of ``values`` in ascending order, of equals the first first: places, spare (N,) i8 out.

    Merging runs that are sorted already, bottom up.
    """
    count = len(values)
    for i in range(count):
        places[i] = i
    width = 1
    while width < count:
        for begin in range(0, count, 2 * width):
            middle, end = min(begin + width, count), min(begin + 2 * width, count)
            left, right = begin, middle
            for i in range(begin, end):
                if left < middle and (right == end or values[places[left]] <= values[places[right]]):
                    spare[i] = places[left]
                    left += 1
                else:
                    spare[i] = places[right]
                    right += 1
        for i in range(count):
            places[i] = spare[i]
        width *= 2
