"""What a receiver does to LLRs before it decodes: a wrong noise level, and numbers of few bits."""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from fecnn.arrays import LLR
from fecnn.channels.awgn import AWGN
from fecnn.channels.channel import Channel
from fecnn.channels.fading import Rayleigh, Rician
from fecnn.errors import real, whole

MOST_BITS = 16


@dataclass(frozen=True)
class Receiver:
    """LLRs as a decoder sees them: multiplied by ``scale``, then rounded to ``bits`` bits.

    The quantiser is uniform and symmetric, as in hardware with sign and magnitude: 2^bits - 1 levels from
    -range to range, with 0 among them. What lies beyond is cut off, also where a bit is certain.

    Args:
        scale: Factor of the LLRs. A receiver that takes the variance of the noise for V times what it is has
            the scale 1 / V.
        bits: Bits of an LLR, 2 to 16; None for no quantiser.
        range: Largest LLR after the quantiser, above 0; needed with ``bits``.

    Raises:
        TypeError: If one is no number.
        ValueError: If a number does not fit, or only one of bits and range is given.

    Example:
        >>> Receiver(bits=3, range=6.0)(np.float32([0.9, -1.1, 2.5, 40]))
        array([ 0., -2.,  2.,  6.], dtype=float32)
        >>> print(Receiver(scale=0.5, bits=3, range=6.0))
        LLRs x 0.5, 3 bits to 6
    """

    scale: float = 1.0
    bits: int | None = None
    range: float | None = None

    def __post_init__(self) -> None:
        if not 0 < real("scale", self.scale) < float("inf"):
            raise ValueError(f"scale must be a factor above 0, got {self.scale!r}")
        if (self.bits is None) != (self.range is None):
            raise ValueError("bits and range belong together: give both, or neither")
        if self.bits is not None and not 2 <= whole("bits", self.bits) <= MOST_BITS:
            hint = "; hard decisions are the channel bsc" if self.bits == 1 else ""
            raise ValueError(f"bits must be in 2..{MOST_BITS}, got {self.bits!r}{hint}")
        if self.range is not None and not 0 < real("range", self.range) < float("inf"):
            raise ValueError(f"range must be the largest LLR, above 0, got {self.range}")

    def __str__(self) -> str:
        parts = [f"LLRs x {self.scale:g}"] * (self.scale != 1)
        parts += [f"{self.bits} bits to {self.range:g}"] * (self.bits is not None)
        return ", ".join(parts)

    def __call__(self, llr: LLR) -> LLR:
        """The LLRs that the decoder sees.

        Args:
            llr: LLRs of any shape, float32, possibly infinite.
        """
        seen = llr if self.scale == 1 else self._scaled(llr)
        if self.bits is None or self.range is None:
            return seen
        step = np.float32(self.range / (2 ** (self.bits - 1) - 1))
        most = np.float32(self.range)
        levels: LLR = np.rint(np.clip(seen, -most, most) / step)
        return levels * step

    def _scaled(self, llr: LLR) -> LLR:
        """The LLRs times the scale; finite ones stay so, since an infinite one would be a certain bit."""
        limit = np.finfo(np.float32).max
        with np.errstate(over="ignore"):
            seen: LLR = llr * np.float32(self.scale)
        return seen if self.scale < 1 else np.where(np.isinf(llr), llr, np.clip(seen, -limit, limit))

    def believed(self, channel: Channel) -> Channel | None:
        """The channel as the receiver believes it to be; None where a wrong noise level has no such channel.

        Args:
            channel: The channel as it is.
        """
        if self.scale == 1:
            return channel
        if isinstance(channel, AWGN | Rayleigh | Rician):
            return replace(channel, sigma=channel.sigma / sqrt(self.scale))
        return None
