"""Traces of AFF3CT simulations, as its error rate references and PyBER have them."""

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from fecnn._version import __version__
from fecnn.codes.code import Code
from fecnn.errors import shown
from fecnn.studies.curves.points import code_of, count, counted_points, decibels
from fecnn.studies.reference import Reference

if TYPE_CHECKING:
    import pandas as pd

NAME, SUFFIX = "aff3ct", ".txt"

_NAMES = ("FRA", "BE", "FE", "BER", "FER")

LONGEST_LINE, LATEST_HEADER = 1000, 2000
"""Longest row of column names, and the latest line that it is looked for in."""

_SECTION = re.compile(r"# \* (\w{1,20})")
_PARAMETER = re.compile(r"# {0,8}\*\* ([^=]{1,60}?) *= *(.{0,200})")


def recognise(content: str) -> bool:
    """Whether this is a trace: it has AFF3CT's row of column names."""
    return any(_is_header(line) for line in content.split("\n", LATEST_HEADER)[:LATEST_HEADER])


def _is_header(line: str) -> bool:
    return line[:1] == "#" and len(line) < LONGEST_LINE and {"FRA", "FE", "FER"} <= {*_cells(line[1:])}


def read(content: str, path: Path) -> list[Reference]:
    """The points of a trace over Eb/N0.

    The decoder is AFF3CT's type of decoder, such as ``ALGEBRAIC``, and the code is its type with n and k.
    Large counts are rounded to three digits in the file. Rows cut short by Ctrl-C, marked by ``x``, are read.

    Raises:
        ValueError: If the channel is not AWGN with BPSK, there is no Eb/N0, or a row is invalid, naming the
            line.
    """
    metadata: dict[str, str] = {}
    told: dict[tuple[str, str], str] = {}
    columns: list[str] = []
    section = ""
    points: list[Reference] = []
    for i, line in enumerate(content.split("\n"), 1):
        line = line.strip()
        try:
            if not columns and _is_header(line):
                columns = _cells(line[1:])
                _check(told, columns)
            elif head := _SECTION.match(line):
                section = head[1].lower()
            elif said := _PARAMETER.match(line):
                told[section, said[1]] = said[2].strip()
            elif not columns and (pair := re.match(r"(\w{1,20})=(.*)", line)):
                metadata[pair[1]] = pair[2].strip()
            elif columns and line and not line.startswith("#"):
                points += _row(line, columns, told, metadata, path)
        except ValueError as error:
            raise ValueError(f"{path}, line {i}: {error}") from None
    return points


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"\|{1,2}", line)]


def _told(told: dict[tuple[str, str], str], sections: tuple[str, ...], *names: str) -> str | None:
    """A parameter, under the sections and names that it has had."""
    return next((told[key, name] for key in sections for name in names if (key, name) in told), None)


def _check(told: dict[tuple[str, str], str], columns: list[str]) -> None:
    channel = _told(told, ("channel",), "Type") or "AWGN"
    modem = _told(told, ("modem", "modulator"), "Type") or "BPSK"
    if not channel.startswith("AWGN") or not modem.startswith("BPSK"):
        raise ValueError(f"only BPSK over AWGN can be compared, got {shown(modem)} over {shown(channel)}")
    for name in ("Eb/N0", "FRA", "FE", "FER"):
        if columns.count(name) != 1:
            raise ValueError(f"the table needs one column {name}")


def _row(
    line: str, columns: list[str], told: dict[tuple[str, str], str], metadata: dict[str, str], path: Path
) -> list[Reference]:
    cells = _cells(line)
    if len(cells) != len(columns):
        raise ValueError(f"{len(cells)} cells in a table of {len(columns)} columns")
    row = dict(zip(columns, cells, strict=True))
    sizes = [
        None if text is None else count(text, name)
        for name, text in (
            (
                "N",
                _told(told, ("codec", "code"), "Codeword size (N_cw)", "Codeword size (N)", "Frame size (N)"),
            ),
            ("K", _told(told, ("codec", "code"), "Info. bits (K)")),
        )
    ]
    family = _told(told, ("codec", "code", "simulation"), "Type", "Code type (C)") or ""
    cut = ", stopped early" if cells[-1].endswith("x") else ""
    coded = (_told(told, ("simulation",), "Coded monitoring") or "no") in ("yes", "on")
    return list(
        counted_points(
            code=code_of(path, family, *sizes),
            decoder=_told(told, ("decoder",), "Type (D)") or "AFF3CT",
            ebn0_db=row["Eb/N0"],
            frames=row["FRA"],
            errors=row["FE"],
            bler=row["FER"],
            ber=row.get("BER"),
            ber_metric="ber_code" if coded else "ber",
            source=metadata.get("url") or metadata.get("title") or "AFF3CT",
            where=path.name,
            how=f"counts of a simulation{cut}",
        )
    )


def write(code: Code, curve: str, rows: "pd.DataFrame") -> str:
    """A curve of counts as a trace."""
    family = code.name.rpartition(f"-{code.n}-{code.k}")[0] or code.name
    lines = [
        "[metadata]",
        f"title={curve}, {code.name} ({code.n},{code.k})",
        "ci=off",
        "",
        "[trace]",
        f"# Simulated by fecnn {__version__}; counts are not rounded.",
        "# * Codec",
        f"#    ** Type                   = {family}",
        f"#    ** Info. bits (K)         = {code.k}",
        f"#    ** Codeword size (N_cw)   = {code.n}",
        "# * Decoder",
        f"#    ** Type (D)               = {curve}",
        "# * Modem",
        "#    ** Type                   = BPSK",
        "# * Channel",
        "#    ** Type                   = AWGN",
        "#     Es/N0 |    Eb/N0 ||" + f"{' |'.join(map('{:>9}'.format, _NAMES))} ||  SIM_THR |    ET/RT",
        "#      (dB) |     (dB) ||" + f"{' |'.join([' ' * 9] * 5)} ||   (Mb/s) | (hhmmss)",
    ]
    for _, row in rows.iterrows():
        es, eb = row["ebn0_db"] + 10 * math.log10(code.rate), row["ebn0_db"]
        seconds = round(row["seconds"])
        passed = f"{seconds // 3600:02}h{seconds // 60 % 60:02}'{seconds % 60:02}"
        speed = code.k / row["us_per_frame"] if row["us_per_frame"] else 0.0
        counts = " | ".join(f"{row[name]:8}" for name in ("frames", "bit_errors", "block_errors"))
        rates = f"{row['ber']:.2e} | {row['bler']:.2e}"
        lines.append(f"  {es:9.2f} | {decibels(eb):>8} || {counts} | {rates} || {speed:8.3f} | {passed}")
    return "\n".join([*lines, "# End of the simulation.", ""])
