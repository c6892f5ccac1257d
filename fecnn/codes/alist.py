"""Parity-check matrices in alist files (MacKay, Encyclopedia of Sparse Graph Codes).

Line 1 holds n and m; line 2 the largest column and row weight; line 3 the n column weights; line 4 the m row
weights. Then come n lines with the rows of each column and m lines with the columns of each row, counted from
1. Lists may be padded with zeros up to the largest weight.
"""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from fecnn._files.atomic import write
from fecnn._files.text import read_text
from fecnn.arrays import Bits, as_bits
from fecnn.codes import gf2
from fecnn.codes.code import MAX_LENGTH

MAX_BYTES = 1 << 26
"""Largest alist file read."""

MAX_ENTRIES = 1 << 27
"""Largest number of entries, m n, of a matrix read."""


def read_alist(path: str | Path) -> Bits:
    """The parity-check matrix, ``(m, n)`` bits, of an alist file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not a consistent alist; the message names the file, the line and the fault.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_alist([[1, 1, 0], [0, 1, 1]], Path(folder, "h.alist"))
        ...     read_alist(Path(folder, "h.alist"))
        array([[1, 1, 0],
               [0, 1, 1]], dtype=uint8)
    """
    return _Reader(Path(path)).matrix()


def read_checks(path: str | Path) -> Bits:
    """The matrix of an alist file, provided it is not the transpose of H, which some programs write.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: As for `read_alist`, and if the matrix has more rows than columns, as only an H with many
            redundant checks may have.
    """
    H = read_alist(path)
    m, n = H.shape
    if m > n:
        rank = gf2.rank(H)
        meant = "" if rank == n else "; if you do mean many redundant checks, leave .T out"
        raise ValueError(
            f"{path} has {m} rows and only {n} columns: it looks transposed. Its transpose checks a "
            f"({m}, {m - rank}) code: Code.from_parity_check(fecnn.read_alist(path).T){meant}"
        )
    return H


def write_alist(H: ArrayLike, path: str | Path) -> None:
    """Write ``(m, n)`` bits as an alist file with zero-padded lists; the write is atomic.

    Raises:
        TypeError: If H does not hold numbers.
        ValueError: If H is not a binary matrix with columns.
        FileNotFoundError: If the folder does not exist.
    """
    bits = as_bits(H, "H")
    if bits.ndim != 2 or bits.shape[1] == 0:
        raise ValueError(f"H must be a matrix with columns, got shape {bits.shape}")
    columns = [np.flatnonzero(column) + 1 for column in bits.T]
    rows = [np.flatnonzero(row) + 1 for row in bits]
    widths = [max((len(entries) for entries in lists), default=0) for lists in (columns, rows)]
    lines = [[bits.shape[1], bits.shape[0]], widths, [len(c) for c in columns], [len(r) for r in rows]]
    for lists, width in zip((columns, rows), widths, strict=True):
        lines += [[*entries.tolist(), *[0] * (width - len(entries))] for entries in lists]
    write(path, "".join(" ".join(map(str, line)) + "\n" for line in lines), make_folder=False)


