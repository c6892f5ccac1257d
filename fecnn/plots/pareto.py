"""The figure of gap against cost: the gap to ML against operations and time, one mark per decoder."""

from typing import TYPE_CHECKING

from fecnn.plots.figure import dress, literal, style
from fecnn.plots.scene import Panel, tradeoff_scene
from fecnn.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_pareto(study: Study, results: "pd.DataFrame") -> "Figure":
    """Draw the gap to ML at BLER 1e-3 against operations per message bit and microseconds per frame.

    There is one row per code. Bars are 95 % intervals; the line joins the decoders that no other beats in
    both.

    Raises:
        ValueError: If no curve has a gap to ML.
    """
    from matplotlib.figure import Figure

    scene = tradeoff_scene(study, results)
    if not scene.panels:
        raise ValueError(f"no curve of {study.name} reaches BLER 1e-3 together with exact ML of its code")
    rows = len(scene.panels) // 2
    figure = Figure(figsize=(10.8, 1.4 + 3.9 * rows), layout="constrained")
    places = figure.subplots(rows, 2, squeeze=False)
    for axes, panel in zip(places.flat, scene.panels, strict=True):
        _panel(axes, panel)
    for axes, panel in zip(places[:, 0], scene.panels[::2], strict=True):
        axes.set_ylabel(panel.y)
        literal(axes.set_title(panel.title, fontsize=10, loc="left"))
    dress(figure, scene)
    return figure


def _panel(axes: "Axes", panel: Panel) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.set_xlabel(panel.x)
    axes.grid(visible=True, which="major", color="0.88", linewidth=0.6)
    axes.set_axisbelow(True)
    for series in panel.series:
        for mark in series.marks:
            axes.vlines(mark.x, mark.low, mark.high, color=series.look.colour, linewidth=1)
            axes.plot([mark.x], [mark.y], **style(series.look), label=series.label, zorder=3)
    if panel.front:
        axes.step(*zip(*panel.front, strict=True), where="post", color="0.75", linewidth=3, zorder=1)
        costs = [mark.x for series in panel.series for mark in series.marks]
        axes.set_xlim(min(costs) / 2, max(costs) * 2)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if max(costs) < 50 * min(costs) else (1,)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
