"""Hard-decision decoding by a table of coset leaders, or by algebra if the table would be too large."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.arrays import hard as hard_decision
from fecnn.channels.channel import Channel
from fecnn.codes import gf2
from fecnn.codes.code import Code
from fecnn.decoders.berlekamp_massey import algebra_of, berlekamp_massey, berlekamp_massey_cost
from fecnn.decoders.contract import Decoder, Effort, Measured
from fecnn.decoders.cost import Cost
from fecnn.decoders.erasures import with_erasures
from fecnn.decoders.kernels import coset
from fecnn.decoders.ml import safe_distance
from fecnn.decoders.registry import BuiltIn, Example

MAX_CHECKS = 24
"""Largest n - k whose 2**(n-k) syndromes are tabulated (two bytes each, eight while building)."""


def hard(
    code: Code, channel: Channel | None = None, /, *, t: int | None = None, int8: bool = False
) -> Decoder:
    """Bounded-distance hard-decision decoding: corrects up to t errors, else leaves the hard decision.

    It uses a table of coset leaders (Slepian 1956), or for n - k > 24 the Berlekamp-Massey algorithm for
    cyclic codes. LLRs of 0 are erasures: e errors and s of these are corrected if 2 e + s <= 2 t (see
    `fecnn.decoders.erasures`). A frame with more than can be corrected has an output that is not a codeword
    and is counted as uncertified. The work is always the same and counted as 0.

    Args:
        code: A code with n - k at most 24, a cyclic code such as BCH, or one extended by a parity bit.
        channel: Not used.
        t: Errors to correct, 0 or more. The default is (d - 1) // 2 for the code's minimum distance d. If
            n - k > 24 and the zeros of the code guarantee less, it is half the designed distance, and a
            warning says so.
        int8: As for `fecnn.decoders.berlekamp_massey.berlekamp_massey`.

    Raises:
        ValueError: If n - k > 24 and the code is not cyclic or t exceeds half its designed distance; if
            t < 0; or if t is not given and d is neither known nor computable.

    Example:
        >>> import fecnn
        >>> fecnn.decoder("hard", fecnn.hamming(3))(np.float32([1, -1, 1, 1, 1, 1, 1]))
        array([0, 0, 0, 0, 0, 0, 0], dtype=uint8)
    """
    if code.n - code.k > MAX_CHECKS and algebra_of(code) is not None:
        return berlekamp_massey(code, t=_by_algebra(code) if t is None else t, int8=int8)
    _check_size(code)
    if t is None:
        t = (minimum_distance(code) - 1) // 2
    if t < 0:
        raise ValueError(f"t must be 0 or more errors, got {t}")
    correct = _corrector(code, min(t, code.n))

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        bits, found = correct(llr)
        return bits, Effort(np.zeros(len(llr), np.int64), ~found)

    return Measured(with_erasures(measure), int8=int8)


def hard_ml(code: Code, channel: Channel | None = None, /) -> Decoder:
    """Hard-decision maximum likelihood: flips a least-weight leader of the coset (Slepian 1956).

    Raises:
        ValueError: If n - k > 24.
    """
    _check_size(code)
    correct = _corrector(code, code.n)
    return lambda llr: correct(llr)[0]


def _by_algebra(code: Code) -> int:
    """The default number of errors to correct for codes decoded by algebra."""
    algebra, distance = algebra_of(code), code.minimum_distance
    assert algebra is not None
    if distance is None:
        return algebra.run.t
    wanted = (distance - 1) // 2
    if wanted > algebra.run.t:
        warnings.warn(
            f"hard of {code.name} corrects t = {algebra.run.t} errors, half its designed distance, not the "
            f"{wanted} of its minimum distance {distance}: algebra can use only the zeros of the code; set "
            f"t={algebra.run.t} to silence this warning, or use osd",
            stacklevel=4,
        )
    return min(wanted, algebra.run.t)


def _check_size(code: Code) -> None:
    if code.n - code.k > MAX_CHECKS:
        raise too_many_checks(code)


def too_many_checks(code: Code) -> ValueError:
    """The error for a code whose table of coset leaders would be too large."""
    checks = code.n - code.k
    return ValueError(
        f"{code.name} has n - k = {checks}: a table of 2**{checks} syndromes is too large (at most "
        f"2**{MAX_CHECKS}); use osd, which needs no table"
    )


def minimum_distance(code: Code) -> int:
    """The minimum distance of the code, counted if it is not stated.

    Raises:
        ValueError: If it is neither known nor computable, or the stated one is clearly too large.
    """
    if code.minimum_distance is not None:
        safe_distance(code)
        return code.minimum_distance
    try:
        spectrum = code.weight_spectrum()
    except ValueError as error:
        raise ValueError(f"the minimum distance of {code.name} is not known ({error}); give t") from None
    return next(weight for weight, count in enumerate(spectrum) if weight and count)


def table_of_leaders(code: Code, radius: int) -> NDArray[np.int16]:
    """For each syndrome the first bit to flip, (2**(n-k),); -1 for leaders beyond the radius."""
    flip = np.empty(1 << (code.n - code.k), np.int16)
    columns = np.ascontiguousarray(code.parity_columns[:, 0]) if code.n > code.k else np.zeros(1, np.uint64)
    coset.grow(columns, radius, flip)
    return flip


def _corrector(code: Code, radius: int) -> Callable[[LLR], tuple[Bits, NDArray[np.bool_]]]:
    """A function to corrected hard decisions, and whether each is a codeword."""
    if code.n == code.k:
        return lambda llr: (hard_decision(llr), np.ones(len(llr), np.bool_))
    columns = np.ascontiguousarray(code.parity_columns[:, 0])
    flip = table_of_leaders(code, radius)

    def correct(llr: LLR) -> tuple[Bits, NDArray[np.bool_]]:
        out, found = np.empty(llr.shape, np.uint8), np.empty(len(llr), np.bool_)
        coset.correct(llr, columns, flip, out, found)
        return out, found

    return correct


def hard_cost(code: Code, work: float | None = None, *, t: int | None = None, **_: Any) -> Cost:
    """Hard decisions: `hard_ml`, or for n - k > 24 `berlekamp_massey`.

    Raises:
        ValueError: If n - k > 24 and the code is not cyclic.
    """
    from fecnn.decoders.berlekamp_massey import algebra_of
    from fecnn.decoders.hard import MAX_CHECKS

    if code.n - code.k <= MAX_CHECKS:
        return hard_ml_cost(code)
    known, algebra = code.minimum_distance, algebra_of(code)
    if t is None and known is not None and algebra is not None:
        t = min((known - 1) // 2, algebra.run.t)
    return berlekamp_massey_cost(code, t=t)


def hard_ml_cost(code: Code, work: float | None = None, **_: Any) -> Cost:
    """Hard decisions by a table of coset leaders: n signs, a syndrome, n exclusive ors.

    The table has 2^(n - k) leaders of n bits.

    Raises:
        ValueError: If n - k > 24.
    """
    from fecnn.decoders.hard import MAX_CHECKS, too_many_checks

    n, checks = code.n, code.n - code.k
    if checks > MAX_CHECKS:
        raise too_many_checks(code)
    ones = int(gf2.rref(code.H)[0].sum())
    entries = 2**checks
    return Cost(
        comparisons=n, binary=ones + n, parameters=entries, parameter_bits=n * entries, memory_bits=checks
    )


HARD = BuiltIn(
    hard,
    cost=hard_cost,
    cites="Slepian 1956",
    reach="n - k <= 24, and cyclic codes, also extended",
    example=Example("bch-31-16", 4.0),
)
HARD_ML = BuiltIn(
    hard_ml,
    cost=hard_ml_cost,
    cites="Slepian 1956",
    reach="n - k <= 24",
    example=Example("bch-31-16", 4.0),
)
