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
"""A lot of this length costs little to hand out, and a run that is to stop does not wait long for it."""


def check_limit(limit: float | None) -> None:
    """Refuse a time limit that is no time.

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
    """Seconds, of which none pass while something is compiled: a limit is for decoders."""
    return time.monotonic() - compiling.compiler_seconds


class Threads:
    """Worker threads; use as a context manager. Leaving it waits for the batches under way and drops them.

    A thread cannot be killed. One whose batch takes longer than ``limit`` is left alone and replaced by
    another; it goes on using a core until the process ends.

    Args:
        count: How many.
        limit: Seconds after which a batch has failed, the first one's with building its decoder; None for no
            limit.

    Raises:
        ValueError: If there are to be none, or the limit is not positive.
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
            alive[0].join(0.1)  # not for ever: it may be given up on meanwhile

    def prepare(self, points: Sequence[Point]) -> None:
        """Threads have what the process has; only what they compile is to be called by its name."""
        self._names = curve_places(points)

    def submit(self, task: Task, batches: Sequence[int]) -> "Future[list[Made | Failed]]":
        """Make a lot of batches of a task: each of them in this order, up to the first that fails."""
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
        """Make a lot, as far as it is wanted; False where this thread has been given up on meanwhile."""
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
        """Give up on threads whose batch takes too long."""
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
