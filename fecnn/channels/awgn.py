"""Additive white Gaussian noise."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, bpsk
from fecnn.channels.channel import frame_by_frame, noise_sigma, refuse_noise
from fecnn.channels.modulation import BPSK, Modem, refuse_modem
from fecnn.channels.stream import Noise


@dataclass(frozen=True)
class AWGN:
    """Additive white Gaussian noise (Shannon 1948): y = s + sigma z; for BPSK, LLR = 2 y / sigma^2.

    Args:
        sigma: Standard deviation of the noise, per real dimension, at symbols of mean energy 1; `AWGN.at`
            takes Eb/N0.
        modem: Modulation, demapper and interleaver.

    Example:
        >>> channel = AWGN.at(3.0, rate=0.5)
        >>> round(channel.sigma, 4)
        0.7079
        >>> rng = np.random.default_rng(0)
        >>> channel.transmit(np.zeros((2, 3), np.uint8), rng).shape
        (2, 3)
        >>> print(AWGN.at(3.0, rate=0.5, modulation="16qam"))
        AWGN, 16qam, sigma 0.354
    """

    sigma: float
    modem: Modem = BPSK

    def __post_init__(self) -> None:
        refuse_noise(self.sigma)
        refuse_modem(self.modem)

    def __str__(self) -> str:
        said = "" if self.modem == BPSK else f", {self.modem}"
        return f"AWGN{said}, sigma {self.sigma:.3g}"

    @classmethod
    def at(
        cls,
        ebn0_db: float,
        rate: float,
        *,
        modulation: str = "bpsk",
        demapper: str = "exact",
        interleaver: str = "none",
        interleaver_seed: int = 0,
    ) -> Self:
        """The channel at an Eb/N0, for a code of this rate; Es = m R Eb with m bits per symbol.

        Args:
            ebn0_db: Eb/N0 in dB per information bit.
            rate: Information bits per code bit, k / n.
            modulation: ``bpsk``, ``qpsk``, ``8psk``, ``16qam``, ``64qam`` or ``256qam``; see
                `fecnn.channels.modulation.Modem` for this and the rest.
            demapper: ``exact`` or ``maxlog``.
            interleaver: Which bits share a symbol: ``none``, ``random`` or ``row-column``.
            interleaver_seed: Seed of the random one.

        Raises:
            ValueError: If there is no such modulation, demapper or interleaver.
        """
        modem = Modem(modulation, demapper, interleaver, interleaver_seed)
        return cls(noise_sigma(ebn0_db, rate) / math.sqrt(modem.bits), modem)

    def llr(self, y: NDArray[np.float32]) -> LLR:
        """LLRs of received BPSK values; `Modem.llr` is for other symbols.

        Args:
            y: Received values, float32 of any shape; the symbols are +1 for bit 0 and -1 for bit 1.
        """
        return y * np.float32(2 / self.sigma**2)

    @frame_by_frame
    def transmit(self, bits: Bits, rng: Noise) -> LLR:
        """LLRs of received words, float32 of the shape of the bits.

        Args:
            bits: Code bits, ``(..., n)``.
            rng: Where the noise comes from, such as ``numpy.random.default_rng()``.

        Raises:
            TypeError, ValueError: If the bits are not 0 and 1.
        """
        if not self.modem.is_plain:
            return self.modem.transmit(bits, rng, self.sigma)
        y = bpsk(bits)
        y += np.float32(self.sigma) * rng.standard_normal(y.shape, dtype=np.float32)
        return self.llr(y)
