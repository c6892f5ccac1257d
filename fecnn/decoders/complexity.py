"""What decoding a frame costs in operations, by kind, and in numbers that must be stored.

Counted are operations on real numbers (multiplications, which include divisions and square roots; additions;
comparisons, which include maxima and sign tests), on bits (exclusive or), and exponentials (logarithms,
hyperbolic functions and their inverses too: each is one table or series). Moving data is free. A frame whose
hard decision is a codeword is done before a trained network begins; the formulas are for one that is not,
except where the measured ``work`` of a decoder, an average over all frames, takes that into account.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np

from fecnn.codes import gf2
from fecnn.codes.code import Code
from fecnn.errors import nearest
from fecnn.nets.card import checkpoint_folder, default_weights, read_card

REAL = 32
"""Bits of a real number."""

KINDS = ("multiplications", "additions", "comparisons", "binary", "exponentials")
"""The operations of a `Cost`."""


@dataclass(frozen=True)
class Cost:
    """The cost of decoding one frame.

    multiplications, additions, comparisons, binary, exponentials: Operations.
    parameters: Numbers that are stored for good: weights, or the entries of a table.
    parameter_bits: Their bits.
    memory_bits: Bits held while a frame is decoded, its own LLRs not counted.
    """

    multiplications: float = 0
    additions: float = 0
    comparisons: float = 0
    binary: float = 0
    exponentials: float = 0
    parameters: int = 0
    parameter_bits: int = 0
    memory_bits: int = 0

    @property
    def operations(self) -> float:
        """All of them, each counted as one."""
        return float(sum(getattr(self, kind) for kind in KINDS))

    def __add__(self, other: "Cost") -> "Cost":
        """One after the other; memory is used again."""
        total = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return Cost(**total | {"memory_bits": max(self.memory_bits, other.memory_bits)})

    def times(self, count: float) -> "Cost":
        """The same operations so many times; what is stored stays."""
        return replace(self, **{kind: getattr(self, kind) * count for kind in KINDS})


def complexity(decoder: str, code: Code, *, work: float | None = None, **options: Any) -> Cost:
    """Operations, parameters and memory of a decoder.

    Args:
        decoder: ``slnn``, ``mlnn``, ``literature-slnn``, ``literature-mlnn``, ``ecct``, ``crossmpt``,
            ``fecnn-net``, ``osd``, ``fs-osd``, ``pb-osd``, ``lc-osd``, ``ml``, ``near-ml``, ``map``, ``bp``,
            ``sc``, ``scl``, ``hard``, ``hard-ml``, ``berlekamp-massey``, ``chase2``, ``grand`` or
            ``orbgrand``; the formulas are in the docstrings of this module's functions.
        code: The code.
        work: What the decoder did for a frame, on average, at some Eb/N0: test patterns (``osd``), nodes
            (``ml``), iterations (``bp``), queries (``grand``): the ``work`` of a table over its ``frames``.
            Where it is not given, the most that they can be, or, for ``ml``, an error.
        options: As for the decoder; for the trained networks also ``dense = True``, to count masked pairs,
            and for ``slnn`` and ``mlnn`` ``binary = False``, to count their weights as numbers that multiply.
            The literature's two may be given by their ``hidden`` widths alone.

    Raises:
        LookupError: If there is no formula for the decoder.
        ValueError: If the work is needed and not given.

    Example:
        >>> import fecnn
        >>> complexity("slnn", fecnn.hamming(3)).additions
        41
        >>> complexity("literature-slnn", fecnn.hamming(3), weights="slnn-7-hamming-7-4").multiplications
        161
    """
    if decoder not in FORMULAS:
        raise LookupError(f"no formula for {decoder!r}; {nearest(decoder, list(FORMULAS))}")
    return FORMULAS[decoder](code, work, **options)


def slnn(code: Code, work: float | None = None, *, binary: bool = True, **_: Any) -> Cost:
    """Training-free SLNN: each of the 2^k outputs adds the inputs where its word has a one, then the largest.

    n 2^(k-1) ones in all words together, so n 2^(k-1) - (2^k - 1) additions and no multiplication; n 2^k
    weights of one bit. With ``binary = False`` as a network with real weights: n 2^k multiplications,
    (n - 1) 2^k additions, and 32 bits a weight.
    """
    n, words = code.n, 2**code.k
    if not binary:
        return Cost(n * words, (n - 1) * words, words - 1, 0, 0, n * words, REAL * n * words, REAL * words)
    ones = words // 2 * int(code.G.any(axis=0).sum())
    return Cost(0, ones - (words - 1), words - 1, 0, 0, n * words, n * words, REAL * words)


def mlnn(code: Code, work: float | None = None, *, binary: bool = True, **_: Any) -> Cost:
    """Training-free MLNN: the SLNN's sums, 2^k exponentials, and k + 1 sums of them that are compared.

    The sum over all messages takes 2^k - 1 additions, that over those with a bit set 2^(k-1) - 1 for each of
    k bits, whose doubles are compared with it (k more). (n + k) 2^k weights.
    """
    k, words = code.k, 2**code.k
    first = slnn(code, binary=binary)
    hidden = replace(first, comparisons=0, exponentials=words)
    if not binary:
        return hidden + Cost(k * words, k * (words - 1), k, 0, 0, k * words, REAL * k * words)
    sums = words - 1 + k * (words // 2 - 1) + k
    return hidden + Cost(0, sums, k, 0, 0, k * words, k * words)


def fully_connected(code: Code, widths: Sequence[int]) -> Cost:
    """The literature's SLNN and MLNN, n inputs and layers of these widths: a product and a sum a weight.

    A comparison for each ReLU; then the largest of 2^k outputs (2^k - 1 comparisons), or the sign of each of
    k. Softmax and sigmoids do not change decisions and are left out.
    """
    pairs = list(pairwise([code.n, *widths]))
    weights = sum(a * b for a, b in pairs)
    # A bias comes in place of the addition that the first product does not need.
    verdict = widths[-1] if widths[-1] == code.k else widths[-1] - 1
    total = weights + sum(widths)
    return Cost(
        multiplications=weights,
        additions=weights,
        comparisons=sum(widths[:-1]) + verdict,
        parameters=total,
        parameter_bits=REAL * total,
        memory_bits=REAL * max(a + b for a, b in pairs),
    )


def transformer(code: Code, network: Any, *, dense: bool = False) -> Cost:
    """ECCT and CrossMPT of N blocks, width d, h heads, T = n + m tokens and P attending pairs a block.

    Matrix products (as many additions): N (12 T d^2 + 2 P d) + T d + n T. CrossMPT's P are twice the ones of
    H, ECCT's those of its mask; ``dense = True`` counts masked pairs too: 2 n m and T^2. Besides, a block:
    softmax with P h exponentials, scalings, divisions, additions and comparisons; 4 T d GELUs, each an
    exponential and three multiplications; two norms (T d: 3 additions, 2 multiplications; T roots) and two
    residual sums. Two further norms, T d multiplications of the embedding, ones(H) bits of the syndrome.
    """
    m, n = network.checks.shape
    tokens, width, blocks = m + n, network.norm.normalized_shape[0], len(network.blocks)
    heads = network.blocks[0].attention.heads
    edges = [network.edges] if hasattr(network, "edges") else [network.to_checks, network.to_bits]
    pairs = sum(edge.pairs.numel() if dense else int(edge.pairs.sum()) for edge in edges)
    products = blocks * (12 * tokens * width**2 + 2 * pairs * width) + tokens * width + n * tokens
    norm = Cost(2 * tokens * width + tokens, 3 * tokens * width)
    soft = Cost(2 * pairs * heads, pairs * heads, pairs * heads, 0, pairs * heads)
    gelu = Cost(12 * tokens * width, 0, 0, 0, 4 * tokens * width)
    block = soft + gelu + norm + norm + Cost(0, 2 * tokens * width)
    total = sum(parameter.numel() for parameter in network.parameters())
    ones = int(network.checks.sum())
    return (
        Cost(products, products, n, ones, 0, total, REAL * total, REAL * (8 * tokens * width + pairs * heads))
        + block.times(blocks)
        + norm
        + (norm if blocks > 1 else Cost())
        + Cost(tokens * width)
    )


def message_passing(code: Code, network: Any, work: float) -> Cost:
    """fecnn-net of width d on E edges, for each of so many iterations; at most its limit, and that each try.

    Messages: a tanh and a logarithm for each of n bits, an exponential for each check, an inverse tanh and
    two multiplications for each edge; sums over checks take E additions, signs E exclusive ors. Updates: d +
    1 weights an edge, n (4 d^2 + 5 d) for the two layers, the two read-outs and the norm, 2 n d GELUs.
    """
    n = code.n
    checks = int(network.real.sum())
    edges = int(network.incidence.sum())
    width = network.norm.shape[0]
    iteration = Cost(
        multiplications=2 * edges + edges * (width + 1) + n * (4 * width**2 + 5 * width) + 6 * n * width,
        additions=edges + edges * (width + 1) + n * (4 * width**2 + 5 * width),
        comparisons=2 * n,
        binary=edges + int(network.spanning.sum()),
        exponentials=2 * n + checks + edges + 2 * n * width,
    )
    total = sum(parameter.numel() for parameter in network.parameters())
    memory = REAL * (edges + 5 * n * width)
    stored = Cost(0, 0, n, edges, 0, total, REAL * total, memory)
    return stored + iteration.times(work)


def osd(code: Code, work: float | None = None, *, order: int = 2, **_: Any) -> Cost:
    """Ordered statistics decoding (Fossorier and Lin 1995) of so many test patterns, or of all.

    Sorting: n log2 n comparisons. The basis: each of n - k pivots is added to half of the other rows, n bits
    each. First word: k (n - k) / 2 bits. A pattern besides it, of 1 to ``order`` flips: n - k bits, as many
    price additions as half the parity bits and the order, one comparison.
    """
    n, k = code.n, code.k
    patterns = sum(math.comb(k, i) for i in range(1, order + 1)) if work is None else work
    basis = Cost(
        comparisons=n + n * math.log2(n),
        binary=(n - k) * (n - k - 1) / 2 * n + k * (n - k) / 2,
        memory_bits=(n - k) * n + REAL * n,
    )
    return basis + Cost(additions=(n - k) / 2 + order, comparisons=1, binary=n - k).times(patterns)


def ml(code: Code, work: float | None = None, *, method: str = "auto", **_: Any) -> Cost:
    """Exact ML: by all words, by the trellis, or by a search of so many nodes as measured.

    Codebook: a Walsh-Hadamard transform, k 2^k additions and n for its input, 2^k - 1 comparisons. Trellis:
    an addition for each branch, a comparison for each but the first into a state (Wolf 1978). Search: the
    basis of `osd`, then two additions, a comparison and n - k bits a node.

    Raises:
        ValueError: If a search's work is not given.
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
        raise ValueError(
            "the search of ml takes what the noise asks for: give its measured work, nodes a frame"
        )
    return osd(code, 0) + Cost(additions=2, comparisons=1, binary=n - k).times(work)


