"""Successive-cancellation decoding of polar codes and their subcodes."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import permutations
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, Int8
from fecnn.channels.channel import Channel
from fecnn.codes import gf2
from fecnn.codes.bit_order import label_orders
from fecnn.codes.code import Code, per_code
from fecnn.codes.polar import kronecker_transform
from fecnn.decoders.contract import (
    Decoder,
    Effort,
    Lister,
    Measured,
    SoftDecoder,
    empty_list,
    no_effort,
)
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.kernels import sc as sc_kernel
from fecnn.decoders.kernels import scl as scl_kernel
from fecnn.decoders.kernels.arena import Arena
from fecnn.decoders.kernels.polar import Inputs, are_satisfied
from fecnn.decoders.on_mother import hard_on, list_on, soft_on
from fecnn.decoders.registry import BuiltIn, Example

Values = TypeVar("Values", Bits, LLR, NDArray[Any])

MAX_LIST = 4096
"""Largest list size."""

MAX_DIGITS = 7
"""Most digits of a position for which all digit orders are tried: 5,040 of them."""

SHORT_LIST = 8
"""A code that needs a longer list in the standard orders is tried in others too."""


SIDE_BY_SIDE = np.zeros(0, np.uint16), np.zeros(0, np.uint64)
"""For the kernel of `sc`, the type of bits of one vector: of 8 or 16 lanes, or of 64 in int8."""


def sc(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    exact: bool = False,
    int8: bool = False,
) -> Decoder:
    """Successive-cancellation decoding (Arikan, IEEE Trans. IT 55(7), 2009).

    Args:
        code: A polar code: one spanned by rows of the Kronecker power of [[1, 0], [1, 1]], which includes
            Reed-Muller codes, or one with dynamic frozen bits, such as `fecnn.pac` (see `arranged`). Or a
            code that is shortened, punctured or repeated from one.
        channel: Not used.
        exact: Use the exact box-plus instead of its max-log form, which hardware uses and which loses little.
        int8: Use LLRs of 8 bits, as fixed-point hardware does: integers of -127 to 127, and all sums saturate
            there. Arrays of int8 are taken as they are (-128 as -127); other LLRs are rounded to the nearest
            integer, so scale them (see `fecnn.Receiver`) to about 4 to 8 steps per unit. A bit that is known
            to be 0, of a shortened code, has 127. Frames whose LLRs are all of one magnitude, or 0, are
            decoded with ones in place of that magnitude, as they are in float32.

    Raises:
        ValueError: If the code ends in a CRC, or is far from a polar code; or for ``exact`` with ``int8``.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("sc", fecnn.polar(8, 4))
        >>> decode(np.float32([2, 3, -0.1, 4, 1, 2, 3, 2]))
        array([0, 0, 0, 0, 0, 0, 0, 0], dtype=uint8)
    """
    refuse_exact_int8(exact, int8)
    form, arena = arranged(code), Arena()
    if form.outer:
        raise ValueError(
            f"{code.name} has {form.outer} checks beyond frozen bits, which sc cannot use; use scl"
        )

    def bits(llr: LLR | Int8) -> Bits:
        out = np.empty(llr.shape, np.uint8)
        arena.run(sc_kernel.sc, form.prepared(llr, exact), form.inputs, SIDE_BY_SIDE[int8], out)
        return form.as_given(out)

    decode = Measured(lambda llr: (bits(llr), no_effort(len(llr))), int8=True) if int8 else bits
    return decode if code.mother is None else hard_on(code.mother, decode)


def refuse_exact_int8(exact: bool, int8: bool) -> None:
    """Reject int8 LLRs for the exact box-plus.

    Raises:
        ValueError: Saying what to leave out.
    """
    if exact and int8:
        raise ValueError("exact needs LLRs of many digits, and int8 has 8 bits: give only one of them")


def scl(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 8,
    exact: bool = False,
    adaptive: bool = False,
    int8: bool = False,
) -> Decoder:
    """Successive-cancellation list decoding (Tal and Vardy, IEEE Trans. IT 61(5), 2015).

    It works on LLRs (Balatsoukas-Stimming, Bastani Parizi and Burg, IEEE Trans. SP 63(19), 2015). The result
    is the best final path that satisfies all checks of the code. For a polar code that is the best path; with
    a cyclic redundancy check (`fecnn.polar` with ``crc``) it is CRC-aided decoding (Niu and Chen, IEEE Comm.
    Letters 16(10), 2012). Checks other than a CRC are dynamic frozen bits (Trifonov and Miloslavskaya, IEEE
    J. Sel. Areas Comm. 34(2), 2016): each path sets them from the bits that it has decided. If no path
    satisfies the CRC, the best path is returned and the frame is counted as uncertified. The work of a frame
    is the number of final paths whose checks were tried.

    Args:
        code: A polar code, with a CRC or with dynamic frozen bits: any code of length 2**m that is not too
            far from polar codes; see `arranged`. Or a code that is shortened, punctured or repeated from one.
        channel: Not used.
        list: Number of paths, 1 to 4096. With 2**(k + c) paths, where c is the number of bits of a CRC,
            this is maximum likelihood. So a list of 2**k or more is extended to 2**(k + c), if that is at
            most 4096.
        exact: Use the exact box-plus and path metric instead of their max-log forms.
        adaptive: Try lists of 1, 2, 4, ... paths first and stop at the first whose best path satisfies the
            CRC, or one of its others (Li, Shen and Tse, IEEE Comm. Letters 16(12), 2012). That is 15 to 60
            times as fast where errors are rare. The decision is not always that of the whole list: a shorter
            list may hold a wrong word with the right CRC where the longer one holds a likelier word. The work
            counts the paths of all lists that were tried.
        int8: Use LLRs of 8 bits that saturate, as in `sc`. Path metrics are wider, as in hardware: sums of
            them without loss. A subtree whose inputs are all frozen, all free, or frozen up to the last adds
            what its word costs by the LLRs at its root.

    Raises:
        ValueError: If the list size is out of range, the code is far from a polar code, ``adaptive`` is
            asked for a code without a CRC, for which the first list would always do, or ``exact`` is given
            with ``int8``.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("scl", fecnn.polar(16, 8), list=4)
        >>> decode(np.ones(16, np.float32)).sum()
        np.uint64(0)
    """
    refuse_exact_int8(exact, int8)
    form, paths = arranged(code), _paths(code, list, 1)
    if adaptive and not form.outer:
        raise ValueError(
            f"adaptive needs a CRC, which tells whether a list was long enough; {code.name} has none that is "
            "left for this (a distributed one is used up as frozen bits)"
        )

    arenas: defaultdict[int, Arena] = defaultdict(Arena)

    def attempt(llr: LLR | Int8, size: int, out: Bits) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Decode with a list; of each frame, how many paths were tested, and whether one passed."""
        tested, passed = np.ones(len(llr), np.int64), np.ones(len(llr), np.bool_)
        given = form.prepared(llr, exact)
        if size == 1:
            arenas[size].run(sc_kernel.sc, given, form.inputs, SIDE_BY_SIDE[int8], out)
            are_satisfied(out, form.columns, passed)
        else:
            given = np.maximum(given, -127).astype(np.float32) if int8 else given
            tree, limit = form.tree(exact), np.float32(127) if int8 else None
            arenas[size].run(
                scl_kernel.scl, given, form.inputs, form.columns, size, tree, limit, out, tested, passed
            )
        return tested, passed

    def measure(llr: LLR | Int8) -> tuple[Bits, Effort]:
        out = np.empty(llr.shape, np.uint8)
        first = 1 if adaptive else paths
        tested, passed = attempt(llr, first, out)
        for size in _longer(first, paths):
            left = np.flatnonzero(~passed)
            if len(left) == 0:
                break
            again = np.empty((len(left), llr.shape[1]), np.uint8)
            more, passed[left] = attempt(llr[left], size, again)
            tested[left] += more
            out[left] = again
        return form.as_given(out), Effort(tested, ~passed)

    decode = Measured(measure, int8=int8)
    return decode if code.mother is None else hard_on(code.mother, decode)


