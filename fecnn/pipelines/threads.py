"""A decoder on several threads of this process: large batches of frames are split among them."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fecnn.arrays import as_float32
from fecnn.channels.channel import Channel
from fecnn.decoders import BuiltDecoder, BuiltSoftDecoder
from fecnn.decoders.built import filled

LEAST = 64
"""Frames that a thread gets at least: for fewer, handing them over takes longer than decoding them."""


class Threads:
    """A decoder that decides the same as the one it holds, on several threads.

    Kernels run beside each other, since they hold no lock of Python. Use it as a context manager, or call
    `close`; without either the threads end with the process. A forked process has threads of its own.

    Args:
        decode: A decoder, from `fecnn.decoder` or `fecnn.soft_decoder`.
        count: Threads; as many as there are cores is a good choice.

    Raises:
        TypeError: If this is not such a decoder, or ``count`` is no integer.
        ValueError: If ``count`` is below 1.

    Example:
        >>> import fecnn
        >>> code = fecnn.load_code("bch-31-21")
        >>> with Threads(fecnn.decoder("ml", code), 2) as decode:
        ...     decode(np.ones((1000, 31), np.float32)).sum()
        np.uint64(0)
    """

    def __init__(self, decode: BuiltDecoder | BuiltSoftDecoder, count: int) -> None:
        if not isinstance(decode, BuiltDecoder | BuiltSoftDecoder):
            raise TypeError(f"decode must be from fecnn.decoder or fecnn.soft_decoder, got {decode!r}")
        if not isinstance(count, int) or isinstance(count, bool):
            raise TypeError(f"count must be an integer, got {count!r}")
        if count < 1:
            raise ValueError(f"count must be 1 thread or more, got {count}")
        self.decode, self.count = decode, count
        self._pools: dict[int, ThreadPoolExecutor] = {}

    def __call__(
        self, llr: ArrayLike, /, *, channel: Channel | None = None, out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """The decisions, or a-posteriori LLRs, of LLRs ``(..., n)``, as the decoder itself gives them."""
        decode = self.decode if channel is None else self.decode.at(channel)
        n = decode.recipe.code.n
        frames = as_float32(llr, n)
        parts = min(self.count, frames.size // n // LEAST)
        if parts < 2:
            return decode(frames, out=out)
        pieces = np.array_split(frames.reshape(-1, n), parts)
        found = np.concatenate(list(self._pool.map(decode, pieces)))
        found = found.reshape(*frames.shape[:-1], found.shape[-1])
        return found if out is None else filled(out, found)

    @property
    def _pool(self) -> ThreadPoolExecutor:
        process = os.getpid()
        if process not in self._pools:  # threads do not survive a fork
            self._pools[process] = ThreadPoolExecutor(self.count, thread_name_prefix="fecnn")
        return self._pools[process]

    def close(self) -> None:
        """End the threads."""
        if (pool := self._pools.pop(os.getpid(), None)) is not None:
            pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return Threads, (self.decode, self.count)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Threads):
            return NotImplemented
        return (self.decode, self.count) == (other.decode, other.count)

    def __hash__(self) -> int:
        return hash((self.decode, self.count))

    def __repr__(self) -> str:
        return f"Threads({self.decode!r}, {self.count})"
