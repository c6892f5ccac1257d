"""Small figures for generated pages: without a background, so that they suit a dark page too."""

import io
from collections.abc import Callable
from typing import Any

GREY = "#888888"
COLOURS = ("#3477b8", "#d1495b", "#3a9d6e", "#b07aa1", "#e39c37", "#6b7a8f", "#8c564b", "#17a2b8")


def picture(draw: Callable[[Any], None]) -> bytes:
    """An SVG of the axes that a function has drawn into."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style = {"svg.hashsalt": "fecnn", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    colours = ("axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "text.color")
    with mpl.rc_context(style | dict.fromkeys(colours, GREY)):
        figure = Figure(figsize=(6, 2.6), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        _, labels = axes.get_legend_handles_labels()
        if labels:
            axes.legend(frameon=False, fontsize=8, loc="best")
        made = io.BytesIO()
        figure.savefig(made, format="svg", transparent=True, metadata={"Date": None})
    return made.getvalue()
