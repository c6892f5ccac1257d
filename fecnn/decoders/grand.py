"""Guessing random additive noise decoding (GRAND): tries error patterns, for any code with few checks."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.contract import Decoder, Effort, Lister, Measured, SoftDecoder, discrepancy
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.kernels import grand as kernel
from fecnn.decoders.registry import BuiltIn, Example

MAX_STORED = 1 << 22
"""Most queries of `sgrand`, which keeps its patterns."""

MAX_LIST = 4096
"""Most words listed for soft output."""


def grand(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    queries: int = 1 << 20,
    risk: float | None = None,
) -> Decoder:
    """Hard-decision maximum likelihood by guessing the noise.

    Duffy, Li and Médard, IEEE Trans. IT 65(7), 2019. Error patterns are tried in order of increasing number
    of flips until one gives a codeword: about 2**(n - k) of them on a bad frame. A frame that exhausts its
    queries keeps its hard decision and is counted as uncertified. The work of a frame is its queries.

    Args:
        code: Any code; practical for n - k below about 30.
        channel: Not used; but with a risk, the LLRs must be true ones, not scaled.
        queries: Most patterns tried per frame, 1 or more; the first is the one without flips.
        risk: Refuse a decision that is wrong with more than this probability, 0 to 1, as predicted from the
            probabilities of the patterns tried (Galligan, Yuan, Médard and Duffy, GLOBECOM 2023). With 1 none
            is refused. `decode.measure` has the log-odds that the decision is right as its margin, -inf
            where none was found. They hold on average over random codes; a code of large minimum distance
            errs less than predicted. None: nothing is predicted.

    Raises:
        ValueError: If queries is below 1, or the risk is not in 0..1.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("grand", fecnn.hamming(3))
        >>> bits, effort = decode.measure(np.float32([1, 1, -1, 1, 1, 1, 1]))
        >>> int(bits.sum()), int(effort.work)
        (0, 4)
    """
    return _decoder(_Search(code, queries, "weight"), risk)


def orbgrand(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    lines: int = 0,
    queries: int = 1 << 20,
    risk: float | None = None,
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
        channel: Not used; but with a risk, the LLRs must be true ones, not scaled.
        lines: 0 for the basic one, 1 for a line with an intercept, which is closer to ML where the least
            reliable bits are not very unreliable.
        queries: Most patterns tried per frame, 1 or more; the first is the one without flips.
        risk: As for `grand`.

    Raises:
        ValueError: If queries is below 1, lines is not 0 or 1, or the risk is not in 0..1.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("orbgrand", fecnn.hamming(3), risk=0.01)
        >>> bits, effort = decode.measure(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        >>> int(bits.sum()), int(effort.work), bool(effort.refused)
        (0, 2, True)
        >>> print(f"wrong with probability {1 / (1 + np.exp(effort.margin)):.3f}")
        wrong with probability 0.197
    """
    return _decoder(_Search(code, queries, _order(lines)), risk)


def sgrand(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    queries: int = 1 << 16,
    risk: float | None = None,
) -> Decoder:
    """Soft GRAND: maximum likelihood by guessing the noise, the likeliest first.

    Solomon, Duffy and Médard, ICC 2020. Error patterns are tried in order of their cost, the sum of abs(llr)
    over the flipped bits, until one gives a codeword: a most likely one. A frame that exhausts its queries
    keeps its hard decision and is counted as uncertified. The work of a frame is its queries. No order needs
    fewer on average, but each takes more time than one of `orbgrand`.

    Args:
        code: Any code; practical for n - k below about 20.
        channel: Not used; but with a risk, the LLRs must be true ones, not scaled.
        queries: Most patterns tried per frame, 1 to 2**22; the first is the one without flips. Memory for as
            many is reserved: up to 80 bytes each, and more if n - k exceeds 64.
        risk: As for `grand`.

    Raises:
        ValueError: If queries is out of range, or the risk is not in 0..1.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("sgrand", fecnn.hamming(3))
        >>> bits, effort = decode.measure(np.float32([2, 3, -0.1, 4, 1, 2, 3]))
        >>> int(bits.sum()), int(effort.work)
        (0, 2)
    """
    return _decoder(_Search(code, queries, "cost"), risk)


