"""Gap against cost: how far each decoder is from ML, and what a frame costs there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fecnn.analysis.costs import curve_costs, operations_at
from fecnn.analysis.gap import Gap, gap_to_ml
from fecnn.analysis.table import counted
from fecnn.simulation.task import Point
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tradeoff:
    """A curve where it reaches BLER 1e-3: its gap to ML, and the cost of a frame there.

    gap: Its gap to ML.
    operations: All kinds together, per message bit; None if there is no formula.
    microseconds: Measured decoding time per frame.
    """

    gap: Gap
    operations: float | None
    microseconds: float


def tradeoffs(study: Study, results: "pd.DataFrame") -> list[Tradeoff]:
    """Curves that reach BLER 1e-3, and whose code's ML curve does too, in the order of the study."""
    return weighed(study, results)[0]


def weighed(study: Study, results: "pd.DataFrame") -> tuple[list[Tradeoff], list[tuple[Point, str]]]:
    """The `tradeoffs`; and the first points of other curves of codes, with the reason that they have none."""
    costs = curve_costs(study, results)
    gaps = {gap.curve: gap for gap in gap_to_ml(study, results)}
    firsts: dict[str, Point] = {}
    for point in study.points:
        firsts.setdefault(point.curve, point)
    found, missing = [], []
    for name, point in firsts.items():
        rows = counted(results[results["curve"] == name]).sort_values("ebn0_db")
        gap = gaps.get(name)
        if gap is None:
            missing.append((point, "no exact ML to compare with"))
        elif not math.isfinite(gaps[gap.reference].crossing.ebn0_db):
            missing.append((point, "exact ML does not reach BLER 1e-3"))
        elif rows.empty:
            missing.append((point, "no results"))
        elif not math.isfinite(gap.crossing.ebn0_db):
            where = "below" if rows["bler"].iloc[0] <= 1e-3 else "above"
            missing.append((point, f"BLER {where} 1e-3 at every point"))
        else:
            ebn0_db = gap.crossing.ebn0_db
            us = math.exp(np.interp(ebn0_db, rows["ebn0_db"], np.log(rows["us_per_frame"])))
            operations = operations_at(costs[name], ebn0_db) / point.code.k if name in costs else None
            found.append(Tradeoff(gap, operations, us))
    return found, [(point, why) for point, why in missing if point.code.k < point.code.n]


def front(costs: Sequence[float], gaps: Sequence[float]) -> list[int]:
    """Indices of the decoders that no other beats in both cost and gap, cheapest first.

    Example:
        >>> front([1.0, 2.0, 3.0, 4.0], [0.5, 0.6, 0.1, 0.1])
        [0, 2]
    """
    kept: list[int] = []
    for i in sorted(range(len(costs)), key=lambda i: (costs[i], gaps[i])):
        if not kept or gaps[i] < gaps[kept[-1]]:
            kept.append(i)
    return kept
