"""Published numbers with their passports: where each stands, and how far it can be trusted."""

import csv
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from fecnn.tally import proportion_interval

COLUMNS = ("code", "decoder", "ebn0_db", "metric", "value", "errors", "frames", "source", "where", "how")


@dataclass(frozen=True)
class Reference:
    """A published point.

    code, decoder: As the source names the decoder, and as we name the code.
    metric: ``bler``, ``ber`` (message bits) or ``ber_code`` (code bits); others are kept but not compared.
    rounding: Half a unit of the last printed digit.
    errors, frames: Block errors and frames behind the value, where the source tells.
    source, where, how: Publication; table, figure or file in it; ``seen``, ``digitised, 2 %``, ``inferred``,
        ...
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

    @property
    def interval(self) -> tuple[float, float]:
        """What the printed value stands for.

        With counts, the 95 % Clopper-Pearson interval; else the value within its reading error: the largest
        percentage named in ``how``, or the rounding of its last digit.
        """
        if self.metric == "bler" and self.errors is not None and self.frames:
            low, high = proportion_interval(self.errors, self.frames)
            return min(low, self.value), max(high, self.value)
        percents = [float(number) for number in re.findall(r"[\d.]+(?=\s*%)", self.how)]
        error = max(percents) / 100 * self.value if percents else self.rounding
        return self.value - error, self.value + error

    def agrees(self, low: float, high: float) -> bool:
        """Whether our interval meets the published one."""
        published_low, published_high = self.interval
        return low <= published_high and published_low <= high


def read_references(path: Path) -> list[Reference]:
    """Published points from a CSV file with a header line of `COLUMNS`.

    Raises:
        ValueError: If a column is missing or a value is no number, naming the line.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file, strict=True)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or [])]
            if missing:
                raise ValueError(
                    f"{path} has no column {', '.join(missing)}; references have {', '.join(COLUMNS)}"
                )
            return [_reference(path, line, row) for line, row in enumerate(rows, start=2)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is not CSV: {error}") from None


def _reference(path: Path, line: int, row: dict[str, str | None]) -> Reference:
    text = {name: row[name] or "" for name in COLUMNS}
    try:
        exponent = Decimal(text["value"]).as_tuple().exponent
        if not isinstance(exponent, int):
            raise ValueError(f"value {text['value']} is not finite")
        return Reference(
            code=text["code"],
            decoder=text["decoder"],
            ebn0_db=float(text["ebn0_db"]),
            metric=text["metric"],
            value=float(text["value"]),
            rounding=0.5 * 10.0**exponent,
            errors=int(text["errors"]) if text["errors"] else None,
            frames=int(text["frames"]) if text["frames"] else None,
            source=text["source"],
            where=text["where"],
            how=text["how"],
        )
    except (ValueError, ArithmeticError) as error:
        raise ValueError(f"{path}, line {line}: {error}") from None
