"""Run a study into its store."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from fecnn.estimates import Estimation, estimate_points
from fecnn.simulate import Progress, simulate
from fecnn.store import Store
from fecnn.study import Study

RESULTS = Path("fecnn-results")
"""Where results go unless another place is named, relative to the current directory."""


def store_path(study: Study, folder: str | Path = RESULTS) -> Path:
    """The results file of a study in a folder."""
    return Path(folder) / f"{study.name}.sqlite"


def run(
    study: Study, *, workers: int = 1, store: str | Path | None = None, seconds: float | None = None
) -> Iterator[Progress | Estimation]:
    """Simulate what a study still needs, committing each batch as it is made; yields progress.

    First yields every point as it stands in the store, then each point after each of its batches. The run can
    be interrupted at any time and goes on where it was; counts do not depend on interruptions or on
    ``workers``. Before all that it estimates the points of curves with ``method = "rare"``, in the same way.

    Args:
        study: The study.
        workers: Threads.
        store: The results file; ``fecnn-results/<study>.sqlite`` if not given.
        seconds: Begin no batch, and no estimate, after this long (wall time); None for no limit.

    Raises:
        ValueError: If the study asks for something impossible; nothing has run then.
        StoreError: If the results file cannot be used.
        DecodingError: If a decoder fails.

    Example:
        >>> import fecnn, tempfile
        >>> study = fecnn.load_study("optimal-hamming-7-4")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for progress in run(study, store=folder + "/demo.sqlite", seconds=0):
        ...         pass
        >>> progress.total.frames
        0
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    study.check()

    def late() -> bool:
        return deadline is not None and time.monotonic() >= deadline

    with Store(store or store_path(study), write=True) as results:
        yield from estimate_points(study.rare_points, results, late)
        done = {point.task.id: results.batches(point.task) for point in study.points}
        progress = simulate(
            study.points,
            done,
            workers=workers,
            stop_now=late,
        )
        with closing(progress):
            for step in progress:
                if step.batch is not None and step.counts is not None:
                    results.append(step.point.task, step.batch, step.counts)
                yield step
