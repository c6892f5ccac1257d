"""CSV logs of SBND (syndrome-based neural decoders): ``Eb/N0,WER,BER,CW errors,Bit errors,Total CW``."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from fecnn.codes.code import Code
from fecnn.studies.curves.points import before_code, code_of, counted_points
from fecnn.studies.reference import Reference

if TYPE_CHECKING:
    import pandas as pd

NAME, SUFFIX = "sbnd", ".csv"

COLUMNS = ("Eb/N0", "WER", "BER", "CW errors", "Bit errors", "Total CW")


def recognise(content: str) -> bool:
    """Whether this is such a log, by its first line."""
    return content.partition("\n")[0].strip().startswith("Eb/N0,WER,BER,")


def read(content: str, path: Path) -> list[Reference]:
    """The points of a log. The file's name says the code and the decoder, as in ``ecct-bch-31-21.csv``.

    Raises:
        ValueError: If a column is missing, the name says no code, or a row is invalid, naming the line.
    """
    try:
        with io.StringIO(content, newline="") as text:
            rows = csv.DictReader(text, strict=True)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or [])]
            if missing:
                raise ValueError(f"{path}, line 1: no column {', '.join(missing)}")
            points: list[Reference] = []
            for row in rows:
                try:
                    points += _row(row, path)
                except ValueError as error:
                    raise ValueError(f"{path}, line {rows.line_num}: {error}") from None
            return points
    except csv.Error as error:
        raise ValueError(f"{path} is not CSV: {error}") from None


def _row(row: dict[str | None, str | None], path: Path) -> list[Reference]:
    if None in row or None in row.values():
        raise ValueError(f"a row has {'more' if None in row else 'fewer'} fields than there are columns")
    cells = {str(name): str(text).strip() for name, text in row.items()}
    return list(
        counted_points(
            code=code_of(path, "", None, None),
            decoder=before_code(path),
            ebn0_db=cells["Eb/N0"],
            frames=cells["Total CW"],
            errors=cells["CW errors"],
            bler=cells["WER"],
            ber=cells["BER"],
            source="SBND",
            where=path.name,
            how="counts of a simulation",
        )
    )


def write(code: Code, curve: str, rows: "pd.DataFrame") -> str:
    """A curve of counts as a log; its file should be named after decoder and code."""
    lines = [",".join(COLUMNS)]
    for _, row in rows.iterrows():
        counts = (float(row[name]) for name in ("block_errors", "bit_errors", "frames"))
        lines.append(
            ",".join(map(repr, (float(row["ebn0_db"]), float(row["bler"]), float(row["ber"]), *counts)))
        )
    return "\n".join([*lines, ""])
