"""Fading channels whose gains the receiver knows."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from fecnn.arrays import LLR, Bits, bpsk
from fecnn.channels.channel import noise_sigma
from fecnn.channels.stream import Noise


@dataclass(frozen=True)
class Rayleigh:
    """BPSK over Rayleigh fading (Proakis, Digital Communications, 1983) with gains known to the receiver.

    y = a s + sigma z, LLR = 2 a y / sigma^2. E[a^2] = 1, so Eb/N0 is the mean received value.

    Args:
        sigma: Standard deviation of the noise, per real sample; `Rayleigh.at` takes Eb/N0.

    Example:
        >>> channel = Rayleigh.at(10.0, rate=0.5)
        >>> channel.transmit(np.zeros((2, 3), np.uint8), np.random.default_rng(0)).shape
        (2, 3)
    """

    sigma: float

    def __str__(self) -> str:
        return f"Rayleigh, sigma {self.sigma:.3g}"

    @classmethod
    def at(cls, ebn0_db: float, rate: float) -> Self:
        """The channel at a mean Eb/N0, for a code of this rate.

        Args:
            ebn0_db: Eb/N0 in dB per information bit, in the mean over the fading.
            rate: Information bits per code bit, k / n.
        """
        return cls(noise_sigma(ebn0_db, rate))

    def transmit(self, bits: Bits, rng: Noise) -> LLR:
        """LLRs of received words, float32 of the shape of the bits.

        Args:
            bits: Code bits, ``(frames, n)`` uint8.
            rng: Where the noise comes from, such as ``numpy.random.default_rng()``.
        """
        noise = rng.standard_normal(bits.shape, dtype=np.float32)
        in_phase = rng.standard_normal(bits.shape, dtype=np.float32)
        quadrature = rng.standard_normal(bits.shape, dtype=np.float32)
        gain = np.sqrt(np.float32(0.5) * (in_phase * in_phase + quadrature * quadrature))
        y = gain * bpsk(bits) + np.float32(self.sigma) * noise
        return gain * y * np.float32(2 / self.sigma**2)
