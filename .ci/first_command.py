"""The README's first command showed every curve at every point: python first_command.py WHAT_IT_PRINTED."""

import re
import sys
from pathlib import Path

import fecnn

study = fecnn.load_study("optimal-hamming-7-4")
wanted = {(point.ebn0_db, point.curve) for point in study.points}
counted = fecnn.table(study, "fecnn-results/optimal-hamming-7-4.sqlite")
assert set(zip(counted["ebn0_db"], counted["curve"], strict=True)) == wanted
assert (counted["frames"] > 0).all()

shown, ebn0_db = set(), None
for line in Path(sys.argv[1]).read_text().splitlines():
    first, *cells = re.split(r"\s{2,}", line.rstrip())
    if len(cells) < 5:
        continue  # no row of the table
    if re.fullmatch(r"-?\d+(\.\d+)?", first):
        ebn0_db = float(first)
    shown.add((ebn0_db, cells[0]))
assert wanted <= shown, f"the table lacks {sorted(wanted - shown)}"
figure = Path("fecnn-results/optimal-hamming-7-4.svg").read_text()
assert all(curve in figure for _, curve in wanted), "the figure lacks a curve"
print(f"all {len(wanted)} points of {len({curve for _, curve in wanted})} curves are in the table")
