"""What a picture of a study shows, decided once; `figure`, `pareto` and the report page only draw it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from fecnn.analysis.gap import Gap, gaps_along_ml, published_gaps_along_ml
from fecnn.analysis.table import FEW_ERRORS, METRICS, counted, estimated
from fecnn.analysis.tradeoff import Tradeoff, front, weighed
from fecnn.plots.coincidence import groups, nested
from fecnn.simulation.task import Point
from fecnn.studies.reference import Reference
from fecnn.studies.study import Curve, Study
from fecnn.theory.bounds import BOUNDS
from fecnn.theory.ml_bler import CERTAIN, UNITS

if TYPE_CHECKING:
    import pandas as pd

COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#8A6D00", "#56B4E9", "#882255", "#E69F00")
"""Okabe and Ito's colours, which colour-blind readers can tell apart; in greyscale the markers do it.

The numbers of colours, dashes and markers share no divisor, so that any two of 36 curves differ in two of the
three.
"""

MARKERS = (
    "circle",
    "square",
    "triangle-up",
    "diamond",
    "triangle-down",
    "cross",
    "x",
    "triangle-left",
    "triangle-right",
    "pentagon",
    "hexagon",
)
CROSSES = ("x-thin", "cross-thin", "y-down", "y-up", "y-left", "y-right", "line-ns")
"""Markers of published points, all without area."""

GREYS = ("#404040", "#A0A0A0", "#707070")
"""Colours of published points: another one when all `CROSSES` are taken."""

DASHES = ("solid", "dash", "dot", "dashdot")
"""Dashes of counted curves and, except the first, of bounds; estimated curves use ``longdash``."""

GAP, GAP_LABEL = "gap", "gap to ML [dB]"
"""The panel that shows gaps to ML, beside those of error rates; and the label of its axis."""

LINE, DOT = 1.5, 6.0
"""Width of a curve's line and size of its markers in points, unless it lies on others."""

NEAR = 0.1
"""Gaps up to this many dB are shown on a linear scale, larger ones on a logarithmic scale."""

Kind = Literal["counted", "estimated", "bound", "published", "gap"]

LAYERS: dict[Kind, int] = {"bound": 0, "counted": 1, "estimated": 1, "gap": 1, "published": 2}
"""Series of higher layers are drawn over those of lower ones."""


@dataclass(frozen=True)
class Look:
    """How a series is drawn.

    colour: ``#rrggbb``.
    dash: Dash of the line; empty for no line.
    width: Width of the line in points.
    marker: Marker of the points; empty for none.
    size: Size of the markers in points.
    """

    colour: str
    dash: str = ""
    width: float = 0.0
    marker: str = ""
    size: float = 0.0


