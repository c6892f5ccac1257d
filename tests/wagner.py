"""A toy decoder, whole in one file: what one has to write to add a decoder to fecnn."""

import numpy as np

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code
from fecnn.decoders.contract import Decoder
from fecnn.decoders.cost import REAL, Cost
from fecnn.decoders.registry import BuiltIn, Example


def wagner(code: Code, channel: Channel | None = None, /) -> Decoder:
    """Exact maximum likelihood of single parity checks: flips the least reliable bit if parity is odd.

    Silverman and Balser, IRE Trans. PGIT-4, 1954.

    Raises:
        ValueError: If the code is not a single parity check.
    """
    if code.n != code.k + 1 or not code.H.all():
        raise ValueError(f"{code.name} is not a single parity check")

    def decode(llr: LLR) -> Bits:
        bits = (llr < 0).astype(np.uint8)
        odd = np.flatnonzero(bits.sum(axis=1) % 2)
        bits[odd, np.abs(llr[odd]).argmin(axis=1)] ^= 1
        return bits

    return decode


def wagner_cost(code: Code, work: float | None = None) -> Cost:
    """n signs, n - 1 sums of bits, n - 1 comparisons for the least reliable."""
    return Cost(comparisons=2 * code.n - 1, binary=code.n, memory_bits=REAL)


WAGNER = BuiltIn(
    wagner,
    cost=wagner_cost,
    cites="Silverman and Balser, IRE Trans. PGIT-4, 1954",
    reach="single parity checks",
    example=Example("spc-8", 4.0),
)
