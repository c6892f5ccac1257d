"""The command line: ``fecnn --help``."""

import _thread
import io
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from typer.core import TyperGroup

from fecnn._files.atomic import write
from fecnn._files.text import plain
from fecnn._version import __version__
from fecnn.analysis.table import (
    FEW_ERRORS,
    FOOTNOTE,
    counted,
    csv_text,
    display,
    markdown,
    published_summary,
    results_path,
    table,
)
from fecnn.cli.live import Board
from fecnn.codes.catalogue import code_file, code_names, load_code
from fecnn.decoders.foreign import whose_code_runs
from fecnn.decoders.registry import decoder_names, factory
from fecnn.errors import ClusterError, DecodingError, StoreError
from fecnn.jit import compiling
from fecnn.nets.card import Card, checkpoint_folder, is_network, read_card, zoo_names
from fecnn.simulation.simulate import Workers
from fecnn.simulation.store import ROW, Store
from fecnn.simulation.threads import Threads
from fecnn.studies.estimates import Estimation
from fecnn.studies.run import RESULTS, MergeError, merge, run, store_path
from fecnn.studies.study import Study, load_study, study_names

if TYPE_CHECKING:
    import pandas as pd

    from fecnn.cli.speed import Measurement


class _Commands(TyperGroup):
    """All commands: a reader who leaves, Ctrl-C and a terminal of few characters end none in a traceback."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run a command."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
                stream.reconfigure(errors="replace")
        try:
            return super().main(*arguments, **options)
        finally:
            _flush()

    def invoke(self, ctx: Any) -> Any:
        """Run it once its arguments are read."""
        stopped = _Stopped()
        try:
            with stopped:
                return super().invoke(ctx)
        except BrokenPipeError:
            _leave_quietly()
        except BaseException as error:
            # An import, or compiled code, may have made another error of the interrupt.
            if isinstance(error, KeyboardInterrupt) or (stopped.was and not isinstance(error, typer.Exit)):
                typer.echo("\nstopped", err=True)
                raise typer.Exit(130) from None
            raise


class _Stopped:
    """Knows whether Ctrl-C was pressed."""

    was = False

    def __enter__(self) -> None:
        self._before, self._hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
        self._listens = (
            self._before is signal.default_int_handler
            and threading.current_thread() is threading.main_thread()
        )
        if self._listens:
            signal.signal(signal.SIGINT, self._interrupt)
            sys.unraisablehook = self._again

    def __exit__(self, *_: object) -> None:
        if self._listens:
            signal.signal(signal.SIGINT, self._before)
            sys.unraisablehook = self._hook

    def _interrupt(self, signum: int, frame: object) -> None:
        self.was = True
        raise KeyboardInterrupt

    def _again(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """It came in a callback of C, as LLVM's, from where it cannot be raised: again, once that is over."""
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            _thread.interrupt_main()
        else:
            self._hook(unraisable)


def _flush() -> None:
    """Give out what is left now: at the end of the process it would be too late to do it quietly."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_quietly()


def _leave_quietly() -> NoReturn:
    """End as other programs do where nobody reads on, as in ``| head``."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):
            stream.flush()
            continue
        os.dup2(nowhere, stream.fileno())
    sys.exit(128 + 13)  # SIGPIPE


