"""Exact maximum-likelihood decoding."""

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channel import Channel
from fecnn.code import MAX_CODEBOOK_K, Code
from fecnn.decoders import Decoder
from fecnn.decoders.kernels import codebook, trellis
from fecnn.decoders.trellis import bit_order, build_trellis, trellis_fits, trellis_states, viterbi_ns


def ml(code: Code, channel: Channel | None = None, /, *, method: str = "auto") -> Decoder:
    """Exact maximum likelihood: the codeword c that maximises sum_j llr_j (1 - 2 c_j).

    Args:
        code: With k at most 24, or a trellis of at most 2**22 states, in the order `bit_order`.
        channel: Not used: LLRs are enough.
        method: ``codebook`` (Walsh-Hadamard correlation with all 2**k codewords), ``trellis`` (Viterbi on the
            minimal syndrome trellis, Wolf 1978), or ``auto`` for the cheaper.

    Raises:
        ValueError: If the method is unknown, or the code is too large for it.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("ml", fecnn.hamming(3), method="trellis")
        >>> decode(np.float32([[2, 3, -0.1, 4, 1, 2, 3]]))
        array([[0, 0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    if method not in ("auto", "codebook", "trellis"):
        raise ValueError(f"method must be auto, codebook or trellis, got {method!r}")
    states = trellis_states(code, bit_order(code))
    fits = {"codebook": code.k <= MAX_CODEBOOK_K, "trellis": trellis_fits(code, states)}
    if method == "auto":
        if not any(fits.values()):
            raise ValueError(
                f"exact ML of {code.name} would need 2**{code.k} codewords or a trellis of {states:.1e} "
                "states; use osd (order 2 or 3 comes near)"
            )
        method = _cheaper(code, states) if all(fits.values()) else next(m for m in fits if fits[m])
    if not fits[method]:
        size = f"2**{code.k} codewords" if method == "codebook" else f"a trellis of {states:.1e} states"
        raise ValueError(f"ml by {method} of {code.name} would need {size}; use the other method, or osd")
    return _by_codebook(code) if method == "codebook" else _by_trellis(code)


def generator_columns(code: Code) -> NDArray[np.int64]:
    """Columns of G as integers, first row most significant: (n,) i8."""
    weights = 1 << np.arange(code.k - 1, -1, -1, dtype=np.int64)
    return weights @ code.G


def _cheaper(code: Code, states: int) -> str:
    # Nanoseconds a frame: about 0.1 for an addition of the transform.
    additions = (code.k + 1) * 2**code.k
    return "codebook" if 0.1 * additions <= viterbi_ns(code, states) else "trellis"


def _by_codebook(code: Code) -> Decoder:
    columns = generator_columns(code)
    k = code.k
    shifts = np.arange(k - 1, -1, -1, dtype=np.int64)

    def decode(llr: LLR) -> Bits:
        message = np.empty(len(llr), np.int64)
        codebook.most_likely(llr, columns, k, message)
        return code.encode((message[:, None] >> shifts) & 1)

    return decode


def _by_trellis(code: Code) -> Decoder:
    minimal = build_trellis(code, bit_order(code))

    def decode(llr: LLR) -> Bits:
        out = np.empty(llr.shape, np.uint8)
        doubtful = np.empty(len(llr), np.bool_)
        trellis.viterbi(llr, minimal, out, doubtful)
        if doubtful.any():
            again = np.empty((int(doubtful.sum()), code.n), np.uint8)
            trellis.viterbi_float64(llr[doubtful], minimal, again)
            out[doubtful] = again
        return out

    return decode
