"""Running a study into its results file, whole or in shards, and merging shards."""

import glob
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from fecnn._files.shipped import RESULTS
from fecnn._notebook.output import in_notebook
from fecnn.errors import StaleError, StoreError
from fecnn.jit import compiling
from fecnn.simulation.simulate import Progress, simulate
from fecnn.simulation.stop import Prefix
from fecnn.simulation.store import Store
from fecnn.simulation.tally import Tally
from fecnn.simulation.task import Point
from fecnn.simulation.threads import Threads
from fecnn.simulation.workers import Workers
from fecnn.studies.estimates import Estimation, estimate_points
from fecnn.studies.live import LiveTable
from fecnn.studies.study import Study


def store_path(study: Study, folder: str | Path = RESULTS, shard: tuple[int, int] | None = None) -> Path:
    """The path of a study's results file in a folder, or of its shard (i, N)."""
    part = "" if shard is None else f".shard-{shard[0]}-of-{shard[1]}"
    return Path(folder) / f"{study.name}{part}.sqlite"


def run(
    study: Study,
    *,
    workers: int | Workers = 1,
    store: str | Path | None = None,
    seconds: float | None = None,
    shard: tuple[int, int] | None = None,
    fresh: bool = False,
) -> "Run":
    """Simulate what a study still needs, committing batches as they are made.

    Loop over the result to follow the progress, or call its `Run.finish`, which in a notebook shows a live
    table; nothing is simulated before.

    First the points of curves with ``method = "rare"`` are estimated. Then every point is yielded as it
    stands in the store, and again after each of its batches. The run can be interrupted at any time and
    resumed; counts do not depend on interruptions or on ``workers``. If a decoder fails at one point, all
    other points are still finished.

    Args:
        study: The study.
        workers: Threads of this process, as a number or as `fecnn.simulation.threads.Threads`; or a cluster
            (`fecnn.simulation.cluster.connect`). Workers passed in stay open.
        store: The results file; ``fecnn-results/<study>.sqlite`` by default.
        seconds: Start no batch or estimate after this long; None for no limit. This is wall time of
            simulation: building and compiling decoders does not count, and every point gets its first batch.
            With 0 nothing is simulated.
        shard: (i, N) simulates part i of N, counted from 1, independently of the other parts, into a results
            file of its own, to be combined by `merge`. Batches in the study's main results file beside it are
            not repeated. Estimates are left to a later run on the merged results.
        fresh: Start over for curves whose batches in the results file were made by another version of the
            decoder; otherwise such batches raise an error. They stay in the file, unused.

    Raises:
        ValueError: If the study asks for something impossible; nothing has run then.
        StaleError: If the code of a decoder or a channel, or a network, has changed since batches of its
            curve were made.
        StoreError: If the results file cannot be used.
        DecodingError: If a decoder failed, after everything else is done.

    Example:
        >>> import fecnn, tempfile
        >>> study = fecnn.load_study("optimal-hamming-7-4")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for progress in run(study, store=folder + "/demo.sqlite", seconds=0):
        ...         pass
        >>> progress.total.frames
        0
    """
    steps = _steps(study, workers, store, seconds, shard, fresh)
    return Run(study, steps, lambda: workers if isinstance(workers, int) else workers.threads)


class Run(Iterator[Progress | Estimation]):
    """A run that goes on while it is iterated; see `run`."""

    def __init__(self, study: Study, steps: "Steps", threads: Callable[[], int]) -> None:
        self._study, self._steps, self._threads = study, steps, threads
        self._begun = False

    def __next__(self) -> Progress | Estimation:
        self._begun = True
        while (step := next(self._steps)) is None:
            pass
        return step

    def __repr__(self) -> str:
        wanted = "" if self._begun else ", not begun: loop over it, or call finish()"
        return f"<run of {self._study.name}{wanted}>"

    def finish(self) -> None:
        """Run to the end; in a notebook, with a live table that stays when the run ends or is interrupted."""
        with closing(self):  # also if the table is interrupted, so that the results file can be opened again
            if not in_notebook():
                for _ in self:
                    pass
                return
            with LiveTable(self._study, self._threads) as live:
                for step in self._steps:
                    live.update(step)

    def close(self) -> None:
        """Stop; everything finished is in the results file."""
        self._begun = True
        self._steps.close()

    def __del__(self) -> None:
        if not self._begun:
            warnings.warn(
                "nothing was simulated: loop over fecnn.run(...), or call its finish()",
                RuntimeWarning,
                stacklevel=2,
            )


Steps = Generator[Progress | Estimation | None, None, None]
"""What a run is made of: progress, or None when a second has passed without any."""


