"""Ordered-statistics decoding."""

import math
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.arrays import hard as hard_decision
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.contract import Decoder, Effort, Lister, Measured, SoftDecoder, empty_list
from fecnn.decoders.cost import REAL, Cost, basis_cost
from fecnn.decoders.kernels import cheapest, probable, whole_list, words
from fecnn.decoders.kernels import lc_osd as in_order
from fecnn.decoders.kernels import osd as kernel
from fecnn.decoders.kernels import soft_osd as soft
from fecnn.decoders.kernels.arena import Arena
from fecnn.decoders.ml import MAX_SEARCH_CHECKS, MAX_SEARCH_N, safe_distance, search_fits
from fecnn.decoders.registry import BuiltIn, Example


class Default(int):
    """An order that nobody gave: it is reduced to k where it is larger."""


def osd(
    code: Code, channel: Channel | None = None, /, *, order: int = Default(2), prune: bool = True
) -> Decoder:
    """Ordered-statistics decoding (Fossorier and Lin, IEEE Trans. IT 41(5), 1995).

    The most likely of the codewords that differ from the hard decision in at most ``order`` positions of the
    most reliable basis.

    Args:
        code: Any n.
        channel: Not used.
        order: Maximum number of flips in the most reliable basis, 0 to k (default 2, or k if smaller). At k
            this is maximum likelihood. The list grows as binomial(k, order).
        prune: Skip patterns that cannot win, by exact bounds: decisions do not change; only the cost per
            frame depends on the noise. False tries the whole list, as in a textbook.

    Raises:
        ValueError: If order is not in 0..k.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("osd", fecnn.hamming(3), order=1)
        >>> decode(np.float32([[2, 3, -0.1, 4, 1, 2, 3]]))
        array([[0, 0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    order = order_of(code, order)
    return listed(code, order, prune, -1.0)


def fs_osd(
    code: Code, channel: Channel | None = None, /, *, order: int = Default(3), z: float = 1.5
) -> Decoder:
    """OSD that skips improbable patterns, in the style of fast and scalable OSD.

    The probabilistic necessary condition of Choi and Jeong (IEEE Commun. Lett. 23(10), 2019): a pattern is
    skipped if its flips, plus the average cost of the parity positions of the *right* pattern, cost more than
    the best pattern so far. Here the average comes from the frame's own reliabilities, less ``z`` standard
    deviations.

    Args:
        code: Any n.
        channel: Not used; but the LLRs must be true ones, not scaled.
        order: As for `osd`, but 3 if not given.
        z: Standard deviations allowed, 0 or more: small is fast, large is `osd`.

    Raises:
        ValueError: If order is not in 0..k or z is negative.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("fs-osd", fecnn.hamming(3), order=1)
        >>> decode(np.float32([[2, 3, -0.1, 4, 1, 2, 3]]))
        array([[0, 0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    order = order_of(code, order)
    if not z >= 0:
        raise ValueError(f"z must be 0 or more standard deviations, got {z!r}; without the rule use osd")
    return listed(code, order, True, z)


def pb_osd(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    order: int = Default(3),
    rule: str = "fixed",
    promise: float | None = None,
    success: float | None = None,
) -> Decoder:
    """PB-OSD: OSD that stops when it is probably right and skips improbable patterns, or in its style.

    It uses the success probability of a decision and the promising probability of a pattern of Yue,
    Shirvanimoghaddam, Park, Park, Vucetic and Li (IEEE Commun. Lett. 25(6), 2021).

    ``rule="published"`` is theirs, with the thresholds of the first author's program (Yue, Probability-Based
    OSD, 2021). Let P be the probability that at most ``order`` bits of the most reliable basis are wrong,
    each with their mean probability, and N the number of patterns. A pattern is skipped if it beats the best
    so far with less than ``promise`` sqrt((1 - P) / N), the number of wrong checks taken as Gaussian. The
    list ends once a new best is right with more than ``success`` P. The work is what they count, less the
    pattern of order 0. (The program takes the k most reliable positions for the basis in P and like sums: on
    3,400 frames of three codes that changed no decision, and mean counts by up to 1.4 %.)

    ``rule="fixed"`` is ours, in the style of PB-OSD: the two probabilities are given as they are, the cost of
    the checks is taken as Gaussian, and patterns that cannot win are skipped by exact bounds too. The
    promising probability is recomputed for each number of flips.

    Args:
        code: Any n.
        channel: Not used; but the LLRs must be true ones, not scaled.
        order: As for `osd`, but 3 if not given.
        rule: "fixed" or "published".
        promise: Skip a pattern if it beats the best so far with less than this probability (1e-6 if not
            given), or of the published rule, this factor (0.001): 0 skips none that could win.
        success: End the list once the best so far is right with this probability (0.999 if not given; 1 never
            ends it early), or of the published rule, this factor (0.99).

    Raises:
        ValueError: If order is not in 0..k, the rule is not known, or a probability is out of range.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("pb-osd", fecnn.hamming(3), order=1, rule="published")
        >>> decode(np.float32([[2, 3, -0.1, 4, 1, 2, 3]]))
        array([[0, 0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    order = order_of(code, order)
    if rule not in RULES:
        raise ValueError(f"rule must be {' or '.join(map(repr, RULES))}, got {rule!r}")
    least, enough = RULES[rule]
    promise, success = least if promise is None else promise, enough if success is None else success
    if not 0 <= promise < 1:
        raise ValueError(f"promise must be a probability in [0, 1), got {promise!r}")
    if not 0 < success <= 1:
        raise ValueError(f"success must be a probability in (0, 1], got {success!r}")
    checks = code.n - code.k
    if checks == 0:
        return hard_decision
    columns, distance = words.columns_of(code.parity_columns), safe_distance(code)
    certainty, arena = min(success, 1 - 1e-300), Arena()

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out, tried = np.empty(llr.shape, np.uint8), np.empty(len(llr), np.int64)
        if rule == "published":
            arena.run(probable.published, llr, columns, checks, order, promise, success, out, tried)
        else:
            arena.run(probable.fixed, llr, columns, checks, distance, order, promise, certainty, out, tried)
        return out, Effort(tried, np.zeros(len(llr), np.bool_))

    return Measured(measure)


RULES = {"fixed": (1e-6, 0.999), "published": (0.001, 0.99)}
"""Rules of `pb_osd`, with the thresholds where none are given."""


def lc_osd(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    delta: int = 8,
    candidates: int = 16_384,
    z: float | None = None,
) -> Decoder:
    """OSD with local constraints: patterns ordered by cost instead of weight.

    Only patterns that satisfy the ``delta`` most reliable parity checks are listed, cheapest first (Wang,
    Liang and Ma, ITW 2022; Liang, Wang, Cai and Ma, IEEE Commun. Lett. 27(2), 2023). Once all further ones
    cost more than the best found, that one is maximum likelihood. A frame whose list ends earlier counts as
    uncertified.

    Args:
        code: n up to 512, n - k up to 192.
        channel: Not used.
        delta: Local constraints, 1 to 16, at most n - k are used.
        candidates: Longest list of a frame; at most 65,536 ways are remembered.
        z: If given, the other parity positions of the right pattern are expected to cost their mean less z
            standard deviations, and the list ends once further patterns cannot win at that cost. The LLRs
            must be true ones then, not scaled.

    Raises:
        ValueError: If an option is out of range, or the code is too large.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("lc-osd", fecnn.hamming(3), delta=2)
        >>> decode(np.float32([[2, 3, -0.1, 4, 1, 2, 3]]))
        array([[0, 0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    _check_lc_osd(code, delta, candidates, z)
    checks = code.n - code.k
    if checks == 0:
        return hard_decision
    columns, distance = words.columns_of(code.parity_columns), safe_distance(code)
    constraints, stop, arena = min(delta, checks), -1.0 if z is None else float(z), Arena()

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out = np.empty(llr.shape, np.uint8)
        tried, certain = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
        arena.run(
            in_order.lc_osd,
            llr, columns, checks, distance, constraints, candidates, stop, out, tried, certain,
        )  # fmt: skip
        return out, Effort(tried, ~certain)

    return Measured(measure)


def osd_app(code: Code, channel: Channel | None = None, /, *, order: int = Default(2)) -> SoftDecoder:
    """Max-log a-posteriori LLRs of the n code bits over the list of OSD (Fossorier and Lin, GLOBECOM 1998).

    Where every word of the list has the same bit, the other value is taken to be as unlikely as the least
    likely word of the list. The extrinsic LLR is the output less the input. Where the list nearly always
    holds the sent word, the log-odds of a bit being right are 0.8 to 1.0 |APP|; where it often does not, as
    of order 1 for extended BCH (128,64), they are only 0.1 to 0.2 |APP|.

    Args:
        code: Any n.
        channel: Not used; but the LLRs must be true ones, not scaled.
        order: Most flips, 0 to k, as for `osd`; at k this is max-log MAP.

    Raises:
        ValueError: If order is not in 0..k.

    Example:
        >>> import fecnn
        >>> app = fecnn.soft_decoder("osd", fecnn.repetition(3), order=1)
        >>> app(np.float32([1, 2, -0.5]))
        array([2.5, 2.5, 2.5], dtype=float32)
    """
    order = order_of(code, order)
    checks = code.n - code.k
    if checks == 0:
        return lambda llr: llr.copy()
    columns, arena = words.columns_of(code.parity_columns), Arena()

    def app(llr: LLR) -> LLR:
        out = np.empty(llr.shape, np.float32)
        arena.run(soft.soft_osd, llr, columns, checks, order, out)
        return out

    return app


def osd_list(
    code: Code, channel: Channel | None = None, /, *, list: int = 8, order: int = Default(2)
) -> Lister:
    """The best of the codewords that `osd` tries.

    Args:
        code: Any n.
        channel: Not used.
        list: Number of words.
        order: As for `osd`. At k the list is exact.

    Raises:
        ValueError: If order is not in 0..k.
    """
    order = order_of(code, order)
    checks, columns, arena = code.n - code.k, _columns(code), Arena()

    def lister(llr: LLR) -> tuple[Bits, NDArray[np.bool_]]:
        out, held = empty_list(llr, list)
        arena.run(cheapest.osd_list, llr, columns, checks, order, out, held)
        return out, held

    return lister


def lc_osd_list(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 8,
    delta: int = 8,
    candidates: int = 16_384,
    z: float | None = None,
) -> Lister:
    """The best of the codewords that `lc_osd` tries, once nothing that follows can be among them.

    Before them it tries the words of OSD of the least order that has enough. The list is exact unless ``z``
    is given, or the candidates or the memory for them run out, which is not reported.

    Args:
        code: As for `lc_osd`.
        channel: Not used.
        list: Number of words.
        delta: As for `lc_osd`.
        candidates: As for `lc_osd`.
        z: As for `lc_osd`.

    Raises:
        ValueError: As for `lc_osd`.
    """
    _check_lc_osd(code, delta, candidates, z)
    checks, columns = code.n - code.k, _columns(code)
    constraints, stop, arena = min(delta, checks), -1.0 if z is None else float(z), Arena()
    sizes = accumulate(math.comb(code.k, flips) for flips in range(code.k + 1))
    first = next((order for order, size in enumerate(sizes) if size >= list), code.k)

    def lister(llr: LLR) -> tuple[Bits, NDArray[np.bool_]]:
        out, held = empty_list(llr, list)
        arena.run(
            in_order.lc_osd_list,
            llr, columns, checks, constraints, candidates, stop, first, out, held,
        )  # fmt: skip
        return out, held

    return lister


def _check_lc_osd(code: Code, delta: int, candidates: int, z: float | None) -> None:
    """Reject options and codes that `lc_osd` does not take.

    Raises:
        ValueError: Saying what it takes.
    """
    if not 1 <= delta <= 16:
        raise ValueError(f"delta must be in 1..16 local constraints, got {delta!r}")
    if candidates < 1:
        raise ValueError(f"candidates must be 1 or more, got {candidates!r}")
    if z is not None and not z >= 0:
        raise ValueError(f"z must be 0 or more standard deviations, or not given, got {z!r}")
    if not search_fits(code):
        raise ValueError(
            f"lc-osd of {code.name} is out of reach: n may be up to {MAX_SEARCH_N} and n - k up to "
            f"{MAX_SEARCH_CHECKS}, here {code.n} and {code.n - code.k}; use osd"
        )


def _columns(code: Code) -> Any:
    """The columns of H as kernels take them, also where it has no rows."""
    return words.columns_of(code.parity_columns if code.n > code.k else np.zeros((code.n, 1), np.uint64))


def order_of(code: Code, order: int) -> int:
    """The order that is given, or the default as far as k allows.

    Raises:
        ValueError: If it is given and not in 0..k.
    """
    if isinstance(order, Default):
        return min(int(order), code.k)
    if not isinstance(order, int) or not 0 <= order <= code.k:
        raise ValueError(f"order must be in 0..{code.k} for {code.name}, got {order!r}")
    return order


def listed(code: Code, order: int, prune: bool, z: float) -> Decoder:
    """The OSD kernel as a decoder."""
    checks = code.n - code.k
    if checks == 0:
        return hard_decision
    columns, distance, arena = words.columns_of(code.parity_columns), safe_distance(code), Arena()

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out, tried = np.empty(llr.shape, np.uint8), np.empty(len(llr), np.int64)
        if prune:
            arena.run(kernel.osd, llr, columns, checks, distance, order, z, out, tried)
        else:
            arena.run(whole_list.osd, llr, columns, checks, order, out, tried)
        return out, Effort(tried, np.zeros(len(llr), np.bool_))

    return Measured(measure)


def osd_cost(code: Code, work: float | None = None, *, order: int = 2, **_: Any) -> Cost:
    """Ordered statistics decoding (Fossorier and Lin 1995) with ``work`` test patterns, or all of them.

    The most reliable basis and its first word (`basis_cost`). A pattern besides it, of 1 to ``order`` flips:
    n - k bits, as many price additions as half the parity bits and the order, one comparison.
    """
    n, k = code.n, code.k
    patterns = sum(math.comb(k, i) for i in range(1, order + 1)) if work is None else work
    pattern = Cost(additions=(n - k) / 2 + order, comparisons=1, binary=n - k)
    return basis_cost(code) + pattern.times(patterns)


def selective_osd_cost(code: Code, work: float | None = None, *, order: int = 3, **_: Any) -> Cost:
    """`osd` that weighs patterns (fs-osd and pb-osd): an addition and two comparisons more for each.

    Raises:
        ValueError: If the work is not given.
    """
    if work is None:
        raise ValueError("which patterns are skipped depends on the noise: pass the measured work per frame")
    return osd_cost(code, work, order=order) + Cost(additions=1, comparisons=2).times(work)


def lc_osd_cost(
    code: Code, work: float | None = None, *, delta: int = 8, z: float | None = None, **_: Any
) -> Cost:
    """OSD with local constraints (Wang, Liang and Ma 2022), where the first word is not proved: at most this.

    The basis of `osd`. The table of least prices, k + 1 rows of S = 2^delta states (at least 32): an addition
    and a comparison for each state of each row but the first, 2^delta of both for that; a product and a
    comparison to scale each of k prices, and delta products. A pattern: at most k places passed, three
    additions and three comparisons each; a way put on a heap and one taken off, 3 log2(1 + patterns)
    comparisons; and what a pattern of three flips costs in `osd`, three times the bits. With ``z`` the
    expected price of n - k - delta checks: an exponential, five products, four additions, a comparison each.

    Raises:
        ValueError: If the work is not given.
    """
    if work is None:
        raise ValueError(
            "how long the list gets depends on the noise: give the measured work, patterns a frame"
        )
    n, k = code.n, code.k
    delta = min(delta, n - k)
    states = 2 ** max(delta, 5)
    table = Cost(
        multiplications=k + delta,
        additions=k * states + 2**delta,
        comparisons=k * states + 2**delta + k,
        memory_bits=REAL // 2 * (k + 1) * states,
    )
    pattern = Cost(
        additions=3 * k + (n - k) / 2 + 3,
        comparisons=3 * k + 3 * math.log2(1 + work) + 1,
        binary=3 * (n - k),
    )
    rest = Cost(multiplications=5, additions=4, comparisons=1, exponentials=1).times(n - k - delta)
    return basis_cost(code) + table + pattern.times(work) + (Cost() if z is None else rest)


OSD = BuiltIn(
    osd,
    cost=osd_cost,
    cites="Fossorier and Lin, IEEE Trans. IT 41(5), 1995",
    reach="any code; order k is maximum likelihood",
    example=Example("bch-63-45", 3.0, {"order": 2}),
    soft=osd_app,
    lister=osd_list,
    unit="patterns",
)
FS_OSD = BuiltIn(
    fs_osd,
    cost=selective_osd_cost,
    cites="Choi and Jeong (IEEE Commun. Lett. 23(10), 2019)",
    reach="any code",
    example=Example("ebch-128-64", 2.5, {"order": 3}),
    unit="patterns",
)
PB_OSD = BuiltIn(
    pb_osd,
    cost=selective_osd_cost,
    cites="Yue, Shirvanimoghaddam, Park, Park, Vucetic and Li (IEEE Commun. Lett. 25(6), 2021)",
    reach="any code",
    example=Example("ebch-128-64", 2.5, {"order": 3}),
    unit="patterns",
)
LC_OSD = BuiltIn(
    lc_osd,
    cost=lc_osd_cost,
    cites="Wang, Liang and Ma, ITW 2022",
    reach="n <= 512 and n - k <= 192",
    example=Example("bch-63-45", 3.0),
    lister=lc_osd_list,
    unit="patterns",
)
