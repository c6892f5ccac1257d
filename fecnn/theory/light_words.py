"""Bounds on the BLER of maximum likelihood for codes whose weight spectrum is not known whole.

- ``kat_of_words``: a lower bound from any codewords, by how much each two of them have in common.
- ``most_union``: an upper bound on the union bound, over all spectra that fit what is known of the code.
"""

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

from fecnn.arrays import Bits
from fecnn.channels.channel import noise_sigma
from fecnn.codes import gf2
from fecnn.codes.automorphism import translations
from fecnn.codes.code import Code, per_code
from fecnn.codes.low_weight import light_words
from fecnn.theory.bounds import log_both
from fecnn.theory.kernels import add_company

Reals = NDArray[np.float64]

MAX_PAIRED = 1 << 14
"""Most words of which each two are compared if no automorphisms are known."""

MAX_LENGTH = 256
"""Longest code whose possible spectra are searched."""

MAX_PIVOTS = 2000
"""Steps after which the search for the worst spectrum ends; its bound holds at every step."""

ENOUGH = Decimal("1e-7")
"""The search ends when a step improves the bound by less than this share of it."""

PAIR_MARGIN = 1e-4
"""Relative error granted to the probability of two words, an integral that ends at e^-10 of it or less."""

ROUNDING = Fraction(1, 10**12)
"""Relative error granted to the probability of a word."""


def log_alone(n: int, rate: float, ebn0_db: float) -> Reals:
    """Logarithm of the probability that a word of each weight, 0 to n, beats the sent word: (n + 1,)."""
    return np.asarray(scipy.special.log_ndtr(-np.sqrt(np.arange(n + 1)) / noise_sigma(ebn0_db, rate)))


def kat_of_words(code: Code, words: Bits, ebn0_db: float) -> float:
    """Lower bound on the BLER of ML from some of a code's words, using each two of them.

    An error occurs at least where one of these words beats the sent one. The probability of that union has
    the bound of Kuai, Alajaji and Takahara ("A lower bound on the probability of a finite union of events",
    2000). Of the sets of all given words up to some weight, the best is used.

    Args:
        code: Any code.
        words: Distinct nonzero codewords, (N, n) bits, ordered by weight. At least the first 2**14 are used,
            and more if known automorphisms map the words onto each other.
        ebn0_db: Eb/N0 in dB per information bit.

    Example:
        >>> import fecnn
        >>> from fecnn.codes.low_weight import low_weight_words
        >>> code = fecnn.hamming(3)
        >>> print(f"{kat_of_words(code, low_weight_words(code).words, 6.0):.3g}")
        0.000757
    """
    words, chosen, sizes = _orbits(code, words)
    weights, kinds = np.unique(words.sum(axis=1), return_inverse=True)
    log_p = log_alone(code.n, code.rate, ebn0_db)[weights]
    distance = np.sqrt(weights) / noise_sigma(ebn0_db, code.rate)
    size = np.sqrt(weights[:, None] * weights)
    ratio = np.zeros((len(weights), len(weights), code.n + 1))
    for common in range(int(weights[-1]) + 1):
        # No two words of a code have more in common than the lighter one, nor all of two equal ones.
        correlation = np.minimum(common / size, 1.0)
        log_pair = log_both(distance, correlation)
        log_pair = np.maximum(log_pair, log_pair.T) + PAIR_MARGIN
        ratio[:, :, common] = np.exp(log_pair - log_p[:, None])
    company = np.zeros((len(chosen), len(weights)))
    add_company(gf2.pack(words), chosen, kinds.astype(np.int64), ratio, company)
    company = 1 + np.cumsum(company, axis=1)
    whole = np.floor(company)
    # The bound's term: 1/x, interpolated linearly between whole numbers.
    share = 1 / whole - (company - whole) / (whole * (whole + 1))
    log_term = log_p[kinds[chosen]] + np.log(sizes)
    ends = np.searchsorted(kinds[chosen], np.arange(len(weights)), "right")
    best = max(
        float(scipy.special.logsumexp(log_term[:end], b=share[:end, last])) for last, end in enumerate(ends)
    )
    return math.exp(best)


def _orbits(code: Code, words: Bits) -> tuple[Bits, NDArray[np.int64], NDArray[np.int64]]:
    """The words to compare, the place of one word of each orbit under known automorphisms, and orbits' sizes.

    Words of one orbit have the same company. Where the words are not all images of each other, or there are
    too many orbits, each of the first words is an orbit of its own.
    """
    place = {row.tobytes(): i for i, row in enumerate(np.packbits(words, axis=1))}
    first, second = [], []
    for move in translations(code):
        moved = np.empty_like(words)
        moved[:, move] = words
        images = [place.get(row.tobytes(), -1) for row in np.packbits(moved, axis=1)]
        first.append(np.arange(len(words)))
        second.append(np.array(images))
    if first and min(images.min() for images in second) >= 0:
        edges = np.concatenate(first), np.concatenate(second)
        graph = scipy.sparse.coo_array((np.ones(len(edges[0])), edges), shape=(len(words),) * 2)
        _, orbit = scipy.sparse.csgraph.connected_components(graph, directed=False)
        _, chosen, sizes = np.unique(orbit, return_index=True, return_counts=True)
        if len(chosen) * len(words) <= MAX_PAIRED**2:
            order = np.argsort(chosen)
            return words, chosen[order], sizes[order]
    words = words[:MAX_PAIRED]
    return words, np.arange(len(words)), np.ones(len(words), np.int64)


