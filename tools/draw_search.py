"""Write the figures and the table of docs/exact-search.md: ``python tools/draw_search.py``.

What a frame leaves to the search is counted twice: by the decoder (`fecnn.decoders.Measured`), and here by
going through the candidates one by one, which a test compares.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

import fecnn
from fecnn._files.atomic import write
from fecnn.codes.gf2 import rref

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "exact-search.md"
BEGIN, END = "<!-- made by tools/draw_search.py -->\n", "<!-- end of table -->\n"
WORK_FIGURE, PAIRS_FIGURE = "docs/figures/search-work.svg", "docs/figures/search-pairs.svg"

CODE, SEED, FRAMES = "bch-63-45", 1, 100_000
LEVELS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
SHOWN_DB = (2.0, 4.0)
"""Eb/N0 of the frames whose pairs are shown: each the first in which the search finds a pair."""

SLACK = 2e-5
"""How far above the best price a pattern is still looked at exactly, as in the kernel."""

SHADES = ("#dddddd", "#9dc3e6", "#1f5f9f")
STYLE = {"svg.hashsalt": "fecnn", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}


def llrs(ebn0_db: float, frames: int) -> NDArray[np.float32]:
    """LLRs of the zero word, (frames, n)."""
    code = fecnn.load_code(CODE)
    sigma = fecnn.AWGN.at(ebn0_db, code.rate).sigma
    noise = np.random.default_rng(SEED).standard_normal((frames, code.n))
    return ((1 + sigma * noise) * 2 / sigma**2).astype(np.float32)


@dataclass(frozen=True)
class Level:
    """How the decisions of the frames at an Eb/N0 were proved, and the patterns tried in each."""

    ebn0_db: float
    codeword: float
    bound: float
    work: NDArray[np.int64]
    uncertified: int


def levels(frames: int = FRAMES) -> list[Level]:
    code = fecnn.load_code(CODE)
    decode = fecnn.decoder("ml", code, method="search")
    found = []
    for ebn0_db in LEVELS:
        llr = llrs(ebn0_db, frames)
        clean = ~code.syndrome((llr < 0).astype(np.uint8)).any(axis=1)
        _, effort = decode.measure(llr)
        idle = effort.work == 0
        found.append(
            Level(
                ebn0_db,
                float(clean.mean()),
                float((idle & ~clean).mean()),
                effort.work,
                int(effort.uncertified.sum()),
            )
        )
    return found


@dataclass(frozen=True)
class Pattern:
    """A frame as the search sees it: prices of the flips of the basis, and bounds.

    basis: (k,) f8; reliabilities of the most reliable basis, increasing.
    floors: (k + 1,) f8; least price among the checks of a pattern with w flips.
    start: Price of the pattern of order 0.
    flips: (k, n - k); the checks that each flip changes; ``zero`` are those of the pattern of order 0.
    parity: (n - k,); the reliabilities of the places of the checks.
    """

    basis: NDArray[np.float64]
    floors: NDArray[np.float64]
    start: float
    flips: NDArray[np.uint8]
    zero: NDArray[np.uint8]
    parity: NDArray[np.float64]

    def price(self, *places: int) -> float:
        """Of the pattern that flips these places of the basis."""
        checks = self.zero ^ np.bitwise_xor.reduce(self.flips[list(places)], axis=0)
        return float(self.basis[list(places)].sum() + self.parity[checks == 1].sum())

    def pairs_below(self, price: float) -> NDArray[np.bool_]:
        """(k, k); which pairs i < j the bound leaves when a pattern of this price is known."""
        least = self.basis[:, None] + self.basis + self.floors[2]
        return np.triu(least < price * (1 + SLACK), 1)

    def count_below(self, price: float) -> int:
        """Number of patterns, of any number of flips, that the bounds leave."""

        def patterns(left: int, first: int, spent: float, limit: float) -> int:
            if left == 0:
                return int(spent < limit)
            total = 0
            for j in range(first, len(self.basis) - left + 1):
                if spent + self.basis[j : j + left].sum() >= limit:
                    break
                total += patterns(left - 1, j + 1, spent + self.basis[j], limit)
            return total

        limits = price * (1 + SLACK) - self.floors
        return sum(patterns(w, 0, 0.0, limits[w]) for w in range(1, len(self.basis) + 1))


def pattern_of(llr: NDArray[np.float32], code: fecnn.Code, distance: int) -> Pattern:
    reliability, hard = np.abs(llr).astype(np.float64), (llr < 0).astype(np.uint8)
    order = np.argsort(reliability, kind="stable")
    syndrome = code.syndrome(hard[None])[0]
    reduced, places = rref(np.column_stack([code.H, syndrome]), order)
    basis = np.array([j for j in order if j not in set(places)])
    zero, parity = reduced[:, -1], reliability[places]
    outside = np.sort(parity[zero == 0])
    need = np.maximum(distance - np.arange(code.k + 1) - int(zero.sum()), 0)
    floors = np.array([outside[:count].sum() for count in need])
    floors[0] = 0.0
    start = float(parity[zero == 1].sum())
    return Pattern(reliability[basis], floors, start, reduced[:, basis].T, zero, parity)


def shown_frame(ebn0_db: float) -> tuple[Pattern, tuple[int, int], float]:
    """The first frame whose best pattern is a pair; the pair, and its price."""
    code = fecnn.load_code(CODE)
    llr = llrs(ebn0_db, FRAMES)
    words, effort = fecnn.decoder("ml", code, method="search").measure(llr)
    for i in np.flatnonzero(effort.work > code.k):
        found = pattern_of(llr[i], code, code.minimum_distance or 1)
        best = float(np.abs(llr[i], dtype=np.float64)[(llr[i] < 0) != words[i]].sum())
        for first, second in np.argwhere(found.pairs_below(found.start)).tolist():
            if abs(found.price(first, second) - best) < 1e-9 * best:
                return found, (first, second), best
    raise ValueError(f"no pair wins in {FRAMES} frames at {ebn0_db} dB")


def picture(figure: Figure) -> bytes:
    data = io.BytesIO()
    figure.savefig(data, format="svg", metadata={"Date": None})
    return data.getvalue()


def draw_work(found: list[Level]) -> Figure:
    figure = Figure(figsize=(7.6, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    at = [level.ebn0_db for level in found]
    shares = [[level.codeword for level in found], [level.bound for level in found]]
    shares.append([1 - a - b for a, b in zip(*shares, strict=True)])
    labels = ("the hard decision", "the bound on order 0", "the search")
    left.stackplot(at, shares, labels=labels, colors=SHADES)
    left.set(xlabel="Eb/N0 [dB]", ylabel="share of frames", xlim=(at[0], at[-1]), ylim=(0, 1))
    left.legend(title="proved by", loc="lower left", framealpha=0.9)
    patterns = np.unique(np.geomspace(1, 2000, 150).astype(int))
    for level, shade in zip(found, np.linspace(0.3, 1, len(found)), strict=True):
        more = 1 - np.searchsorted(np.sort(level.work), patterns, side="right") / len(level.work)
        right.plot(patterns, more, color="#1f5f9f", alpha=float(shade), label=f"{level.ebn0_db:g} dB")
    right.set(xscale="log", yscale="log", xlim=(1, 2000), ylim=(1e-4, 1))
    right.set(xlabel="patterns", ylabel="share of frames that tried more")
    right.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def draw_pairs() -> Figure:
    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    for axes, ebn0_db in zip(figure.subplots(1, 2, sharey=True), SHOWN_DB, strict=True):
        found, pair, best = shown_frame(ebn0_db)
        k = len(found.basis)
        shade = np.full((k, k), np.nan)
        shade[np.triu_indices(k, 1)] = 0
        shade[found.pairs_below(found.start)] = 1
        shade[found.pairs_below(best)] = 2
        axes.imshow(
            shade.T, cmap=ListedColormap(SHADES), vmin=0, vmax=2, origin="lower", interpolation="none"
        )
        axes.plot(*pair, "o", ms=6, mfc="none", mec="#d62728", mew=1.5)
        axes.set(xlabel="first flip", title=f"{ebn0_db:g} dB")
        axes.spines[["left", "bottom"]].set_bounds(0, k - 1)
    figure.axes[0].set_ylabel("second flip (0: the least reliable place)")
    for shade, label in zip(SHADES, ("ruled out at once", "ruled out by the winner", "tried"), strict=True):
        figure.axes[0].plot([], [], "s", color=shade, label=label)
    figure.axes[0].plot([], [], "o", mfc="none", mec="#d62728", label="the winner")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def table(found: list[Level]) -> str:
    lines = [
        "| Eb/N0 | hard decision | bound on order 0 | search | patterns, mean | patterns, most |",
        "|---|---|---|---|---|---|",
    ]
    for level in found:
        searched = 1 - level.codeword - level.bound
        lines.append(
            f"| {level.ebn0_db:g} dB | {level.codeword:.1%} | {level.bound:.1%} | {searched:.1%} "
            f"| {level.work.mean():.3g} | {level.work.max()} |"
        )
    return "\n".join(lines) + "\n"


def made() -> tuple[str, dict[str, bytes]]:
    """The table, and the figures by path."""
    found = levels()
    with rc_context(STYLE):
        figures = {WORK_FIGURE: picture(draw_work(found)), PAIRS_FIGURE: picture(draw_pairs())}
    return table(found), figures


def main() -> None:
    rows, figures = made()
    text = PAGE.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{PAGE} lacks {BEGIN.strip()} or {END.strip()}, which mark the table's place")
    before, _, rest = text.partition(BEGIN)
    write(PAGE, before + BEGIN + rows + END + rest.partition(END)[2])
    for path, data in figures.items():
        (ROOT / path).write_bytes(data)


if __name__ == "__main__":
    main()
