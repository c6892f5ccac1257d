"""The record: all that is published about decoders of a code, shipped and your own, in one schema."""

import re
from functools import cache
from pathlib import Path

from fecnn._files.atomic import write
from fecnn._files.shipped import RESULTS, shipped, shipped_folder
from fecnn.studies.curves.registry import read_curves
from fecnn.studies.reference import Reference, read_points

OURS = "fecnn"
"""The source of our own points."""

FOLDER = "record"
"""Folder of your own points in the folder of results."""


def record(code: str | None = None, *, folder: str | Path | None = RESULTS) -> list[Reference]:
    """Published points of a code, or of all codes.

    They are those of the shipped record (public logs and tables), of the shipped studies, and of files that
    ``fecnn record add`` put into ``<folder>/record``. A point that several of them have is listed once.

    Args:
        code: A code's name.
        folder: The folder of results; None for what is shipped alone.

    Raises:
        ValueError: If a file is invalid; the message names the line.

    Example:
        >>> points = [it for it in record("bch-63-45") if (it.ebn0_db, it.metric) == (5, "bler")]
        >>> best = min((it for it in points if it.errors), key=lambda it: it.value)
        >>> best.decoder, best.errors, best.frames
        ('rECCT (ml-4m-2dB-aug, 512 epochs)', 6264, 67108864)
    """
    own = [] if folder is None else sorted((Path(folder) / FOLDER).glob("*.csv"))
    files = [*shipped("record").values(), *_of_studies(), *own]
    points = dict.fromkeys(point for path in files for point in _read(path, path.stat().st_mtime_ns))
    found: dict[tuple[object, ...], Reference] = {}
    for point in points:
        if code is None or point.code == code:
            found.setdefault((point.code, point.decoder, point.source, point.ebn0_db, point.metric), point)
    return list(found.values())


@cache
def _read(path: Path, changed: int) -> tuple[Reference, ...]:
    """The points of a file, as long as it is not changed."""
    return tuple(read_curves(path))


def _of_studies() -> list[Path]:
    return sorted(shipped_folder("studies").glob("*/reference*.csv"))


def add(path: str | Path, *, folder: str | Path = RESULTS) -> tuple[Path, list[Reference]]:
    """Put a file of published points into the record, where it replaces another of the same name.

    Args:
        path: A CSV file in the schema of ``reference.csv``, or a log in a format that `fecnn.studies.curves`
            knows.
        folder: The folder of results.

    Returns:
        Where it was put, and its points.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is invalid, or holds no points; the message names the line. Nothing is put anywhere.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    points = read_curves(path)
    if not points:
        raise ValueError(f"{path} holds no points")
    if any(point.source == OURS for point in points):
        raise ValueError(f"{path} gives {OURS} as a source, which is that of the shipped points")
    return put(read_points(path), path.stem, folder=folder), points


def put(text: str, name: str, *, folder: str | Path = RESULTS) -> Path:
    """Write points into the record under a name, and return the file."""
    plain = re.sub(r"[^\w.-]+", "-", name)
    target = Path(folder) / FOLDER / f"{plain}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    write(target, text)
    return target