app = typer.Typer(
    cls=_Commands,
    help="Decoders for short block codes, measured fairly.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)

QUICK_SECONDS = 35.0
"""Simulation time of ``--quick``."""

TABLE_WIDTH = 200

StudyArgument = Annotated[
    str, typer.Argument(help="A study by name, a study.toml, or its folder.", metavar="STUDY")
]
FormOption = Annotated[str, typer.Option("--format", help="terminal, markdown or csv.")]
OutOption = Annotated[Path, typer.Option("--out", help="Folder of results.", file_okay=False)]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fecnn {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Decoders for short block codes, measured fairly."""


@app.command(name="run")
def run_command(
    study: StudyArgument,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker threads.", show_default="all cores")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Stop after half a minute of simulation, or once every point has a batch."
        ),
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Begin no batch after this long, except every point's first.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="Dask workers instead of threads: local:2, the address of a scheduler, or a .toml "
            "about a Slurm cluster.",
            show_default=False,
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="i/N",
            help="Part i of N, into a file of its own; fecnn merge pools them.",
            show_default=False,
        ),
    ] = None,
    batch_limit: Annotated[
        float | None,
        typer.Option(help="Seconds after which a batch has failed.", show_default="no limit"),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Leave out results of decoders whose code has changed since."),
    ] = False,
    foreign_code: Annotated[
        bool,
        typer.Option(
            "--foreign-code/--no-foreign-code", help="Whether decoders may run that do not come with fecnn."
        ),
    ] = True,
    out: OutOption = RESULTS,
) -> None:
    """Simulate a study, then print its table and draw its figure.

    Results are kept batch by batch: stop it at any time, and the same command goes on where it was. The
    counts are the same for any number of threads, Dask workers or shards.

    Examples:

        fecnn run optimal-hamming-7-4 --quick

        fecnn run my_study.toml --workers 8 --out results

        fecnn run my_study.toml --cluster tcp://10.0.0.1:8786

        fecnn run my_study.toml --shard 3/16
    """
    with _errors():
        plan = load_study(study)
        _say_whose_code_runs(plan, foreign_code)
        part = None if shard is None else _shard(shard)
        store = store_path(plan, out, part)
        limit = QUICK_SECONDS if quick and seconds is None else seconds
        failure = None
        refused = []
        try:
            with _workers(workers, cluster, batch_limit) as hands, Board(plan, hands) as board:
                for progress in run(plan, workers=hands, store=store, seconds=limit, shard=part, fresh=fresh):
                    board.update(progress)
                    if isinstance(progress, Estimation) and progress.refusal:
                        refused.append(progress)
        except KeyboardInterrupt:
            typer.echo(
                f"\nstopped; every finished batch is in {store}: run the same command to go on", err=True
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
    if cluster is None:
        return Threads(threads or _cores(), limit)
    if threads is not None:
        raise ValueError("--workers counts threads of this process; a cluster has its own, so drop it")
    from fecnn.simulation.cluster import connect

    return connect(cluster, limit)


def _cores() -> int:
    """Cores that this process may use, where the system says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _say_whose_code_runs(plan: Study, allowed: bool) -> None:
    for name, it in plan.foreign.items():
        if not allowed:
            raise ValueError(
                f"decoder {name} does not come with fecnn: its code in {it.file} would run, and "
                "--no-foreign-code refuses that"
            )
        typer.echo(whose_code_runs(name, it), err=True)


def _say_what_is_stale(plan: Study, store: Path) -> bool:
    """Whether there are batches of other versions of decoders; they are not shown."""
    with Store(store) as results:
        stale = results.stale(plan.points)
    for curve, count in stale.items():
        typer.echo(
            f"{count:,} batches of {curve} are not shown: another version of its decoder made them", err=True
        )
    return bool(stale)


def _show_run(study: str, plan: Study, store: Path, refused: int = 0) -> bool:
    """Table and figure of a run, ``refused`` of whose points cannot be estimated; whether there are any."""
    results = table(plan, store)
    _say_what_is_stale(plan, store)
    if results.empty:
        return False
    _print(plan, results)
    _draw(plan, results, store.with_suffix(".svg"))
    typer.echo(f"results: {store}\nfigure:  {store.with_suffix('.svg')}")
    wanted = len(plan.points) + len(plan.rare_points) - refused
    if not results["finished"].all() or len(results) < wanted:
        typer.echo(
            "Some points have not met the study's stopping rule: "
            f"fecnn run {shlex.quote(study)} goes on from here."
        )
    return True


@app.command(name="warm-up")
def warm_up_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Studies, by name or file, and decoders, by name or as module:function.",
            metavar="STUDY|DECODER",
            show_default="all decoders",
        ),
    ] = None,
) -> None:
    """Compile ahead what a study or a decoder needs: once on this machine, about a minute for everything.

    Otherwise it is compiled when it is first used.

    Examples:

        fecnn warm-up

        fecnn warm-up osd-orders scl
    """
    from fecnn.studies.warm_up import warm_up

    def tell(line: str) -> None:
        typer.echo(line, err=True)

    with _errors(), compiling.told(tell):
        warm_up(names or (), tell)
        typer.echo("everything that was asked for is compiled")


