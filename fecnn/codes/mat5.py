"""Matrices of numbers in MATLAB's files of version 5 to 7.

SciPy reads more of these files, but damaged ones can end the process (SciPy 1.17): this reads the numbers and
the sparse matrices alone, and never beyond the file. (MathWorks, MAT-File Format, R2023b.)
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""NumPy's name for each type of stored data."""

MATRIX, COMPRESSED = 14, 15
SPARSE, FULL = 5, range(6, 16)
"""Classes of arrays: the full ones hold floats and integers."""


def arrays_of(raw: bytes, most: int) -> dict[str, NDArray[Any]]:
    """Two-dimensional arrays of numbers by name; sparse ones are filled up.

    Args:
        raw: The file, with its head of 128 bytes.
        most: Largest size in bytes to which a part may unpack, and most entries of an array.

    Raises:
        ValueError: If the file is damaged.
    """
    order = {b"IM": "<", b"MI": ">"}.get(raw[126:128])
    if order is None:
        raise ValueError("its head is damaged")
    arrays = {}
    for kind, data in _elements(raw[128:], order, padded=False):
        if kind == COMPRESSED:
            unpacked = zlib.decompressobj().decompress(data, most)
            kind, data = next(_elements(unpacked, order, padded=True), (0, b""))
        if kind == MATRIX:
            named = _array(data, order, most)
            if named is not None:
                arrays[named[0]] = named[1]
    return arrays


def _elements(raw: bytes, order: str, padded: bool) -> Iterator[tuple[int, bytes]]:
    """The type and the data of each element; those within a matrix fill up 8 bytes."""
    place = 0
    while place + 8 <= len(raw):
        kind, size = struct.unpack_from(f"{order}II", raw, place)
        if kind >> 16:  # up to four bytes beside the type
            size, kind = kind >> 16, kind & 0xFFFF
            if size > 4:
                raise ValueError("an element is too large for its head")
            yield kind, raw[place + 4 : place + 4 + size]
            place += 8
            continue
        if size > len(raw) - place - 8:
            raise ValueError("it is cut")
        yield kind, raw[place + 8 : place + 8 + size]
        place += 8 + size + (-size % 8 if padded or kind != COMPRESSED else 0)


def _array(data: bytes, order: str, most: int) -> tuple[str, NDArray[Any]] | None:
    """The name and the entries of a matrix; None if it is not one of numbers."""
    parts = list(_elements(data, order, padded=True))
    if len(parts) < 4 or len(parts[0][1]) < 8:
        return None
    (flags,) = struct.unpack_from(f"{order}I", parts[0][1])
    shape = _numbers(parts[1], order).tolist()
    name = parts[2][1].decode("ascii", "replace")
    if len(shape) != 2 or min(shape) < 1 or shape[0] * shape[1] > most:
        return None
    if flags & 0xFF == SPARSE and len(parts) >= 6:
        rows, starts = (_numbers(part, order).astype(np.int64) for part in parts[3:5])
        values = _numbers(parts[5], order)
        counts = np.diff(starts)
        if len(starts) != shape[1] + 1 or starts[0] != 0 or counts.min() < 0 or starts[-1] > len(values):
            raise ValueError(f"the sparse matrix {name} is damaged")
        rows, values = rows[: starts[-1]], values[: starts[-1]]
        if len(rows) < len(values) or (len(rows) and not 0 <= rows.min() <= rows.max() < shape[0]):
            raise ValueError(f"the sparse matrix {name} is damaged")
        full = np.zeros(shape, values.dtype)
        full[rows, np.repeat(np.arange(shape[1]), counts)] = values
        return name, full
    if flags & 0xFF in FULL:
        entries = _numbers(parts[3], order)
        if len(entries) != shape[0] * shape[1]:
            raise ValueError(f"the matrix {name} has {len(entries)} entries, not {shape[0]} by {shape[1]}")
        return name, entries.reshape(shape, order="F")
    return None


def _numbers(part: tuple[int, bytes], order: str) -> NDArray[Any]:
    kind, data = part
    if kind not in NUMBERS:
        raise ValueError(f"it has data of type {kind}, which is no number")
    dtype = np.dtype(order + NUMBERS[kind])
    return np.frombuffer(data[: len(data) - len(data) % dtype.itemsize], dtype)
