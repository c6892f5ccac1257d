"""Successive-cancellation decoding of polar codes and their subcodes."""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes import gf2
from fecnn.codes.code import Code
from fecnn.codes.nr_polar import CRC_ORDER, crc_order
from fecnn.codes.polar import erasure_scores, kronecker_transform
from fecnn.decoders.contract import Decoder, Effort, Lister, Measured, SoftDecoder, empty_list
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.kernels import polar as kernel
from fecnn.decoders.on_mother import hard_on, list_on, soft_on
from fecnn.decoders.registry import BuiltIn, Example

Values = TypeVar("Values", Bits, LLR)

MAX_LIST = 4096
"""Largest list size."""

MAX_DIGITS = 7
"""Most digits of a position for which all digit orders are tried: 5,040 of them."""

MAX_OUTER_CHECKS = 32
"""Most checks beyond frozen bits that a CRC may have; more are no use in the final choice among paths."""


def sc(code: Code, channel: Channel | None = None, /, *, exact: bool = False) -> Decoder:
    """Successive-cancellation decoding (Arikan, IEEE Trans. IT 55(7), 2009).

    Args:
        code: A polar code: one spanned by rows of the Kronecker power of [[1, 0], [1, 1]], which includes
            Reed-Muller codes. Its bits are in natural or bit-reversed order (see `arranged`). Or a code that
            is shortened, punctured or repeated from one.
        channel: Not used.
        exact: Use the exact box-plus instead of its max-log form, which hardware uses and which loses little.

    Raises:
        ValueError: If the code is not a polar code in either order.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("sc", fecnn.polar(8, 4))
        >>> decode(np.float32([2, 3, -0.1, 4, 1, 2, 3, 2]))
        array([0, 0, 0, 0, 0, 0, 0, 0], dtype=uint8)
    """
    if code.mother is not None:
        return hard_on(code.mother, sc(code.mother.code, exact=exact))
    form = arranged(code)
    if form.outer:
        raise ValueError(
            f"{code.name} has {form.outer} checks beyond frozen bits, which sc cannot use; use scl"
        )

    def decode(llr: LLR) -> Bits:
        out = np.empty(llr.shape, np.uint8)
        kernel.sc(form.in_order(llr), form.frozen, exact, out)
        return form.as_given(out)

    return decode


def scl(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 8,
    exact: bool = False,
) -> Decoder:
    """Successive-cancellation list decoding (Tal and Vardy, IEEE Trans. IT 61(5), 2015).

    It works on LLRs (Balatsoukas-Stimming, Bastani Parizi and Burg, IEEE Trans. SP 63(19), 2015). The result
    is the best final path that satisfies all checks of the code. For a polar code that is the best path; with
    a cyclic redundancy check (`fecnn.polar` with ``crc``) it is CRC-aided decoding (Niu and Chen, IEEE Comm.
    Letters 16(10), 2012). If no path satisfies the checks, the best path is returned and the frame is counted
    as uncertified. The work of a frame is the number of final paths whose checks were tried.

    Args:
        code: A polar code, or a subcode of one, in natural or bit-reversed order; see `arranged`. Or a code
            that is shortened, punctured or repeated from one.
        channel: Not used.
        list: Number of paths, 1 to 4096. With 2**(k + c) paths, where c is the number of checks beyond frozen
            bits (the bits of a CRC), this is maximum likelihood. So a list of 2**k or more is extended to
            2**(k + c), if that is at most 4096.
        exact: Use the exact box-plus and path metric instead of their max-log forms.

    Raises:
        ValueError: If the list size is out of range, or the code is not a polar code in either order.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("scl", fecnn.polar(16, 8), list=4)
        >>> decode(np.ones(16, np.float32)).sum()
        np.uint64(0)
    """
    if code.mother is not None:
        return hard_on(code.mother, scl(code.mother.code, list=list, exact=exact))
    form, paths = arranged(code), _paths(code, list, 1)

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out = np.empty(llr.shape, np.uint8)
        tested, passed = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
        kernel.scl(form.in_order(llr), form.frozen, form.columns, paths, exact, out, tested, passed)
        return form.as_given(out), Effort(tested, ~passed)

    return Measured(measure)


def scl_app(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 8,
    exact: bool = False,
) -> SoftDecoder:
    """Max-log a-posteriori LLRs of the n code bits over the final paths of `scl`.

    Only the paths that satisfy all checks of the code count, or all paths if none does. If all of these agree
    in a bit, the other value is taken to be as unlikely as the least likely path of the list, and less likely
    by at least half the frame's mean reliability; the signs are therefore always those of a path. On polar
    codes with a list of 8 the log-odds of a bit being right are 0.9 to 1.1 |APP|. With a CRC, or a list of 2,
    few paths are left to compare and the LLRs are too small: 1.2 to 1.8 |APP|.

    Args:
        code: As for `scl`.
        channel: Not used, but the LLRs must be true ones, not scaled.
        list: Number of paths, 2 to 4096. It is extended as for `scl`, and is max-log MAP where `scl` is
            maximum likelihood.
        exact: As for `scl`. It affects which paths survive, not how they are weighted.

    Raises:
        ValueError: If the list size is out of range, or the code is not a polar code in either order.

    Example:
        >>> import fecnn
        >>> app = fecnn.soft_decoder("scl", fecnn.polar(4, 1), list=2)
        >>> app(np.float32([1, 2, -0.5, 1]))
        array([3.5, 3.5, 3.5, 3.5], dtype=float32)
    """
    if code.mother is not None:
        return soft_on(code.mother, scl_app(code.mother.code, list=list, exact=exact))
    form, paths = arranged(code), _paths(code, list, 2)

    def app(llr: LLR) -> LLR:
        out = np.empty(llr.shape, np.float32)
        kernel.soft_scl(form.in_order(llr), form.frozen, form.columns, paths, exact, out)
        return form.as_given(out)

    return app


