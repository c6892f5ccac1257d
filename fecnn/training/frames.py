"""The frames used in training: every batch is a function of its step."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fecnn.arrays import LLR, Bits, bpsk, hard
from fecnn.channels.channel import noise_sigma
from fecnn.codes.automorphism import random_automorphisms
from fecnn.codes.code import Code
from fecnn.decoders import decoder, soft_decoder
from fecnn.training.recipe import Training

CHUNK = 1 << 14
"""Frames of a fixed set, or of validation, made at once."""


FRESH, FIXED, ORDER, VALIDATION, AUGMENT = range(5)
"""Purposes of random numbers: fresh batches, fixed sets and their orders, validation, augmentation."""


@dataclass
class Batch:
    """Inputs and targets of a batch, row by row: received y, with bit 0 sent as +1, and the target.

    answer: Probabilities that hard decisions are wrong, (B, n), or message bits, (B, k); float32.
    """

    y: NDArray[np.float32]
    answer: NDArray[np.float32]


class Source:
    """The frames of a training: those of a step depend only on the configuration and the step."""

    def __init__(self, training: Training, code: Code) -> None:
        self.training, self.code = training, code
        data = training.data
        self._sigmas = np.array([noise_sigma(db, code.rate) for db in data.ebn0_db], np.float32)
        self._ml = decoder("ml", code) if data.targets == "ml" else None
        self._app = soft_decoder("map", code) if data.targets == "map" else None
        self._fixed = None if data.frames is None else self._fixed_set(data.frames)
        self._order = lru_cache(maxsize=1)(self._new_order)

    def batch(self, step: int) -> Batch:
        """The frames of a step, counted from 0."""
        count = self.training.batch
        if self._fixed is None:
            frames = self._make(count, self._rng(FRESH, step))
        else:
            epoch, part = divmod(step, self.training.epoch_steps)
            rows = self._order(epoch)[part * count : (part + 1) * count]
            frames = Batch(self._fixed.y[rows], self._fixed.answer[rows])
        if self.training.data.augment:
            # A permuted y is the y of a permuted codeword, and its signs match that word.
            places = random_automorphisms(self.code, count, self._rng(AUGMENT, step))
            frames = Batch(
                np.take_along_axis(frames.y, places, axis=1),
                np.take_along_axis(frames.answer, places, axis=1),
            )
        return frames

    def _fixed_set(self, count: int) -> Batch:
        parts = [
            self._make(min(CHUNK, count - first), self._rng(FIXED, first)) for first in range(0, count, CHUNK)
        ]
        return Batch(np.concatenate([p.y for p in parts]), np.concatenate([p.answer for p in parts]))

    def _new_order(self, epoch: int) -> NDArray[np.int64]:
        assert self._fixed is not None
        return self._rng(ORDER, epoch).permutation(len(self._fixed.y))

    def _make(self, count: int, rng: np.random.Generator) -> Batch:
        code = self.code
        messages = np.zeros((count, code.k), np.uint8)
        if self.training.data.messages == "random":
            messages = rng.integers(0, 2, (count, code.k), np.uint8)
        sent = code.encode(messages)
        sigma: NDArray[np.float32] = rng.choice(self._sigmas, (count, 1))
        y: LLR = bpsk(sent) + sigma * rng.standard_normal((count, code.n), np.float32)
        if self.training.dense:
            return Batch(y, messages.astype(np.float32))
        return Batch(y, self._errors(y, sent, y * (np.float32(2) / sigma**2)))

    def _errors(self, y: NDArray[np.float32], sent: Bits, llr: LLR) -> NDArray[np.float32]:
        """Probabilities that the hard decisions are wrong: 0 or 1, or posterior ones for ``map``."""
        if self._app is not None:
            towards_error = np.where(y < 0, np.float32(1), np.float32(-1)) * self._app(llr)
            posterior: NDArray[np.float32] = 0.5 + 0.5 * np.tanh(0.5 * towards_error)
            return posterior
        word = sent if self._ml is None else self._ml(llr)
        return (word ^ hard(y)).astype(np.float32)

    def _rng(self, purpose: int, index: int) -> np.random.Generator:
        return stream(self.training.seed, purpose, index)


class Ahead:
    """The batches of a source, made by threads before they are asked for: an accelerator need not wait.

    Args:
        batch: The batch of a step; it is called from several threads at once.
        threads: How many threads make batches.
        depth: How many batches are made beyond the last one asked for.
    """

    def __init__(self, batch: Callable[[int], Batch], threads: int = 4, depth: int = 8) -> None:
        self._batch, self._depth = batch, depth
        self._pool = ThreadPoolExecutor(threads, "frames")
        self._coming: dict[int, Future[Batch]] = {}

    def batch(self, step: int) -> Batch:
        """The batch of a step, counted from 0."""
        wanted = range(step, step + self._depth + 1)
        self._coming = {one: self._coming.get(one) or self._pool.submit(self._batch, one) for one in wanted}
        return self._coming[step].result()


def stream(seed: int, purpose: int, index: int) -> np.random.Generator:
    """A separate generator for every purpose and index (Philox, with counters far from any other's)."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, index, purpose]))
