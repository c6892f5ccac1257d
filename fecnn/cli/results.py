"""Commands that show results."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fecnn._files.atomic import write
from fecnn._files.shipped import RESULTS
from fecnn.cli.options import ColumnsOption, FileOption, FormOption, OutOption, StudyArgument
from fecnn.cli.terminal import draw, explained, print_study, print_table, say_what_is_stale
from fecnn.cli.train import save_learning
from fecnn.errors import extra

if TYPE_CHECKING:
    import pandas as pd

    from fecnn.plots.style import Options
    from fecnn.studies.study import Study


def table_command(
    study: StudyArgument,
    out: OutOption = RESULTS,
    form: FormOption = None,
    columns: ColumnsOption = None,
    file: FileOption = None,
    bler: Annotated[float, typer.Option(help="The BLER at which gaps to ML are read.")] = 1e-3,
) -> None:
    """Print a study's results: error rates with intervals, published points, and gaps to ML.

    Intervals are 95 %. Without your own results, the ones shipped with the study
    are shown. The CSV holds every count. LaTeX tables use booktabs and siunitx.

    Examples:

        fecnn table optimal-bch-31-21

        fecnn table optimal-bch-31-21 --bler 1e-2

        fecnn table optimal-bch-31-21 -o results.csv

        fecnn table optimal-bch-31-21 --columns "Eb/N0,decoder,BLER" -o table.tex
    """
    from fecnn.analysis.table import display, published_summary

    with explained():
        form = form_of(form, file)
        plan, results = results_of(study, out)
        if form == "csv":
            give(results, form, file, columns)
        elif form == "terminal":
            print_study(plan, results, columns, bler)
        else:
            give(display(plan, results), form, file, columns)
            if form == "markdown" and file is None:
                typer.echo("".join(f"\n{line}" for line in published_summary(plan, results)), nl=False)


def compare_command(
    study: StudyArgument,
    first: Annotated[str, typer.Argument(help="A curve, as named in the table.", metavar="A")],
    second: Annotated[str, typer.Argument(help="The curve to compare it with.", metavar="B")],
    out: OutOption = RESULTS,
) -> None:
    """Compare two decoders on the same frames: could the difference be chance?

    "only A" counts frames that A got wrong and B got right. p is the probability that equally good decoders
    differ by at least as much (McNemar's exact test). "separate" is the number of frames each decoder would
    need for the same certainty if they did not share frames. This command needs your own results: the
    shipped ones do not record single frames.

    Examples:

        fecnn compare transformers-bch-31-16 fecnn-net "osd (order 1)"
    """
    from fecnn.analysis.compare import compare, display_comparison
    from fecnn.studies.run import store_path
    from fecnn.studies.study import load_study

    with explained():
        plan = load_study(study)
        found = compare(plan, first, second, store_path(plan, out))
        shown = display_comparison(found, plan.axis)
        print_table(shown, f"A: {first}, B: {second}")


def complexity_command(
    study: StudyArgument,
    out: OutOption = RESULTS,
    form: FormOption = None,
    columns: ColumnsOption = None,
    file: FileOption = None,
) -> None:
    """Print the cost of decoding a frame: operations by kind, parameters, memory.

    For decoders whose work depends on the noise (OSD, ML, BP, GRAND) the cost at each Eb/N0 uses the work
    that the study measured. Each formula is documented in its decoder's source file.

    Example:

        fecnn complexity optimal-bch-31-21
    """
    from fecnn.analysis.costs import cost_table, display_costs

    with explained():
        form = form_of(form, file)
        plan, results = results_of(study, out)
        costs = cost_table(plan, results)
        give(costs if form == "csv" else display_costs(plan, costs), form, file, columns)


def plot_command(
    study: StudyArgument,
    out: OutOption = RESULTS,
    figure: Annotated[
        Path | None,
        typer.Option(
            "--figure",
            "-o",
            help="File to write: .svg, .pdf, .png, .eps, .tex or .tikz.",
            show_default="in --out",
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="bler, ber, ber_code, undetected, refused or gap; repeat for more panels.",
            show_default="the study's",
        ),
    ] = None,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="Draw gaps to ML against operations and time.")
    ] = False,
    style: Annotated[str, typer.Option(help="report, paper (one column, serif) or talk.")] = "report",
    width: Annotated[
        str | None, typer.Option(help="Width, such as 3.5in, 88mm or 7cm.", show_default="the style's")
    ] = None,
    title: Annotated[
        bool | None, typer.Option("--title/--no-title", help="Title.", show_default="the style's")
    ] = None,
    serif: Annotated[
        bool | None, typer.Option("--serif/--sans", help="Type.", show_default="the style's")
    ] = None,
    legend: Annotated[str, typer.Option(help="Its place: below, right, inside or none.")] = "below",
    xlim: Annotated[
        str | None, typer.Option(metavar="LOW:HIGH", help="Range of x.", show_default="all points")
    ] = None,
    ylim: Annotated[
        str | None, typer.Option(metavar="LOW:HIGH", help="Range of error rates.", show_default="all points")
    ] = None,
) -> None:
    """Draw a study's error rates with their intervals, and the published points.

    Given a trained network (its name or training folder), draw its learning curve. --metric gap draws the gap
    to exact ML in dB. A .tex file is a LaTeX document with the data in it, drawn by pgfplots; a .tikz file is
    the picture alone.

    Examples:

        fecnn plot optimal-bch-31-21 -o figure.pdf --style paper

        fecnn plot optimal-bch-31-21 --metric bler --metric gap --width 7.1in

        fecnn plot optimal-bch-31-21 --pareto -o pareto.svg

        fecnn plot fecnn-net-bch-31-16 -o curve.png
    """
    from fecnn.nets.card import checkpoint_folder, is_network, read_card
    from fecnn.studies.run import store_path

    options: Options = {
        "style": style,
        "width": width,
        "title": title,
        "serif": serif,
        "legend": legend,
        "xlim": xlim,
        "ylim": ylim,
    }
    with explained(), extra("plot", "a figure"):
        if is_network(study):
            card = read_card(checkpoint_folder(study))
            path = figure or Path(f"{card.name}.svg")
            save_learning(card, path, **options)
            typer.echo(path)
            return
        plan, results = results_of(study, out)
        if pareto:
            from fecnn.plots.figure import save
            from fecnn.plots.pareto import plot_pareto

            path = figure or store_path(plan, out).with_suffix(".pareto.svg")
            save(plot_pareto(plan, results, **options), path)
        else:
            path = figure or store_path(plan, out).with_suffix(".svg")
            draw(plan, results, path, metric, **options)
        typer.echo(path)


def report_command(
    study: Annotated[
        list[str],
        typer.Argument(help="One or more studies: names, files or folders.", metavar="STUDY..."),
    ],
    out: OutOption = RESULTS,
    file: Annotated[
        Path | None, typer.Option("--file", "-o", help="HTML file to write.", show_default="in --out")
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(
            help="Published points of your own: a CSV like a study's reference.csv, an AFF3CT trace, an RPTU "
            "text file or an SBND log.",
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Write one HTML page about studies: curves that can be toggled, gaps to ML, cost, sortable tables.

    The page needs no other file and no network, so it can be sent by mail.

    Examples:

        fecnn report optimal-bch-31-21

        fecnn report osd-orders osd-variants -o osd.html
    """
    from fecnn.reports import report, save
    from fecnn.studies.curves.registry import read_curves

    with explained():
        pairs = [results_of(name, out) for name in study]
        plans = [plan for plan, _ in pairs]
        path = file or out / f"{'-'.join(plan.name for plan in plans)}.html"
        if path.suffix not in (".html", ".htm"):
            raise ValueError(f"a report is written as .html, got {path.name}")
        page = report(plans, [results for _, results in pairs], read_curves(published) if published else ())
        save(page, path)
        typer.echo(path)


def export(
    study: StudyArgument,
    file: Annotated[Path, typer.Argument(help="File to write: .csv or .parquet.", metavar="FILE")],
    out: OutOption = RESULTS,
    form: Annotated[
        str | None,
        typer.Option("--as", help="Write one curve as aff3ct, rptu or sbnd.", show_default=False),
    ] = None,
    curve: Annotated[
        str | None, typer.Option(help="The curve to write with --as.", show_default=False)
    ] = None,
) -> None:
    """Write a study's results row by row to CSV or Parquet, for other programs.

    The column "kind" says what a row is: the counts of a batch, with version, host and time; or an estimated
    point. Without your own results, the shipped ones are written, with one row per point. All files have
    the same columns; fields that do not apply are empty.

    Examples:

        fecnn export my_study.toml batches.parquet

        fecnn export optimal-hamming-7-4 points.csv

        fecnn export optimal-bch-31-21 ml-bch-31-21.txt --as aff3ct --curve ml
    """
    from fecnn.analysis.export import export_table
    from fecnn.analysis.texts import csv_text
    from fecnn.studies.study import load_study

    with explained():
        if form is not None or curve is not None:
            _export_curve(study, file, out, form, curve)
            return
        if file.suffix not in (".csv", ".parquet"):
            raise ValueError(f"results are exported to .csv or .parquet, got {file.name}")
        plan = load_study(study)
        rows = export_table(plan, _path_of(plan, out, "exporting"))
        if file.suffix == ".csv":
            write(file, csv_text(rows))
        else:
            content = io.BytesIO()
            with extra("export", "a .parquet file"):
                import pyarrow  # noqa: F401  pandas needs it, and would name another one too

            rows.to_parquet(content, index=False)
            write(file, content.getvalue())
        plurals = {"batch": "batches", "point": "points", "estimate": "estimates"}
        counts = rows["kind"].value_counts()
        told = ", ".join(f"{counts[kind]:,} {many}" for kind, many in plurals.items() if kind in counts)
        typer.echo(f"{told or 'no rows'}: {file}")


def _export_curve(study: str, file: Path, out: Path, form: str | None, curve: str | None) -> None:
    """Write the counted points of a curve in a format of others."""
    from fecnn.analysis.compare import points_of
    from fecnn.analysis.table import counted, table
    from fecnn.studies.curves.registry import curve_format
    from fecnn.studies.study import load_study

    if form is None or curve is None:
        raise ValueError("--as and --curve belong together: --as aff3ct --curve ml")
    chosen, plan = curve_format(form), load_study(study)
    points = points_of(plan, curve)
    point = next(iter(points.values()))
    if point.task.channel != "awgn":
        raise ValueError(f"--as {form} is for BPSK over AWGN; {curve} is over {point.task.told_channel}")
    rows = counted(table(plan, _path_of(plan, out, "exporting")))
    rows = rows[rows["curve"] == curve].sort_values("ebn0_db")
    if rows.empty:
        raise LookupError(f"there are no results of {curve} yet; create them with fecnn run")
    write(file, chosen.write(point.code, curve, rows))
    typer.echo(f"{len(rows):,} points: {file}")


def _path_of(plan: "Study", out: Path, doing: str) -> Path:
    """The path of a study's results; a line on stderr says if they are the shipped ones."""
    from fecnn.analysis.table import results_path
    from fecnn.studies.run import store_path

    path = results_path(plan, out)
    if path.suffix == ".csv":
        typer.echo(f"no results in {store_path(plan, out)}; {doing} the shipped ones", err=True)
    return path


def results_of(study: str, out: Path) -> "tuple[Study, pd.DataFrame]":
    """A study and its results; a line on stderr says if they are the shipped ones."""
    from fecnn.analysis.table import table
    from fecnn.studies.study import load_study

    plan = load_study(study)
    path = _path_of(plan, out, "showing")
    results = table(plan, path)
    stale = path.suffix != ".csv" and say_what_is_stale(plan, path)
    if results.empty:
        how = "fecnn run --fresh" if stale else "fecnn run"
        raise LookupError(f"{path} has no results of {plan.name} yet; create them with {how}")
    return plan, results


FORMS = {".md": "markdown", ".csv": "csv", ".tex": "latex"}
"""The format of a file by its suffix."""


def form_of(form: str | None, file: Path | None) -> str:
    """The format asked for: by name, by the file's suffix, or for the terminal.

    Raises:
        ValueError: If there is no such format, or a file has no known suffix.
    """
    if form is None:
        if file is None:
            return "terminal"
        if file.suffix not in FORMS:
            raise ValueError(f"a table is written as {', '.join(FORMS)}, got {file.name}; or give --format")
        return FORMS[file.suffix]
    if form not in ("terminal", *FORMS.values()):
        raise ValueError(f"--format must be terminal, markdown, csv or latex, got {form!r}")
    if form == "terminal" and file is not None:
        raise ValueError("a file is written as markdown, csv or latex")
    return form


def give(table: "pd.DataFrame", form: str, file: Path | None = None, columns: str | None = None) -> None:
    """Print a table in a format, or write it to a file."""
    from fecnn.analysis.texts import chosen, csv_text, latex, markdown

    if columns is not None:
        table = chosen(table, [name.strip() for name in columns.split(",")])
    if form == "terminal":
        print_table(table)
        return
    text = {"markdown": markdown, "csv": csv_text, "latex": latex}[form](table)
    if file is None:
        typer.echo(text, nl=False)
    else:
        write(file, text)
        typer.echo(file)