@app.command(name="merge")
def merge_command(
    study: StudyArgument,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Results files to take in.", metavar="FILE", show_default="its shards in --out"),
    ] = None,
    out: OutOption = RESULTS,
) -> None:
    """Pool shards, or other results files of a study, into its own results.

    Batches that are there already are compared, and a file that disagrees is refused. Merging again changes
    nothing.

    Examples:

        fecnn merge my_study.toml

        fecnn merge optimal-bch-31-21 from-server-1.sqlite from-server-2.sqlite
    """
    with _errors():
        plan = load_study(study)
        failure = None
        try:
            taken = merge(plan, files or (), out)
        except MergeError as error:
            taken, failure = error.merged, error
        for merged in taken:
            typer.echo(f"{merged.path}: {merged.added:,} batches added, {merged.known:,} were there already")
        if taken and not _show_run(study, plan, store_path(plan, out)):
            typer.echo("there are no results of this study in these files", err=True)
            raise typer.Exit(1)
        if failure is not None:
            raise failure


@app.command(name="table")
def table_command(
    study: StudyArgument,
    out: OutOption = RESULTS,
    form: FormOption = "terminal",
) -> None:
    """Print a study's results: rates with 95 % intervals, published points judged, gaps to ML at BLER 1e-3.

    Without results of your own it shows those that are shipped with the study. The CSV has every count.

    Examples:

        fecnn table optimal-bch-31-21

        fecnn table optimal-bch-31-21 --format csv > results.csv
    """
    with _errors():
        plan, results = _results(study, out)
        _give(
            form,
            results,
            terminal=lambda: _print(plan, results),
            text=lambda: "".join(
                [
                    markdown(display(plan, results)),
                    *(f"\n{line}" for line in published_summary(plan, results)),
                ]
            ),
        )


@app.command(name="compare")
def compare_command(
    study: StudyArgument,
    first: Annotated[str, typer.Argument(help="A curve, by its name in the table.", metavar="A")],
    second: Annotated[str, typer.Argument(help="Another curve.", metavar="B")],
    out: OutOption = RESULTS,
) -> None:
    """Compare two decoders on the same frames: could their difference be chance?

    "only A" counts frames that A got wrong and B right. p is how often equally good decoders would differ as
    much (McNemar's exact test); "separate" is how many frames each would need for the same certainty if each
    had frames of its own. It needs results of your own: frame by frame they are not shipped.

    Examples:

        fecnn compare transformers-bch-31-16 fecnn-net "osd (order 1)"
    """
    from fecnn.analysis.compare import compare, display_comparison

    with _errors():
        plan = load_study(study)
        found = compare(plan, first, second, store_path(plan, out))
        shown = display_comparison(found)
        _print_table(shown, f"A: {first}, B: {second}")


@app.command(name="complexity")
def complexity_command(
    study: StudyArgument,
    out: OutOption = RESULTS,
    form: FormOption = "terminal",
) -> None:
    """Print what decoding a frame costs: operations by kind, parameters, memory.

    Decoders whose work depends on the noise (OSD, ML, BP, GRAND) are counted with the work that the study
    measured, Eb/N0 by Eb/N0. The formulas are documented in fecnn.complexity.

    Example:

        fecnn complexity optimal-bch-31-21
    """
    from fecnn.analysis.costs import cost_table, display_costs

    with _errors():
        plan, results = _results(study, out)
        costs = cost_table(plan, results)
        _give(
            form,
            costs,
            terminal=lambda: _print_table(display_costs(costs)),
            text=lambda: markdown(display_costs(costs), footnote=""),
        )


