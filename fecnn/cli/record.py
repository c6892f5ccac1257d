"""The command that lists and extends the record of published decoders."""

from pathlib import Path
from typing import Annotated

import typer

from fecnn._files.shipped import RESULTS
from fecnn.cli.options import ColumnsOption, FormOption, OutOption
from fecnn.cli.results import form_of, give, results_of
from fecnn.cli.terminal import explained


def record_command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="Codes; or add, and a file or a study.", metavar="[CODE... | add FILE]", show_default=False
        ),
    ] = None,
    out: OutOption = RESULTS,
    form: FormOption = None,
    columns: ColumnsOption = None,
    file: Annotated[
        Path | None,
        typer.Option("-o", "--file", help="File to write: .html, .md, .csv or .tex.", dir_okay=False),
    ] = None,
) -> None:
    """List what is published about decoders of a code, beside our own, with gaps to exact ML.

    Gaps are at BLER 1e-3 and 1e-5, with 95 % intervals. An HTML page has curves and a sortable table for each
    code. Add anybody's points: a CSV like a study's reference.csv, an AFF3CT trace, an RPTU text file or an
    SBND log. Or add a study of your own that was run: all that it counted over AWGN.

    Examples:

        fecnn record

        fecnn record bch-63-45

        fecnn record -o record.html

        fecnn record add their_log.csv

        fecnn record add my_study.toml
    """
    with explained():
        if words and words[0] == "add":
            _add(words[1:], out)
        elif file is not None and file.suffix in (".html", ".htm"):
            from fecnn.reports import save
            from fecnn.reports.record import record_page

            save(record_page(words, folder=out), file)
            typer.echo(file)
        else:
            _list(words or [], out, form_of(form, file), columns, file)


def _add(files: list[str], out: Path) -> None:
    from fecnn.analysis.record import points_of
    from fecnn.studies.record import add, put
    from fecnn.studies.reference import read_references
    from fecnn.studies.study import study_names

    if len(files) != 1:
        raise ValueError(f"give one file or study after add, got {len(files)}")
    if files[0].endswith(".toml") or files[0] in study_names():
        plan, results = results_of(files[0], out)
        target = put(points_of(plan, results), plan.name, folder=out)
        points = read_references(target)
    else:
        target, points = add(files[0], folder=out)
    decoders = len({(point.code, point.decoder) for point in points})
    typer.echo(f"{target}: {len(points)} points of {decoders} decoders")


def _list(codes: list[str], out: Path, form: str, columns: str | None, file: Path | None) -> None:
    import pandas as pd

    from fecnn.analysis.record import display_standings, standings
    from fecnn.reports.record import published_codes
    from fecnn.studies.record import OURS, record

    if codes:
        found = [one for code in codes for one in standings(code, folder=out)]
        if not found:
            raise LookupError(f"the record has no points of {', '.join(codes)}; fecnn record lists its codes")
        shown = display_standings(found)
        if len(codes) > 1:
            shown.insert(0, "code", [one.code for one in found])
    else:
        rows = []
        for code in published_codes(folder=out):
            points = [point for point in record(code, folder=out) if point.source != OURS]
            decoders = len({(point.decoder, point.source) for point in points})
            counted = sum(point.frames is not None for point in points)
            rows.append([code, f"{decoders}", f"{len(points)}", f"{counted}"])
        shown = pd.DataFrame(rows, columns=["code", "published decoders", "points", "with counts"])
    give(shown, form, file, columns)