def _longer(size: int, most: int) -> Iterator[int]:
    """Doubled list sizes up to the longest."""
    while size < most:
        size = min(2 * size, most)
        yield size


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
        ValueError: If the list size is out of range, or the code is far from a polar code.

    Example:
        >>> import fecnn
        >>> app = fecnn.soft_decoder("scl", fecnn.polar(4, 1), list=2)
        >>> app(np.float32([1, 2, -0.5, 1]))
        array([3.5, 3.5, 3.5, 3.5], dtype=float32)
    """
    form, paths, arena = arranged(code), _paths(code, list, 2), Arena()

    def app(llr: LLR) -> LLR:
        out = np.empty(llr.shape, np.float32)
        given, tree = form.prepared(llr, exact), form.tree(exact)
        arena.run(scl_kernel.soft_scl, given, form.inputs, form.columns, paths, tree, out)
        return form.as_given(out)

    return app if code.mother is None else soft_on(code.mother, app)


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
        ValueError: If the list size is out of range, or the code is far from a polar code.
    """
    form, paths = arranged(code), _paths(code, list, 1)
    columns, arena = form.columns if checked else form.columns[:, :0], Arena()

    def lister(llr: LLR) -> tuple[Bits, NDArray[np.bool_]]:
        out, held = empty_list(llr, paths)
        given, tree = form.prepared(llr, exact), form.tree(exact)
        arena.run(scl_kernel.scl_list, given, form.inputs, columns, paths, tree, out, held)
        return form.as_given(out.reshape(-1, out.shape[2])).reshape(out.shape), held

    return lister if code.mother is None else list_on(code.mother, lister)


