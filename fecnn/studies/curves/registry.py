"""The formats of curves, and reading a file of published points in whichever of them it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fecnn.codes.code import Code
from fecnn.errors import nearest
from fecnn.studies.curves import aff3ct, rptu, sbnd
from fecnn.studies.reference import Reference, read_points, references_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CurveFormat:
    """A format of curves.

    suffix: How its files are usually named.
    recognise: Whether a text is in this format.
    read: The points of a text, with the file's path for messages and names.
    write: A curve as a text: its code, its name, and its rows of a table (`fecnn.table`) that are counts.
    """

    name: str
    suffix: str
    recognise: Callable[[str], bool]
    read: Callable[[str, Path], list[Reference]]
    write: Callable[[Code, str, "pd.DataFrame"], str]


FORMATS = {
    it.NAME: CurveFormat(it.NAME, it.SUFFIX, it.recognise, it.read, it.write) for it in (aff3ct, rptu, sbnd)
}
"""The formats of others; a file that is in none of them is read as ``reference.csv``."""


def read_curves(path: Path) -> list[Reference]:
    """Published points from a file: ``reference.csv``, or a format of others, recognised by content.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is invalid; the message names the line.
    """
    content = read_points(path)
    for known in FORMATS.values():
        if known.recognise(content):
            return known.read(content.replace("\r\n", "\n"), path)
    return references_of(content, path)


def curve_format(name: str) -> CurveFormat:
    """A format by name.

    Raises:
        LookupError: If there is no such format.
    """
    if name not in FORMATS:
        raise LookupError(f"no format of curves {name!r}; {nearest(name, list(FORMATS))}")
    return FORMATS[name]
