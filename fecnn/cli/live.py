"""Live progress of a study in the terminal."""

import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.table import Table
from rich.text import Text

from fecnn.cli.board import Board, clock
from fecnn.intervals import proportion_interval
from fecnn.simulation.simulate import Progress
from fecnn.simulation.workers import Workers
from fecnn.studies.estimates import Estimation
from fecnn.studies.study import Study

WAIT_TOLD = 5.0
"""Seconds without workers after which a log says so; again after twice as long, and so on."""


class RunBoard:
    """A line for each curve while a study runs; outside a terminal, a line for each finished point.

    On a narrow terminal the interval is shown as half its width. Use as a context manager.
    """

    def __init__(self, study: Study, workers: Workers) -> None:
        self._workers = workers
        self._curves: dict[str, dict[float, Progress]] = {curve.name: {} for curve in study.curves}
        self._estimated: dict[str, dict[float, Estimation]] = {}
        self._current: dict[str, float] = {}
        self._frames: dict[tuple[str, float], int] = {}
        self._seconds: dict[tuple[str, float], float] = {}
        self._alone: float | None = None  # since when there are no workers
        self._over = threading.Event()
        self._board = Board(self._render)

    def __enter__(self) -> Self:
        self._board.__enter__()
        if not self._board.drawn:
            threading.Thread(target=self._tell_of_waiting, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._board.__exit__(kind, error, trace)

    def update(self, progress: Progress | Estimation) -> None:
        """Take in one step of the run."""
        if isinstance(progress, Estimation):
            self._estimated.setdefault(progress.point.curve, {})[progress.point.ebn0_db] = progress
            if not self._board.drawn and progress.new and progress.estimate:
                self._board.say(str(progress))
            return
        curve, ebn0_db = progress.point.curve, progress.point.task.ebn0_db
        before = self._curves[curve].get(ebn0_db)
        self._curves[curve][ebn0_db] = progress
        if progress.loss:
            self._board.say(f"lost a worker: {progress.loss}")
        if progress.failure and not (before and before.failure):
            self._board.say(f"failed: {progress.failure}")
        if progress.counts is None:
            return
        self._current[curve] = ebn0_db
        key = (curve, ebn0_db)
        self._frames[key] = self._frames.get(key, 0) + progress.counts.frames
        self._seconds[key] = self._seconds.get(key, 0.0) + progress.seconds
        if not self._board.drawn and progress.finished and not (before and before.finished):
            total = progress.total
            self._board.say(
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
        return f"no workers for {clock(time.monotonic() - self._alone)}: waiting for some to join"

    def _tell_of_waiting(self) -> None:
        """Say in a log that there are no workers, at growing intervals."""
        following = WAIT_TOLD
        while not self._over.is_set():
            waiting = self._waiting()
            if not waiting or self._alone is None:
                following = WAIT_TOLD
            elif time.monotonic() - self._alone >= following:
                self._board.say(waiting)
                following *= 2
            self._over.wait(1.0)

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
                _rate(progress, short=self._board.narrow),
                f"{speed:,.0f}" if speed else "",
                left,
            )
        everything = [progress for points in self._curves.values() for progress in points.values()]
        left = self._left(everything, threads) if everything else ""
        begun = sum(progress.total.frames > 0 for progress in everything)
        about = f", about {left} left" if left else ""
        if 0 < begun < len(everything):
            about = f", first batches of {begun} of {len(everything)} points"
        state = f", {waiting}" if waiting else about
        table.caption = f"{self._board.elapsed()}{state}; Ctrl-C stops, and nothing is lost"
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
        return clock(total)


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