@dataclass(frozen=True)
class PolarForm:
    """A code in the form a polar decoder needs.

    inputs: What is known of the inputs u of all codewords u F, F the Kronecker power of [[1, 0], [1, 1]].
    outer: Number of checks that are not frozen bits: the bits of a CRC.
    columns: Packed columns of these checks, (n, W); W = 0 if all checks are frozen bits.
    order: The code's positions in natural order, or None if they already are.
    """

    inputs: Inputs
    outer: int
    columns: NDArray[np.uint64]
    order: NDArray[np.int64] | None

    def tree(self, exact: bool) -> scl_kernel.Tree:
        """What list decoding needs to know of the code, worked out once for each kind of LLRs."""
        return self._exact_tree if exact else self._tree

    @cached_property
    def _tree(self) -> scl_kernel.Tree:
        return scl_kernel.tree_of(self.inputs, np.uint32)

    @cached_property
    def _exact_tree(self) -> scl_kernel.Tree:
        return scl_kernel.tree_of(self.inputs, np.uint64)

    def in_order(self, values: Values) -> Values:
        """Rows of code bits or LLRs, from the code's order to the kernels' order."""
        return values if self.order is None else np.ascontiguousarray(values[:, self.order])

    def prepared(self, llr: NDArray[Any], exact: bool) -> NDArray[Any]:
        """Rows of LLRs as kernels take them: in their order, and in float64 if all is to be exact."""
        ordered = self.in_order(llr)
        return ordered.astype(np.float64) if exact else ordered

    def as_given(self, values: Values) -> Values:
        """The inverse of `in_order`."""
        return values if self.order is None else np.ascontiguousarray(values[:, np.argsort(self.order)])