@app.command(name="plot")
def plot_command(
    study: StudyArgument,
    out: OutOption = RESULTS,
    figure: Annotated[
        Path | None,
        typer.Option("--figure", "-o", help="File to write: .svg, .pdf or .png.", show_default="in --out"),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="bler, ber or ber_code; repeat for more panels.", show_default="the study's"),
    ] = None,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="Draw gaps to ML against operations and time instead.")
    ] = False,
) -> None:
    """Draw a study's error rates with their intervals, and the published points.

    Given a trained network, of the zoo or by its training's folder, it draws the learning curve.

    Examples:

        fecnn plot optimal-bch-31-21 -o figure.pdf

        fecnn plot optimal-bch-31-21 --metric bler

        fecnn plot optimal-bch-31-21 --pareto -o pareto.svg

        fecnn plot fecnn-net-bch-31-16 -o curve.png
    """
    with _errors():
        if is_network(study):
            card = read_card(checkpoint_folder(study))
            path = figure or Path(f"{card.name}.svg")
            _save_learning(card, path)
            typer.echo(path)
            return
        plan, results = _results(study, out)
        if pareto:
            from fecnn.plots.figure import save
            from fecnn.plots.pareto import plot_pareto

            path = figure or store_path(plan, out).with_suffix(".pareto.svg")
            save(plot_pareto(plan, results), path)
        else:
            path = figure or store_path(plan, out).with_suffix(".svg")
            _draw(plan, results, path, metric)
        typer.echo(path)


@app.command(name="report")
def report_command(
    study: Annotated[
        list[str],
        typer.Argument(help="Studies by name, file or folder; several are compared.", metavar="STUDY..."),
    ],
    out: OutOption = RESULTS,
    file: Annotated[
        Path | None, typer.Option("--file", "-o", help="HTML file to write.", show_default="in --out")
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(
            help="Published points of your own, a CSV like a study's reference.csv.", dir_okay=False
        ),
    ] = None,
) -> None:
    """Write one HTML page about studies: curves to switch on and off, gaps to ML and cost, sortable tables.

    The page is complete in itself: it can be mailed, and read without a network.

    Examples:

        fecnn report optimal-bch-31-21

        fecnn report osd-orders osd-variants -o osd.html
    """
    from fecnn.reports import report, save
    from fecnn.studies.reference import read_references

    with _errors():
        pairs = [_results(name, out) for name in study]
        plans = [plan for plan, _ in pairs]
        path = file or out / f"{'-'.join(plan.name for plan in plans)}.html"
        if path.suffix not in (".html", ".htm"):
            raise ValueError(f"a report is written as .html, got {path.name}")
        page = report(
            plans, [results for _, results in pairs], read_references(published) if published else ()
        )
        save(page, path)
        typer.echo(path)


@app.command(name="train")
def train_command(
    config: Annotated[
        str, typer.Argument(help="A network of the zoo by name, or a train.toml.", metavar="CONFIG")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of trainings.", file_okay=False)] = Path(
        "fecnn-training"
    ),
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or cuda:1.", show_default="that of the configuration")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Save and stop after this long; the same command goes on.")
    ] = None,
) -> None:
    """Train a network: checkpoints, weights, card and learning curve go to a folder of its name.

    Stop it, or kill it, at any time: the same command goes on from the last checkpoint, to the same weights.

    Examples:

        fecnn train fecnn-net-bch-31-16

        fecnn train my_net.toml --device cuda --out trainings
    """
    from fecnn.training.page import page, sentence
    from fecnn.training.recipe import load_training
    from fecnn.training.train import train

    with _errors():
        plan = load_training(config)
        if device is not None:
            plan = plan.model_copy(update={"device": device})
        folder = out / plan.name
        console, told = Console(stderr=True), 0
        try:
            with console.status(f"{plan.name}: {plan.steps:,} steps") as status:
                steps = train(plan, folder, seconds=seconds)
                while True:
                    try:
                        progress = next(steps)
                    except StopIteration as end:
                        card = end.value
                        break
                    left = (plan.steps - progress.step) * plan.batch / progress.rate if progress.rate else 0.0
                    status.update(
                        f"{plan.name}: step {progress.step:,} of {plan.steps:,}, loss {progress.loss:.5f}, "
                        f"{progress.rate:,.0f} frames/s, {left / 60:.0f} min left"
                    )
                    for validation in progress.validations[told:]:
                        console.print(Text(sentence(validation)), soft_wrap=True)
                    told = len(progress.validations)
        except KeyboardInterrupt:
            typer.echo(f"\nstopped; the same command goes on from the last checkpoint in {folder}", err=True)
            raise typer.Exit(130) from None
        _save_learning(card, folder / "curve.svg")
        write(folder / "README.md", page(card))
        typer.echo(f"{'trained' if card.finished else 'not finished'}: {folder}")


