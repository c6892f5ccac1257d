"""The Monte-Carlo engine: pure batches, worker threads, and stopping on the ordered prefix of batches."""

import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fecnn.arrays import LLR, Bits
from fecnn.catalogue import load_code
from fecnn.channel import AWGN, channel_at
from fecnn.decoders import Decoder, Effort, Measured
from fecnn.engine import Engine, PlainEngine
from fecnn.stream import FrameStream
from fecnn.study import Point, Prefix, Task, build_decoder
from fecnn.tally import Tally

CHUNK_VALUES, MAX_CHUNK = 1 << 17, 1 << 13
"""LLRs made and decoded at a time (half a MiB: they stay in cache), and frames at most."""


class DecodingError(RuntimeError):
    """A decoder failed in the middle of a study."""


@dataclass(frozen=True)
class Progress:
    """A point after one more batch.

    total: Counts of the ordered prefix so far.
    finished: Whether the point's stopping rule is met.
    batch, counts, seconds: Index, counts and wall time of the batch just made; None of them for a point as it
        stood before.
    """

    point: Point
    total: Tally
    finished: bool
    batch: int | None = None
    counts: Tally | None = None
    seconds: float = 0.0


def run_batch(task: Task, i: int) -> Tally:
    """Simulate batch i of a task: frames i * batch to (i + 1) * batch - 1 of its stream.

    Pure: the counts depend on the arguments alone, not on what ran before, beside it, or where.

    Raises:
        ValueError: If the code is no longer the one that the task was made for.
    """
    engine, decode = _prepared(task)
    total, flags = Tally(), b""
    chunk = chunk_of(engine.code.n)
    end = (i + 1) * task.batch
    for first in range(i * task.batch, end, chunk):
        frames = engine.frames(FrameStream(task.stream, first), min(chunk, end - first))
        began = time.thread_time()  # not the clock: on a busy machine that would count others' work
        decided, effort = decide(decode, frames.llr)
        seconds = time.thread_time() - began
        counts = engine.count(frames, decided, seconds, effort)
        total += counts
        flags += counts.flags or b""
    return replace(total, flags=flags)


def decide(decode: Decoder, llr: LLR) -> tuple[Bits, Effort | None]:
    """A decoder's decisions, with its effort if it measures it."""
    return decode.measure(llr) if isinstance(decode, Measured) else (decode(llr), None)


def one_torch_thread() -> None:
    """Workers are the parallelism: torch's own threads inside each only get in the others' way."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def chunk_of(n: int) -> int:
    """Frames of n bits to make and decode at a time: a multiple of 8, so that their flags join."""
    return min(MAX_CHUNK, max(8, CHUNK_VALUES // n // 8 * 8))


def simulate(
    points: Sequence[Point],
    done: Mapping[str, Mapping[int, Tally]],
    *,
    workers: int = 1,
    stop_now: Callable[[], bool] = lambda: False,
) -> Generator[Progress, None, None]:
    """Run what points still need; yields each point as it stands, then progress as batches are made.

    The point on which least time was spent goes next, so that all curves grow together. Closing the generator
    waits for the batches in flight (threads cannot be killed) and drops them.

    Args:
        points: What to simulate.
        done: Batches that exist already, by task id and batch index.
        workers: Threads.
        stop_now: Asked before each batch; when it says so, those in flight are finished and no more is begun.

    Raises:
        DecodingError: If a decoder raises.
        ValueError: If workers is not positive.
    """
    if workers < 1:
        raise ValueError(f"workers must be 1 or more threads, got {workers}")
    queue = [_Run(point, done.get(point.task.id, {})) for point in points]
    for run in queue:
        yield Progress(run.point, run.prefix.total, run.prefix.finished)
    flying: dict[Future[tuple[Tally, float]], tuple[_Run, int]] = {}
    pool = ThreadPoolExecutor(workers, thread_name_prefix="fecnn")
    try:
        while True:
            while len(flying) < workers and not stop_now():
                ready = [run for run in queue if not run.prefix.finished]
                if not ready:
                    break
                least = min(ready, key=lambda run: run.seconds + run.expected)
                index = least.begin()
                flying[pool.submit(_timed, least.point.task, index)] = (least, index)
            if not flying:
                return
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                run, index = flying.pop(future)
                try:
                    counts, seconds = future.result()
                except Exception as error:
                    raise DecodingError(
                        f"curve {run.point.curve} failed at {run.point.task.ebn0_db} dB, batch {index}: "
                        f"{type(error).__name__}: {error}"
                    ) from error
                run.end(index, counts, seconds)
                yield Progress(run.point, run.prefix.total, run.prefix.finished, index, counts, seconds)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Run:
    """A point being simulated."""

    def __init__(self, point: Point, done: Mapping[int, Tally]) -> None:
        self.point = point
        self.prefix = Prefix(point.stop)
        self.seconds = 0.0
        self._taken = set(done)
        self._flying = 0
        self._batches = 0
        for i, counts in sorted(done.items()):
            self.prefix.add(i, counts)

    @property
    def expected(self) -> float:
        """Seconds that the batches in flight will take, by the mean of those before."""
        return self._flying * self.seconds / max(self._batches, 1) + self._flying * 1e-6

    def begin(self) -> int:
        """Take the first batch that nobody has."""
        i = self.prefix.length
        while i in self._taken:
            i += 1
        self._taken.add(i)
        self._flying += 1
        return i

    def end(self, i: int, counts: Tally, seconds: float) -> None:
        """A batch has been made."""
        self._flying -= 1
        self._batches += 1
        self.seconds += seconds
        self.prefix.add(i, counts)


def _timed(task: Task, i: int) -> tuple[Tally, float]:
    began = time.perf_counter()
    counts = run_batch(task, i)
    return counts, time.perf_counter() - began


_building = threading.Lock()


def _prepared(task: Task) -> tuple[Engine | PlainEngine, Decoder]:
    one_torch_thread()
    with _building:
        return _build(replace(task, batch=0, seed=0))


@lru_cache(maxsize=256)
def _build(task: Task) -> tuple[Engine | PlainEngine, Decoder]:
    """The engine and the decoder of a task, compiled by a first frame so that no batch is charged for it."""
    code = load_code(task.code)
    if code.fingerprint != task.fingerprint:
        raise ValueError(f"{task.code} is not the code that this task was made for; load the study again")
    decode = build_decoder(task, code)
    decode(np.ones((1, code.n), np.float32))
    channel = channel_at(task.channel, task.ebn0_db, code.rate)
    return (Engine(code, channel) if isinstance(channel, AWGN) else PlainEngine(code, channel)), decode
