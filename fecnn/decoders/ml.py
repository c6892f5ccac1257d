"""Exact maximum-likelihood decoding."""

import numpy as np
from numpy.typing import NDArray

from fecnn import gf2
from fecnn.arrays import LLR, Bits
from fecnn.channel import Channel
from fecnn.code import MAX_CODEBOOK_K, Code
from fecnn.decoders import Decoder
from fecnn.decoders.kernels import codebook, trellis

MAX_CHECKS, MAX_STATES = 20, 1 << 22
"""Largest n - k and number of states (all depths together) of a trellis that is built: 32 MiB of branches."""


def ml(code: Code, channel: Channel | None = None, /, *, method: str = "auto") -> Decoder:
    """Exact maximum likelihood: the codeword c that maximises sum_j llr_j (1 - 2 c_j).

    Args:
        code: With k at most 24, or a minimal trellis of at most 2**22 states and n - k at most 20.
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
    states = trellis_states(code)
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


def trellis_states(code: Code) -> int:
    """States of the minimal trellis at depths 1..n: each 2^(rank of past + rank of future - rank of H)."""
    H = gf2.rref(code.H)[0]
    past = _prefix_ranks(H)
    future = _prefix_ranks(H[:, ::-1])[::-1]
    return sum(2 ** (p + f - len(H)) for p, f in zip(past[1:], future[1:], strict=True))


def trellis_fits(code: Code, states: int) -> bool:
    """Whether a trellis with that many states is built."""
    return code.n - code.k <= MAX_CHECKS and states <= MAX_STATES


def generator_columns(code: Code) -> NDArray[np.int64]:
    """Columns of G as integers, first row most significant: (n,) i8."""
    weights = 1 << np.arange(code.k - 1, -1, -1, dtype=np.int64)
    return weights @ code.G


def _prefix_ranks(H: Bits) -> list[int]:
    """Rank of the first t columns, t = 0..n: the pivots of a left-to-right elimination are where it grows."""
    grows = np.zeros(H.shape[1], np.int64)
    grows[gf2.rref(H)[1]] = 1
    return [0, *np.cumsum(grows).tolist()]


def _cheaper(code: Code, states: int) -> str:
    # Nanoseconds a frame: about 0.5 for an addition of the transform, 1.3 for a state.
    additions = (code.k + 1) * 2**code.k
    return "codebook" if 0.5 * additions <= 1.3 * states else "trellis"


def _by_codebook(code: Code) -> Decoder:
    columns = generator_columns(code)
    k = code.k
    lanes = 8 if k <= 16 else 1
    shifts = np.arange(k - 1, -1, -1, dtype=np.int64)

    def decode(llr: LLR) -> Bits:
        message = np.empty(len(llr), np.int64)
        codebook.most_likely(llr, columns, k, lanes, message)
        return code.encode((message[:, None] >> shifts) & 1)

    return decode


def _by_trellis(code: Code) -> Decoder:
    minimal = build_trellis(code)

    def decode(llr: LLR) -> Bits:
        out = np.empty(llr.shape, np.uint8)
        trellis.viterbi(llr, minimal.first, minimal.previous, minimal.widest, out)
        return out

    return decode


def build_trellis(code: Code) -> trellis.Trellis:
    """The minimal trellis of a code for which `trellis_fits`."""
    columns = code.parity_columns[:, 0] if code.n > code.k else np.zeros(code.n, np.uint64)
    return trellis.build(columns, code.n - code.k)