@dataclass(frozen=True)
class Mark:
    """A point of a series.

    y: The value, or the upper end of its interval if no error was seen.
    low, high: Ends of the 95 % interval; NaN if none is drawn.
    hollow: Whether there are fewer than 100 block errors behind it.
    limit: Whether there are no errors behind it.
    frames, block_errors: The counts behind it, if it is counted.
    said: Lines of text shown to a reader who points at it.
    """

    x: float
    y: float
    low: float = math.nan
    high: float = math.nan
    hollow: bool = False
    limit: bool = False
    frames: int = 0
    block_errors: int = 0
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """Points of one decoder, one bound or one publication, for one code.

    label: Its name in a legend; the same for several codes drawn alike.
    marks: In the order in which its line joins them; the line skips limits.
    id: Name of its line in an SVG, if any.
    source: Where it is published, and how it was read.
    """

    kind: Kind
    label: str
    code: str
    look: Look
    marks: tuple[Mark, ...]
    id: str = ""
    source: str = ""

    @property
    def seen(self) -> tuple[Mark, ...]:
        """Marks with errors."""
        return tuple(mark for mark in self.marks if not mark.limit)

    @property
    def limits(self) -> tuple[Mark, ...]:
        """Marks without errors."""
        return tuple(mark for mark in self.marks if mark.limit)


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    title: The title above it, if any.
    x, y: Labels of the axes.
    series: In legend order; `LAYERS` gives the drawing order.
    notes: What should be drawn but cannot be, and why.
    scales: Scales of x and y: ``linear``, ``log``, or ``symlog`` (linear up to `NEAR`).
    front: The points (x, y) that no other beats in both, joined by steps.
    """

    title: str
    x: str
    y: str
    series: tuple[Series, ...]
    notes: tuple[str, ...] = ()
    scales: tuple[str, str] = ("linear", "log")
    front: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Scene:
    """A picture: its title, and its panels in reading order."""

    title: str
    panels: tuple[Panel, ...]

    @property
    def legend(self) -> tuple[Series, ...]:
        """One series per label, in the order of the panels; all curves of the same size."""
        found: dict[str, Series] = {}
        for panel in self.panels:
            for series in panel.series:
                if series.kind == "counted":
                    series = replace(series, look=replace(series.look, width=LINE, size=DOT))
                found.setdefault(series.label, series)
        return tuple(found.values())

    @property
    def entries(self) -> list[tuple[Series, str]]:
        """The legend where there is no room for sources: each is a number, explained in the `footnotes`."""
        numbers = {source: i for i, source in enumerate(self._sources, 1)}
        return [
            (one, f"{one.label.removesuffix(f': {one.source}')} [{numbers[one.source]}]")
            if one.source
            else (one, one.label)
            for one in self.legend
        ]

    @property
    def footnotes(self) -> list[str]:
        """What is to be read below the picture: sources, curves on each other, and what is not drawn."""
        return [
            *(f"[{i}] {source}" for i, source in enumerate(self._sources, 1)),
            *self.coincidences,
            *(f"Not drawn: {note}" for note in self.notes),
        ]

    @property
    def coincidences(self) -> list[str]:
        """Which curves lie on each other, and in which panels if not in all."""
        rates = [panel for panel in self.panels if panel.scales[1] == "log"]
        found: dict[str, list[str]] = {}
        for panel in rates:
            for group in groups(panel.series):
                found.setdefault(_listed([one.label for one in group]), []).append(panel.title or panel.y)
        places = {names: f" ({_listed(where)})" * (len(where) < len(rates)) for names, where in found.items()}
        return [f"Coincide within 95 % intervals{where}: {names}" for names, where in places.items()]

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of all panels, without repetition."""
        return tuple(dict.fromkeys(note for panel in self.panels for note in panel.notes))

    @property
    def _sources(self) -> list[str]:
        return list(dict.fromkeys(one.source for one in self.legend if one.source))


def _listed(names: Sequence[str]) -> str:
    """Names as in a sentence: ``a, b and c``; or ``a; b, trained; c`` if there are commas in them."""
    if any("," in name for name in names):
        return "; ".join(names)
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


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

    Args:
        study: The study.
        results: Its table, from `fecnn.table`.
        metrics: ``bler``, ``ber``, ``ber_code``, and ``gap`` for gaps to ML along the BLER of ML; by default
            the study's. Panels per code show the first, and gaps. If the study names none either, gaps are
            shown where curves lie on each other.
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


