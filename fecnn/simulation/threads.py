"""Worker threads of this process."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from fecnn.jit import compiling
from fecnn.simulation.simulate import curve_places, make_batches
from fecnn.simulation.task import Point, Task
from fecnn.simulation.workers import Failed, Made

LOT_SECONDS = 0.1
"""Duration of a lot: long enough to be cheap to hand out, short enough that a run can stop quickly."""


def check_limit(limit: float | None) -> None:
    """Check that a time limit is positive.

    Raises:
        ValueError: If it is not more than 0 seconds.
    """
    if limit is not None and not limit > 0:
        raise ValueError(f"the time limit of a batch must be more than 0 seconds, got {limit}")


@dataclass
class _Lot:
    task: Task
    batches: Sequence[int]
    future: "Future[list[Made | Failed]]" = field(default_factory=Future)
    results: list[Made | Failed] = field(default_factory=list)
    began: float = 0.0


def _clock() -> float:
    """Seconds, not counting compilation: time limits are for decoders."""
    return time.monotonic() - compiling.compiler_seconds


class Threads:
    """Worker threads, as a context manager. On exit it waits for the batches in progress and discards them.

    Threads cannot be killed. If a batch exceeds ``limit``, its thread is abandoned and replaced by a new one;
    it keeps using a core until the process ends.

    Args:
        count: Number of threads.
        limit: Seconds after which a batch fails; None for no limit. The first batch includes building the
            decoder.

    Raises:
        ValueError: If ``count`` is below 1, or the limit is not positive.
    """

    seconds = LOT_SECONDS

    def __init__(self, count: int, limit: float | None = None) -> None:
        if count < 1:
            raise ValueError(f"workers must be 1 or more threads, got {count}")
        check_limit(limit)
        self.threads = self.slots = count
        self._limit = limit
        self._waiting: SimpleQueue[_Lot | None] = SimpleQueue()
        self._busy: dict[threading.Thread, _Lot] = {}
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._names: dict[str, str] = {}
        for _ in range(count):
            self._start()
        if limit is not None:
            threading.Thread(target=self._watch, args=(limit,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for _ in range(self.slots):
            self._waiting.put(None)
        while alive := self._alive():
            alive[0].join(0.1)  # with a timeout: the thread may be abandoned meanwhile

    def prepare(self, points: Sequence[Point]) -> None:
        """Store the names to report while compiling; threads share everything else with the process."""
        self._names = curve_places(points)

    def submit(self, task: Task, batches: Sequence[int]) -> "Future[list[Made | Failed]]":
        """Simulate a lot of batches of a task, in this order, up to the first failure."""
        lot = _Lot(task, batches)
        self._waiting.put(lot)
        return lot.future

    def _alive(self) -> list[threading.Thread]:
        with self._lock:
            return [thread for thread in self._threads if thread.is_alive()]

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name="fecnn", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _work(self) -> None:
        while (lot := self._waiting.get()) is not None:
            with compiling.for_(self._names.get(lot.task.id, lot.task.decoder)):
                if not self._make(lot):
                    return

    def _make(self, lot: _Lot) -> bool:
        """Simulate a lot while it is wanted; False if this thread has been abandoned."""
        me = threading.current_thread()
        made = make_batches(lot.task, lot.batches)
        while not self._closing.is_set():
            with self._lock:
                lot.began = _clock()
                self._busy[me] = lot
            result = next(made, None)
            with self._lock:
                if me not in self._threads:
                    return False
                del self._busy[me]
            if result is None:
                break
            lot.results.append(result)
        lot.future.set_result(lot.results)
        return True

    def _watch(self, limit: float) -> None:
        """Abandon threads whose batch exceeds the limit."""
        while self._alive():
            time.sleep(min(1.0, limit / 10))
            with self._lock:
                late = [me for me, lot in self._busy.items() if _clock() - lot.began > limit]
                for thread in late:
                    lot = self._busy.pop(thread)
                    self._threads.remove(thread)
                    lot.results.append(Failed(f"it takes longer than {limit:g} s", late=True))
                    lot.future.set_result(lot.results)
                    if not self._closing.is_set():
                        self._start()
