"""Run a study into its store, whole or in shards, and pool the shards."""

import glob
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

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
from fecnn.studies.study import Study

RESULTS = Path("fecnn-results")
"""Where results go unless another place is named, relative to the current directory."""


def store_path(study: Study, folder: str | Path = RESULTS, shard: tuple[int, int] | None = None) -> Path:
    """The results file of a study in a folder, or of a shard (i, N) of it."""
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
) -> Iterator[Progress | Estimation]:
    """Simulate what a study still needs, committing batches as they are made; yields progress.

    First yields every point as it stands in the store, then each point after each of its batches. The run can
    be interrupted at any time and goes on where it was; counts do not depend on interruptions or on
    ``workers``. A decoder that fails at one point does not keep the other points from being finished.
    Before all that it estimates the points of curves with ``method = "rare"``, in the same way.

    Args:
        study: The study.
        workers: Threads of this process: how many, or `fecnn.simulation.threads.Threads`; or a cluster
            (`fecnn.simulation.cluster.connect`). What is given open stays open.
        store: The results file; ``fecnn-results/<study>.sqlite`` if not given.
        seconds: Begin no batch, and no estimate, after this long; None for no limit. This is wall time of
            simulation: building and compiling decoders does not count, and every point gets its first batch.
            At 0 nothing is simulated.
        shard: (i, N) makes part i of N, counted from 1, without knowing of the others; the results file is
            then one of its own, to be pooled by `merge`. What the study's own file beside it has is not made
            again. Estimates are left to the run that goes on from the pooled results.
        fresh: Begin anew where the results file has batches that another version of a decoder made, which
            otherwise ends the run before it begins. Those stay in the file, unused.

    Raises:
        ValueError: If the study asks for something impossible; nothing has run then.
        StaleError: If a decoder's code, or its network, has changed since batches of its curve were made.
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
        Threads(workers) if isinstance(workers, int) else nullcontext(workers) as hands,
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
            hands,
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
                yield from lot


def _know_versions(study: Study, results: Store, fresh: bool) -> None:
    """Stop where only other versions of decoders have batches; else keep whose curves the tasks are."""
    begun = results.curves()
    new = [point for point in study.points if point.curve not in begun.get(point.task.id, ())]
    if not fresh and (stale := results.stale(new)):
        decoders = {point.curve: point.task.decoder for point in new}
        told = "; ".join(
            f"{count:,} batches of curve {curve} by another version of {decoders[curve]}"
            for curve, count in stale.items()
        )
        raise StaleError(
            f"{results.path} has {told}: its code, or its network, has changed since, and counts of two "
            "versions are never pooled. To begin anew: fecnn run --fresh (the old batches stay in the file, "
            "unused), or give the curve a new label"
        )
    results.name_curves(new)


def _part_of(
    study: Study, shard: tuple[int, int], path: Path, done: dict[str, dict[int, Tally]]
) -> list[Point]:
    """The points that a shard works at; adds to ``done`` what the study's own file has."""
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
    """Some files were not taken in; ``merged`` has those that were."""

    def __init__(self, message: str, merged: "list[Merged]") -> None:
        super().__init__(message)
        self.merged = merged


@dataclass(frozen=True)
class Merged:
    """What `merge` took from a file: batches that were new, and batches that were there already."""

    path: Path
    added: int
    known: int


def merge(study: Study, files: Sequence[str | Path] = (), folder: str | Path = RESULTS) -> list[Merged]:
    """Pool results files into a study's own, file after file; merging one again changes nothing.

    Args:
        study: The study.
        files: What to take in; if none are given, all shards of the study in the folder.
        folder: Where the study's own file is, or will be.

    Raises:
        FileNotFoundError: If there are no shards.
        MergeError: If a file is missing or damaged, has results but none of this study, contradicts itself or
            disagrees with what is there. Nothing of it is taken in; all other files are.
    """
    shards = f"{glob.escape(study.name)}.shard-*-of-*.sqlite"
    paths = [Path(file) for file in files] or sorted(Path(folder).glob(shards))
    if not paths:
        raise FileNotFoundError(
            f"no shards of {study.name} in {folder}; make them with fecnn run --shard 1/2"
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
                        raise StoreError(f"{path} has results of other studies only, none of {study.name}")
                    if results is None:  # not made for nothing
                        results = stack.enter_context(Store(store_path(study, folder), write=True))
                    merged.append(Merged(path, *results.pool(part, codes)))
            except (StoreError, FileNotFoundError) as error:
                refused.append(str(error))
    if refused:
        raise MergeError("\n".join(refused), merged)
    return merged
