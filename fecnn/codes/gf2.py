"""Linear algebra over GF(2) on rows packed into 64-bit words."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import Bits, compiled_for
from fecnn.codes.kernels import apply_map

Words = NDArray[np.uint64]

_ONES = np.unpackbits(np.arange(1 << 16, dtype=np.uint16).view(np.uint8).reshape(-1, 2), axis=1).sum(
    axis=1, dtype=np.uint8
)
"""Number of ones of all 16-bit numbers: `numpy.bitwise_count` came with NumPy 2."""


def pack(bits: Bits) -> Words:
    """Pack ``(..., n)`` bits into ``(..., ceil(n / 64))`` words; bit j is bit j % 64 of word j // 64.

    Example:
        >>> pack(np.array([[1, 0, 1], [0, 1, 1]], np.uint8))
        array([[5],
               [6]], dtype=uint64)
    """
    n = bits.shape[-1]
    padded = np.zeros((*bits.shape[:-1], -(-n // 64) * 64), np.uint8)
    padded[..., :n] = bits
    return np.packbits(padded, axis=-1, bitorder="little").view("<u8").astype(np.uint64, copy=False)


def unpack(words: Words, n: int) -> Bits:
    """The inverse of `pack`: ``(..., words)`` to ``(..., n)`` bits."""
    octets = np.ascontiguousarray(words.astype("<u8", copy=False)).view(np.uint8)
    return np.unpackbits(octets, axis=-1, count=n, bitorder="little")


def weights(words: NDArray[np.integer]) -> NDArray[np.int64]:
    """Number of ones in rows of 64-bit integers: ``(..., words)`` to ``(...)``.

    Example:
        >>> weights(np.array([[7, 1], [0, 1 << 40]], np.uint64))
        array([4, 1])
    """
    ones: NDArray[np.int64] = _ONES[words.view(np.uint16)].sum(axis=-1, dtype=np.int64)
    return ones


def rref(matrix: Bits, order: Iterable[int] | None = None) -> tuple[Bits, list[int]]:
    """Reduced row echelon form of ``(r, n)`` bits, and its pivot columns.

    Args:
        matrix: Bits of shape (r, n).
        order: Order in which columns are tried as pivots; left to right by default.

    Returns:
        The nonzero rows, shape (rank, n), and the pivot column of each row.

    Example:
        >>> rref(np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1]], np.uint8))
        (array([[1, 0, 1],
               [0, 1, 1]], dtype=uint8), [0, 1])
    """
    rows = pack(matrix)
    r, n = matrix.shape
    pivots: list[int] = []
    copied, words = -1, rows[:0].ravel()
    for column in range(n) if order is None else order:
        if len(pivots) == r:
            break
        word, shift = divmod(column, 64)
        if word != copied:  # in `rows` a column lies far apart
            copied, words = word, rows[:, word].copy()
        ones = np.flatnonzero((words >> np.uint64(shift)) & np.uint64(1))
        top = len(pivots)
        below = ones[ones >= top]
        if below.size == 0:
            continue
        pivot = int(below[0])
        rows[[top, pivot]] = rows[[pivot, top]]
        # The old top row, now at `pivot`, had a one in this column only if it was the pivot row itself.
        others = ones[(ones != pivot) & (ones != top)]
        rows[others] ^= rows[top]
        words[[top, pivot]] = words[[pivot, top]]
        words[others] ^= words[top]
        pivots.append(column)
    return unpack(rows[: len(pivots)], n), pivots


def rank(matrix: Bits) -> int:
    """Rank of ``(r, n)`` bits."""
    return len(rref(matrix, order=_units_first(matrix))[1])


def _units_first(matrix: Bits) -> list[int]:
    """The columns, those with a single one first: as pivots they change no other row."""
    return [int(column) for column in np.argsort(matrix.sum(axis=0) != 1, kind="stable")]


def are_orthogonal(G: Bits, H: Bits) -> bool:
    """Whether every row of G, (k, n), has an even number of ones in common with every row of H, (m, n)."""
    if G.shape[1] > 1024:  # where a table of sums is faster than counting
        return not LinearMap(np.ascontiguousarray(H.T))(G).any()
    common = G.astype(np.float32) @ H.T.astype(np.float32)  # exact: far below 2^24
    return not (common % 2).any()


def null_space(matrix: Bits) -> Bits:
    """A basis, shape (n - rank, n), of all x with ``matrix @ x = 0``.

    Example:
        >>> null_space(np.array([[1, 1, 1]], np.uint8))
        array([[1, 1, 0],
               [1, 0, 1]], dtype=uint8)
    """
    reduced, pivots = rref(matrix)
    n = matrix.shape[1]
    free = np.setdiff1d(np.arange(n), pivots)
    basis = np.zeros((free.size, n), np.uint8)
    basis[np.arange(free.size), free] = 1
    basis[:, pivots] = reduced[:, free].T
    return basis


def vanishing(matrix: Bits, columns: Iterable[int]) -> Bits:
    """Rows that span all vectors of the row space that are 0 in some columns; where possible, as they are.

    Independent rows give independent rows. The lightest row with a one in a column is added to the others
    that have one, and left out, so that sparse rows stay as sparse as possible.

    Example:
        >>> vanishing(np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1]], np.uint8), [0])
        array([[0, 1, 1],
               [0, 1, 1]], dtype=uint8)
    """
    rows = pack(matrix)
    for column in columns:
        word, shift = divmod(column, 64)
        ones = np.flatnonzero((rows[:, word] >> np.uint64(shift)) & np.uint64(1))
        if ones.size:
            lightest = ones[weights(rows[ones]).argmin()]
            rows[ones[ones != lightest]] ^= rows[lightest]
            rows = np.delete(rows, lightest, axis=0)
    return unpack(rows, matrix.shape[1])


def right_inverse(matrix: Bits) -> Bits:
    """The (n, k) bits X with ``matrix @ X = I`` for a (k, n) matrix of rank k.

    X is zero except in the rows of k columns of ``matrix``, unit columns as far as possible. For a systematic
    matrix, X simply picks the systematic positions.

    Raises:
        ValueError: If the matrix does not have full row rank.
    """
    k, n = matrix.shape
    augmented = np.concatenate([matrix, np.eye(k, dtype=np.uint8)], axis=1)
    reduced, pivots = rref(augmented, order=_units_first(matrix))
    if len(pivots) < k:
        raise ValueError(
            f"matrix of shape {matrix.shape} has rank {len(pivots)}; a right inverse needs rank {k}"
        )
    inverse = np.zeros((n, k), np.uint8)
    inverse[pivots] = reduced[:, n:]
    return inverse


class LinearMap:
    """``bits -> bits @ matrix`` for one fixed ``(r, c)`` matrix, eight input bits at a time.

    For each input byte, the XOR of the rows it selects is tabulated once, packed: ``table`` has shape
    (octets, 256, words).

    Example:
        >>> LinearMap(np.array([[1, 0, 1], [1, 1, 0]], np.uint8))(np.array([1, 1], np.uint8))
        array([0, 1, 1], dtype=uint8)
    """

    def __init__(self, matrix: Bits) -> None:
        r, self.columns = matrix.shape
        rows = pack(matrix)
        self.table = np.zeros((-(-r // 8), 256, rows.shape[1]), np.uint64)
        for row in range(r):
            octet, shift = divmod(row, 8)
            selected = (np.arange(256) >> shift) & 1 == 1
            self.table[octet, selected] ^= rows[row]

    def __call__(self, bits: Bits) -> Bits:
        """``(..., r)`` bits to ``(..., c)`` bits."""
        frames = math.prod(bits.shape[:-1])
        out = np.empty((frames, self.columns), np.uint8)
        apply_map(compiled_for(bits.reshape(frames, bits.shape[-1])), self.table, out)
        return out.reshape(*bits.shape[:-1], self.columns)
