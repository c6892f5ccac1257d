"""The package's sign and array conventions.

- ``Bits``: uint8 arrays of 0 and 1; frames are rows.
- ``LLR``: float32 log-likelihood ratios log p(y|0) / p(y|1): **positive means bit 0**.
- BPSK sends bit 0 as +1 and bit 1 as -1.
"""

import sys
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scalar = TypeVar("Scalar", bound=np.generic)

Bits = NDArray[np.uint8]
"""An array of 0 and 1, uint8; frames are rows: ``(B, n)`` code bits, ``(B, k)`` message bits."""

LLR = NDArray[np.float32]
"""An array of log-likelihood ratios log p(y|0) / p(y|1), float32: positive means bit 0."""

Int8 = NDArray[np.int8]
"""An array of LLRs of 8 bits for fixed-point decoders, int8: -127 to 127, where -128 counts as -127."""

_BPSK = np.array([1.0, -1.0], np.float32)


def bpsk(bits: Bits) -> NDArray[np.float32]:
    """BPSK symbols of bits: 0 -> +1.0, 1 -> -1.0, as float32.

    This looks up a table, because ``1 - 2 * bits`` wraps to 255 on uint8.

    Args:
        bits: Bits, uint8 of any shape.

    Example:
        >>> bpsk(np.array([0, 1], np.uint8))
        array([ 1., -1.], dtype=float32)
    """
    return _BPSK[bits]


def compiled_for(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """The array, or a copy, in the layout that kernels are compiled for: contiguous, aligned and writable.

    Without this, Numba would compile every kernel again for other layouts and for read-only arrays (memory
    maps, pandas columns).
    """
    return array if array.flags.carray else np.require(array, requirements=["C", "A", "W"])


def hard(llr: NDArray[np.floating[Any]]) -> Bits:
    """Hard decisions of LLRs, uint8: 1 where the LLR is negative, else 0.

    Args:
        llr: LLRs of any shape, positive for bit 0.

    Example:
        >>> hard(np.float32([0.5, -2.0, 0.0]))
        array([0, 1, 0], dtype=uint8)
    """
    return (llr < 0).astype(np.uint8)


def as_bits(values: ArrayLike, name: str, width: int | None = None) -> Bits:
    """``values`` as a uint8 array of 0 and 1, with ``width`` entries on the last axis (if given).

    Matrices of scipy.sparse and arrays of galois are taken too.

    Raises:
        TypeError: If the values are not booleans, integers or floats, or some of them are masked.
        ValueError: If a value is not 0 or 1, or the last axis has another length.
    """
    refuse_mask(values, name)
    array = _dense(values, name) if _is_sparse(values) else np.asarray(values)
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} must be numbers 0 and 1, got an array of dtype {array.dtype}")
    binary = array.max(initial=0) <= 1 if array.dtype == np.uint8 else ((array == 0) | (array == 1)).all()
    if not binary:
        wrong = array[(array != 0) & (array != 1)].flat[0]
        advice = "; reduce it modulo 2 first" if (array >= 0).all() else ""
        # In an unsigned dtype, -1 has wrapped to the largest integer.
        minus = np.iinfo(array.dtype).max if array.dtype.kind == "u" else -1
        if ((array == 1) | (array == minus)).all():
            advice = f": bits are 0 and 1, not +1 and -1; if +1 stands for bit 0, use (1 - {name}) // 2"
        raise ValueError(f"{name} must hold only 0 and 1, got {wrong}{advice}")
    if width is not None and (array.ndim == 0 or array.shape[-1] != width):
        raise ValueError(f"{name} must have {width} entries on the last axis, got shape {array.shape}")
    return array.astype(np.uint8, copy=False)


def _is_sparse(values: object) -> bool:
    """Whether it is a matrix of scipy.sparse, which need not be imported to know."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(values))


def _dense(values: Any, name: str) -> NDArray[Any]:
    """A sparse matrix in full, in one byte an entry."""
    rows = values.tocsr()
    rows.data = as_bits(rows.data, name)
    return np.asarray(rows.toarray())


def refuse_mask(values: object, name: str, remedy: str = "fill the gaps with values first") -> None:
    """Reject an array with masked values, which would otherwise be used as if they were valid.

    Raises:
        TypeError: Stating the number of masked values and the remedy.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        masked = int(np.ma.getmaskarray(values).sum())
        raise TypeError(f"{name} is a masked array with {masked} masked values; {remedy}")


def as_llr(values: ArrayLike, n: int) -> LLR:
    """``values`` as finite float32 LLRs with ``n`` on the last axis, ready for any decoder.

    LLRs up to `LARGE` are kept. Larger and infinite ones mark known bits; see `within_reach`.

    Raises:
        TypeError: If the values are not real numbers, are bits, or some of them are masked.
        ValueError: If there is a NaN, or the last axis does not have length ``n``.
    """
    return within_reach(as_float32(values, n))


