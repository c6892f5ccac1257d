"""Parity-check matrices in alist files (MacKay, Encyclopedia of Sparse Graph Codes).

Line 1 holds n and m; line 2 the largest column and row weight; line 3 the n column weights; line 4 the m row
weights. Then come n lines with the rows of each column and m lines with the columns of each row, counted from
1. Lists may be padded with zeros up to the largest weight.

Read too: comments after ``#``, ``%`` or ``//``, empty lines, numbers that are wrapped over lines in any way,
files without the lists of rows, and the short form without weights (line 3 is the first column).
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fecnn._files.atomic import write
from fecnn._files.text import read_text
from fecnn.arrays import Bits, as_bits
from fecnn.codes.code import MAX_LENGTH

MAX_BYTES = 1 << 26
"""Largest alist file read."""

MAX_ENTRIES = 1 << 27
"""Largest number of entries, m n, of a matrix read."""


def read_alist(path: str | Path) -> Bits:
    """The parity-check matrix, ``(m, n)`` bits, of an alist file.

    Args:
        path: The file.

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
    return alist_of(read_text(Path(path), MAX_BYTES, "an alist of a short code"), Path(path))


def alist_of(text: str, path: Path) -> Bits:
    """The matrix that the text of an alist file describes, in any of its spellings.

    Raises:
        ValueError: If it is not a consistent alist, naming the file, the line and the fault.
    """
    lines = _lines(text)
    usual = _Reader(path, lines)
    n, m = usual.sizes()
    try:
        return usual.matrix()
    except ValueError as error:
        for respelled in _spellings([line for line in lines if line.tokens], n, m):
            with suppress(ValueError):
                return _Reader(path, respelled).matrix()
        raise error


