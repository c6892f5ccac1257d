"""Fading channels whose gains the receiver knows."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, compiled_for
from fecnn.channels.channel import frame_by_frame, noise_sigma, refuse_noise
from fecnn.channels.kernels import amplitudes, faded_bpsk
from fecnn.channels.modulation import BPSK, Modem, refuse_modem
from fecnn.channels.stream import Noise
from fecnn.errors import real, whole


@dataclass(frozen=True)
class Rayleigh:
    """Rayleigh fading (Proakis, Digital Communications, 1983) with gains known to the receiver.

    y = a s + sigma z; for BPSK, LLR = 2 a y / sigma^2. E[a^2] = 1, so Eb/N0 is the mean received value. The
    receiver corrects the phase, which changes nothing.

    Args:
        sigma: Standard deviation of the noise, per real dimension, at symbols of mean energy 1; `Rayleigh.at`
            takes Eb/N0.
        block: Successive symbols with the same gain; 0 for all of a frame.
        modem: Modulation, demapper and interleaver.

    Raises:
        ValueError: If the block is negative.

    Example:
        >>> channel = Rayleigh.at(10.0, rate=0.5)
        >>> channel.transmit(np.zeros((2, 3), np.uint8), np.random.default_rng(0)).shape
        (2, 3)
        >>> print(Rayleigh.at(10.0, rate=0.5, block=0, modulation="qpsk"))
        Rayleigh, one gain per frame, qpsk, sigma 0.224
    """

    sigma: float
    block: int = 1
    modem: Modem = BPSK

    def __post_init__(self) -> None:
        refuse_noise(self.sigma)
        refuse_modem(self.modem)
        _refuse_block(self.block)

    def __str__(self) -> str:
        return f"Rayleigh{_told(self.block, self.modem)}, sigma {self.sigma:.3g}"

    @classmethod
    def at(
        cls,
        ebn0_db: float,
        rate: float,
        *,
        block: int = 1,
        modulation: str = "bpsk",
        demapper: str = "exact",
        interleaver: str = "none",
        interleaver_seed: int = 0,
    ) -> Self:
        """The channel at a mean Eb/N0, for a code of this rate.

        Args:
            ebn0_db: Eb/N0 in dB per information bit, in the mean over the fading.
            rate: Information bits per code bit, k / n.
            block: Successive symbols with the same gain: 1 for fast fading, 0 for one gain per frame.
            modulation: ``bpsk``, ``qpsk``, ``8psk``, ``16qam``, ``64qam`` or ``256qam``; see
                `fecnn.channels.modulation.Modem` for this and the rest.
            demapper: ``exact`` or ``maxlog``.
            interleaver: Which bits share a symbol: ``none``, ``random`` or ``row-column``.
            interleaver_seed: Seed of the random one.

        Raises:
            ValueError: If there is no such modulation, demapper or interleaver, or the block is negative.
        """
        modem = Modem(modulation, demapper, interleaver, interleaver_seed)
        return cls(noise_sigma(ebn0_db, rate) / math.sqrt(modem.bits), block, modem)

    @frame_by_frame
    def transmit(self, bits: Bits, rng: Noise) -> LLR:
        """LLRs of received words, float32 of the shape of the bits.

        Args:
            bits: Code bits, ``(..., n)``.
            rng: Where the noise comes from, such as ``numpy.random.default_rng()``.

        Raises:
            TypeError, ValueError: If the bits are not 0 and 1.
        """
        return _faded(bits, rng, self.sigma, 0.0, self.block, self.modem)


@dataclass(frozen=True)
class Rician:
    """Rician fading (Rice 1948): a constant path beside scattered ones, with gains known to the receiver.

    As `Rayleigh`, which has no constant path.

    Args:
        sigma: Standard deviation of the noise, per real dimension, at symbols of mean energy 1; `Rician.at`
            takes Eb/N0.
        k_factor_db: Energy of the constant path over that of the scattered ones, in dB.
        block: Successive symbols with the same gain; 0 for all of a frame.
        modem: Modulation, demapper and interleaver.

    Raises:
        ValueError: If the block is negative, or the K factor is not in -100..100 dB.

    Example:
        >>> print(Rician.at(10.0, rate=0.5, k_factor_db=6.0))
        Rician, K 6 dB, sigma 0.316
    """

    sigma: float
    k_factor_db: float
    block: int = 1
    modem: Modem = BPSK

    def __post_init__(self) -> None:
        refuse_noise(self.sigma)
        refuse_modem(self.modem)
        _refuse_block(self.block)
        if not -100 <= real("k_factor_db", self.k_factor_db) <= 100:
            raise ValueError(f"k_factor_db must be a number of dB in -100..100, got {self.k_factor_db}")

    def __str__(self) -> str:
        told = f"K {self.k_factor_db:g} dB{_told(self.block, self.modem)}"
        return f"Rician, {told}, sigma {self.sigma:.3g}"

    @classmethod
    def at(
        cls,
        ebn0_db: float,
        rate: float,
        *,
        k_factor_db: float = 10.0,
        block: int = 1,
        modulation: str = "bpsk",
        demapper: str = "exact",
        interleaver: str = "none",
        interleaver_seed: int = 0,
    ) -> Self:
        """The channel at a mean Eb/N0, for a code of this rate.

        Args:
            ebn0_db: Eb/N0 in dB per information bit, in the mean over the fading.
            rate: Information bits per code bit, k / n.
            k_factor_db: Energy of the constant path over that of the scattered ones, in dB.
            block: Successive symbols with the same gain: 1 for fast fading, 0 for one gain per frame.
            modulation: ``bpsk``, ``qpsk``, ``8psk``, ``16qam``, ``64qam`` or ``256qam``; see
                `fecnn.channels.modulation.Modem` for this and the rest.
            demapper: ``exact`` or ``maxlog``.
            interleaver: Which bits share a symbol: ``none``, ``random`` or ``row-column``.
            interleaver_seed: Seed of the random one.

        Raises:
            ValueError: If there is no such modulation, demapper or interleaver, or a number does not fit.
        """
        modem = Modem(modulation, demapper, interleaver, interleaver_seed)
        return cls(noise_sigma(ebn0_db, rate) / math.sqrt(modem.bits), k_factor_db, block, modem)

    @frame_by_frame
    def transmit(self, bits: Bits, rng: Noise) -> LLR:
        """LLRs of received words, float32 of the shape of the bits.

        Args:
            bits: Code bits, ``(..., n)``.
            rng: Where the noise comes from, such as ``numpy.random.default_rng()``.

        Raises:
            TypeError, ValueError: If the bits are not 0 and 1.
        """
        return _faded(bits, rng, self.sigma, 10 ** (self.k_factor_db / 10), self.block, self.modem)


def _refuse_block(block: int) -> None:
    if whole("block", block) < 0:
        raise ValueError(f"block must be a number of symbols, or 0 for all of a frame, got {block}")


def _told(block: int, modem: Modem) -> str:
    gains = {0: ", one gain per frame", 1: ""}.get(block, f", one gain per {block} symbols")
    return gains + ("" if modem == BPSK else f", {modem}")


def _faded(bits: Bits, rng: Noise, sigma: float, k_factor: float, block: int, modem: Modem) -> LLR:
    """LLRs of frames over fading with this K factor (as a ratio), 0 for Rayleigh."""
    frames, n = bits.shape
    if not modem.is_plain:
        return modem.transmit(bits, rng, sigma, _gains(rng, frames, modem.symbols_of(n), k_factor, block))
    noise = rng.standard_normal(bits.shape, dtype=np.float32)
    gain = _gains(rng, frames, n, k_factor, block)
    out = np.empty(bits.shape, np.float32)
    scale = np.float32(2 / sigma**2)
    faded_bpsk(compiled_for(bits), gain, compiled_for(noise), np.float32(sigma), scale, out)
    return out


def _gains(rng: Noise, frames: int, symbols: int, k_factor: float, block: int) -> NDArray[np.float32]:
    """Amplitudes (frames, symbols) with mean square 1."""
    length = min(block, symbols) or symbols
    shape = frames, -(-symbols // length)
    in_phase = rng.standard_normal(shape, dtype=np.float32)
    quadrature = rng.standard_normal(shape, dtype=np.float32)
    constant, scattered = np.float32(math.sqrt(2 * k_factor)), np.float32(0.5 / (1 + k_factor))
    gain = np.empty(shape, np.float32)
    amplitudes(compiled_for(in_phase), compiled_for(quadrature), constant, scattered, gain)
    return gain if length == 1 else compiled_for(np.repeat(gain, length, axis=1)[:, :symbols])
