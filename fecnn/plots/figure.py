"""The figure of a study: error rates over Eb/N0 with their intervals, and the published points."""

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fecnn._files.atomic import write
from fecnn.analysis.table import FEW_ERRORS, METRICS, counted, estimated
from fecnn.studies.reference import Reference
from fecnn.studies.study import Study
from fecnn.theory.bounds import BOUNDS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

COLOURS = ("#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#8A6D00", "#56B4E9", "#882255", "#E69F00")
"""Okabe and Ito's colours, which colour-blind readers tell apart; in grey the markers do it."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (2, 1.5)), (0, (6, 2, 1, 2)))
_PUBLISHED = ("x", "+", "1", "2", "3", "4", "|")

Line = tuple[list[float], list[float]]
"""Eb/N0 in dB, and values."""

FORMATS = (".svg", ".pdf", ".png")


def plot(study: Study, results: "pd.DataFrame", metrics: Sequence[str] | None = None) -> "Figure":
    """Draw results of `fecnn.table`, a panel for each metric, or for each code if the study says so.

    The metrics are the study's if none are given.

    Bands are 95 % intervals; points with fewer than 100 block errors are hollow, and a point without any is a
    triangle at the upper end of its interval. Curves that coincide stay visible: later ones are drawn
    thinner, with smaller markers. Bounds are drawn for each code of a panel, over AWGN; the legend says what
    cannot be drawn. Published points are drawn as crosses. Exact ML that is estimated, not
    counted, is a dashed line with its band and no markers.

    Raises:
        LookupError: If a metric is none of ``bler``, ``ber``, ``ber_code``.
        ValueError: If there are no results.
    """
    from matplotlib.figure import Figure

    metrics = metrics or study.metrics
    for metric in metrics:
        if metric not in METRICS:
            raise LookupError(f"no metric {metric!r}; known: {', '.join(METRICS)}")
    if results.empty:
        raise ValueError(f"there are no results of {study.name} to draw yet; run it first")
    if study.panels == "code":
        figure = _by_code(study, results, metrics[0])
    else:
        figure = Figure(figsize=(1.2 + 4.8 * len(metrics), 6.0), layout="constrained")
        names = [curve.name for curve in study.curves]
        styles = {name: (name, place) for name, place in curve_places(study, names).items()}
        for axes, metric in zip(figure.subplots(1, len(metrics), squeeze=False)[0], metrics, strict=True):
            _panel(axes, results, metric, styles)
            if metric == "bler":
                _bounds(axes, study, list(dict.fromkeys(results["code"])))
            _mark_published(axes, _published(study), metric)
    literal(figure.suptitle(study.title, fontsize=11))
    legend(figure, _handles(figure.axes), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure


def spelt(label: str) -> str:
    """A label for matplotlib, which hides those that begin with an underscore."""
    return f"\\{label}" if label.startswith(("_", "\\")) else label


def literal(*texts: "Text") -> None:
    """Show texts as they are: a dollar sign begins no formula."""
    for text in texts:
        text.set_parse_math(False)
        text.set_usetex(False)


def legend(figure: "Figure", handles: dict[str, Any], **look: Any) -> None:
    """Add a legend of handles by their labels, which are shown as they are."""
    made = figure.legend(list(handles.values()), ["-"] * len(handles), **look)
    for text, label in zip(made.get_texts(), handles, strict=True):
        literal(text)
        text.set_text(label)


def curve_places(study: Study, looks: Sequence[str]) -> dict[str, int]:
    """By the name of a curve, the number of its colour and marker: the same for curves of one look.

    Exact ML that is estimated goes on where the counted curve of ``ml`` ends, and has its colour.

    Args:
        study: The study.
        looks: For each of its curves, what it is drawn as.
    """
    distinct = list(dict.fromkeys(looks))
    found = {curve.name: distinct.index(look) for curve, look in zip(study.curves, looks, strict=True)}
    ml = [curve.name for curve in study.curves if curve.decoder == "ml" and curve.method is None]
    if ml:
        found |= {curve.name: found[ml[0]] for curve in study.curves if curve.method == "rare"}
    return found


def save(figure: "Figure", path: str | Path) -> None:
    """Write a figure as SVG, PDF or PNG, by the file's ending; the same figure gives the same bytes.

    Raises:
        ValueError: If the ending is another.
    """
    import matplotlib

    path = Path(path)
    if path.suffix not in FORMATS:
        raise ValueError(f"a figure is written as {', '.join(FORMATS)}, got {path.name}")
    drawn = io.BytesIO()
    # No date, and ids that depend on the content alone.
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": None}[path.suffix]
    with matplotlib.rc_context({"svg.hashsalt": "fecnn", "svg.fonttype": "path"}):
        figure.savefig(drawn, format=path.suffix[1:], dpi=160, metadata=metadata)
    write(path, drawn.getvalue())


def _by_code(study: Study, results: "pd.DataFrame", metric: str) -> "Figure":
    """A panel for each code, two in a row; a decoder looks the same in all of them."""
    from matplotlib.figure import Figure

    codes = list(dict.fromkeys(results["code"]))
    rows = -(-len(codes) // 2)
    figure = Figure(figsize=(10.8, 1.6 + 4.2 * rows), layout="constrained")
    panels = figure.subplots(rows, 2, squeeze=False).flat
    places = curve_places(study, [curve.what for curve in study.curves])
    styles = {curve.name: (curve.what, places[curve.name]) for curve in study.curves}
    for axes, code in zip(panels, codes, strict=False):
        _panel(axes, results[results["code"] == code], metric, styles)
        if metric == "bler":
            _bounds(axes, study, [code])
        literal(axes.set_title(code, fontsize=10))
        _mark_published(axes, _published(study, code), metric)
    for axes in list(figure.axes)[len(codes) :]:
        axes.set_axis_off()
    return figure


def _panel(axes: "Axes", results: "pd.DataFrame", metric: str, styles: dict[str, tuple[str, int]]) -> None:
    """Curves by name; styles: what each is called in the legend, and the number of its colour and marker."""
    count = len({place for _, place in styles.values()})
    for name, (label, place) in styles.items():
        rows = results[results["curve"] == name].sort_values("ebn0_db")
        if len(seen := counted(rows)):
            _curve(axes, seen, metric, label, place, 1 - place / max(count, 2))
        elif len(rows) and metric == "bler":
            _estimated_curve(axes, estimated(rows), label, place)
    axes.set_yscale("log")
    axes.set_xlabel("Eb/N0 [dB]")
    axes.set_ylabel(METRICS[metric])
    axes.grid(visible=True, which="major", color="0.85", linewidth=0.6)
    axes.grid(visible=True, which="minor", axis="y", color="0.93", linewidth=0.4)
    axes.set_axisbelow(True)


def bound_curves(study: Study, only: str) -> tuple[dict[str, Line], list[str]]:
    """The study's bounds on the BLER of one of its codes, and what there is none of, and why.

    Bounds by name: Eb/N0 in dB, from the first to the last point of that code over AWGN, and values above 0.
    Uncoded bits have none.
    """
    points = [(point.code, point.ebn0_db, point.task.channel) for point in study.points]
    points += [(point.code, point.ebn0_db, "awgn") for point in study.rare_points]
    points = [point for point in points if point[0].name == only and point[0].k < point[0].n]
    if not points or not study.bounds:
        return {}, []
    here = [ebn0_db for _, ebn0_db, channel in points if channel == "awgn"]
    if not here:
        return {}, [f"no bounds for {only} over {points[0][2]}: they are for awgn"]
    steps = round(2 * (max(here) - min(here)))
    grid = [min(here) + step / 2 for step in range(steps + 1)]
    found: dict[str, Line] = {}
    problems = []
    for bound in study.bounds:
        try:
            values = {ebn0_db: BOUNDS[bound].value(points[0][0], ebn0_db) for ebn0_db in grid}
        except ValueError as error:
            problems.append(f"no {bound} bound for {only}: {error}")
            continue
        # Some are given as 0 where they are tiny.
        drawn = [ebn0_db for ebn0_db in grid if values[ebn0_db] > 0]
        if drawn:
            found[bound] = drawn, [values[ebn0_db] for ebn0_db in drawn]
        else:
            problems.append(f"no {bound} bound for {only}: it is 0 at these Eb/N0")
    return found, problems


def _bounds(axes: "Axes", study: Study, codes: Sequence[str]) -> None:
    """Those of some codes, a grey for each; what there is none of is told in the legend."""
    low, high = axes.get_ylim()
    all_found = {code: bound_curves(study, code) for code in codes}
    several = len([code for code, (found, problems) in all_found.items() if found or problems]) > 1
    for shade, (code, (found, problems)) in zip(_greys(codes), all_found.items(), strict=True):
        for bound, (grid, values) in found.items():
            axes.plot(
                grid,
                values,
                color=shade,
                linewidth=1.1,
                linestyle=_DASHES[1:][study.bounds.index(bound) % (len(_DASHES) - 1)],
                label=f"{code}: {BOUNDS[bound].label}" if several else BOUNDS[bound].label,
                gid=f"bound-{bound}-{code}" if several else f"bound-{bound}",
                zorder=2,
            )
        for problem in problems:
            axes.plot([], [], linestyle="none", label=textwrap.fill(problem, 60, max_lines=3), gid="no-bound")
    axes.set_ylim(low, high)


def _greys(codes: Sequence[str]) -> list[str]:
    """From 0.45 on, lighter and lighter."""
    return [f"{0.45 + 0.35 * place / max(len(codes), 2):.2f}" for place in range(len(codes))]


def _mark_published(axes: "Axes", series: dict[str, list[Reference]], metric: str) -> None:
    for place, (label, points) in enumerate(series.items()):
        drawn = [point for point in points if point.metric == metric]
        if drawn:
            axes.plot(
                [point.ebn0_db for point in drawn],
                [point.value for point in drawn],
                linestyle="none",
                marker=_PUBLISHED[place % len(_PUBLISHED)],
                markersize=7,
                color="0.25",
                zorder=5,
                label=spelt(label),
            )


def _curve(axes: "Axes", rows: "pd.DataFrame", metric: str, label: str, place: int, share: float) -> None:
    """One curve; ``share`` from 1 (first) down to 0 (last) sets its width and marker size."""
    colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
    seen = rows[rows[metric] > 0]
    axes.plot(
        seen["ebn0_db"],
        seen[metric],
        color=colour,
        linestyle=_DASHES[place % len(_DASHES)],
        linewidth=0.9 + 2.0 * share,
        label=spelt(label),
        zorder=3,
    )
    axes.fill_between(
        seen["ebn0_db"], seen[f"{metric}_low"], seen[f"{metric}_high"], color=colour, alpha=0.15, linewidth=0
    )
    few = seen["block_errors"] < FEW_ERRORS
    size = 3.5 + 4.5 * share
    for points, face in ((seen[~few], colour), (seen[few], "white")):
        axes.plot(
            points["ebn0_db"],
            points[metric],
            linestyle="none",
            marker=marker,
            markersize=size,
            markerfacecolor=face,
            markeredgecolor=colour,
            zorder=4,
        )
    none = rows[rows[metric] == 0]
    axes.plot(
        none["ebn0_db"],
        none[f"{metric}_high"],
        linestyle="none",
        marker=7,
        markersize=6,
        color=colour,
        alpha=0.6,
    )


def _estimated_curve(axes: "Axes", rows: "pd.DataFrame", label: str, place: int) -> None:
    """A curve without counts: nothing of it is a number of errors, so it has no markers."""
    colour = COLOURS[place % len(COLOURS)]
    axes.fill_between(
        rows["ebn0_db"], rows["bler_low"], rows["bler_high"], color=colour, alpha=0.25, linewidth=0
    )
    axes.plot(
        rows["ebn0_db"],
        rows["bler"],
        color=colour,
        linestyle=(0, (8, 3)),
        linewidth=1.4,
        label=spelt(label),
        gid=f"estimated-{place}",
        zorder=3,
    )


def _published(study: Study, only: str | None = None) -> dict[str, list[Reference]]:
    """Published series to draw, by their labels: decoder, source, how it was read; for one code or all."""
    codes = {point.code.name for point in study.all_points} if only is None else {only}
    series: dict[str, list[Reference]] = {}
    for reference in study.references:
        wanted = study.drawn is None or reference.decoder in study.drawn
        if wanted and reference.code in codes:
            series.setdefault(published_label(reference), []).append(reference)
    return series


def published_label(reference: Reference) -> str:
    """What a published point is called in a legend: decoder, source and how it was read, shortened."""
    how = reference.how.split(",")[0]
    return " ".join(f"{reference.decoder}: {_short(f'{reference.source} [{how}]')}".split())


def _short(source: str, limit: int = 48) -> str:
    if len(source) <= limit:
        return source
    head, _, how = source.rpartition(" [")
    return head[: limit - len(how) - 5].rstrip(" ,;(") + "... [" + how


def _handles(panels: "list[Axes]") -> dict[str, Any]:
    """By label, each once, in the order of the panels; a curve's handle shows its marker."""
    from matplotlib.lines import Line2D

    handles: dict[str, Any] = {}
    for axes in panels:
        lines = axes.get_lines()
        for i, line in enumerate(lines):
            said = str(line.get_label())
            label = said.removeprefix("\\")
            if said.startswith("_") or label in handles:
                continue
            if line.get_linestyle() == "None" or line.get_gid() is not None:
                handles[label] = line
            else:
                marked = lines[i + 1]  # the filled markers are drawn right after their line
                handles[label] = Line2D(
                    [],
                    [],
                    color=line.get_color(),
                    linestyle=line.get_linestyle(),
                    linewidth=line.get_linewidth(),
                    marker=marked.get_marker(),
                    markersize=marked.get_markersize(),
                )
    return handles
