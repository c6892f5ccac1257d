"""Marks of rows of a table, and of gaps."""

import math
from typing import Any

from fecnn.analysis.gap import Gap
from fecnn.analysis.table import FEW_ERRORS, METRICS
from fecnn.plots.scene import Mark
from fecnn.theory.ml_bler import CERTAIN, UNITS


def counted_mark(row: dict[Any, Any], metric: str) -> Mark:
    """The mark of a row of counts, with its place in ``at`` and in words in ``said``."""
    value, low, high = row[metric], row[f"{metric}_low"], row[f"{metric}_high"]
    events = {
        "undetected": row["block_errors"] - row["refused_errors"],
        "refused": row["refusals"],
    }.get(metric, row["block_errors"])
    return Mark(
        row["at"],
        value or high,
        low,
        high,
        hollow=0 < events < FEW_ERRORS,
        limit=not value,
        frames=row["frames"],
        block_errors=row["block_errors"],
        said=(
            f"{row['code']}, {row['said']}",
            f"{METRICS[metric]} {value:.3g} [{low:.3g}, {high:.3g}]",
            f"{row['frames']:,} frames, {row['block_errors']:,} block errors",
            f"{row['us_per_frame']:.3g} us/frame",
        ),
    )


def estimated_mark(row: dict[Any, Any]) -> Mark:
    """The mark of a row that is estimated, likewise."""
    low, high = row["bler_low"], row["bler_high"]
    bounds = "bounds " if row["method"] in CERTAIN else ""
    said = (
        f"{row['code']}, {row['said']}",
        f"BLER {row['bler']:.3g} {bounds}[{low:.3g}, {high:.3g}]",
        f"estimated by {row['method']}: {row['frames']:,} {UNITS[row['method']]}",
    )
    return Mark(row["at"], row["bler"], low, high, said=said)


def gap_mark(gap: Gap, ebn0_db: float = math.nan) -> Mark:
    """The mark of a gap to ML, at the Eb/N0 at which ML has the same BLER if one is given."""
    low, high = (end if math.isfinite(end) else gap.gap_db for end in (gap.low, gap.high))
    said = f"gap to ML {gap.gap_db:.2f} dB [{gap.low:.2f}, {gap.high:.2f}]"
    return Mark(
        ebn0_db,
        gap.gap_db,
        low,
        high,
        said=(f"{gap.code}, {ebn0_db:g} dB" if math.isfinite(ebn0_db) else gap.code, said),
    )