def near_ml(code: Code, work: float | None = None, **_: Any) -> Cost:
    """The search of `ml` without what is improbable: an addition and a comparison more for each node.

    Raises:
        ValueError: If the work is not given.
    """
    return ml(code, work, method="search") + Cost(additions=1, comparisons=1).times(work or 0)


def selective_osd(code: Code, work: float | None = None, *, order: int = 3, **_: Any) -> Cost:
    """`osd` that weighs patterns (fs-osd and pb-osd): an addition and two comparisons more for each.

    Raises:
        ValueError: If the work is not given.
    """
    if work is None:
        raise ValueError("which patterns are skipped depends on the noise: give the measured work, a frame's")
    return osd(code, work, order=order) + Cost(additions=1, comparisons=2).times(work)


def lc_osd(
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
    return osd(code, 0) + table + pattern.times(work) + (Cost() if z is None else rest)


def map_bits(
    code: Code, work: float | None = None, *, bits: str = "message", method: str = "auto", **_: Any
) -> Cost:
    """Exact bit-wise decisions on t bits (k or n), by the method that the decoder takes; a sign test each.

    Codebook: the transform of `ml` and its largest value; for each word a subtraction, a product and an
    exponential, and for each wanted bit of it a product and three additions, which add its weight to one of
    two sums; a division, a logarithm and two comparisons for each wanted bit.

    Trellis (Bahl, Cocke, Jelinek and Raviv 1974): three products for each branch, one of the past, one of the
    future, one of both; an addition for each but the first branch into a state, out of a state, and for each
    branch into the sums of its bit. For each bit an exponential, a logarithm, three products, two additions
    and four comparisons. After every 16 bits, in both directions, states are compared and divided. Message
    bits that are no code bits are further positions. A frame repeated in float64 is not counted.

    Dual (Hartmann and Rudolph 1976), M = 2^(n - k) (at least 8): of products, four for each of M words for
    every two checks beyond three, one for a last one; of additions, M (n - k - 2) for the transform of their
    sum. For each bit 44 products, 40 additions, 12 comparisons and two exponentials: eight words side by side
    at either end, and the bounds of its error. Frames whose sums cancel too far are not counted again.

    Raises:
        ValueError: If the code is too large for the method.
    """
    from fecnn.decoders.map import carrier_of, chosen

    n, k = code.n, code.k
    wanted = k if bits == "message" else n
    method = chosen(code, bits, method)
    signs = Cost(comparisons=wanted)
    if method == "codebook":
        each = Cost(1 + wanted, 1 + 3 * wanted, 0, 0, 1).times(2**k)
        ends = Cost(multiplications=wanted, comparisons=2 * wanted, exponentials=wanted)
        return replace(
            ml(code, method="codebook") + each + ends + signs,
            parameters=2**k * wanted,
            parameter_bits=2**k * wanted,
        )
    if method == "trellis":
        carrier = carrier_of(code, bits)
        assert carrier is not None  # the method was chosen because there is one
        return _bcjr(carrier.code) + signs
    checks = max(3, n - k)
    size, passes = 2**checks, checks - 3
    return signs + Cost(
        multiplications=44 * n + 4 * size * (passes // 2) + size * (passes % 2) + 2,
        additions=40 * n + size * (passes + 1) + 6,
        comparisons=12 * n,
        exponentials=2 * n,
        memory_bits=REAL * 2 * size,
    )


def _bcjr(code: Code) -> Cost:
    """Forward and backward over the minimal trellis, to the a-posteriori LLRs of its bits."""
    from fecnn.decoders.kernels.trellis import RESCALE
    from fecnn.decoders.trellis import bit_order, build_trellis

    varies = code.G.any(axis=0)
    if not varies.all():  # constant bits are left out
        code = Code.from_generator(code.G[:, varies], name=code.name)
    n, trellis = code.n, build_trellis(code, bit_order(code))
    sizes = np.diff(trellis.first)
    # The first begins with one state and the last ends in one: sizes[t] states before section t.
    wings = np.diff(trellis.begin.astype(np.int64))
    branches = int(np.array([2, 2, 4, 1])[trellis.kind] @ wings)
    joins = (branches - int(sizes[1:].sum())) + (branches - int(sizes[:-1].sum())) + branches
    scaled = int(sizes[RESCALE::RESCALE].sum() + sizes[:-1:RESCALE].sum())
    return Cost(
        multiplications=3 * branches + 3 * n + scaled,
        additions=joins + 2 * n,
        comparisons=4 * n + scaled,
        exponentials=2 * n,
        memory_bits=REAL * (len(trellis.previous) + 2 * trellis.widest + 4 * n),
    )


def chase2(
    code: Code, work: float | None = None, *, positions: int | None = None, t: int | None = None, **_: Any
) -> Cost:
    """Chase's second algorithm: `hard` on each of 2^p patterns, n / 2 price additions, a comparison.

    Finding the p least reliable positions takes n p comparisons.

    Raises:
        ValueError: As `hard`, and if p is not given and d not known.
    """
    if positions is None:
        if code.minimum_distance is None:
            raise ValueError(f"give positions: the minimum distance of {code.name} is not known")
        positions = code.minimum_distance // 2
    tried = 2.0**positions if work is None else work
    each = hard(code, t=t) + Cost(additions=code.n / 2, comparisons=1)
    return Cost(comparisons=code.n * positions, memory_bits=REAL * code.n) + each.times(tried)


def bp(
    code: Code,
    work: float | None = None,
    *,
    rule: str = "sum-product",
    iterations: int = 50,
    checks: str = "H",
    **_: Any,
) -> Cost:
    """Belief propagation on E edges, an iteration; of all iterations, if the work is not given.

    Sum-product: a tanh and its inverse and two multiplications for each edge (a product a check, divided by
    each input). Min-sum: three comparisons and two exclusive ors for each edge. Both: 2 E additions at the
    bits, and E exclusive ors and n comparisons for the syndrome.
    """
    matrix = code.H
    if checks == "overcomplete":
        from fecnn.codes.low_weight import low_weight_checks

        matrix = low_weight_checks(code)
    edges = int(matrix.sum())
    both = Cost(additions=2 * edges, comparisons=code.n, binary=edges, memory_bits=REAL * (edges + code.n))
    if rule == "min-sum":
        iteration = both + Cost(comparisons=3 * edges, binary=2 * edges)
    else:
        iteration = both + Cost(multiplications=2 * edges, exponentials=2 * edges)
    return iteration.times(iterations if work is None else work)


def sc(code: Code, work: float | None = None, **_: Any) -> Cost:
    """Successive cancellation: (n / 2) log2 n of each of the two updates, and as many sums of decided bits.

    Box-plus in its max-log form: three comparisons (two signs, a minimum) and an exclusive or; the other
    update is one addition (Arikan 2009; Leroux, Tal, Vardy and Gross 2011).
    """
    half = code.n // 2 * int(math.log2(code.n))
    return Cost(additions=half, comparisons=3 * half, binary=2 * half, memory_bits=(REAL + 1) * 2 * code.n)


def scl(code: Code, work: float | None = None, *, list: int = 8, **_: Any) -> Cost:
    """Successive-cancellation lists of L paths: L times `sc`, and for each of k bits a sort of 2 L prices.

    2 L additions and 2 L log2(2 L) comparisons a bit.
    """
    sort = Cost(additions=2 * list, comparisons=2 * list * math.log2(2 * list), memory_bits=REAL * 2 * list)
    paths = sc(code).times(list)
    return Cost(**vars(paths) | {"memory_bits": list * paths.memory_bits}) + sort.times(code.k)


def hard(code: Code, work: float | None = None, *, t: int | None = None, **_: Any) -> Cost:
    """Hard decisions: `hard_ml`, or for n - k > 24 `berlekamp_massey`.

    Raises:
        ValueError: If n - k > 24 and the code is not cyclic.
    """
    from fecnn.decoders.berlekamp_massey import algebra_of
    from fecnn.decoders.hard import MAX_CHECKS

    if code.n - code.k <= MAX_CHECKS:
        return hard_ml(code)
    known, algebra = code.minimum_distance, algebra_of(code)
    if t is None and known is not None and algebra is not None:
        t = min((known - 1) // 2, algebra.run.t)
    return berlekamp_massey(code, t=t)


def hard_ml(code: Code, work: float | None = None, **_: Any) -> Cost:
    """Hard decisions by a table of coset leaders: n signs, a syndrome, n exclusive ors.

    The table has 2^(n - k) leaders of n bits.

    Raises:
        ValueError: If n - k > 24.
    """
    from fecnn.decoders.hard import MAX_CHECKS, too_many_checks

    n, checks = code.n, code.n - code.k
    if checks > MAX_CHECKS:
        raise too_many_checks(code)
    ones = int(gf2.rref(code.H)[0].sum())
    entries = 2**checks
    return Cost(
        comparisons=n, binary=ones + n, parameters=entries, parameter_bits=n * entries, memory_bits=checks
    )


def berlekamp_massey(code: Code, work: float | None = None, *, t: int | None = None, **_: Any) -> Cost:
    """Algebraic decoding (Berlekamp 1968; Massey 1969) of a word with t errors, at most this.

    A product in GF(2^m) is an addition of logarithms, and a sum m bits; 2 T syndromes are computed, T half
    the designed distance, and the register grows at every other of the first 2 t steps.

    n signs; for half of the bits n - k checks and 2 T syndromes of m bits. The register: t^2 + 2 (T - t) t
    products for discrepancies and t^2 + 1 for corrections, and as many sums; 2 T + 4 t comparisons, and 6 t
    additions for ratios. Roots (Chien 1964): for each column 3 products, an addition and a comparison, and
    for each of t powers of it 3 additions, a comparison, and m bits. The check: t (n - k) bits.

    Raises:
        ValueError: If the code is not cyclic.
    """
    from fecnn.decoders.berlekamp_massey import algebra_of

    algebra = algebra_of(code)
    if algebra is None:
        raise ValueError(f"{code.name} is no cyclic code, nor one with a parity bit behind it")
    n, checks, most = code.n, code.n - code.k, algebra.run.t
    t = most if t is None else t
    core, order = len(algebra.powers), len(algebra.run.log) - 1
    m = order.bit_length()
    products = t**2 + 2 * (most - t) * t + (t**2 + 1 if t else 0)
    stored = algebra.powers.size + 3 * order + 1
    return Cost(
        multiplications=3 * core,
        additions=products + 6 * t + core + 3 * core * t,
        comparisons=n + 2 * most + 4 * t + core + core * t,
        binary=n / 2 * checks + core / 2 * 2 * most * m + products * m + core * t * m + t * checks,
        parameters=stored,
        parameter_bits=m * stored,
        memory_bits=m * (2 * most + 3 * (2 * most + 2)) + checks,
    )


def grand(code: Code, work: float | None = None, **_: Any) -> Cost:
    """Guessing the noise: a syndrome, then n - k exclusive ors and a comparison for each query.

    Raises:
        ValueError: If the work is not given.
    """
    if work is None:
        raise ValueError("guessing takes what the noise asks for: give the measured work, queries a frame")
    checks = code.n - code.k
    first = Cost(comparisons=code.n, binary=int(code.H.sum()), memory_bits=checks + code.n)
    return first + Cost(comparisons=1, binary=checks).times(work)


def orbgrand(code: Code, work: float | None = None, **_: Any) -> Cost:
    """`grand` in the order of reliability: n log2 n comparisons first, and an addition for each query.

    Raises:
        ValueError: If the work is not given.
    """
    asked = grand(code, work)
    sort = Cost(comparisons=code.n * math.log2(code.n), memory_bits=REAL * code.n)
    return asked + sort + Cost(additions=1).times(work or 0)


def _dense(outputs: Callable[[Code], int], kind: str) -> Callable[..., Cost]:
    def formula(
        code: Code,
        work: float | None = None,
        *,
        hidden: Sequence[int] | None = None,
        weights: str | None = None,
        **_: Any,
    ) -> Cost:
        widths: Any = hidden
        if widths is None:
            widths = read_card(checkpoint_folder(weights or default_weights(kind, code))).model.options[
                "hidden"
            ]
        return fully_connected(code, [*widths, outputs(code)])

    return formula


def _trained(kind: str) -> Callable[..., Cost]:
    def formula(
        code: Code,
        work: float | None = None,
        *,
        weights: str | None = None,
        tries: int = 0,
        dense: bool = False,
        **_: Any,
    ) -> Cost:
        from fecnn.nets.checkpoint import load

        network: Any = load(weights or default_weights(kind, code), code)[0]
        if kind == "fecnn-net":
            most = network.limit * (1 + tries)
            return message_passing(code, network, most if work is None else work)
        return transformer(code, network, dense=dense).times(1 + tries if work is None else work)

    return formula


FORMULAS: dict[str, Callable[..., Cost]] = {
    "slnn": slnn,
    "mlnn": mlnn,
    "literature-slnn": _dense(lambda code: 2**code.k, "literature-slnn"),
    "literature-mlnn": _dense(lambda code: code.k, "literature-mlnn"),
    "ecct": _trained("ecct"),
    "crossmpt": _trained("crossmpt"),
    "fecnn-net": _trained("fecnn-net"),
    "osd": osd,
    "fs-osd": selective_osd,
    "pb-osd": selective_osd,
    "lc-osd": lc_osd,
    "ml": ml,
    "near-ml": near_ml,
    "map": map_bits,
    "bp": bp,
    "sc": sc,
    "scl": scl,
    "hard": hard,
    "hard-ml": hard_ml,
    "berlekamp-massey": berlekamp_massey,
    "chase2": chase2,
    "grand": grand,
    "orbgrand": orbgrand,
}
"""By decoder."""
