"""Write record/exact-ml.csv: the BLER of exact ML for each code of the record, by `fecnn.ml_bler`.

Run from the root of a checkout: python tools/write_exact_ml.py [CODE ...]
Points of other codes, and points that are there already, are kept. It takes minutes for each code.
"""

import csv
import io
import sys
from pathlib import Path

import numpy as np

import fecnn
from fecnn._files.atomic import write
from fecnn.studies.record import record

PATH = Path("record/exact-ml.csv")
GRID = np.arange(1.0, 7.1, 0.5)
COLUMNS = "code decoder ebn0_db metric value errors frames source where how".split()
LEAST, PERCENT = 1e-9, 2


def estimates(name: str, known: dict[tuple[str, str], dict[str, str]]) -> list[dict[str, str]]:
    """The points of a code, from low Eb/N0 on, as long as they can be estimated."""
    code, rows = fecnn.load_code(name), []
    for ebn0_db in GRID:
        row = known.get((name, f"{ebn0_db:g}"))
        if row is None:
            try:
                found = fecnn.ml_bler(code, float(ebn0_db), PERCENT / 100)
            except ValueError as error:
                print(f"{name}, {ebn0_db:g} dB: {error}")
                break
            row = {
                "code": name,
                "decoder": "exact ML",
                "ebn0_db": f"{ebn0_db:g}",
                "metric": "bler",
                "value": f"{found.value:.4g}",
                "errors": "",
                "frames": "",
                "source": "fecnn",
                "where": "fecnn.ml_bler",
                "how": f"estimated by {found.method}, {PERCENT} %",
            }
            print(row["code"], row["ebn0_db"], found, flush=True)
        rows.append(row)
        if float(row["value"]) < LEAST:
            break
    return rows


def main(wanted: list[str]) -> None:
    """Estimate what is missing, and write after each code."""
    rows = list(csv.DictReader(PATH.open(newline=""))) if PATH.exists() else []
    known = {(row["code"], row["ebn0_db"]): row for row in rows}
    for name in wanted or sorted({point.code for point in record()}):
        rows = [row for row in rows if row["code"] != name] + estimates(name, known)
        rows.sort(key=lambda row: (row["code"], float(row["ebn0_db"])))
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        write(PATH, text.getvalue())


if __name__ == "__main__":
    main(sys.argv[1:])
