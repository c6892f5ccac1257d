"""Gap against cost: how far each decoder is from ML, and what a frame costs there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fecnn.analysis.costs import curve_costs, operations_at
from fecnn.analysis.gap import Gap, gap_to_ml
from fecnn.analysis.table import counted
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
    costs = curve_costs(study, results)
    found = []
    for gap in gap_to_ml(study, results):
        if math.isfinite(gap.gap_db):
            ebn0_db = gap.crossing.ebn0_db
            rows = counted(results[results["curve"] == gap.curve]).sort_values("ebn0_db")
            if rows.empty:  # an estimated curve has no decoding times
                continue
            us = math.exp(np.interp(ebn0_db, rows["ebn0_db"], np.log(rows["us_per_frame"])))
            operations = None
            if gap.curve in costs:
                _, point = next(iter(costs[gap.curve].values()))
                operations = operations_at(costs[gap.curve], ebn0_db) / point.code.k
            found.append(Tradeoff(gap, operations, us))
    return found


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
