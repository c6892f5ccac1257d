"""Hard-decision decoding by a table of coset leaders, or by algebra where the table would be too large."""

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.arrays import hard as hard_decision
from fecnn.channel import Channel
from fecnn.code import Code
from fecnn.decoders import Decoder
from fecnn.decoders.berlekamp_massey import algebra_of, berlekamp_massey
from fecnn.decoders.kernels import coset

MAX_CHECKS = 24
"""Largest n - k whose 2**(n-k) syndromes are tabulated (two bytes each, and eight while building)."""


def hard(code: Code, channel: Channel | None = None, /, *, t: int | None = None) -> Decoder:
    """Bounded-distance hard-decision decoding: corrects up to t errors, else leaves the hard decision.

    By a table of coset leaders, or for n - k > 24 by Berlekamp and Massey's algorithm for cyclic codes.

    Args:
        code: n - k at most 24, or a cyclic code such as BCH, or one extended by a parity bit.
        channel: Not used.
        t: Errors to correct, 0 or more; (d - 1) // 2 of the code's minimum distance d if not given.

    Raises:
        ValueError: If n - k > 24 and the code is not cyclic or t more than half its designed distance; if
            t < 0; or if t is not given and d is neither known nor computable.

    Example:
        >>> import fecnn
        >>> fecnn.decoder("hard", fecnn.hamming(3))(np.float32([1, -1, 1, 1, 1, 1, 1]))
        array([0, 0, 0, 0, 0, 0, 0], dtype=uint8)
    """
    if code.n - code.k > MAX_CHECKS and algebra_of(code) is not None:
        known = code.minimum_distance
        return berlekamp_massey(code, t=(known - 1) // 2 if t is None and known is not None else t)
    _check_size(code)
    if t is None:
        t = (minimum_distance(code) - 1) // 2
    if t < 0:
        raise ValueError(f"t must be 0 or more errors, got {t}")
    return _corrector(code, min(t, code.n))


def hard_ml(code: Code, channel: Channel | None = None, /) -> Decoder:
    """Hard-decision maximum likelihood: flips a least-weight leader of the coset (Slepian 1956).

    Raises:
        ValueError: If n - k > 24.
    """
    _check_size(code)
    return _corrector(code, code.n)


def _check_size(code: Code) -> None:
    if code.n - code.k > MAX_CHECKS:
        raise too_many_checks(code)


def too_many_checks(code: Code) -> ValueError:
    """The error of a code whose table of coset leaders is too large."""
    checks = code.n - code.k
    return ValueError(
        f"{code.name} has n - k = {checks}: a table of 2**{checks} syndromes (at most 2**{MAX_CHECKS}); "
        "use osd, which needs none"
    )


def minimum_distance(code: Code) -> int:
    """That of the code, counted if need be.

    Raises:
        ValueError: If it is neither known nor computable.
    """
    if code.minimum_distance is not None:
        return code.minimum_distance
    try:
        spectrum = code.weight_spectrum()
    except ValueError as error:
        raise ValueError(f"the minimum distance of {code.name} is not known ({error}); give t") from None
    return next(weight for weight, count in enumerate(spectrum) if weight and count)


def table_of_leaders(code: Code, radius: int) -> NDArray[np.int16]:
    """(2**(n-k),) what to flip first for each syndrome, -1 for leaders beyond the radius: see the kernel."""
    flip = np.empty(1 << (code.n - code.k), np.int16)
    columns = np.ascontiguousarray(code.parity_columns[:, 0]) if code.n > code.k else np.zeros(1, np.uint64)
    coset.grow(columns, radius, flip)
    return flip


def _corrector(code: Code, radius: int) -> Decoder:
    if code.n == code.k:
        return hard_decision
    columns = np.ascontiguousarray(code.parity_columns[:, 0])
    flip = table_of_leaders(code, radius)

    def decode(llr: LLR) -> Bits:
        out = np.empty(llr.shape, np.uint8)
        coset.correct(llr, columns, flip, out)
        return out

    return decode
