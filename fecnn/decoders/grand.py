"""Guessing random additive noise decoding (GRAND): tries error patterns, for any code with few checks."""

import math
from typing import Any

import numpy as np

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.contract import Decoder, Effort, Measured
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.kernels import grand as kernel
from fecnn.decoders.registry import BuiltIn, Example

MAX_STORED = 1 << 22
"""Most queries of `sgrand`, which keeps its patterns."""


def grand(code: Code, channel: Channel | None = None, /, *, queries: int = 1 << 20) -> Decoder:
    """Hard-decision maximum likelihood by guessing the noise.

    Duffy, Li and Médard, IEEE Trans. IT 65(7), 2019. Error patterns are tried in order of increasing number
    of flips until one gives a codeword: about 2**(n - k) of them on a bad frame. A frame that exhausts its
    queries keeps its hard decision and is counted as uncertified. The work of a frame is its queries.

    Args:
        code: Any code; practical for n - k below about 30.
        channel: Not used.
        queries: Most patterns tried per frame, 1 or more; the first is the one without flips.

    Raises:
        ValueError: If queries is below 1.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("grand", fecnn.hamming(3))
        >>> bits, effort = decode.measure(np.float32([1, 1, -1, 1, 1, 1, 1]))
        >>> int(bits.sum()), int(effort.work)
        (0, 4)
    """
    return _guesser(code, queries, ranked=False)


def orbgrand(
    code: Code, channel: Channel | None = None, /, *, lines: int = 0, queries: int = 1 << 20
) -> Decoder:
    """Ordered reliability bits GRAND, basic or 1-line (Duffy, An and Médard, IEEE Trans. SP 70, 2022).

    Like `grand`, but patterns are tried in order of increasing logistic weight: the sum of the ranks of the
    flipped bits, where the least reliable bit has rank 1. Among equals, patterns with fewer flips come first.

    That is the order of likelihood if the sorted reliabilities are proportional to their ranks. With one line
    they are taken to be so from an intercept on: it is J + rank times a slope, and a pattern weighs J for
    each flip more. The line goes through the least reliable bit and the middle one, and J is rounded, 0 or
    more, as in the program of Duffy (GRAND-MATLAB).

    Args:
        code: Any code; practical for n - k below about 30.
        channel: Not used.
        lines: 0 for the basic one, 1 for a line with an intercept, which is closer to ML where the least
            reliable bits are not very unreliable.
        queries: Most patterns tried per frame, 1 or more; the first is the one without flips.

    Raises:
        ValueError: If queries is below 1, or lines is not 0 or 1.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("orbgrand", fecnn.hamming(3))
        >>> bits, effort = decode.measure(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        >>> int(bits.sum()), int(effort.work)
        (0, 2)
    """
    if isinstance(lines, bool) or lines not in (0, 1):
        raise ValueError(f"lines must be 0 or 1, got {lines!r}")
    return _guesser(code, queries, ranked=True, line=lines == 1)


def sgrand(code: Code, channel: Channel | None = None, /, *, queries: int = 1 << 16) -> Decoder:
    """Soft GRAND: maximum likelihood by guessing the noise, the likeliest first.

    Solomon, Duffy and Médard, ICC 2020. Error patterns are tried in order of their cost, the sum of abs(llr)
    over the flipped bits, until one gives a codeword: a most likely one. A frame that exhausts its queries
    keeps its hard decision and is counted as uncertified. The work of a frame is its queries. No order needs
    fewer on average, but each takes more time than one of `orbgrand`.

    Args:
        code: Any code; practical for n - k below about 20.
        channel: Not used.
        queries: Most patterns tried per frame, 1 to 2**22; the first is the one without flips. Memory for as
            many is reserved: up to 80 bytes each, and more if n - k exceeds 64.

    Raises:
        ValueError: If queries is out of range.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("sgrand", fecnn.hamming(3))
        >>> bits, effort = decode.measure(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        >>> int(bits.sum()), int(effort.work)
        (0, 2)
    """
    if not isinstance(queries, int) or not 1 <= queries <= MAX_STORED:
        raise ValueError(f"queries must be in 1..{MAX_STORED}, got {queries!r}")
    columns = code.parity_columns

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out = np.empty(llr.shape, np.uint8)
        used, found = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
        kernel.sgrand(llr, columns, queries, out, used, found)
        return out, Effort(used, ~found)

    return Measured(measure)


def _guesser(code: Code, queries: int, *, ranked: bool, line: bool = False) -> Decoder:
    if not isinstance(queries, int) or queries < 1:
        raise ValueError(f"queries must be 1 or more, got {queries!r}")
    columns = code.parity_columns

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out = np.empty(llr.shape, np.uint8)
        used, found = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
        kernel.grand(llr, columns, queries, ranked, line, out, used, found)
        return out, Effort(used, ~found)

    return Measured(measure)


def grand_cost(code: Code, work: float | None = None, **_: Any) -> Cost:
    """Guessing the noise: a syndrome, then n - k exclusive ors and a comparison per query.

    Raises:
        ValueError: If the work is not given.
    """
    if work is None:
        raise ValueError("guessing costs what the noise demands: give the measured work, queries per frame")
    checks = code.n - code.k
    first = Cost(comparisons=code.n, binary=int(code.H.sum()), memory_bits=checks + code.n)
    return first + Cost(comparisons=1, binary=checks).times(work)


def orbgrand_cost(code: Code, work: float | None = None, *, lines: int = 0, **_: Any) -> Cost:
    """`grand` in order of reliability: n log2 n comparisons first, and an addition per query.

    A line takes two additions, a multiplication, a division and a comparison more.

    Raises:
        ValueError: If the work is not given.
    """
    asked = grand_cost(code, work)
    sort = Cost(comparisons=code.n * math.log2(code.n), memory_bits=REAL * code.n)
    line = Cost(multiplications=2, additions=2, comparisons=1).times(lines)
    return asked + sort + line + Cost(additions=1).times(work or 0)


def sgrand_cost(code: Code, work: float | None = None, **_: Any) -> Cost:
    """`grand` in order of cost: n log2 n comparisons first, and two patterns put on a heap per query.

    Each is a sum of its cost and of its syndrome. Two to go on the heap and one to leave it take about
    4 log2(w) comparisons, of w queries.

    Raises:
        ValueError: If the work is not given.
    """
    asked = grand_cost(code, work)
    made, checks, n = work or 0.0, code.n - code.k, code.n
    sort = Cost(comparisons=n * math.log2(n), memory_bits=REAL * n + int(2 * made * (5 * REAL + checks)))
    heap = Cost(additions=2, comparisons=4 * math.log2(max(made, 1.0)), binary=checks)
    return asked + sort + heap.times(made)


GRAND = BuiltIn(
    grand,
    cost=grand_cost,
    cites="Duffy, Li and Médard, IEEE Trans. IT 65(7), 2019",
    reach="any code, within a budget of queries",
    example=Example("bch-31-21", 4.0),
)
ORBGRAND = BuiltIn(
    orbgrand,
    cost=orbgrand_cost,
    cites="Duffy, An and Médard, IEEE Trans. SP 70, 2022",
    reach="any code, within a budget of queries",
    example=Example("bch-63-45", 4.0),
)
SGRAND = BuiltIn(
    sgrand,
    cost=sgrand_cost,
    cites="Solomon, Duffy and Médard, ICC 2020",
    reach="any code, within a budget of queries",
    example=Example("bch-31-21", 4.0),
)
