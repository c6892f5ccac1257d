"""Chase decoding: soft decisions from a hard-decision decoder."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, bpsk
from fecnn.arrays import hard as hard_decision
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.berlekamp_massey import Algebra, algebra_of, no_tables, tables_of
from fecnn.decoders.contract import Decoder, Effort, Lister, Measured, SoftDecoder, discrepancy
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.hard import (
    MAX_CHECKS,
    hard,
    hard_cost,
    minimum_distance,
    table_of_leaders,
    too_many_checks,
)
from fecnn.decoders.kernels import chase as kernel
from fecnn.decoders.registry import BuiltIn, Example

MAX_POSITIONS = 20
"""Largest number of positions whose flips are all tried."""

Run = Callable[[LLR, float | None], tuple[Bits, LLR, Effort]]
"""Chase decoding of LLRs with a beta for soft output, or None: bits, a-posteriori LLRs (or none), effort."""


def chase2(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    positions: int | None = None,
    t: int | None = None,
) -> Decoder:
    """Chase's second algorithm (Chase, IEEE Trans. IT 18(1), 1972).

    The result is the best codeword that bounded-distance decoding finds when started from the hard decision
    with every combination of flips in the least reliable positions. If it finds none, the frame keeps its
    hard decision and is counted as uncertified. The work of a frame is its number of test patterns.

    Args:
        code: A code with n - k at most 24 (decoded by a table of coset leaders), a cyclic code such as BCH,
            or one extended by a parity bit.
        channel: Not used.
        positions: Number of least reliable positions; all 2**positions flips are tried, 0 to 20. The default
            is d // 2, at most 20, for minimum distance d.
        t: Errors that the hard-decision decoder corrects. The default is (d - 1) // 2, or as many as algebra
            can correct.

    Raises:
        ValueError: If a number is out of range, no hard-decision decoder fits the code, or d is needed but
            not known.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("chase2", fecnn.load_code("bch-15-7"))
        >>> bits, effort = decode.measure(np.float32([1, -1, 1, 1, 1, -0.1, -1, 1, 1, 1, 1, 1, 1, 1, 1]))
        >>> int(bits.sum()), int(effort.work)
        (0, 4)
    """
    run = prepared(code, positions, t)

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        bits, _, effort = run(llr, None)
        return bits, effort

    return Measured(measure)


def chase2_app(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    positions: int | None = None,
    t: int | None = None,
    beta: float = 0.5,
) -> SoftDecoder:
    """A-posteriori LLRs from the codewords that `chase2` finds (Pyndiah, IEEE Trans. Comm. 46(8), 1998).

    The LLR of a bit is the difference in metric between the best codeword and the best one that differs in
    that bit. If no such codeword was found, it is ``beta`` times the frame's mean reliability, in the
    direction of the best codeword, plus the bit's own LLR if that agrees. The signs are therefore always
    those of the codeword that `chase2` decides on. A frame without any codeword keeps its LLRs. For ``beta``
    = 0.5 the log-odds of a bit being right are 0.7 to 0.9 |APP| on BCH (31,21) and Hamming (15,11), and up to
    twice |APP| on shorter codes. Beside bits that are nearly certain, as strong priors make them, |APP| is
    too large, since they are in the mean and in the metrics; use ``map`` or ``osd`` there.

    Args:
        code: As for `chase2`.
        channel: Not used.
        positions: As for `chase2`.
        t: As for `chase2`.
        beta: 0 or more. Pyndiah increases it from 0.2 to 1 over the iterations of a product code.

    Raises:
        ValueError: As for `chase2`, and if beta is negative.
    """
    if not 0 <= beta < np.inf:
        raise ValueError(f"beta must be 0 or more, got {beta}")
    run = prepared(code, positions, t)
    return lambda llr: run(llr, beta)[1]


def chase2_list(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 8,
    positions: int | None = None,
    t: int | None = None,
) -> Lister:
    """The best of the codewords that `chase2` finds; often they are fewer than the list has room for.

    Args:
        code: As for `chase2`.
        channel: Not used.
        list: Number of words.
        positions: As for `chase2`.
        t: As for `chase2`.

    Raises:
        ValueError: As for `chase2`.
    """
    positions, t, _ = _sizes(code, positions, t)
    decode, size = hard(code, t=t), min(list, 1 << positions)

    def lister(llr: LLR) -> tuple[Bits, NDArray[np.bool_]]:
        frames, rows = len(llr), np.arange(len(llr))
        words = np.zeros((frames, size, code.n), np.uint8)
        prices = np.full((frames, size), np.inf)
        least_reliable = np.argsort(np.abs(llr), axis=1, kind="stable")[:, :positions]
        for pattern in range(1 << positions):
            flips = least_reliable[:, (pattern >> np.arange(positions)) & 1 == 1]
            spoilt = bpsk(hard_decision(llr))
            np.put_along_axis(spoilt, flips, -np.take_along_axis(spoilt, flips, axis=1), axis=1)
            word, found = _corrected(decode, spoilt)
            price = np.where(found, discrepancy(llr, word), np.inf)
            known = (words == word[:, None]).all(axis=2) & (prices < np.inf)
            worst = prices.argmax(axis=1)
            better = (price < prices[rows, worst]) & ~known.any(axis=1)
            words[better, worst[better]], prices[better, worst[better]] = word[better], price[better]
        return words, prices < np.inf

    return lister


def _corrected(decode: Decoder, llr: LLR) -> tuple[Bits, NDArray[np.bool_]]:
    """Hard-decision decoding: words, and whether they are codewords."""
    assert isinstance(decode, Measured)
    word, effort = decode.measure(llr)
    return word, ~effort.uncertified


def _sizes(code: Code, positions: int | None, t: int | None) -> tuple[int, int, Algebra | None]:
    """The number of positions and of errors, and the code's algebra where its table would be too large.

    Raises:
        ValueError: As `chase2`.
    """
    algebra = None
    if code.n - code.k <= MAX_CHECKS:
        distance = minimum_distance(code) if t is None or positions is None else 0
        limit = code.n
    else:
        algebra = algebra_of(code)
        if algebra is None:
            raise too_many_checks(code)
        distance = code.minimum_distance or algebra.run.length + 1
        limit = algebra.run.t
    t = min((distance - 1) // 2, limit) if t is None else t
    if not 0 <= t <= limit:
        raise ValueError(f"t must be in 0..{limit} for {code.name}, got {t}")
    positions = min(distance // 2, code.n, MAX_POSITIONS) if positions is None else positions
    if not 0 <= positions <= min(MAX_POSITIONS, code.n):
        raise ValueError(
            f"positions must be in 0..{min(MAX_POSITIONS, code.n)} for {code.name}, got {positions}"
        )
    return positions, t, algebra


def prepared(code: Code, positions: int | None, t: int | None) -> Run:
    """Chase decoding with the options of `chase2`, as a function; errors as there."""
    positions, t, algebra = _sizes(code, positions, t)
    if algebra is None:
        table, tables = table_of_leaders(code, t), no_tables(code)
    else:
        table, tables = np.empty(0, np.int16), tables_of(code, algebra)

    def run(llr: LLR, beta: float | None) -> tuple[Bits, LLR, Effort]:
        out = np.empty(llr.shape, np.uint8)
        app = np.empty((0, code.n) if beta is None else llr.shape, np.float32)
        tried, found = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
        lean = 0.0 if beta is None else float(beta)
        kernel.chase2(llr, positions, table, tables, t, lean, out, app, tried, found)
        return out, app, Effort(tried, ~found)

    return run


def chase2_cost(
    code: Code, work: float | None = None, *, positions: int | None = None, t: int | None = None, **_: Any
) -> Cost:
    """Chase's second algorithm: `hard` on each of 2^p patterns, plus n / 2 additions and a comparison each.

    The additions sum the cost of a codeword. Finding the p least reliable positions takes n p comparisons.

    Raises:
        ValueError: As for `hard`, and if p is not given and d is not known.
    """
    if positions is None:
        if code.minimum_distance is None:
            raise ValueError(f"give positions: the minimum distance of {code.name} is not known")
        positions = code.minimum_distance // 2
    tried = 2.0**positions if work is None else work
    each = hard_cost(code, t=t) + Cost(additions=code.n / 2, comparisons=1)
    return Cost(comparisons=code.n * positions, memory_bits=REAL * code.n) + each.times(tried)


CHASE2 = BuiltIn(
    chase2,
    cost=chase2_cost,
    cites="Chase, IEEE Trans. IT 18(1), 1972",
    reach="n - k <= 24, and cyclic codes, also extended",
    example=Example("bch-63-45", 4.0),
    soft=chase2_app,
    lister=chase2_list,
    unit="patterns",
)