@per_code
def arranged(code: Code) -> PolarForm:
    """The order of positions in which a code is polar, and its frozen bits there.

    Permuting the binary digits of each position of a codeword u F permutes those of u. So a code has equally
    many frozen bits in all such orders, but only one has the right ones. The order chosen is the one whose
    information bits fail least often under successive cancellation, by the sum of their Bhattacharyya
    parameters on an erasure channel (Arikan 2009) that erases half the redundancy. Natural order is preferred
    if it is no worse than bit-reversed order, and either of them unless another order halves the sum. Up to
    n = 128 all digit orders are tried; above that, only rotations. A code that is shortened, punctured or
    repeated from a longer one is arranged as that one, of which more or less is erased in these positions.

    Checks that are not frozen bits may be a cyclic redundancy check in the last information bits. All others,
    such as the distributed CRC of the 5G downlink and the parity bits of the uplink, become dynamic frozen
    bits, in the order that needs the shortest list (see `needed_list`). If that is more than 8, positions are
    also sorted by their field element as a binary number, which makes extended BCH codes polar subcodes.

    Raises:
        ValueError: If n is not a power of two, or a list of 4096 would be too short in all these orders.
    """
    lost = erased(code, half_the_redundancy(code))
    code = code if code.mother is None else code.mother.code
    if code.n < 2 or code.n & (code.n - 1):
        raise ValueError(f"{code.name} has length {code.n}: polar codes need a power of two; use osd")
    natural = kronecker_transform(code.G).max(axis=0) == 0
    outer = code.n - code.k - int(natural.sum())
    orders = _digit_orders(code.n.bit_length() - 1)
    sums = (failures(lost[orders]) * ~natural[orders]).sum(axis=1)
    likely = [0, 1] if sums[1] >= (1.0 - 1e-9) * sums[0] else [1, 0]
    best = int(sums.argmin())
    if sums[best] < 0.5 * sums[likely[0]]:
        likely.insert(0, best)
    for order in orders[likely]:
        if not outer or _has_a_crc(code.G[:, order], natural[order], outer):
            columns = _columns_beyond(natural[order], code.G[:, order])
            none = np.zeros((code.n, 0), np.uint64), np.full(code.n, -1)
            inputs = Inputs(natural[order], *none)
            return PolarForm(inputs, outer, columns, _unless_natural(order))
    needs = {tuple(order): needed_list(code, order, lost) for order in orders[likely].tolist()}
    if min(needs.values()) > SHORT_LIST:
        needs |= {order: needed_list(code, order, lost) for order in label_orders(code)}
    chosen = min(needs, key=needs.__getitem__)
    if needs[chosen] > MAX_LIST:
        raise ValueError(
            f"{code.name} is not a polar code in natural or bit-reversed order: {outer} of its "
            f"{code.n - code.k} checks are neither frozen bits nor a CRC, and as dynamic frozen bits they "
            f"need a list of about 2^{math.log2(needs[chosen]):.0f}, more than {MAX_LIST}; use osd, or put "
            "its bits in one of these orders"
        )
    return _with_dynamic_bits(code, np.array(chosen))


def needed_list(code: Code, order: Sequence[int], erased: NDArray[np.float64]) -> float:
    """About how many paths are alike when successive cancellation knows least; a list should be longer.

    On an erasure channel an information bit doubles their number if its synthetic channel is erased, and a
    frozen bit halves it if it is not (Coskun and Pfister, IEEE Trans. IT 68, 2022). This follows the mean
    of the logarithm.

    Args:
        code: A code of length 2**m.
        order: Its positions in natural order.
        erased: The probability that each position is erased, (n,).
    """
    taken = list(order)
    information = set(gf2.rref(kronecker_transform(np.ascontiguousarray(code.G[:, taken])))[1])
    doubtful, most = 0.0, 0.0
    for i, failure in enumerate(failures(erased[taken]).tolist()):
        doubtful = doubtful + failure if i in information else max(doubtful - (1.0 - failure), 0.0)
        most = max(most, doubtful)
    return float(2.0**most)


def half_the_redundancy(code: Code) -> float:
    """The probability with which an erasure channel erases half the redundancy, or close to it."""
    return min(max((1.0 - code.rate) / 2.0, 0.01), 0.49)


def erased(code: Code, once: float) -> NDArray[np.float64]:
    """How probably each position is erased, of the mother if there is one, by a channel that erases one."""
    if code.mother is None:
        return np.full(code.n, once)
    lost = once ** np.bincount(code.mother.sent, minlength=code.mother.code.n)
    lost[list(code.mother.zero)] = 0.0
    return np.asarray(lost)