def _steps(
    study: Study,
    workers: int | Workers,
    store: str | Path | None,
    seconds: float | None,
    shard: tuple[int, int] | None,
    fresh: bool,
) -> Steps:
    if shard is not None and not 1 <= shard[0] <= shard[1]:
        raise ValueError(f"shard must be i of N with 1 <= i <= N, got {shard[0]} of {shard[1]}")
    study.check()
    path = Path(store or store_path(study, shard=shard))

    began = None

    def late() -> bool:
        nonlocal began
        now = time.monotonic() - compiling.seconds
        began = now if began is None else began
        return seconds is not None and now - began >= seconds

    with (
        Threads(workers) if isinstance(workers, int) else nullcontext(workers) as pool,
        Store(path, write=True) as results,
    ):
        _know_versions(study, results, fresh)
        if shard is None:
            yield from estimate_points(study.rare_points, results, late)
        done = {point.task.id: results.batches(point.task, point.code) for point in study.points}
        points, share = study.points, (0, 1)
        if shard is not None:
            points, share = _part_of(study, shard, path, done), (shard[0] - 1, shard[1])
        lots = simulate(
            points,
            done,
            pool,
            share=share,
            stop_now=late,
        )
        with closing(lots):
            yield from next(lots)
            if seconds == 0:
                return
            for lot in lots:
                results.append_all(
                    (step.point.task, step.batch, step.counts)
                    for step in lot
                    if step.batch is not None and step.counts is not None
                )
                results.fold()
                yield from lot or (None,)


def _know_versions(study: Study, results: Store, fresh: bool) -> None:
    """Stop if a curve's batches are all by other versions of its code; else store the tasks' curves."""
    begun = results.curves()
    new = [point for point in study.points if point.curve not in begun.get(point.task.id, ())]
    if not fresh and (stale := results.other_versions(new)):
        tasks = {point.curve: point.task for point in new}
        told = "; ".join(
            f"{count:,} batches of curve {curve} by another version of {tasks[curve].called(part)}"
            for (curve, part), count in stale.items()
        )
        raise StaleError(
            f"{results.path} has {told}: its code or network has changed, and counts of two "
            "versions are never pooled. To start over: fecnn run --fresh (the old batches stay in the file, "
            "unused), or give the curve a new label"
        )
    results.name_curves(new)


def _part_of(
    study: Study, shard: tuple[int, int], path: Path, done: dict[str, dict[int, Tally]]
) -> list[Point]:
    """The points that a shard works on; adds the batches of the study's main file to ``done``."""
    pooled = store_path(study, path.parent)
    if pooled.exists():
        with Store(pooled) as results:
            for point in study.points:
                done[point.task.id] |= results.batches(point.task, point.code)
    points = []
    for point in study.points:
        prefix = Prefix(point.stop)
        for i, counts in done[point.task.id].items():
            prefix.add(i, counts)
        if not prefix.finished:
            points.append(replace(point, stop=point.stop.share(shard[1])))
    return points


class MergeError(StoreError):
    """Some files were not merged; ``merged`` lists those that were."""

    def __init__(self, message: str, merged: "list[Merged]") -> None:
        super().__init__(message)
        self.merged = merged

    def __reduce__(self) -> tuple[object, ...]:
        return MergeError, (str(self), self.merged)


@dataclass(frozen=True)
class Merged:
    """What `merge` took from a file: the number of new batches, and of batches already present."""

    path: Path
    added: int
    known: int


def merge(study: Study, files: Sequence[str | Path] = (), folder: str | Path = RESULTS) -> list[Merged]:
    """Merge results files into a study's own, one by one; merging a file twice changes nothing.

    Args:
        study: The study.
        files: Files to merge; by default, all shards of the study in the folder.
        folder: Folder of the study's own results file.

    Raises:
        FileNotFoundError: If there are no shards.
        MergeError: If a file is missing or damaged, has only results of other studies, contradicts itself, or
            disagrees with existing results. Nothing of it is merged; all other files are.

    Example:
        >>> import fecnn, tempfile
        >>> study = fecnn.load_study("optimal-hamming-7-4")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     files = [f"{folder}/part-{i}.sqlite" for i in (1, 2)]
        ...     for i, file in enumerate(files, start=1):
        ...         fecnn.run(study, store=file, seconds=0, shard=(i, 2)).finish()
        ...     merged = merge(study, files, folder)
        >>> [one.path.name for one in merged]
        ['part-1.sqlite', 'part-2.sqlite']
    """
    shards = f"{glob.escape(study.name)}.shard-*-of-*.sqlite"
    paths = [Path(file) for file in files] or sorted(Path(folder).glob(shards))
    if not paths:
        raise FileNotFoundError(
            f"no shards of {study.name} in {folder}; create them with fecnn run --shard 1/2"
        )
    merged, refused = [], []
    known = {point.task.kin for point in study.points}
    codes = {point.task.id: point.code for point in study.points}
    with ExitStack() as stack:
        results = None
        for path in paths:
            try:
                with Store(path) as part:
                    tasks = part.tasks()
                    if tasks and known.isdisjoint(task.kin for task in tasks):
                        raise StoreError(f"{path} has only results of other studies, none of {study.name}")
                    if results is None:  # created only when needed
                        results = stack.enter_context(Store(store_path(study, folder), write=True))
                    merged.append(Merged(path, *results.pool(part, codes)))
            except (StoreError, FileNotFoundError) as error:
                refused.append(str(error))
    if refused:
        raise MergeError("\n".join(refused), merged)
    return merged
