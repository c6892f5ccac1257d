"""Pictures of error rates over a study's axis, with bounds and published points."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from fecnn.analysis.gap import counted_ml, gaps_along_ml, published_gaps_along_ml
from fecnn.analysis.table import METRICS, counted, estimated
from fecnn.plots.coincidence import nested
from fecnn.plots.looks import labels_of, looks_of
from fecnn.plots.marks import counted_mark, estimated_mark, gap_mark
from fecnn.plots.receivers import receiver_scene
from fecnn.plots.refusals import refusal_scene
from fecnn.plots.scene import (
    CROSSES,
    DASHES,
    GAP,
    GAP_LABEL,
    GREYS,
    NEAR,
    Look,
    Mark,
    Panel,
    Scene,
    Series,
    listed,
)
from fecnn.studies.reference import Reference
from fecnn.studies.study import THRESHOLDS, Study
from fecnn.theory.bounds import BOUNDS

if TYPE_CHECKING:
    import pandas as pd


def rate_scene(
    study: Study,
    results: "pd.DataFrame",
    metrics: Sequence[str] | None = None,
    *,
    panels: Literal["metric", "code"] | None = None,
    references: Sequence[Reference] = (),
    first: int = 0,
) -> Scene:
    """Error rates over the study's axis with bounds and published points: one panel per metric, or per code.

    A study that says ``over`` is drawn over that instead, see `receiver_scene` and `refusal_scene`.

    Args:
        study: The study.
        results: Its table, from `fecnn.table`.
        metrics: ``bler``, ``ber``, ``ber_code``, ``undetected``, ``refused``, and ``gap`` for gaps to ML
            along the BLER of ML; by default the study's. Panels per code show the first, and gaps. If the
            study names none either, gaps are shown where curves lie on each other.
        panels: What each panel shows; by default as the study says.
        references: Published points in addition to the study's.
        first: The number of the first curve's look, for pictures of several studies.

    Raises:
        LookupError: If a metric is unknown.
        ValueError: If there are no results.
    """
    gaps_too = metrics is None and "metrics" not in study.model_fields_set
    metrics = metrics or study.metrics
    for metric in metrics:
        if metric not in (*METRICS, GAP):
            raise LookupError(f"no metric {metric!r}; known: {', '.join([*METRICS, GAP])}")
    if results.empty:
        raise ValueError(f"there are no results of {study.name} yet; run it first")
    if study.over is not None:
        scene_over = refusal_scene if study.over in THRESHOLDS else receiver_scene
        return scene_over(study, results, metrics, panels=panels or study.panels, first=first)
    codes = list(dict.fromkeys(results["code"]))
    drawn = (
        study.references
        if study.drawn is None
        else [r for r in [*study.references, *study.recorded] if r.decoder in study.drawn]
    )
    read = [r for r in [*drawn, *references] if r.code in codes]
    published = _published(study, read)

    @cache
    def curves(metric: str) -> list[Series]:
        return _curves(study, results, metric, first)

    @cache
    def panel(metric: str, codes: tuple[str, ...], title: str = "") -> Panel:
        if metric == GAP:
            gaps = [_gaps_of(one, study, results, read) for one in published["bler"] if one.code in codes]
            return _gap_panel(study, results, codes, title, first, [one for one in gaps if one.marks])
        bounds, notes = _bounds(study, codes) if metric == "bler" else ([], [])
        series = [
            *nested([one for one in curves(metric) if one.code in codes]),
            *bounds,
            *(one for one in published[metric] if one.code in codes),
        ]
        return Panel(title, study.axis.label, METRICS[metric], tuple(series), tuple(notes))

    def scene(metrics: Sequence[str]) -> Scene:
        if (panels or study.panels) == "code":
            each = [metric for metric in metrics if metric in (metrics[0], GAP)]
            return Scene(
                study.title, tuple(panel(metric, (code,), code) for code in codes for metric in each)
            )
        return Scene(study.title, tuple(panel(metric, tuple(codes)) for metric in metrics))

    rates = scene(metrics)
    if not gaps_too or not rates.coincidences:
        return rates
    whole = scene([*metrics, GAP])
    return whole if any(one.series for one in whole.panels if one.y == GAP_LABEL) else rates


def _gap_panel(
    study: Study,
    results: "pd.DataFrame",
    codes: Sequence[str],
    title: str,
    first: int,
    published: Sequence[Series],
) -> Panel:
    """Gaps to exact ML in dB, over the Eb/N0 at which ML has the same BLER."""
    looks, labels = looks_of(study, first), labels_of(study)
    along = [gaps_along_ml(study, results, code) for code in codes]
    series = []
    for name, gaps in (item for found in along for item in found.items()):
        marks = tuple(gap_mark(gap, ebn0_db) for ebn0_db, gap in gaps if math.isfinite(gap.gap_db))
        if marks:
            series.append(Series("counted", labels[name], gaps[0][1].code, looks[name], marks))
    missing = [code for code in codes if not counted_ml(study, code) and not code.startswith("uncoded")]
    notes = (f"gaps of {listed(missing)} (exact ML was not counted)",) if missing else ()
    series = [*nested(series), *published]
    far = any(abs(mark.y) > NEAR for one in series for mark in one.marks)
    scales = ("linear", "symlog" if far else "linear")
    return Panel(title, "Eb/N0 of exact ML [dB]", GAP_LABEL, tuple(series), notes, scales)


def _gaps_of(
    series: Series, study: Study, results: "pd.DataFrame", references: Sequence[Reference]
) -> Series:
    """A published series of the BLER as gaps to exact ML."""
    points = [r for r in references if (_label(r), r.code, r.metric) == (series.label, series.code, "bler")]
    gaps = published_gaps_along_ml(study, results, points)
    return replace(series, marks=tuple(gap_mark(gap, x) for x, gap in gaps if math.isfinite(gap.gap_db)))


def _curves(study: Study, results: "pd.DataFrame", metric: str, first: int) -> list[Series]:
    """The curves that have results, in the order of the study."""
    looks = looks_of(study, first)
    seen, guessed = _by_curve(study, counted(results)), _by_curve(study, estimated(results))
    made = []
    for name, label in labels_of(study).items():
        if rows := seen.get(name):
            marks = tuple(counted_mark(row, metric) for row in rows)
            made.append(Series("counted", label, rows[0]["code"], looks[name], marks))
        elif metric == "bler" and (rows := guessed.get(name)):
            # An estimate is not a number of errors, so it has no markers.
            dashed = replace(looks[name], dash="longdash", width=1.4, marker="")
            lines = sum(one.kind == "estimated" for one in made)
            marks = tuple(estimated_mark(row) for row in rows)
            made.append(Series("estimated", label, rows[0]["code"], dashed, marks, f"estimated-{lines}"))
    return made


def _by_curve(study: Study, results: "pd.DataFrame") -> dict[str, list[dict[Any, Any]]]:
    """Rows by name of their curve, along the study's axis, with their place on it."""
    found: dict[str, list[dict[Any, Any]]] = {}
    for row in results.to_dict("records"):
        at = study.at(row["curve"], row["ebn0_db"])
        found.setdefault(row["curve"], []).append({**row, "at": at, "said": study.axis.said(at)})
    return {curve: sorted(rows, key=lambda row: row["at"]) for curve, rows in found.items()}