def grand_list(
    code: Code, channel: Channel | None = None, /, *, list: int = 8, queries: int = 1 << 20
) -> Lister:
    """The first codewords that `grand` comes to: those nearest to the hard decision.

    Fewer if the queries run out before. It is an exact list by Hamming distance, of equals by position, but
    not by likelihood.

    Args:
        code: As for `grand`.
        channel: Not used.
        list: Number of words.
        queries: As for `grand`; for the whole list.

    Raises:
        ValueError: As for `grand`.
    """
    return _lister(_Search(code, queries, "weight"), list)


def orbgrand_list(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 8,
    lines: int = 0,
    queries: int = 1 << 20,
) -> Lister:
    """The first codewords that `orbgrand` comes to; fewer if the queries run out before.

    The list is not exact: words come about in order of likelihood. So its best word may be likelier than the
    decision of `orbgrand`, which is the first one.

    Args:
        code: As for `orbgrand`.
        channel: Not used.
        list: Number of words.
        lines: As for `orbgrand`.
        queries: As for `orbgrand`; for the whole list.

    Raises:
        ValueError: As for `orbgrand`.
    """
    return _lister(_Search(code, queries, _order(lines)), list)


def sgrand_list(
    code: Code, channel: Channel | None = None, /, *, list: int = 8, queries: int = 1 << 16
) -> Lister:
    """The most likely codewords, exactly; if the queries run out before, those of them that were found.

    Args:
        code: As for `sgrand`.
        channel: Not used.
        list: Number of words.
        queries: As for `sgrand`; for the whole list.

    Raises:
        ValueError: As for `sgrand`.
    """
    return _lister(_Search(code, queries, "cost"), list)


def grand_app(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 4,
    queries: int = 1 << 20,
    miss: float = 1e-5,
) -> SoftDecoder:
    """A-posteriori LLRs from the list of `grand` and what it left untried, as `orbgrand_app` makes them.

    Args:
        code: As for `grand`.
        channel: Not used; but the LLRs must be true ones, not scaled.
        list: As for `orbgrand_app`.
        queries: As for `grand`; for the whole list.
        miss: As for `orbgrand_app`.

    Raises:
        ValueError: As for `orbgrand_app`.
    """
    return _soft(_Search(code, queries, "weight"), list, miss)


def orbgrand_app(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 4,
    lines: int = 0,
    queries: int = 1 << 20,
    miss: float = 1e-5,
) -> SoftDecoder:
    """Soft-output GRAND, SOGRAND (Yuan, Médard, Galligan and Duffy, IEEE Trans. Wireless Commun., 2025).

    The a-posteriori LLR of a bit comes from the words of the list, each with its probability, and from the
    chance that the sent word is not among them, where the bit is as the channel has it. That chance is the
    probability of the patterns that were not tried times the share of codewords among them, (2^k - listed) of
    (2^n - tried), as if the code were random. Where all words have even weight, only patterns of the parity
    of the hard decision count, half as many. If the list holds all codewords, the LLRs are those of
    ``map``. A frame without any codeword keeps its LLRs.

    Args:
        code: As for `orbgrand`.
        channel: Not used; but the LLRs must be true ones, not scaled.
        list: Most words listed, 1 to 4096.
        lines: As for `orbgrand`.
        queries: As for `orbgrand`; for the whole list.
        miss: The search also ends once the sent word is not in the list with less than this probability,
            which is looked at after each word and every 64 queries; 0 to 1. With 0 it does not.

    Raises:
        ValueError: As for `orbgrand`, and if the list or ``miss`` is out of range.

    Example:
        >>> import fecnn
        >>> app = fecnn.soft_decoder("orbgrand", fecnn.repetition(3))
        >>> app(np.float32([1, 2, -0.5]))
        array([2.5, 2.5, 2.5], dtype=float32)
    """
    return _soft(_Search(code, queries, _order(lines)), list, miss)


def sgrand_app(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 4,
    queries: int = 1 << 16,
    miss: float = 1e-5,
) -> SoftDecoder:
    """A-posteriori LLRs from the list of `sgrand` and what it left untried, as `orbgrand_app` makes them.

    Args:
        code: As for `sgrand`.
        channel: Not used; but the LLRs must be true ones, not scaled.
        list: As for `orbgrand_app`.
        queries: As for `sgrand`; for the whole list.
        miss: As for `orbgrand_app`.

    Raises:
        ValueError: As for `orbgrand_app`.
    """
    return _soft(_Search(code, queries, "cost"), list, miss)


