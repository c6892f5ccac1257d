"""The figure of a study: error rates over Eb/N0 with intervals, and the published points."""

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fecnn._files.atomic import write
from fecnn.plots.scene import LAYERS, Look, Mark, Panel, Scene, Series, rate_scene
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

FORMATS = (".svg", ".pdf", ".png")

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


def plot(study: Study, results: "pd.DataFrame", metrics: Sequence[str] | None = None) -> "Figure":
    """Draw the results of `fecnn.table`, with one panel per metric, or per code if the study says so.

    Without ``metrics``, the study's are drawn.

    Bands are 95 % intervals. Points with fewer than 100 block errors are hollow, and a point without errors
    is a triangle at the upper end of its interval. Coinciding curves stay visible, because later ones are
    thinner with smaller markers. Bounds are drawn for each code of a panel, over AWGN; the legend says which
    cannot be drawn. Published points are crosses. Estimated exact ML is a dashed line with a band and no
    markers.

    Raises:
        LookupError: If a metric is not ``bler``, ``ber`` or ``ber_code``.
        ValueError: If there are no results.
    """
    from matplotlib.figure import Figure

    scene = rate_scene(study, results, metrics)
    count = len(scene.panels)
    rows, columns = (-(-count // 2), 2) if scene.panels[0].title else (1, count)
    size = (10.8, 1.6 + 4.2 * rows) if scene.panels[0].title else (1.2 + 4.8 * count, 6.0)
    figure = Figure(figsize=size, layout="constrained")
    places = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, panel in zip(places, scene.panels, strict=False):
        _panel(axes, panel)
    for axes in places[count:]:
        axes.set_axis_off()
    dress(figure, scene)
    return figure


def dress(figure: "Figure", scene: Scene) -> None:
    """Give a figure the scene's title and, below it, its legend; labels are shown verbatim."""
    from matplotlib.lines import Line2D

    entries = [(_short(series), Line2D([], [], **style(series.look))) for series in scene.legend]
    entries += [
        (textwrap.fill(note, 60, max_lines=3), Line2D([], [], linestyle="None")) for note in scene.notes
    ]
    literal(figure.suptitle(scene.title, fontsize=11))
    look: dict[str, Any] = {"loc": "outside lower center", "ncols": 3, "fontsize": 8, "frameon": False}
    legend = figure.legend([line for _, line in entries], ["-"] * len(entries), **look)
    for text, (label, _) in zip(legend.get_texts(), entries, strict=True):
        literal(text)
        text.set_text(label)


def style(look: Look) -> dict[str, Any]:
    """A look as keyword arguments of matplotlib."""
    return {
        "color": look.colour,
        "linestyle": _DASHES[look.dash],
        "linewidth": look.width,
        "marker": _MARKERS[look.marker],
        "markersize": look.size,
    }


def literal(*texts: "Text") -> None:
    """Show texts verbatim: a dollar sign starts no formula."""
    for text in texts:
        text.set_parse_math(False)
        text.set_usetex(False)


def save(figure: "Figure", path: str | Path) -> None:
    """Write a figure as SVG, PDF or PNG, by the file's suffix; the same figure gives the same bytes.

    Raises:
        ValueError: If the suffix is another.
    """
    import matplotlib

    path = Path(path)
    if path.suffix not in FORMATS:
        raise ValueError(f"a figure is written as {', '.join(FORMATS)}, got {path.name}")
    drawn = io.BytesIO()
    # No date, and ids that depend only on the content.
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": None}[path.suffix]
    with matplotlib.rc_context({"svg.hashsalt": "fecnn", "svg.fonttype": "path"}):
        figure.savefig(drawn, format=path.suffix[1:], dpi=160, metadata=metadata)
    write(path, drawn.getvalue())


def _panel(axes: "Axes", panel: Panel) -> None:
    axes.set_yscale("log")
    bounds = [series for series in panel.series if series.kind == "bound"]
    for series in panel.series:
        if series not in bounds:
            _draw(axes, series)
    heights = axes.get_ylim()  # bounds reach far below the simulated rates and must not stretch the axis
    for series in bounds:
        _draw(axes, series)
    axes.set_ylim(heights)
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)
    if panel.title:
        literal(axes.set_title(panel.title, fontsize=10))
    axes.grid(visible=True, which="major", color="0.85", linewidth=0.6)
    axes.grid(visible=True, which="minor", axis="y", color="0.93", linewidth=0.4)
    axes.set_axisbelow(True)


def _draw(axes: "Axes", series: Series) -> None:
    """Draw a line with its band, markers on it, and triangles where there were no errors."""
    look, layer = style(series.look), 2 + LAYERS[series.kind]
    bare = look | {"marker": "None"}
    dots = look | {"linestyle": "None", "zorder": layer + 1}
    if series.kind == "published":
        axes.plot(*_xy(series.marks), **dots, label=series.label)
        return
    axes.plot(*_xy(series.seen), **bare, label=series.label, gid=series.id or None, zorder=layer)
    if series.kind == "bound":
        return
    low, high = [mark.low for mark in series.seen], [mark.high for mark in series.seen]
    alpha = 0.25 if series.kind == "estimated" else 0.15
    axes.fill_between(_xy(series.seen)[0], low, high, color=series.look.colour, alpha=alpha, linewidth=0)
    if series.kind == "counted":
        for hollow in (False, True):
            points = [mark for mark in series.seen if mark.hollow is hollow]
            axes.plot(*_xy(points), **(dots | {"markerfacecolor": "white" if hollow else look["color"]}))
        limit = dots | {"marker": 7, "markersize": 6, "alpha": 0.6, "zorder": 2}
        axes.plot(*_xy(series.limits), **limit)


def _xy(marks: Sequence[Mark]) -> tuple[list[float], list[float]]:
    return [mark.x for mark in marks], [mark.y for mark in marks]


def _short(series: Series, limit: int = 48) -> str:
    """The label, with a long source shortened to whole words, as three labels share a row."""
    label = series.label
    decoder, colon, source = label.partition(": ")
    if series.kind != "published" or len(source) <= limit:
        return label
    source, _, how = source.rpartition(" [")
    room = max(limit - len(how) - 5, 12)
    return f"{decoder}{colon}{textwrap.shorten(source, room, placeholder='').rstrip(' ,;(')}... [{how}"
