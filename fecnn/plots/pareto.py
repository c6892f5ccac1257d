"""The figure of distance and cost: gap to ML against operations and against time, one mark a decoder."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fecnn.analysis.costs import curve_costs, operations_at
from fecnn.analysis.gap import Gap, gap_to_ml
from fecnn.analysis.table import counted
from fecnn.plots.figure import COLOURS, MARKERS, legend, literal, spelt
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Mark:
    """A decoder where it meets BLER 1e-3: how far that is from ML, and what a frame costs there.

    what: The curve's name without its code.
    operations: Of all kinds, for a message bit; None if there is no formula.
    microseconds: Measured decoding time of a frame.
    """

    what: str
    gap: Gap
    operations: float | None
    microseconds: float


def marks(study: Study, results: "pd.DataFrame") -> list[Mark]:
    """Curves that meet BLER 1e-3, as does exact ML of their code, in the order of the study."""
    costs = curve_costs(study, results)
    whats = {curve.name: curve.what for curve in study.curves}
    found = []
    for gap in gap_to_ml(study, results):
        if math.isfinite(gap.gap_db):
            ebn0_db = gap.crossing.ebn0_db
            rows = counted(results[results["curve"] == gap.curve]).sort_values("ebn0_db")
            if rows.empty:  # estimated: nothing was decoded frame by frame
                continue
            us = math.exp(np.interp(ebn0_db, rows["ebn0_db"], np.log(rows["us_per_frame"])))
            operations = None
            if gap.curve in costs:
                _, point = next(iter(costs[gap.curve].values()))
                operations = operations_at(costs[gap.curve], ebn0_db) / point.code.k
            found.append(Mark(whats[gap.curve], gap, operations, us))
    return found


def front(costs: Sequence[float], gaps: Sequence[float]) -> list[int]:
    """Which marks no other beats in both, the cheapest first.

    Example:
        >>> front([1.0, 2.0, 3.0, 4.0], [0.5, 0.6, 0.1, 0.1])
        [0, 2]
    """
    kept: list[int] = []
    for i in sorted(range(len(costs)), key=lambda i: (costs[i], gaps[i])):
        if not kept or gaps[i] < gaps[kept[-1]]:
            kept.append(i)
    return kept


def plot_pareto(study: Study, results: "pd.DataFrame") -> "Figure":
    """Draw the gap to ML at BLER 1e-3 against operations a message bit, and against microseconds a frame.

    A row for each code. Bars are 95 % intervals; the line joins the decoders that no other beats in both.

    Raises:
        ValueError: If no curve has a gap to ML.
    """
    from matplotlib.figure import Figure

    found = marks(study, results)
    if not found:
        raise ValueError(f"no curve of {study.name} meets BLER 1e-3 together with exact ML of its code")
    codes = list(dict.fromkeys(mark.gap.code for mark in found))
    whats = list(dict.fromkeys(mark.what for mark in found))
    figure = Figure(figsize=(10.8, 1.4 + 3.9 * len(codes)), layout="constrained")
    panels = figure.subplots(len(codes), 2, squeeze=False)
    for row, code in zip(panels, codes, strict=True):
        here = [mark for mark in found if mark.gap.code == code]
        counted = [mark for mark in here if mark.operations is not None]
        _panel(row[0], counted, [mark.operations or 0 for mark in counted], whats)
        _panel(row[1], here, [mark.microseconds for mark in here], whats)
        row[0].set_xlabel("operations a message bit")
        row[1].set_xlabel("decoding time [us/frame], one thread")
        row[0].set_ylabel("gap to ML at BLER 1e-3 [dB]")
        literal(row[0].set_title(code, fontsize=10, loc="left"))
    lines = {str(line.get_label()): line for axes in figure.axes for line in axes.get_lines()}
    handles = {what: lines[spelt(what)] for what in whats if spelt(what) in lines}
    literal(figure.suptitle(study.title, fontsize=11))
    legend(figure, handles, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure


def _panel(axes: "Axes", found: list[Mark], costs: list[float], whats: list[str]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    gaps = [mark.gap.gap_db for mark in found]
    best = front(costs, gaps)
    axes.step(
        [costs[i] for i in best], [gaps[i] for i in best], where="post", color="0.75", linewidth=3, zorder=1
    )
    for mark, cost in zip(found, costs, strict=True):
        place = whats.index(mark.what)
        colour = COLOURS[place % len(COLOURS)]
        high = mark.gap.high if math.isfinite(mark.gap.high) else mark.gap.gap_db
        axes.vlines(cost, mark.gap.low, high, color=colour, linewidth=1)
        axes.plot(
            [cost],
            [mark.gap.gap_db],
            linestyle="none",
            marker=MARKERS[place % len(MARKERS)],
            markersize=8,
            color=colour,
            label=spelt(mark.what),
            zorder=3,
        )
    axes.set_xscale("log")
    axes.set_xlim(min(costs) / 2, max(costs) * 2)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if max(costs) < 50 * min(costs) else (1,)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, which="major", color="0.88", linewidth=0.6)
    axes.set_axisbelow(True)
