"""The interface of a channel: code bits in, LLRs out, with the sign convention of `fecnn.arrays`."""

import math
from typing import Protocol

from fecnn.arrays import LLR, Bits
from fecnn.channels.stream import Noise


class Channel(Protocol):
    """What is needed of a channel at some noise level; `fecnn.channels.registry` makes one by name."""

    def transmit(self, bits: Bits, rng: Noise) -> LLR:
        """LLRs of received words, float32 of the shape of the bits.

        Args:
            bits: Code bits, ``(frames, n)`` uint8.
            rng: Where the noise comes from, such as ``numpy.random.default_rng()``.
        """


def noise_sigma(ebn0_db: float, rate: float) -> float:
    """Standard deviation of the noise: sigma^2 = 1 / (2 R 10^(Eb/N0 / 10)) at unit symbol energy.

    Raises:
        ValueError: If Eb/N0 is not in -100..100 dB, or the rate is not in (0, 1].
    """
    if not -100 <= ebn0_db <= 100:
        raise ValueError(f"ebn0_db must be a number of dB in -100..100, got {ebn0_db}")
    if not 0 < rate <= 1:
        raise ValueError(f"rate must be k / n in (0, 1], got {rate}")
    return math.sqrt(0.5 / (rate * 10 ** (ebn0_db / 10)))
