"""The decoder contract: what a factory returns, and what `fecnn.decoder` makes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, Int8, hard
from fecnn.channels.channel import Channel
from fecnn.codes.code import Code

Decoder = Callable[[LLR], Bits]
"""A function from LLRs (B, n) float32 to code bits (B, n) or message bits (B, k), uint8."""


SoftDecoder = Callable[[LLR], LLR]
"""A function from LLRs (B, n) float32 to a-posteriori LLRs (B, n) float32."""


Lister = Callable[[LLR], tuple[Bits, NDArray[np.bool_]]]
"""LLRs (B, n) to words (B, P, n), in any order, and which of them are in the list, (B, P) bool; those are
distinct. P may differ from the size of the list that is asked for; the best of them are taken."""


Factory = Callable[..., Callable[[LLR], NDArray[Any]]]


@dataclass(frozen=True)
class Effort:
    """What a decoder reports about its decisions, frame by frame.

    Attributes:
        work: Iterations, test patterns, queries or search nodes, (B,) int64; 0 where it never varies.
        uncertified: (B,) bool, True where the decoder gave up, or a budget ran out before it could do all it
            promises.
        refused: (B,) bool, True where the decoder says that its bits are not to be used; None if it never
            does.
        margin: (B,) float32, by how much the decision is likelier than the second best word, or of decoders
            with a ``risk`` than all other words, as a log-likelihood ratio; None if that was not looked for.
    """

    work: NDArray[np.int64]
    uncertified: NDArray[np.bool_]
    refused: NDArray[np.bool_] | None = None
    margin: NDArray[np.float32] | None = None

    def reshaped(self, axes: tuple[int, ...]) -> "Effort":
        """The same for frames in an array of this shape."""
        refused = None if self.refused is None else self.refused.reshape(axes)
        margin = None if self.margin is None else self.margin.reshape(axes)
        return Effort(self.work.reshape(axes), self.uncertified.reshape(axes), refused, margin)


class Measured:
    """What a factory returns if its decoder reports the work it did and whether a budget ran out.

    Args:
        measure: A function from LLRs (B, n) to bits and their `Effort`.
        int8: Whether it takes LLRs in int8, -127 to 127 where -128 counts as -127, instead of float32.
    """

    def __init__(self, measure: Callable[[Any], tuple[Bits, Effort]], *, int8: bool = False) -> None:
        self.measure, self.int8 = measure, int8

    def __call__(self, llr: LLR | Int8) -> Bits:
        """The bits, without the effort."""
        return self.measure(llr)[0]

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("only decoders made by fecnn.decoder can be pickled, not what a factory returns")


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


def no_effort(frames: int) -> Effort:
    """What a decoder reports that always does the same work and never gives up."""
    return Effort(np.zeros(frames, np.int64), np.zeros(frames, np.bool_))


def empty_list(llr: LLR, size: int) -> tuple[Bits, NDArray[np.bool_]]:
    """Memory for what a `Lister` returns."""
    frames, n = llr.shape
    return np.empty((frames, size, n), np.uint8), np.empty((frames, size), np.bool_)


def discrepancy(llr: LLR, words: Bits) -> NDArray[np.float64]:
    """The sum of |llr| where a word differs from the hard decision: words (..., n) to (...) in float64.

    Differences of it are log-likelihood ratios of words, and nothing cancels in it.

    Example:
        >>> discrepancy(np.float32([2, -1, 0.5]), np.array([[0, 1, 0], [1, 1, 1]], np.uint8))
        array([0. , 2.5])
    """
    size = np.abs(llr.astype(np.float64))
    differs = words != hard(llr)
    return np.asarray(np.broadcast_to(size, differs.shape).sum(axis=-1, where=differs))
