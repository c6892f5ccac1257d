"""Guessing codeword decoding (GCD): re-encodes error patterns of an information set, the likeliest first."""

import math
from typing import Any

import numpy as np

from fecnn.arrays import LLR, Bits
from fecnn.arrays import hard as hard_decision
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.contract import Decoder, Effort, Measured
from fecnn.decoders.cost import REAL, Cost, basis_cost
from fecnn.decoders.grand import MAX_STORED
from fecnn.decoders.kernels import gcd as kernel
from fecnn.decoders.kernels import words
from fecnn.decoders.kernels.arena import Arena
from fecnn.decoders.registry import BuiltIn, Example

FEW = 1 << 12
"""Queries of the first pass: most frames need no more, and their memory stays in cache."""


def gcd(
    code: Code, channel: Channel | None = None, /, *, reliable: bool = True, queries: int = 1 << 16
) -> Decoder:
    """Maximum likelihood by guessing the codeword, from patterns of an information set (Ma, ITW 2024).

    Error patterns of k independent positions are tried in order of their cost, the sum of abs(llr) over the
    flipped ones. Each is re-encoded, and the least costly whole pattern is kept. Once the next one costs no
    less in the k positions alone than the best in all n, that one is maximum likelihood. A frame whose
    queries run out before keeps the best so far and counts as uncertified. The work of a frame is the
    patterns that it re-encodes, the one without flips included: 1 if the hard decision is a codeword.

    Unlike in `osd`, only this rule ends the list: no bound from the minimum distance is used.

    Args:
        code: Any n. The lower k, the fewer queries; practical for k up to about 64 where errors are few.
        channel: Not used.
        reliable: Guess on the most reliable basis of each frame, as OSD does. False guesses on the first k
            independent positions, as for a systematic generator: more queries, but no elimination.
        queries: Most patterns re-encoded per frame, 1 to 2**22. Where 4,096 are not enough, memory for as
            many is reserved: up to 80 bytes each, and more if n - k exceeds 64.

    Raises:
        ValueError: If queries is out of range.
        TypeError: If reliable is not a bool.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("gcd", fecnn.hamming(3))
        >>> bits, effort = decode.measure(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        >>> int(bits.sum()), int(effort.work)
        (0, 1)
    """
    if not isinstance(queries, int) or not 1 <= queries <= MAX_STORED:
        raise ValueError(f"queries must be in 1..{MAX_STORED}, got {queries!r}")
    if not isinstance(reliable, bool):
        raise TypeError(f"reliable must be true or false, got {reliable!r}")
    checks = code.n - code.k
    if checks == 0:
        return hard_decision
    columns, few, many = words.columns_of(code.parity_columns), Arena(), Arena()

    def measure(llr: LLR, most: int = min(queries, FEW)) -> tuple[Bits, Effort]:
        out = np.empty(llr.shape, np.uint8)
        used, certain = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
        arena = few if most <= FEW else many
        arena.run(kernel.gcd, llr, columns, checks, reliable, most, out, used, certain)
        uncertified = ~certain
        if most < queries and uncertified.any():  # once more, from the start
            out[uncertified], again = measure(llr[uncertified], queries)
            used[uncertified], uncertified[uncertified] = again.work, again.uncertified
        return out, Effort(used, uncertified)

    return Measured(measure)


def gcd_cost(code: Code, work: float | None = None, *, reliable: bool = True, **_: Any) -> Cost:
    """Guessing the codeword with ``work`` patterns re-encoded.

    The most reliable basis and its first word (`basis_cost`); or, on fixed positions, the syndrome, the first
    word and k log2 k comparisons. A pattern: as many additions as half the parity bits, and two comparisons,
    with the best and to stop. Two patterns are made of each, an addition and n - k bits each. Two to go on
    the heap and one to leave it take about 4 log2(w) comparisons, of w patterns.

    Raises:
        ValueError: If the work is not given.
    """
    if work is None:
        raise ValueError("guessing costs what the noise demands: give the measured work, queries per frame")
    n, k = code.n, code.k
    checks = n - k
    fixed = Cost(
        comparisons=n + k * math.log2(k),
        binary=int(code.H.sum()) + k * checks / 2,
        memory_bits=checks * n + REAL * n,
    )
    kept = Cost(memory_bits=int(2 * work * (5 * REAL + checks)))
    pattern = Cost(additions=checks / 2 + 2, comparisons=2 + 4 * math.log2(max(work, 1.0)), binary=2 * checks)
    return (basis_cost(code) if reliable else fixed) + kept + pattern.times(work)


GCD = BuiltIn(
    gcd,
    cost=gcd_cost,
    cites="Ma, ITW 2024",
    reach="any code, within a budget of queries",
    example=Example("bch-63-45", 3.0),
    unit="queries",
)
