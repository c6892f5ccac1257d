"""Legend entries: a series' line and marker as a small inline SVG in the text's colour."""

from fecnn.plots.scene import Series

_DASHES = {"solid": "none", "dash": "6 3", "dot": "2 2.5", "dashdot": "7 2.5 2 2.5", "longdash": "11 4"}
_SHAPES = {
    "circle": "M-4 0A4 4 0 1 1 4 0A4 4 0 1 1-4 0Z",
    "square": "M-4-4H4V4H-4Z",
    "triangle-up": "M0-5L5 4H-5Z",
    "triangle-down": "M0 5L5-4H-5Z",
    "triangle-left": "M-5 0L4-5V5Z",
    "triangle-right": "M5 0L-4-5V5Z",
    "diamond": "M0-5L5 0L0 5L-5 0Z",
    "pentagon": "M0-5L5-1.4L3 4.3H-3L-5-1.4Z",
    "hexagon": "M0-5L4.4-2.5V2.5L0 5L-4.4 2.5V-2.5Z",
    "cross": "M-1.5-5H1.5V-1.5H5V1.5H1.5V5H-1.5V1.5H-5V-1.5H-1.5Z",
    "x": "M-3-5L0-2L3-5L5-3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0L-5-3Z",
    "x-thin": "M-4-4L4 4M4-4L-4 4",
    "cross-thin": "M-5 0H5M0-5V5",
    "y-down": "M-4-4L0 0L4-4M0 0V5",
    "y-up": "M-4 4L0 0L4 4M0 0V-5",
    "y-left": "M4-4L0 0L4 4M0 0H-5",
    "y-right": "M-4-4L0 0L-4 4M0 0H5",
    "line-ns": "M0-5V5",
}


def swatch(series: Series) -> str:
    """The SVG of a series; its class is the series' kind."""
    look = series.look
    paths = ""
    if look.dash:
        paths += (
            f'<path d="M-16 0H16" stroke-width="{look.width:.2g}" stroke-dasharray="{_DASHES[look.dash]}"/>'
        )
    if look.marker:
        filled = "none" if series.kind == "published" else "currentColor"
        paths += f'<path d="{_SHAPES[look.marker]}" stroke-width="1.5" fill="{filled}"/>'
    return f'<svg class="swatch {series.kind}" viewBox="-16 -7 32 14" aria-hidden="true">{paths}</svg>'
