"""Commands that simulate."""

import os
import shlex
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fecnn._files.shipped import RESULTS
from fecnn.cli.options import OutOption, StudyArgument
from fecnn.cli.terminal import draw, explained, print_study, say_what_is_stale, say_whose_code_runs
from fecnn.errors import DecodingError

if TYPE_CHECKING:
    from fecnn.simulation.workers import Workers
    from fecnn.studies.study import Study

QUICK_SECONDS = 35.0
"""Seconds of simulation with ``--quick``."""


def run_command(
    study: StudyArgument,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker threads.", show_default="all cores")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Stop after 35 seconds of simulation, once every point has a batch."),
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Stop after this long, once every point has a batch.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Run on Dask workers instead of threads: local:2, a scheduler's address, or a .toml "
            "describing a Slurm cluster.",
            show_default=False,
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="i/N",
            help="Run part i of N into its own file; fecnn merge combines the parts.",
            show_default=False,
        ),
    ] = None,
    batch_limit: Annotated[
        float | None,
        typer.Option(help="Fail a batch that takes more seconds than this.", show_default="no limit"),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Start over for decoders whose code has changed since the last run."),
    ] = False,
    foreign_code: Annotated[
        bool,
        typer.Option(
            "--foreign-code/--no-foreign-code",
            help="Allow decoders and channels that do not ship with fecnn.",
        ),
    ] = True,
    out: OutOption = RESULTS,
) -> None:
    """Simulate a study, then print its table and draw its figure.

    Results are saved batch by batch. Stop at any time; the same command continues. The counts are the same
    for any number of threads, Dask workers or shards.

    Examples:

        fecnn run optimal-hamming-7-4 --quick

        fecnn run my_study.toml --workers 8 --out results

        fecnn run my_study.toml --cluster tcp://10.0.0.1:8786

        fecnn run my_study.toml --shard 3/16
    """
    from fecnn.cli.live import RunBoard
    from fecnn.studies.estimates import Estimation
    from fecnn.studies.run import run, store_path
    from fecnn.studies.study import load_study

    with explained():
        plan = load_study(study)
        say_whose_code_runs(plan, foreign_code)
        part = None if shard is None else _shard(shard)
        store = store_path(plan, out, part)
        limit = QUICK_SECONDS if quick and seconds is None else seconds
        failure = None
        refused = []
        try:
            with _workers(workers, cluster, batch_limit) as pool, RunBoard(plan, pool) as board:
                for progress in run(plan, workers=pool, store=store, seconds=limit, shard=part, fresh=fresh):
                    board.update(progress)
                    if isinstance(progress, Estimation) and progress.refusal:
                        refused.append(progress)
        except KeyboardInterrupt:
            typer.echo(
                f"\nstopped; finished batches are saved in {store}: run the same command to continue",
                err=True,
            )
            raise typer.Exit(130) from None
        except DecodingError as error:
            failure = error
        for estimation in refused:
            typer.echo(str(estimation), err=True)
        if part is None:
            if not _show_run(study, plan, store, len(refused)) and failure is None:
                typer.echo("nothing was simulated: give it more time", err=True)
                raise typer.Exit(1)
        else:
            typer.echo(f"results: {store}\nWhen all shards are done: fecnn merge {shlex.quote(study)}")
        if failure is not None:
            raise failure


def _shard(text: str) -> tuple[int, int]:
    i, slash, parts = text.partition("/")
    if not (slash and i.isdecimal() and parts.isdecimal() and 1 <= int(i) <= int(parts)):
        raise ValueError(f"--shard must be i/N with 1 <= i <= N, such as 3/16, got {text!r}")
    return int(i), int(parts)


def _workers(
    threads: int | None, cluster: str | None, limit: float | None
) -> "AbstractContextManager[Workers]":
    from fecnn.simulation.threads import Threads

    if cluster is None:
        return Threads(threads or _cores(), limit)
    if threads is not None:
        raise ValueError("--workers sets threads of this process; with --cluster, leave it out")
    from fecnn.simulation.cluster import connect

    return connect(cluster, limit)


def _cores() -> int:
    """Number of cores this process may use, or of all cores where the system does not say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _show_run(study: str, plan: "Study", store: Path, refused: int = 0) -> bool:
    """Print a run's table and draw its figure; ``refused`` of its points cannot be estimated.

    Returns:
        Whether there are any results.
    """
    from fecnn.analysis.table import table

    results = table(plan, store)
    say_what_is_stale(plan, store)
    if results.empty:
        return False
    print_study(plan, results)
    typer.echo(f"results: {store}")
    try:
        draw(plan, results, store.with_suffix(".svg"))
    except ModuleNotFoundError as missing:
        typer.echo(str(missing), err=True)
    else:
        typer.echo(f"figure:  {store.with_suffix('.svg')}")
    wanted = len(plan.points) + len(plan.rare_points) - refused
    if not results["finished"].all() or len(results) < wanted:
        typer.echo(
            "Some points have not met the study's stopping rule; "
            f"continue with: fecnn run {shlex.quote(study)}"
        )
    return True


def warm_up_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Studies (name or file) and decoders (name or module:function).",
            metavar="STUDY|DECODER",
            show_default="all decoders",
        ),
    ] = None,
) -> None:
    """Compile ahead of time what studies or decoders need: everything takes one to two minutes, once.

    Without this, code is compiled on first use.

    Examples:

        fecnn warm-up

        fecnn warm-up osd-orders scl
    """
    from fecnn.jit import compiling
    from fecnn.studies.warm_up import warm_up

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    with explained(), compiling.told(tell):
        warm_up(names or (), tell)
        typer.echo("everything requested is compiled")


def merge_command(
    study: StudyArgument,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Results files to merge.", metavar="FILE", show_default="its shards in --out"),
    ] = None,
    out: OutOption = RESULTS,
) -> None:
    """Merge shards, or other results files of a study, into its results.

    Batches present in both are compared, and a file that disagrees is rejected. Merging a file twice changes
    nothing.

    Examples:

        fecnn merge my_study.toml

        fecnn merge optimal-bch-31-21 from-server-1.sqlite from-server-2.sqlite
    """
    from fecnn.studies.run import MergeError, merge, store_path
    from fecnn.studies.study import load_study

    with explained():
        plan = load_study(study)
        failure = None
        try:
            taken = merge(plan, files or (), out)
        except MergeError as error:
            taken, failure = error.merged, error
        for merged in taken:
            typer.echo(f"{merged.path}: {merged.added:,} batches added, {merged.known:,} already present")
        if taken and not _show_run(study, plan, store_path(plan, out)):
            typer.echo("these files hold no results of this study", err=True)
            raise typer.Exit(1)
        if failure is not None:
            raise failure
