"""Channels of few outputs: the binary symmetric and the binary erasure channel."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from fecnn.arrays import LLR, Bits, bpsk, compiled_for
from fecnn.channels.channel import frame_by_frame, noise_sigma
from fecnn.channels.kernels import erased
from fecnn.channels.stream import Noise
from fecnn.errors import real


@dataclass(frozen=True)
class BSC:
    """Binary symmetric channel (Shannon 1948): bits flip with probability ``crossover``.

    LLR = +-ln((1 - p) / p).

    Args:
        crossover: The probability p that a bit flips.

    Raises:
        ValueError: If the crossover probability is not in 0..1/2.

    Example:
        >>> BSC(0.1).transmit(np.array([[0, 0, 1]], np.uint8), np.random.default_rng(0))
        array([[ 2.1972246,  2.1972246, -2.1972246]], dtype=float32)
    """

    crossover: float

    def __post_init__(self) -> None:
        if not 0 <= real("crossover", self.crossover) <= 0.5:
            raise ValueError(f"crossover must be a probability in 0..1/2, got {self.crossover}")

    def __str__(self) -> str:
        return f"BSC, crossover {self.crossover:.3g}"

    @classmethod
    def at(cls, ebn0_db: float, rate: float) -> Self:
        """Hard-decided BPSK over AWGN at an Eb/N0: p = Q(1 / sigma).

        Args:
            ebn0_db: Eb/N0 in dB per information bit.
            rate: Information bits per code bit, k / n.
        """
        return cls(0.5 * math.erfc(1 / (math.sqrt(2) * noise_sigma(ebn0_db, rate))))

    @frame_by_frame
    def transmit(self, bits: Bits, rng: Noise) -> LLR:
        """LLRs of received words, float32 of the shape of the bits.

        Args:
            bits: Code bits, ``(..., n)``.
            rng: Where the noise comes from, such as ``numpy.random.default_rng()``.

        Raises:
            TypeError, ValueError: If the bits are not 0 and 1.
        """
        flips = rng.random(bits.shape, dtype=np.float32) < self.crossover
        p = self.crossover
        magnitude = math.inf if p == 0 else math.log((1 - p) / p)
        return bpsk(bits ^ flips) * np.float32(magnitude)


@dataclass(frozen=True)
class BEC:
    """Binary erasure channel (Elias 1955): bits are lost with probability ``erasure``.

    LLR = 0 for a lost bit, and +-infinity for one that arrives.

    Args:
        erasure: The probability that a bit is lost.

    Raises:
        ValueError: If the erasure probability is not in 0..1.

    Example:
        >>> BEC(0.5).transmit(np.array([[0, 1, 1, 0]], np.uint8), np.random.default_rng(1))
        array([[  0., -inf, -inf,  inf]], dtype=float32)
    """

    erasure: float

    def __post_init__(self) -> None:
        if not 0 <= real("erasure", self.erasure) <= 1:
            raise ValueError(f"erasure must be a probability in 0..1, got {self.erasure}")

    def __str__(self) -> str:
        return f"BEC, erasure {self.erasure:.3g}"

    @classmethod
    def at(cls, ebn0_db: float, rate: float) -> Self:
        """The erasure channel with the Bhattacharyya parameter of BPSK over AWGN: exp(-R Eb/N0).

        Args:
            ebn0_db: Eb/N0 in dB per information bit.
            rate: Information bits per code bit, k / n.
        """
        return cls(math.exp(-0.5 / noise_sigma(ebn0_db, rate) ** 2))

    @frame_by_frame
    def transmit(self, bits: Bits, rng: Noise) -> LLR:
        """LLRs of received words, float32 of the shape of the bits.

        Args:
            bits: Code bits, ``(..., n)``.
            rng: Where the noise comes from, such as ``numpy.random.default_rng()``.

        Raises:
            TypeError, ValueError: If the bits are not 0 and 1.
        """
        uniform = compiled_for(rng.random(bits.shape, dtype=np.float32))
        out = np.empty(bits.shape, np.float32)
        erased(compiled_for(bits), uniform, np.float32(self.erasure), out)
        return out
