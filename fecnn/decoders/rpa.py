"""Recursive projection-aggregation decoding of Reed-Muller codes."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes import gf2
from fecnn.codes.code import Code
from fecnn.codes.families import reed_muller
from fecnn.decoders.contract import Decoder, Effort, Measured
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.registry import BuiltIn, Example
from fecnn.errors import real, whole

MOST_PROJECTIONS = 1 << 17
"""Most codes of order 1 that a frame is projected to in a round."""

VALUES = 1 << 22
"""LLRs of projections that are held at a time."""


def rpa(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    iterations: int | None = None,
    theta: float = 0.05,
) -> Decoder:
    """Recursive projection-aggregation decoding (Ye and Abbe, IEEE Trans. IT 66(8), 2020), algorithm 1.

    The sums of a word of RM(r, m) over pairs z, z + b are a word of RM(r - 1, m - 1), for each of the 2^m - 1
    directions b. All these projections are decoded, down to order 1, where the fast Hadamard transform gives
    the most likely word. Each then says of every bit what it would be by its partner, and the mean of this
    replaces the LLRs, until they hardly change. The decision is their signs; if it is no codeword, the frame
    is counted as uncertified. The work of a frame is the number of words of order 1 that were decoded.

    Args:
        code: A Reed-Muller code of order 1 or more, its bits in any order that is affine in the point.
        channel: Not used: LLRs are enough.
        iterations: Most rounds at each level; by default ceil(m / 2), with the m of the level.
        theta: A round is the last if it changes no LLR by more than this share, 0 or more.

    Raises:
        ValueError: If the code is no Reed-Muller code or has too many projections, or an option is out of
            range.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("rpa", fecnn.reed_muller(2, 4))
        >>> decode(np.float32([-0.5, 1, 2, 1, 3, 1, 1, 2, 1, 2, 1, 1, 3, 2, 1, 2])).any()
        np.False_
    """
    m, r = order_of(code)
    if iterations is not None and whole("iterations", iterations) < 1:
        raise ValueError(f"iterations must be 1 or more, got {iterations}")
    if not real("theta", theta) >= 0:
        raise ValueError(f"theta must be 0 or more, got {theta}")

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out, work = np.empty(llr.shape, np.uint8), np.empty(len(llr), np.int64)
        chunk = max(1, VALUES // (projections(m, r) << (m - r + 1)))
        for first in range(0, len(llr), chunk):
            rows = slice(first, first + chunk)
            bits, work[rows] = _decoded(np.ascontiguousarray(llr[rows].T), r, iterations, np.float32(theta))
            out[rows] = bits.T
        wrong: NDArray[np.bool_] = np.asarray(code.syndrome(out).any(axis=1))
        return out, Effort(work, wrong)

    return Measured(measure)


def order_of(code: Code) -> tuple[int, int]:
    """The m and the order r of a Reed-Muller code of length 2^m.

    Raises:
        ValueError: If it is none, or one of order 0, or with more projections than `MOST_PROJECTIONS`.
    """
    m = code.n.bit_length() - 1
    sizes = [sum(math.comb(m, i) for i in range(r + 1)) for r in range(m + 1)]
    r = sizes.index(code.k) if code.n == 1 << m and code.k in sizes else 0
    if r < 1 or reed_muller(r, m).syndrome(code.G).any():
        raise ValueError(f"{code.name} is no Reed-Muller code of order 1 or more; use osd")
    if projections(m, r) > MOST_PROJECTIONS:
        raise ValueError(
            f"{code.name} has {projections(m, r):,} projections to order 1, more than {MOST_PROJECTIONS:,}; "
            "use aed"
        )
    return m, r


def projections(m: int, r: int) -> int:
    """How many codes of order 1 a word of RM(r, m) is projected to in a round."""
    return math.prod(2**size - 1 for size in range(m, m - r + 1, -1))


class _Pairs(NamedTuple):
    """The pairs z, z + b of all directions b = 1, 2, ..., 2^m - 1.

    first: (2^m - 1, 2^(m - 1)) i8; the z of each pair, in the order of the shorter code's points.
    pair: (2^m - 1, 2^m) i8; the pair that each point is in.
    """

    first: NDArray[np.int64]
    pair: NDArray[np.int64]


@lru_cache(maxsize=16)
def _pairs(m: int) -> _Pairs:
    points = np.arange(2**m)
    first, pair = [], []
    for b in range(1, 2**m):
        top = b.bit_length() - 1  # a pair has one point without this coordinate, which is then left out
        without = points[points >> top & 1 == 0]
        first.append(without)
        lower = np.where(points >> top & 1, points ^ b, points)
        pair.append((lower & (2**top - 1)) | (lower >> (top + 1) << top))
    return _Pairs(np.array(first), np.array(pair))


def _decoded(llr: LLR, r: int, iterations: int | None, theta: np.float32) -> tuple[Bits, NDArray[np.int64]]:
    """Decisions (n, L) on the columns of LLRs (n, L), and how many words of order 1 each took."""
    n, columns = llr.shape
    if r == 1:
        return _first_order(llr), np.ones(columns, np.int64)
    m = n.bit_length() - 1
    first, pair = _pairs(m)
    partner = first ^ np.arange(1, n)[:, None]
    out, work, active = llr.copy(), np.zeros(columns, np.int64), np.arange(columns)
    for _ in range(iterations or -(-m // 2)):
        now = np.ascontiguousarray(out[:, active])
        sums = _box_plus(now[first], now[partner])  # (n - 1, n / 2, L)
        shorter = np.ascontiguousarray(sums.transpose(1, 0, 2)).reshape(n // 2, -1)
        words, used = _decoded(shorter, r - 1, iterations, theta)
        work[active] += used.reshape(n - 1, -1).sum(axis=0)
        words = words.reshape(n // 2, n - 1, -1)
        mean = np.zeros_like(now)
        for b in range(1, n):
            there = now[np.arange(n) ^ b]
            mean += np.where(words[pair[b - 1], b - 1], -there, there)
        mean /= np.float32(n - 1)
        out[:, active] = mean
        active = active[(np.abs(mean - now) > theta * np.abs(now)).any(axis=0)]
        if not len(active):
            break
    return (out < 0).view(np.uint8), work


def _box_plus(a: LLR, b: LLR) -> LLR:
    """The LLR of a sum of bits: ln (1 + e^(a + b)) / (e^a + e^b)."""
    least = np.sign(a) * np.sign(b) * np.minimum(np.abs(a), np.abs(b))
    found: LLR = least + np.log1p(np.exp(-np.abs(a + b))) - np.log1p(np.exp(-np.abs(a - b)))
    return found


def _first_order(llr: LLR) -> Bits:
    """The most likely words of RM(1, m), (n, L), by the fast Hadamard transform of LLRs (n, L)."""
    n = len(llr)
    found = llr
    half = 1
    while half < n:
        parts = found.reshape(n // (2 * half), 2, half, -1)
        found = np.stack([parts[:, 0] + parts[:, 1], parts[:, 0] - parts[:, 1]], axis=1)
        half *= 2
    found = found.reshape(n, -1)
    best = np.abs(found).argmax(axis=0)
    negative = found[best, np.arange(found.shape[1])] < 0
    words: Bits = _linear(n)[:, best] ^ negative.view(np.uint8)
    return words


@lru_cache(maxsize=16)
def _linear(n: int) -> Bits:
    """(n, n): the value of each linear function at each point."""
    points = np.arange(n, dtype=np.uint64)
    return (gf2.weights((points[:, None] & points).reshape(-1, 1)) & 1).astype(np.uint8).reshape(n, n)


def rpa_cost(
    code: Code, work: float | None = None, *, iterations: int | None = None, theta: float = 0.05
) -> Cost:
    """``work`` words of order 1; by default those of one round at each level.

    Such a word, of length N, takes N log2 N additions and N comparisons; each of its LLRs 4 exponentials and
    logarithms, 4 additions and a comparison; and each of its 2 N partners an addition. What levels between
    the first and the last take is not counted.
    """
    m, r = order_of(code)
    short = m - r + 1
    N = 1 << short
    project = int(r > 1)
    word = Cost(
        additions=N * short + project * (4 * N + 2 * N),
        comparisons=N + project * N,
        exponentials=project * 4 * N,
        memory_bits=REAL * N,
    )
    return word.times(projections(m, r) if work is None else work)


RPA = BuiltIn(
    rpa,
    cost=rpa_cost,
    cites="Ye and Abbe, IEEE Trans. IT 66(8), 2020",
    reach="Reed-Muller codes",
    example=Example("rm-32-16", 2.0),
    unit="words",
)