def failures(erased: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bhattacharyya parameters of the synthetic channels of positions that are erased so often, (..., n)."""
    state = erased[..., None, :]
    while (half := state.shape[-1] // 2) > 0:
        first, second = state[..., :half], state[..., half:]
        both = first * second
        split = np.stack([first + second - both, both], axis=-2)
        state = split.reshape(*erased.shape[:-1], -1, half)
    return state[..., 0]


def _with_dynamic_bits(code: Code, order: NDArray[np.int64]) -> PolarForm:
    """All checks as frozen bits: each input is information, or a sum of information before it."""
    sums, information = gf2.rref(kronecker_transform(np.ascontiguousarray(code.G[:, order])))
    frozen = np.ones(code.n, np.bool_)
    frozen[information] = False
    dynamic = np.flatnonzero(frozen & sums.any(axis=0))
    places = np.full(code.n, -1)
    places[dynamic] = np.arange(len(dynamic))
    masks = np.zeros((code.n, -(-len(dynamic) // 64)), np.uint64)
    masks[information] = gf2.pack(np.ascontiguousarray(sums[:, dynamic]))
    columns = np.zeros((code.n, 0), np.uint64)
    return PolarForm(Inputs(frozen, masks, places), 0, columns, _unless_natural(order))


def _columns_beyond(frozen: NDArray[np.bool_], G: Bits) -> NDArray[np.uint64]:
    """Packed columns, (n, W), of the checks that codewords satisfy beyond their frozen bits."""
    sums = gf2.null_space(kronecker_transform(G)[:, ~frozen])
    checks = np.zeros((len(sums), len(frozen)), np.uint8)
    checks[:, ~frozen] = sums
    # A sum of the inputs of x F is the sum of x times F^T, which is F with rows and columns reversed.
    return gf2.pack(np.ascontiguousarray(kronecker_transform(checks[:, ::-1])[:, ::-1].T))


def _unless_natural(order: NDArray[np.int64]) -> NDArray[np.int64] | None:
    return None if (order == np.arange(len(order))).all() else order


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
    return arranged(code).inputs.frozen


def _has_a_crc(G: Bits, frozen: NDArray[np.bool_], checks: int) -> bool:
    """Whether the information bits, or those of a systematic code, end in a CRC of the other bits."""
    return any(_ends_in_a_crc(words[:, ~frozen], checks) for words in (kronecker_transform(G), G))


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
    k = code.k if code.mother is None else code.mother.code.k
    everything = k + arranged(code).outer
    return max(paths, 1 << everything) if paths >= 1 << code.k and 1 << everything <= MAX_LIST else paths


def sc_cost(code: Code, work: float | None = None, *, int8: bool = False, **_: Any) -> Cost:
    """Successive cancellation: (n / 2) log2 n of each of two updates, and as many sums of decided bits.

    Box-plus in its max-log form takes three comparisons (two signs, a minimum) and an exclusive or; the other
    update is one addition (Arikan 2009; Leroux, Tal, Vardy and Gross 2011).
    """
    n = code.n if code.mother is None else code.mother.code.n
    half, width = n // 2 * int(math.log2(n)), 8 if int8 else REAL
    return Cost(additions=half, comparisons=3 * half, binary=2 * half, memory_bits=(width + 1) * 2 * n)


def scl_cost(code: Code, work: float | None = None, *, list: int = 8, int8: bool = False, **_: Any) -> Cost:
    """Successive-cancellation lists of L paths: L times `sc`, and a sort of 2 L path metrics per message bit.

    Of an adaptive list, which mostly ends earlier, this is the last attempt alone. The sort takes 2 L
    additions and 2 L log2(2 L) comparisons per bit.
    """
    sort = Cost(additions=2 * list, comparisons=2 * list * math.log2(2 * list), memory_bits=REAL * 2 * list)
    paths = sc_cost(code, int8=int8).times(list)
    return Cost(**vars(paths) | {"memory_bits": list * paths.memory_bits}) + sort.times(code.k)


SC = BuiltIn(
    sc,
    cost=sc_cost,
    cites="Arikan, IEEE Trans. IT 55(7), 2009",
    reach="polar codes, also with dynamic frozen bits (PAC, extended BCH), shortened or punctured",
    example=Example("polar-128-64", 3.0),
)
SCL = BuiltIn(
    scl,
    cost=scl_cost,
    cites="Tal and Vardy, IEEE Trans. IT 61(5), 2015",
    reach="polar codes, with a CRC or dynamic frozen bits (PAC, extended BCH), also shortened or punctured",
    example=Example("polar-128-64", 3.0),
    soft=scl_app,
    lister=scl_list,
    unit="paths",
)
