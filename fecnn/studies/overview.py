"""A run at a glance: a row for each curve, and how long it will take."""

import time
from collections.abc import Callable, Iterable

from fecnn._files.text import clock
from fecnn.intervals import proportion_interval
from fecnn.simulation.simulate import Progress
from fecnn.studies.estimates import Estimation
from fecnn.studies.study import Study

COLUMNS = ("curve", "points", "now at", "frames", "errors", "BLER [95 %]", "frames/s a thread", "left")

WORDS = 3
"""The first columns are words, the others numbers."""


class Overview:
    """What is known of a run from its steps.

    Args:
        study: The study that runs.
        threads: Returns how many batches are simulated at once; a cluster may have no workers yet.
    """

    def __init__(self, study: Study, threads: Callable[[], int]) -> None:
        self._threads = threads
        self._curves: dict[str, dict[float, Progress]] = {curve.name: {} for curve in study.curves}
        self._estimated: dict[str, dict[float, Estimation]] = {}
        self._current: dict[str, float] = {}
        self._frames: dict[tuple[str, float], int] = {}
        self._seconds: dict[tuple[str, float], float] = {}
        self._alone: float | None = None  # since when there are no workers
        self._began = time.monotonic()

    def update(self, step: Progress | Estimation) -> list[str]:
        """Take in one step of the run; returns what is to be said of it: a worker lost, a point failed."""
        if isinstance(step, Estimation):
            self._estimated.setdefault(step.point.curve, {})[step.point.ebn0_db] = step
            return []
        curve, ebn0_db = key = step.point.curve, step.point.ebn0_db
        before = self._curves[curve].get(ebn0_db)
        self._curves[curve][ebn0_db] = step
        if step.counts is not None:
            self._current[curve] = ebn0_db
            self._frames[key] = self._frames.get(key, 0) + step.counts.frames
            self._seconds[key] = self._seconds.get(key, 0.0) + step.seconds
        news = [f"lost a worker: {step.loss}"] if step.loss else []
        if step.failure and not (before and before.failure):
            news.append(f"failed: {step.failure}")
        return news

    def rows(self, *, narrow: bool = False) -> list[tuple[str, ...]]:
        """The cells of `COLUMNS` for each curve; where it is narrow, intervals are half their width."""
        rows = []
        for curve, points in self._curves.items():
            if curve in self._estimated:
                rows.append(_estimated_row(curve, list(self._estimated[curve].values())))
            elif not points:
                rows.append((curve, *[""] * (len(COLUMNS) - 1)))
            if points:
                rows.append(self._row(curve, points, narrow))
        return rows

    def status(self) -> str:
        """How long it takes and, if it can be told, how long it will."""
        state = f"elapsed {self.elapsed()}"
        if (alone := self.alone()) is not None:
            return f"{state}, {waiting(alone)}"
        everything = self._all()
        begun = sum(progress.total.frames > 0 for progress in everything)
        if 0 < begun < len(everything):
            return f"{state}, first batches of {begun} of {len(everything)} points"
        left = self._left(everything) if everything else ""
        return f"{state}, about {left} left" if left else state

    def elapsed(self) -> str:
        """Time since the start."""
        return clock(time.monotonic() - self._began)

    def alone(self) -> float | None:
        """Seconds without workers, from when this was first asked; None while there are some."""
        if self._threads():
            self._alone = None
            return None
        now = time.monotonic()
        self._alone = now if self._alone is None else self._alone
        return now - self._alone

    @property
    def finished(self) -> bool:
        """Whether every point that was seen has met its rule, is estimated, or has no estimate."""
        estimates = [point for points in self._estimated.values() for point in points.values()]
        return all(progress.finished for progress in self._all()) and all(
            point.estimate or point.refusal for point in estimates
        )

    def _all(self) -> list[Progress]:
        return [progress for points in self._curves.values() for progress in points.values()]

    def _row(self, curve: str, points: dict[float, Progress], narrow: bool) -> tuple[str, ...]:
        """The point that was last simulated, and how many are finished."""
        now = self._current.get(curve)
        ebn0_db = max(points) if now is None else now
        progress, key = points[ebn0_db], (curve, ebn0_db)
        finished = sum(progress.finished for progress in points.values())
        failed = sum(progress.failure is not None for progress in points.values())
        speed = self._frames.get(key, 0) / self._seconds[key] if self._seconds.get(key) else 0.0
        if finished == len(points):
            left = "done"
        elif finished + failed == len(points):
            left = f"{failed} failed"
        else:
            left = self._left(points.values())
        return (
            curve,
            f"{finished}/{len(points)}",
            "" if now is None else progress.point.said,
            f"{progress.total.frames:,}",
            f"{progress.total.block_errors:,}",
            _rate(progress, narrow),
            f"{speed:,.0f}" if speed else "",
            left,
        )

    def _left(self, points: Iterable[Progress]) -> str:
        """Time that points still need, by their speeds and error rates so far; empty if one has none yet."""
        total, threads = 0.0, self._threads()
        for progress in points:
            if progress.finished or progress.failure:
                continue
            key = (progress.point.curve, progress.point.ebn0_db)
            if not self._frames.get(key) or not threads:
                return ""
            frames = progress.point.stop.frames_left(progress.total)
            total += frames * self._seconds[key] / self._frames[key] / threads
        return clock(total)


def waiting(alone: float) -> str:
    """That there have been no workers for so many seconds."""
    return f"no workers for {clock(alone)}: waiting for some to join"


def _estimated_row(curve: str, points: list[Estimation]) -> tuple[str, ...]:
    """The last point that was made, and how many of them are."""
    made = [point for point in points if point.estimate is not None]
    asked = [point for point in points if point.estimate is None and point.refusal is None]
    row = [curve, f"{len(made)}/{len(points)}", "", "", "", "", "", "" if asked else "done"]
    if made and made[-1].estimate:
        found = made[-1].estimate
        row[2], row[3] = made[-1].point.said, f"{found.frames:,}"
        row[5] = f"{found.value:.2e} [{found.low:.1e}, {found.high:.1e}]"
    return tuple(row)


def _rate(progress: Progress, narrow: bool) -> str:
    total = progress.total
    if not total.frames:
        return ""
    rate = total.block_errors / total.frames
    low, high = proportion_interval(total.block_errors, total.frames)
    if not narrow:
        return f"{rate:.2e} [{low:.1e}, {high:.1e}]"
    return f"{rate:.1e} ±{(high - low) / 2 / rate:.0%}" if rate else f"below {high:.1e}"
