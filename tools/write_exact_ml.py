"""Write record/exact-ml.csv: the BLER of exact ML for each code of the record, by `fecnn.ml_bler` or counted.

Run from the root of a checkout: python tools/write_exact_ml.py [CODE ...] [--errors N]
Points of other codes, and points that are there already, are kept. It takes minutes for each code, less if
counting stops at fewer errors (2,000 by default).
"""

import argparse
import csv
import io
import math
import tempfile
from pathlib import Path

import numpy as np

import fecnn
from fecnn._files.atomic import write
from fecnn.codes.code import has_spectrum
from fecnn.studies.record import record
from fecnn.theory.light_words import most_union

PATH = Path("record/exact-ml.csv")
GRID = np.arange(1.0, 7.1, 0.5)
COLUMNS = "code decoder ebn0_db metric value errors frames source where how".split()
LEAST, PERCENT, LOOSE = 1e-9, 2, 0.2
SILENT = ("bch-63-45", "polar-ecct-128-64", "ldpc-121-70", "ldpc-121-80", "ccsds-128-64")
COUNTED = 2.0, 4.0  # where errors are counted if they cannot be estimated


def estimates(
    name: str, known: dict[tuple[str, str, str], dict[str, str]], errors: int
) -> list[dict[str, str]]:
    """The points of a code, from low Eb/N0 on, as long as they can be estimated or counted."""
    code, rows = fecnn.load_code(name), []
    for ebn0_db in GRID:
        if ebn0_db < COUNTED[0] and not has_spectrum(code):
            continue  # a proof of each frame takes too long there
        row = known.get((name, f"{ebn0_db:g}", "bler"))
        if row is None:
            try:
                found = fecnn.ml_bler(code, float(ebn0_db), PERCENT / 100)
            except ValueError as error:
                print(f"{name}, {ebn0_db:g} dB: {error}")
                continue
            off = max(found.high - found.value, found.value - found.low) / found.value
            if off > LOOSE:  # bounds of light words, where heavier ones matter
                if not COUNTED[0] <= ebn0_db <= COUNTED[1]:
                    continue
                made = counts(code, float(ebn0_db), errors)
            else:
                percent = max(PERCENT, math.ceil(100 * off))
                made = {"value": f"{found.value:.4g}", "how": f"estimated by {found.method}, {percent} %"}
            fixed = {"code": name, "decoder": "exact ML", "ebn0_db": f"{ebn0_db:g}", "metric": "bler"}
            row = dict.fromkeys(COLUMNS, "") | fixed | {"source": "fecnn", "where": "fecnn.ml_bler"} | made
            print(*row.values(), flush=True)
        rows.append(row)
        if row["value"] and float(row["value"]) < LEAST:
            break
    return rows


def bit_bound(name: str, known: dict[tuple[str, str, str], dict[str, str]]) -> dict[str, str]:
    """A bound on the BER over code bits at 6 dB, where the published table counts no errors of ML."""
    row = known.get((name, "6", "ber_code"))
    if row is None:
        bound = most_union(fecnn.load_code(name), 6.0, bits=True)
        row = dict.fromkeys(COLUMNS, "") | {
            "code": name,
            "decoder": "exact ML",
            "ebn0_db": "6",
            "metric": "ber_code",
            "value": f"{bound:.4g}",
            "source": "fecnn",
            "where": "fecnn.theory.light_words.most_union",
            "how": "upper bound",
        }
        print(*row.values(), flush=True)
    return row


def counts(code: fecnn.Code, ebn0_db: float, errors: int) -> dict[str, str]:
    """Block errors of the decoder ``ml``, and in how many frames it could not prove its decision."""
    stop = {"block_errors": errors, "frames": 4_000_000}
    study = fecnn.make_study("exact", code=code, ebn0_db=[ebn0_db], stop=stop, curves=["ml"])
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "a.sqlite"
        fecnn.run(study, workers=1, store=store).finish()
        row = fecnn.table(study, store).iloc[0]
    return {
        "errors": f"{row['block_errors']}",
        "frames": f"{row['frames']}",
        "where": "the decoder ml",
        "how": f"counted; {row['uncertified']} frames not proved",
    }


def main(wanted: list[str], errors: int) -> None:
    """Estimate what is missing, and write after each code."""
    rows = list(csv.DictReader(PATH.open(newline=""))) if PATH.exists() else []
    known = {(row["code"], row["ebn0_db"], row["metric"]): row for row in rows}
    for name in wanted or sorted({point.code for point in record()}):
        rows = [row for row in rows if row["code"] != name] + estimates(name, known, errors)
        if name in SILENT:
            rows.append(bit_bound(name, known))
        rows.sort(key=lambda row: (row["code"], row["metric"], float(row["ebn0_db"])))
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        write(PATH, text.getvalue())


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("codes", nargs="*")
    arguments.add_argument("--errors", type=int, default=2000)
    chosen = arguments.parse_args()
    main(chosen.codes, chosen.errors)
