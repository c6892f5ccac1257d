"""Zeros of cyclic codes, and their longest run of consecutive zeros (the BCH bound)."""

from dataclasses import dataclass
from functools import cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

from fecnn.codes.automorphism import block_shift, is_automorphism
from fecnn.codes.code import Code

MAX_DEGREE = 14
"""Largest m for which GF(2^m) is tabulated."""


@dataclass(frozen=True)
class ZeroRun:
    """Consecutive zeros beta^first .. beta^(first + length - 1) of a cyclic code of length n.

    Column j of the code is the coefficient of x^j. beta is an n-th root of unity: the power ``step`` of the
    primitive element whose powers and logarithms are in ``exp`` and ``log``. The minimum distance is at least
    length + 1 (Bose and Ray-Chaudhuri 1960; Hocquenghem 1959).

    exp: (2 (2^m - 1),) i8, twice around; log: (2^m,) i8, with log[0] unused.
    """

    exp: NDArray[np.int64]
    log: NDArray[np.int64]
    step: int
    first: int
    length: int

    @property
    def t(self) -> int:
        """Number of errors that can always be corrected: half the designed distance."""
        return self.length // 2


def is_cyclic(code: Code) -> bool:
    """Whether every cyclic shift of a codeword is a codeword.

    Example:
        >>> import fecnn
        >>> is_cyclic(fecnn.golay(extended=False)), is_cyclic(fecnn.golay())
        (True, False)
    """
    return is_automorphism(code, block_shift(code.n, code.n))


def zero_run(code: Code) -> ZeroRun | None:
    """The longest run of zeros of a cyclic code, over all roots of unity and starts; None if there is none.

    The reversed code has the inverse zeros and an equally long run, so the direction of the columns does not
    matter.

    Example:
        >>> import fecnn
        >>> zero_run(fecnn.load_code("bch-63-45")).length
        6
    """
    n = code.n
    if n < 3 or n % 2 == 0 or not is_cyclic(code):
        return None
    degree = _order_of_two(n)
    if degree > MAX_DEGREE:
        return None
    exp, log = _field(degree)
    unit = (2**degree - 1) // n
    powers = exp[np.outer(np.arange(n), np.arange(n)) % n * unit]
    zero = np.array([not np.bitwise_xor.reduce(code.G * row, axis=1).any() for row in powers])
    best = (0, 0, 1)
    for multiple in range(1, n):
        if gcd(multiple, n) == 1:
            length, first = _longest_run(zero[np.arange(n) * multiple % n])
            if length > best[0]:
                best = length, first, multiple
    length, first, multiple = best
    return ZeroRun(exp, log, multiple * unit, first, length) if length else None


def _order_of_two(n: int) -> int:
    """The smallest m such that n divides 2^m - 1."""
    power, order = 2 % n, 1
    while power != 1:
        power, order = 2 * power % n, order + 1
    return order


def _longest_run(zero: NDArray[np.bool_]) -> tuple[int, int]:
    """Length and start of the longest circular run; among equals, the one from 1, else the first."""
    n = len(zero)
    if zero.all():
        return n, 0
    ends = np.flatnonzero(~np.concatenate([zero, zero]))
    starts, lengths = ends[:-1] + 1, np.diff(ends) - 1
    longest = starts[lengths == lengths.max()] % n
    return int(lengths.max()), 1 if 1 in longest else int(longest[0])


@cache
def _field(degree: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Powers (listed twice) and logarithms of x modulo the smallest primitive polynomial of that degree."""
    order = 2**degree - 1
    for polynomial in range(2**degree + 1, 2 ** (degree + 1), 2):
        exp, value = [1], 2 if degree > 1 else 1
        while value != 1:
            exp.append(value)
            value <<= 1
            value ^= polynomial * (value >> degree)
        if len(exp) == order:
            break
    log = np.zeros(order + 1, np.int64)
    log[exp] = np.arange(order)
    return np.array(exp + exp, np.int64), log