@app.command()
def export(
    study: StudyArgument,
    file: Annotated[Path, typer.Argument(help="File to write: .csv or .parquet.", metavar="FILE")],
    out: OutOption = RESULTS,
) -> None:
    """Write every batch of a study's results to CSV or Parquet: counts, versions, hosts and times.

    Example:

        fecnn export optimal-hamming-7-4 batches.parquet
    """
    import pandas as pd

    with _errors():
        if file.suffix not in (".csv", ".parquet"):
            raise ValueError(f"batches are exported to .csv or .parquet, got {file.name}")
        with Store(store_path(load_study(study), out)) as store:
            rows = pd.DataFrame(list(store.rows()), columns=list(ROW))
        if file.suffix == ".csv":
            write(file, csv_text(rows))
        else:
            content = io.BytesIO()
            rows.to_parquet(content, index=False)
            write(file, content.getvalue())
        typer.echo(f"{len(rows):,} batches: {file}")


@app.command()
def codes(
    name: Annotated[str | None, typer.Argument(help="A code by name or file, for its details.")] = None,
) -> None:
    """List the codes, or show one of them.

    Examples:

        fecnn codes

        fecnn codes bch-31-21
    """
    with _errors():
        if name is not None:
            _describe_code(name)
            return
        listing = Table("code", "n", "k", "rate", "d", box=None, pad_edge=False)
        for known in code_names():
            code = load_code(known)
            distance = "?" if code.minimum_distance is None else str(code.minimum_distance)
            listing.add_row(known, str(code.n), str(code.k), f"{code.rate:.3f}", distance)
        _console().print(listing)


@app.command()
def decoders(
    name: Annotated[str | None, typer.Argument(help="A decoder, for its documentation.")] = None,
) -> None:
    """List the decoders, or show one's documentation and options.

    Examples:

        fecnn decoders

        fecnn decoders osd
    """
    import inspect

    with _errors():
        if name is not None:
            make = factory(name, soft=name not in decoder_names() and name in decoder_names(soft=True))
            options = [
                str(p) for p in inspect.signature(make).parameters.values() if p.kind is p.KEYWORD_ONLY
            ]
            typer.echo(f"{name}: options {', '.join(options) or 'none'}\n\n{inspect.getdoc(make) or ''}")
            return
        listing = Table("decoder", "soft", "what it is", box=None, pad_edge=False)
        soft = decoder_names(soft=True)
        for known in sorted({*decoder_names(), *soft}):
            make = factory(known, soft=known not in decoder_names())
            first = (inspect.getdoc(make) or "").partition("\n")[0]
            listing.add_row(known, "yes" if known in soft else "", first)
        _console().print(listing)