class _Reader:
    """One alist file: its lines, and errors that name the one at fault."""

    def __init__(self, path: Path) -> None:
        self.path = path
        text = read_text(path, MAX_BYTES, "an alist of a short code")
        # Bounded, so that no file creates millions of strings; excess lines are reported below.
        self.lines = text.removesuffix("\n").split("\n", maxsplit=4 * MAX_LENGTH) if text else []

    def fault(self, line: int, what: str) -> ValueError:
        return ValueError(f"{self.path}, line {line}: {what}")

    def numbers(self, line: int, what: str) -> list[int]:
        if line > len(self.lines):
            raise self.fault(line, f"the file ends before {what}")
        return [self.number(line, token) for token in self.lines[line - 1].split(maxsplit=2 * MAX_LENGTH)]

    def number(self, line: int, token: str) -> int:
        # Only plain digits: int() would also take 1_000, and digits of other scripts.
        if not (token.isascii() and token.isdigit() and len(token) <= 9):
            shown = token if len(token) <= 20 else token[:20] + "..."
            raise self.fault(line, f"{shown!r} is not a whole number from 0 to 999999999")
        return int(token)

    def exactly(self, line: int, count: int, what: str, exchanged: int = -1) -> list[int]:
        found = self.numbers(line, what)
        if len(found) != count:
            hint = "; are n and m in line 1 exchanged?" if line == 3 and len(found) == exchanged else ""
            raise self.fault(line, f"expected {what}, {count} in all, found {len(found)}{hint}")
        return found

    def matrix(self) -> Bits:
        n, m = self.exactly(1, 2, "n and m")
        if not 1 <= n <= MAX_LENGTH or m > 2 * MAX_LENGTH or n * m > MAX_ENTRIES:
            limit = f"n 1 to {MAX_LENGTH}, m at most {2 * MAX_LENGTH}, m n at most {MAX_ENTRIES}"
            raise self.fault(1, f"n = {n} columns, m = {m} rows are out of range ({limit})")
        if len(self.lines) < n + m + 4:
            raise self.fault(
                len(self.lines) + 1, f"the file ends early: n + m + 4 = {n + m + 4} lines needed"
            )
        self.refuse_more(n + m + 4)
        widths = self.exactly(2, 2, "the largest column and row weight")
        weights = [self.weights(3, n, widths[0], m, "column"), self.weights(4, m, widths[1], n, "row")]
        columns = [self.entries(5 + j, weights[0][j], widths[0], m, f"column {j + 1}") for j in range(n)]
        rows = [self.entries(5 + n + i, weights[1][i], widths[1], n, f"row {i + 1}") for i in range(m)]
        H = np.zeros((m, n), np.uint8)
        for j, members in enumerate(columns):
            H[members, j] = 1
        self.compare(H, rows)
        return H

    def refuse_more(self, expected: int) -> None:
        for line in range(expected + 1, len(self.lines) + 1):
            if self.lines[line - 1].strip():
                raise self.fault(line, f"unexpected text after the last list, which is on line {expected}")

    def weights(self, line: int, count: int, largest: int, limit: int, kind: str) -> list[int]:
        weights = self.exactly(line, count, f"the {kind} weights", exchanged=limit)
        if max(weights, default=0) != largest:
            raise self.fault(
                line, f"the largest {kind} weight is {max(weights, default=0)}, but line 2 says {largest}"
            )
        if largest > limit:
            raise self.fault(line, f"a {kind} weight is {largest}, but a {kind} has {limit} entries")
        return weights

    def entries(self, line: int, weight: int, width: int, limit: int, whose: str) -> list[int]:
        """The 0-based positions of a list of ``weight`` positions, with or without zero padding."""
        found = self.numbers(line, f"the list of {whose}")
        positions, padding = found[:weight], found[weight:]
        if len(positions) < weight or 0 in positions:
            raise self.fault(line, f"{whose} has weight {weight}, but {sum(map(bool, found))} positions")
        if any(padding) or len(found) > max(width, weight):
            raise self.fault(line, f"{whose} has weight {weight}, but the list continues: {found[weight]}")
        if max(positions, default=0) > limit:
            raise self.fault(line, f"{whose} lists position {max(positions)}, but there are only {limit}")
        if len(set(positions)) < weight:
            twice = next(position for position in positions if positions.count(position) > 1)
            raise self.fault(line, f"{whose} lists position {twice} twice")
        return [position - 1 for position in positions]

    def compare(self, H: Bits, rows: list[list[int]]) -> None:
        n = H.shape[1]
        for i, members in enumerate(rows):
            listed = np.zeros(n, np.uint8)
            listed[members] = 1
            differ = np.flatnonzero(listed != H[i])
            if differ.size:
                j = int(differ[0])
                row, column = f"row {i + 1}", f"column {j + 1} (line {5 + j})"
                one, other = (row, column) if listed[j] else (column, row)
                raise self.fault(5 + n + i, f"{one} lists {other}, but not the other way round")
