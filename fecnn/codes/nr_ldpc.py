"""The LDPC codes of 5G NR data channels: base graphs, lifting, and rate matching (3GPP TS 38.212)."""

import numpy as np

from fecnn.arrays import Bits
from fecnn.codes import gf2, nr_tables
from fecnn.codes.code import MAX_LENGTH, Code
from fecnn.codes.families import whole_number
from fecnn.codes.operations import rate_matched
from fecnn.errors import whole

MESSAGE_COLUMNS = {1: 22, 2: 10}
"""Columns of message bits of each base graph."""

LONGEST = {1: 8448, 2: 3840}
"""Most message bits of a code block."""

CORE_ROWS = 4
"""First rows of a base graph: their parity bits are sums of each other, all later ones stand alone."""

LIFTINGS: dict[int, int] = {
    a * 2**j: i for i, a in enumerate((2, 3, 5, 7, 9, 11, 13, 15)) for j in range(8) if a * 2**j <= 384
}
"""Table 5.3.2-1: lifting sizes, and the set of shifts that each takes."""


def nr_ldpc(k: int, n: int, *, base_graph: int | None = None, bits_per_symbol: int = 1) -> Code:
    """The 5G NR LDPC code of one code block: k message bits sent as n (3GPP TS 38.212, 5.3.2 and 5.4.2).

    Redundancy version 0, without CRC and segmentation. The first 2 Z message bits are not sent (Z is the
    lifting size), filler bits are zero, and where n exceeds what there is, bits are repeated. The `mother` is
    the lifted base graph without the parity bits that are not sent; belief propagation works on that.

    Args:
        k: Message bits, up to 8448 with base graph 1 and 3840 with base graph 2.
        n: Bits that are sent.
        base_graph: 1 or 2; by default as in section 7.2.2, by k and the rate.
        bits_per_symbol: Of the modulation, 1, 2, 4, 6 or 8; bits are interleaved for it (section 5.4.2.2).

    Raises:
        ValueError: If a number is out of range, n is no multiple of the bits per symbol, the lifted base
            graph is longer than 16384 bits, or n is too small (the message names the smallest).

    Example:
        >>> code = nr_ldpc(64, 128)
        >>> code, code.mother.code, len(code.mother.zero)
        (Code(nr-ldpc-128-64: n=128, k=64), Code(nr-ldpc-bg2-z11: n=198, k=110), 46)
    """
    k = whole_number("k", k, 1, max(LONGEST.values()))
    n = whole_number("n", n, 1, MAX_LENGTH)
    if bits_per_symbol not in (1, 2, 4, 6, 8):
        raise ValueError(f"bits_per_symbol must be 1, 2, 4, 6 or 8, got {bits_per_symbol!r}")
    if n % bits_per_symbol:
        near = n - n % bits_per_symbol
        raise ValueError(
            f"n must be a multiple of {bits_per_symbol} bits per symbol, got {n}; the nearest are {near} and "
            f"{near + bits_per_symbol}"
        )
    graph = _graph_of(k, n) if base_graph is None else whole("base_graph", base_graph)
    if graph not in LONGEST:
        raise ValueError(f"base_graph must be 1 or 2, got {graph}")
    if k > LONGEST[graph]:
        raise ValueError(f"k of base graph {graph} must be in 1..{LONGEST[graph]}, got {k}: use base graph 1")
    lifting = _lifting(k, graph)
    if (length := _length(k, n, graph)) > MAX_LENGTH:
        raise ValueError(
            f"base graph {graph} lifted by {lifting} has {length} bits for k = {k}, n = {n}, more than the "
            f"{MAX_LENGTH} of a code; {_nearest_short(k, n, base_graph)}"
        )
    places = _circular(k, n, graph, lifting)
    long = _lifted(graph, lifting, max(places) // lifting + 1)
    sent = np.array(places).reshape(bits_per_symbol, -1).T.reshape(-1).tolist()
    fillers = range(k, MESSAGE_COLUMNS[graph] * lifting)
    name = f"nr-ldpc-{n}-{k}" + ("" if bits_per_symbol == 1 else f"-q{bits_per_symbol}")
    try:
        return rate_matched(long, sent, fillers, name=name)
    except ValueError:
        least = _shortest(k, n, graph, lifting)
        raise ValueError(
            f"n = {n} bits do not tell all {k} message bits, of which the first {2 * lifting} are not sent; "
            f"the smallest n is {least}"
        ) from None


def _graph_of(k: int, n: int) -> int:
    """The base graph of section 7.2.2."""
    rate = k / n
    return 2 if k <= 292 or (k <= 3824 and rate <= 0.67) or rate <= 0.25 else 1


def _lifting(k: int, graph: int) -> int:
    """The smallest lifting size with room for the message bits."""
    columns = 22
    if graph == 2:
        columns = 10 if k > 640 else 9 if k > 560 else 8 if k > 192 else 6
    return min(size for size in LIFTINGS if size * columns >= k)


def _length(k: int, n: int, graph: int) -> int:
    """Length of the lifted graph with the columns up to the last one that n sent bits need."""
    lifting, message, columns = _lifting(k, graph), MESSAGE_COLUMNS[graph], 68 if graph == 1 else 52
    fillers = message * lifting - k
    last = 2 * lifting + min(n, (columns - 2) * lifting - fillers) - 1
    last += fillers if last >= k else 0
    return max(last // lifting + 1, message + CORE_ROWS) * lifting


def _fits(k: int, n: int, base_graph: int | None) -> bool:
    """Whether the code of k bits sent as n is short enough."""
    graph = base_graph or _graph_of(k, n)
    return k <= LONGEST[graph] and _length(k, n, graph) <= MAX_LENGTH


def _nearest_short(k: int, n: int, base_graph: int | None) -> str:
    """The nearest k and n whose codes are short enough, for an error message."""
    fitting = [other for other in range(1, max(LONGEST.values()) + 1) if _fits(other, n, base_graph)]
    near = [[it for it in fitting if it < k][-1:], [it for it in fitting if it > k][:1]]
    fewer = next(other for other in range(n - 1, 0, -1) if _fits(k, other, base_graph))
    ks = " or ".join(str(it) for some in near for it in some)
    return f"the nearest are k = {ks} with this n, or n = {fewer} with this k"


def _circular(k: int, n: int, graph: int, lifting: int) -> list[int]:
    """Positions of n bits of the lifted graph, around the buffer of all but the first two columns."""
    columns = 68 if graph == 1 else 52
    fillers = range(k, MESSAGE_COLUMNS[graph] * lifting)
    buffer = [place for place in range(2 * lifting, columns * lifting) if place not in fillers]
    return [buffer[i % len(buffer)] for i in range(n)]


def _lifted(graph: int, lifting: int, columns: int) -> Code:
    """The lifted base graph, without the rows of parity bits beyond these columns.

    Parity bits of rows after the first four appear nowhere else, so leaving them out leaves all other words.
    """
    message = MESSAGE_COLUMNS[graph]
    rows = max(columns - message, CORE_ROWS)
    columns = message + rows
    length = columns * lifting
    H = np.zeros((rows * lifting, length), np.uint8)
    shift_column = 2 + LIFTINGS[lifting]
    step = np.arange(lifting)
    for entry in nr_tables.base_graph(graph):
        row, column, shift = entry[0], entry[1], entry[shift_column]
        if row < rows and column < columns:
            H[row * lifting + step, column * lifting + (step + shift) % lifting] ^= 1
    return Code(_systematic(H, message * lifting), H, name=f"nr-ldpc-bg{graph}-z{lifting}")


def _systematic(H: Bits, k: int) -> Bits:
    """The generator whose first k bits are the message."""
    length = H.shape[1]
    reduced, pivots = gf2.rref(H, order=range(length - 1, k - 1, -1))
    G = np.zeros((k, length), np.uint8)
    G[:, :k] = np.eye(k, dtype=np.uint8)
    G[:, pivots] = reduced[:, :k].T
    return G


def _shortest(k: int, n: int, graph: int, lifting: int) -> int:
    """The smallest n above the given one from which all message bits can be told."""
    for more in range(max(n + 1, k), max(n, k) + 4 * lifting):
        places = _circular(k, more, graph, lifting)
        long = _lifted(graph, lifting, max(places) // lifting + 1)
        if gf2.rank(long.G[:k][:, places]) == k:
            return more
    raise AssertionError("two more columns than are punctured tell all message bits")