LARGE = 65536.0
"""LLRs above this mark known bits: no channel is that certain."""

HUGE = 1e31
"""Largest LLR after `within_reach`: sums of any number of them fit in float32."""


def as_float32(values: ArrayLike, n: int, name: str = "llr") -> LLR:
    """``values`` as float32 LLRs with ``n`` on the last axis, possibly infinite; raises as `as_llr`."""
    refuse_mask(values, name, f"a position that was not received has LLR 0: use {name}.filled(0)")
    torch = sys.modules.get("torch")
    llr = np.asarray(_of_torch(values, torch, name) if torch and isinstance(values, torch.Tensor) else values)
    if llr.dtype.kind not in "buif":
        raise TypeError(f"{name} must be real numbers, got an array of dtype {llr.dtype}")
    if llr.dtype.kind in "bu" or (llr.dtype.kind == "i" and _looks_like_bits(llr)):
        raise TypeError(
            f"{name} must be log-likelihood ratios, positive for bit 0, got {llr.dtype} values that look "
            "like bits; LLRs of hard decisions are fecnn.bpsk(bits) times the reliability of a bit"
        )
    _check_width(llr, n, name)
    with np.errstate(over="ignore", invalid="ignore"):
        return compiled_for(llr.astype(np.float32, copy=False))


def as_int8(values: ArrayLike, n: int) -> Int8:
    """``values`` as int8 LLRs with ``n`` on the last axis: arrays of int8 as they are.

    Others are rounded to the nearest integer, halves to the even one, and cut off at -127 and 127. Raises as
    `as_llr`, but any int8 are LLRs, also where they look like bits.

    Example:
        >>> as_int8(np.float32([0.5, 1.5, -2.4, 300.0, -np.inf]), 5)
        array([   0,    2,   -2,  127, -127], dtype=int8)
    """
    if isinstance(values, np.ndarray) and values.dtype == np.int8:
        refuse_mask(values, "llr", "a position that was not received has LLR 0: use llr.filled(0)")
        _check_width(values, n, "llr")
        return compiled_for(np.asarray(values))
    llr = as_float32(values, n)
    if np.isnan(llr).any():
        raise _has_nan()
    return np.rint(np.clip(llr, -127, 127)).astype(np.int8)


def _check_width(llr: NDArray[Any], n: int, name: str) -> None:
    if llr.ndim == 0 or llr.shape[-1] != n:
        raise ValueError(f"{name} must have n = {n} values on the last axis, got shape {llr.shape}")


def _has_nan() -> ValueError:
    return ValueError("llr holds NaN; a position that says nothing has LLR 0")


def _of_torch(llr: Any, torch: Any, name: str) -> Any:
    """A torch tensor in a form that NumPy takes.

    Raises:
        TypeError: If decoding it would lose its gradient, or move it to another device.
    """
    if llr.requires_grad and torch.is_grad_enabled():
        raise TypeError(f"{name} requires grad, and decisions have no gradient: give {name}.detach()")
    if llr.device.type != "cpu":
        raise TypeError(
            f"{name} is on the device {llr.device}: give {name}.cpu(), or use fecnn.pipelines.torch.Decoder, "
            "which returns its result on the same device"
        )
    llr = llr.detach()
    return llr.float().numpy() if llr.is_floating_point() else llr.numpy()


def within_reach(llr: LLR) -> LLR:
    """The same LLRs, rescaled where needed so that decoders can add them accurately, frame by frame.

    Frames without LLRs above `LARGE` are unchanged. In the others:

    - A magnitude at least 2**16 times the sum of all smaller ones, or an infinite one, marks known bits. It
      becomes 1000 plus twice the sum of the smaller ones; no posterior can tell 1000 from certainty.
    - Several magnitudes at least 2**24 times the sum of all smaller ones, so that even their last digits
      exceed it, are scaled down by a power of two. So is a whole frame whose sums would overflow float32.

    None of this changes which of two codewords is more likely. Decisions remain as accurate as float64 sums:
    to 1e-12 of the largest LLR.

    Raises:
        ValueError: If there is a NaN.
    """
    with np.errstate(invalid="ignore"):
        if llr.size == 0 or (llr.max() <= LARGE and llr.min() >= -LARGE):
            return llr
    if np.isnan(llr).any():
        raise _has_nan()
    frames = llr.reshape(-1, llr.shape[-1])
    far = (np.abs(frames) > LARGE).any(axis=1)
    out = frames.copy()
    out[far] = np.copysign(_compressed(np.abs(frames[far].astype(np.float64))), frames[far])
    return out.reshape(llr.shape)


def _looks_like_bits(values: NDArray[Any]) -> bool:
    return bool(((values == 0) | (values == 1)).all() and (values == 0).any() and (values == 1).any())