def most_union(code: Code, ebn0_db: float, *, bits: bool = False) -> float:
    """Upper bound on the BLER of ML: the largest union bound of any spectrum that the code can have.

    With ``bits`` it is one on the bit error rate over code bits: each word counts by its share of ones.

    Known are all words of the code and of its dual up to some weight (`light_words`), some heavier ones, and
    the weights that divisibility by 2 or 4 and an all-ones word exclude. Of the spectra that fit these and
    the MacWilliams identities (1963), linear programming finds the worst (Delsarte 1973). The simplex method
    runs in decimals of many digits. Its multipliers prove the bound by weak duality, which is computed
    exactly in fractions, so rounding and an early end only loosen the bound.

    Args:
        code: A code of length at most 256; for longer ones the bound is 1.
        ebn0_db: Eb/N0 in dB per information bit.
        bits: Whether to bound the bit error rate.

    Raises:
        ValueError: If the stated minimum distance is false.

    Example:
        >>> import fecnn
        >>> print(f"{most_union(fecnn.load_code('bch-31-21'), 6.0):.3g}")  # its union bound
        2.57e-05
    """
    if code.n > MAX_LENGTH:
        return 1.0
    alone = [Fraction(p) * (1 + ROUNDING) for p in np.exp(log_alone(code.n, code.rate, ebn0_db)).tolist()]
    alone[0] = Fraction(0)
    if bits:
        alone = [p * Fraction(weight, code.n) for weight, p in enumerate(alone)]
    return min(1.0, float(_worst(code, alone)))


@dataclass(frozen=True)
class _Counts:
    """What is known of a spectrum.

    least: (n + 1,) the number of words of each weight that there are at least.
    open: The weights of which there may be more.
    """

    least: tuple[int, ...]
    open: tuple[int, ...]


@per_code
def _counts(code: Code) -> tuple[_Counts, _Counts]:
    """What is known of the spectra of a code and of its dual."""
    n = code.n
    if code.k == n:
        return _known(code), _Counts((1,) + (0,) * n, ())
    return _known(code), _known(code.dual)


def _known(code: Code) -> _Counts:
    n, found = code.n, light_words(code)
    least = np.bincount(found.words.sum(axis=1), minlength=n + 1).tolist()
    least[0] = 1
    step, mirrored = _divisor(code), not code.syndrome(np.ones(n, np.uint8)).any()
    if mirrored:  # the complement of each word is another
        least = [max(pair) for pair in zip(least, least[::-1], strict=True)]

    def shut(weight: int) -> bool:
        return weight <= found.complete or weight % step > 0

    still = (w for w in range(n + 1) if not shut(w) and not (mirrored and shut(n - w)))
    return _Counts(tuple(least), tuple(still))


def _divisor(code: Code) -> int:
    """A number that divides all weights: 4 or 2 if that is so, else 1."""
    weights = code.G.sum(axis=1, dtype=np.int64)
    common = code.G.astype(np.int64) @ code.G.T
    if not (weights % 4).any() and not (common % 2).any():
        return 4
    return 1 if (weights % 2).any() else 2


@lru_cache(maxsize=8)
def _krawtchouk(n: int) -> list[list[int]]:
    """K_j(w), row j and column w: the coefficient of z^j in (1 - z)^w (1 + z)^(n - w)."""
    columns = []
    for w in range(n + 1):
        row = [1]
        for step in range(n):
            sign = -1 if step < w else 1
            row = [a + sign * b for a, b in zip([*row, 0], [0, *row], strict=True)]
        columns.append(row)
    return [list(row) for row in zip(*columns, strict=True)]


