"""Zeros of cyclic and shortened cyclic codes, and their longest run of consecutive zeros (the BCH bound)."""

from dataclasses import dataclass
from functools import cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

from fecnn.codes import gf2
from fecnn.codes.automorphism import block_shift, is_automorphism
from fecnn.codes.code import Code

MAX_DEGREE = 14
"""Largest m for which GF(2^m) is tabulated."""


@dataclass(frozen=True)
class ZeroRun:
    """Consecutive zeros beta^first .. beta^(first + length - 1) of a cyclic code of length n, or shortened.

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


def generator_polynomial(code: Code) -> int | None:
    """The g with which the code is all multiples g(x) a(x) of degree below n, as bits; None if there is none.

    Column j of the code is the coefficient of x^j, bit j of the number. Such a code is cyclic if g divides
    x^n - 1; otherwise it is a cyclic code that is shortened in consecutive positions.

    Example:
        >>> import fecnn
        >>> bin(generator_polynomial(fecnn.load_code("bch-15-11")))
        '0b11001'
        >>> generator_polynomial(fecnn.load_code("ccsds-128-64")) is None
        True
    """
    common = 0
    for row in gf2.pack(code.G):
        word = int.from_bytes(row.astype("<u8").tobytes(), "little")
        while word:
            common, word = word, common
            while word.bit_length() >= common.bit_length():
                word ^= common << (word.bit_length() - common.bit_length())
        if common.bit_length() <= code.n - code.k:
            return None
    return common if common.bit_length() == code.n - code.k + 1 and common & 1 else None


def zero_run(code: Code) -> ZeroRun | None:
    """The longest run of zeros of a cyclic code, over all roots of unity and starts; None if there is none.

    Of a shortened cyclic code it is the run of the shortest cyclic code that it is shortened from. The
    reversed code has the inverse zeros and an equally long run, so the direction of the columns does not
    matter. Of equally long runs, one from 1 is preferred.

    Example:
        >>> import fecnn
        >>> zero_run(fecnn.load_code("bch-63-45")).length
        6
    """
    g = generator_polynomial(code)
    if g is None or g == 1:
        return None
    n = _period(g)
    if n is None or n < max(code.n, 3):
        return None
    degree = _order_of_two(n)
    if degree > MAX_DEGREE:
        return None
    exp, log = field(degree)
    unit = (2**degree - 1) // n
    value = np.zeros(n, np.int64)
    for j in range(g.bit_length()):
        if g >> j & 1:
            value ^= exp[np.arange(n) * j % n * unit]
    zero = value == 0
    best = (0, False, 0, 1)
    for multiple in range(1, n):
        # The zeros are the same after squaring, so the least multiple of each cyclotomic coset is enough.
        if gcd(multiple, n) == 1 and multiple == min(multiple * 2**i % n for i in range(degree)):
            length, first = _longest_run(zero[np.arange(n) * multiple % n])
            best = max(best, (length, first == 1, first, multiple), key=lambda run: run[:2])
    length, _, first, multiple = best
    return ZeroRun(exp, log, multiple * unit, first, length) if length else None


def _period(g: int) -> int | None:
    """The least N with which g divides x^N - 1, if it is odd and not above 2^`MAX_DEGREE`; else None."""
    degree, power = g.bit_length() - 1, 1
    for n in range(1, 1 << MAX_DEGREE):
        power <<= 1
        power ^= g * (power >> degree)
        if power == 1:
            return n if n % 2 else None
    return None


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
def field(degree: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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
