"""Write the figure and the table of where exact ML ends: ``python tools/write_reach.py``, about ten minutes.

Primitive BCH codes with a parity bit, at Eb/N0 in steps of half a dB: nodes that the search visits a frame.
A point ends early where the search takes too long; its frames and those without a proof are told.
"""

import csv
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from draw_search import STYLE, picture
from matplotlib import rc_context
from matplotlib.figure import Figure

import fecnn
from fecnn._files.atomic import write

ROOT = Path(__file__).parents[1]
TABLE, FIGURE = ROOT / "docs" / "search-reach.csv", ROOT / "docs" / "figures" / "search-reach.svg"

CODES = {
    128: (120, 106, 92, 78, 64),
    256: (239, 215, 191, 171, 139),
    512: (484, 448, 403, 367, 340),
}
"""Dimensions by length."""

EBN0_DB = tuple(np.arange(2.0, 6.1, 0.5).tolist())
FRAMES, SECONDS, NODES = 2000, 12.0, 1_000_000
"""Frames of a point, the CPU time after which it ends, and the budget of a frame."""

CHUNK = 10


@dataclass(frozen=True)
class Reach:
    """A point: nodes of the mean and of the worst frame, and frames without a proof."""

    n: int
    k: int
    ebn0_db: float
    frames: int
    nodes: float
    most: int
    uncertified: int
    us_per_frame: float


def reach(code: fecnn.Code, ebn0_db: float, frames: int = FRAMES, seconds: float = SECONDS) -> Reach:
    """Decode frames of the zero word until there are enough or the time is over."""
    decode = fecnn.decoder("ml", code, method="search", nodes=NODES)
    decode(np.ones((1, code.n), np.float32))  # compiled
    rng = np.random.default_rng(1)
    channel = fecnn.AWGN.at(ebn0_db, code.rate)
    work, uncertified, began = [], 0, time.thread_time()
    while len(work) < frames and time.thread_time() - began < seconds:
        llr = channel.transmit(np.zeros((CHUNK, code.n), np.uint8), rng)
        _, effort = decode.measure(llr)
        work += effort.work.tolist()
        uncertified += int(effort.uncertified.sum())
    spent = 1e6 * (time.thread_time() - began) / len(work)
    mean = float(f"{np.mean(work):.4g}")
    return Reach(code.n, code.k, ebn0_db, len(work), mean, max(work), uncertified, float(f"{spent:.3g}"))


def draw(points: list[Reach]) -> Figure:
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    panels = figure.subplots(1, len(CODES), sharey=True)
    for axes, (n, dimensions) in zip(panels, CODES.items(), strict=True):
        for k, shade in zip(dimensions, np.linspace(0.3, 1, len(dimensions)), strict=True):
            row = [point for point in points if (point.n, point.k) == (n, k)]
            at = [point.ebn0_db for point in row]
            means = [max(point.nodes, 0.1) for point in row]
            axes.plot(at, means, color="#1f5f9f", alpha=float(shade), label=f"k = {k}")
            proved = [(point.ebn0_db, max(point.nodes, 0.1), point.uncertified == 0) for point in row]
            for mark, which in (("o", True), ("x", False)):
                chosen = [(x, y) for x, y, sure in proved if sure is which]
                if chosen:
                    axes.plot(*zip(*chosen, strict=True), mark, ms=4, color="#1f5f9f", alpha=float(shade))
        axes.set(yscale="log", xlabel="Eb/N0 [dB]", title=f"n = {n}", ylim=(0.08, 2 * NODES))
        axes.legend(frameon=False, fontsize=8)
    panels[0].set_ylabel("nodes in a frame, mean")
    return figure


def main() -> None:
    points = []
    for n, dimensions in CODES.items():
        for k in dimensions:
            code = fecnn.bch(n - 1, k, extended=True)
            for ebn0_db in EBN0_DB[::-1]:
                points.append(reach(code, ebn0_db))
                print(points[-1], flush=True)
                if points[-1].nodes > 0.3 * NODES:
                    break
    rows = [asdict(point) for point in points]
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    write(TABLE, "\n".join(lines) + "\n")
    with rc_context(STYLE):
        FIGURE.write_bytes(picture(draw(points)))


def read() -> list[Reach]:
    """The points of the table."""
    with TABLE.open(encoding="utf-8") as file:
        return [
            Reach(
                int(row["n"]),
                int(row["k"]),
                float(row["ebn0_db"]),
                int(row["frames"]),
                float(row["nodes"]),
                int(row["most"]),
                int(row["uncertified"]),
                float(row["us_per_frame"]),
            )
            for row in csv.DictReader(file)
        ]


if __name__ == "__main__":
    main()
