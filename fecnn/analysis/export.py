"""Everything known of a study's results as one flat table, for other programs."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fecnn.analysis.table import COUNTED, table
from fecnn.simulation.store import ROW, Store
from fecnn.simulation.tally import COUNTS
from fecnn.simulation.task import Point, RarePoint
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

RATES = ("bler", "bler_low", "bler_high")

_ORIGIN = ("version", "host", "time")

COLUMNS = (
    *("kind", "curve", "code", *(name for name in ROW if name not in _ORIGIN)),
    *("method", *RATES, *_ORIGIN),
)
"""Columns of an export."""

WHOLE = ("batch", "seed", "i", *(name for name in COUNTS if name != "seconds"))
"""Columns of whole numbers."""


def export_table(study: Study, path: Path) -> "pd.DataFrame":
    """A study's results, row by row, in the columns `COLUMNS`; what a row does not have is missing.

    ``kind`` says what a row is:

    - ``batch``: the counts of batch ``i`` of a task, with the version, host and time that made it;
    - ``estimate``: a point estimated by `fecnn.ml_bler` or `fecnn.rare_bler`: its BLER with its interval, and
      in ``frames`` the frames, rays or words behind it;
    - ``point``: the counts of a whole point, from shipped results, which hold no single batches.

    ``batch`` is the number of frames per batch. ``curve`` and ``code`` are those of the study; they are
    missing for batches of another study, or of another version of a decoder.

    Args:
        study: The study.
        path: Its results file, or its ``results.csv``.

    Raises:
        FileNotFoundError: If there is no such file.
        StoreError: If the results file cannot be used.
        ValueError: If the CSV is invalid.
    """
    import pandas as pd

    rows = _shipped(study, path) if path.suffix == ".csv" else _own(study, path)
    found = pd.DataFrame(list(rows), columns=list(COLUMNS))
    for name in WHOLE:
        with suppress(TypeError, ValueError, OverflowError):  # a file from elsewhere may have any seed
            found[name] = found[name].astype("Int64" if found[name].isna().any() else "int64")
    return found


def _own(study: Study, path: Path) -> Iterator[dict[str, Any]]:
    named: dict[str, Point | RarePoint] = {
        **{point.task.id: point for point in study.points},
        **{point.id: point for point in study.rare_points},
    }

    def of_study(row: dict[str, Any]) -> dict[str, Any]:
        point = named.get(row["task"])
        return {} if point is None else {"curve": point.curve, "code": point.code.name}

    with Store(path) as store:
        for row in store.rows():
            yield {"kind": "batch", "method": COUNTED, **row, **of_study(row)}
        for row in store.estimates():
            yield {"kind": "estimate", **row, **of_study(row)}


def _shipped(study: Study, path: Path) -> Iterator[dict[str, Any]]:
    for row in table(study, path).to_dict("records"):
        kind = "point" if row["method"] == COUNTED else "estimate"
        yield {"kind": kind, **{str(name): value for name, value in row.items() if name in COLUMNS}}
