"""Simulation of batches by workers, stopping on the ordered prefix of batches."""

import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import lru_cache

from fecnn._notebook import html
from fecnn.channels.stream import FrameStream
from fecnn.codes.catalogue import claims, load_code
from fecnn.decoders.built import BuiltDecoder
from fecnn.errors import DecodingError
from fecnn.intervals import proportion_interval, with_interval
from fecnn.jit import compiling
from fecnn.simulation.frames import AnyEngine, Engine, Resent
from fecnn.simulation.stop import Prefix
from fecnn.simulation.tally import Tally
from fecnn.simulation.task import Point, Received, Task, build_channel, build_decoder
from fecnn.simulation.witness import recheck, record
from fecnn.simulation.workers import Failed, Made, WorkerLost, Workers

CHUNK_VALUES, MAX_CHUNK = 1 << 17, 1 << 13
"""Most LLRs made and decoded at once (half a MiB, which stays in cache), and most frames."""


LOSSES = 3
"""Give up on a batch once it has killed this many workers on its own."""


@dataclass(frozen=True)
class Progress:
    """A point after one more batch.

    Attributes:
        total: Counts of the ordered prefix so far.
        finished: Whether the point's stopping rule is met.
        batch, counts, seconds: Index, counts and wall time of the batch just simulated; unset for a point as
            it was when the run started.
        failure: Why the point was stopped, if a batch failed.
        loss: What happened to a worker that was lost with batches of the point; they are simulated again.
    """

    point: Point
    total: Tally
    finished: bool
    batch: int | None = None
    counts: Tally | None = None
    seconds: float = 0.0
    failure: str | None = None
    loss: str | None = None

    def __str__(self) -> str:
        """One line: counts, and the BLER with its 95 % interval."""
        total = self.total
        told = (
            f"{self.point.curve} {self.point.said}: {total.frames:,} frames, "
            f"{total.block_errors:,} block errors"
        )
        return told + (f", BLER {_bler(total)}" if total.frames else "")

    def _repr_html_(self) -> str:
        columns = ("curve", "code", self.point.axis.label, "frames", "block errors", "BLER [95 %]", "")
        row = (
            *(self.point.curve, self.point.code.name, f"{self.point.at:g}"),
            *(f"{self.total.frames:,}", f"{self.total.block_errors:,}", _bler(self.total)),
            "finished" if self.finished else "failed" if self.failure else "not finished",
        )
        failure = html.line(self.failure, faint=True) if self.failure else ""
        return html.table(columns, [row], words=2) + failure


def _bler(total: Tally) -> str:
    """The BLER with its 95 % interval; empty without frames."""
    if not total.frames:
        return ""
    ends = proportion_interval(total.block_errors, total.frames)
    return with_interval(total.block_errors / total.frames, *ends)


def run_batch(task: Task, i: int) -> Tally:
    """Simulate batch i of a task: frames i * batch to (i + 1) * batch - 1 of its stream.

    The function is pure: the counts depend only on the arguments.

    Raises:
        ValueError: If the code or the decoder is no longer the one that the task was made for, or a foreign
            decoder decides the same frames differently.
    """
    engine, decode = prepared(task)
    start = time.thread_time()
    foreign, just_checked = task.source is not None, False
    total, flags = Tally(), b""
    chunk = chunk_of(engine.code.n)
    end = (i + 1) * task.batch
    for first in range(i * task.batch, end, chunk):
        frames = engine.frames(FrameStream(task.stream, first), min(chunk, end - first))
        # Thread time, not wall time, which on a busy machine would include other processes.
        began = time.thread_time() - compiling.thread_seconds
        decided, effort = decode.measure(frames.llr)
        seconds = time.thread_time() - compiling.thread_seconds - began
        if foreign:
            just_checked = record(decode, frames.llr, task.batch)
        counts = engine.count(frames, decided, seconds, effort)
        total += counts
        flags += counts.flags or b""
    if foreign and not just_checked:
        recheck(decode, time.thread_time() - start)
    return replace(total, flags=flags)