def _worst(code: Code, cost: list[Fraction]) -> Fraction:
    """Upper bound on the sum over words of the cost of their weight, (n + 1) costs of 0 or more.

    Multipliers y_j make a polynomial f(w) = sum of y_j K_j(w). Over all words, f sums to 2^k sum of y_j B_j,
    where B is the spectrum of the dual. So if f is at least the cost at all open weights and y_j is at most 0
    at all open weights of the dual, this sum and what is known of both spectra bound the cost from above.
    """
    n, k = code.n, code.k
    own, dual = _counts(code)
    K = _krawtchouk(n)
    given = sum((cost[w] * own.least[w] for w in range(n + 1)), Fraction(0))
    if not own.open:
        return given
    gain = [
        2**k * dual.least[j] - sum(a * K[j][w] for w, a in enumerate(own.least) if a) for j in range(n + 1)
    ]
    # In an even code, K_(n - j) and K_j are equal at all weights.
    even = not any(w % 2 for w, a in enumerate(own.least) if a or w in own.open)
    used = range(n // 2 + 1) if even else range(n + 1)
    with localcontext() as context:
        context.prec = 2 * n + 100
        program = _Program(
            np.array([[Decimal(K[j][w]) / Decimal(math.comb(n, j)).sqrt() for j in used] for w in own.open]),
            np.array([Decimal(gain[j]) / Decimal(math.comb(n, j)).sqrt() for j in used]),
            np.array([Decimal(cost[w].numerator) / cost[w].denominator for w in own.open]),
            np.array([j not in dual.open for j in used]),
            Decimal(10) ** -(n + 50),
        )
        program.solve(Decimal(given.numerator) / given.denominator)
        scaled = program.solution()
        y = [Fraction(value / Decimal(math.comb(n, j)).sqrt()) for j, value in zip(used, scaled, strict=True)]
    y = [min(value, Fraction(0)) if j in dual.open else value for j, value in zip(used, y, strict=True)]
    bound = given + sum((value * gain[j] for j, value in zip(used, y, strict=True)), Fraction(0))
    # Where rounding has left f below the cost, all words that there can be are charged.
    for w in own.open:
        f = sum((value * K[j][w] for j, value in zip(used, y, strict=True)), Fraction(0))
        bound += max(Fraction(0), cost[w] - f) * min(2**k, math.comb(n, w))
    return bound


class _Program:
    """Minimise gain @ y subject to rows @ y >= cost and y <= 0 where not free, by the simplex method.

    The first row entry of y must be free and have the same positive coefficient in all rows. Of all pivots,
    the one that improves the objective most is taken, so that scales do not matter.

    Args:
        rows: (m, N) decimals.
        gain: (N,) decimals.
        cost: (m,) decimals, 0 or more.
        free: (N,) bool.
        tiny: Coefficients up to this size are taken as 0.
    """

    def __init__(
        self,
        rows: NDArray[np.object_],
        gain: NDArray[np.object_],
        cost: NDArray[np.object_],
        free: NDArray[np.bool_],
        tiny: Decimal,
    ) -> None:
        # All variables but the free ones are to be 0 or more; those up to N are y, the others slacks.
        self._sign = np.where(free, 1, -1)
        self._table, self._gain, self._level = rows * self._sign, gain * self._sign, -cost
        self._inside, self._outside = np.arange(len(cost)) + len(gain), np.arange(len(gain))
        self._free = np.concatenate([free, np.zeros(len(cost), bool)])
        self._value, self._tiny = Decimal(0), tiny
        self._pivot(int(self._level.argmin()), 0)

    def solve(self, given: Decimal) -> None:
        """Pivot until the objective plus ``given`` hardly improves."""
        for _ in range(MAX_PIVOTS):
            improvement, row, column = max(
                (self._step(column) for column in range(len(self._gain))), key=lambda step: step[0]
            )
            if improvement <= ENOUGH * (self._value + given):
                return
            self._pivot(row, column)

    def solution(self) -> list[Decimal]:
        """The present y."""
        y = [Decimal(0)] * len(self._sign)
        for place, variable in enumerate(self._inside):
            if variable < len(y):
                y[variable] = self._level[place] * int(self._sign[variable])
        return y

    def _step(self, column: int) -> tuple[Decimal, int, int]:
        """How much moving one variable improves the objective, and the row that ends it."""
        slope = self._gain[column]
        if abs(slope) <= self._tiny or (slope > 0 and not self._free[self._outside[column]]):
            return Decimal(0), 0, column
        falls = self._table[:, column] if slope > 0 else -self._table[:, column]
        ends = np.flatnonzero((falls > self._tiny) & ~self._free[self._inside])
        if not len(ends):  # only if what is stated of the code is false: the bound at hand is as good
            return Decimal(0), 0, column
        steps = self._level[ends] / falls[ends]
        first = int(steps.argmin())
        return abs(slope) * steps[first], int(ends[first]), column

    def _pivot(self, row: int, column: int) -> None:
        """Exchange the variable of a row with that of a column."""
        pivot = self._table[row, column]
        entering = -self._table[row] / pivot
        entering[column] = 1 / pivot
        level = -self._level[row] / pivot
        through, slope = self._table[:, column].copy(), self._gain[column]
        self._table += np.outer(through, entering)
        self._table[:, column] = through * entering[column]
        self._table[row] = entering
        self._level = self._level + through * level
        self._level[row] = level
        self._gain = self._gain + slope * entering
        self._gain[column] = slope * entering[column]
        self._value += slope * level
        self._inside[row], self._outside[column] = self._outside[column], self._inside[row]
