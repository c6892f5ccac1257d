"""Cyclic redundancy checks: the polynomials of standards and any other, as outer codes."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fecnn.arrays import Bits
from fecnn.codes import gf2
from fecnn.errors import whole

if TYPE_CHECKING:
    from fecnn.codes.code import Code

POLYNOMIALS: dict[int | str, int] = {
    6: 0b1100001,
    8: 0b110011011,
    11: 0b111000100001,
    16: 0b10001000000100001,
    24: 0b1101100101011000100010111,
    "24a": 0b1100001100100110011111011,
    "24b": 0b1100000000000000001100011,
    "24c": 0b1101100101011000100010111,
}
"""The polynomials of 3GPP TS 38.212, section 5.1, and of TS 36.212 (8 bits); bit i is the coefficient of D^i.

24 alone is 24c, the one for control information.
"""

MAX_DEGREE = 64


@dataclass(frozen=True)
class CRC:
    """A cyclic redundancy check: the remainder of the message times D^degree, first bit sent first.

    polynomial: Its coefficients; bit i is that of D^i. The leading term is included.
    label: As it appears in the names of codes.

    Example:
        >>> crc_of(11), crc_of("1011").remainders(4).tolist()
        (CRC(polynomial=3617, label='crc-11'), [[1, 0, 1], [1, 1, 1], [1, 1, 0], [0, 1, 1]])
    """

    polynomial: int
    label: str

    def __str__(self) -> str:
        return f"CRC of {self.degree} bits"

    @property
    def degree(self) -> int:
        """Number of its bits."""
        return self.polynomial.bit_length() - 1

    def remainders(self, k: int) -> Bits:
        """What each of k message bits adds to the check, (k, degree): the parity part of a generator."""
        remainder, rows = 1 << (self.degree - 1), []
        for _ in range(k):
            remainder <<= 1
            remainder ^= self.polynomial * (remainder >> self.degree)
            rows.append([(remainder >> power) & 1 for power in range(self.degree - 1, -1, -1)])
        return np.array(rows[::-1], np.uint8)


def crc_of(given: int | str) -> CRC:
    """The CRC that is meant.

    Args:
        given: A length of 3GPP TS 38.212 or 36.212 (6, 8, 11, 16, or 24 for CRC24C), ``24a``, ``24b`` or
            ``24c``, or any polynomial with its leading and constant terms: a number above 64 such as
            0x11021, or its digits as a string: binary, or with ``0x``, ``0o`` or ``0b`` before them.

    Raises:
        ValueError: If it is none of these.

    Example:
        >>> crc_of(16).polynomial == crc_of(0x11021).polynomial == crc_of("10001000000100001").polynomial
        True
    """
    known = given.lower() if isinstance(given, str) else whole("crc", given)
    if known in POLYNOMIALS:
        return CRC(POLYNOMIALS[known], f"crc-{known}")
    polynomial = 0
    if isinstance(known, int):
        polynomial = known if known > MAX_DEGREE else 0
    elif known == "11":
        raise ValueError("crc '11' may be the CRC of 11 bits, crc = 11, or D + 1, crc = '0b11'; say which")
    elif re.fullmatch("1[01]+", known):
        polynomial = int(known, 2)
    elif re.fullmatch("0b[01]+|0o[0-7]+|0x[0-9a-f]+", known):
        polynomial = int(known, 0)
    if not polynomial & 1 or not 1 <= polynomial.bit_length() - 1 <= MAX_DEGREE:
        names = ", ".join(map(str, POLYNOMIALS))
        raise ValueError(
            f"crc must be {names} bits (3GPP TS 38.212, 36.212), or a polynomial of degree "
            f"1 to {MAX_DEGREE} with its first and last term, such as 0x11021 or '1011', got {given!r}"
        )
    return CRC(polynomial, f"crc-0x{polynomial:x}")


def with_crc(code: "Code", crc: CRC, *, name: str) -> "Code":
    """The subcode whose messages are k - degree bits followed by their CRC.

    Example:
        >>> import fecnn
        >>> with_crc(fecnn.uncoded(7), crc_of("1011"), name="hamming").weight_spectrum()
        (1, 0, 0, 7, 7, 0, 0, 1)
    """
    parity = crc.remainders(code.k - crc.degree)
    k, checks = parity.shape
    G = gf2.LinearMap(code.G)(np.concatenate([np.eye(k, dtype=np.uint8), parity], axis=1))
    of_messages = np.concatenate([parity.T, np.eye(checks, dtype=np.uint8)], axis=1)
    outer = gf2.LinearMap(gf2.right_inverse(code.G).T.copy())(of_messages)
    return type(code)(G, np.concatenate([code.H, outer]), name=name)
