"""The sign and array conventions of the package, said once.

- ``Bits``: uint8 arrays of 0 and 1; frames are rows.
- ``LLR``: float32 log-likelihood ratios log p(y|0) / p(y|1): **positive means bit 0**.
- BPSK sends bit 0 as +1 and bit 1 as -1.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Bits = NDArray[np.uint8]
LLR = NDArray[np.float32]

_BPSK = np.array([1.0, -1.0], np.float32)


def bpsk(bits: Bits) -> NDArray[np.float32]:
    """BPSK symbols of bits, any shape: 0 -> +1.0, 1 -> -1.0, as float32.

    A table, because ``1 - 2 * bits`` wraps to 255 on uint8.

    Example:
        >>> bpsk(np.array([0, 1], np.uint8))
        array([ 1., -1.], dtype=float32)
    """
    return _BPSK[bits]


def hard(llr: NDArray[np.floating[Any]]) -> Bits:
    """Hard decisions of LLRs, any shape: 1 where the LLR is negative, else 0."""
    return (llr < 0).astype(np.uint8)


def as_bits(values: ArrayLike, name: str, width: int | None = None) -> Bits:
    """``values`` as a uint8 array of 0 and 1, its last axis ``width`` long (if given).

    Raises:
        TypeError: If the values are not booleans, integers or floats.
        ValueError: If a value is not 0 or 1, or the last axis has another length.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} must be numbers 0 and 1, got an array of dtype {array.dtype}")
    binary = array.max(initial=0) <= 1 if array.dtype == np.uint8 else ((array == 0) | (array == 1)).all()
    if not binary:
        wrong = array[(array != 0) & (array != 1)].flat[0]
        raise ValueError(f"{name} must hold only 0 and 1, got {wrong}; reduce it modulo 2 first")
    if width is not None and (array.ndim == 0 or array.shape[-1] != width):
        raise ValueError(f"{name} must have {width} entries on the last axis, got shape {array.shape}")
    return array.astype(np.uint8, copy=False)


def as_llr(values: ArrayLike, n: int) -> LLR:
    """``values`` as finite float32 LLRs with ``n`` on the last axis, ready for any decoder.

    An infinite LLR is a known bit. It is replaced, frame by frame, by a finite value larger than all
    the finite ones together (and by at least 1000, which no posterior can tell from certainty), so that
    decoders never meet inf - inf.

    Raises:
        TypeError: If the values are not real numbers.
        ValueError: If there is a NaN, or the last axis is not ``n`` long.
    """
    llr = np.asarray(values)
    if llr.dtype.kind not in "buif":
        raise TypeError(f"llr must be real numbers, got an array of dtype {llr.dtype}")
    if llr.ndim == 0 or llr.shape[-1] != n:
        raise ValueError(f"llr must have n = {n} values on the last axis, got shape {llr.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        llr = np.ascontiguousarray(llr, dtype=np.float32)
        if np.isfinite(llr.sum()) or np.isfinite(llr).all():  # a finite sum has finite terms: one fast pass
            return llr
    if np.isnan(llr).any():
        raise ValueError("llr holds NaN; a position that says nothing has LLR 0")
    infinite = np.isinf(llr)
    finite_sum = np.where(infinite, 0.0, np.abs(llr.astype(np.float64))).sum(axis=-1, keepdims=True)
    known = np.minimum(1000.0 + 2.0 * finite_sum, np.finfo(np.float32).max).astype(np.float32)
    return np.where(infinite, np.copysign(known, llr), llr)


def nearest(name: str, known: Sequence[str]) -> str:
    """The end of an error message about an unknown name: the nearest known names, or all of them."""
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "known: " + ", ".join(sorted(known))


def shown(value: object) -> str:
    """A value in an error message, short whatever a file holds.

    Python refuses to print integers of thousands of digits, and nobody would read them.
    """
    if isinstance(value, int) and abs(value) >= 2**64:
        return "an integer beyond 64 bits"
    if not isinstance(value, str | int | float):
        return f"a {type(value).__name__}"
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "..."
