"""The cost of each curve of a study: operations by kind, with the work measured at each point."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fecnn.analysis.table import counted
from fecnn.codes.code import Code, per_code
from fecnn.decoders.complexity import complexity
from fecnn.decoders.cost import KINDS, Cost
from fecnn.decoders.registry import REGISTRY
from fecnn.simulation.task import Point
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd


def cost_table(study: Study, results: "pd.DataFrame") -> "pd.DataFrame":
    """Operations per frame of every curve with a formula: one row per point, or one in all if they are equal.

    Args:
        study: The study.
        results: Its table, from `fecnn.table`, with the measured work of decoders that depend on the noise.

    Returns:
        Columns ``curve``, ``code``, ``ebn0_db`` (NaN if one row is for all points), ``operations`` and
        ``per_bit`` (all kinds together, per frame and per message bit), each kind of operation,
        ``parameters``, ``parameter_bits`` and ``memory_bits``.
    """
    import pandas as pd

    rows = []
    for curve, found in curve_costs(study, results).items():
        costs = list(dict.fromkeys(cost for cost, _ in found.values()))
        for ebn0_db, (cost, point) in found.items():
            rows.append(
                {
                    "curve": curve,
                    "code": point.code.name,
                    "ebn0_db": math.nan if len(costs) == 1 else ebn0_db,
                    "operations": cost.operations,
                    "per_bit": cost.operations / point.code.k,
                    **vars(cost),
                }
            )
            if len(costs) == 1:
                break
    columns = ["curve", "code", "ebn0_db", "operations", "per_bit", *vars(Cost())]
    return pd.DataFrame(rows, columns=columns)


def curve_costs(study: Study, results: "pd.DataFrame") -> dict[str, dict[float, tuple[Cost, Point]]]:
    """The cost of a frame, and its point, by curve and Eb/N0."""
    found: dict[str, dict[float, tuple[Cost, Point]]] = {}
    worked = {
        (row["curve"], row["ebn0_db"]): row["work"] / row["frames"] for _, row in counted(results).iterrows()
    }
    for point in study.points:
        key = (point.curve, point.task.ebn0_db)
        if key not in worked or point.task.decoder not in REGISTRY:
            continue
        # Zero means that the decoder does not count its work, or had none.
        cost = _cost(point, worked[key] or None)
        if cost is not None:
            found.setdefault(point.curve, {})[point.task.ebn0_db] = cost, point
    return found


def operations_at(costs: Mapping[float, tuple[Cost, Point]], ebn0_db: float) -> float:
    """Operations per frame of a curve at any Eb/N0, by linear interpolation of the logarithm."""
    grid = sorted(costs)
    return float(np.exp(np.interp(ebn0_db, grid, [math.log(costs[at][0].operations) for at in grid])))


def display_costs(study: Study, table: "pd.DataFrame") -> "pd.DataFrame":
    """The costs of a study's curves as text for a table, by the values of its axis."""
    import pandas as pd

    places = [
        "" if math.isnan(ebn0_db) else f"{study.at(curve, ebn0_db):g}"
        for curve, ebn0_db in zip(table["curve"], table["ebn0_db"], strict=True)
    ]
    shown = {
        "decoder": table["curve"],
        study.axis.label: places,
        "operations": table["operations"].map(_short),
        "per message bit": table["per_bit"].map(_short),
        **{kind: table[kind].map(_short) for kind in KINDS},
        "parameters": table["parameters"].map("{:,}".format),
        "their bits": table["parameter_bits"].map("{:,}".format),
        "memory [bit]": table["memory_bits"].map("{:,}".format),
    }
    return pd.DataFrame(shown)


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.3g}"


def _cost(point: Point, work: float | None) -> Cost | None:
    options = dict(point.task.told_options)
    options.pop("weights_sha256", None)
    try:
        return _known(point.code, point.task.decoder, work, tuple(options.items()))
    except ValueError:  # the formula needs the work, or does not fit the code
        return None


@per_code
def _known(code: Code, decoder: str, work: float | None, options: tuple[tuple[str, Any], ...]) -> Cost:
    return complexity(decoder, code, work=work, **dict(options))