def bound_marks(study: Study, only: str) -> tuple[dict[str, tuple[Mark, ...]], list[str]]:
    """The study's bounds on the BLER of one of its codes by name, and which cannot be drawn, and why.

    They run from the first to the last point of that code over AWGN, where they are above 0. There are none
    for uncoded bits.
    """
    points = [(point.code, point.ebn0_db, point.task.told_channel) for point in study.all_points]
    points = [point for point in points if point[0].name == only and point[0].k < point[0].n]
    if not points or not study.bounds:
        return {}, []
    here = [ebn0_db for _, ebn0_db, channel in points if channel == "awgn"]
    if not here:
        return {}, [f"bounds over {points[0][2]} (they are for BPSK over AWGN)"]
    steps = round(2 * (max(here) - min(here)))
    grid = [min(here) + step / 2 for step in range(steps + 1)]
    found: dict[str, tuple[Mark, ...]] = {}
    problems = []
    code = points[0][0]
    for bound in study.bounds:
        try:
            values = [BOUNDS[bound].value(code, ebn0_db) for ebn0_db in grid]
        except ValueError as error:
            problems.append(f"no {bound} bound for {only}: {error}")
            continue
        places = [study.axis.value(x, code.n, code.k, "awgn") for x in grid]
        marks = tuple(
            Mark(x, y, said=(f"{only}, {study.axis.said(x)}", f"BLER {y:.3g}"))
            for x, y in zip(places, values, strict=True)
            if y > 0  # some bounds underflow to 0
        )
        if marks:
            found[bound] = marks
        else:
            problems.append(f"no {bound} bound for {only}: it is 0 at these points")
    return found, problems


