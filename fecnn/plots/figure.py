"""Figures of scenes, drawn by matplotlib; first of all the error rates of a study."""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from fecnn.plots.rates import rate_scene
from fecnn.plots.scene import LAYERS, NEAR, Look, Mark, Panel, Scene, Series
from fecnn.plots.style import Limits, Style, styled
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.legend import Legend
    from matplotlib.text import Text

    from fecnn.plots.canvas import Picture

_MARKERS = {
    "circle": "o",
    "square": "s",
    "triangle-up": "^",
    "diamond": "D",
    "triangle-down": "v",
    "cross": "P",
    "x": "X",
    "triangle-left": "<",
    "triangle-right": ">",
    "pentagon": "p",
    "hexagon": "h",
    "x-thin": "x",
    "cross-thin": "+",
    "y-down": "1",
    "y-up": "2",
    "y-left": "3",
    "y-right": "4",
    "line-ns": "|",
    "": "None",
}
_DASHES: dict[str, Any] = {
    "solid": "-",
    "dash": (0, (5, 2)),
    "dot": (0, (2, 1.5)),
    "dashdot": (0, (6, 2, 1, 2)),
    "longdash": (0, (8, 3)),
    "": "None",
}


def plot(
    study: Study,
    results: "pd.DataFrame",
    metrics: Sequence[str] | None = None,
    *,
    style: str = "report",
    width: str | float | None = None,
    title: bool | str | None = None,
    serif: bool | None = None,
    legend: str | None = None,
    xlim: Limits | None = None,
    ylim: Limits | None = None,
    ax: "Axes | Sequence[Axes] | None" = None,
) -> "Figure":
    """Draw the results of `fecnn.table`, with one panel per metric, or per code if the study says so.

    Bands are 95 % intervals. Points with fewer than 100 block errors are hollow, and a point without errors
    is a triangle at the upper end of its interval. Curves on each other are nested, from large to small, and
    named below the figure; unless metrics are chosen, a panel of gaps to ML is added for them. Bounds are
    drawn for each code of a panel, over AWGN; a line below says which cannot be drawn. Published points are
    crosses, with their sources below. Estimated exact ML is a dashed line with a band and no markers.

    Args:
        study: The study.
        results: Its table.
        metrics: ``bler``, ``ber``, ``ber_code``, and ``gap`` for the gap to exact ML in dB; by default the
            study's.
        style: ``report`` (web pages), ``paper`` (a column of 3.5 in, serif, no title) or ``talk`` (slides).
        width: Width of the figure, such as ``3.5in``, ``88mm`` or ``7cm``; a number is inches.
        title: False for none, or another title.
        serif: Whether the type is like Times.
        legend: ``below`` or ``right`` of the panels, ``inside`` the first one, or ``none``.
        xlim: Ends of the x axes, ``(0, 6)`` or ``"0:6"``.
        ylim: Ends of the y axes of error rates, ``(1e-6, 1)`` or ``"1e-6:1"``.
        ax: Axes of your own figure to draw in, as many as there are panels (by default, one for each of the
            study's first metrics). Size and type are those of your figure, there is no title and nothing
            below, and the legend is inside.

    Raises:
        LookupError: If a metric, a style or a place of the legend is unknown.
        ValueError: If there are no results, or a width or a range is impossible.

    Example:
        >>> import fecnn
        >>> study = fecnn.load_study("optimal-hamming-7-4")
        >>> results = fecnn.table(study, study.path.parent / "results.csv")
        >>> figure = plot(study, results, ["bler"], style="paper")
        >>> figure.savefig("figure.pdf")  # doctest: +SKIP
    """
    dress = styled(style, width, title, serif, legend, xlim, ylim)
    if ax is None:
        return picture(rate_scene(study, results, metrics), dress)
    places = list(np.ravel(np.array(ax, dtype=object)))
    if metrics is None and study.panels == "metric":
        metrics = study.metrics[: len(places)]
    scene = rate_scene(study, results, metrics)
    if len(places) != len(scene.panels):
        needed = f"{len(scene.panels)} for {', '.join(panel.title or panel.y for panel in scene.panels)}"
        raise ValueError(f"ax must be one pair of axes per panel, {needed}; got {len(places)}")
    for axes, panel in zip(places, scene.panels, strict=True):
        _panel(axes, panel, dress)
    if legend != "none":
        _legend(places[0], [(one, one.label) for one in scene.legend], dress)
    drawn: Figure = places[0].get_figure(root=True)
    return drawn


