"""Sets of parity checks in one machine word, or in a tuple of them.

Kernels are written once. Where a set fits a word, it is a uint64, and many sets are an array; else it is a
tuple of W words, and many sets are a tuple of W arrays. Numba compiles a kernel for each width that is used.
Tuples are taken apart by recursion, which the compiler unrolls.
"""

from collections.abc import Callable
from typing import Any

import numba as nb
import numpy as np
from numba.extending import overload, register_jitable

from fecnn.jit import popcount

ONE, ZERO, BYTE, FULL = np.uint64(1), np.uint64(0), np.uint64(0xFF), np.uint64(0xFFFFFFFFFFFFFFFF)

ROW = 32
"""Rows are read in multiples of this: loops of odd lengths spend their time in the remainder."""


def columns_of(packed: Any) -> Any:
    """Packed columns (n, W) as kernels take them, filled up with zeros to the next multiple of `ROW`."""
    n, width = packed.shape
    columns = np.zeros((width, -(-n // ROW) * ROW), np.uint64)
    columns[:, :n] = packed.T
    return columns[0] if width == 1 else tuple(columns)


Operation = Callable[..., Any]


def _by_width(one: Operation, last: Operation, more: Operation) -> Operation:
    """A function that is ``one`` for words, ``last`` for tuples of one word, and ``more`` for longer ones."""

    def operation(*arguments: Any) -> Any:
        first = arguments[0]
        return (one if not isinstance(first, tuple) else last if len(first) == 1 else more)(*arguments)

    @overload(operation, strict=False)
    def _typed(*types: Any) -> Any:
        first = types[0]
        return one if not isinstance(first, nb.types.BaseTuple) else last if len(first) == 1 else more

    return operation


@register_jitable
def trailing_zeros(word):
    """Index of the lowest one of a word that has a one."""
    return popcount(~word & (word - ONE))


xor: Operation = _by_width(
    lambda a, b: a ^ b,
    lambda a, b: (a[0] ^ b[0],),
    lambda a, b: (a[0] ^ b[0], *xor(a[1:], b[1:])),
)
both: Operation = _by_width(
    lambda a, b: a & b,
    lambda a, b: (a[0] & b[0],),
    lambda a, b: (a[0] & b[0], *both(a[1:], b[1:])),
)
is_empty: Operation = _by_width(
    lambda a: a == ZERO,
    lambda a: a[0] == ZERO,
    lambda a: a[0] == ZERO and is_empty(a[1:]),
)
count: Operation = _by_width(
    lambda a: popcount(a),
    lambda a: popcount(a[0]),
    lambda a: popcount(a[0]) + count(a[1:]),
)
without_lowest: Operation = _by_width(
    lambda a: a & (a - ONE),
    lambda a: (a[0] & (a[0] - ONE),),
    lambda a: (a[0] & (a[0] - ONE), *a[1:]) if a[0] != ZERO else (a[0], *without_lowest(a[1:])),
)
lowest: Operation = _by_width(
    lambda a: a & (ZERO - a),
    lambda a: (a[0] & (ZERO - a[0]),),
    lambda a: (a[0] & (ZERO - a[0]), *xor(a[1:], a[1:])) if a[0] != ZERO else (a[0], *lowest(a[1:])),
)
"""The set of the lowest member alone; empty if there is none."""
index: Operation = _by_width(
    lambda a: trailing_zeros(a),
    lambda a: trailing_zeros(a[0]),
    lambda a: trailing_zeros(a[0]) if a[0] != ZERO else 64 + index(a[1:]),
)
"""Number of the lowest member of a set that has one."""
has: Operation = _by_width(
    lambda a, i: (a >> np.uint64(i)) & ONE != ZERO,
    lambda a, i: (a[0] >> np.uint64(i)) & ONE != ZERO,
    lambda a, i: (a[i >> 6] >> np.uint64(i & 63)) & ONE != ZERO,
)


@register_jitable
def _octet(word, i, sums, first):
    return sums[np.uint64(256 * (first + i)) + ((word >> np.uint64(8 * i)) & BYTE)]


@register_jitable
def _price_of_word(word, sums, first):
    """Eight look-ups added as a tree: short dependence chains."""
    return (
        (_octet(word, 0, sums, first) + _octet(word, 1, sums, first))
        + (_octet(word, 2, sums, first) + _octet(word, 3, sums, first))
    ) + (
        (_octet(word, 4, sums, first) + _octet(word, 5, sums, first))
        + (_octet(word, 6, sums, first) + _octet(word, 7, sums, first))
    )


def _price_one(word, sums, tables):
    if tables == 2:
        return _octet(word, 0, sums, 0) + _octet(word, 1, sums, 0)
    if tables == 3:
        return _octet(word, 0, sums, 0) + _octet(word, 1, sums, 0) + _octet(word, 2, sums, 0)
    if tables == 4:
        return (_octet(word, 0, sums, 0) + _octet(word, 1, sums, 0)) + (
            _octet(word, 2, sums, 0) + _octet(word, 3, sums, 0)
        )
    return _price_of_word(word, sums, 0)


def _price_many(words, sums, tables):
    total = np.float32(0)
    for w in range(len(words)):
        total += _price_of_word(words[w], sums, 8 * w)
    return total


price_from: Operation = _by_width(_price_one, _price_many, _price_many)
"""The sum of the prices of a set's members, from byte tables: (256 t,) f4, t = 2, 3, 4 or 8 W of them.

A loop with t as a constant is compiled to vectors.
"""


@register_jitable
def price_of(members, sums):
    """`price_from` all the tables that there are."""
    return price_from(members, sums, len(sums) >> 8)


@register_jitable
def _clear_one(columns, bit, pivot, width):
    for i in range(width):
        column = columns[i]
        columns[i] = column ^ (pivot if (column & bit) != ZERO else ZERO)


def _clear_many(columns, bit, pivot, width):
    key = index(bit) >> 6
    mask, row = bit[key], columns[key]
    for w in range(len(columns)):
        if w != key:
            other, part = columns[w], pivot[w]
            for i in range(width):
                other[i] ^= part if (row[i] & mask) != ZERO else ZERO
    _clear_one(row, mask, pivot[key], width)


clear: Operation = _by_width(_clear_one, _clear_many, _clear_many)
"""Add ``pivot`` to each of the first ``width`` sets that have the member ``bit``: passes without a branch."""


@register_jitable
def _syndrome_word(columns, row):
    syndrome = ZERO
    for j in range(len(columns)):
        syndrome ^= columns[j] if row[j] < 0 else ZERO
    return syndrome


syndrome_of: Operation = _by_width(
    lambda columns, row: _syndrome_word(columns, row),
    lambda columns, row: (_syndrome_word(columns[0], row),),
    lambda columns, row: (_syndrome_word(columns[0], row), *syndrome_of(columns[1:], row)),
)
"""The sum of the columns where a padded row of LLRs is negative."""


def _store(array, i, value):
    array[i] = value


def _store_many(arrays, i, value):
    for w in range(len(arrays)):
        arrays[w][i] = value[w]


load: Operation = _by_width(
    lambda array, i: array[i],
    lambda arrays, i: (arrays[0][i],),
    lambda arrays, i: (arrays[0][i], *load(arrays[1:], i)),
)
"""Set i of an array of sets."""
store: Operation = _by_width(_store, _store_many, _store_many)
everything: Operation = _by_width(
    lambda columns: FULL,
    lambda columns: (FULL,),
    lambda columns: (FULL, *everything(columns[1:])),
)
"""All members that sets of this width can have."""
