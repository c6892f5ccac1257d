"""Addressable randomness: the bits and Gaussians of frame f depend only on the key and f.

Philox-4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011) turns a
counter into four 32-bit words; Box and Muller (1958) turn two words into two Gaussians. The logarithm, sine
and cosine are float32 polynomials of additions and multiplications only, so the frames are the same for any
batch size, any number of workers and however the loop is compiled.

A 32-bit word cuts the Gaussian off at 6.76 sigma (probability 1e-11): fine for Monte-Carlo down to rates near
1e-8, not for the far tail.
"""

import hashlib
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import Bits
from fecnn.channels.kernels import gaussians, philox, uniforms

STREAM = 1
"""Version of the noise: counts of two versions must never be pooled."""

MESSAGE, NOISE, FLIPS = range(3)
"""Purposes of the random words; each has its own counters."""


class Noise(Protocol):
    """A source of random numbers for a channel: a `FrameStream` or a `numpy.random.Generator`."""

    def standard_normal(self, size: tuple[int, ...], dtype: type[np.float32]) -> NDArray[np.float32]:
        """Independent N(0, 1) values, float32."""

    def random(self, size: tuple[int, ...], dtype: type[np.float32]) -> NDArray[np.float32]:
        """Independent uniform values in [0, 1), float32."""


class FrameStream:
    """The random source of frames ``first``, ``first + 1``, ... of a named stream.

    Args:
        name: The stream's name; any text. Different names give independent streams.
        first: Index of the first frame.

    Example:
        >>> whole = FrameStream("demo", 0).standard_normal((4, 3))
        >>> part = FrameStream("demo", 2).standard_normal((2, 3))
        >>> bool((whole[2:] == part).all())
        True
    """

    def __init__(self, name: str, first: int) -> None:
        digest = hashlib.sha256(f"{STREAM}:{name}".encode()).digest()
        self.key = np.frombuffer(digest[:12], "<u4").astype(np.uint32)
        self.first = first
        self._draws = 0

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the noise of a channel has standard_normal and random, but no {name}")

    def messages(self, frames: int, k: int) -> Bits:
        """Uniform message bits, shape (frames, k)."""
        octets = self._rows(frames, -(-k // 128), MESSAGE).astype("<u4", copy=False).view(np.uint8)
        return np.unpackbits(octets, axis=1, count=k, bitorder="little")

    def standard_normal(
        self, size: tuple[int, ...], dtype: type[np.float32] = np.float32
    ) -> NDArray[np.float32]:
        """N(0, 1) values, shape (frames, values); each call draws new ones."""
        frames, values = size
        blocks = -(-values // 4)
        out = np.empty((frames, 4 * blocks), np.float32)
        gaussians(self.key, np.uint32(self._next(NOISE)), np.uint64(self.first), out)
        return out[:, :values]

    def random(self, size: tuple[int, ...], dtype: type[np.float32] = np.float32) -> NDArray[np.float32]:
        """24-bit uniform values in [0, 1), shape (frames, values); each call draws new ones."""
        frames, values = size
        out = np.empty((frames, 4 * -(-values // 4)), np.float32)
        uniforms(self.key, np.uint32(self._next(FLIPS)), np.uint64(self.first), out)
        return out[:, :values]

    def _next(self, purpose: int) -> int:
        self._draws += 1
        return purpose + 4 * self._draws

    def _words(self, frames: int, blocks: int, purpose: int) -> NDArray[np.uint32]:
        """The four words of each block of each frame, shape (4, frames, blocks)."""
        out = np.empty((4, frames, blocks), np.uint32)
        philox(self.key, np.uint32(purpose), np.uint64(self.first * blocks), out.reshape(4, -1))
        return out

    def _rows(self, frames: int, blocks: int, purpose: int) -> NDArray[np.uint32]:
        """The words of each frame, block by block, shape (frames, 4 * blocks)."""
        words = self._words(frames, blocks, purpose)
        return np.ascontiguousarray(words.transpose(1, 2, 0)).reshape(frames, 4 * blocks)