def _order(lines: int) -> str:
    if isinstance(lines, bool) or lines not in (0, 1):
        raise ValueError(f"lines must be 0 or 1, got {lines!r}")
    return "line" if lines else "rank"


@dataclass(frozen=True)
class _Found:
    """The words of some frames, and what was not tried.

    words, held: (B, L, n), and which of them there are, (B, L).
    used: (B,) patterns tried.
    log_words: (B, L) float64, log-probabilities of the patterns of the words; -inf where there is none.
    log_rest: (B,) float64, the same of all codewords that are not listed, as if the code were random.
    """

    words: Bits
    held: NDArray[np.bool_]
    used: NDArray[np.int64]
    log_words: NDArray[np.float64]
    log_rest: NDArray[np.float64]


class _Search:
    """A search of error patterns in one order: by weight, by rank, by rank with a line, or by cost."""

    def __init__(self, code: Code, queries: int, order: str) -> None:
        most = MAX_STORED if order == "cost" else None
        if not isinstance(queries, int) or not 1 <= queries <= (most or queries):
            raise ValueError(f"queries must be {f'in 1..{most}' if most else '1 or more'}, got {queries!r}")
        self._columns, self._queries, self._order = code.parity_columns, queries, order
        even = not (code.G.sum(axis=1) % 2).any()
        allowed = code.n - even
        self._rules = (float(even), 0.0, 2.0**-code.k, 2.0**-allowed, 2.0 ** (code.k - allowed))

    def first(self, llr: LLR) -> tuple[Bits, Effort]:
        """The first codeword of each frame, or its hard decision."""
        out = np.empty(llr.shape, np.uint8)
        used, found = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
        if self._order == "cost":
            kernel.sgrand(llr, self._columns, self._queries, out, used, found)
        else:
            ranked, line = self._order != "weight", self._order == "line"
            kernel.grand(llr, self._columns, self._queries, ranked, line, out, used, found)
        return out, Effort(used, ~found)

    def several(self, llr: LLR, size: int, miss: float = 0.0) -> _Found:
        """The first codewords of each frame, up to ``size``, or until another is the sent one by ``miss``."""
        words, count = np.empty((len(llr), size, llr.shape[1]), np.uint8), np.empty(len(llr), np.int64)
        used, rest, density = np.empty_like(count), np.empty(len(llr)), np.empty(len(llr))
        rules = np.array(self._rules)
        rules[1] = miss
        out = (rules, words, count, used, rest, density)
        if self._order == "cost":
            kernel.sgrand_list(llr, self._columns, self._queries, *out)
        else:
            ranked, line = self._order != "weight", self._order == "line"
            kernel.grand_list(llr, self._columns, self._queries, ranked, line, *out)
        held = np.arange(size) < count[:, None]
        none = -np.logaddexp(0.0, -np.abs(llr.astype(np.float64))).sum(axis=1)  # log-probability of no flip
        log_words = np.where(held, none[:, None] - discrepancy(llr[:, None], words), -np.inf)
        with np.errstate(divide="ignore"):
            # What is lost in rounding is taken to be as likely as the least likely word.
            least = np.where(held, log_words, np.inf).min(axis=1)
            log_rest = np.where((rest > 0) | (count == 0), np.log(rest), least) + np.log(density)
        return _Found(words, held, used, log_words, log_rest)


def _decoder(search: _Search, risk: float | None) -> Decoder:
    if risk is None:
        return Measured(search.first)
    if not 0 <= risk <= 1:
        raise ValueError(f"risk must be a probability, 0 to 1, got {risk}")
    with np.errstate(divide="ignore"):
        least = np.log1p(-risk) - np.log(risk)

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        found = search.several(llr, 1)
        with np.errstate(invalid="ignore"):
            odds = np.where(found.held[:, 0], found.log_words[:, 0] - found.log_rest, -np.inf)
        margin, refused = odds.astype(np.float32), odds < least
        return found.words[:, 0].copy(), Effort(found.used, ~found.held[:, 0], refused, margin)

    return Measured(measure)


