"""Published points with their source, and how accurately they can be read."""

import csv
import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from fecnn._files.text import read_text, refuse_control_characters, refuse_semicolons, uncell
from fecnn.errors import shown
from fecnn.intervals import proportion_interval

COLUMNS = ("code", "decoder", "ebn0_db", "metric", "value", "errors", "frames", "source", "where", "how")
OPTIONAL = ("parameters", "training_frames")

MAX_BYTES = 1 << 24
"""Largest file of published points read."""

MAX_COUNT = 1 << 53
"""Largest number of errors or frames of a value; larger ones would lose digits in the intervals."""

# Possessive, and only from the start of a number, so that a long number is scanned only once.
_PERCENTS = re.compile(r"(?<!\d)\d++(?:\.\d++)?(?=\s*+%)")


@dataclass(frozen=True)
class Reference:
    """A published point.

    code, decoder: The code under our name, the decoder under the source's.
    metric: ``bler``, ``ber`` (message bits) or ``ber_code`` (code bits); other metrics are kept but not
        compared. A file may also give ``-ln(ber_code)`` and the like, which is converted to the rate.
    rounding: Half a unit of the last printed digit.
    errors, frames: Block errors and frames behind the value, if the source gives them.
    source, where, how: Publication; table, figure or file in it; ``seen``, ``digitised, 2 %``, ``inferred``,
        ...
    parameters, training_frames: Numbers of weights, and of frames that a network was trained on, counted as
        often as they were shown, if the source gives them.
    """

    code: str
    decoder: str
    ebn0_db: float
    metric: str
    value: float
    rounding: float
    errors: int | None
    frames: int | None
    source: str
    where: str
    how: str
    parameters: int | None = None
    training_frames: int | None = None

    @property
    def interval(self) -> tuple[float, float]:
        """The range that the printed value stands for.

        With counts this is the 95 % Clopper-Pearson interval. Otherwise it is the value within its reading
        error: the largest percentage named in ``how``, or else the rounding of its last digit.
        """
        if self.metric == "bler" and self.errors is not None and self.frames:
            low, high = proportion_interval(self.errors, self.frames)
            return min(low, self.value), max(high, self.value)
        percents = [float(number) for number in _PERCENTS.findall(self.how)]
        error = max(percents) / 100 * self.value if percents else self.rounding
        return self.value - error, self.value + error

    def agrees(self, low: float, high: float) -> bool:
        """Whether our interval overlaps the published one."""
        published_low, published_high = self.interval
        return low <= published_high and published_low <= high


def read_references(path: Path) -> list[Reference]:
    """Published points from a CSV file with a header line of `COLUMNS`, and perhaps those of `OPTIONAL`.

    ``value`` may be empty if ``errors`` and ``frames`` give a BLER. A rate without counts needs a source.

    Raises:
        ValueError: If a column is missing or a value is not a number; the message names the line.
    """
    return references_of(read_points(path), path)


def read_points(path: Path) -> str:
    """The text of a file of published points, in whatever format.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is too large, or not UTF-8.
    """
    return read_text(path, MAX_BYTES, "published points")


def references_of(content: str, path: Path) -> list[Reference]:
    """The published points in the text of a file; errors as for `read_references`."""
    try:
        with io.StringIO(content, newline="") as text:
            rows = csv.DictReader(text, strict=True)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or [])]
            if missing:
                refuse_semicolons(path, content)
                raise ValueError(
                    f"{path} has no column {', '.join(missing)}; references have {', '.join(COLUMNS)}"
                )
            return [_reference(path, rows.line_num, row) for row in rows]
    except csv.Error as error:
        raise ValueError(f"{path} is not CSV: {error}") from None


def _reference(path: Path, line: int, row: dict[str | None, Any]) -> Reference:
    if None in row or None in row.values():
        told = "more" if None in row else "fewer"
        extra = ", ".join(
            map(shown, row.get(None, [])[:20])
            if None in row
            else [name for name in COLUMNS if row.get(name) is None]
        )
        raise ValueError(f"{path}, line {line}: {told} fields than columns: {extra}")
    try:
        row = {name: uncell(text) for name, text in row.items()}
        for name, text in row.items():
            refuse_control_characters(text, str(name), multiline=name in ("source", "where", "how"))
        metric = row["metric"]
        errors = _number(row, "errors", int) if row["errors"] else None
        frames = _number(row, "frames", int) if row["frames"] else None
        if not row["value"] and metric == "bler" and errors is not None and frames:
            value, rounding = errors / frames, 0.0
        else:
            value = _number(row, "value", float)
            rounding = 0.5 * 10.0 ** _number(row, "value", Decimal).as_tuple().exponent
        if (errors is None or not frames) and not row["source"].strip():
            raise ValueError("a rate without counts (errors and frames) needs a source")
        if logarithm := re.fullmatch(r"-ln\((\w+)\)", metric):
            metric, value = logarithm[1], math.exp(-value)
            rounding *= value
        reference = Reference(
            code=row["code"],
            decoder=row["decoder"],
            ebn0_db=_number(row, "ebn0_db", float),
            metric=metric,
            value=value,
            rounding=rounding,
            errors=errors,
            frames=frames,
            source=row["source"],
            where=row["where"],
            how=row["how"],
            **{name: _number(row, name, int) for name in OPTIONAL if row.get(name)},
        )
        return checked(reference, row["value"])
    except (ValueError, ArithmeticError) as error:
        raise ValueError(f"{path}, line {line}: {error}") from None


def checked(reference: Reference, value: object = None) -> Reference:
    """A published point, unless it is impossible.

    Args:
        reference: The point.
        value: Its value as the file gives it, for messages.

    Raises:
        ValueError: If its value is negative or has no finite interval, or it has more errors than frames.
    """
    told = shown(reference.value if value is None else value)
    if reference.value < 0:
        raise ValueError(f"value {told} is negative")
    if not all(map(math.isfinite, reference.interval)):  # raises if there are more errors than frames
        raise ValueError(f"value {told} with {shown(reference.how)} has no finite interval")
    return reference


def _number(row: dict[str | None, Any], name: str, kind: Callable[[str], Any]) -> Any:
    try:
        number = kind(row[name])
    except (ValueError, ArithmeticError):
        raise ValueError(f"{name} must be a number, got {shown(row[name])}") from None
    if kind is int and abs(number) > MAX_COUNT:
        raise ValueError(f"{name} must be at most 2^53, got {shown(number)}")
    if not math.isfinite(number):
        raise ValueError(f"{name} {shown(row[name]).strip(chr(39))} is not finite")
    return number