@app.command()
def nets(
    name: Annotated[
        str | None, typer.Argument(help="A network of the zoo, or a training's folder, for its page.")
    ] = None,
) -> None:
    """List the trained networks that come with fecnn, or show one's page: how it was trained, and how well.

    Examples:

        fecnn nets

        fecnn nets fecnn-net-bch-31-16
    """
    from fecnn.training.page import page

    with _errors():
        if name is not None:
            typer.echo(page(read_card(checkpoint_folder(name))), nl=False)
            return
        heads = ("network", "code", "recipe", "parameters", "frames", "CPU [min]", "block errors over ML's")
        listing = Table(*(Column(Text(head)) for head in heads), box=None, pad_edge=False)
        for column in listing.columns[3:]:
            column.justify = "right"
        for known in zoo_names():
            card = read_card(checkpoint_folder(known))
            first = card.validations[-1].points[0]
            listing.add_row(
                known,
                card.code,
                card.config["recipe"] or "",
                f"{card.parameters:,}",
                f"{card.frames:,}",
                f"{card.cpu_seconds / 60:.1f}",
                f"{first.block_errors / max(first.ml_block_errors, 1):.2f} at {first.ebn0_db:g} dB",
            )
        _console().print(listing)


@app.command()
def studies() -> None:
    """List the studies that come with fecnn.

    Example:

        fecnn studies
    """
    with _errors():
        listing = Table("study", "title", box=None, pad_edge=False)
        for known in study_names():
            listing.add_row(known, Text(load_study(known).title))
        _console().print(listing)


@app.command(name="bench")
def bench_command(
    only: Annotated[
        str,
        typer.Argument(help="Part of a decoder's or a code's name; all cases if not given.", metavar="ONLY"),
    ] = "",
    seconds: Annotated[float, typer.Option(min=0, help="Time of each case.")] = 1.0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the numbers to a file.")
    ] = None,
) -> None:
    """Measure how fast decoders and whole simulations are on this machine.

    CPU time of one thread, median of at least five rounds; "ready" is what the first decision takes in this
    process: building the decoder, and compiling it or loading it compiled.

    Examples:

        fecnn bench

        fecnn bench osd --seconds 3 --json osd.json
    """
    from fecnn.cli import speed as bench

    with _errors():
        cases = [case for case in bench.cases() if only in f"{case.name} {case.code}"]
        if not cases:
            raise LookupError(f"no case has {only!r} in the name of its decoder or code")
        made = bench.machine()
        typer.echo(", ".join(f"{key} {value}" for key, value in made.items()))
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("decoder", "code"):
            table.add_column(name)
        columns = (
            "Eb/N0 [dB]",
            "BLER",
            "decoding [us/frame]",
            "tries/frame",
            "simulation [frames/s]",
            "ready [s]",
        )
        for name in columns:
            table.add_column(Text(name), justify="right")  # brackets are no markup
        console = _console()
        measurements = []
        with console.status("") as status:
            for case in cases:
                status.update(f"{case.name} on {case.code}")
                measured = bench.measure(case, seconds)
                measurements.append(measured)
                table.add_row(*_bench_row(measured))
            gain = bench.thread_gain(cases[0], max(seconds, 0.1)) if (os.cpu_count() or 1) > 1 else None
        console.print(table)
        if gain is not None:
            typer.echo(f"two threads over one: {gain:.2f} ({cases[0].name} on {cases[0].code}, wall time)")
        if json_file is not None:
            bench.save(measurements, gain, json_file)


def _bench_row(measured: "Measurement") -> list[str]:
    case, total = measured.case, measured.total
    middle, low, high = measured.decode_us
    return [
        case.name,
        case.code,
        f"{case.ebn0_db:g}",
        f"{total.block_errors / total.frames:.1e}",
        f"{middle:.3g} [{low:.3g}, {high:.3g}]",
        f"{total.work / total.frames:.3g}" if total.work else "",
        f"{measured.frames_per_second[0]:,.0f}",
        f"{measured.ready_seconds:.2f}",
    ]