def _compressed(size: NDArray[np.float64]) -> LLR:
    """Magnitudes (B, n) that compare alike, processed in levels from the largest down; see `within_reach`."""
    left = np.where(np.isinf(size), 0.0, size)
    levels = [(np.isinf(size), True)]
    while (left > LARGE).any():
        known = _known(left)
        beyond = np.zeros_like(known)
        noisy = (left > LARGE).any(axis=1) & ~known.any(axis=1)
        beyond[noisy] = _beyond(left[noisy])
        level = known | beyond
        if not level.any():
            break
        levels += [(known, True), (beyond, False)]
        left = np.where(level, 0.0, left)
    out = left * _power_of_two(HUGE / np.maximum(left.max(axis=1, keepdims=True), HUGE))
    for level, is_known in levels[::-1]:
        below = out.sum(axis=1, keepdims=True)
        if is_known:
            out = np.where(level, 1000.0 + 2.0 * below, out)
        elif level.any():
            least = np.where(level, size, np.inf).min(axis=1, keepdims=True)
            out = np.where(level, size * _power_of_two(np.minimum(2.0**25 * below / least, 1.0)), out)
    largest = out.max(axis=1, keepdims=True)
    return np.asarray(out * _power_of_two(HUGE / np.maximum(largest, HUGE)), np.float32)


def _known(size: NDArray[np.float64]) -> NDArray[np.bool_]:
    """True where the largest value of a row exceeds 2**16 times the sum of the smaller ones."""
    top = size.max(axis=1, keepdims=True)
    rest = np.where(size < top, size, 0.0).sum(axis=1, keepdims=True)
    return np.asarray((size == top) & (top > LARGE) & (rest > 0.0) & (top >= 2.0**16 * rest))


def _beyond(size: NDArray[np.float64]) -> NDArray[np.bool_]:
    """True for the values above the highest gap of a row that float32 digits cannot bridge."""
    rising = np.sort(size, axis=1)
    below = np.zeros_like(rising)
    below[:, 1:] = np.cumsum(rising[:, :-1], axis=1)
    gap = (rising > LARGE) & (below > 0.0) & (rising >= 2.0**24 * below)
    least = np.where(gap, rising, 0.0).max(axis=1, keepdims=True)
    return np.asarray((least > 0.0) & (size >= least))


def _power_of_two(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest power of two not above the factor; 1 for a factor of 0 or less."""
    return np.where(factor > 0.0, np.exp2(np.floor(np.log2(np.where(factor > 0.0, factor, 1.0)))), 1.0)


def out_of_sums(llr: LLR) -> NDArray[np.intp]:
    """Indices of the frames of (B, n) whose smallest LLRs are lost when float64 adds them to the largest."""
    if llr.size == 0 or (llr.max() <= 2.0**40 and llr.min() >= -(2.0**40)):
        return np.zeros(0, np.intp)
    size = np.abs(llr)
    largest = size.max(axis=1, keepdims=True)
    lost = (largest > 2.0**40) & (size > 0) & (size < largest * 2.0**-45)
    return np.flatnonzero(lost.any(axis=1))


def refuse_out_of_sums(llr: LLR, name: str) -> None:
    """Reject frames whose small LLRs would be lost in a decoder that adds all LLRs of a frame.

    Raises:
        ValueError: Naming the first such frame.
    """
    lost = out_of_sums(llr)
    if lost.size:
        size = np.abs(llr[lost[0]])
        raise ValueError(
            f"llr of frame {lost[0]} spans {size[size > 0].min():.0e} to {size.max():.0e} in several steps: "
            f"{name} adds them all in float64 and would lose the small ones; give known bits as infinite "
            "LLRs, or use ml with method='search'"
        )


def restored(app: LLR, llr: LLR, decoded: LLR) -> LLR:
    """A-posteriori LLRs for the frames ``llr``, from those of ``decoded``, their `within_reach` version.

    If a frame was scaled as a whole, its output is scaled back. Otherwise the extrinsic LLR of a known bit is
    kept, so that ``app - llr`` is what the other bits say about it.
    """
    if decoded is llr:
        return app
    changed = (decoded != llr) & np.isfinite(llr)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = np.where(decoded != 0, llr / decoded, np.nan).astype(np.float32)
        low, high = np.fmin.reduce(scale, axis=-1), np.fmax.reduce(scale, axis=-1)
        whole = ((low == high) & np.isfinite(low))[..., None]
        known = np.where((app < 0) == (llr < 0), llr + (app - decoded), app * scale)
        out = np.where(whole, app * low[..., None], np.where(changed, known, app))
    limit = np.finfo(np.float32).max
    return np.where(np.isinf(app), app, np.clip(out, -limit, limit)).astype(np.float32)