def picture(scene: Scene, dress: Style) -> "Picture":
    """A figure of a scene: panels in rows, below them the legend and footnotes."""
    from fecnn.plots.canvas import Picture, dressed

    count, columns = len(scene.panels), dress.across(len(scene.panels))
    rows = -(-count // columns)
    width = dress.width or columns * dress.panel[0]
    with dressed(dress):
        figure = Picture(
            figsize=(width, rows * width / columns * dress.panel[1] / dress.panel[0]), layout="constrained"
        )
        figure.scene, figure.style = scene, dress
        places = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axes, panel in zip(places, scene.panels, strict=False):
            _panel(axes, panel, dress)
        for axes in places[count:]:
            axes.set_axis_off()
        if dress.title:
            _title(figure, scene.title if dress.title is True else dress.title, dress)
        _surround(figure, scene, dress, places)
        cast("ConstrainedLayoutEngine", figure.get_layout_engine()).execute(figure)
        figure.stale = False  # laid out, with its ticks: those made later would not have the style's type
    return figure


def save(figure: "Figure", path: str | Path) -> None:
    """Write a figure, see `fecnn.plots.canvas.save`."""
    from fecnn.plots.canvas import save

    save(figure, path)


def _title(figure: "Picture", title: str, dress: Style) -> None:
    width = figure.get_figwidth()
    literal(figure.suptitle(textwrap.fill(title, _letters(width, 1.1 * dress.font, dress))))
    figure.set_figheight(figure.get_figheight() + 2 * dress.font / 72)


def _surround(figure: "Picture", scene: Scene, dress: Style, places: "Sequence[Axes]") -> None:
    """Add the legend and, at the bottom, the footnotes; the figure grows by what they need.

    A legend that belongs below stands in the place of a missing panel if there is one.
    """
    width, height = figure.get_size_inches()
    pad = 0.8 * dress.font / 72
    vacant = places[-1] if len(places) > len(scene.panels) and dress.legend == "below" else None
    legend = notes = None
    if dress.legend == "inside":
        _legend(places[0], scene.entries, dress)
    elif dress.legend == "right":
        legend = _legend(figure, scene.entries, dress, loc="upper right")
    elif dress.legend == "below":
        legend = _wide_legend(figure, scene, dress, vacant)
    if scene.footnotes and dress.legend != "none":
        letters = _letters(width - pad, 0.8 * dress.font, dress)
        lines = [textwrap.fill(note, letters, subsequent_indent="     ") for note in scene.footnotes]
        notes = figure.text(0, 0, "\n".join(lines), fontsize=0.8 * dress.font, linespacing=1.3)
        literal(notes)
    low = 0.0 if notes is None else notes.get_window_extent().height / figure.dpi + 1.5 * pad
    box = None if legend is None or vacant else legend.get_window_extent()
    tall = box.height / figure.dpi + pad if box and dress.legend == "below" else 0.0
    wide = box.width / figure.dpi + pad if box and dress.legend == "right" else 0.0
    total = height + low + tall
    figure.set_figheight(total)
    engine = cast("ConstrainedLayoutEngine", figure.get_layout_engine())
    engine.set(rect=(0, (low + tall) / total, 1 - wide / width, height / total))
    if notes is not None:
        notes.set(x=pad / width, y=0.5 * pad / total, va="bottom")
    if legend is not None:
        area = (0.0, low / total, 1.0, 1 - low / total)
        if vacant:
            figure.draw_without_rendering()  # the place of a missing panel is known after the layout
            area = (0.5, vacant.get_position().y0, 0.5, vacant.get_position().height)
        legend.set_bbox_to_anchor(area, figure.transSubfigure)


def _wide_legend(figure: "Picture", scene: Scene, dress: Style, vacant: "Axes | None") -> "Legend":
    """A legend of as many columns as there is room for, but no more than its rows need."""
    room, place, most = (0.45, "center", 2) if vacant else (1.0, "lower center", 4)
    entries = scene.entries
    while True:
        columns = -(-len(entries) // -(-len(entries) // most)) if entries else 1
        legend = _legend(figure, entries, dress, ncols=columns, loc=place)
        if most == 1 or legend.get_window_extent().width <= room * figure.bbox.width:
            return legend
        legend.remove()
        most -= 1


def _legend(
    home: "Figure | Axes", entries: Sequence[tuple[Series, str]], dress: Style, **place: Any
) -> "Legend":
    """A legend with its texts shown verbatim and wrapped between words."""
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], **style(one.look, dress.scale)) for one, _ in entries]
    if place:
        place |= {"frameon": False, "borderaxespad": 0.0}
    legend: Legend = home.legend(lines, ["-"] * len(entries), **place)
    for text, (_, label) in zip(legend.get_texts(), entries, strict=True):
        literal(text)
        text.set_text(textwrap.fill(label, 44, break_long_words=False, break_on_hyphens=False))
    return legend


def _letters(width: float, size: float, dress: Style) -> int:
    """About how many letters of a size in points have room in a width in inches."""
    return max(20, int(72 * width / (size * (0.46 if dress.serif else 0.56))))


