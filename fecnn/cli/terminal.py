"""Printing tables and figures, and turning errors into one line."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from fecnn._files.text import plain
from fecnn.errors import FecnnError

if TYPE_CHECKING:
    import pandas as pd

    from fecnn.studies.study import Study


def say_what_is_stale(plan: "Study", store: Path) -> bool:
    """Report batches made by another version of a decoder; return whether there are any."""
    from fecnn.simulation.store import Store

    with Store(store) as results:
        stale = results.stale(plan.points)
    for curve, count in stale.items():
        typer.echo(
            f"{count:,} batches of {curve} are not shown: they are from another version of its decoder",
            err=True,
        )
    return bool(stale)


def say_whose_code_runs(plan: "Study", allowed: bool = True, decoders: Collection[str] | None = None) -> None:
    """Announce whose code a study's decoders run (or only these), except fecnn's own.

    Raises:
        ValueError: If there is any and it is not allowed.
    """
    from fecnn.decoders.foreign import whose_code_runs

    for name, it in plan.foreign.items():
        if decoders is not None and name not in decoders:
            continue
        if not allowed:
            raise ValueError(
                f"decoder {name} does not ship with fecnn: it runs code from {it.file}, "
                "and --no-foreign-code forbids that"
            )
        typer.echo(whose_code_runs(name, it), err=True)


def print_study(study: "Study", results: Any) -> None:
    """Print a study's table, its gaps to maximum likelihood, and its agreement with published points."""
    from fecnn.analysis.gap import display_gaps, gap_to_ml
    from fecnn.analysis.table import FEW_ERRORS, FOOTNOTE, counted, display, published_summary

    print_table(display(study, results), study.title)
    if (counted(results)["block_errors"] < FEW_ERRORS).any():
        wide_console().print(FOOTNOTE, markup=False)
    gaps = display_gaps(gap_to_ml(study, results))
    if len(gaps):
        typer.echo()
        print_table(gaps)
    if published := published_summary(study, results):
        typer.echo("\n" + "\n".join(published))


def print_table(shown: "pd.DataFrame", title: str | None = None) -> None:
    """Print a table of text, with rows of the same Eb/N0 grouped."""
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
    wide_console().print(table)


def draw(study: "Study", results: Any, path: Path, metrics: Sequence[str] | None = None) -> None:
    """Write the figure of a study."""
    from fecnn.plots.figure import plot, save

    save(plot(study, results, metrics), path)


TABLE_WIDTH = 200
"""Columns available to a table."""


def wide_console() -> Console:
    """A console at least as wide as a table: on a narrow terminal lines wrap, cells do not."""
    return _Console(width=max(Console().width, TABLE_WIDTH))


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
