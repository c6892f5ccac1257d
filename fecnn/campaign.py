"""Run a study into its store."""

import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

from fecnn.simulate import Progress, Workers, simulate
from fecnn.store import Store
from fecnn.study import Study
from fecnn.workers import Threads

RESULTS = Path("fecnn-results")
"""Where results go unless another place is named, relative to the current directory."""


def store_path(study: Study, folder: str | Path = RESULTS) -> Path:
    """The results file of a study in a folder."""
    return Path(folder) / f"{study.name}.sqlite"


def run(
    study: Study,
    *,
    workers: int | Workers = 1,
    store: str | Path | None = None,
    seconds: float | None = None,
) -> Iterator[Progress]:
    """Simulate what a study still needs, committing batches as they are made; yields progress.

    First yields every point as it stands in the store, then each point after each of its batches. The run can
    be interrupted at any time and goes on where it was; counts do not depend on interruptions or on
    ``workers``. A decoder that fails at one point does not keep the other points from being finished.

    Args:
        study: The study.
        workers: Threads of this process: how many, or `fecnn.workers.Threads`; or a cluster
            (`fecnn.cluster.connect`). What is given open stays open.
        store: The results file; ``fecnn-results/<study>.sqlite`` if not given.
        seconds: Begin no batch after this long (wall time); None for no limit.

    Raises:
        ValueError: If the study asks for something impossible; nothing has run then.
        StoreError: If the results file cannot be used.
        DecodingError: If a decoder failed, once all else is done.

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
    with (
        Store(store or store_path(study), write=True) as results,
        Threads(workers) if isinstance(workers, int) else nullcontext(workers) as hands,
    ):
        done = {point.task.id: results.batches(point.task) for point in study.points}
        lots = simulate(
            study.points,
            done,
            hands,
            stop_now=lambda: deadline is not None and time.monotonic() >= deadline,
        )
        with closing(lots):
            for lot in lots:
                results.append_all(
                    (step.point.task, step.batch, step.counts)
                    for step in lot
                    if step.batch is not None and step.counts is not None
                )
                yield from lot