def write_alist(H: ArrayLike, path: str | Path) -> None:
    """Write a matrix as an alist file with zero-padded lists; the write is atomic.

    Args:
        H: The matrix, ``(m, n)`` bits.
        path: The file.

    Raises:
        TypeError: If H does not hold numbers.
        ValueError: If H is not a binary matrix with columns.
        FileNotFoundError: If the folder does not exist.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_alist([[1, 1, 0], [0, 1, 1]], Path(folder, "h.alist"))
        ...     Path(folder, "h.alist").read_text().splitlines()[0]
        '3 2'
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


class _Line(NamedTuple):
    """The numbers of a line, as written, and its number in the file."""

    number: int
    tokens: list[str]


def _lines(text: str) -> list[_Line]:
    """The lines of a file from the first number on, without comments."""
    # Bounded, so that no file creates millions of strings; excess lines are reported as a fault.
    raw = text.removesuffix("\n").split("\n", maxsplit=4 * MAX_LENGTH) if text else []
    lines: list[_Line] = []
    for number, line in enumerate(raw, 1):
        content = _COMMENT.sub("", line)
        if content.strip() or (lines and content == line):
            lines.append(_Line(number, content.split(maxsplit=2 * MAX_LENGTH)))
    return lines


_COMMENT = re.compile(r"(#|%|//).*")


def _has_weights(lines: list[_Line], n: int, m: int) -> bool:
    return len(lines) >= 4 and len(lines[2].tokens) == n and len(lines[3].tokens) == m


def _spellings(lines: list[_Line], n: int, m: int) -> Iterator[list[_Line]]:
    """The ways to read lines that are not laid out as usual, as lines that are."""
    if _has_weights(lines, n, m):
        yield lines  # without empty lines
        if len(lines) == n + 4:
            yield [*lines, *_rows_of([_members(line) for line in lines[4:]], m)]
    if len(lines) in (n + 2, n + m + 2):
        columns, rows = lines[2 : n + 2], lines[n + 2 :]
        members = [_members(line) for line in columns]
        rows = rows or _rows_of(members, m)
        weights = [[str(len(each)) for each in members], [str(len(_members(row))) for row in rows]]
        yield [*lines[:2], *(_Line(2, each) for each in weights), *columns, *rows]
    yield from _streams([(token, line.number) for line in lines for token in line.tokens], n, m)


def _streams(tokens: list[tuple[str, int]], n: int, m: int) -> Iterator[list[_Line]]:
    """Numbers wherever the lines end, as `fscanf` reads them: the weights say how long the lists are."""
    head = tokens[: 4 + n + m]
    if len(head) < 4 + n + m or not all(token.isdecimal() and len(token) <= 5 for token, _ in head):
        return
    widths = [int(head[2][0]), int(head[3][0])]
    weights = [[int(token) for token, _ in part] for part in (head[4 : 4 + n], head[4 + n :])]
    padded = [[widths[0]] * n, [widths[1]] * m]
    for columns in (weights[0], padded[0]):
        for rows in (weights[1], padded[1], None):
            lengths = [2, 2, n, m, *columns, *(rows or ())]
            if sum(lengths) != len(tokens):
                continue
            lines, taken = [], 0
            for length in lengths:
                part = tokens[taken : taken + length]
                lines.append(_Line(part[0][1] if part else 0, [token for token, _ in part]))
                taken += length
            if rows is None:
                lines += _rows_of([_members(line) for line in lines[4:]], m)
            yield lines


def _members(line: _Line) -> list[str]:
    return [token for token in line.tokens if token.strip("0")]


def _rows_of(columns: list[list[str]], m: int) -> list[_Line]:
    """The lists of rows that lists of columns imply."""
    rows: list[list[str]] = [[] for _ in range(m)]
    for j, members in enumerate(columns, 1):
        for token in members:
            if token.isdecimal() and len(token) <= 5 and 1 <= int(token) <= m:
                rows[int(token) - 1].append(str(j))
    return [_Line(0, row) for row in rows]


class _Reader:
    """An alist laid out as usual: its lines, and errors that name the one at fault."""

    def __init__(self, path: Path, lines: list[_Line]) -> None:
        self.path = path
        self.lines = lines

    def fault(self, line: int, what: str) -> ValueError:
        if line <= len(self.lines):
            number = self.lines[line - 1].number
        else:
            number = self.lines[-1].number + line - len(self.lines) if self.lines else line
        return ValueError(f"{self.path}, line {number}: {what}")

    def numbers(self, line: int, what: str) -> list[int]:
        if line > len(self.lines):
            raise self.fault(line, f"the file ends before {what}")
        return [self.number(line, token) for token in self.lines[line - 1].tokens]

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

    def sizes(self) -> tuple[int, int]:
        """The numbers of columns and rows."""
        header = self.numbers(1, "n and m")
        if len(header) > 3:  # all on one line, perhaps
            header = header[:2]
        if len(header) == 3:
            raise self.fault(
                1,
                f"three numbers, n m q, as a non-binary alist over GF({header[2]}) has; "
                "only binary codes are read",
            )
        if len(header) < 2:
            raise self.fault(1, f"expected n and m, 2 in all, found {len(header)}")
        n, m = header
        if not 1 <= n <= MAX_LENGTH or m > 2 * MAX_LENGTH or n * m > MAX_ENTRIES:
            limit = f"n 1 to {MAX_LENGTH}, m at most {2 * MAX_LENGTH}, m n at most {MAX_ENTRIES}"
            raise self.fault(1, f"n = {n} columns, m = {m} rows are out of range ({limit})")
        return n, m

    def matrix(self) -> Bits:
        n, m = self.sizes()
        self.exactly(1, 2, "n and m")
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
            if self.lines[line - 1].tokens:
                raise self.fault(
                    line,
                    f"unexpected text after the last list, which is on line "
                    f"{self.lines[expected - 1].number}",
                )

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
                row, column = f"row {i + 1}", f"column {j + 1} (line {self.lines[4 + j].number})"
                one, other = (row, column) if listed[j] else (column, row)
                raise self.fault(5 + n + i, f"{one} lists {other}, but not the other way round")
