"""Bit orders for trellises: the order of a code's bits decides the size of its trellis.

The minimal trellis has 2^s(t) states at depth t, where s(t) = rank of the first t columns + rank of the
others - rank of all, for G as well as for H (Forney, IEEE Trans. IT 34(5), 1988). Finding the best order is
NP-hard (Horn and Kschischang, IEEE Trans. IT 42(6), 1996). Good orders are known for some families, and a
search improves on them.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from fecnn.codes import gf2
from fecnn.codes.code import Code
from fecnn.codes.kernels import anneal, count_states

Order = tuple[int, ...]

STEPS = 400_000
"""Moves tried from each start."""


def state_dimensions(code: Code, order: Iterable[int] | None = None) -> NDArray[np.int64]:
    """s(0), ..., s(n): log2 of the states of the minimal trellis at each depth, shape (n + 1,).

    Args:
        code: Any code.
        order: Order in which the trellis takes the positions; 0 to n - 1 by default.

    Example:
        >>> import fecnn
        >>> state_dimensions(fecnn.single_parity_check(4))
        array([0, 1, 1, 1, 0])
    """
    columns = _columns(code)
    taken = np.arange(code.n) if order is None else np.array(tuple(order))
    return (
        _prefix_ranks(columns, taken)
        + _prefix_ranks(columns, taken[::-1])[::-1]
        - min(code.k, code.n - code.k)
    )


def trellis_states(code: Code, order: Iterable[int] | None = None) -> int:
    """Number of states of the minimal trellis, summed over depths 1 to n."""
    return sum(2 ** int(s) for s in state_dimensions(code, order)[1:])


def bit_order(code: Code) -> Order:
    """The bit order for this code's trellis: the stored one, else the best standard order."""
    if code.bit_order is not None:
        return code.bit_order
    return min(_at_hand(code), key=lambda order: trellis_states(code, order))


def search_bit_order(code: Code, *, steps: int = STEPS, seed: int = 1) -> Order:
    """An order with a small trellis, found by simulated annealing from each order known to be good.

    The starts are the natural order, the bit-reversed order (n a power of two: for polar and Reed-Muller
    codes), the positions of a primitive or extended code sorted by the binary label of their field element,
    and a random order. A move swaps two positions, or moves one elsewhere.

    Args:
        code: A code with min(k, n - k) at most 64.
        steps: Moves tried from each start; 400,000 take about ten seconds.
        seed: Seed of the moves; the same seed finds the same order.

    Raises:
        ValueError: If min(k, n - k) is above 64.

    Example:
        >>> import fecnn
        >>> code = fecnn.load_code("polar-16-8")
        >>> trellis_states(code, range(16)), trellis_states(code, search_bit_order(code, steps=2000))
        (573, 81)
    """
    columns = _columns(code)
    if columns.shape[1] > 1:
        raise ValueError(
            f"a bit order search needs min(k, n - k) <= 64; {code.name} has {min(code.k, code.n - code.k)}"
        )
    rng = np.random.default_rng(seed)
    starts = [*_at_hand(code), *label_orders(code), tuple(rng.permutation(code.n).tolist())]
    found = []
    for start in starts:
        best = np.array(start)
        anneal(columns[:, 0].copy(), best, steps, rng)
        found.append(tuple(best.tolist()))
    # Of equal orders the first wins, and starts come first: the simplest order is preferred.
    return min([*starts, *found], key=lambda order: trellis_states(code, order))


def with_message_bits(code: Code) -> tuple[Code, NDArray[np.int64]]:
    """The code extended by its message bits, each placed where the trellis grows least.

    Returns:
        The longer code, whose first n positions are those of ``code``, and the position of each message bit,
        (k,). A message bit that equals a code bit gets no new position.

    Raises:
        ValueError: If k > 64.

    Example:
        >>> import fecnn
        >>> code = fecnn.load_code("polar-16-8")
        >>> longer, positions = with_message_bits(code)
        >>> longer.n, trellis_states(longer, longer.bit_order)
        (23, 337)
    """
    if code.k > 64:
        raise ValueError(f"a trellis carries message bits only for k <= 64; {code.name} has k = {code.k}")
    columns = gf2.pack(np.ascontiguousarray(code.G.T))[:, 0].tolist()
    order, positions = list(bit_order(code)), []
    basis, ranks = np.empty(64, np.uint64), np.empty(code.n + code.k + 1, np.int64)

    def states_with(place: int) -> float:
        longer = np.array([*order[:place], len(columns) - 1, *order[place:]])
        return float(count_states(np.array(columns, np.uint64), longer, basis, ranks))

    for i in range(code.k):
        if 1 << i not in columns:
            columns.append(1 << i)
            order.insert(min(range(len(order) + 1), key=states_with), len(columns) - 1)
        positions.append(columns.index(1 << i))
    G = gf2.unpack(np.array(columns, np.uint64)[:, None], code.k).T
    longer = Code.from_generator(G, name=f"{code.name} with its message bits")
    return dataclasses.replace(longer, bit_order=tuple(order)), np.array(positions)


def _at_hand(code: Code) -> list[Order]:
    """Standard orders that need no search: natural, and bit-reversed if n is a power of two."""
    n = code.n
    orders = [tuple(range(n))]
    if n & (n - 1) == 0 and n > 2:
        width = n.bit_length() - 1
        orders.append(tuple(int(f"{j:0{width}b}"[::-1], 2) for j in range(n)))
    return orders


def label_orders(code: Code) -> list[Order]:
    """Positions sorted by their field element as a binary number; n = 2^m - 1, or 2^m with the zero last.

    Position j stands for alpha^(2^m - 2 - j), the numbering galois uses for BCH codes. In this order a
    primitive code shares much structure with the Reed-Muller codes it contains and is contained in (Kasami,
    Takata, Fujiwara and Lin, IEEE Trans. IT 39(1), 1993).
    """
    m = code.n.bit_length() if (code.n + 1) & code.n == 0 else code.n.bit_length() - 1
    if code.n not in (2**m - 1, 2**m) or not 3 <= m <= 10:
        return []
    import galois  # takes seconds to import, so only where an order is searched

    polynomial = int(galois.matlab_primitive_poly(2, m))
    labels, element = [0] * (code.n - 2**m + 1), 1
    for _ in range(2**m - 1):
        labels.insert(0, element)
        element = (element << 1) ^ (polynomial if element >> (m - 1) else 0)
    return [tuple(np.argsort(labels).tolist())]


def _columns(code: Code) -> NDArray[np.uint64]:
    """Packed columns of G or of a basis of the dual, whichever has fewer rows: (n, words)."""
    rows = code.G if code.k <= code.n - code.k else gf2.rref(code.H)[0]
    if len(rows) == 0:
        return np.zeros((code.n, 1), np.uint64)
    return gf2.pack(np.ascontiguousarray(rows.T))


def _prefix_ranks(columns: NDArray[np.uint64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ranks of the first t columns, t = 0..n; they grow at the pivots of a left-to-right elimination."""
    rows = gf2.unpack(columns[order], 64 * columns.shape[1]).T
    grows = np.zeros(len(order), np.int64)
    grows[gf2.rref(np.ascontiguousarray(rows))[1]] = 1
    return np.concatenate([[0], np.cumsum(grows)])
