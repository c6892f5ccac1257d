"""Memoryless channels for BPSK: code bits in, LLRs out, with the sign convention of `fecnn.arrays`."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, bpsk
from fecnn.channels.stream import Noise
from fecnn.errors import nearest


class Channel(Protocol):
    """The interface of a channel."""

    @classmethod
    def at(cls, ebn0_db: float, rate: float) -> Self:
        """The channel at an Eb/N0, for a code of this rate.

        Args:
            ebn0_db: Eb/N0 in dB per information bit.
            rate: Information bits per code bit, k / n.
        """

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


def _refuse_sigma(sigma: float) -> None:
    if not (isinstance(sigma, int | float | np.floating) and 0 < sigma < math.inf):
        raise ValueError(f"sigma must be a standard deviation above 0, got {sigma!r}")


@dataclass(frozen=True)
class AWGN:
    """BPSK over additive white Gaussian noise: y = s + sigma z, LLR = 2 y / sigma^2.

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


@dataclass(frozen=True)
class BSC:
    """Binary symmetric channel: bits flip with probability ``crossover``, LLR = +-ln((1 - p) / p).

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
        if not 0 <= self.crossover <= 0.5:
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

    def transmit(self, bits: Bits, rng: Noise) -> LLR:
        """LLRs of received words, float32 of the shape of the bits.

        Args:
            bits: Code bits, ``(frames, n)`` uint8.
            rng: Where the noise comes from, such as ``numpy.random.default_rng()``.
        """
        flips = rng.random(bits.shape, dtype=np.float32) < self.crossover
        p = self.crossover
        magnitude = math.inf if p == 0 else math.log((1 - p) / p)
        return bpsk(bits ^ flips) * np.float32(magnitude)


@dataclass(frozen=True)
class Rayleigh:
    """BPSK over independent Rayleigh fading with gains known to the receiver.

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


CHANNELS: dict[str, type[Channel]] = {
    "awgn": AWGN,
    "bsc": BSC,
    "rayleigh": Rayleigh,
}


def channel_at(name: str, ebn0_db: float, rate: float) -> Channel:
    """A channel by name, one of `CHANNELS`.

    Raises:
        LookupError: If there is no such channel.
    """
    if name not in CHANNELS:
        raise LookupError(f"no channel {name!r}; {nearest(name, list(CHANNELS))}")
    at: Callable[[float, float], Channel] = CHANNELS[name].at
    return at(ebn0_db, rate)
