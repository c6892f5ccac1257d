"""Pictures of what a decoder misses against what it refuses, along its threshold."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from fecnn.analysis.table import METRICS
from fecnn.plots.marks import counted_mark
from fecnn.plots.receivers import levels, lines, placed
from fecnn.plots.scene import GAP, Mark, Panel, Scene
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd


def refusal_scene(
    study: Study,
    results: "pd.DataFrame",
    metrics: Sequence[str],
    *,
    panels: Literal["metric", "code"],
    first: int = 0,
) -> Scene:
    """Error rates, such as that of undetected errors, over that of refused frames: a panel per Eb/N0.

    The points of a line are the thresholds of one decoder. One that refused nothing is a line across. One
    that refuses by checks alone is a single point, and none of the frames that it refuses was right.
    Arguments are those of `fecnn.plots.rates.rate_scene`.

    Raises:
        ValueError: If gaps to ML are asked for.
    """
    if GAP in metrics:
        raise ValueError(f"{study.name} is drawn over the {study.over}, which a gap to ML does not have")
    rows = placed(study, results)
    codes = list(dict.fromkeys(row["code"] for row in rows))

    def drawn(shown: Sequence[str]) -> Iterator[Panel]:
        title = shown[0] if panels == "code" else ""
        for metric in metrics:
            for said, level in levels([row for row in rows if row["code"] in shown]):
                marks = {(row["curve"], row["code"]): _mark(row, metric) for row in level}
                series = lines(study, marks, first)
                name = ", ".join(filter(None, (title, said)))
                yield Panel(name, METRICS["refused"], METRICS[metric], tuple(series), scales=("log", "log"))

    groups = [[code] for code in codes] if panels == "code" else [codes]
    return Scene(study.title, tuple(panel for group in groups for panel in drawn(group)))


def _mark(row: dict[Any, Any], metric: str) -> Mark:
    """The mark of a row, at its rate of refused frames; false alarms are those of right decisions."""
    mark, alarms = counted_mark(row, metric), row["refusals"] - row["refused_errors"]
    ends = f"[{row['refused_low']:.3g}, {row['refused_high']:.3g}]"
    told = f"{METRICS['refused']} {row['refused']:.3g} {ends}, {alarms:,} of them right decisions"
    return replace(mark, x=row["refused"] or math.nan, said=(*mark.said[:2], told, *mark.said[2:]))
