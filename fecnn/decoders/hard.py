"""Hard-decision decoding by a table of coset leaders."""

import numpy as np

from fecnn.arrays import LLR, Bits
from fecnn.arrays import hard as hard_decision
from fecnn.channel import Channel
from fecnn.code import Code
from fecnn.decoders import Decoder
from fecnn.decoders.kernels import coset

MAX_CHECKS = 24
"""Largest n - k whose 2**(n-k) syndromes are tabulated (two bytes each, and eight while building)."""


def hard(code: Code, channel: Channel | None = None, /, *, t: int | None = None) -> Decoder:
    """Bounded-distance hard-decision decoding: corrects up to t errors, else leaves the hard decision.

    Args:
        code: n - k at most 24.
        channel: Not used.
        t: Errors to correct, 0 or more; (d - 1) // 2 of the code's minimum distance d if not given.

    Raises:
        ValueError: If n - k > 24, t < 0, or t is not given and d is neither known nor computable.

    Example:
        >>> import fecnn
        >>> fecnn.decoder("hard", fecnn.hamming(3))(np.float32([1, -1, 1, 1, 1, 1, 1]))
        array([0, 0, 0, 0, 0, 0, 0], dtype=uint8)
    """
    _check_size(code)
    if t is None:
        t = (_minimum_distance(code) - 1) // 2
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
    checks = code.n - code.k
    if checks > MAX_CHECKS:
        raise ValueError(
            f"{code.name} has n - k = {checks}: a table of 2**{checks} syndromes (at most 2**{MAX_CHECKS}); "
            "use osd, which needs none"
        )


def _minimum_distance(code: Code) -> int:
    if code.minimum_distance is not None:
        return code.minimum_distance
    try:
        spectrum = code.weight_spectrum()
    except ValueError as error:
        raise ValueError(f"the minimum distance of {code.name} is not known ({error}); give t") from None
    return next(weight for weight, count in enumerate(spectrum) if weight and count)


def _corrector(code: Code, radius: int) -> Decoder:
    if code.n == code.k:
        return hard_decision
    columns = np.ascontiguousarray(code.parity_columns[:, 0])
    flip = np.empty(1 << (code.n - code.k), np.int16)
    coset.grow(columns, radius, flip)

    def decode(llr: LLR) -> Bits:
        out = np.empty(llr.shape, np.uint8)
        coset.correct(llr, columns, flip, out)
        return out

    return decode
