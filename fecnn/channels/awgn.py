"""Additive white Gaussian noise."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, bpsk
from fecnn.channels.channel import noise_sigma
from fecnn.channels.stream import Noise


@dataclass(frozen=True)
class AWGN:
    """BPSK over additive white Gaussian noise (Shannon 1948): y = s + sigma z, LLR = 2 y / sigma^2.

    Args:
        sigma: Standard deviation of the noise, per real sample; `AWGN.at` takes Eb/N0.

    Example:
        >>> channel = AWGN.at(3.0, rate=0.5)
        >>> round(channel.sigma, 4)
        0.7079
        >>> rng = np.random.default_rng(0)
        >>> channel.transmit(np.zeros((2, 3), np.uint8), rng).shape
        (2, 3)
    """

    sigma: float

    def __str__(self) -> str:
        return f"AWGN, sigma {self.sigma:.3g}"

    @classmethod
    def at(cls, ebn0_db: float, rate: float) -> Self:
        """The channel at an Eb/N0, for a code of this rate.

        Args:
            ebn0_db: Eb/N0 in dB per information bit.
            rate: Information bits per code bit, k / n.
        """
        return cls(noise_sigma(ebn0_db, rate))

    def llr(self, y: NDArray[np.float32]) -> LLR:
        """LLRs of received values.

        Args:
            y: Received values, float32 of any shape; the symbols are +1 for bit 0 and -1 for bit 1.
        """
        return y * np.float32(2 / self.sigma**2)

    def transmit(self, bits: Bits, rng: Noise) -> LLR:
        """LLRs of received words, float32 of the shape of the bits.

        Args:
            bits: Code bits, ``(frames, n)`` uint8.
            rng: Where the noise comes from, such as ``numpy.random.default_rng()``.
        """
        y = bpsk(bits)
        y += np.float32(self.sigma) * rng.standard_normal(y.shape, dtype=np.float32)
        return self.llr(y)