def one_torch_thread() -> None:
    """Limit torch to one thread: the workers are the parallelism, and torch's threads would compete."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def chunk_of(n: int) -> int:
    """Frames of n bits to make and decode at once: a multiple of 8, so that their flags can be joined."""
    return min(MAX_CHUNK, max(8, CHUNK_VALUES // n // 8 * 8))


def make_batches(task: Task, batches: Iterable[int]) -> Iterator[Made | Failed]:
    """Simulate batches one after another, up to the first failure."""
    for i in batches:
        try:
            prepared(task)
            began = time.perf_counter()
            counts = run_batch(task, i)
        except BaseException as error:  # including SystemExit: the caller would wait for a dead thread
            yield Failed(f"{type(error).__name__}: {error}", traceback.format_exc())
            return
        yield Made(counts, time.perf_counter() - began)


def simulate(
    points: Sequence[Point],
    done: Mapping[str, Mapping[int, Tally]],
    workers: Workers,
    *,
    share: tuple[int, int] = (0, 1),
    stop_now: Callable[[], bool] = lambda: False,
) -> Generator[list[Progress], None, None]:
    """Simulate what points still need; yields each point as it stands, then progress as lots come in.

    A second in which no lot comes in yields an empty list.

    The point with the least time spent goes next, so that all curves grow together. Batches are handed out in
    lots of about ``workers.seconds``, smaller towards the end of a point, so that little work is wasted; the
    counts do not depend on this. A batch that fails ends its point, and all other points continue.

    Args:
        points: The points to simulate.
        done: Existing batches, by task id and batch index.
        workers: Workers that simulate the batches.
        share: (s, N) simulates only batches s, s + N, s + 2 N, ...; the stopping rule then sees only these.
        stop_now: Called before each lot. Once it returns True, lots in progress are finished, points without
            a batch get their first, and nothing else is started.

    Raises:
        DecodingError: At the end, if any batch failed.
        ValueError: If the workers cannot load the codes or weights.
    """
    runs = [_Run(point, done.get(point.task.id, {}), *share) for point in points]
    workers.prepare([run.point for run in runs if not run.over])
    yield [run.progress() for run in runs]
    flying: dict[Future[list[Made | Failed]], tuple[_Run, list[int]]] = {}
    while True:
        slots = workers.slots
        while len(flying) < slots:
            stopping = stop_now()
            ready = [run for run in runs if not (run.over or (stopping and run.begun))]
            if not ready:
                break
            least = min(ready, key=lambda run: run.seconds + run.expected)
            batches = least.take(workers.seconds, slots)
            flying[workers.submit(least.point.task, batches)] = (least, batches)
        if not flying:
            break
        # With a timeout: workers may join meanwhile.
        ended = wait(flying, timeout=1.0, return_when=FIRST_COMPLETED).done
        if not ended:
            yield []
        for future in ended:
            run, batches = flying.pop(future)
            try:
                results = future.result()
            except WorkerLost as loss:
                yield run.lose(batches, str(loss))
            else:
                yield run.receive(batches, results)
    failures = [run.failure for run in runs if run.failure is not None]
    if failures:
        raise _sum_up(failures)


def _sum_up(failures: Sequence[DecodingError]) -> DecodingError:
    if len(failures) == 1:
        return failures[0]
    error = DecodingError(
        f"{len(failures)} points failed; all others were finished:\n"
        + "\n".join(f"  - {failure}" for failure in failures)
    )
    for note in dict.fromkeys(note for failure in failures for note in getattr(failure, "__notes__", ())):
        error.add_note(note)
    return error


class _Run:
    """A point being simulated."""

    def __init__(self, point: Point, done: Mapping[int, Tally], first: int, step: int) -> None:
        self.point = point
        self._first, self._step = first, step
        self._next = first
        self.prefix = Prefix(point.stop)
        self.seconds = 0.0
        self.failure: DecodingError | None = None
        self._there = set(done)
        self._flying = 0
        self._pace = 0.0
        self._lost: list[int] = []
        self._losses: dict[int, int] = {}
        for i, counts in sorted(done.items()):
            self._add(i, counts)

    @property
    def over(self) -> bool:
        """Whether no more batches are to be started."""
        return self.prefix.finished or self.failure is not None

    @property
    def begun(self) -> bool:
        """Whether the point has a batch, or its first is in progress."""
        return bool(self.prefix.length or self.prefix.ahead or self._flying)

    @property
    def expected(self) -> float:
        """Estimated seconds for the batches in progress, from the last lot."""
        return self._flying * (self._pace + 1e-6)

    def take(self, seconds: float, slots: int) -> list[int]:
        """The next batches to simulate, as many as take about ``seconds``."""
        if self._lost:  # alone, so that no other batch is blamed
            self._flying += 1
            return [self._lost.pop()]
        left = self.point.stop.frames_left(self.prefix.total) / self.point.task.batch
        left -= self._flying + self.prefix.ahead
        # Before the first batch is in, nothing is known about the remaining time.
        known = self._pace and self.prefix.length
        count = max(1, min(int(seconds / self._pace), int(left / (2 * slots)))) if known else 1
        batches: list[int] = []
        while len(batches) < count:
            if self._next in self._there:
                self._there.remove(self._next)
            else:
                batches.append(self._next)
            self._next += self._step
        self._flying += count
        return batches

    def receive(self, batches: Sequence[int], results: Sequence[Made | Failed]) -> list[Progress]:
        """Take in the results of a lot, which may have ended in a failure."""
        self._flying -= len(batches)
        steps = []
        for i, result in zip(batches, results, strict=False):
            if isinstance(result, Failed):
                self._fail(i, result)
                steps.append(self.progress())
            else:
                self._losses.pop(i, None)
                self.seconds += result.seconds
                self._add(i, result.counts)
                steps.append(self.progress(i, result))
        made = [result.seconds for result in results if isinstance(result, Made)]
        if made:
            self._pace = sum(made) / len(made)
        return steps or [self.progress()]

    def lose(self, batches: Sequence[int], reason: str) -> list[Progress]:
        """A lot was lost with its worker; a batch that loses three workers on its own is given up."""
        self._flying -= len(batches)
        self._lost += batches
        for i in batches:
            self._losses[i] = self._losses.get(i, 0) + (len(batches) == 1)
            if self._losses[i] == LOSSES:
                self._fail(i, Failed(f"it has killed {LOSSES} workers, most recently: {reason}"))
        return [replace(self.progress(), loss=reason)]

    def progress(self, i: int | None = None, made: Made | None = None) -> Progress:
        """The current state of the point, after batch i if given."""
        failure = None if self.failure is None else str(self.failure)
        known = self.point, self.prefix.total, self.prefix.finished
        return (
            Progress(*known, i, made.counts, made.seconds, failure)
            if made
            else Progress(*known, failure=failure)
        )

    def _add(self, i: int, counts: Tally) -> None:
        place, other = divmod(i - self._first, self._step)
        if not other:
            self.prefix.add(place, counts)

    def _fail(self, i: int, failed: Failed) -> None:
        at = self.point.axis.said(self.point.at, "")
        self.failure = self.failure or DecodingError(
            f"curve {self.point.curve} failed at {at}, batch {i}: {failed.reason}"
        )
        if failed.trace:
            self.failure.add_note(failed.trace)


def curve_places(points: Sequence[Point]) -> dict[str, str]:
    """Names to report while compiling, by task id: the curve and its position among the curves."""
    places = {curve: i for i, curve in enumerate(dict.fromkeys(point.curve for point in points), 1)}
    return {point.task.id: f"{point.curve} ({places[point.curve]} of {len(places)})" for point in points}


_building = threading.Lock()
_one_builds: dict[Task, threading.Lock] = {}


def prepared(task: Task) -> tuple[AnyEngine, BuiltDecoder | Received]:
    """The engine and decoder of a task, built and compiled once per process.

    Each task has its own lock, so a task whose build hangs does not block others.
    """
    one_torch_thread()
    same = replace(task, batch=0, seed=0)
    with _building:
        mine = _one_builds.setdefault(same, threading.Lock())
    with mine:
        return _build(same)


@lru_cache(maxsize=256)
def _build(task: Task) -> tuple[AnyEngine, BuiltDecoder | Received]:
    """The engine and decoder of a task, compiled on a first frame so that no batch is charged for it."""
    with compiling.preparing():
        code = load_code(task.code)
        if (code.fingerprint, claims(task.code, code)) != (task.fingerprint, task.claims):
            raise ValueError(f"{task.code} is not the code that this task was made for; load the study again")
        decode = build_decoder(task, code)
        channel = build_channel(task, code)
        engine: AnyEngine = Engine(code, channel)
        if task.sender is not None:
            sender = load_code(task.sender)
            if sender.fingerprint != task.sender_fingerprint:
                raise ValueError(
                    f"{task.sender} is not the code that this task was made for; load the study again"
                )
            engine = Resent(Engine(code, channel), Engine(sender, channel))
    frames = engine.frames(FrameStream("first frame", 0), 1)
    decided, effort = decode.measure(frames.llr)
    engine.count(frames, decided, 0.0, effort)
    return engine, decode