def _results(study: str, out: Path) -> "tuple[Study, pd.DataFrame]":
    """A study with its results, saying so where they are the shipped ones."""
    plan = load_study(study)
    path = results_path(plan, out)
    if path.suffix == ".csv":
        typer.echo(f"no results in {store_path(plan, out)}; these are the shipped ones", err=True)
    results = table(plan, path)
    stale = path.suffix != ".csv" and _say_what_is_stale(plan, path)
    if results.empty:
        how = "fecnn run --fresh" if stale else "fecnn run"
        raise LookupError(f"{path} has no results of {plan.name} yet; make them with {how}")
    return plan, results


def _give(form: str, table: "pd.DataFrame", terminal: Callable[[], None], text: Callable[[], str]) -> None:
    """A table in the form that was asked for: on the terminal, as Markdown, or all of it as CSV."""
    if form == "terminal":
        terminal()
    elif form == "markdown":
        typer.echo(text(), nl=False)
    elif form == "csv":
        typer.echo(csv_text(table), nl=False)
    else:
        raise ValueError(f"--format must be terminal, markdown or csv, got {form!r}")


def _print(study: Study, results: Any) -> None:
    from fecnn.analysis.gap import display_gaps, gap_to_ml

    _print_table(display(study, results), study.title)
    if (counted(results)["block_errors"] < FEW_ERRORS).any():
        _console().print(FOOTNOTE, markup=False)
    gaps = display_gaps(gap_to_ml(study, results))
    if len(gaps):
        typer.echo()
        _print_table(gaps)
    if published := published_summary(study, results):
        typer.echo("\n" + "\n".join(published))


def _print_table(shown: "pd.DataFrame", title: str | None = None) -> None:
    """A table of text; rows of one Eb/N0 stand together."""
    table = Table(
        *(Column(Text(name)) for name in shown.columns),
        title=None if title is None else Text(title),
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    last = ""
    for row in shown.itertuples(index=False, name=None):
        if title is not None and last and row[0] != last:
            table.add_section()
        table.add_row(*(Text("" if i == 0 and row[0] == last else cell) for i, cell in enumerate(row)))
        last = row[0]
    _console().print(table)


def _draw(study: Study, results: Any, path: Path, metrics: Sequence[str] | None = None) -> None:
    from fecnn.plots.figure import plot, save

    save(plot(study, results, metrics), path)


def _save_learning(card: Card, path: Path) -> None:
    from fecnn.plots.figure import save
    from fecnn.training.page import plot_learning

    save(plot_learning(card), path)


def _describe_code(name: str) -> None:
    code = load_code(name)
    lines = [
        f"{code.name}: n = {code.n}, k = {code.k}, rate {code.rate:.4f}",
        f"fingerprint: {code.fingerprint}",
    ]
    if code.minimum_distance is not None:
        lines.append(f"minimum distance: {code.minimum_distance}")
    if name in code_names() or name.endswith(".toml"):
        file = code_file(name)
        lines += (
            [f"minimum distance by: {file.minimum_distance_proof}"] if file.minimum_distance_proof else []
        )
        lines.append(f"source: {file.source}")
    if code.known_spectrum is not None:
        counts = ", ".join(f"{weight}: {count}" for weight, count in enumerate(code.known_spectrum) if count)
        lines.append(f"weight spectrum: {counts}")
    typer.echo("\n".join(lines))


def _console() -> Console:
    """At least as wide as a table needs: a narrow terminal wraps lines, not cells."""
    return _Console(width=max(Console().width, TABLE_WIDTH))


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Nothing of rich's own: `_Commands` ends all commands alike."""
        raise BrokenPipeError


@contextmanager
def _errors() -> Iterator[None]:
    """What a user can mend is said in a sentence, without a traceback."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (
        ValueError,
        TypeError,
        LookupError,
        OSError,
        ModuleNotFoundError,
        StoreError,
        DecodingError,
        ClusterError,
    ) as error:
        message = error.args[0] if isinstance(error, LookupError) and error.args else error
        for trace in getattr(error, "__notes__", ()):  # where a decoder failed
            typer.echo(plain(trace), err=True)
        typer.echo(plain(f"fecnn: {message}"), err=True)
        raise typer.Exit(1) from None
