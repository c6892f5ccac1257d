"""Exact bit-wise a-posteriori decoding."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channel import Channel
from fecnn.code import Code
from fecnn.decoders import Decoder, SoftDecoder, as_output
from fecnn.decoders.kernels import codebook, trellis
from fecnn.decoders.ml import generator_columns
from fecnn.decoders.trellis import bit_order, build_trellis, trellis_fits, trellis_states

Posterior = Callable[[LLR], NDArray[np.floating[Any]]]

MAX_CODEBOOK_K = 16
"""Largest k for a-posteriori sums over the codebook."""


def map_bits(
    code: Code, channel: Channel | None = None, /, *, bits: str = "message", method: str = "auto"
) -> Decoder:
    """Exact bit-wise maximum a-posteriori decisions: each bit by the sign of its a-posteriori LLR, alone.

    It minimises the bit error rate, not the block error rate, and code bits decided so need not be a
    codeword.

    Args:
        code: With k at most 16, or a trellis as in `ml`.
        channel: Not used: LLRs are enough.
        bits: ``message`` to decide the k message bits (returns (B, k)), ``code`` for the n code bits.
        method: ``codebook`` (sums over all 2**k codewords), ``trellis`` (BCJR on the minimal trellis; Bahl,
            Cocke, Jelinek and Raviv 1974), or ``auto`` for the cheaper.

    Raises:
        ValueError: If an option is unknown, the code is too large, or message bits are asked of the trellis
            where G is not systematic.

    Example:
        >>> import fecnn
        >>> decode = fecnn.decoder("map", fecnn.hamming(3))
        >>> decode(np.float32([[2, 3, -0.1, 4, 1, 2, 3]]))
        array([[0, 0, 0, 0]], dtype=uint8)
    """
    if bits not in ("message", "code"):
        raise ValueError(f"bits must be message or code, got {bits!r}")
    method = _choose(code, method, bits)
    if method == "codebook":
        app = _by_codebook(code, code.messages() if bits == "message" else code.codebook())
        wanted = None
    else:
        app = _by_trellis(code)
        wanted = _systematic_positions(code) if bits == "message" else None

    def decode(llr: LLR) -> Bits:
        decided = (app(llr) < 0).astype(np.uint8)
        if wanted is not None:
            decided = decided[:, wanted]
        return as_output(code, decided) if bits == "message" else decided

    return decode


def map_app(code: Code, channel: Channel | None = None, /, *, method: str = "auto") -> SoftDecoder:
    """Exact a-posteriori LLRs of the n code bits, float32; infinite for a bit that is constant.

    Arguments and errors as for the decoder ``map``.
    """
    method = _choose(code, method, "code")
    app = _by_codebook(code, code.codebook()) if method == "codebook" else _by_trellis(code)
    return lambda llr: app(llr).astype(np.float32, copy=False)


def _choose(code: Code, method: str, bits: str) -> str:
    if method not in ("auto", "codebook", "trellis"):
        raise ValueError(f"method must be auto, codebook or trellis, got {method!r}")
    states = trellis_states(code)
    trellis_can = trellis_fits(code, states) and (bits == "code" or _systematic_positions(code) is not None)
    fits = {"codebook": code.k <= MAX_CODEBOOK_K, "trellis": trellis_can}
    if method == "auto":
        # Nanoseconds a frame: about 1 for a codeword and bit, 11 for a state.
        cheaper = "codebook" if (code.n + code.k) * 2**code.k <= 11 * states else "trellis"
        method = cheaper if fits[cheaper] else "trellis" if cheaper == "codebook" else "codebook"
    if not fits[method]:
        raise ValueError(
            f"exact {bits}-bit MAP of {code.name} by {method} is out of reach "
            f"(codebook: k <= {MAX_CODEBOOK_K}, here {code.k}; "
            f"trellis: {states:.1e} states"
            + ("" if bits == "code" else ", and a systematic G")
            + "); use osd for hard decisions"
        )
    return method


def _by_codebook(code: Code, targets: Bits) -> Posterior:
    columns = generator_columns(code)
    wanted = targets.astype(np.float64)

    def app(llr: LLR) -> NDArray[np.float64]:
        out = np.empty((len(llr), wanted.shape[1]), np.float64)
        codebook.posterior(llr, columns, code.k, wanted, out)
        return out

    return app


def _by_trellis(code: Code, *, margin: float = 0.0) -> Posterior:
    """A-posteriori LLRs by BCJR: in float32, where that may be wrong in float64, and then in the log domain.

    With a margin only the signs need be right; they are, as a frame with some |app| below it goes on too.
    """
    varies = code.G.any(axis=0)
    if not varies.all():
        shorter = _by_trellis(Code.from_generator(code.G[:, varies]), margin=margin)

        def with_certain_bits(llr: LLR) -> LLR:
            out = np.full(llr.shape, np.inf, np.float32)
            out[:, varies] = shorter(np.ascontiguousarray(llr[:, varies]))
            return out

        return with_certain_bits
    minimal = build_trellis(code, bit_order(code))

    def app(llr: LLR) -> LLR:
        out = np.empty(llr.shape, np.float32)
        doubtful = np.empty(len(llr), np.bool_)
        trellis.bcjr(llr, minimal, margin, out, doubtful, np.float32)
        if doubtful.any():
            out[doubtful] = exactly(llr[doubtful])
        return out

    def exactly(llr: LLR) -> LLR:
        out = np.empty(llr.shape, np.float32)
        doubtful = np.empty(len(llr), np.bool_)
        trellis.bcjr(llr, minimal, 0.0, out, doubtful, np.float64)
        if doubtful.any():
            again = np.empty((int(doubtful.sum()), code.n), np.float32)
            trellis.bcjr_logarithmic(llr[doubtful], minimal, again)
            out[doubtful] = again
        return out

    return app


def _systematic_positions(code: Code) -> NDArray[np.int64] | None:
    """For each message bit a position that carries it unchanged; None if G is not systematic."""
    unit = np.flatnonzero(code.G.sum(axis=0) == 1)
    position = {int(code.G[:, j].argmax()): int(j) for j in unit[::-1]}
    return np.array([position[i] for i in range(code.k)]) if len(position) == code.k else None
