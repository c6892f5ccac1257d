"""Product codes: words of two codes as columns and rows of a rectangle."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fecnn.arrays import Bits
from fecnn.codes import gf2
from fecnn.codes.code import MAX_LENGTH, Code, per_code
from fecnn.codes.operations import counted

Component = Code | str | Path | Mapping[str, Any]


def product(a: Component, b: Component | None = None) -> Code:
    """The product code (n_a n_b, k_a k_b) of two codes, of minimum distance d_a d_b (Elias 1954).

    A word is a rectangle of n_a by n_b bits, sent row by row: bit i n_b + j is in row i and column j. Its
    columns are words of a, its rows are words of b. A message is a rectangle of k_a by k_b bits, likewise; if
    both codes are systematic, it stands in the upper left corner. H has the checks of each column, and those
    of each row; they depend on each other, and none is left out.

    Args:
        a: The code of the columns; or anything that `fecnn.load_code` takes, such as a name.
        b: The code of the rows; by default the same.

    Returns:
        A code that `turbo-product` decodes. Its minimum distance is known where both are, because a word
        other than 0 has a row of at least d_b ones, and at least d_a in each of their columns.

    Raises:
        LookupError, FileNotFoundError: If a component does not exist.
        TypeError: If one is nothing that could be a code.
        ValueError: If the code would be too long.

    Example:
        >>> import fecnn
        >>> code = product(fecnn.hamming(3), fecnn.single_parity_check(4))
        >>> code, code.minimum_distance, code.H.shape
        (Code(product-28-12: n=28, k=12), 6, (19, 28))
        >>> product("ext-hamming-8-4")
        Code(product-64-16: n=64, k=16)
    """
    columns = _component(a, "a")
    rows = columns if b is None else _component(b, "b")
    n = columns.n * rows.n
    if n > MAX_LENGTH:
        raise ValueError(
            f"the product of {columns.name} and {rows.name} has length {n}; it may be at most {MAX_LENGTH}"
        )
    distances = [_distance(one) for one in (columns, rows)]
    known = [distance for distance in distances if distance is not None]
    code = Code(
        np.kron(columns.G, rows.G),
        np.concatenate(
            [
                np.kron(columns.H, np.eye(rows.n, dtype=np.uint8)),
                np.kron(np.eye(columns.n, dtype=np.uint8), rows.H),
            ]
        ),
        name=f"product-{n}-{columns.k * rows.k}",
        minimum_distance=known[0] * known[1] if len(known) == 2 else None,
    )
    return counted(code)


@per_code
def components(code: Code, columns: int | None = None) -> tuple[Code, Code] | None:
    """The codes of the columns and of the rows of a product code, found from its words alone.

    All columns of all words span a code, and so do all rows. Every word is in the product of these two;
    conversely, the code is their product if that has no more words. Components that are products themselves
    leave a choice: that of the rectangle closest to a square, and of these the one with longer rows.

    Args:
        code: Any code, its bits in the order of `product`.
        columns: The length of a row, to choose another rectangle.

    Returns:
        The two codes, with their minimum distances where these are quickly counted; None if the code is not a
        product of codes of length 2 or more.

    Example:
        >>> import fecnn
        >>> components(fecnn.product(fecnn.hamming(3), fecnn.repetition(3)))
        (Code(columns of product-21-4: n=7, k=4), Code(rows of product-21-4: n=3, k=1))
        >>> components(fecnn.hamming(4)) is None
        True
    """
    lengths = [length for length in range(2, code.n // 2 + 1) if code.n % length == 0]
    if columns is not None:
        lengths = [length for length in lengths if length == columns]
    for length in sorted(lengths, key=lambda length: (abs(length - code.n // length), -length)):
        words = code.G.reshape(code.k, code.n // length, length)
        rows = _span(words.reshape(-1, length))
        if code.k % len(rows):
            continue
        down = _span(words.transpose(0, 2, 1).reshape(-1, code.n // length))
        if len(down) * len(rows) == code.k:
            found = (down, f"columns of {code.name}"), (rows, f"rows of {code.name}")
            first, second = (counted(Code.from_generator(G, name=name)) for G, name in found)
            return first, second
    return None


def _component(given: Component, name: str) -> Code:
    """A component as a code."""
    from fecnn.codes.catalogue import is_recipe, load_code

    if isinstance(given, Code):
        return given
    if not isinstance(given, str | Path | Mapping) and not is_recipe(given):
        raise TypeError(
            f"{name} of a product is a code, its name or file, or a table of what it is made of, "
            f"got {given!r}"
        )
    return load_code(given)


def _distance(code: Code) -> int | None:
    """The minimum distance, if it is known or quickly counted."""
    if code.minimum_distance is None and code.known_spectrum is not None:
        return next(weight for weight, count in enumerate(code.known_spectrum) if weight and count)
    return code.minimum_distance or counted(code).minimum_distance


def _span(vectors: Bits) -> Bits:
    """A basis of what many vectors span, (r, n): that of some of them, and of those that this leaves out."""
    vectors = np.ascontiguousarray(vectors)
    basis, left = gf2.rref(vectors[:0])[0], vectors
    while len(left):
        basis = gf2.rref(np.concatenate([basis, left[: 4 * vectors.shape[1]]]))[0]
        if len(basis) == vectors.shape[1]:
            break
        checks = gf2.LinearMap(np.ascontiguousarray(gf2.null_space(basis).T))
        left = left[checks(left).any(axis=1)]
    return basis