def tradeoff_scene(
    study: Study, results: "pd.DataFrame", *, panels: Literal["metric", "code"] = "code", first: int = 0
) -> Scene:
    """Gaps to ML at BLER 1e-3 against operations and against time: two panels per code, or two in all.

    There are no panels if no curve has a gap to ML. Arguments are those of `rate_scene`.
    """
    found, missing = weighed(study, results)
    codes = list(dict.fromkeys(one.gap.code for one in found))
    looks, labels = _looks(study, first), labels_of(study)
    notes = _missing(missing, codes, labels)
    uncounted = [labels[one.gap.curve] for one in found if one.operations is None]
    if uncounted:
        notes += [f"operations of {_listed(uncounted)} (no formula)"]

    def panel(title: str, x: str, codes: list[str], cost: Callable[[Tradeoff], float | None]) -> Panel:
        series = []
        for place, one in enumerate(found):
            at, gap = cost(one), one.gap
            if at is not None and gap.code in codes:
                high = gap.high if math.isfinite(gap.high) else gap.gap_db
                said = f"gap to ML {gap.gap_db:.2f} dB [{gap.low:.2f}, {gap.high:.2f}]"
                mark = Mark(at, gap.gap_db, gap.low, high, said=(gap.code, said, f"{at:,.3g}"))
                size = 10 - 3 * place / len(found)  # those on each other stay visible
                dot = replace(looks[gap.curve], dash="", size=size)
                series.append(Series("gap", labels[gap.curve], gap.code, dot, (mark,)))
        places = [(one.marks[0].x, one.marks[0].y) for one in series]
        best = tuple(places[i] for i in front(*zip(*places, strict=True))) if places else ()
        y = "gap to ML at BLER 1e-3 [dB]"
        return Panel(title, x, y, tuple(series), tuple(notes), scales=("log", "linear"), front=best)

    def pair(codes: list[str], titles: tuple[str, str]) -> list[Panel]:
        return [
            panel(titles[0], "operations per message bit", codes, lambda one: one.operations),
            panel(titles[1], "decoding time [us/frame], one thread", codes, lambda one: one.microseconds),
        ]

    if panels == "code":
        return Scene(study.title, tuple(p for code in codes for p in pair([code], (code, code))))
    titles = "Distance and operations", "Distance and time"
    return Scene(study.title, tuple(pair(codes, titles) if found else ()))


def _missing(missing: Sequence[tuple[Point, str]], shown: Sequence[str], labels: dict[str, str]) -> list[str]:
    """Curves that are not shown with the reason: whole codes by their name, others code by code."""
    codes: dict[str, dict[str, list[str]]] = {}
    for point, why in missing:
        codes.setdefault(point.code.name, {}).setdefault(why, []).append(labels[point.curve])
    several = len({*codes, *shown}) > 1
    notes = []
    for code, reasons in codes.items():
        for why, names in reasons.items():
            whole = code not in shown and len(reasons) == 1
            here = f"{code}: " if several else ""
            notes.append(f"{code if whole else here + _listed(names)} ({why})")
    return notes


def _gap_panel(
    study: Study,
    results: "pd.DataFrame",
    codes: Sequence[str],
    title: str,
    first: int,
    published: Sequence[Series],
) -> Panel:
    """Gaps to exact ML in dB, over the Eb/N0 at which ML has the same BLER."""
    looks, labels = _looks(study, first), labels_of(study)
    along = [gaps_along_ml(study, results, code) for code in codes]
    series = []
    for name, gaps in (item for found in along for item in found.items()):
        marks = tuple(_gap_mark(ebn0_db, gap) for ebn0_db, gap in gaps if math.isfinite(gap.gap_db))
        if marks:
            series.append(Series("counted", labels[name], gaps[0][1].code, looks[name], marks))
    missing = [
        code for code, found in zip(codes, along, strict=True) if not found and not code.startswith("uncoded")
    ]
    notes = (f"gaps of {_listed(missing)} (exact ML was not counted)",) if missing else ()
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
    return replace(series, marks=tuple(_gap_mark(x, gap) for x, gap in gaps if math.isfinite(gap.gap_db)))


def _gap_mark(ebn0_db: float, gap: Gap) -> Mark:
    low, high = (end if math.isfinite(end) else gap.gap_db for end in (gap.low, gap.high))
    said = f"gap to ML {gap.gap_db:.2f} dB [{gap.low:.2f}, {gap.high:.2f}]"
    return Mark(ebn0_db, gap.gap_db, low, high, said=(f"{gap.code}, {ebn0_db:g} dB", said))


