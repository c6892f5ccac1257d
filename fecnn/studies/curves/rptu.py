"""Text files of the RPTU (Kaiserslautern) database of channel codes and ML simulation results."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from fecnn.codes.code import Code
from fecnn.errors import shown
from fecnn.studies.curves.points import code_of, count, counted_points, decibels
from fecnn.studies.reference import Reference

if TYPE_CHECKING:
    import pandas as pd

NAME, SUFFIX = "rptu", ".txt"

SOURCE = "RPTU database of channel codes and ML simulation results"

_TITLE = re.compile(
    r"(.{0,80}?)\(\s*(\d{1,7})\s*,\s*(\d{1,7})\s*\)\s*Code:(.{0,80}?)Simulation Results", re.ASCII
)
_COLUMNS = "Eb/N0 (dB) FER error frames total frames".split()

LONGEST_LINE, LATEST_COLUMNS = 1000, 100
"""Longest line before the rows, and the latest line in which the names of columns are looked for."""


def recognise(content: str) -> bool:
    """Whether this is such a file: it has its line of column names."""
    return any(_names_columns(line) for line in content.split("\n", LATEST_COLUMNS)[:LATEST_COLUMNS])


def _names_columns(line: str) -> bool:
    return len(line) < LONGEST_LINE and line.split() == _COLUMNS


def read(content: str, path: Path) -> list[Reference]:
    """The points of a file: BLER with counts. The decoder is that of the title, such as ``ML``.

    Raises:
        ValueError: If the title does not say the code, the channel is not AWGN with BPSK, or a row is
            invalid, naming the line.
    """
    title = None
    columns = False
    points: list[Reference] = []
    for i, line in enumerate(content.split("\n"), 1):
        try:
            if columns:
                # Behind the rows are an empty line and whose they are.
                if cells := [cell.strip() for cell in line.split(",")] if line.strip() else []:
                    points += _row(cells, title, path)
                elif points:
                    break
            elif _names_columns(line):
                columns = True
            elif found := _TITLE.search(line[:LONGEST_LINE]):
                title = found
            elif said := re.match(r"\s*(Channel|Modulation):\s*(.{0,200})", line):
                known = {"Channel": "AWGN", "Modulation": "BPSK"}[said[1]]
                if not said[2].strip().startswith(known):
                    raise ValueError(f"only {known} can be compared, got {shown(said[2].strip())}")
        except ValueError as error:
            raise ValueError(f"{path}, line {i}: {error}") from None
    return points


def _row(cells: list[str], title: "re.Match[str] | None", path: Path) -> list[Reference]:
    if len(cells) != 4:
        raise ValueError(f"a row is Eb/N0, FER, error frames, total frames; got {len(cells)} values")
    family = re.match(r"\s*([A-Za-z]+)", title[1]) if title else None
    size = (count(title[2], "n"), count(title[3], "k")) if title else (None, None)
    return list(
        counted_points(
            code=code_of(path, family[1] if family else "code", *size),
            decoder=title[4].strip() if title and title[4].strip() else "ML",
            ebn0_db=cells[0],
            bler=cells[1],
            errors=cells[2],
            frames=cells[3],
            source=SOURCE,
            where=path.name,
            how="counts of a simulation",
        )
    )


def write(code: Code, curve: str, rows: "pd.DataFrame") -> str:
    """A curve of counts in this format."""
    lines = [
        f"{code.name} ({code.n},{code.k}) Code: {curve} Simulation Results",
        "Channel: AWGNC",
        "Modulation: BPSK",
        "",
        "Eb/N0 (dB)   FER     error frames   total frames",
    ]
    for _, row in rows.iterrows():
        level = decibels(row["ebn0_db"])
        lines.append(f"  {level},{row['bler']:12.3e},{row['block_errors']:7},{row['frames']:16}")
    return "\n".join([*lines, ""])