def style(look: Look, scale: float = 1.0) -> dict[str, Any]:
    """A look as keyword arguments of matplotlib."""
    return {
        "color": look.colour,
        "linestyle": _DASHES[look.dash],
        "linewidth": look.width * scale,
        "marker": _MARKERS[look.marker],
        "markersize": look.size * scale,
    }


def literal(*texts: "Text") -> None:
    """Show texts verbatim: a dollar sign starts no formula."""
    for text in texts:
        text.set_parse_math(False)
        text.set_usetex(False)


def _panel(axes: "Axes", panel: Panel, dress: Style) -> None:
    axes.set_xscale(panel.scales[0])
    if panel.scales[1] == "symlog":
        axes.set_yscale("symlog", linthresh=NEAR)
    else:
        axes.set_yscale(panel.scales[1])
    bounds = [series for series in panel.series if series.kind == "bound"]
    for series in panel.series:
        if series not in bounds:
            _draw(axes, series, dress.scale)
    heights = axes.get_ylim()  # bounds reach far below the simulated rates and must not stretch the axis
    for series in bounds:
        _draw(axes, series, dress.scale)
    axes.set_ylim(heights)
    _axes(axes, panel, dress)


def _axes(axes: "Axes", panel: Panel, dress: Style) -> None:
    """Labels, ticks, grid, and the range if one is given."""
    from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter, NullLocator

    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)
    if panel.title:
        literal(axes.set_title(panel.title, y=1.0))  # else ticks are laid out again and again to place it
    axes.grid(visible=True, which="major", color="0.85", linewidth=0.6 * dress.scale)
    axes.grid(visible=True, which="minor", axis="y", color="0.93", linewidth=0.4 * dress.scale)
    axes.set_axisbelow(True)
    if panel.scales[0] == "log":
        costs = [mark.x for series in panel.series for mark in series.marks] or [1.0]
        axes.set_xlim(min(costs) / 2, max(costs) * 2)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if max(costs) < 50 * min(costs) else (1,)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    if panel.whole:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if panel.scales[1] == "symlog":
        ends = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
        axes.yaxis.set_major_locator(FixedLocator([*(-end for end in ends), 0, *ends]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter("{x:g}")
    if panel.front:
        grey: dict[str, Any] = {"color": "0.75", "linewidth": 3 * dress.scale, "zorder": 1}
        axes.step(*zip(*panel.front, strict=True), where="post", **grey)
    if any(mark.x >= 10_000 for series in panel.series for mark in series.marks):
        axes.xaxis.set_major_formatter("{x:,.10g}")
    if dress.xlim:
        axes.set_xlim(dress.xlim)
    if dress.ylim and panel.scales[1] == "log":
        axes.set_ylim(dress.ylim)


def _draw(axes: "Axes", series: Series, scale: float) -> None:
    """Draw a line with its band, markers on it, and triangles where there were no errors."""
    look = style(series.look, scale)
    layer = 2 + LAYERS[series.kind] - series.look.size / 100  # small marks over large ones
    bare = look | {"marker": "None"}
    dots = look | {"linestyle": "None", "zorder": layer + 1}
    if series.kind in ("published", "gap"):
        bar = series.look.colour if series.kind == "gap" else tint(series.look.colour, 0.4)
        for mark in series.marks:
            if math.isfinite(mark.low):
                axes.vlines(mark.x, mark.low, mark.high, color=bar, linewidth=scale)
        axes.plot(*_xy(series.marks), **dots, label=series.label)
        return
    axes.plot(*_xy(series.seen), **bare, label=series.label, gid=series.id or None, zorder=layer)
    if series.kind == "bound":
        return
    low, high = [mark.low for mark in series.seen], [mark.high for mark in series.seen]
    # Light colours instead of transparency, which EPS and some journals do not take.
    shade = tint(series.look.colour, 0.25 if series.kind == "estimated" else 0.15)
    axes.fill_between(_xy(series.seen)[0], low, high, color=shade, linewidth=0, zorder=1)
    if series.kind == "counted":
        for hollow in (False, True):
            points = [mark for mark in series.seen if mark.hollow is hollow]
            axes.plot(*_xy(points), **(dots | {"markerfacecolor": "white" if hollow else look["color"]}))
        limit = {"marker": 7, "markersize": 6 * scale, "color": tint(series.look.colour, 0.6), "zorder": 2}
        axes.plot(*_xy(series.limits), **(dots | limit))


def tint(colour: str, share: float) -> str:
    """A lighter colour: this share of it on white."""
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 + share * (part - 255)):02x}" for part in parts)


def _xy(marks: Sequence[Mark]) -> tuple[list[float], list[float]]:
    return [mark.x for mark in marks], [mark.y for mark in marks]