def _bounds(study: Study, codes: Sequence[str]) -> tuple[list[Series], list[str]]:
    """The bounds of some codes, each code in a lighter grey, and which cannot be drawn.

    A bound that is the same for all of them, as one by size may be, is drawn once.
    """
    every = {code: bound_marks(study, code) for code in codes}
    several = len([code for code, (found, problems) in every.items() if found or problems]) > 1
    shared = {bound: longest for bound in study.bounds if (longest := _shared(every, bound)) is not None}
    made = []
    for place, (code, (found, _)) in enumerate(every.items()):
        grey = round(255 * (0.45 + 0.35 * place / max(len(codes), 2)))
        for bound, marks in found.items():
            if shared.get(bound, code) != code:
                continue
            dash = DASHES[1:][study.bounds.index(bound) % (len(DASHES) - 1)]
            label, own = BOUNDS[bound].label, several and bound not in shared
            made.append(
                Series(
                    "bound",
                    f"{code}: {label}" if own else label,
                    code,
                    Look(f"#{grey:02x}{grey:02x}{grey:02x}", dash, 1.1),
                    marks,
                    f"bound-{bound}-{code}" if own else f"bound-{bound}",
                )
            )
    return made, list(dict.fromkeys(problem for _, problems in every.values() for problem in problems))


def _shared(every: dict[str, tuple[dict[str, tuple[Mark, ...]], list[str]]], bound: str) -> str | None:
    """The code with most points of a bound that has the same values for all codes; None if they differ."""
    having = {code: found[bound] for code, (found, _) in every.items() if bound in found}
    values: dict[float, float] = {}
    same = all(values.setdefault(mark.x, mark.y) == mark.y for marks in having.values() for mark in marks)
    return max(having, key=lambda code: len(having[code])) if same and len(having) > 1 else None


def _label(r: Reference) -> str:
    """The decoder of a published point, its source, and how it was read."""
    return f"{r.decoder}: " + " ".join(f"{r.source} [{r.how.split(',')[0]}]".split())


def _published(study: Study, references: Sequence[Reference]) -> dict[str, list[Series]]:
    """By metric, one series per decoder, source, way of reading, and code."""
    looks: dict[str, Look] = {}
    sources: dict[str, str] = {}
    grouped: dict[tuple[str, str, str], list[Mark]] = {}
    first_curves: dict[str, str] = {}
    for point in study.all_points:
        first_curves.setdefault(point.code.name, point.curve)
    for r in references:
        if r.metric in METRICS:
            label = _label(r)
            sources[label] = label.removeprefix(f"{r.decoder}: ")
            turn, place = divmod(len(looks), len(CROSSES))
            looks.setdefault(label, Look(GREYS[turn % len(GREYS)], marker=CROSSES[place], size=7.0))
            low, high = r.interval
            at = study.at(first_curves.get(r.code, ""), r.ebn0_db)
            said = (
                f"{r.code}, {study.axis.said(at)}",
                f"{METRICS[r.metric]} {r.value:.3g} [{low:.3g}, {high:.3g}]",
                r.source,
                f"{r.where} ({r.how})",
            )
            grouped.setdefault((r.metric, label, r.code), []).append(Mark(at, r.value, said=said))
    made: dict[str, list[Series]] = {metric: [] for metric in METRICS}
    for (metric, label, code), marks in grouped.items():
        made[metric].append(
            Series("published", label, code, looks[label], tuple(marks), source=sources[label])
        )
    return made