def _lister(search: _Search, size: int) -> Lister:
    def lister(llr: LLR) -> tuple[Bits, NDArray[np.bool_]]:
        found = search.several(llr, size)
        return found.words, found.held

    return lister


def _soft(search: _Search, size: int, miss: float) -> SoftDecoder:
    if not isinstance(size, int) or not 1 <= size <= MAX_LIST:
        raise ValueError(f"list must be in 1..{MAX_LIST} words, got {size!r}")
    if not 0 <= miss <= 1:
        raise ValueError(f"miss must be a probability, 0 to 1, got {miss}")

    def app(llr: LLR) -> LLR:
        found = search.several(llr, size, miss)
        channel, value = llr.astype(np.float64), []
        for bit in (0, 1):
            among = np.where(found.words == bit, found.log_words[:, :, None], -np.inf)
            prior = -np.logaddexp(0.0, -channel if bit == 0 else channel)  # log-probability of this bit
            outside = found.log_rest[:, None] + prior
            value.append(np.logaddexp(np.logaddexp.reduce(among, axis=1), outside))
        with np.errstate(invalid="ignore"):  # where nothing was found, and all is lost in rounding
            soft: LLR = (value[0] - value[1]).astype(np.float32)
        lost = ~found.held[:, 0]
        soft[lost] = llr[lost]
        return soft

    return app


def grand_cost(code: Code, work: float | None = None, *, risk: float | None = None, **_: Any) -> Cost:
    """Guessing the noise: a syndrome, then n - k exclusive ors and a comparison per query.

    With a risk, also two multiplications and an addition per query, for the probability of what was tried;
    and for that of all patterns an exponential, six multiplications and four additions per bit.

    Raises:
        ValueError: If the work is not given.
    """
    if work is None:
        raise ValueError("guessing costs what the noise demands: give the measured work, queries per frame")
    checks = code.n - code.k
    first = Cost(comparisons=code.n, binary=int(code.H.sum()), memory_bits=checks + code.n)
    asked = first + Cost(comparisons=1, binary=checks).times(work)
    if risk is None:
        return asked
    every = Cost(exponentials=1, multiplications=6, additions=4).times(code.n)
    return asked + every + Cost(multiplications=2, additions=1).times(work)


def orbgrand_cost(
    code: Code, work: float | None = None, *, lines: int = 0, risk: float | None = None, **_: Any
) -> Cost:
    """`grand` in order of reliability: n log2 n comparisons first, and an addition per query.

    A line takes two additions, a multiplication, a division and a comparison more.

    Raises:
        ValueError: If the work is not given.
    """
    asked = grand_cost(code, work, risk=risk)
    sort = Cost(comparisons=code.n * math.log2(code.n), memory_bits=REAL * code.n)
    line = Cost(multiplications=2, additions=2, comparisons=1).times(lines)
    return asked + sort + line + Cost(additions=1).times(work or 0)


def sgrand_cost(code: Code, work: float | None = None, *, risk: float | None = None, **_: Any) -> Cost:
    """`grand` in order of cost: n log2 n comparisons first, and two patterns put on a heap per query.

    Each is a sum of its cost and of its syndrome. Two to go on the heap and one to leave it take about
    4 log2(w) comparisons, of w queries.

    Raises:
        ValueError: If the work is not given.
    """
    asked = grand_cost(code, work, risk=risk)
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
    soft=grand_app,
    lister=grand_list,
    unit="queries",
)
ORBGRAND = BuiltIn(
    orbgrand,
    cost=orbgrand_cost,
    cites="Duffy, An and Médard, IEEE Trans. SP 70, 2022",
    reach="any code, within a budget of queries",
    example=Example("bch-63-45", 4.0),
    soft=orbgrand_app,
    lister=orbgrand_list,
    unit="queries",
)
SGRAND = BuiltIn(
    sgrand,
    cost=sgrand_cost,
    cites="Solomon, Duffy and Médard, ICC 2020",
    reach="any code, within a budget of queries",
    example=Example("bch-31-21", 4.0),
    soft=sgrand_app,
    lister=sgrand_list,
    unit="queries",
)
