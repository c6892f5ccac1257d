"""Successive-cancellation decoding of polar codes and of their subcodes."""

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.build import kronecker_transform
from fecnn.channel import Channel
from fecnn.code import Code
from fecnn.decoders import Decoder, Effort, Measured, SoftDecoder
from fecnn.decoders.kernels import polar as kernel

MAX_LIST = 4096
"""Most paths of a list."""

MAX_OUTER_CHECKS = 32
"""Most checks beyond frozen bits: the final choice among paths can do no more."""


def sc(code: Code, channel: Channel | None = None, /, *, exact: bool = False) -> Decoder:
    """Successive-cancellation decoding (Arikan, IEEE Trans. IT 55(7), 2009).

    Args:
        code: A polar code: spanned by rows of the Kronecker power of [[1, 0], [1, 1]], as also
            Reed-Muller codes are.
        channel: Not used.
        exact: Exact box-plus in place of its max-log form, which hardware has and which hardly loses.

    Raises:
        ValueError: If the code is no polar code in natural order.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("sc", fecnn.polar(8, 4))
        >>> decode(np.float32([2, 3, -0.1, 4, 1, 2, 3, 2]))
        array([0, 0, 0, 0, 0, 0, 0, 0], dtype=uint8)
    """
    frozen = frozen_bits(code)
    outer = code.n - code.k - int(frozen.sum())
    if outer:
        raise ValueError(
            f"{code.name} has {outer} checks beyond frozen bits, which sc cannot use; use scl, which can"
        )

    def decode(llr: LLR) -> Bits:
        out = np.empty(llr.shape, np.uint8)
        kernel.sc(llr, frozen, exact, out)
        return out

    return decode


def scl(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 8,
    exact: bool = False,
) -> Decoder:
    """Successive-cancellation list decoding (Tal and Vardy, IEEE Trans. IT 61(5), 2015).

    On LLRs, as Balatsoukas-Stimming, Bastani Parizi and Burg (IEEE Trans. SP 63(19), 2015). The answer is the
    best of the final paths that satisfies all checks of the code. For a polar code that is the best path; for
    one with a cyclic redundancy check (`fecnn.polar` with ``crc``) it is CRC-aided decoding (Niu and Chen,
    IEEE Comm. Letters 16(10), 2012). Where no path satisfies the checks, the best path is the answer and the
    frame is counted as uncertified. The work of a frame is the number of final paths whose checks were tried.

    Args:
        code: A polar code, or a subcode of one by at most 32 further checks.
        channel: Not used.
        list: Paths that are followed, 1 to 4096; with 2**k of them this is maximum likelihood.
        exact: Exact box-plus and path metric in place of their max-log forms.

    Raises:
        ValueError: If the list size is out of range, or the code is far from a polar code in natural order.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("scl", fecnn.polar(16, 8), list=4)
        >>> decode(np.ones(16, np.float32)).sum()
        np.uint64(0)
    """
    frozen, columns = _prepare(code, list, 1)

    def measure(llr: LLR) -> tuple[Bits, Effort]:
        out = np.empty(llr.shape, np.uint8)
        tested, passed = np.empty(len(llr), np.int64), np.empty(len(llr), np.bool_)
        kernel.scl(llr, frozen, columns, list, exact, out, tested, passed)
        return out, Effort(tested, ~passed)

    return Measured(measure)


def scl_app(
    code: Code,
    channel: Channel | None = None,
    /,
    *,
    list: int = 8,
    exact: bool = False,
) -> SoftDecoder:
    """Max-log a-posteriori LLRs of the n code bits over the final paths of `scl`.

    Of those paths, the ones that satisfy all checks of the code count, or all where none does. Where every
    one has the same bit, the other value is taken to be as unlikely as the least likely path of the list.

    Args:
        code: As for `scl`.
        channel: Not used; but the LLRs must be true ones, not scaled.
        list: Paths that are followed, 2 to 4096; with 2**k of them this is max-log MAP.
        exact: As for `scl`: it says which paths there are, not how they are weighed.

    Raises:
        ValueError: If the list size is out of range, or the code is far from a polar code in natural order.

    Example:
        >>> import fecnn
        >>> app = fecnn.soft_decoder("scl", fecnn.polar(4, 1), list=2)
        >>> app(np.float32([1, 2, -0.5, 1]))
        array([3.5, 3.5, 3.5, 3.5], dtype=float32)
    """
    frozen, columns = _prepare(code, list, 2)

    def app(llr: LLR) -> LLR:
        out = np.empty(llr.shape, np.float32)
        kernel.soft_scl(llr, frozen, columns, list, exact, out)
        return out

    return app


def frozen_bits(code: Code) -> NDArray[np.bool_]:
    """(n,) True where u_i is 0 in all codewords u F, F the Kronecker power of [[1, 0], [1, 1]].

    Raises:
        ValueError: If n is no power of two, or more than 32 checks remain that are no frozen bits.
    """
    if code.n < 2 or code.n & (code.n - 1):
        raise ValueError(f"{code.name} has length {code.n}: a polar code's is a power of two; use osd")
    frozen: NDArray[np.bool_] = kronecker_transform(code.G).max(axis=0) == 0
    outer = code.n - code.k - int(frozen.sum())
    if outer > MAX_OUTER_CHECKS:
        raise ValueError(
            f"{code.name} is no polar code in natural order: {outer} of its {code.n - code.k} checks are no "
            f"frozen bits (at most {MAX_OUTER_CHECKS} may be a CRC); use osd"
        )
    return frozen


def _prepare(code: Code, paths: int, fewest: int) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
    """Frozen bits of a code, and the packed columns of its checks if they are not frozen bits alone."""
    if not isinstance(paths, int) or not fewest <= paths <= MAX_LIST:
        raise ValueError(f"list must be in {fewest}..{MAX_LIST} paths, got {paths!r}")
    frozen = frozen_bits(code)
    outer = code.n - code.k - int(frozen.sum())
    return frozen, code.parity_columns[:, : None if outer else 0]
