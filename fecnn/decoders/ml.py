"""Exact maximum-likelihood decoding."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, out_of_sums
from fecnn.arrays import hard as hard_decision
from fecnn.channels.channel import Channel
from fecnn.codes.code import MAX_CHECKED_DIMENSION, MAX_CODEBOOK_K, Code, few_weights, light_sum, per_code
from fecnn.codes.convolutional import output_bits, tail_biting_taps
from fecnn.codes.low_weight import light_weight
from fecnn.decoders.contract import Decoder, Effort, Lister, Measured, empty_list
from fecnn.decoders.cost import REAL, Cost, basis_cost
from fecnn.decoders.kernels import codebook, trellis, words
from fecnn.decoders.kernels import search as kernel
from fecnn.decoders.kernels.arena import Arena
from fecnn.decoders.kernels.list_viterbi import list_viterbi
from fecnn.decoders.kernels.tail_biting import tail_biting
from fecnn.decoders.registry import BuiltIn, Example
from fecnn.decoders.trellis import (
    MAX_STATES,
    bit_order,
    build_trellis,
    trellis_fits,
    trellis_states,
    viterbi_ns,
)

MAX_SEARCH_N, MAX_SEARCH_CHECKS = 512, 192
"""Largest n and n - k for the search."""

LIST_PATTERNS, FIRST_NODES = 300, 500
"""Nodes after which a search turns to a few local constraints, and to more; decisions do not depend on it."""

SETS = 50
"""Information sets searched for a codeword lighter than the stated minimum distance."""

MAX_TAIL_MEMORY = 14
"""Largest memory of a tail-biting code for its own trellis."""

METHODS = ("codebook", "tail-biting", "trellis", "search")


def ml(
    code: Code, channel: Channel | None = None, /, *, method: str = "auto", nodes: int = 10_000_000
) -> Decoder:
    """Exact maximum likelihood: the codeword c that maximises sum_j llr_j (1 - 2 c_j).

    The search proves for each frame that no codeword is more likely. Often the weight of the syndrome's
    pattern is proof enough. Otherwise it goes through all candidates that could be better in order of
    reliability (Fossorier and Lin, IEEE Trans. IT 41(5), 1995) with exact bounds, finally those of local
    constraints (Wang, Liang and Ma, ITW 2022). A frame that exhausts ``nodes`` gets the best word found and
    is counted as uncertified.

    Args:
        code: For the search, n up to 512 and n - k up to 192; else k up to 24, a tail-biting code of memory
            up to 14, or a trellis of at most 2**22 states in the order of `bit_order`. The search relies on
            the minimum distance that a code states, which must not be too large.
        channel: Not used: LLRs are enough.
        method: ``codebook`` (Walsh-Hadamard correlation with all 2**k codewords), ``trellis`` (Viterbi on the
            minimal trellis, Wolf 1978), ``tail-biting`` (Viterbi on the trellis of `fecnn.tailbiting`, once
            for any start and then for each that could be better; Shankar, Kumar, Sasidharan and Rajan, ISIT
            2001), ``search``, or ``auto`` for the cheapest.
        nodes: Maximum number of search nodes per frame, at about 40 ns each. No code up to n = 64 comes close
            to the default.

    Raises:
        ValueError: If an option is unknown or not positive, or the code is too large for the method.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("ml", fecnn.hamming(3), method="trellis")
        >>> decode(np.float32([[2, 3, -0.1, 4, 1, 2, 3]]))
        array([[0, 0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    if nodes < 1:
        raise ValueError(f"nodes must be 1 or more, got {nodes!r}")
    method = chosen(code, method)
    return searched(code, -1.0, nodes) if method == "search" else WITHOUT_SEARCH[method](code)


def chosen(code: Code, method: str = "auto") -> str:
    """The method that `ml` uses for a code.

    Raises:
        ValueError: If the method is unknown, or the code is too large for it.
    """
    if method not in ("auto", *METHODS):
        raise ValueError(f"method must be auto, codebook, tail-biting, trellis or search, got {method!r}")
    costs = _costs(code)
    if method == "auto":
        if not costs:
            raise ValueError(
                f"exact ML of {code.name} (n = {code.n}, k = {code.k}) is out of reach: the search takes "
                f"n up to {MAX_SEARCH_N} and n - k up to {MAX_SEARCH_CHECKS}; use osd"
            )
        return min(costs, key=costs.__getitem__)
    if method not in costs:
        raise ValueError(
            f"ml by {method} of {code.name} (n = {code.n}, k = {code.k}) is out of reach; "
            f"use {' or '.join(costs) or 'osd'}"
        )
    return method


def near_ml(
    code: Code, channel: Channel | None = None, /, *, z: float = 1.5, nodes: int = 10_000_000
) -> Decoder:
    """Near-maximum likelihood: the search of `ml`, skipping improbable patterns.

    The checks that the local constraints leave out contradict the hard decisions. For the right pattern, the
    cost of these contradictions has a mean mu and a standard deviation sigma that follow from the
    reliabilities. A pattern that would win only with less than mu - z sigma is skipped. This rule is not
    published; it belongs to the family of probabilistic necessary conditions of Choi and Jeong (IEEE Commun.
    Lett. 23(10), 2019) and of Yue, Shirvanimoghaddam, Park, Park, Vucetic and Li (IEEE Commun. Lett. 25(6),
    2021). Its certain losses, the frames in which the sent word was at least as likely as the decision, are
    the block errors of a tally that are not ``ml_errors``.

    Args:
        code: A code with n up to 512 and n - k up to 192.
        channel: Not used, but the LLRs must be true ones, not scaled.
        z: Standard deviations allowed, 0 or more: small is fast, large is close to exact.
        nodes: As for `ml`.

    Raises:
        ValueError: If z is negative, nodes is not positive, or the code is too large.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("near-ml", fecnn.load_code("bch-63-45"))
        >>> decode(np.ones((1, 63), np.float32)).sum()
        np.uint64(0)
    """
    if not z >= 0:
        raise ValueError(f"z must be 0 or more standard deviations, got {z!r}; for an exact search use ml")
    if nodes < 1:
        raise ValueError(f"nodes must be 1 or more, got {nodes!r}")
    if not search_fits(code):
        raise ValueError(
            f"near-ml of {code.name} is out of reach: n may be up to {MAX_SEARCH_N} and n - k up to "
            f"{MAX_SEARCH_CHECKS}, here {code.n} and {code.n - code.k}; use osd"
        )
    return searched(code, z, nodes)


def search_fits(code: Code) -> bool:
    """Whether the code fits the kernels that eliminate H in machine words."""
    return code.n <= MAX_SEARCH_N and code.n - code.k <= MAX_SEARCH_CHECKS


def searched(code: Code, z: float, nodes: int) -> Decoder:
    """The search kernel as a decoder."""
    checks = code.n - code.k
    if checks == 0:
        return hard_decision
    columns, distance = words.columns_of(code.parity_columns), safe_distance(code)
    budgets = np.array([LIST_PATTERNS, min(FIRST_NODES, nodes), nodes])
    arena = Arena()

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out = np.empty(llr.shape, np.uint8)
        work, certain = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
        arena.run(kernel.search, llr, columns, checks, distance, z, budgets, out, work, certain)
        return out, Effort(work, ~certain)

    return Measured(measure)


@per_code
def safe_distance(code: Code) -> int:
    """A proven lower bound on the minimum distance: the stated one, or counted where that is quick, else 1.

    A code states its minimum distance directly or by its weight spectrum.

    Raises:
        ValueError: If a quick search finds a lighter codeword; decisions would silently be suboptimal.
    """
    counted = few_weights(code)
    if counted is not None:
        exact = _first_weight(counted)
        if code.minimum_distance is not None and exact < code.minimum_distance:
            raise _lighter(code, code.minimum_distance, exact)
        return exact
    stated = code.minimum_distance
    if stated is None and code.known_spectrum is not None:
        stated = _first_weight(code.known_spectrum)
    if stated is None:
        few = min(code.k, code.n - code.k) <= MAX_CHECKED_DIMENSION
        return _first_weight(code.weight_spectrum()) if few else 1
    lighter = light_sum(code, SETS) if code.n <= 512 else light_weight(code)
    if lighter < stated:
        raise _lighter(code, stated, lighter)
    return stated


def _lighter(code: Code, stated: int, lighter: int) -> ValueError:
    return ValueError(
        f"minimum_distance of {code.name} is stated as {stated}, but it has a codeword of weight {lighter}; "
        "leave it out if it is not known"
    )


def _first_weight(spectrum: tuple[int, ...]) -> int:
    return next(weight for weight, count in enumerate(spectrum) if weight and count)


def _costs(code: Code) -> dict[str, float]:
    """Nanoseconds per frame for each method that fits, measured near a block error rate of 0.1."""
    states = trellis_states(code, bit_order(code))
    costs = {}
    if code.k <= MAX_CODEBOOK_K:
        costs["codebook"] = 0.1 * (code.k + 1) * 2**code.k
    taps = tail_biting_taps(code)
    if taps is not None and 1 < taps.shape[1] <= MAX_TAIL_MEMORY + 1:
        costs["tail-biting"] = 200.0 + 2.5 * code.k * 2 ** taps.shape[1]
    if trellis_fits(code, states):
        costs["trellis"] = viterbi_ns(code, states)
    if search_fits(code):
        costs["search"] = 200.0 + 0.1 * code.n**2 + 20.0 * 2 ** (min(code.k, code.n - code.k) / 4)
    return costs


def generator_columns(code: Code) -> NDArray[np.int64]:
    """Columns of G as integers, first row most significant: (n,) i8."""
    weights = 1 << np.arange(code.k - 1, -1, -1, dtype=np.int64)
    return weights @ code.G


def _by_codebook(code: Code) -> Decoder:
    columns = generator_columns(code)
    k = code.k
    shifts = np.arange(k - 1, -1, -1, dtype=np.int64)

    def decode(llr: LLR) -> Bits:
        message = np.empty(len(llr), np.int64)
        codebook.most_likely(llr, columns, k, message)
        words = code.encode((message[:, None] >> shifts) & 1)
        if (far := out_of_sums(llr)).size:
            words[far] = _by_reliability(code)(llr[far])
        return words

    return decode


def _by_reliability(code: Code) -> Decoder:
    """A method that adds only the LLRs a word contradicts, so that known bits do not drown the others."""
    costs = {method: cost for method, cost in _costs(code).items() if method != "codebook"}
    if not costs:
        raise ValueError(
            f"{code.name} is too large to decode LLRs that span so many magnitudes; give known bits as "
            "infinite LLRs"
        )
    method = min(costs, key=costs.__getitem__)
    return searched(code, -1.0, 10_000_000) if method == "search" else WITHOUT_SEARCH[method](code)


def _by_trellis(code: Code) -> Decoder:
    minimal = build_trellis(code, bit_order(code))

    def decode(llr: LLR) -> Bits:
        out = np.empty(llr.shape, np.uint8)
        doubtful = np.empty(len(llr), np.bool_)
        trellis.viterbi(llr, minimal, out, doubtful)
        if doubtful.any():
            again = np.empty((int(doubtful.sum()), code.n), np.uint8)
            trellis.viterbi_float64(llr[doubtful], minimal, again)
            out[doubtful] = again
        return out

    return decode


def _by_tail_biting(code: Code) -> Decoder:
    taps = tail_biting_taps(code)
    assert taps is not None  # the method was chosen because there are some
    ones = output_bits(taps)

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out, passes = np.empty(llr.shape, np.uint8), np.empty(len(llr), np.int64)
        tail_biting(llr, ones, out, passes)
        return out, Effort(passes, np.zeros(len(llr), np.bool_))

    return Measured(measure)


WITHOUT_SEARCH = {"codebook": _by_codebook, "tail-biting": _by_tail_biting, "trellis": _by_trellis}
"""The methods that always end with the most likely codeword."""


def ml_list(code: Code, channel: Channel | None = None, /, *, list: int = 8) -> Lister:
    """The most likely codewords, exactly: list Viterbi on the minimal trellis.

    Soong and Huang, ICASSP 1991; Seshadri and Sundberg, IEEE Trans. Comm. 42(2/3/4), 1994. Sums are float64.

    Args:
        code: A code whose trellis has at most 2**22 states in the order of `bit_order`.
        channel: Not used.
        list: Number of words.

    Raises:
        ValueError: If the trellis is larger.
    """
    order = bit_order(code)
    if not trellis_fits(code, trellis_states(code, order)):
        raise ValueError(
            f"exact lists of {code.name} (n = {code.n}, k = {code.k}) are out of reach: its trellis has more "
            f"than {MAX_STATES} states; use lc-osd or osd, whose lists are not proved"
        )
    minimal = build_trellis(code, order)

    def lister(llr: LLR) -> tuple[Bits, NDArray[np.bool_]]:
        out, held = empty_list(llr, list)
        list_viterbi(llr, minimal, out, held)
        return out, held

    return lister


def ml_cost(code: Code, work: float | None = None, *, method: str = "auto", **_: Any) -> Cost:
    """Exact ML by codebook, trellis, or a search with the measured number of nodes.

    Codebook: a Walsh-Hadamard transform (k 2^k additions, and n for its input) and 2^k - 1 comparisons.
    Trellis: an addition per branch, and a comparison per branch but the first into each state (Wolf 1978).
    Tail-biting: the price of each branch, an addition per output; then in each of the measured number of
    passes an addition per branch, a comparison per state and step, and one more per state for the next bound.
    Search: the basis of `osd`, then two additions, a comparison and n - k bits per node.

    Raises:
        ValueError: If the work of a search or on a tail-biting trellis is not given.
    """
    from fecnn.decoders.ml import chosen

    n, k = code.n, code.k
    method = chosen(code, method)
    if method == "codebook":
        return Cost(additions=n + k * 2**k, comparisons=2**k - 1, memory_bits=REAL * 2**k)
    if method == "trellis":
        from fecnn.decoders.trellis import bit_order, build_trellis

        trellis = build_trellis(code, bit_order(code))
        sizes = np.diff(trellis.first)
        # Where no branch leads into a state, its predecessor is one past the last.
        states = trellis.previous[trellis.first[1] :]
        branches = int((states < np.repeat(sizes[:-1], sizes[1:])[:, None]).sum())
        merges = branches - len(states)
        return Cost(additions=branches, comparisons=merges, memory_bits=REAL * trellis.widest + branches)
    if work is None:
        unit = "nodes" if method == "search" else "passes"
        raise ValueError(
            f"the cost of ml by {method} depends on the noise: give its measured work, {unit} per frame"
        )
    if method == "tail-biting":
        taps = tail_biting_taps(code)
        assert taps is not None
        states = 1 << (taps.shape[1] - 1)
        one = Cost(additions=2 * states * k, comparisons=states * (k + 1))
        prices = Cost(additions=2 * states * n, memory_bits=states * k * (2 * REAL + 2))
        return prices + one.times(work)
    return basis_cost(code) + Cost(additions=2, comparisons=1, binary=n - k).times(work)


def near_ml_cost(code: Code, work: float | None = None, **_: Any) -> Cost:
    """The search of `ml`, skipping improbable patterns: one more addition and comparison per node.

    Raises:
        ValueError: If the work is not given.
    """
    return ml_cost(code, work, method="search") + Cost(additions=1, comparisons=1).times(work or 0)


ML = BuiltIn(
    ml,
    cost=ml_cost,
    cites="Wang, Liang and Ma, ITW 2022",
    reach="n <= 512 and n - k <= 192, or a small codebook, trellis or tail-biting trellis",
    example=Example("bch-31-21", 2.4),
    lister=ml_list,
    unit="nodes",
)
NEAR_ML = BuiltIn(
    near_ml,
    cost=near_ml_cost,
    cites="Choi and Jeong (IEEE Commun. Lett. 23(10), 2019)",
    reach="n <= 512 and n - k <= 192",
    example=Example("bch-63-45", 3.0),
    unit="nodes",
)
