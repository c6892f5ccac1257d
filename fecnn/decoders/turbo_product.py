"""Turbo decoding of product codes: soft decisions of rows and columns, in turn."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.arrays import hard as hard_decision
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.codes.product import components
from fecnn.decoders.chase import MAX_POSITIONS, chase2_cost, prepared
from fecnn.decoders.contract import Decoder, Effort, Measured
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.registry import BuiltIn, Example

LIMIT = 2.0**40
"""Largest belief, if the largest LLR of a frame is 1: enough, and sums of it are finite."""


def turbo_product(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    iterations: int = 8,
    positions: int = 5,
    alpha: float = 0.5,
    beta: float = 0.5,
    t: int | None = None,
    columns: int | None = None,
) -> Decoder:
    """Turbo decoding of product codes by soft Chase decoders (Pyndiah, IEEE Trans. Comm. 46(8), 1998).

    Rows and columns are decoded in turn by `chase2` with soft output. Each half-iteration starts from the
    LLRs of the channel plus ``alpha`` times the extrinsic LLRs of the one before. A frame is finished when
    its decisions are codewords in rows and columns; if they never are, it keeps the last ones and is counted
    as uncertified. The work of a frame is its number of half-iterations, 0 if its hard decision is a
    codeword.

    Extrinsic LLRs are differences of metrics, or a share of the mean reliability of a row, and so grow with
    the LLRs: decisions do not depend on the noise level. Pyndiah divides them by their mean instead, and
    raises alpha from 0.2 to 1 and beta from 0.2 to 1 over the half-iterations; here both are constant, like
    the alpha of AFF3CT.

    Args:
        code: A product code, such as `fecnn.product` makes; it is recognised by its words, its bits row by
            row. The codes of its rows and columns must suit `chase2`.
        channel: Not used: LLRs are enough.
        iterations: Maximum number of iterations, of rows and columns each; 1 or more.
        positions: Least reliable positions of a row or column whose flips are all tried, 0 to 20; of shorter
            rows and columns, all.
        alpha: Weight of the extrinsic LLRs, 0 or more.
        beta: Where all codewords that were found agree in a bit: its extrinsic LLR, in mean reliabilities of
            its row or column; 0 or more. See `fecnn.decoders.chase.chase2_app`.
        t: Errors that hard decisions of rows and columns correct. The default is (d - 1) // 2, or as many as
            algebra can correct.
        columns: The length of a row, if the code is a product in several ways. By default the rectangle is as
            close to a square as possible.

    Raises:
        ValueError: If the code is not a product, an option is out of range, or no Chase decoder fits the rows
            or columns.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("turbo-product", fecnn.product("ext-hamming-8-4"))
        >>> llr = np.full((8, 8), 1.0, np.float32)
        >>> llr[2:5, 3] = llr[3, 2:5] = -0.5
        >>> bits, effort = decode.measure(llr.reshape(1, 64))
        >>> int(bits.sum()), int(effort.work[0])
        (0, 2)
    """
    if not isinstance(iterations, int) or iterations < 1:
        raise ValueError(f"iterations must be 1 or more, got {iterations!r}")
    for name, value in (("alpha", alpha), ("beta", beta)):
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be 0 or more, got {value}")
    if not isinstance(positions, int) or not 0 <= positions <= MAX_POSITIONS:
        raise ValueError(f"positions must be in 0..{MAX_POSITIONS}, got {positions!r}")
    down, along = _split(code, columns)
    chase = [prepared(one, min(positions, one.n), t) for one in (along, down)]
    shape = (-1, down.n, along.n)

    def soft(belief: LLR, half: int) -> tuple[LLR, NDArray[np.bool_]]:
        """A-posteriori LLRs by rows or, in odd half-iterations, by columns; and where all are codewords."""
        lines = np.ascontiguousarray(belief.transpose(0, 2, 1)) if half % 2 else belief
        _, app, effort = chase[half % 2](lines.reshape(-1, lines.shape[2]), float(beta))
        app = app.reshape(lines.shape)
        app = np.ascontiguousarray(app.transpose(0, 2, 1)) if half % 2 else app
        lost = effort.uncertified.reshape(len(lines), -1).any(axis=1)
        unchecked = code.syndrome(hard_decision(app).reshape(-1, code.n)).any(axis=1)
        return app, np.asarray(~(lost | unchecked))

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out, used = hard_decision(llr), np.zeros(len(llr), np.int64)
        left = np.flatnonzero(code.syndrome(out).any(axis=1))
        uncertified = np.zeros(len(llr), np.bool_)
        uncertified[left] = True
        given = _of_size_one(llr[left]).reshape(shape)
        extrinsic = np.zeros_like(given)
        for half in range(2 * iterations):
            if not len(left):
                break
            belief = np.clip(given + np.float32(alpha) * extrinsic, -LIMIT, LIMIT, dtype=np.float32)
            app, done = soft(belief, half)
            out[left], used[left] = hard_decision(app).reshape(-1, code.n), half + 1
            uncertified[left[done]] = False
            left, given, extrinsic = left[~done], given[~done], (app - belief)[~done]
        return out, Effort(used, uncertified)

    return Measured(measure)


def _split(code: Code, columns: int | None) -> tuple[Code, Code]:
    """The codes of the columns and of the rows."""
    found = components(code, columns)
    if found is None:
        way = "" if columns is None else f" with rows of {columns} bits"
        raise ValueError(
            f"{code.name} is not a product of two codes{way}; fecnn.product makes them, and its bits must be "
            "in that order, row by row"
        )
    return found


def _of_size_one(llr: LLR) -> LLR:
    """Frames (B, n) divided by a power of two, so that their largest LLR is between 1/2 and 1."""
    _, exponent = np.frexp(np.abs(llr).max(axis=1, keepdims=True))
    scaled: LLR = np.ldexp(llr, -exponent).astype(np.float32, copy=False)
    return scaled


def turbo_product_cost(
    code: Code,
    work: float | None = None,
    *,
    iterations: int = 8,
    positions: int = 5,
    t: int | None = None,
    columns: int | None = None,
    **_: Any,
) -> Cost:
    """Half-iterations, ``work`` or else all: a Chase decoder of each row or column, and n extrinsic LLRs.

    Soft output takes a comparison for each bit and pattern, and two additions for each bit. Combining LLRs
    takes a multiplication and two additions, and the check of all decisions an exclusive or for each one
    of H.

    Raises:
        ValueError: If the code is not a product.
    """
    down, along = _split(code, columns)
    each = Cost(
        multiplications=code.n,
        additions=4 * code.n,
        binary=int(code.H.sum()),
        memory_bits=3 * REAL * code.n,
    )
    total = Cost()
    for one, lines in ((along, down.n), (down, along.n)):
        size = min(positions, one.n)
        line = chase2_cost(one, positions=size, t=t) + Cost(comparisons=2.0**size * one.n)
        total += line.times(lines) + each
    return total.times((2 * iterations if work is None else work) / 2)


TURBO_PRODUCT = BuiltIn(
    turbo_product,
    cost=turbo_product_cost,
    cites="Pyndiah, IEEE Trans. Comm. 46(8), 1998",
    reach="product codes whose rows and columns suit `chase2`",
    example=Example("product-64-16", 3.0),
    unit="half-iterations",
)