def labels_of(study: Study) -> dict[str, str]:
    """Legend labels by curve name; with one panel per code, a decoder has the same label in all of them.

    A decoder in a file or a module is called by its function alone, unless that makes two of them alike.
    """
    functions: dict[str, set[str]] = {}
    for curve in study.curves:
        functions.setdefault(curve.decoder.rpartition(":")[2], set()).add(curve.decoder)
    labels = {}
    for curve in study.curves:
        label = curve.what if study.panels == "code" else curve.name
        function = curve.decoder.rpartition(":")[2]
        if curve.label is None and len(functions[function]) == 1 and label.startswith(curve.decoder):
            label = function + label.removeprefix(curve.decoder)
        labels[curve.name] = label
    return labels


def _looks(study: Study, first: int = 0) -> dict[str, Look]:
    """Looks by curve name; curves with the same label share a look.

    An estimated curve continues the counted one of the same decoder and has its colour.
    """
    labels = labels_of(study)
    distinct = list(dict.fromkeys(labels.values()))
    places = {name: distinct.index(label) for name, label in labels.items()}
    for curve in study.curves:
        same = [other for other in study.curves if other.method is None and _is_same(curve, other)]
        if curve.method == "rare" and same:
            places[curve.name] = places[same[0].name]
    return {name: look(first + place) for name, place in places.items()}


def _is_same(curve: Curve, other: Curve) -> bool:
    """Whether two curves have the same decoder, if maybe on two codes; every method of ``ml`` is exact."""
    return curve.decoder == other.decoder and (curve.decoder == "ml" or curve.options == other.options)


def look(place: int) -> Look:
    """The look of the curve at a place in the legend."""
    colour, dash, marker = (known[place % len(known)] for known in (COLOURS, DASHES, MARKERS))
    return Look(colour, dash, LINE, marker, DOT)


def _curves(study: Study, results: "pd.DataFrame", metric: str, first: int) -> list[Series]:
    """The curves that have results, in the order of the study."""
    looks = _looks(study, first)
    seen, guessed = _by_curve(study, counted(results)), _by_curve(study, estimated(results))
    made = []
    for name, label in labels_of(study).items():
        if rows := seen.get(name):
            marks = tuple(_counted_mark(row, metric) for row in rows)
            made.append(Series("counted", label, rows[0]["code"], looks[name], marks))
        elif metric == "bler" and (rows := guessed.get(name)):
            # An estimate is not a number of errors, so it has no markers.
            dashed = replace(looks[name], dash="longdash", width=1.4, marker="")
            lines = sum(one.kind == "estimated" for one in made)
            marks = tuple(_estimated_mark(row) for row in rows)
            made.append(Series("estimated", label, rows[0]["code"], dashed, marks, f"estimated-{lines}"))
    return made


def _by_curve(study: Study, results: "pd.DataFrame") -> dict[str, list[dict[Any, Any]]]:
    """Rows by name of their curve, along the study's axis, with their place on it."""
    found: dict[str, list[dict[Any, Any]]] = {}
    for row in results.to_dict("records"):
        at = study.at(row["curve"], row["ebn0_db"])
        found.setdefault(row["curve"], []).append({**row, "at": at, "said": study.axis.said(at)})
    return {curve: sorted(rows, key=lambda row: row["at"]) for curve, rows in found.items()}


def _counted_mark(row: dict[Any, Any], metric: str) -> Mark:
    value, low, high = row[metric], row[f"{metric}_low"], row[f"{metric}_high"]
    return Mark(
        row["at"],
        value or high,
        low,
        high,
        hollow=0 < row["block_errors"] < FEW_ERRORS,
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


def _estimated_mark(row: dict[Any, Any]) -> Mark:
    low, high = row["bler_low"], row["bler_high"]
    bounds = "bounds " if row["method"] in CERTAIN else ""
    said = (
        f"{row['code']}, {row['said']}",
        f"BLER {row['bler']:.3g} {bounds}[{low:.3g}, {high:.3g}]",
        f"estimated by {row['method']}: {row['frames']:,} {UNITS[row['method']]}",
    )
    return Mark(row["at"], row["bler"], low, high, said=said)


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
        return {}, [f"no bounds for {only} over {points[0][2]}: they are for awgn"]
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
    return made, [problem for _, problems in every.values() for problem in problems]


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
