"""Printing tables and figures, and turning errors into one line."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from fecnn._files.text import plain
from fecnn.errors import FecnnError, extra

if TYPE_CHECKING:
    import pandas as pd

    from fecnn.plots.style import Options
    from fecnn.studies.study import Study


def say_what_is_stale(plan: "Study", store: Path) -> bool:
    """Report batches made by another version of a decoder or channel; return whether there are any."""
    from fecnn.simulation.store import Store

    with Store(store) as results:
        stale = results.other_versions(plan.points)
    for (curve, part), count in stale.items():
        typer.echo(
            f"{count:,} batches of {curve} are not shown: they are from another version of its {part}",
            err=True,
        )
    return bool(stale)


def say_whose_code_runs(plan: "Study", allowed: bool = True, decoders: Collection[str] | None = None) -> None:
    """Announce whose code a study's channels and decoders (or only these) run, except fecnn's own.

    Raises:
        ValueError: If there is any and it is not allowed.
    """
    from fecnn.decoders.foreign import whose_code_runs

    for name, it in plan.foreign.items():
        if decoders is not None and it.kind == "decoder" and name not in decoders:
            continue
        if not allowed:
            raise ValueError(
                f"{it.kind} {name} does not ship with fecnn: it runs code from {it.file}, "
                "and --no-foreign-code forbids that"
            )
        typer.echo(whose_code_runs(name, it), err=True)


def print_study(study: "Study", results: Any, columns: str | None = None, bler: float = 1e-3) -> None:
    """Print a study's table, its gaps to ML at a BLER, and its agreement with published points."""
    from fecnn.analysis.gap import display_gaps, gap_to_ml, without_optimum
    from fecnn.analysis.table import display, published_summary
    from fecnn.analysis.texts import FOOTNOTE, chosen, has_star

    gaps = gap_to_ml(study, results, bler=bler)  # refuses a rate that is none, before anything is printed
    shown = display(study, results)
    if columns is not None:
        shown = chosen(shown, [name.strip() for name in columns.split(",")])
    print_table(shown, study.title)
    if has_star(shown):
        table_console().print(FOOTNOTE, markup=False)
    if any(gap.is_passed for gap in gaps):
        typer.echo()
        print_table(display_gaps(gaps, bler, without=without_optimum(study, results, gaps)))
    elif gaps:
        typer.echo(f"\nno curve passes BLER {bler:g} within its points (fecnn table --bler takes another)")
    if published := published_summary(study, results):
        typer.echo("\n" + "\n".join(published))


def print_table(shown: "pd.DataFrame", title: str | None = None) -> None:
    """Print a table of text, with rows of the same Eb/N0 grouped.

    Where the terminal is too narrow, intervals become ``+-`` half their width, then columns are left out,
    which a line below says.
    """
    from fecnn.analysis.table import GUESSES, WORK
    from fecnn.analysis.texts import with_half_widths

    console = table_console()
    kept, left_out = shown, []
    if not _fits(kept, console):
        kept = with_half_widths(kept)
    counts_work = any(name in shown for name in (WORK, f"{GUESSES}/frame"))
    for name in (*LEAST_WANTED, *(["BER"] if counts_work else [])):
        if name in kept and not _fits(kept, console):
            kept = kept.drop(columns=name)
            left_out.append(name)
    console.print(_rich(kept, title))
    if left_out:
        told = f"hidden to fit {console.width} columns: {', '.join(left_out)}"
        console.print(told, markup=False, highlight=False)


LEAST_WANTED = (
    *("published", "us/frame", "uncertified", "method", "BER (code bits)", "not ML", "frames"),
    *("their bits", "memory [bit]", "parameters", "exponentials", "binary", "comparisons", "additions"),
    *("multiplications", "separate", "source", "-ln(BER) at 4 / 5 / 6 dB", "training frames"),
)
"""Columns that a narrow terminal does without, in this order."""


def _fits(shown: "pd.DataFrame", console: Console) -> bool:
    return Console(width=10_000).measure(_rich(shown)).maximum <= console.width


def _rich(shown: "pd.DataFrame", title: str | None = None) -> Table:
    table = Table(
        *(Column(Text(name), overflow="fold") for name in shown.columns),
        title=None if title is None else Text(title),
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    from fecnn.channels.axis import AXES

    grouped = shown.columns[0] in {axis.label for axis in AXES.values()}
    last = ""
    for row in shown.itertuples(index=False, name=None):
        if grouped and last and row[0] != last:
            table.add_section()
        table.add_row(*(Text("" if i == 0 and row[0] == last else text) for i, text in enumerate(row)))
        last = row[0]
    return table


def draw(
    study: "Study",
    results: Any,
    path: Path,
    metrics: Sequence[str] | None = None,
    **options: "Unpack[Options]",
) -> None:
    """Write the figure of a study; options as for `fecnn.plots.style.styled`."""
    from fecnn.plots.figure import plot, save

    with extra("plot", "a figure"):
        save(plot(study, results, metrics, **options), path)


PIPE_WIDTH = 200
"""Columns of a table that goes to a file or another program."""


def table_console() -> Console:
    """A console as wide as the terminal, or wide enough for any table where there is none."""
    terminal = Console()
    return _Console(width=terminal.width if terminal.is_terminal else max(terminal.width, PIPE_WIDTH))


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise instead of rich's own handling, so that `Commands` ends every command the same way."""
        raise BrokenPipeError


@contextmanager
def explained() -> Iterator[None]:
    """Print errors that the user can fix as one line, without a traceback, and exit with code 1."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (
        FecnnError,
        ValueError,
        TypeError,
        LookupError,
        OSError,
        ModuleNotFoundError,
    ) as error:
        message = error.args[0] if isinstance(error, LookupError) and error.args else error
        for trace in getattr(error, "__notes__", ()):  # the decoder's traceback
            typer.echo(plain(trace), err=True)
        typer.echo(plain(f"fecnn: {message}"), err=True)
        raise typer.Exit(1) from None
