"""Algebraic decoding of binary cyclic codes from consecutive zeros (Berlekamp 1968; Massey 1969).

Errors in columns j have locators X = beta^j and power sums S_l = sum of X^(first + l), a linear recurrence
whose shortest register is the product of (1 - X z). Its roots name the columns; that they are the right ones
is checked against all parity checks of the code, not only these zeros.

All starts from the packed syndrome: most clean frames are known by it, and the power sums are linear in it.
If first is 1, S_2l is the square of S_l, and every other discrepancy of Massey's algorithm is 0 (Berlekamp).
Products are sums of logarithms; that of 0 is so large that the power of any sum with it is 0.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fecnn.decoders.kernels.loops import any_set
from fecnn.jit import kernel


class Algebra(NamedTuple):
    """What the kernel needs to know of a code of n columns and of its field, of order + 1 elements.

    columns: (n, W) u8, packed columns of H; checks: (W, n') u8, the same transposed, and padded with zeros.
    sums: (L, Q, 16) u8, the power sums of each value of each four bits of a syndrome, four sums in a word.
    length: number of power sums; stride: 2 if every other discrepancy is 0, else 1.
    exp: (4 order + 1,) u2, 0 from 2 order on; log: (order + 1,) u2, with log[0] = 2 order.
    core: number of columns with a locator: n, or n - 1 if the last bit is an overall parity.
    places: (T, order + 1) i8, terms: u2: from terms[places[i - 1, c]] on lie the values of the term c z^i at
    z = beta^-j, for j = 0, 1, ...; there are ``room`` or more of them.
    room: length of rows of the workspace of `locate`.
    """

    columns: NDArray[np.uint64]
    checks: NDArray[np.uint64]
    sums: NDArray[np.uint64]
    length: int
    stride: int
    exp: NDArray[np.uint16]
    log: NDArray[np.uint16]
    core: int
    places: NDArray[np.int64]
    terms: NDArray[np.uint16]
    room: int


@kernel
def correct(llr, algebra, t, out, found):
    """Hard decisions corrected in up to t places where that gives a codeword.

    llr (B, n) f4 or i1; out (B, n) u1; found (B,) b1 out: whether it does.
    """
    frames, n = llr.shape
    width, padded = algebra.checks.shape
    row, syndrome = np.empty(padded, llr.dtype), np.empty(width, np.uint64)
    work, flips = np.empty((6, algebra.room), np.uint16), np.empty(t + 2, np.int64)
    for j in range(n, padded):
        row[j] = 0
    for frame in range(frames):
        for j in range(n):
            row[j] = llr[frame, j]
            out[frame, j] = llr[frame, j] < 0
        _syndrome(row, algebra.checks, syndrome)
        count = locate(syndrome, algebra, t, work, flips)
        found[frame] = count >= 0
        for i in range(count):
            out[frame, flips[i]] ^= 1


@kernel(borrows=True)
def _syndrome(row, checks, syndrome):
    """The sum of the columns where a padded row of LLRs is negative."""
    for word in range(len(checks)):
        column, total = checks[word], np.uint64(0)
        for j in range(len(row)):
            total ^= column[j] if row[j] < 0 else np.uint64(0)
        syndrome[word] = total


@kernel(borrows=True)
def locate(syndrome, algebra, t, work, flips):
    """Fill in flips with the columns of at most t errors with this packed syndrome, which is spoilt.

    Returns how many, or -1 if there are none such.
    """
    columns, core, sums, register = algebra.columns, algebra.core, work[0], work[1]
    if not any_set(syndrome):
        return 0
    _power_sums(syndrome, algebra.sums, sums)
    length, stride = algebra.length, algebra.stride
    degree = _shortest_register(sums, length, stride, algebra.exp, algebra.log, t, register, work)
    if degree < 0:
        return -1
    count = _roots(register, degree, algebra.places, algebra.terms, core, work[2], flips)
    if count < degree:
        return -1
    for i in range(count + 1):
        if i == count:
            if not any_set(syndrome):
                return count
            if core == len(columns) or count == t:
                return -1
            flips[i] = core  # the overall parity
        for word in range(len(syndrome)):
            syndrome[word] ^= columns[flips[i], word]
    return -1 if any_set(syndrome) else count + 1


@kernel(borrows=True)
def _power_sums(syndrome, table, sums):
    """The power sums of a packed syndrome."""
    for word in range(len(table)):
        total = np.uint64(0)
        for part in range(table.shape[1]):
            bits = (syndrome[part >> 4] >> np.uint64(4 * (part & 15))) & np.uint64(15)
            total ^= table[word, part, bits]
        for i in range(4):
            sums[4 * word + i] = (total >> np.uint64(16 * i)) & np.uint64(0xFFFF)


@kernel(borrows=True)
def _shortest_register(sums, count, stride, exp, log, t, register, work):
    """Massey's algorithm: register becomes the connection polynomial of ``count`` sums, lowest power first.

    Returned is its length, or -1 if that exceeds t. ``now`` are logarithms of the register, ``before`` those
    of the register before its length last grew.
    """
    logs, now, before, spare = work[2], work[3], work[4], work[5]
    none, order = log[0], np.int64(len(log) - 1)
    for i in range(count):
        logs[i] = log[sums[i]]
    for i in range(t + 2):
        register[i] = 0
        now[i] = none
    register[0], now[0], before[0] = 1, 0, 0
    length, shorter, gap = 0, 0, 1
    last = order  # minus the logarithm of the discrepancy when the length last grew, gap steps ago
    for step in range(0, count, stride):
        discrepancy = sums[step]
        for i in range(1, length + 1):
            discrepancy ^= exp[np.int64(now[i]) + np.int64(logs[step - i])]
        if discrepancy == 0:
            gap += stride
            continue
        ratio = np.int64(log[discrepancy]) + last
        if ratio >= order:
            ratio -= order
        grown = step + 1 - length
        if grown > length:
            if grown > t:
                return -1
            for i in range(length + 1):
                spare[i] = now[i]
        for i in range(shorter + 1):
            register[i + gap] ^= exp[np.int64(before[i]) + ratio]
            now[i + gap] = log[register[i + gap]]
        if grown > length:
            before, spare = spare, before
            length, shorter, gap = grown, length, stride
            last = order - np.int64(log[discrepancy])
        else:
            gap += stride
    return length


@kernel(borrows=True)
def _roots(register, degree, places, terms, core, values, flips):
    """Columns j with a root at beta^-j (Chien 1964), which cannot be more than ``degree``; how many."""
    for j in range(len(values)):
        values[j] = 1
    for i in range(1, degree + 1):
        first = places[i - 1, register[i]]
        term = terms[first : first + len(values)]
        for j in range(len(values)):
            values[j] ^= term[j]
    count = 0
    for j in range(core):  # without branches
        flips[count] = j
        count += values[j] == 0
    return count
