"""A decoder on several threads of this process: large batches of frames are split among them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fecnn.decoders import BuiltDecoder, BuiltSoftDecoder

LEAST = 64
"""Frames that a thread gets at least: for fewer, handing them over takes longer than decoding them."""


class Threads:
    """A decoder that is called like the one it holds, and decides the same, on several threads.

    Kernels run beside each other, since they hold no lock of Python. Use it as a context manager, or call
    `close`; without either the threads end with the process.

    Args:
        decode: A decoder, from `fecnn.decoder` or `fecnn.soft_decoder`.
        count: Threads; as many as there are cores is a good choice.

    Raises:
        ValueError: If ``count`` is below 1.

    Example:
        >>> import fecnn
        >>> code = fecnn.load_code("bch-31-21")
        >>> with Threads(fecnn.decoder("ml", code), 2) as decode:
        ...     decode(np.ones((1000, 31), np.float32)).sum()
        np.uint64(0)
    """

    def __init__(self, decode: BuiltDecoder | BuiltSoftDecoder, count: int) -> None:
        if count < 1:
            raise ValueError(f"count must be 1 thread or more, got {count}")
        self.decode, self.count = decode, count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="fecnn")

    def __call__(self, llr: ArrayLike, /) -> NDArray[Any]:
        """The decisions, or a-posteriori LLRs, of LLRs ``(..., n)``; errors as for the decoder."""
        frames = np.asarray(llr)
        n = self.decode.recipe.code.n
        parts = min(self.count, frames.size // n // LEAST)
        if parts < 2 or frames.shape[-1] != n:
            return self.decode(llr)
        pieces = np.array_split(frames.reshape(-1, n), parts)
        found: list[NDArray[Any]] = list(self._pool.map(self._part, pieces))
        return np.concatenate(found).reshape(*frames.shape[:-1], found[0].shape[-1])

    def _part(self, llr: NDArray[Any]) -> NDArray[Any]:
        return self.decode(llr)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return Threads, (self.decode, self.count)

    def __repr__(self) -> str:
        return f"Threads({self.decode!r}, {self.count})"