def scl_list(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 8,
    exact: bool = False,
    checked: bool = True,
) -> Lister:
    """The words of the final paths of `scl`.

    A frame of which no path satisfies the checks has an empty list, where `scl` decides on the best path.

    Args:
        code: As for `scl`.
        channel: Not used.
        list: Number of paths, 1 to 4096. It is extended as for `scl`, where the list is exact; its best words
            are taken then.
        exact: As for `scl`. It affects which paths survive, not their order in the list.
        checked: Keep only paths that satisfy all checks of the code, such as its CRC. False keeps all: words
            of the polar code that has the frozen bits, of which some are not codewords.

    Raises:
        ValueError: If the list size is out of range, or the code is not a polar code in either order.
    """
    if code.mother is not None:
        return list_on(code.mother, scl_list(code.mother.code, list=list, exact=exact, checked=checked))
    form, paths = arranged(code), _paths(code, list, 1)
    columns = form.columns if checked else form.columns[:, :0]

    def lister(llr: LLR) -> tuple[Bits, NDArray[np.bool_]]:
        out, held = empty_list(llr, paths)
        kernel.scl_list(form.in_order(llr), form.frozen, columns, paths, exact, out, held)
        return form.as_given(out.reshape(-1, code.n)).reshape(out.shape), held

    return lister


@dataclass(frozen=True)
class PolarForm:
    """A code in the form a polar decoder needs.

    frozen: (n,) True where u_i is 0 in all codewords u F, F the Kronecker power of [[1, 0], [1, 1]].
    outer: Number of checks that are not frozen bits.
    columns: Packed columns of all checks, (n, W); W = 0 if all checks are frozen bits.
    order: The code's positions in natural order, or None if they already are.
    """

    frozen: NDArray[np.bool_]
    outer: int
    columns: NDArray[np.uint64]
    order: NDArray[np.int64] | None

    def in_order(self, values: Values) -> Values:
        """Rows of code bits or LLRs, from the code's order to the kernels' order."""
        return values if self.order is None else np.ascontiguousarray(values[:, self.order])

    def as_given(self, values: Values) -> Values:
        """The inverse of `in_order`."""
        return values if self.order is None else np.ascontiguousarray(values[:, np.argsort(self.order)])


def arranged(code: Code) -> PolarForm:
    """The order of positions in which a code is polar, and its frozen bits there.

    Permuting the binary digits of each position of a codeword u F permutes those of u. So a code has equally
    many frozen bits in all such orders, but only one has the right ones. The order chosen is the one whose
    information bits fail least often under successive cancellation, by the sum of their Bhattacharyya
    parameters on an erasure channel (Arikan 2009) that erases half the redundancy. Natural order is preferred
    if it is no worse than bit-reversed order, and either of them unless another order halves the sum. Up to
    n = 128 all digit orders are tried; above that, only rotations.

    Any code of length 2**m is a subcode of a polar code. Successive cancellation suits it if most of its
    checks are frozen bits, or if the rest are a cyclic redundancy check in the last information bits.

    Raises:
        ValueError: If n is not a power of two, or the code is not a polar code by this rule.
    """
    if code.n < 2 or code.n & (code.n - 1):
        raise ValueError(f"{code.name} has length {code.n}: polar codes need a power of two; use osd")
    m = code.n.bit_length() - 1
    erasure = min(max((1.0 - code.rate) / 2.0, 0.01), 0.49)
    failure = 1.0 / (1.0 + np.exp(np.minimum(erasure_scores(m, erasure), 700.0)))
    natural = kronecker_transform(code.G).max(axis=0) == 0
    outer = code.n - code.k - int(natural.sum())
    orders = _digit_orders(m)
    failures = (failure * ~natural[orders]).sum(axis=1)
    likely = [0, 1] if failures[1] >= (1.0 - 1e-9) * failures[0] else [1, 0]
    best = int(failures.argmin())
    if failures[best] < 0.5 * failures[likely[0]]:
        likely.insert(0, best)
    columns = code.parity_columns[:, : None if outer else 0]
    for order in orders[likely]:
        frozen = natural[order]
        if outer <= natural.sum() or (
            outer <= MAX_OUTER_CHECKS and _has_a_crc(code.G[:, order], frozen, outer)
        ):
            in_place = bool((order == np.arange(code.n)).all())
            ordered = columns if in_place else np.ascontiguousarray(columns[order])
            return PolarForm(frozen, outer, ordered, None if in_place else order)
    raise ValueError(
        f"{code.name} is not a polar code in natural or bit-reversed order: {outer} of its "
        f"{code.n - code.k} checks are neither frozen bits nor a CRC; use osd, or put its bits in "
        "one of these orders"
    )


