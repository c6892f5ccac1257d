"""Pictures of error rates over a number of the receiver: the factor of its LLRs, or their bits."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from fecnn.analysis.gap import gap_to_ml
from fecnn.analysis.table import METRICS, counted
from fecnn.plots.coincidence import nested
from fecnn.plots.looks import look
from fecnn.plots.marks import counted_mark, gap_mark
from fecnn.plots.scene import GAP, NEAR, Mark, Panel, Scene, Series
from fecnn.studies.study import Curve, Study

if TYPE_CHECKING:
    import pandas as pd

LABELS = {"scale": "factor of the LLRs", "bits": "bits of an LLR (dashed: not quantised)"}
"""Labels of the axis; see `fecnn.Receiver`."""

GAP_AT = 1e-3
"""The BLER at which gaps to ML are shown."""


def receiver_scene(
    study: Study,
    results: "pd.DataFrame",
    metrics: Sequence[str],
    *,
    panels: Literal["metric", "code"],
    first: int = 0,
) -> Scene:
    """Error rates over what the study says in ``over``: a panel per Eb/N0, and one of gaps to ML.

    Curves that differ in this number alone are one line; one that is not quantised is a line across.
    Arguments are those of `fecnn.plots.rates.rate_scene`.
    """
    rows = placed(study, results)
    codes = list(dict.fromkeys(row["code"] for row in rows))
    gaps = gap_to_ml(study, results, bler=GAP_AT) if GAP in metrics else []

    def drawn(shown: Sequence[str]) -> Iterator[Panel]:
        title = shown[0] if panels == "code" else ""
        here = [row for row in rows if row["code"] in shown]
        for metric in metrics:
            if metric == GAP:
                reach = [it for it in gaps if it.code in shown and math.isfinite(it.gap_db)]
                marks = {(it.curve, it.code): gap_mark(it) for it in reach}
                yield _panel(study, title, f"gap to ML at BLER {GAP_AT:g} [dB]", marks, first)
                continue
            for said, level in levels(here):
                marks = {(row["curve"], row["code"]): counted_mark(row, metric) for row in level}
                name = ", ".join(filter(None, (title, said)))
                yield _panel(study, name, METRICS[metric], marks, first)

    groups = [[code] for code in codes] if panels == "code" else [codes]
    return Scene(study.title, tuple(panel for group in groups for panel in drawn(group)))


def _panel(study: Study, title: str, y: str, marks: dict[tuple[str, str], Mark], first: int) -> Panel:
    """One pair of axes with the marks of some curves, given with their codes."""
    numbers = {curve.name: curve.number(study.over or "") for curve in study.curves}
    there = {
        curve: replace(mark, x=math.nan if (number := numbers[curve[0]]) is None else number)
        for curve, mark in marks.items()
    }
    series = lines(study, there, first)
    far = any(abs(mark.y) > NEAR for one in series for mark in one.marks)
    height = "log" if y in METRICS.values() else "symlog" if far else "linear"
    scales = ("log" if study.over == "scale" else "linear", height)
    return Panel(title, LABELS[study.over or ""], y, tuple(series), scales=scales, whole=study.over == "bits")


def placed(study: Study, results: "pd.DataFrame") -> list[dict[Any, Any]]:
    """The rows of a table that hold counts, with their place on the study's axis in ``at`` and ``said``."""
    rows = []
    for row in counted(results).to_dict("records"):
        at = study.at(row["curve"], row["ebn0_db"])
        rows.append({**row, "at": at, "said": study.axis.said(at)})
    return rows


def levels(rows: Sequence[dict[Any, Any]]) -> Iterator[tuple[str, list[dict[Any, Any]]]]:
    """The rows of each place on the axis, from the lowest on, and what the place is called."""
    for said in dict.fromkeys(row["said"] for row in sorted(rows, key=lambda row: row["at"])):
        yield said, [row for row in rows if row["said"] == said]


def lines(study: Study, marks: Mapping[tuple[str, str], Mark], first: int) -> list[Series]:
    """The marks of curves, given with their codes, as one line for those that differ in ``over`` alone.

    A mark whose x is NaN is a line across.
    """
    named = {curve.name: _label(study, curve) for curve in study.curves}
    looks = {label: look(first + place) for place, label in enumerate(dict.fromkeys(named.values()))}
    found: dict[tuple[str, str], list[Mark]] = {}
    across: dict[tuple[str, str], Mark] = {}
    for (name, code), mark in marks.items():
        if math.isnan(mark.x):
            across[named[name], code] = mark
        else:
            found.setdefault((named[name], code), []).append(mark)
    series = [
        Series("counted", label, code, looks[label], tuple(sorted(its, key=lambda mark: mark.x)))
        for (label, code), its in found.items()
    ]
    ends = [mark.x for one in series for mark in one.marks] or [0.0, 1.0]
    series = nested(series)
    for (label, code), mark in across.items():
        dashed = replace(looks[label], dash="dash", width=1.0, marker="")
        both = tuple(replace(mark, x=x, low=mark.y, high=mark.y) for x in (min(ends), max(ends)))
        series.append(Series("estimated", label, code, dashed, both))
    return series


def _label(study: Study, curve: Curve) -> str:
    """What a line stands for: the curve without the number on the axis, and its code if there are several."""
    bare = curve.without(study.over or "")
    return bare.what if study.panels == "code" else bare.name
