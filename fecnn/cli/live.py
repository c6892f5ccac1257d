"""Live progress of a run in the terminal."""

import math
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fecnn._files.text import plain
from fecnn.intervals import proportion_interval
from fecnn.jit import compiling
from fecnn.simulation.simulate import Progress
from fecnn.simulation.workers import Workers
from fecnn.studies.estimates import Estimation
from fecnn.studies.study import Study

WIDE = 100
"""Columns of a terminal in which whole intervals fit."""

WAIT_TOLD = 5.0
"""Seconds without workers after which a log says so; again after twice as long, and so on."""


class Board:
    """A line for each curve while a study runs; plain lines for finished points when not in a terminal.

    On a narrow terminal the interval is shown as half its width.

    Use as a context manager; it writes to stderr, so that a table on stdout can be piped.
    """

    def __init__(self, study: Study, workers: Workers) -> None:
        self._workers = workers
        self._curves: dict[str, dict[float, Progress]] = {curve.name: {} for curve in study.curves}
        self._estimated: dict[str, dict[float, Estimation]] = {}
        self._current: dict[str, float] = {}
        self._frames: dict[tuple[str, float], int] = {}
        self._seconds: dict[tuple[str, float], float] = {}
        self._began = time.monotonic()
        self._told = ExitStack()
        self._alone: float | None = None  # since when there are no workers
        self._over = threading.Event()
        console = Console(stderr=True)
        self._narrow = console.width < WIDE
        self._live = (
            Live(console=console, refresh_per_second=4, get_renderable=self._render)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        self._told.enter_context(compiling.told(self._say))
        if self._live:
            self._live.start()
        else:
            threading.Thread(target=self._tell_of_waiting, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._told.close()
        self._over.set()
        if self._live:
            self._live.stop()

    def update(self, progress: Progress | Estimation) -> None:
        """Take in one step of the run."""
        if isinstance(progress, Estimation):
            self._estimated.setdefault(progress.point.curve, {})[progress.point.ebn0_db] = progress
            if self._live is None and progress.new and progress.estimate:
                self._say(str(progress))
            return
        curve, ebn0_db = progress.point.curve, progress.point.task.ebn0_db
        before = self._curves[curve].get(ebn0_db)
        self._curves[curve][ebn0_db] = progress
        if progress.loss:
            self._say(f"lost a worker: {progress.loss}")
        if progress.failure and not (before and before.failure):
            self._say(f"failed: {progress.failure}")
        if progress.counts is None:
            return
        self._current[curve] = ebn0_db
        key = (curve, ebn0_db)
        self._frames[key] = self._frames.get(key, 0) + progress.counts.frames
        self._seconds[key] = self._seconds.get(key, 0.0) + progress.seconds
        if self._live is None and progress.finished and not (before and before.finished):
            total = progress.total
            self._say(
                f"{curve} {ebn0_db:g} dB: {total.frames:,} frames, {total.block_errors:,} block errors, "
                f"BLER {_rate(progress)}"
            )

    def _waiting(self) -> str:
        """How long there have been no workers; empty where there are some."""
        if self._workers.threads:
            self._alone = None
            return ""
        if self._alone is None:
            self._alone = time.monotonic()
        return f"no workers for {_clock(time.monotonic() - self._alone)}: waiting for some to join"

    def _tell_of_waiting(self) -> None:
        """Say in a log that there are no workers, at growing intervals."""
        following = WAIT_TOLD
        while not self._over.is_set():
            waiting = self._waiting()
            if not waiting or self._alone is None:
                following = WAIT_TOLD
            elif time.monotonic() - self._alone >= following:
                self._say(waiting)
                following *= 2
            self._over.wait(1.0)

    def _say(self, line: str) -> None:
        if self._live:
            self._live.console.print(Text(plain(line)))
            return
        try:
            print(plain(line), file=sys.stderr, flush=True)
        except BrokenPipeError:  # whoever compiles need not know
            if threading.current_thread() is threading.main_thread():
                raise

    def _render(self) -> Table:
        waiting, threads = self._waiting(), self._workers.threads
        table = Table("curve", "points", "now at", box=None, pad_edge=False)
        for name in ("frames", "errors", "BLER [95 %]", "frames/s a thread", "left"):
            table.add_column(name, justify="right", no_wrap=name.startswith("BLER"))
        for curve, points in self._curves.items():
            if curve in self._estimated:
                table.add_row(*_estimated_row(curve, list(self._estimated[curve].values())))
            if not points:
                if curve not in self._estimated:
                    table.add_row(Text(curve))
                continue
            finished = sum(progress.finished for progress in points.values())
            now = self._current.get(curve)
            ebn0_db = max(points) if now is None else now
            progress = points[ebn0_db]
            failed = sum(progress.failure is not None for progress in points.values())
            left = (
                "done"
                if finished == len(points)
                else f"{failed} failed"
                if finished + failed == len(points)
                else self._left(points.values(), threads)
            )
            key = (curve, ebn0_db)
            speed = self._frames.get(key, 0) / self._seconds[key] if self._seconds.get(key) else 0.0
            table.add_row(
                Text(curve),
                f"{finished}/{len(points)}",
                "" if now is None else f"{now:g} dB",
                f"{progress.total.frames:,}",
                f"{progress.total.block_errors:,}",
                _rate(progress, short=self._narrow),
                f"{speed:,.0f}" if speed else "",
                left,
            )
        gone = _clock(time.monotonic() - self._began)
        everything = [progress for points in self._curves.values() for progress in points.values()]
        left = self._left(everything, threads) if everything else ""
        begun = sum(progress.total.frames > 0 for progress in everything)
        about = f", about {left} left" if left else ""
        if 0 < begun < len(everything):
            about = f", first batches of {begun} of {len(everything)} points"
        state = f"elapsed {gone}, {waiting}" if waiting else f"elapsed {gone}{about}"
        table.caption = f"{state}; Ctrl-C stops, and nothing is lost"
        return table

    def _left(self, points: Iterable[Progress], threads: int) -> str:
        """Time that points still need, by their speeds and error rates so far; empty if one has none yet."""
        total = 0.0
        for progress in points:
            if progress.finished or progress.failure:
                continue
            key = (progress.point.curve, progress.point.task.ebn0_db)
            if not self._frames.get(key) or not threads:
                return ""
            frames = progress.point.stop.frames_left(progress.total)
            total += frames * self._seconds[key] / self._frames[key] / threads
        return _clock(total)


def _estimated_row(curve: str, points: list[Estimation]) -> list[Text]:
    """The last point that was made, and how many of them are."""
    made = [point for point in points if point.estimate is not None]
    asked = [point for point in points if point.estimate is None and point.refusal is None]
    row = [curve, f"{len(made)}/{len(points)}", "", "", "", "", "", "" if asked else "done"]
    if made and made[-1].estimate:
        found = made[-1].estimate
        row[2], row[3] = f"{made[-1].point.ebn0_db:g} dB", f"{found.frames:,}"
        row[5] = f"{found.value:.2e} [{found.low:.1e}, {found.high:.1e}]"
    return [Text(cell) for cell in row]


def _rate(progress: Progress, *, short: bool = False) -> str:
    total = progress.total
    if not total.frames:
        return ""
    rate = total.block_errors / total.frames
    low, high = proportion_interval(total.block_errors, total.frames)
    if not short:
        return f"{rate:.2e} [{low:.1e}, {high:.1e}]"
    return f"{rate:.1e} ±{(high - low) / 2 / rate:.0%}" if rate else f"below {high:.1e}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(math.ceil(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