@lru_cache(maxsize=8)
def _digit_orders(m: int) -> NDArray[np.int64]:
    """Positions 0 to 2**m - 1 with permuted digits, (orders, 2**m): natural, bit-reversed, then others."""
    digits = list(range(m))
    others = list(permutations(digits)) if m <= MAX_DIGITS else []
    rotated = [digits[i:] + digits[:i] for i in range(m)]
    places = np.array([digits, digits[::-1], *rotated, *(turn[::-1] for turn in rotated), *others])
    bits = (np.arange(1 << m)[:, None] >> np.arange(m)) & 1
    return np.asarray((bits[:, places] << np.arange(m)).sum(axis=2).T)


def frozen_bits(code: Code) -> NDArray[np.bool_]:
    """The frozen bits of a polar code, or of its mother, in the order used for decoding, (n,).

    Errors as for `arranged`.
    """
    return arranged(code if code.mother is None else code.mother.code).frozen


def _has_a_crc(G: Bits, frozen: NDArray[np.bool_], checks: int) -> bool:
    """Whether the information bits, or those of a systematic code, end in a CRC of the other bits.

    Also in the order of the 5G downlink, which distributes the CRC.
    """
    inputs = kronecker_transform(G)[:, ~frozen]
    candidates = [inputs, G[:, ~frozen]]
    if inputs.shape[1] <= len(CRC_ORDER):
        spread = np.empty_like(inputs)
        spread[:, crc_order(inputs.shape[1])] = inputs
        candidates.append(spread)
    return any(_ends_in_a_crc(words, checks) for words in candidates)


def _ends_in_a_crc(words: Bits, checks: int) -> bool:
    """Whether the last ``checks`` columns of a (k, k + checks) generator are remainders of the others.

    Each earlier column is one more power of D, so its remainder is D times that of the next one.
    """
    basis, pivots = gf2.rref(words)
    if pivots != list(range(len(words))):
        return False
    rows = basis[:, len(words) :]
    polynomial = rows[-1]  # without its leading term: the remainder of D**checks
    shifted = np.roll(rows[1:], -1, axis=1)
    shifted[:, -1] = 0
    return bool(polynomial[-1] and (rows[:-1] == shifted ^ (rows[1:, :1] & polynomial)).all())


def _paths(code: Code, paths: int, fewest: int) -> int:
    """The list size, extended to all words of the polar code if all words of the code are asked for."""
    if not isinstance(paths, int) or not fewest <= paths <= MAX_LIST:
        raise ValueError(f"list must be in {fewest}..{MAX_LIST} paths, got {paths!r}")
    everything = code.k + arranged(code).outer
    return max(paths, 1 << everything) if paths >= 1 << code.k and 1 << everything <= MAX_LIST else paths


def sc_cost(code: Code, work: float | None = None, **_: Any) -> Cost:
    """Successive cancellation: (n / 2) log2 n of each of two updates, and as many sums of decided bits.

    Box-plus in its max-log form takes three comparisons (two signs, a minimum) and an exclusive or; the other
    update is one addition (Arikan 2009; Leroux, Tal, Vardy and Gross 2011).
    """
    n = code.n if code.mother is None else code.mother.code.n
    half = n // 2 * int(math.log2(n))
    return Cost(additions=half, comparisons=3 * half, binary=2 * half, memory_bits=(REAL + 1) * 2 * n)


def scl_cost(code: Code, work: float | None = None, *, list: int = 8, **_: Any) -> Cost:
    """Successive-cancellation lists of L paths: L times `sc`, and a sort of 2 L path metrics per message bit.

    The sort takes 2 L additions and 2 L log2(2 L) comparisons per bit.
    """
    sort = Cost(additions=2 * list, comparisons=2 * list * math.log2(2 * list), memory_bits=REAL * 2 * list)
    paths = sc_cost(code).times(list)
    return Cost(**vars(paths) | {"memory_bits": list * paths.memory_bits}) + sort.times(code.k)


SC = BuiltIn(
    sc,
    cost=sc_cost,
    cites="Arikan, IEEE Trans. IT 55(7), 2009",
    reach="polar codes, in natural or bit-reversed order, also shortened or punctured",
    example=Example("polar-128-64", 3.0),
)
SCL = BuiltIn(
    scl,
    cost=scl_cost,
    cites="Tal and Vardy, IEEE Trans. IT 61(5), 2015",
    reach="polar codes and their subcodes by a CRC or a few checks, also shortened or punctured",
    example=Example("polar-128-64", 3.0),
    soft=scl_app,
    lister=scl_list,
)
