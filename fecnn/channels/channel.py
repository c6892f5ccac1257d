"""The interface of a channel: code bits in, LLRs out, with the sign convention of `fecnn.arrays`."""

import math
from collections.abc import Callable
from functools import wraps
from typing import Protocol, TypeVar

from numpy.typing import ArrayLike

from fecnn.arrays import LLR, Bits, as_bits
from fecnn.channels.stream import Noise
from fecnn.errors import real


class Channel(Protocol):
    """What is needed of a channel at some noise level; `fecnn.channels.registry` makes one by name."""

    def transmit(self, bits: Bits, rng: Noise) -> LLR:
        """LLRs of received words, float32 of the shape of the bits.

        Args:
            bits: Code bits, ``(frames, n)`` uint8.
            rng: Where the noise comes from, such as ``numpy.random.default_rng()``.
        """


Self = TypeVar("Self")


def frame_by_frame(
    transmit: Callable[[Self, Bits, Noise], LLR],
) -> Callable[[Self, ArrayLike, Noise], LLR]:
    """A channel's ``transmit`` for bits of any shape ``(..., n)``, checked, from one for ``(frames, n)``.

    The function raises TypeError and ValueError for what is no array of bits.
    """

    @wraps(transmit)
    def checked(self: Self, bits: ArrayLike, rng: Noise) -> LLR:
        sent = as_bits(bits, "bits")
        if not sent.ndim:
            raise ValueError("bits must be an array of frames, (..., n), got a single one")
        return transmit(self, sent.reshape(-1, sent.shape[-1]), rng).reshape(sent.shape)

    return checked


def refuse_noise(sigma: object) -> None:
    """Reject a standard deviation that is no positive number.

    Raises:
        TypeError, ValueError: Stating what it must be.
    """
    if not 0 < real("sigma", sigma) < math.inf:
        raise ValueError(f"sigma must be above 0, got {sigma}")


def noise_sigma(ebn0_db: float, rate: float) -> float:
    """Standard deviation of the noise: sigma^2 = 1 / (2 R 10^(Eb/N0 / 10)) at unit symbol energy.

    Raises:
        TypeError: If one is no number.
        ValueError: If Eb/N0 is not in -100..100 dB, or the rate is not in (0, 1].
    """
    ebn0_db, rate = real("ebn0_db", ebn0_db), real("rate, k / n,", rate)
    if not -100 <= ebn0_db <= 100:
        raise ValueError(f"ebn0_db must be a number of dB in -100..100, got {ebn0_db}")
    if not 0 < rate <= 1:
        raise ValueError(f"rate must be k / n in (0, 1], got {rate}")
    return math.sqrt(0.5 / (rate * 10 ** (ebn0_db / 10)))
