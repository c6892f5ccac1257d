"""The decoder contract: what a factory returns, and what `fecnn.decoder` makes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code

Decoder = Callable[[LLR], Bits]


SoftDecoder = Callable[[LLR], LLR]


Factory = Callable[..., Callable[[LLR], NDArray[Any]]]


@dataclass(frozen=True)
class Effort:
    """What a decoder reports about its decisions, frame by frame.

    work: Iterations, test patterns, queries or search nodes, (B,) int64; 0 where it never varies.
    uncertified: (B,) bool, True where the decoder gave up, or a budget ran out before it could do all it
        promises.
    """

    work: NDArray[np.int64]
    uncertified: NDArray[np.bool_]


class Measured:
    """What a factory returns if its decoder reports the work it did and whether a budget ran out.

    Args:
        measure: A function from LLRs (B, n) to bits and their `Effort`.
    """

    def __init__(self, measure: Callable[[LLR], tuple[Bits, Effort]]) -> None:
        self.measure = measure

    def __call__(self, llr: LLR) -> Bits:
        """The bits, without the effort."""
        return self.measure(llr)[0]


@runtime_checkable
class Tunable(Protocol):
    """What a factory returns if its decoder depends on the noise level, and can be asked for another."""

    def __call__(self, llr: LLR) -> Bits:
        """The decisions."""

    def at(self, channel: Channel | None) -> "Tunable":
        """The same decoder for another channel."""


def as_output(code: Code, messages: Bits) -> Bits:
    """Message bits (B, k) in the form decoders return: re-encoded where n = k, since widths cannot tell."""
    return code.encode(messages) if code.n == code.k else messages
